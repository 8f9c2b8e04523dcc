"""Palettes against Matplotlib's tables, and even steps of lightness (CIE L*, by its own formula)."""

from __future__ import annotations

import numpy as np
import pytest

from terrella.encodings.palettes import colour_numbers, names, palette
from terrella.errors import Invalid


def lightness(rgb: np.ndarray) -> np.ndarray:
    linear = rgb / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


@pytest.mark.parametrize("name", ["viridis", "cividis", "magma", "inferno", "plasma"])
def test_tables_are_those_of_matplotlib(name) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    theirs = np.array([matplotlib.colormaps[name](i)[:3] for i in range(256)]) * 255
    assert np.abs(palette(name) - theirs).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("name", [name for name in names() if name != "diverging"])
def test_lighter_is_more(name) -> None:
    steps = np.diff(lightness(palette(name).astype(float)))
    assert steps.min() > -0.6
    assert lightness(palette(name).astype(float))[[0, -1]].tolist() == sorted(
        lightness(palette(name).astype(float))[[0, -1]]
    )


def test_diverging_is_lightest_in_the_middle() -> None:
    light = lightness(palette("diverging").astype(float))
    assert light[127] == pytest.approx(light[128], abs=0.5)
    assert (np.diff(light[:128]) > -0.2).all()
    assert (np.diff(light[128:]) < 0.2).all()
    blue, orange = palette("diverging")[[20, -20]].astype(int)
    assert blue[2] > blue[0]
    assert orange[0] > orange[2]


def test_reversed_and_unknown() -> None:
    assert (palette("viridis_r") == palette("viridis")[::-1]).all()
    with pytest.raises(Invalid, match="viridis"):
        palette("virdis")


def test_which_colour() -> None:
    values = np.array([np.nan, -1, 0, 0.5, 1, 9], dtype=np.float32)
    assert colour_numbers(values, 0.0, 1.0).tolist() == [0, 1, 1, 129, 256, 256]
    assert colour_numbers(np.array([0.0, 5e-31, 1e-30]), 0.0, 1e-30).tolist() == [1, 129, 256]
    assert colour_numbers(np.array([3, 4], dtype=np.int16), 3, 4).tolist() == [1, 256]
