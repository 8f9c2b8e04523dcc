"""PNG as GDAL reads it: each pixel's colour exactly, transparent where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from encodings_of_tiles import rgba
from terrella.encodings.palettes import palette
from terrella.encodings.pngtiles import blank, png


@settings(derandomize=True, deadline=None, max_examples=30)
@given(hnp.arrays(np.uint16, (16, 16), elements={"min_value": 0, "max_value": 256}))
def test_pixels_are_the_palette_exactly(numbers) -> None:
    found = rgba(png(numbers, palette("magma")))
    shown = numbers > 0
    assert (found[shown][:, :3] == palette("magma")[numbers[shown] - 1]).all()
    assert (found[shown][:, 3] == 255).all()
    assert (found[~shown][:, 3] == 0).all()


@pytest.mark.parametrize("first", [0, 1])
def test_all_colours_in_one_image(first) -> None:
    numbers = np.resize(np.arange(first, 257, dtype=np.uint16), (20, 20))
    found = rgba(png(numbers, palette("viridis")))
    assert (found[..., 3] == np.where(numbers, 255, 0)).all()
    assert (found[numbers > 0][:, :3] == palette("viridis")[numbers[numbers > 0] - 1]).all()


def test_backgrounds() -> None:
    numbers = np.array([[0, 1], [256, 0]], dtype=np.uint16)
    white = rgba(png(numbers, palette("grey"), (255, 255, 255)))
    assert white.tolist() == [[[255] * 4, [0, 0, 0, 255]], [[255] * 4, [255] * 4]]
    everything = np.resize(np.arange(257, dtype=np.uint16), (20, 20))
    assert rgba(png(everything, palette("grey"), (1, 2, 3)))[0, 0].tolist() == [1, 2, 3, 255]


def test_blank() -> None:
    assert (rgba(blank((8, 9)))[..., 3] == 0).all()
    assert (rgba(blank((8, 9), (255, 255, 255))) == 255).all()
