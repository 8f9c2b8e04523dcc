"""From the geometry of an item to boxes for the index and, where it is more than its box, an exact shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import shapely

from terrella.errors import Invalid
from terrella.model.space import Extent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from terrella.model.stac import Document

_HALF = shapely.box(-180.0, -90.0, 180.0, 90.0)
_SAME = 1e-12


@dataclass(frozen=True, slots=True)
class Footprint:
    """`extent` may cross the antimeridian; `shape` is WKB, None where the geometry is just the box (or a point)."""

    extent: Extent
    shape: bytes | None


def footprints(items: Sequence[Document]) -> list[Footprint | None]:
    """Of each item, None where it has no geometry. Raises Invalid naming the item."""
    placed = [at for at, item in enumerate(items) if item.get("geometry") is not None]
    made: list[Footprint | None] = [None] * len(items)
    if not placed:
        return made
    shapes = _parsed([items[at] for at in placed])
    bounds = shapely.bounds(shapes)
    plain = _is_box(shapes, bounds)
    wkb = shapely.to_wkb(shapes, output_dimension=2)
    odd = ~(np.abs(bounds[:, 0]) <= 180.0) | ~(np.abs(bounds[:, 2]) <= 180.0) | (bounds[:, 2] - bounds[:, 0] > 180.0)
    rows = bounds.tolist()
    for n, at in enumerate(placed):
        if odd[n]:
            made[at] = _wrapped(items[at], shapes[n])
        else:
            made[at] = Footprint(Extent(*rows[n]), None if plain[n] else wkb[n])
    return made


def geometry(document: Document, *, parameter: str = "geometry") -> BaseGeometry:
    """A GeoJSON geometry as a shape, in longitudes -180..180. Raises Invalid."""
    try:
        shape = shapely.from_geojson(orjson.dumps(document))
    except (shapely.errors.GEOSException, TypeError) as error:
        raise Invalid(f"That is no GeoJSON geometry: {str(error)[:120]}.", parameter=parameter) from None
    if not np.isfinite(shape.bounds).all():
        raise Invalid("The geometry is empty or has coordinates that are no finite numbers.", parameter=parameter)
    if not shape.is_valid:
        raise Invalid(f"The geometry is not valid: {shapely.is_valid_reason(shape)}.", parameter=parameter)
    return within_world(shapely.force_2d(shape))


def within_world(shape: BaseGeometry) -> BaseGeometry:
    """The same places with longitudes in -180..180: what runs beyond comes in again on the other side."""
    west, _, east, _ = shape.bounds
    if west >= -180.0 and east <= 180.0:
        return shape
    shape = shape if shape.is_valid else shapely.make_valid(shape)
    turns = range(int(np.floor((west + 180.0) / 360.0)), int(np.ceil((east - 180.0) / 360.0)) + 1)
    parts = [shapely.intersection(_moved(shape, -360.0 * turn), _HALF) for turn in turns]
    return shapely.union_all([part for part in parts if not part.is_empty])


def box_shape(extent: Extent) -> BaseGeometry:
    """A box (that does not cross the antimeridian) as a shape; a flat one as a line or point."""
    corners = [(extent.west, extent.south), (extent.east, extent.north)]
    if extent.west == extent.east or extent.south == extent.north:
        return shapely.Point(corners[0]) if corners[0] == corners[1] else shapely.LineString(corners)
    return shapely.box(extent.west, extent.south, extent.east, extent.north)


def extents_of(shape: BaseGeometry) -> tuple[Extent, ...]:
    """One or two boxes, none across the antimeridian, that hold a shape in longitudes -180..180."""
    return _extent_of(shape).parts()


@lru_cache(maxsize=64)
def prepared(wkb: bytes) -> BaseGeometry:
    """A shape made ready to be compared with many."""
    shape = shapely.from_wkb(wkb)
    shapely.prepare(shape)
    return shape


def _parsed(items: Sequence[Document]) -> np.ndarray:
    shapes = np.empty(len(items), dtype=object)
    try:
        shapes[:] = shapely.from_geojson([orjson.dumps(item["geometry"]) for item in items])
    except (shapely.errors.GEOSException, TypeError):
        shapes[:] = [_one(item) for item in items]
    finite: np.ndarray = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    if not finite.all():
        item = items[int(np.argmin(finite))]
        raise Invalid(f"Item {_name(item)}: its geometry is empty or has coordinates that are no finite numbers.")
    return shapes


def _one(item: Document) -> BaseGeometry:
    try:
        return shapely.from_geojson(orjson.dumps(item["geometry"]))
    except (shapely.errors.GEOSException, TypeError) as error:
        raise Invalid(f"Item {_name(item)}: its geometry is no GeoJSON: {str(error)[:120]}.") from None


def _name(item: Document) -> str:
    return f"{item.get('id')!r:.80}"


def _is_box(shapes: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Whether a shape is its own box: a point, or four corners that fill the box."""
    kinds = shapely.get_type_id(shapes)
    boxes = (bounds[:, 2] - bounds[:, 0]) * (bounds[:, 3] - bounds[:, 1])
    four = (kinds == 3) & (shapely.get_num_coordinates(shapes) == 5) & (boxes > 0)
    areas: np.ndarray = shapely.area(shapes)
    full = np.abs(areas - boxes) <= _SAME * boxes
    plain: np.ndarray = (kinds == 0) | (four & full)
    return plain


