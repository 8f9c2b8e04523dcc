"""Every parameter of a search: what is taken, and that each refusal names its parameter."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.api.searching.parsing import MOST, collection_search_of, search_of
from terrella.errors import Invalid, TerrellaError
from terrella.model.search import SortKey
from terrella.model.space import Extent

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
BOW_TIE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
OPEN = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}


def test_nothing_asked() -> None:
    query = search_of({})
    assert query.limit == 10
    assert (query.bbox, query.interval, query.filter, query.text, query.sortby, query.token) == (
        None,
        None,
        None,
        (),
        (),
        None,
    )


@pytest.mark.parametrize(
    ("given", "box"),
    [
        ("1,2,3,4", Extent(1, 2, 3, 4)),
        (" 1, 2 ,3,4", Extent(1, 2, 3, 4)),
        ("1,2,0,3,4,9", Extent(1, 2, 3, 4)),
        ([1, 2, 3, 4], Extent(1, 2, 3, 4)),
        ("170,-5,-170,5", Extent(170, -5, -170, 5)),
        ("350,-5,10,5", Extent(-10, -5, 10, 5)),
        ("-180,-90,180,90", Extent(-180, -90, 180, 90)),
        ("1,2,1,2", Extent(1, 2, 1, 2)),
    ],
)
def test_boxes(given: object, box: Extent) -> None:
    assert search_of({"bbox": given}).bbox == box


@pytest.mark.parametrize(
    "given",
    [
        "1,2,3", "1,2,3,4,5", "a,b,c,d", "[1,2,3,4]", "1,2,3,", "1,4,3,2", "nan,2,3,4", "1,2,inf,4", "1,-91,3,4",
        "1,2,400,4", "1,2,9,3,4,0", [1], [1, 2, 3, math.nan], "1;2;3;4", "1,2,3,4,5,6,7",
    ],
)  # fmt: skip
def test_wrong_boxes(given: object) -> None:
    with pytest.raises(Invalid) as refused:
        search_of({"bbox": given})
    assert refused.value.parameter == "bbox"


@pytest.mark.parametrize(
    ("given", "start", "end"),
    [
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        ("2020-01-01t00:00:00z/..", "2020-01-01T00:00:00Z", "None"),
        ("/2020-01-01T00:00:00+02:00", "None", "2019-12-31T22:00:00Z"),
        ("2020-01-01T00:00:00.5Z/2020-01-01T00:00:01Z", "2020-01-01T00:00:00.5Z", "2020-01-01T00:00:01Z"),
    ],
)
def test_times(given: str, start: str, end: str) -> None:
    interval = search_of({"datetime": given}).interval
    assert interval is not None
    assert (str(interval.start), str(interval.end)) == (start, end)


@pytest.mark.parametrize(
    "given",
    [
        "", "/", "..", "../..", "2020-01-01", "2020", "yesterday", "2020-01-01T00:00:00", "2020-13-01T00:00:00Z",
        "2020-02-30T00:00:00Z", "2021-01-01T00:00:00Z/2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z/a/b",
        "2020-01-01T25:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-10:00", "٢٠٢٠-01-01T00:00:00Z",
        "2020-01-01T00:00:00Z/2020-01-01T00:00:00Z/2020-01-01T00:00:00Z", "2020-01-01T00:00:61Z",
    ],
)  # fmt: skip
def test_wrong_times(given: str) -> None:
    with pytest.raises(Invalid) as refused:
        search_of({"datetime": given})
    assert refused.value.parameter == "datetime"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("{", "no JSON"),
        ("[]", "no type of geometry"),
        ('{"type":"Circle"}', "no type of geometry"),
        ({"type": "Feature", "geometry": SQUARE}, "not a Feature"),
        (BOW_TIE, "Self-intersection"),
        (OPEN, "its last is its first"),
        ({"type": "Polygon", "coordinates": []}, "nested as GeoJSON"),
        ({"type": "Point", "coordinates": [1]}, "longitude and latitude"),
        ({"type": "Point", "coordinates": ["a", 2]}, "longitude and latitude"),
        ({"type": "Point", "coordinates": [True, 2]}, "longitude and latitude"),
        ({"type": "Point", "coordinates": [math.nan, 2]}, "longitude and latitude"),
        ({"type": "Point", "coordinates": [2, 91]}, "longitude comes first"),
        ({"type": "Point"}, "nested as GeoJSON"),
        ({"type": "LineString", "coordinates": [[1, 2]]}, "two positions"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [0, 0], [0, 0], [0, 0]]]}, "not valid"),
        ({"type": "GeometryCollection"}, "list of geometries"),
        ({"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection"}]}, "another one"),
        ({"type": "GeometryCollection", "geometries": [BOW_TIE]}, "Self-intersection"),
        ({"type": ["Point"], "coordinates": [1, 2]}, "no type of geometry"),
    ],
)
def test_wrong_geometries(given: object, says: str) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        search_of({"intersects": given})
    assert refused.value.parameter == "intersects"


def test_right_geometries() -> None:
    hole = {
        "type": "Polygon",
        "coordinates": [*SQUARE["coordinates"], [[0.2, 0.2], [0.2, 0.4], [0.4, 0.4], [0.2, 0.2]]],
    }
    multi = {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]}
    both = {"type": "GeometryCollection", "geometries": [SQUARE, {"type": "Point", "coordinates": [5, 5, 100]}]}
    for geometry in (SQUARE, hole, multi, both):
        assert search_of({"intersects": geometry}).intersects == geometry


def test_box_and_geometry_together() -> None:
    with pytest.raises(Invalid, match="not both"):
        search_of({"bbox": "1,2,3,4", "intersects": SQUARE})


def test_ids_and_collections() -> None:
    query = search_of({"ids": "a,b,a", "collections": ["x", "y"]})
    assert (query.ids, query.collections) == (("a", "b"), ("x", "y"))
    for wrong in ("a,,b", ",", ["a", " "]):
        with pytest.raises(Invalid, match="empty name"):
            search_of({"ids": wrong})


def test_limits_are_cut_to_the_most() -> None:
    assert search_of({"limit": 10**9}).limit == MOST
    assert collection_search_of({}, limit=100).limit == 100
    assert collection_search_of({"limit": 3}, limit=100).limit == 3


def test_sort_keys() -> None:
    wanted = (SortKey("datetime", descending=True), SortKey("eo:cloud_cover"), SortKey("id"))
    assert search_of({"sortby": "-properties.datetime,+eo:cloud_cover, id"}).sortby == wanted
    body = [{"field": "properties.datetime", "direction": "desc"}, {"field": "eo:cloud_cover", "direction": "asc"}]
    assert search_of({"sortby": body}).sortby == wanted[:2]
    for wrong in ("-", "a,,b", "+,"):
        with pytest.raises(Invalid) as refused:
            search_of({"sortby": wrong})
        assert refused.value.parameter == "sortby"


@pytest.mark.parametrize(
    "given",
    [
        "{",
        "[]",
        '{"a": 3}',
        '{"a": {}}',
        '{"a": {"near": 1}}',
        '{"a": {"in": 3}}',
        '{"a": {"lt": [1]}}',
        '{"a": {"contains": 3}}',
    ],
)
def test_wrong_queries(given: str) -> None:
    with pytest.raises(Invalid) as refused:
        search_of({"query": given})
    assert refused.value.parameter == "query"


def test_query_and_filter_both_hold() -> None:
    query = search_of({"query": '{"a": {"lt": 1}}', "filter_expr": "b = 2"})
    assert query.filter == {
        "op": "and",
        "args": [{"op": "=", "args": [{"property": "b"}, 2.0]}, {"op": "<", "args": [{"property": "a"}, 1]}],
    }


def test_only_one_reference_system() -> None:
    search_of({"filter_expr": "a = 1", "filter_crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"})
    with pytest.raises(Invalid) as refused:
        search_of({"filter_expr": "a = 1", "filter_crs": "EPSG:25832"})
    assert refused.value.parameter == "filter-crs"


TEXTS = st.text(max_size=40) | st.sampled_from(
    ["1,2,3,4", "..", "{}", "[]", "null", '{"type":"Point","coordinates":[1,2]}']
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("bbox", "datetime", "intersects", "ids", "collections", "sortby", "query", "filter_expr", "q", "token"),
            TEXTS,
        ),
    )
)
def test_any_text_is_taken_or_refused_in_words(given: dict[str, str]) -> None:
    try:
        search_of(given)
    except TerrellaError as error:
        assert error.parameter  # noqa: PT017
        assert error.message.endswith((".", "?"))  # noqa: PT017
