"""Hypothesis strategies: STAC items and searches that hit them, awkward on purpose and small enough to shrink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from terrella.model.search import Search, SortKey
from terrella.model.space import Extent
from terrella.model.time import parse_interval

if TYPE_CHECKING:
    from terrella.model.stac import Document

COLLECTIONS = ("plain", "with'quote", "prozent%_", "Küste")
_IDS = ("a", "b", "A", "it's", 'say "x"', "50%", "a_b", "Ångström", "雪", "x" * 200, "a\\b", "-- ;")
_WORDS = ("sentinel-2a", "Sentinel", "100%", "under_score", "o'hara", "Grüße", "")
_TIMES = (
    "2019-12-31T23:59:59.999999Z",
    "2020-01-01T00:00:00Z",
    "2020-01-01T00:00:00.000001Z",
    "2020-06-01T12:00:00+02:00",
    "1899-05-05T05:05:05Z",
    "2021-03-04T00:00:00Z",
)
_lons = st.sampled_from([-180.0, -179.5, -90.0, -0.1, 0.0, 10.1, 10.2, 90.0, 179.0, 180.0]) | st.integers(
    -180, 180
).map(float)
_lats = st.sampled_from([-90.0, -45.3, 0.0, 0.1, 45.0, 89.9, 90.0]) | st.integers(-90, 90).map(float)
_times = st.sampled_from(_TIMES)


@st.composite
def _points(draw: st.DrawFn) -> Document:
    return {"type": "Point", "coordinates": [draw(_lons), draw(_lats)]}


def _ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


@st.composite
def _boxes(draw: st.DrawFn) -> Document:
    west, east = sorted((draw(_lons), draw(_lons)))
    south, north = sorted((draw(_lats), draw(_lats)))
    west, south = min(west, 179.0), min(south, 89.0)
    return {"type": "Polygon", "coordinates": [_ring(west, south, max(east, west + 1), max(north, south + 1))]}


@st.composite
def _triangles(draw: st.DrawFn) -> Document:
    west, south = draw(st.integers(-180, 160)), draw(st.integers(-90, 80))
    corners = [[west, south], [west + draw(st.integers(1, 20)), south], [west, south + draw(st.integers(1, 10))]]
    return {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}


@st.composite
def _across(draw: st.DrawFn) -> Document:
    """Split at the antimeridian, as RFC 7946 wants it."""
    west, east = draw(st.integers(150, 179)), draw(st.integers(-179, -150))
    south = draw(st.integers(-90, 80))
    return {
        "type": "MultiPolygon",
        "coordinates": [[_ring(west, south, 180, south + 10)], [_ring(-180, south, east, south + 10)]],
    }


geometries = _points() | _boxes() | _triangles() | _across()


@st.composite
def _moments(draw: st.DrawFn) -> Document:
    if draw(st.booleans()):
        return {"datetime": draw(_times)}
    start, end = sorted((draw(st.integers(1900, 2025)), draw(st.integers(1900, 2025))))
    return {"datetime": None, "start_datetime": f"{start}-01-01T00:00:00Z", "end_datetime": f"{end}-02-01T00:00:00Z"}


@st.composite
def items(draw: st.DrawFn) -> Document:
    """One item of one of `COLLECTIONS`."""
    properties = draw(_moments())
    properties |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "eo:cloud_cover": st.none() | st.integers(0, 5) | st.floats(0, 5, allow_subnormal=False),
                "platform": st.none() | st.sampled_from(_WORDS),
                "gsd": st.sampled_from([1, 2.5, -0.0, 1e300]),
                "test:mixed": st.sampled_from([1, 2.5, "two", "", None, True, -1]),
            },
        )
    )
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": draw(st.sampled_from(_IDS)),
        "collection": draw(st.sampled_from(COLLECTIONS)),
        "geometry": draw(st.none() | geometries),
        "properties": properties,
        "links": [],
        "assets": {},
    }


def unique_items(most: int) -> st.SearchStrategy[list[Document]]:
    """Items of different collection and id."""
    return st.lists(items(), max_size=most, unique_by=lambda item: (item["collection"], item["id"]))


def _named(name: str) -> Document:
    return {"property": name}


_comparisons = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
_numbers = st.integers(-1, 6) | st.floats(-1, 6, allow_subnormal=False)


def _op(operator: str, *args: Any) -> Document:
    return {"op": operator, "args": list(args)}


_predicates = st.one_of(
    st.builds(lambda op, n: _op(op, _named("eo:cloud_cover"), n), _comparisons, _numbers),
    st.builds(lambda op, n: _op(op, _named("gsd"), n), _comparisons, _numbers),
    st.builds(lambda op, text: _op(op, _named("platform"), text), _comparisons, st.sampled_from(_WORDS)),
    st.builds(lambda op, text: _op(op, _named("id"), text), _comparisons, st.sampled_from(_IDS)),
    st.builds(lambda text: _op("=", _named("collection"), text), st.sampled_from(COLLECTIONS)),
    st.builds(
        lambda text: _op("like", _named("platform"), text),
        st.sampled_from(["sent%", "Sent%", "%2_", "%", "", "_", "%'%", "[a-z]*", "*", "?", "%ü%"]),
    ),
    st.builds(lambda a, b: _op("between", _named("eo:cloud_cover"), a, b), _numbers, _numbers),
    st.builds(lambda texts: _op("in", _named("platform"), texts), st.lists(st.sampled_from(_WORDS), min_size=1)),
    st.builds(lambda name: _op("isNull", _named(name)), st.sampled_from(["platform", "eo:cloud_cover", "gsd"])),
    st.builds(lambda op, at: _op(op, _named("datetime"), {"timestamp": at}), _comparisons, _times),
    st.builds(
        lambda ends: _op("t_intersects", _named("datetime"), {"interval": list(ends)}),
        st.sampled_from([("2020-01-01T00:00:00Z", ".."), ("..", "2000-01-01T00:00:00Z"), (_TIMES[1], _TIMES[2])]),
    ),
    st.builds(
        lambda op, shape: _op(op, _named("geometry"), shape),
        st.sampled_from(["s_intersects", "s_disjoint", "s_within", "s_contains", "s_touches"]),
        _boxes() | _triangles(),
    ),
)
filters = st.recursive(
    _predicates,
    lambda inner: st.one_of(
        st.builds(lambda parts: _op("and", *parts), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: _op("or", *parts), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: _op("not", part), inner),
    ),
    max_leaves=5,
)


@st.composite
def extents(draw: st.DrawFn) -> Extent:
    """Boxes with some area, a third of them across the antimeridian."""
    west, east = draw(st.integers(-180, 179)), draw(st.integers(-179, 180))
    south = draw(st.integers(-90, 89))
    if west == east:
        east = west + 1
    return Extent(float(west), float(south), float(east), float(draw(st.integers(south + 1, 90))))


_intervals = st.sampled_from(
    [
        parse_interval(text)
        for text in ("2020-01-01T00:00:00Z", "2019/..", "../1950", "2020-01-01/2020-12-31", "1950/1960", "2020-06-01")
    ]
)
_sort_keys = st.builds(
    SortKey, st.sampled_from(["datetime", "id", "collection", "eo:cloud_cover", "platform", "gsd"]), st.booleans()
)
searches = st.builds(
    Search,
    collections=st.just(()) | st.lists(st.sampled_from([*COLLECTIONS, "none"]), max_size=3).map(tuple),
    ids=st.just(()) | st.lists(st.sampled_from(_IDS), max_size=4).map(tuple),
    bbox=st.none() | extents(),
    intersects=st.none() | _boxes() | _triangles() | _points(),
    interval=st.none() | _intervals,
    filter=st.none() | filters,
    sortby=st.lists(_sort_keys, max_size=2, unique_by=lambda key: key.field).map(tuple),
    limit=st.integers(1, 4),
)
"""Every part is left out about half of the time."""
