"""Distances and areas against GeographicLib on the same sphere."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.errors import Invalid
from terrella.grids.sphere import cap_extent, checked_circle, distance, extent_of, fan_areas, lonlat, unit, wrapped
from terrella.model.space import EARTH_RADIUS_M, Extent

SPHERE = pyproj.Geod(a=EARTH_RADIUS_M, b=EARTH_RADIUS_M)
longitudes, latitudes = st.floats(-360, 720), st.floats(-90, 90)


@settings(derandomize=True, deadline=None)
@given(longitudes, latitudes, longitudes, latitudes)
def test_distance_is_that_of_geographiclib(lon: float, lat: float, other_lon: float, other_lat: float) -> None:
    _, _, theirs = SPHERE.inv(lon, lat, other_lon, other_lat)
    assert distance(lon, lat, np.array([other_lon]), np.array([other_lat]))[0] == pytest.approx(theirs, abs=0.2)


def test_short_distances_are_exact() -> None:
    assert distance(10.0, 50.0, np.array([10.0]), np.array([50.0 + 1e-9]))[0] == pytest.approx(1.112e-4, rel=1e-3)


@pytest.mark.parametrize("size", [1e-4, 0.1, 5.0, 60.0])
def test_areas_of_polygons_are_those_of_geographiclib(size: float) -> None:
    lon, lat = np.array([20, 20 + size, 20 + 1.2 * size, 20]), np.array([0, 0, size, 1.1 * size])
    theirs, _ = SPHERE.polygon_area_perimeter(lon, lat)
    assert fan_areas(unit(lon, lat)[None])[0] == pytest.approx(theirs, rel=1e-6)


@settings(derandomize=True, deadline=None)
@given(longitudes, latitudes)
def test_vectors_come_back(lon: float, lat: float) -> None:
    back = lonlat(unit(np.array([lon]), np.array([lat])))
    assert back[1][0] == pytest.approx(lat, abs=1e-9)
    if abs(lat) < 89:
        assert np.cos(np.radians(back[0][0] - lon)) == pytest.approx(1)
    assert -180 <= wrapped(np.array([lon]))[0] < 180


@settings(derandomize=True, deadline=None)
@given(st.floats(-180, 180), latitudes, st.floats(0, 1.9e7), st.floats(0, 360))
def test_a_circle_lies_in_its_box(lon: float, lat: float, radius: float, way: float) -> None:
    box = cap_extent(lon, lat, radius)
    rim_lon, rim_lat, _ = SPHERE.fwd(lon, lat, way, radius)
    assert box.south - 1e-6 <= rim_lat <= box.north + 1e-6
    assert (rim_lon - box.west + 1e-5) % 360 <= box.width + 2e-5 or abs(rim_lat) > 89.9999


def test_boxes_around_places() -> None:
    assert extent_of(np.array([170.0, -170, 175]), np.array([0.0, 1, 2]), closing=1) == Extent(170, 0, -170, 2)
    assert extent_of(np.arange(0.0, 360, 10), np.zeros(36), closing=10) == Extent(-180, 0, 180, 0)
    assert extent_of(np.array([5.0, np.nan]), np.array([3.0, 4.0]), closing=1) == Extent(5, 3, 5, 3)


@pytest.mark.parametrize("wrong", [(np.nan, 0, 1), (0, 91, 1), (0, 0, -1), (0, 0, np.inf)])
def test_impossible_circles_are_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(Invalid):
        checked_circle(*wrong)
