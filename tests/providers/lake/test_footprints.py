"""Geometries to boxes and shapes, above all around the antimeridian and the poles."""

from __future__ import annotations

from typing import Any

import pytest
import shapely

from terrella.errors import Invalid
from terrella.model.caller import OPERATOR
from terrella.model.search import Search
from terrella.model.space import Extent
from terrella.providers.lake import Lake
from terrella.providers.lake.footprints import exact, extents_of, footprints, geometry, within_world
from terrella.testing.catalog import plain_item


def _item(shape: dict[str, Any] | None, bbox: list[float] | None = None) -> dict[str, Any]:
    item = plain_item("x")
    item["geometry"] = shape
    if bbox:
        item["bbox"] = bbox
    return item


def _polygon(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in (*corners, corners[0])]]}


def _box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    return _polygon((west, south), (east, south), (east, north), (west, north))


def test_boxes_and_points_need_no_shape() -> None:
    box, point, triangle, nothing = footprints(
        [
            _item(_box(1, 2, 3, 4)),
            _item({"type": "Point", "coordinates": [5, 6, 700]}),
            _item(_polygon((0, 0), (1, 0), (0, 1))),
            _item(None),
        ]
    )
    assert box is not None
    assert box.extent == Extent(1, 2, 3, 4)
    assert box.shape is None
    assert point is not None
    assert (point.extent, point.shape) == (Extent(5, 6, 5, 6), None)
    assert triangle is not None
    assert triangle.shape is not None
    assert nothing is None


@pytest.mark.parametrize(
    ("shape", "bbox", "wanted"),
    [
        (
            {
                "type": "MultiPolygon",
                "coordinates": [_box(170, 0, 180, 5)["coordinates"], _box(-180, 0, -175, 5)["coordinates"]],
            },
            None,
            Extent(170, 0, -175, 5),
        ),
        (_box(170, 0, 185, 5), None, Extent(170, 0, -175, 5)),
        (_box(-190, 0, -170, 5), None, Extent(170, 0, -170, 5)),
        (_box(350, 0, 355, 5), None, Extent(-10, 0, -5, 5)),
        (_polygon((170, 0), (-175, 0), (-175, 5), (170, 5)), [170, 0, -175, 5], Extent(170, 0, -175, 5)),
        (_polygon((170, 0), (-175, 0), (-175, 5), (170, 5)), [170, 0, 0, -175, 5, 9], Extent(170, 0, -175, 5)),
        (_box(-180, -90, 180, -80), None, Extent(-180, -90, 180, -80)),
        (_box(-180, -90, 180, 90), None, Extent(-180, -90, 180, 90)),
        (_box(-100, 0, 100, 5), None, Extent(-100, 0, 100, 5)),
        ({"type": "MultiPoint", "coordinates": [[-180, 0], [0, 0], [180, 0]]}, None, Extent(-180, 0, 180, 0)),
    ],
)
def test_the_box_across_the_antimeridian(shape: dict[str, Any], bbox: list[float] | None, wanted: Extent) -> None:
    (found,) = footprints([_item(shape, bbox)])
    assert found is not None
    assert found.extent == wanted


def test_places_beyond_180_are_found_where_they_are(lake: Lake) -> None:
    lake.put_items(OPERATOR, [_item(_polygon((175, 0), (190, 0), (175, 10)))])
    for box, there in [((-175, 0, -174, 1), 1), ((-171, 5, -170, 6), 0), ((176, 1, 177, 2), 1), ((0, 0, 170, 5), 0)]:
        assert lake.count(OPERATOR, Search(bbox=Extent(*map(float, box)))) == there
    beyond = _polygon((180, 0), (186, 0), (186, 1), (180, 1))
    assert lake.count(OPERATOR, Search(intersects=beyond)) == 1
    assert lake.count(OPERATOR, Search(intersects={"type": "Point", "coordinates": [-179, 1]})) == 1


def test_a_box_meets_the_shape_and_not_just_its_box(lake: Lake) -> None:
    lake.put_items(OPERATOR, [_item(_polygon((0, 0), (10, 0), (0, 10)))])
    assert lake.count(OPERATOR, Search(bbox=Extent(8, 8, 9, 9))) == 0
    assert lake.count(OPERATOR, Search(bbox=Extent(4, 4, 9, 9))) == 1
    assert lake.count(OPERATOR, Search(bbox=Extent(-1, -1, 11, 11))) == 1


def test_a_footprint_that_crosses_itself_can_still_be_found(lake: Lake) -> None:
    lake.put_items(OPERATOR, [_item(_polygon((0, 0), (10, 10), (10, 0), (0, 10)))])
    assert lake.count(OPERATOR, Search(bbox=Extent(8, 4, 9, 6))) == 1
    assert lake.count(OPERATOR, Search(intersects=_box(4, 8, 6, 9))) == 0


def test_boxes_are_exact_although_the_tree_has_32_bits(lake: Lake) -> None:
    west = 10.000000001
    lake.put_items(OPERATOR, [_item(_box(west, 0, 11, 1))])
    assert lake.count(OPERATOR, Search(bbox=Extent(9, 0, west, 1))) == 1
    assert lake.count(OPERATOR, Search(bbox=Extent(9, 0, 10.0000000001, 1))) == 0


def test_shapes_come_back_into_the_world() -> None:
    shape = within_world(shapely.box(170, 0, 200, 10))
    assert extents_of(shape) == (Extent(170, 0, 180, 10), Extent(-180, 0, -160, 10))
    assert shape.area == pytest.approx(300)
    twice = within_world(shapely.box(-541, 0, -539, 1))
    assert twice.area == pytest.approx(2)


def test_a_geometry_that_is_none_is_invalid() -> None:
    for wrong in ({}, {"type": "Point"}, {"type": "Polygon", "coordinates": []}, {"type": "Point", "coordinates": []}):
        with pytest.raises(Invalid) as caught:
            geometry(wrong, parameter="intersects")
        assert caught.value.parameter == "intersects"
    with pytest.raises(Invalid, match="Self-intersection"):
        geometry(_polygon((0, 0), (10, 10), (10, 0), (0, 10)))


def test_no_geometry_relates_to_nothing() -> None:
    assert exact("s_intersects", b"", None, None, None, None, None) is None
