"""Ways through space, height and time, as people give them: WKT, GeoJSON, shapely, or rows of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.errors import Invalid
from terrella.model.extraction import Corridor, Trajectory
from terrella.model.space import LonLat
from terrella.model.time import Instant, from_datetime, parse_instant

if TYPE_CHECKING:
    from terrella.model.extraction import Shape

FORM = (
    "give a line as WKT (LINESTRING, with Z for heights and M for seconds since 1970), as GeoJSON, or as rows of "
    "longitude, latitude, height and time, the last two where there are any"
)
_KINDS = ("LineString", "MultiLineString")
_UNIX = np.datetime64(0, "s")


def line(name: str, value: Any) -> Shape:
    """A `trajectory`; or a `corridor` of (line, width in metres) or (line, width, height in units of the levels).

    Raises Invalid.
    """
    if name == "trajectory":
        return trajectory(value, name)
    try:
        way, width, height = (*value, None) if len(value) == 2 else value
        width, height = float(width), None if height is None else float(height)
    except (TypeError, ValueError) as error:
        raise Invalid("A corridor is (line, width in metres), or (line, width, height).", parameter=name) from error
    path = trajectory(way, name)
    if height is not None and not path.heights:
        raise Invalid("A corridor's height needs a line with heights: LINESTRING Z (...).", parameter=name)
    if not 0 < width < np.inf or (height is not None and not 0 < height < np.inf):
        raise Invalid("Width and height of a corridor are finite numbers above 0.", parameter=name)
    return Corridor(path, width, height)


def trajectory(value: Any, name: str) -> Trajectory:
    """Vertices in order; those of several lines one after the other. Raises Invalid."""
    if isinstance(value, Trajectory):
        return value
    rows = _rows(value, name)
    lengths = {len(row) for row in rows}
    if len(rows) < 2 or len(lengths) != 1 or not lengths <= {2, 3, 4}:
        raise Invalid(f"A line has two vertices or more, all with as many numbers: {FORM}.", parameter=name)
    try:
        places = tuple(LonLat(float(row[0]), float(row[1])) for row in rows)
        heights = tuple(float(row[2]) for row in rows if len(row) > 2 and row[2] is not None)
    except (TypeError, ValueError) as error:
        raise Invalid(f"This is no line: {FORM}.", parameter=name) from error
    if not np.isfinite([*map(tuple, places)]).all() or not np.isfinite(heights).all():
        raise Invalid("A line's coordinates and heights are finite numbers.", parameter=name)
    if len(heights) not in (0, len(rows)):
        raise Invalid("Each vertex of a line has a height, or none has.", parameter=name)
    return Trajectory(places, heights, tuple(_instant(row[3], name) for row in rows if len(row) == 4))


def _rows(value: Any, name: str) -> list[tuple[Any, ...]]:
    """(lon, lat), (lon, lat, height) or (lon, lat, height or None, time) of each vertex."""
    if isinstance(value, str):
        value = _parsed(value, name)
    if hasattr(value, "geom_type"):
        return _of_shapely(value, name)
    if hasattr(value, "__geo_interface__"):
        value = value.__geo_interface__
    if isinstance(value, Mapping):
        return _of_geojson(value, name)
    try:
        return [tuple(row) for row in value]
    except TypeError as error:
        raise Invalid(f"This is no line: {FORM}.", parameter=name) from error


def _parsed(text: str, name: str) -> Any:
    if text.lstrip().startswith("{"):
        import json

        try:
            return json.loads(text)
        except ValueError as error:
            raise Invalid(f"The line is no JSON: {error}.", parameter=name) from error
    from shapely import from_wkt
    from shapely.errors import GEOSException

    try:
        return from_wkt(text)
    except (GEOSException, NotImplementedError) as error:  # also of arcs
        said = str(error).splitlines()[0]
        raise Invalid(f"The line is neither GeoJSON nor WKT: {said}.", parameter=name) from error


def _of_shapely(geometry: Any, name: str) -> list[tuple[Any, ...]]:
    import shapely

    if geometry.geom_type not in _KINDS or geometry.is_empty:
        raise Invalid(f"A line is no {geometry.geom_type}: {FORM}.", parameter=name)
    has_z, has_m = bool(geometry.has_z), bool(geometry.has_m)
    rows = shapely.get_coordinates(geometry, include_z=has_z, include_m=has_m).tolist()
    return [(*row[:2], None, row[2]) if has_m and not has_z else tuple(row) for row in rows]


def _of_geojson(document: Mapping[str, Any], name: str) -> list[tuple[Any, ...]]:
    if document.get("type") == "FeatureCollection" and len(document.get("features", ())) == 1:
        document = document["features"][0]
    if document.get("type") == "Feature":
        document = document.get("geometry") or {}
    try:
        lines = {"LineString": lambda rows: [rows], "MultiLineString": list}[document["type"]](document["coordinates"])
        return [tuple(row) for one in lines for row in one]
    except (KeyError, TypeError, AttributeError) as error:
        raise Invalid(f"A line is a GeoJSON LineString or MultiLineString: {FORM}.", parameter=name) from error


def _instant(value: Any, name: str) -> Instant:
    """Of text, a date of Python or numpy, or seconds since 1970."""
    if isinstance(value, Instant):
        return value
    if isinstance(value, str):
        return parse_instant(value, parameter=name)
    if isinstance(value, np.datetime64):
        value = (value - _UNIX) / np.timedelta64(1, "s")
    try:
        at = value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC)
        return from_datetime(at)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise Invalid(f"{value!r:.60} is no time of a vertex: {FORM}.", parameter=name) from error
