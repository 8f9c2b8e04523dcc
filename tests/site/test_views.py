"""Questions as code: the words that are written out mean the very request that was asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as some

from terrella.errors import Invalid
from terrella.model.extraction import Area, Box, Everything, Points, Region, Span, Trajectory
from terrella.site.connecting.views import question_of
from terrella.site.connecting.views.shapes import Asked, shaped
from terrella.site.requests import extraction_from

LON, LAT = some.floats(-180, 180), some.floats(-90, 90)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(lon=LON, lat=LAT)
def test_no_digit_of_a_place_is_lost(lon: float, lat: float) -> None:
    one = shaped({"coords": {"type": "Point", "coordinates": [lon, lat]}})
    assert one.words == {"point": (lon, lat)}
    there = shapely.from_wkt(one.edr["coords"])
    assert (there.x, there.y) == (lon, lat)
    assert [float(part) for part in one.options["point"].split(",")] == [lon, lat]


@settings(derandomize=True, deadline=None, max_examples=100)
@given(places=some.lists(some.tuples(LON, LAT), min_size=2, max_size=6, unique=True))
def test_no_digit_of_a_line_is_lost(places: list[tuple[float, float]]) -> None:
    line = {"type": "LineString", "coordinates": places}
    asked = question_of({"collection": "x", "shape": line})
    assert isinstance(asked.request.shape, Trajectory)
    assert [tuple(one) for one in asked.request.shape.places] == places
    assert shapely.get_coordinates(shapely.from_wkt(asked.shape.wkt)).tolist() == [list(one) for one in places]


@pytest.mark.parametrize(
    ("given_", "kind", "query", "shape"),
    [
        ({}, Asked.MAP, "", Everything),
        ({"coords": "MULTIPOINT((1 2),(3 4))"}, Asked.POINTS, "position", Points),
        ({"bbox": "170,-5,-170,5"}, Asked.BOX, "cube", Box),
        ({"shape": {"type": "Box", "bbox": [170, -5, -170, 5]}}, Asked.BOX, "cube", Box),
        ({"region": "France"}, Asked.REGION, "area", Region),
        ({"shape": {"type": "Region", "name": "nuts:FR10"}}, Asked.REGION, "area", Region),
        ({"coords": "POLYGON((0 0,4 0,4 4,0 0))"}, Asked.AREA, "area", Area),
        ({"coords": json.dumps({"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}})}, Asked.POINT, "position", Points),
    ],
)  # fmt: skip
def test_every_shape_has_its_query(given_: dict[str, Any], kind: Asked, query: str, shape: type) -> None:
    asked = question_of({"collection": "x", **given_})
    assert (asked.shape.kind, asked.shape.query) == (kind, query)
    assert isinstance(asked.request.shape, shape)
    assert extraction_from("x", asked.shape.words).shape == asked.request.shape


def test_words_of_edr_and_of_python_mean_the_same() -> None:
    asked = question_of(
        {
            "collection": "x",
            "parameter-name": "2t,t",
            "datetime": "2024-01-01/..",
            "z": "500/850",
            "axes": {"number": [0, 1]},
            "step": 6,
            "reduce": "mean:space",
            "palette": "magma",
            "f": "CSV",
        }
    )
    assert asked.request.variables == ("2t", "t")
    assert asked.request.vertical == Span(500.0, 850.0)
    assert asked.request.select == {"step": ("6",), "number": ("0", "1")}
    assert asked.edr == {
        "parameter-name": "2t,t",
        "datetime": "2024-01-01/..",
        "z": "500/850",
        "reduce": "mean:space",
        "step": "6",
        "number": "0,1",
    }
    assert (asked.form, asked.drawn) == ("CSV", {"palette": "magma"})
    assert [str(one) for one in asked.request.reduce] == ["mean:space"]


@pytest.mark.parametrize(
    ("given_", "parameter"),
    [
        ({}, "collection"),
        ({"collection": "x", "variables": "a", "parameter-name": "b"}, "parameter-name"),
        ({"collection": "x", "bbox": "1,2,3"}, "bbox"),
        ({"collection": "x", "bbox": "1,2,3,4", "region": "France"}, "region"),
        ({"collection": "x", "region": "a\nb"}, "region"),
        ({"collection": "x", "coords": "CIRCULARSTRING(0 0,1 1,2 0)"}, "coords"),
        ({"collection": "x", "coords": "POINT EMPTY"}, "coords"),
        ({"collection": "x", "coords": "POINT Z (1 2 3)"}, "coords"),
        ({"collection": "x", "coords": "{}"}, "coords"),
        ({"collection": "x", "z": "a"}, "z"),
        ({"collection": "x", "number": True}, "number"),
        ({"collection": "x", "number": "a\x00"}, "number"),
        ({"collection": "x", **{f"a{n}": "1" for n in range(30)}}, "axes"),
        ({"collection": "x", "axes": "number=1"}, "axes"),
        ({"collection": "x", "number": "1", "axes": {"number": 1}}, "number"),
    ],
)
def test_wrong_words_are_named(given_: dict[str, Any], parameter: str) -> None:
    with pytest.raises(Invalid) as refused:
        question_of(given_)
    assert refused.value.parameter == parameter
