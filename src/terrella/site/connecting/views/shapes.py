"""The shape of a view, once parsed, in the words of Python, of EDR and of the shell."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson
import shapely
import shapely.geometry

from terrella.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_VERTICES = 20_000


class Asked(StrEnum):
    """Kinds of shape."""

    POINT = "point"
    POINTS = "points"
    LINE = "line"
    BOX = "box"
    AREA = "area"
    REGION = "region"
    CIRCLE = "circle"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Shaped:
    """A shape in three tongues: Python's (`words`), EDR's (`query` and its `edr` parameters), the shell's options."""

    kind: Asked
    words: dict[str, Any] = field(default_factory=dict)
    query: str = ""
    edr: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    wkt: str = ""
    geometry: dict[str, Any] = field(default_factory=dict)
    """GeoJSON, of areas only."""

    @property
    def is_of_cells(self) -> bool:
        """Whether it takes the cells in it, instead of those that are nearest to places."""
        return self.kind not in (Asked.POINT, Asked.POINTS, Asked.LINE)


def shaped(given: Mapping[str, Any]) -> Shaped:
    """From one of `shape` (GeoJSON, Box, Region or Circle), `coords`, `bbox`, `region`, `circle`. Raises Invalid."""
    said = {name: value for name, value in given.items() if value is not None}
    if len(said) > 1:
        raise Invalid(f"Give one shape, not {' and '.join(said)}.", parameter=list(said)[1])
    if not said:
        return Shaped(Asked.MAP)
    name, value = next(iter(said.items()))
    if name == "shape":
        return _from_object(value)
    if name == "coords":
        return _from_geometry(_geometry(value))
    if name == "region":
        return _region(value)
    return _box(value) if name == "bbox" else _circle(value)


def _from_object(value: Any) -> Shaped:
    if not isinstance(value, dict):
        raise Invalid("shape is an object with a type: GeoJSON, or a Box, Region or Circle.", parameter="shape")
    kind = value.get("type")
    if kind == "Box":
        return _box(value.get("bbox"))
    if kind == "Region":
        return _region(value.get("name"))
    if kind == "Circle":
        centre, radius = value.get("center"), value.get("radius")
        return _circle([*centre, radius] if isinstance(centre, list) else centre)
    return _from_geometry(_geometry(value))


# --- boxes, regions, circles ----------------------------------------------------------------------------------------


def _numbers(value: Any, count: int, parameter: str, form: str) -> list[float]:
    parts = value.split(",") if isinstance(value, str) else value
    try:
        numbers = [float(one) for one in parts]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != count:
        raise Invalid(f"{parameter} is {form}.", parameter=parameter)
    return numbers


def _box(value: Any) -> Shaped:
    numbers = _numbers(value, 4, "bbox", "west,south,east,north in degrees")
    text = ",".join(map(_plain, numbers))
    return Shaped(Asked.BOX, {"bbox": tuple(numbers)}, "cube", {"bbox": text}, {"bbox": text})


def _region(value: Any) -> Shaped:
    if not isinstance(value, str) or not 0 < len(value) <= 200 or not value.isprintable():
        raise Invalid("A region has a name, such as France or nuts:FR10.", parameter="region")
    return Shaped(Asked.REGION, {"region": value}, "area", {"region": value}, {"region": value})


def _circle(value: Any) -> Shaped:
    lon, lat, metres = _numbers(value, 3, "circle", "longitude,latitude,radius in metres")
    point = f"POINT({_plain(lon)} {_plain(lat)})"
    asked = {"coords": point, "within": _plain(metres), "within-units": "m"}
    option = f"{_plain(lon)},{_plain(lat)},{_plain(metres / 1000)}"
    return Shaped(Asked.CIRCLE, {"circle": (lon, lat, metres)}, "radius", asked, {"circle": option})


# --- coordinates ----------------------------------------------------------------------------------------------------


_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError)
"""What shapely says of things that are no geometry, and of arcs, which it does not read."""


