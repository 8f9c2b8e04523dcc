"""From STAC parameters to a Search: everything checked, every refusal names its parameter and what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import shapely
from pydantic import BaseModel
from shapely.geometry import shape
from shapely.validation import explain_validity

from terrella.api.searching.conditions import condition_of
from terrella.api.searching.filters import filter_from_json, filter_from_text
from terrella.errors import Invalid, nearest_names
from terrella.model.search import CollectionSearch, Search, SortKey
from terrella.model.space import Extent
from terrella.model.stac import Document
from terrella.model.time import Interval, parse_interval

MOST = 10_000
_CRS84 = ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "OGC:CRS84", "CRS84", "EPSG:4326")
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_GEOMETRIES = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
"""Types of GeoJSON geometry and how deep positions lie in their coordinates."""

Given = Mapping[str, Any]
"""Parameters by name, absent ones None; from a query string or from a body."""


def members_of(body: BaseModel) -> dict[str, Any]:
    """What a body says, by the names of parameters. Raises Invalid for numbers and texts that JSON cannot answer."""
    members = body.model_dump(exclude_none=True)
    try:
        orjson.dumps(members)
    except TypeError as error:
        raise Invalid(f"The body has a number or text that cannot be used: {error}.", parameter="body") from None
    return members


def search_of(given: Given, *, collection: str | None = None) -> Search:
    """The item search that was asked for. Raises Invalid."""
    if given.get("bbox") and given.get("intersects"):
        raise Invalid("Give bbox or intersects, not both.", parameter="intersects")
    collections = names_of(given.get("collections"), "collections")
    if collection and collections and collection not in collections:
        raise Invalid(f"This is the address of {collection!r:.80}: leave collections out.", parameter="collections")
    return Search(
        collections=(collection,) if collection else collections,
        ids=names_of(given.get("ids"), "ids"),
        intersects=_intersects(given.get("intersects")),
        **_common(given),
    )


def collection_search_of(given: Given, *, limit: int) -> CollectionSearch:
    """The collection search that was asked for. Raises Invalid."""
    return CollectionSearch(**{**_common(given), "limit": limit_of(given.get("limit"), limit)})


def _common(given: Given) -> dict[str, Any]:
    return {
        "bbox": _bbox(given.get("bbox")),
        "interval": _interval(given.get("datetime")),
        "filter": _filter(given),
        "text": _text(given.get("q")),
        "sortby": _sortby(given.get("sortby")),
        "limit": limit_of(given.get("limit"), 10),
        "token": given.get("token") or None,
    }


def names_of(given: str | Sequence[str] | None, parameter: str) -> tuple[str, ...]:
    """Ids from a comma separated text or a list, in order, each once. Raises Invalid for an empty one."""
    if given is None or given == "":
        return ()
    names = given.split(",") if isinstance(given, str) else given
    if not all(name.strip() for name in names):
        raise Invalid(f"There is an empty name in {parameter}: separate names by single commas.", parameter=parameter)
    return tuple(dict.fromkeys(name.strip() for name in names))


def limit_of(given: int | None, default: int) -> int:
    """Items a page: too many are cut to the most there may be, as the specification allows."""
    return default if given is None else min(given, MOST)


def _bbox(given: str | Sequence[float] | None) -> Extent | None:
    if not given:
        return None
    try:
        numbers = [float(number) for number in (given.split(",") if isinstance(given, str) else given)]
    except ValueError:
        raise Invalid(
            f"{given!r:.80} is no box: write west,south,east,north in degrees, without brackets.", parameter="bbox"
        ) from None
    if len(numbers) not in {4, 6}:
        raise Invalid(f"A box has 4 numbers, or 6 with heights, not {len(numbers)}.", parameter="bbox")
    if len(numbers) == 4:
        return Extent.of(*numbers)
    west, south, low, east, north, high = numbers
    if not low <= high:
        raise Invalid(f"The lower height of a box comes first: not {low:g} before {high:g}.", parameter="bbox")
    return Extent.of(west, south, east, north)


def _interval(given: str | None) -> Interval | None:
    """RFC 3339 only, as the specification wants: a bare date is refused with the interval that it stands for."""
    if given is None:
        return None
    ends = given.split("/")
    if len(ends) > 2 or all(end in {"", ".."} for end in ends):
        raise Invalid(
            f"{given!r:.80} is no time: write one instant or start/end, one end may be '..'.", parameter="datetime"
        )
    for end in ends:
        if end not in {"", ".."} and not _RFC3339.fullmatch(end):
            raise Invalid(
                f"{end!r:.60} is no RFC 3339 time: write it in full with its zone, as 2024-07-01T12:00:00Z; a day is "
                "2024-07-01T00:00:00Z/2024-07-01T23:59:59Z.",
                parameter="datetime",
            )
    made = parse_interval(given.upper())
    for instant in (made.start, made.end):
        if instant is not None:
            instant.as_datetime()
    return made


def _intersects(given: str | Document | None) -> Document | None:
    if not given:
        return None
    document = json_of(given, "intersects") if isinstance(given, str) else given
    return geometry_of(document, "intersects")


def json_of(text: str, parameter: str) -> Any:
    """Parsed JSON. Raises Invalid."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"This is no JSON: {error}.", parameter=parameter) from None


