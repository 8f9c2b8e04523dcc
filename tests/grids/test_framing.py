"""Frames: they hold what they are for, and have the shape of their picture."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.grids.framing import framed
from terrella.model.space import GLOBE, Extent

_LON, _LAT = st.floats(-180, 180), st.floats(-90, 90)


@settings(derandomize=True, deadline=None)
@given(_LON, _LON, st.tuples(_LAT, _LAT).map(sorted), st.integers(1, 1024), st.integers(1, 1024))
def test_a_frame_holds_its_box_in_the_shape_of_the_picture(
    west: float, east: float, lats: list[float], width: int, height: int
) -> None:
    extent = Extent.of(west, lats[0], east, lats[1])
    left, bottom, right, top = framed(extent, width, height)
    assert -180 <= left < right <= 540
    assert -90 <= bottom < top <= 90
    assert bottom <= extent.south + 1e-9
    assert top >= extent.north - 1e-9
    assert right - left <= 360 + 1e-9
    room = right - left - extent.width
    assert room >= -1e-9
    apart = (extent.west - left) % 360
    assert right - left == 360 or apart <= room + 1e-6 or apart > 360 - 1e-6
    if right - left < 360 and top - bottom < 180:
        flat = max(math.cos(math.radians((extent.south + extent.north) / 2)), 0.2)
        assert math.isclose((right - left) * flat / (top - bottom), width / height, rel_tol=1e-9)


@pytest.mark.parametrize("extent", [GLOBE, Extent(-180, -80, 180, 84)])
def test_the_whole_earth_goes_from_west_to_east_once(extent: Extent) -> None:
    left, bottom, right, top = framed(extent, 360, 180)
    assert (left, right) == (-180, 180)
    assert top - bottom == pytest.approx(180, abs=4)


def test_across_the_antimeridian_it_stays_in_one_piece() -> None:
    left, _, right, _ = framed(Extent(170, -20, -170, -10), 360, 180)
    assert left < 170
    assert right > 190
