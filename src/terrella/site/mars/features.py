"""The `feature` of a Polytope request: where in space, and which axis it runs along.

The types and keys are polytope-mars's; latitude comes first there. Beyond them, a polygon may be given as `geojson` or
`wkt` (with holes), a circle as `radius_km`. Distances in degrees are degrees of a great circle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid, TooLarge, Unsupported, nearest_names
from terrella.model.extraction import Area, Box, Circle, Corridor, Frame, Points, Trajectory
from terrella.model.space import EARTH_RADIUS_M, Extent, LonLat

if TYPE_CHECKING:
    from terrella.model.extraction import Shape

METRES_PER_DEGREE = EARTH_RADIUS_M * math.pi / 180
"""Along a great circle."""

MOST_VERTICES = 100_000
_TIME_AXES = ("step", "date", "month", "year", "hdate")
_LAT, _LON = frozenset({"latitude", "lat"}), frozenset({"longitude", "lon"})


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature understood: `domain` is the CoverageJSON domain type that its answers have.

    `words` are MARS keys that it adds to the request; `needs` is the axis that must be said, there or here. For a
    trajectory that climbs or takes time, `path` are its vertices' further coordinates by key, `spread` how far a cell
    may be from each.
    """

    type: str
    domain: str
    shape: Shape
    words: dict[str, Any] = field(default_factory=dict)
    needs: str | None = None
    path: dict[str, tuple[float, ...]] = field(default_factory=dict)
    spread: dict[str, float] = field(default_factory=dict)
    middle: float = 0.0
    """Longitude around which answers are told, so that they come back as they were asked for."""


def parse_feature(given: object) -> Feature:
    """Raises Invalid naming the key at fault; Unsupported for a shapefile."""
    if not isinstance(given, Mapping) or not isinstance(given.get("type"), str):
        raise Invalid("feature is an object with a type, such as {type: timeseries, points: [[52.5, 13.4]]}.")
    name = given["type"].strip().lower()
    if name == "shapefile":
        raise Unsupported("A shapefile lies on your machine: send its shape as a polygon, or as geojson.")
    if name not in _MAKERS:
        raise Invalid(f"There is no feature type {name!r:.40}. {nearest_names(name, _MAKERS)}", parameter="type")
    maker, keys = _MAKERS[name]
    for key in given:
        if key not in {"type", *keys}:
            raise Invalid(
                f"A {name} has no {str(key)!r:.40}. {nearest_names(str(key)[:40], keys)}", parameter=str(key)[:40]
            )
    return replace(maker(given), middle=_middle(given))


def _middle(given: Mapping[str, Any]) -> float:
    """Half way between the outermost longitudes asked for."""
    if "wkt" in given or "geojson" in given:
        import shapely

        area = _from_wkt(given["wkt"]) if "wkt" in given else given["geojson"]
        try:
            west, _, east, _ = shapely.geometry.shape(area).bounds
        except (AttributeError, KeyError, TypeError, ValueError, shapely.GEOSException):
            return 0.0  # the cutting of it says what is wrong
        return float(west + east) / 2
    key = next(key for key in ("points", "shape", "center", "outer_box") if key in given)
    axes = given.get("axes")
    names = axes if _is_list(axes) else ("latitude", "longitude")
    column = next((index for index, name in enumerate(names) if str(name).strip().lower() in _LON), 1)  # type: ignore[arg-type]
    lons = list(_numbers_at(given[key], column))
    return (min(lons) + max(lons)) / 2


def _numbers_at(rows: Any, column: int) -> Iterator[float]:
    for row in rows:
        if _is_list(row[0]):
            yield from _numbers_at(row, column)
        else:
            yield float(row[column])


# --- places ---------------------------------------------------------------------------------------------------------


def _rows(given: object, key: str, sizes: range, most: int = MOST_VERTICES) -> list[list[float]]:
    """A list of points, each a list of numbers. Raises Invalid, TooLarge."""
    if not _is_list(given) or not given:
        raise Invalid(f"{key} is a list of points, such as [[52.5, 13.4]].", parameter=key)
    assert isinstance(given, Sequence)
    if len(given) > most:
        raise TooLarge(f"{key} has {len(given):,} points; at most {most:,} are taken.", parameter=key)
    return [_row(one, key, sizes) for one in given]


