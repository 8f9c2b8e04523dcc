"""The box around a shape: which scenes to look for there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import shapely.geometry

from terrella.errors import Invalid
from terrella.extraction.cell_ids import checked_pixel
from terrella.extraction.regions import region
from terrella.grids import HealpixGrid
from terrella.grids.sphere import distance
from terrella.model.extraction import (
    Area,
    Box,
    Circle,
    Corridor,
    Frame,
    Pixel,
    Points,
    Region,
    Shape,
    Trajectory,
)
from terrella.model.space import Extent, wrap180

if TYPE_CHECKING:
    from terrella.model.stac import Document

_METRES_A_DEGREE = 111_195.0
"""Along a meridian of the sphere."""


def extent_of(shape: Shape) -> Extent | None:
    """The smallest box around a shape; None for everything, and for shapes whose box nobody knows.

    Raises Invalid for coordinates that are none.
    """
    match shape:
        case Box(extent=extent):
            return extent
        case Points(places=places) | Trajectory(places=places):
            return _around([(lon, lat, lon, lat) for lon, lat in places])
        case Circle(centre=(lon, lat), radius=radius):
            return _grown(_around([(lon, lat, lon, lat)]), radius)
        case Corridor(path=path, width=width):
            return _grown(_around([(lon, lat, lon, lat) for lon, lat in path.places]), width / 2)
        case Area(geometry=geometry):
            return _around(list(_boxes(geometry)))
        case Frame(outer=outer):
            return outer
        case Region(name=name):
            return _around(list(_boxes(shapely.geometry.mapping(region(name)))))
        case Pixel():
            return _around_pixel(shape)
    return None


def _around_pixel(shape: Pixel) -> Extent:
    checked_pixel(shape)
    whole = HealpixGrid(shape.nside, shape.order, np.array([shape.number]))
    lon, lat = (float(one[0]) for one in whole.centres())
    reach = 1.1 * float(distance(lon, lat, *whole.vertices(np.zeros(1, dtype=np.int64))).max())
    return _grown(_around([(lon, lat, lon, lat)]), reach)


def _boxes(geometry: Document) -> Iterator[tuple[float, float, float, float]]:
    """One for each polygon."""
    polygons = [geometry] if geometry.get("type") == "Polygon" else []
    rings = [one["coordinates"] for one in polygons] or geometry.get("coordinates") or ()
    for rings_of_one in rings:
        try:
            lon, lat = zip(*((float(place[0]), float(place[1])) for place in rings_of_one[0]), strict=True)
        except (TypeError, ValueError, IndexError, KeyError):
            raise Invalid("The geometry cannot be understood.", parameter="coords") from None
        yield min(lon), min(lat), max(lon), max(lat)


def _around(boxes: Sequence[tuple[float, float, float, float]]) -> Extent:
    """The narrowest box: everything but the widest gap between the longitudes of the parts."""
    if not boxes:
        raise Invalid("At least one place is needed.", parameter="coords")
    numbers = [number for box in boxes for number in box]
    if not all(abs(number) <= 540 for number in numbers) or any(abs(box[1]) > 90 or abs(box[3]) > 90 for box in boxes):
        raise Invalid("Coordinates are finite numbers: longitude, then latitude in -90..90.", parameter="coords")
    south, north = min(box[1] for box in boxes), max(box[3] for box in boxes)
    spans = sorted((wrap180(box[0]), box[2] - box[0]) for box in boxes)
    west, width = _arc(spans)
    if width >= 360:
        return Extent(-180.0, south, 180.0, north)
    east = west + width
    return Extent(west, south, east if east <= 180 else wrap180(east), north)


def _arc(spans: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Western end and width of the smallest arc that holds spans of (west, width), sorted."""
    reach = spans[0][0] + spans[0][1]
    gaps: list[tuple[float, float]] = []
    for west, width in spans[1:]:
        gaps.append((west - reach, west))
        reach = max(reach, west + width)
    gaps.append((spans[0][0] + 360.0 - reach, spans[0][0]))
    gap, west = max(gaps, key=lambda one: one[0])
    return west, min(360.0, 360.0 - gap)


def _grown(extent: Extent, metres: float) -> Extent:
    """A box with `metres` more on each side."""
    if not 0 < metres < 2e7:
        raise Invalid(f"A radius or width is a positive number of metres, not {metres:g}.", parameter="within")
    high = metres / _METRES_A_DEGREE * 1.01
    south, north = max(-90.0, extent.south - high), min(90.0, extent.north + high)
    least = math.cos(math.radians(min(89.999, max(abs(south), abs(north)))))
    wide = high / least
    if abs(south) == 90 or abs(north) == 90 or extent.width + 2 * wide >= 360:
        return Extent(-180.0, south, 180.0, north)
    return Extent(wrap180(extent.west - wide), south, wrap180(extent.east + wide), north)
