"""The box around a shape, also over the antimeridian."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, box, mapping

from terrella.errors import Invalid
from terrella.extraction.extents import extent_of
from terrella.grids.sphere import distance
from terrella.model.extraction import Area, Box, Circle, Corridor, Everything, Points, Shape, Trajectory
from terrella.model.space import Extent, LonLat

lons, lats = st.floats(-180, 180), st.floats(-85, 85)


def holds(extent: Extent, lon: float, lat: float) -> bool:
    east = (lon - extent.west) % 360
    return extent.south - 1e-9 <= lat <= extent.north + 1e-9 and (east <= extent.width + 1e-9 or east >= 360 - 1e-9)


def test_everything_and_boxes() -> None:
    assert extent_of(Everything()) is None
    extent = Extent(170.0, -1.0, -170.0, 1.0)
    assert extent_of(Box(extent)) is extent


@given(st.lists(st.tuples(lons, lats), min_size=1, max_size=6))
@example([(180.0, 0.0)])
@example([(-180.0, 0.0), (179.99999999999997, 1.0)])
@settings(derandomize=True, deadline=None)
def test_places(places: list[tuple[float, float]]) -> None:
    named = tuple(LonLat(*one) for one in places)
    for shape in (Points(named), Trajectory(named)):
        extent = extent_of(shape)
        assert extent is not None
        assert all(holds(extent, *one) for one in places)
        gaps = np.diff(np.sort([(lon + 180) % 360 for lon, _ in places]), append=np.nan)
        gaps[-1] = 360 - np.nansum(gaps[:-1])
        assert extent.width == pytest.approx(360 - np.max(gaps), abs=1e-6)


def test_polygons_over_the_antimeridian() -> None:
    two = MultiPolygon([box(179, 50, 180, 51), box(-180, 50, -178, 52)])
    beyond = box(179, 50, 182, 52)
    for one in (two, beyond):
        assert extent_of(Area(mapping(one))) == Extent(179.0, 50.0, -178.0, 52.0)
    assert extent_of(Area(mapping(box(-180, -10, 180, 10)))).width == 360


@given(lons, lats, st.floats(1, 2e6))
@settings(derandomize=True, deadline=None)
def test_circles(lon: float, lat: float, radius: float) -> None:
    extent = extent_of(Circle(LonLat(lon, lat), radius))
    assert extent is not None
    random = np.random.default_rng(0)
    x, y = lon + random.uniform(-180, 180, 3000), np.degrees(np.arcsin(random.uniform(-1, 1, 3000)))
    inside = distance(np.float64(lon), np.float64(lat), x, y) <= radius
    assert all(holds(extent, a, b) for a, b in zip(x[inside], y[inside], strict=True))


def test_corridors_are_wider_than_their_line() -> None:
    extent = extent_of(Corridor(Trajectory((LonLat(10.0, 50.0), LonLat(11.0, 50.0))), 20_000.0))
    assert extent is not None
    assert extent.west < 9.87
    assert extent.south < 49.92


@pytest.mark.parametrize(
    "shape",
    [
        Points(()),
        Points((LonLat(float("nan"), 0.0),)),
        Points((LonLat(0.0, 91.0),)),
        Circle(LonLat(0.0, 0.0), 0.0),
        Circle(LonLat(0.0, 0.0), 1e9),
        Area({"type": "Polygon", "coordinates": []}),
        Area({"type": "Polygon", "coordinates": [[["a", 1]]]}),
        Area({"type": "Point", "coordinates": [1, 2]}),
    ],
)
def test_what_is_no_place(shape: Shape) -> None:
    with pytest.raises(Invalid):
        extent_of(shape)
