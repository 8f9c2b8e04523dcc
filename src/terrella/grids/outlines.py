"""What a grid covers, as GeoJSON: rings unrolled, closed over a pole, and cut at the antimeridian."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.affinity import translate
from shapely.geometry import mapping

from terrella.grids.tables import Floats

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from terrella.model.space import Extent
    from terrella.model.stac import Document


def boxes(extent: Extent) -> Document:
    """A box as a polygon, or as two where it crosses the antimeridian."""
    parts = [shapely.box(part.west, part.south, part.east, part.north) for part in extent.parts()]
    return geojson(shapely.MultiPolygon(parts) if len(parts) > 1 else parts[0])


def geojson(geometry: BaseGeometry) -> Document:
    """As a GeoJSON geometry: outer rings anticlockwise, lists instead of tuples (RFC 7946, 3.1.6)."""
    turned = shapely.orient_polygons(geometry)
    document = mapping(turned)
    return {"type": document["type"], "coordinates": _lists(document["coordinates"])}


def _lists(value: object) -> object:
    return [_lists(part) for part in value] if isinstance(value, (tuple, list)) else value


def hull(lon: Floats, lat: Floats, extent: Extent) -> Document:
    """The convex hull of places in longitude and latitude, within their `extent`; a box where that is a full circle."""
    if extent.width >= 360.0:
        return boxes(extent)
    real = np.isfinite(lon) & np.isfinite(lat)
    east = np.mod(lon[real] - extent.west + 1e-9, 360.0) - 1e-9
    around = shapely.MultiPoint(np.column_stack([extent.west + east, lat[real]])).convex_hull
    whole = cut(around) if around.geom_type == "Polygon" else None
    return boxes(extent) if whole is None else geojson(whole)


def ring_polygon(lon: Floats, lat: Floats) -> BaseGeometry | None:
    """The polygon inside a closed walk over the sphere, in lon -180..180; None when it makes no valid one.

    A walk that goes once round the Earth holds a pole: the one on the side of its mean latitude.
    """
    keep = np.isfinite(lon) & np.isfinite(lat)
    if keep.sum() < 3:
        return None
    lon, lat = lon[keep], lat[keep]
    closed = np.unwrap(np.append(lon, lon[0]), period=360.0)
    lats = np.append(lat, lat[0])
    turns = closed[-1] - closed[0]
    if abs(turns) > 180.0:
        pole = 90.0 if lats.mean() >= 0 else -90.0
        closed = np.concatenate([closed, [closed[-1], closed[0]]])
        lats = np.concatenate([lats, [pole, pole]])
    whole = shapely.make_valid(shapely.Polygon(np.column_stack([closed, np.clip(lats, -90.0, 90.0)])))
    return cut(whole)


def cut(geometry: BaseGeometry) -> BaseGeometry | None:
    """Longitudes of any range turned to -180..180, cut at the antimeridian; None when nothing with an area is left."""
    west, _, east, _ = geometry.bounds
    pieces: list[BaseGeometry] = []
    for turns in range(int(np.floor((west + 180) / 360)), int(np.ceil((east - 180) / 360)) + 1):
        window = shapely.box(360 * turns - 180, -90, 360 * turns + 180, 90)
        moved = translate(shapely.intersection(geometry, window), xoff=-360.0 * turns)
        pieces.extend(part for part in shapely.get_parts(moved) if part.geom_type == "Polygon" and part.area > 0)
    if not pieces:
        return None
    return shapely.union_all(pieces) if len(pieces) > 1 else pieces[0]