def _row(one: object, key: str, sizes: range) -> list[float]:
    if not _is_list(one) or len(one) not in sizes:  # type: ignore[arg-type]
        counts = f"{sizes.start}" if len(sizes) == 1 else f"{sizes.start} to {sizes.stop - 1}"
        raise Invalid(f"{key}: each point is {counts} numbers, latitude first, not {one!r:.60}.", parameter=key)
    assert isinstance(one, Sequence)
    return [_number(value, key) for value in one]


def _number(value: object, key: str) -> float:
    try:
        number = float(value) if not isinstance(value, bool) else math.nan  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise Invalid(f"{key}: {value!r:.40} is no number.", parameter=key)
    return number


def _is_list(given: object) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, str | bytes)


def _place(row: Sequence[float], axes: Sequence[str], key: str) -> LonLat:
    """Raises Invalid for a latitude beyond the poles or a longitude out of sight."""
    lat, lon = row[_position(axes, _LAT)], row[_position(axes, _LON)]
    if not -90 <= lat <= 90:
        raise Invalid(f"{key}: there is no latitude {lat:g}; a point is [latitude, longitude].", parameter=key)
    if not -360 <= lon <= 540:
        raise Invalid(f"{key}: there is no longitude {lon:g}.", parameter=key)
    return LonLat(lon, lat)


def _position(axes: Sequence[str], names: frozenset[str]) -> int:
    return next(index for index, axis in enumerate(axes) if axis in names)


def _axes(given: Mapping[str, Any], key: str, usual: Sequence[str], others: Sequence[str] = ()) -> list[str]:
    """Names of the numbers of a point: both horizontal ones, and perhaps others."""
    said = given.get("axes", usual)
    names = [said] if isinstance(said, str) else said
    if not _is_list(names) or not all(isinstance(name, str) for name in names):
        raise Invalid("axes is a list of names, such as [latitude, longitude].", parameter="axes")
    axes = [name.strip().lower() for name in names]
    known = [*_LAT, *_LON, *others]
    for name in axes:
        if name not in known:
            raise Invalid(
                f"axes: {name!r:.40} is no axis of this feature. {nearest_names(name, known)}", parameter="axes"
            )
    if sum(name in _LAT for name in axes) != 1 or sum(name in _LON for name in axes) != 1:
        raise Invalid(f"axes must name latitude and longitude, once each, for {key}.", parameter="axes")
    return axes


def _range(given: Mapping[str, Any]) -> str | None:
    """`range` in the words of MARS: both ends included."""
    said = given.get("range")
    if said is None:
        return None
    if not isinstance(said, Mapping) or not {"start", "end"} <= set(said) or set(said) - {"start", "end", "interval"}:
        raise Invalid("range is {start: , end: , interval: }.", parameter="range")
    text = f"{said['start']}/to/{said['end']}"
    return text if said.get("interval") is None else f"{text}/by/{said['interval']}"


def _along(given: Mapping[str, Any], axis: str) -> dict[str, Any]:
    text = _range(given)
    return {} if text is None else {axis: text}


# --- types ----------------------------------------------------------------------------------------------------------


def _timeseries(given: Mapping[str, Any]) -> Feature:
    axis, said = given.get("time_axis"), given.get("axes")
    # once, `axes` named the time axis here
    if axis is None and isinstance(said, str):
        axis, said = said, None
    elif axis is None and _is_list(said) and len(said) == 1:  # type: ignore[arg-type]
        axis, said = said[0], None  # type: ignore[index]
    if axis not in _TIME_AXES:
        raise Invalid(f"A timeseries needs a time_axis: one of {', '.join(_TIME_AXES)}.", parameter="time_axis")
    return Feature("timeseries", "PointSeries", _points(given, said), _along(given, axis), axis)


