"""Features as polytope-mars defines them, and what is wrong with one."""

from __future__ import annotations

from typing import Any

import pytest

from terrella.errors import Invalid, TooLarge, Unsupported
from terrella.model.extraction import Area, Box, Circle, Corridor, Frame, Points
from terrella.model.space import Extent, LonLat
from terrella.site.mars.features import METRES_PER_DEGREE, parse_feature


def test_points_are_latitude_first_unless_axes_say_otherwise() -> None:
    made = parse_feature({"type": "timeseries", "points": [[52, 13]], "time_axis": "step"})
    assert made.shape == Points((LonLat(13, 52),))
    made = parse_feature(
        {"type": "timeseries", "points": [[13, 52]], "time_axis": "step", "axes": ["longitude", "latitude"]}
    )
    assert made.shape == Points((LonLat(13, 52),))


def test_the_old_way_to_name_the_time_axis() -> None:
    for axes in ("step", ["step"]):
        assert parse_feature({"type": "timeseries", "points": [[52, 13]], "axes": axes}).needs == "step"


def test_a_range_is_one_of_mars() -> None:
    feature = {"type": "timeseries", "points": [[52, 13]], "time_axis": "step"}
    assert parse_feature(feature | {"range": {"start": 0, "end": 10}}).words == {"step": "0/to/10"}
    assert parse_feature(feature | {"range": {"start": 0, "end": 10, "interval": 2}}).words == {"step": "0/to/10/by/2"}


@pytest.mark.parametrize(
    ("corners", "extent", "middle"),
    [
        ([[40, -10], [60, 10]], Extent(-10, 40, 10, 60), 0),
        ([[60, 10], [40, -10]], Extent(-10, 40, 10, 60), 0),
        ([[40, 350], [60, 370]], Extent(-10, 40, 10, 60), 360),
        ([[40, 170], [60, 190]], Extent(170, 40, -170, 60), 180),
        ([[-90, 0], [90, 360]], Extent(-180, -90, 180, 90), 180),
        ([[-90, -180], [90, 180]], Extent(-180, -90, 180, 90), 0),
    ],
)
def test_any_two_corners(corners: list[list[float]], extent: Extent, middle: float) -> None:
    made = parse_feature({"type": "boundingbox", "points": corners})
    assert made.shape == Box(extent)
    assert made.middle == middle


def test_a_box_of_levels() -> None:
    made = parse_feature({"type": "boundingbox", "points": [[40, -10, 500], [60, 10, 1000]]})
    assert made.words == {"levelist": "500/to/1000"}


def test_rings_are_closed_and_may_be_several() -> None:
    ring = [[0, 0], [0, 10], [10, 10]]
    one = parse_feature({"type": "polygon", "shape": ring}).shape
    assert isinstance(one, Area)
    assert one.geometry == {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10], [0, 0]]]}
    two = parse_feature({"type": "polygon", "shape": [ring, ring]}).shape
    assert isinstance(two, Area)
    assert two.geometry["type"] == "MultiPolygon"


def test_circles_in_degrees_and_kilometres() -> None:
    made = parse_feature({"type": "circle", "center": [[52, 13]], "radius": 2}).shape
    assert made == Circle(LonLat(13, 52), 2 * METRES_PER_DEGREE)
    assert pytest.approx(111_195, abs=1) == METRES_PER_DEGREE
    assert parse_feature({"type": "circle", "center": [[52, 13]], "radius_km": 5}).shape == Circle(LonLat(13, 52), 5000)


def test_frames_and_trajectories() -> None:
    made = parse_feature({"type": "frame", "outer_box": [[50, -20], [30, 20]], "inner_box": [[45, -10], [35, 10]]})
    assert made.shape == Frame(Extent(-20, 30, 20, 50), Extent(-10, 35, 10, 45))
    made = parse_feature(
        {"type": "trajectory", "points": [[0, 0, 1000, 0], [10, 10, 500, 6]], "inflation": [1, 1, 50, 0]}
    )
    assert isinstance(made.shape, Corridor)
    assert made.shape.width == 2 * METRES_PER_DEGREE
    assert made.words == {"levelist": "450/to/1050", "step": "0/to/6"}


@pytest.mark.parametrize(
    ("feature", "text"),
    [
        (None, "type"),
        ("timeseries", "type"),
        ({"type": "polgon"}, "polygon"),
        ({"type": "timeseries", "points": [[0, 0]]}, "time_axis"),
        ({"type": "timeseries", "points": [], "time_axis": "step"}, "list of points"),
        ({"type": "timeseries", "points": [0, 0], "time_axis": "step"}, "latitude first"),
        ({"type": "timeseries", "points": [[0, 0, 0]], "time_axis": "step"}, "2 numbers"),
        ({"type": "timeseries", "points": [[91, 0]], "time_axis": "step"}, "no latitude 91"),
        ({"type": "timeseries", "points": [[0, 1e9]], "time_axis": "step"}, "no longitude"),
        ({"type": "timeseries", "points": [[float("nan"), 0]], "time_axis": "step"}, "no number"),
        ({"type": "timeseries", "points": [["a", 0]], "time_axis": "step"}, "no number"),
        ({"type": "timeseries", "points": [[True, 0]], "time_axis": "step"}, "no number"),
        ({"type": "timeseries", "points": [[0, 0]], "time_axis": "step", "range": {"from": 1}}, "start"),
        ({"type": "timeseries", "points": [[0, 0]], "time_axis": "step", "radius": 1}, "radius"),
        ({"type": "verticalprofile", "points": [[0, 0]], "axes": "step"}, "levelist"),
        ({"type": "boundingbox", "points": [[0, 0]]}, "two opposite"),
        ({"type": "boundingbox", "points": [[0, 0], [1, 1, 1]]}, "two opposite"),
        ({"type": "polygon"}, "one of shape"),
        ({"type": "polygon", "shape": [[0, 0], [0, 1], [0, 0]]}, "three different"),
        ({"type": "polygon", "wkt": "POLYGON((0 0"}, "wkt"),
        ({"type": "circle", "center": [[0, 0]], "radius": -1}, "more than 0"),
        ({"type": "circle", "center": [[0, 0]]}, "radius"),
        ({"type": "circle", "center": [[0, 0]], "radius": 1, "radius_km": 1}, "radius"),
        ({"type": "frame", "outer_box": [[0, 0], [1, 1]]}, "inner_box"),
        ({"type": "trajectory", "points": [[0, 0]], "inflation": 1}, "two or more"),
        ({"type": "trajectory", "points": [[0, 0], [1, 1]]}, "inflation"),
        ({"type": "trajectory", "points": [[0, 0], [1, 1]], "inflation": 0}, "more than 0"),
        ({"type": "trajectory", "points": [[0, 0], [1, 1]], "inflation": [1]}, "one for each"),
        ({"type": "trajectory", "points": [[0, 0], [1, 1]], "inflation": 1, "inflate": "cone"}, "round or box"),
    ],
)
def test_what_is_wrong_is_named(feature: Any, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_feature(feature)
    assert text in caught.value.message


def test_too_many_vertices_and_shapefiles() -> None:
    with pytest.raises(TooLarge, match="at most"):
        parse_feature({"type": "polygon", "shape": [[0, 0]] * 1_000_000})
    with pytest.raises(Unsupported, match="geojson"):
        parse_feature({"type": "shapefile", "file": "/etc/passwd"})