def geometry_of(document: Any, parameter: str) -> Document:
    """A checked GeoJSON geometry: known type, finite numbers in range, closed rings, no self-crossing."""
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "Feature":
        raise Invalid("A geometry is wanted, not a Feature: send the feature's geometry.", parameter=parameter)
    if kind == "GeometryCollection":
        members = document.get("geometries")
        if not isinstance(members, list) or not members:
            raise Invalid("A GeometryCollection needs a list of geometries.", parameter=parameter)
        if any(isinstance(member, dict) and member.get("type") == "GeometryCollection" for member in members):
            raise Invalid("A GeometryCollection may not hold another one.", parameter=parameter)
        return {"type": kind, "geometries": [geometry_of(member, parameter) for member in members]}
    if not isinstance(kind, str) or kind not in _GEOMETRIES:
        raise Invalid(
            f"{kind!r:.40} is no type of geometry. {nearest_names(str(kind), (*_GEOMETRIES, 'GeometryCollection'))}",
            parameter=parameter,
        )
    coordinates = document.get("coordinates")
    _check_positions(coordinates, _GEOMETRIES[kind], kind, parameter)
    _check_rings(coordinates, kind, parameter)
    return _check_shape({"type": kind, "coordinates": coordinates}, parameter)


def _check_positions(value: Any, depth: int, kind: str, parameter: str) -> None:
    if not isinstance(value, list) or not value:
        raise Invalid(f"The coordinates of this {kind} are not nested as GeoJSON says, or empty.", parameter=parameter)
    if depth:
        for inner in value:
            _check_positions(inner, depth - 1, kind, parameter)
        return
    if len(value) < 2 or not all(
        isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number) for number in value
    ):
        raise Invalid(f"A position is longitude and latitude, not {value!r:.60}.", parameter=parameter)
    if not (-360 <= value[0] <= 360 and -90 <= value[1] <= 90):
        raise Invalid(
            f"The position {value[:2]} lies outside longitude -180..180 and latitude -90..90; longitude comes first.",
            parameter=parameter,
        )


def _check_rings(coordinates: Any, kind: str, parameter: str) -> None:
    polygons = {"Polygon": [coordinates], "MultiPolygon": coordinates}.get(kind, [])
    for ring in (ring for polygon in polygons for ring in polygon):
        if len(ring) < 4 or ring[0] != ring[-1]:
            raise Invalid(
                "A ring of a polygon has at least four positions, and its last is its first.", parameter=parameter
            )
    lines = {"LineString": [coordinates], "MultiLineString": coordinates}.get(kind, [])
    if any(len(line) < 2 for line in lines):
        raise Invalid("A line has at least two positions.", parameter=parameter)


def _check_shape(geometry: Document, parameter: str) -> Document:
    try:
        made = shape(geometry)
    except (shapely.errors.ShapelyError, ValueError, TypeError) as error:
        raise Invalid(f"This is no geometry: {error}.", parameter=parameter) from None
    if not made.is_valid:
        raise Invalid(f"The geometry is not valid: {explain_validity(made)}.", parameter=parameter)
    return geometry


def _filter(given: Given) -> Document | None:
    """`filter` and `query` together, as one CQL2 JSON expression."""
    crs = given.get("filter_crs")
    if crs and crs not in _CRS84:
        raise Invalid(f"Only {_CRS84[0]} is known here, not {crs!r:.80}.", parameter="filter-crs")
    parts = [part for part in (_filter_expression(given), _query(given.get("query"))) if part is not None]
    return {"op": "and", "args": parts} if len(parts) > 1 else next(iter(parts), None)


def _filter_expression(given: Given) -> Document | None:
    expression, language = given.get("filter_expr"), given.get("filter_lang")
    if expression is None or expression == "":
        return None
    if isinstance(expression, str) and language != "cql2-json":
        return filter_from_text(expression, geometry_of)
    if language == "cql2-text":
        raise Invalid("With filter-lang cql2-text, filter is a text.", parameter="filter")
    document = json_of(expression, "filter") if isinstance(expression, str) else expression
    return filter_from_json(document, geometry_of)


def _query(given: str | Document | None) -> Document | None:
    if not given:
        return None
    return condition_of(json_of(given, "query") if isinstance(given, str) else given)


def _text(given: str | Sequence[str] | None) -> tuple[str, ...]:
    terms = given.split(",") if isinstance(given, str) else given or ()
    return tuple(term.strip() for term in terms if term.strip())


def _sortby(given: str | Sequence[Mapping[str, str]] | None) -> tuple[SortKey, ...]:
    if not given:
        return ()
    if isinstance(given, str):
        return tuple(_sort_key(text) for text in given.split(","))
    return tuple(SortKey(_property(key["field"]), key["direction"] == "desc") for key in given)


def _sort_key(text: str) -> SortKey:
    text = text.strip()  # an unescaped + arrives as a space
    name = _property(text.lstrip("+-")) if text[:1] in {"+", "-"} else _property(text)
    return SortKey(name, text.startswith("-"))


def _property(name: str) -> str:
    name = name.strip().removeprefix("properties.")
    if not name:
        raise Invalid("A sort key is empty: write names of properties, as -datetime,id.", parameter="sortby")
    return name