def _points(given: Mapping[str, Any], axes: object) -> Points:
    names = _axes({} if axes is None else {"axes": axes}, "points", ("latitude", "longitude"))
    rows = _rows(given.get("points"), "points", range(2, 3))
    return Points(tuple(_place(row, names, "points") for row in rows))


def _verticalprofile(given: Mapping[str, Any]) -> Feature:
    said = given.get("axes", "levelist")
    if said not in ("levelist", ["levelist"]):
        raise Invalid("A verticalprofile runs along levelist: leave axes out.", parameter="axes")
    return Feature("verticalprofile", "VerticalProfile", _points(given, None), _along(given, "levelist"), "levelist")


def _position_feature(given: Mapping[str, Any]) -> Feature:
    return Feature("position", "PointSeries", _points(given, given.get("axes")))


def _boundingbox(given: Mapping[str, Any]) -> Feature:
    rows = _rows(given.get("points"), "points", range(2, 4))
    usual = ("latitude", "longitude", "levelist")[: len(rows[0])]
    axes = _axes(given, "points", usual, ("levelist",))
    if len(rows) != 2 or any(len(row) != len(axes) for row in rows):
        raise Invalid("A boundingbox has two opposite corners, each with a number for every axis.", parameter="points")
    words: dict[str, Any] = {}
    if "levelist" in axes:
        low, high = sorted(row[axes.index("levelist")] for row in rows)
        words["levelist"] = f"{low:g}/to/{high:g}"
    return Feature("boundingbox", "MultiPoint", Box(_extent(rows, axes, "points")), words)


def _extent(rows: Sequence[Sequence[float]], axes: Sequence[str], key: str) -> Extent:
    """Between two corners, whichever they are: 350 to 370 is a box across the Greenwich meridian, as is -10 to 10."""
    places = [_place(row, axes, key) for row in rows]
    west, east = sorted(place.lon for place in places)
    south, north = sorted(place.lat for place in places)
    turns = 360.0 * math.floor((west + 180.0) / 360.0)
    east -= turns
    return Extent.of(west - turns, south, east - 360.0 if east > 360.0 else east, north, parameter=key)


def _polygon(given: Mapping[str, Any]) -> Feature:
    ways = [key for key in ("shape", "geojson", "wkt") if key in given]
    if len(ways) != 1:
        raise Invalid("A polygon has one of shape, geojson and wkt.", parameter="shape")
    if ways[0] == "wkt":
        return Feature("polygon", "MultiPoint", Area(_from_wkt(given["wkt"])))
    if ways[0] == "geojson":
        if not isinstance(given["geojson"], Mapping):
            raise Invalid("geojson is a GeoJSON Polygon or MultiPolygon.", parameter="geojson")
        return Feature("polygon", "MultiPoint", Area(dict(given["geojson"])))
    return Feature("polygon", "MultiPoint", Area(_from_rings(given)))


def _from_rings(given: Mapping[str, Any]) -> dict[str, Any]:
    """One ring, or several that are all meant: [[lat, lon], ...]."""
    shape = given["shape"]
    axes = _axes(given, "shape", ("latitude", "longitude"))
    nested = _is_list(shape) and shape and _is_list(shape[0]) and shape[0] and _is_list(shape[0][0])
    polygons = [_ring(ring, axes) for ring in (shape if nested else [shape])]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": [polygons[0]]}
    return {"type": "MultiPolygon", "coordinates": [[ring] for ring in polygons]}


def _ring(ring: object, axes: Sequence[str]) -> list[list[float]]:
    places = [_place(row, axes, "shape") for row in _rows(ring, "shape", range(2, 3))]
    if len({(place.lon, place.lat) for place in places}) < 3:
        raise Invalid("A polygon has at least three different points.", parameter="shape")
    closed = places if places[0] == places[-1] else [*places, places[0]]
    return [[place.lon, place.lat] for place in closed]


def _from_wkt(text: object) -> dict[str, Any]:
    import shapely

    try:
        shape = shapely.from_wkt(str(text)[:2_000_000])
    except shapely.GEOSException as error:
        raise Invalid(f"wkt: {str(error)[:120]}.", parameter="wkt") from None
    made: dict[str, Any] = shape.__geo_interface__
    return made