def _wrapped(item: Document, shape: BaseGeometry) -> Footprint:
    """The rare shape that is wider than half the Earth, or leaves -180..180."""
    shape = shapely.force_2d(shape)
    bbox: list[float] = item.get("bbox") or []
    says_crossing = len(bbox) in {4, 6} and bbox[0] > bbox[len(bbox) // 2]
    if says_crossing and shape.geom_type in {"Polygon", "LineString"} and shape.bounds[2] <= 180.0:
        # Drawn from +179 to -179 as if it went around the Earth, while its bbox tells what is meant.
        shape = shapely.transform(shape, _eastwards)
    shape = within_world(shape)
    return Footprint(_extent_of(shape), shapely.to_wkb(shape))


def _eastwards(places: np.ndarray) -> np.ndarray:
    moved = places.copy()
    moved[:, 0] = np.where(moved[:, 0] < 0, moved[:, 0] + 360.0, moved[:, 0])
    return moved


def _moved(shape: BaseGeometry, degrees: float) -> BaseGeometry:
    return shapely.transform(shape, lambda places: places + np.array([degrees, 0.0])) if degrees else shape


def _extent_of(shape: BaseGeometry) -> Extent:
    """The box of a shape in -180..180; of parts at both edges of the map, the box across the antimeridian."""
    west, south, east, north = shape.bounds
    if (west, east) != (-180.0, 180.0) or shape.geom_type in {"Polygon", "Point", "LineString"}:
        return Extent(west, south, east, north)
    left, right = _sides(shapely.bounds(shapely.get_parts(shape)))
    return Extent(right, south, left, north) if left < right else Extent(west, south, east, north)


def _sides(parts: np.ndarray) -> tuple[float, float]:
    """How far east the parts from -180 on reach, and how far west those up to 180: between them lies the gap."""
    left, right = -180.0, 180.0
    for west, _, east, _ in parts[np.argsort(parts[:, 0])].tolist():
        if west <= left:
            left = max(left, east)
    for west, _, east, _ in parts[np.argsort(-parts[:, 2])].tolist():
        if east >= right:
            right = min(right, west)
    inside = parts[(parts[:, 0] > left) & (parts[:, 2] < right)]
    return (180.0, -180.0) if len(inside) else (left, right)


def exact(operator: str, wkb: bytes, west: Any, south: Any, east: Any, north: Any, shape: bytes | None) -> int | None:
    """SQL function: how an item's geometry relates to a shape; NULL where the item has none."""
    if west is None:
        return None
    if shape is not None:
        mine = shapely.from_wkb(shape)
    else:
        mine = shapely.box(west, south, east, north) if (west, south) != (east, north) else shapely.Point(west, south)
    try:
        return int(_RELATIONS[operator](prepared(wkb), mine))
    except shapely.errors.GEOSException:  # a footprint that crosses itself
        return int(_RELATIONS[operator](prepared(wkb), shapely.make_valid(mine)))


# The prepared shape comes first, so each relation is named from the item's side and asked from the other.
_RELATIONS: dict[str, Any] = {
    "s_intersects": shapely.intersects,
    "s_disjoint": shapely.disjoint,
    "s_equals": shapely.equals,
    "s_touches": shapely.touches,
    "s_crosses": shapely.crosses,
    "s_overlaps": shapely.overlaps,
    "s_within": shapely.contains,
    "s_contains": shapely.within,
}
SPATIAL = frozenset(_RELATIONS)