def _geometry(value: Any) -> Any:
    """WKT or GeoJSON, as text or an object; also a Feature. Raises Invalid."""
    try:
        if isinstance(value, str) and not value.lstrip().startswith("{"):
            return shapely.from_wkt(value)
        found = orjson.loads(value) if isinstance(value, str) else value
        if found.get("type") == "FeatureCollection" and len(found.get("features", ())) == 1:
            found = found["features"][0]
        return shapely.geometry.shape(found["geometry"] if found.get("type") == "Feature" else found)
    except (*_UNREADABLE, shapely.errors.ShapelyError) as error:
        said = str(error).splitlines()[0][:160] if str(error) else "it has no coordinates"
        raise Invalid(f"The shape is neither GeoJSON nor WKT: {said}.", parameter="coords") from None


def _from_geometry(geometry: Any) -> Shaped:
    kind = geometry.geom_type
    if kind not in _MAKERS:
        raise Invalid(f"A view is of a point, a line or an area, not of a {kind}.", parameter="coords")
    count = int(shapely.get_num_coordinates(geometry))
    if not 0 < count <= MOST_VERTICES:
        raise Invalid(f"The shape has {count:,} vertices; 1 to {MOST_VERTICES:,} are taken.", parameter="coords")
    if geometry.has_z or not all(map(_is_finite, shapely.get_coordinates(geometry).ravel().tolist())):
        raise Invalid("The coordinates of a view are longitudes and latitudes; give heights as z.", parameter="coords")
    if not shapely.is_valid(geometry):
        raise Invalid(f"The shape is not valid: {shapely.is_valid_reason(geometry)[:160]}.", parameter="coords")
    made: Shaped = _MAKERS[kind](geometry)
    return made


def _is_finite(number: float) -> bool:
    return abs(number) <= 360


def _point(geometry: Any) -> Shaped:
    place = (float(geometry.x), float(geometry.y))
    wkt = f"POINT({_pair(place)})"
    option = {"point": ",".join(map(_plain, place))}
    return Shaped(Asked.POINT, {"point": place}, "position", {"coords": wkt}, option, wkt)


def _points(geometry: Any) -> Shaped:
    places = [tuple(one) for one in shapely.get_coordinates(geometry).tolist()]
    wkt = f"MULTIPOINT({','.join(f'({_pair(one)})' for one in places)})"
    return Shaped(Asked.POINTS, {"points": places}, "position", {"coords": wkt}, {}, wkt)


def _line(geometry: Any) -> Shaped:
    parts = [shapely.get_coordinates(one).tolist() for one in shapely.get_parts(geometry)]
    rings = [_ring(one) for one in parts]
    wkt = f"LINESTRING{rings[0]}" if len(rings) == 1 else f"MULTILINESTRING({','.join(rings)})"
    return Shaped(Asked.LINE, {"trajectory": wkt}, "trajectory", {"coords": wkt}, {"line": wkt}, wkt)


def _area(geometry: Any) -> Shaped:
    document = orjson.loads(orjson.dumps(shapely.geometry.mapping(geometry), default=list))
    polygons = [
        f"({','.join(_ring(shapely.get_coordinates(ring).tolist()) for ring in (one.exterior, *one.interiors))})"
        for one in shapely.get_parts(geometry)
    ]
    is_one = geometry.geom_type == "Polygon"
    wkt = f"POLYGON{polygons[0]}" if is_one else f"MULTIPOLYGON({','.join(polygons)})"
    return Shaped(Asked.AREA, {"polygon": wkt}, "area", {"coords": wkt}, {"polygon": wkt}, wkt, document)


_MAKERS: dict[str, Any] = {
    "Point": _point,
    "MultiPoint": _points,
    "LineString": _line,
    "MultiLineString": _line,
    "Polygon": _area,
    "MultiPolygon": _area,
}


def _ring(places: Iterable[Any]) -> str:
    return f"({','.join(map(_pair, places))})"


def _pair(place: Any) -> str:
    return f"{_plain(place[0])} {_plain(place[1])}"


def _plain(number: float) -> str:
    """The shortest text that gives the same number."""
    return repr(float(number)).removesuffix(".0")
