"""From the `coords` and `bbox` of a request to checked shapes in longitude and latitude."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import shapely
import shapely.geometry
from shapely.errors import GEOSException, ShapelyError

from terrella.api.edr.query import number
from terrella.errors import Invalid, TooLarge
from terrella.model.space import Extent, LonLat

if TYPE_CHECKING:
    from terrella.api.edr.crs import InputCrs

MOST_TEXT = 1_000_000
"""Characters of WKT that are read at all."""
MOST_VERTICES = 20_000

EXAMPLES = {
    "POINT": "POINT(13.4 52.5)",
    "MULTIPOINT": "MULTIPOINT((13.4 52.5),(2.35 48.86))",
    "POLYGON": "POLYGON((5 45,10 45,10 48,5 48,5 45))",
    "MULTIPOLYGON": "MULTIPOLYGON(((5 45,10 45,10 48,5 45)))",
    "LINESTRING": "LINESTRING(10 50,12 51,14 52)",
    "MULTILINESTRING": "MULTILINESTRING((10 50,12 51),(14 52,15 53))",
}
_GEOJSON = {
    kind.upper(): kind for kind in ("Point", "MultiPoint", "Polygon", "MultiPolygon", "LineString", "MultiLineString")
}
_HEAD = re.compile(
    r"\s*(?:SRID=[0-9]+;)?\s*(?P<kind>[A-Za-z]+?)\s*(?P<dims>ZM|Z|M)?\s*(?P<body>\(|EMPTY)", re.IGNORECASE
)
_AT = re.compile(r"(?P<what>[\w ,-]+)\[(?P<x>\S+) (?P<y>\S+)\]")


def parse_wkt(text: str, allowed: tuple[str, ...], crs: InputCrs, parameter: str = "coords") -> Any:
    """A shapely geometry in longitude and latitude, of one of the allowed types, valid and finite; of GeoJSON too.

    Raises TooLarge before parsing what is too long, Invalid with what is wrong and where.
    """
    if len(text) > MOST_TEXT:
        raise TooLarge(
            f"{parameter} has {len(text):,} characters; at most {MOST_TEXT:,} are read. Simplify the geometry.",
            parameter=parameter,
            details={"estimate": len(text), "limit": MOST_TEXT},
        )
    if text.startswith("{"):
        geometry = _parsed_geojson(text, allowed, parameter)
    else:
        _check_kind(text, allowed, parameter)
        geometry = _parsed(text, allowed[0], parameter)
    if geometry.is_empty:
        raise Invalid(f"{parameter} is empty: {text[:60]!r}.", parameter=parameter)
    count = int(shapely.get_num_coordinates(geometry))
    if count > MOST_VERTICES:
        raise TooLarge(
            f"{parameter} has {count:,} vertices; at most {MOST_VERTICES:,} are read. Simplify the geometry.",
            parameter=parameter,
            details={"estimate": count, "limit": MOST_VERTICES},
        )
    return _checked(_in_lonlat(geometry, crs, parameter), parameter)


def _check_kind(text: str, allowed: tuple[str, ...], parameter: str) -> None:
    found = _HEAD.match(text) if "\x00" not in text else None  # the parser would stop reading there
    kind = found["kind"].upper() if found else ""
    if kind not in allowed:
        said = f"{kind} does not fit here" if kind in EXAMPLES else f"{text[:40]!r} is no WKT of a shape that fits here"
        wanted = " or ".join(allowed)
        raise Invalid(f"{said}: give a {wanted}, such as {EXAMPLES[allowed[0]]}.", parameter=parameter)


def _parsed(text: str, kind: str, parameter: str) -> Any:
    try:
        with warnings.catch_warnings(category=RuntimeWarning, action="ignore"):
            return shapely.from_wkt(text)
    except GEOSException as error:
        reason = str(error).strip().split("Exception: ", 1)[-1].rstrip(".")
    except (ValueError, TypeError, UnicodeError) as error:
        reason = str(error).splitlines()[0]
    if "closed linestring" in reason:
        reason = "a ring does not end where it began: repeat its first vertex at its end"
    elif "point array must contain" in reason:
        reason = "a line has two vertices or more, a ring four"
    raise Invalid(f"{parameter} is no WKT: {reason[:200]}. Example: {EXAMPLES[kind]}.", parameter=parameter)


def _parsed_geojson(text: str, allowed: tuple[str, ...], parameter: str) -> Any:
    """A GeoJSON geometry, or the one of a Feature. Raises Invalid."""
    try:
        found = orjson.loads(text)
        found = found.get("geometry") if found.get("type") == "Feature" else found
        kind = str(found.get("type")) if isinstance(found, dict) else type(found).__name__
        if kind.upper() not in allowed:
            wanted = " or ".join(_GEOJSON[name] for name in allowed)
            raise Invalid(f"{kind[:40]!r} does not fit here: give a GeoJSON {wanted}.", parameter=parameter)
        return shapely.geometry.shape(found)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, ShapelyError) as error:
        raise Invalid(
            f"{parameter} is no GeoJSON geometry: {str(error)[:160]}. WKT fits too: {EXAMPLES[allowed[0]]}.",
            parameter=parameter,
        ) from None


def _in_lonlat(geometry: Any, crs: InputCrs, parameter: str) -> Any:
    if crs.is_lonlat:
        return geometry
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        raise Invalid(f"{parameter} has a coordinate that is no finite number.", parameter=parameter)
    if geometry.has_m:
        raise Invalid("A line with times (M) is given in CRS84.", parameter="crs")
    has_z = bool(geometry.has_z)

    def moved(places: np.ndarray) -> np.ndarray:
        return np.column_stack([crs.to_lonlat(places[:, :2], parameter), places[:, 2:]])

    return shapely.transform(geometry, moved, include_z=has_z)


def _checked(geometry: Any, parameter: str) -> Any:
    places = shapely.get_coordinates(geometry)
    if not np.isfinite(places).all():
        raise Invalid(f"{parameter} has a coordinate that is no finite number.", parameter=parameter)
    check_lonlat(places, parameter)
    if not shapely.is_valid(geometry):
        raise Invalid(f"{parameter}: {_fault(geometry)}", parameter=parameter, details=_place_of_fault(geometry))
    return geometry


def check_lonlat(places: np.ndarray, parameter: str) -> None:
    """Raises Invalid for latitudes beyond the poles and longitudes beyond -360..360."""
    for name, column, limit in (("latitude", 1, 90.0), ("longitude", 0, 360.0)):
        wrong = np.flatnonzero(np.abs(places[:, column]) > limit)
        if wrong.size:
            raise Invalid(
                f"{parameter}: {places[wrong[0], column]:g} is no {name}: that lies in -{limit:g}..{limit:g}. "
                "In CRS84 the longitude comes first.",
                parameter=parameter,
            )


def _fault(geometry: Any) -> str:
    reason = str(shapely.is_valid_reason(geometry))
    found = _AT.match(reason)
    if not found:
        return f"the shape is not valid ({reason})."
    what = {"Self-intersection": "its outline crosses itself", "Ring Self-intersection": "a ring touches itself"}
    said = what.get(found["what"].strip(), f"the shape is not valid ({found['what'].strip().lower()})")
    return f"{said} at longitude {float(found['x']):g}, latitude {float(found['y']):g}. Split it there."


def _place_of_fault(geometry: Any) -> dict[str, Any]:
    found = _AT.match(str(shapely.is_valid_reason(geometry)))
    return {"longitude": float(found["x"]), "latitude": float(found["y"])} if found else {}


def parse_bbox(text: str, crs: InputCrs) -> tuple[Extent, tuple[float, float] | None, bool]:
    """Box, range of heights (with six numbers), and whether its longitudes go beyond 180. Raises Invalid.

    West may be greater than east: the box then crosses the antimeridian.
    """
    parts = text.split(",")
    if len(parts) not in {4, 6}:
        raise Invalid(f"bbox has 4 numbers (west,south,east,north) or 6, not {len(parts)}.", parameter="bbox")
    numbers = [number(part, "bbox") for part in parts]
    heights = None
    if len(numbers) == 6:
        heights = numbers[2], numbers[5]
        numbers = [*numbers[:2], *numbers[3:5]]
        if heights[0] > heights[1]:
            raise Invalid(
                "The heights of the bbox are reversed: the lower comes third, the upper last.", parameter="bbox"
            )
    west, south, east, north = numbers if crs.is_lonlat else _turned(numbers, crs)
    beyond = max(west, east) > 180
    return Extent.of(west, south, east, north), heights, beyond


def _turned(numbers: list[float], crs: InputCrs) -> list[float]:
    """The box around a box given in another system, its edges followed in 20 steps."""
    first, second, third, fourth = numbers
    if crs.name == "EPSG:4326":
        return [second, first, fourth, third]
    if first > third or second > fourth:
        raise Invalid(f"A bbox in {crs.name} has its lower corner first.", parameter="bbox")
    steps = np.linspace(0, 1, 21)
    x, y = first + (third - first) * steps, second + (fourth - second) * steps
    edges = [(x, np.full(21, second)), (x, np.full(21, fourth)), (np.full(21, first), y), (np.full(21, third), y)]
    places = crs.to_lonlat(np.concatenate([np.column_stack(edge) for edge in edges]), "bbox")
    (west, south), (east, north) = places.min(axis=0).tolist(), places.max(axis=0).tolist()
    return [west, south, east, north]


def lonlats(geometry: Any) -> tuple[LonLat, ...]:
    """All vertices, in order."""
    return tuple(LonLat(lon, lat) for lon, lat in shapely.get_coordinates(geometry).tolist())


def goes_beyond_180(geometry: Any) -> bool:
    """Whether someone thinks in longitudes from 0 to 360."""
    return bool(geometry.bounds[2] > 180)