def _circle(given: Mapping[str, Any]) -> Feature:
    axes = _axes(given, "center", ("latitude", "longitude"))
    rows = _rows(given.get("center"), "center", range(2, 3))
    if len(rows) != 1:
        raise Invalid("A circle has one center: [[latitude, longitude]].", parameter="center")
    if ("radius" in given) == ("radius_km" in given):
        raise Invalid("A circle has a radius (degrees of a great circle) or a radius_km.", parameter="radius")
    key = "radius" if "radius" in given else "radius_km"
    radius = _number(given[key], key) * (METRES_PER_DEGREE if key == "radius" else 1000.0)
    if radius <= 0:
        raise Invalid(f"{key} must be more than 0.", parameter=key)
    return Feature("circle", "MultiPoint", Circle(_place(rows[0], axes, "center"), radius))


def _frame(given: Mapping[str, Any]) -> Feature:
    axes = _axes(given, "outer_box", ("latitude", "longitude"))
    boxes = []
    for key in ("outer_box", "inner_box"):
        rows = _rows(given.get(key), key, range(2, 3))
        if len(rows) != 2:
            raise Invalid(f"{key} has two opposite corners.", parameter=key)
        boxes.append(_extent(rows, axes, key))
    return Feature("frame", "MultiPoint", Frame(*boxes))


def _trajectory(given: Mapping[str, Any]) -> Feature:
    rows = _rows(given.get("points"), "points", range(2, 5))
    usual = ("latitude", "longitude", "levelist", "step")[: len(rows[0])]
    axes = _axes(given, "points", usual, ("levelist", "step"))
    if len(rows) < 2 or any(len(row) != len(axes) for row in rows):
        raise Invalid("A trajectory has two or more points, each with a number for every axis.", parameter="points")
    if str(given.get("inflate", "round")) not in ("round", "box"):
        raise Invalid("inflate is round or box.", parameter="inflate")
    inflation = _inflation(given.get("inflation"), axes)
    degrees = max(inflation[_position(axes, _LAT)], inflation[_position(axes, _LON)])
    further: dict[str, tuple[float, ...]] = {
        name: tuple(row[axes.index(name)] for row in rows) for name in ("levelist", "step") if name in axes
    }
    spread = {name: inflation[axes.index(name)] for name in further}
    words = {name: _covering(values, spread[name]) for name, values in further.items()}
    path = Trajectory(tuple(_place(row, axes, "points") for row in rows))
    corridor = Corridor(path, 2 * degrees * METRES_PER_DEGREE)
    return Feature("trajectory", "Trajectory", corridor, words, None, further, spread)


def _inflation(given: object, axes: Sequence[str]) -> list[float]:
    """How far from the line a cell may be: one number for all axes, or one for each."""
    values = list(given) if isinstance(given, list | tuple) else [given] * len(axes)
    if len(values) != len(axes):
        raise Invalid(f"inflation is one number, or one for each of {', '.join(axes)}.", parameter="inflation")
    numbers = [_number(value, "inflation") for value in values]
    if min(numbers) < 0 or max(numbers[: len(axes)]) <= 0:
        raise Invalid("inflation must be more than 0.", parameter="inflation")
    return numbers


def _covering(values: Sequence[float], spread: float) -> str:
    return f"{max(min(values) - spread, 0):g}/to/{max(values) + spread:g}"


_MAKERS: dict[str, tuple[Callable[[Mapping[str, Any]], Feature], tuple[str, ...]]] = {
    "timeseries": (_timeseries, ("points", "time_axis", "range", "axes")),
    "verticalprofile": (_verticalprofile, ("points", "range", "axes")),
    "position": (_position_feature, ("points", "axes")),
    "boundingbox": (_boundingbox, ("points", "axes")),
    "polygon": (_polygon, ("shape", "geojson", "wkt", "axes")),
    "circle": (_circle, ("center", "radius", "radius_km", "axes")),
    "frame": (_frame, ("outer_box", "inner_box", "axes")),
    "trajectory": (_trajectory, ("points", "inflation", "inflate", "axes")),
}
