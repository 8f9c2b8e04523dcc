"""From a shape to cells, through the grid: points, circle, box, area, trajectory, corridor, everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
import shapely.geometry

from terrella.errors import Invalid, TooLarge
from terrella.extraction.boxes import box, everything, is_latlon
from terrella.extraction.cells import Cells, single
from terrella.extraction.corridors import along
from terrella.grids.sphere import distance
from terrella.model.extraction import Area, Box, Circle, Corridor, Everything, Points, Shape, Trajectory
from terrella.model.space import LonLat

if TYPE_CHECKING:
    from terrella.contracts.grids import Grid

Range = tuple[float, float]
PARAMETER = "coords"
MOST_VERTICES = 5000
"""Of a corridor: each of its segments is laid over the grid by itself."""


def cells_of(grid: Grid, shape: Shape, longitudes: Range) -> Cells:
    """The cells of a shape. Raises Invalid where the shape is wrong or no cell's centre lies in it."""
    return _TAKERS[type(shape)](grid, shape, longitudes)


def nearest_cells(grid: Grid, places: tuple[LonLat, ...]) -> np.ndarray:
    """The nearest cell of each place. Raises Invalid naming those that lie outside the grid."""
    if not places:
        raise Invalid("At least one place is needed.", parameter=PARAMETER)
    lon, lat = (np.array(column, dtype=np.float64) for column in zip(*places, strict=True))
    _check_places(lon, lat)
    cells = grid.nearest(lon, lat)
    outside = np.flatnonzero(cells < 0)
    if outside.size:
        raise _outside(grid, places, outside)
    return cells


def _check_places(lon: np.ndarray, lat: np.ndarray) -> None:
    good = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= 90) & (np.abs(lon) <= 360)
    if not good.all():
        place = int(np.flatnonzero(~good)[0])
        raise Invalid(
            f"({lon[place]:g}, {lat[place]:g}) is no place: longitude in -180..360, then latitude in -90..90.",
            parameter=PARAMETER,
        )


def _outside(grid: Grid, places: tuple[LonLat, ...], which: np.ndarray) -> Invalid:
    shown = ", ".join(f"({places[i].lon:g}, {places[i].lat:g})" for i in which[:3].tolist())
    more = f" and {which.size - 3} more" if which.size > 3 else ""
    verb = "lies" if which.size == 1 else "lie"
    return Invalid(
        f"{shown}{more} {verb} outside the area covered, {_covered(grid)}.",
        parameter=PARAMETER,
        details={"bbox": grid.extent().bbox()},
    )


def _covered(grid: Grid) -> str:
    west, south, east, north = grid.extent().bbox()
    return f"which is {west:g}..{east:g} degrees of longitude and {south:g}..{north:g} of latitude"


def _points(grid: Grid, shape: Points, longitudes: Range) -> Cells:
    flat = nearest_cells(grid, shape.places)
    return single(grid, "point", flat, longitudes)


def _trajectory(grid: Grid, shape: Trajectory, longitudes: Range) -> Cells:
    flat = nearest_cells(grid, shape.places)
    return single(grid, "vertex", flat, longitudes)


def _circle(grid: Grid, shape: Circle, longitudes: Range) -> Cells:
    lon, lat = shape.centre
    _check_places(np.array([lon]), np.array([lat]))
    if not (np.isfinite(shape.radius) and shape.radius > 0):
        raise Invalid(f"A radius is a positive number of metres, not {shape.radius:g}.", parameter="within")
    return _checked(grid, grid.in_circle(lon, lat, shape.radius), shape.centre, longitudes)


def _box(grid: Grid, shape: Box, longitudes: Range) -> Cells:
    extent = shape.extent
    middle = LonLat((extent.west + extent.width / 2 + 180) % 360 - 180, (extent.south + extent.north) / 2)
    if not is_latlon(grid):
        return _checked(grid, grid.in_extent(extent), middle, longitudes, "bbox")
    found = box(grid, extent, longitudes)
    if found is None:
        raise _empty(grid, middle, "bbox")
    return found


def _area(grid: Grid, shape: Area, longitudes: Range) -> Cells:
    geometry = _geometry(shape.geometry)
    inner = geometry.representative_point()
    return _checked(grid, grid.within(geometry), LonLat(inner.x, inner.y), longitudes)


def _geometry(document: dict[str, Any]) -> Any:
    """Raises Invalid for what is no valid polygon or multi-polygon."""
    kind = document.get("type")
    if kind not in ("Polygon", "MultiPolygon"):
        raise Invalid(f"An area is a Polygon or MultiPolygon, not {kind!s:.40}.", parameter=PARAMETER)
    try:
        geometry = shapely.geometry.shape(document)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, shapely.errors.ShapelyError) as error:
        raise Invalid(f"The geometry cannot be understood: {str(error)[:200]}.", parameter=PARAMETER) from None
    numbers = shapely.get_coordinates(geometry)
    if geometry.is_empty or not numbers.size:
        raise Invalid("The area is empty.", parameter=PARAMETER)
    if not np.isfinite(numbers).all() or np.abs(numbers[:, 1]).max() > 90 or np.abs(numbers[:, 0]).max() > 540:
        raise Invalid("Coordinates are finite numbers: longitude, then latitude in -90..90.", parameter=PARAMETER)
    if not geometry.is_valid:
        raise Invalid(f"The area is not valid: {shapely.is_valid_reason(geometry)[:200]}.", parameter=PARAMETER)
    return geometry


def _corridor(grid: Grid, shape: Corridor, longitudes: Range) -> Cells:
    places = shape.path.places
    if not places:
        raise Invalid("A corridor needs a line.", parameter=PARAMETER)
    if len(places) > MOST_VERTICES:
        raise TooLarge(
            f"A corridor's line has at most {MOST_VERTICES:,} vertices, not {len(places):,}. Simplify it, or ask in "
            "parts.",
            parameter=PARAMETER,
            details={"limit": MOST_VERTICES, "vertices": len(places)},
        )
    _check_places(*(np.array(column, dtype=np.float64) for column in zip(*places, strict=True)))
    if not (np.isfinite(shape.width) and shape.width > 0):
        raise Invalid(f"A width is a positive number of metres, not {shape.width:g}.", parameter="corridor-width")
    cells, position = along(grid, places, shape.width / 2)
    if not cells.size:
        raise _empty(grid, places[0], PARAMETER)
    return single(grid, "cell", cells, longitudes, position)


def _everything(grid: Grid, _: Everything, longitudes: Range) -> Cells:
    return everything(grid, longitudes)


def _checked(grid: Grid, flat: np.ndarray, middle: LonLat, longitudes: Range, parameter: str = PARAMETER) -> Cells:
    if not flat.size:
        raise _empty(grid, middle, parameter)
    return single(grid, "cell", flat, longitudes)


def _empty(grid: Grid, middle: LonLat, parameter: str) -> Invalid:
    """Why there is no cell: the shape lies elsewhere, or between the centres."""
    lon, lat = np.array([middle.lon]), np.array([middle.lat])
    cell = grid.nearest(lon, lat)
    if cell[0] < 0:
        return Invalid(
            f"It lies outside the area covered, {_covered(grid)}.",
            parameter=parameter,
            details={"bbox": grid.extent().bbox()},
        )
    near_lon, near_lat = grid.centres(cell)
    away = float(distance(lon, lat, near_lon, near_lat)[0]) / 1000
    return Invalid(
        f"No cell centre lies in it. Cells here are about {grid.resolution() / 1000:.3g} km apart; the nearest centre "
        f"to its middle is ({near_lon[0]:.6g}, {near_lat[0]:.6g}), {away:.3g} km away. Ask for that point, or a "
        "larger area.",
        parameter=parameter,
        details={"nearest": [float(near_lon[0]), float(near_lat[0])]},
    )


_TAKERS: dict[type, Callable[[Grid, Any, Range], Cells]] = {
    Points: _points,
    Circle: _circle,
    Box: _box,
    Area: _area,
    Trajectory: _trajectory,
    Corridor: _corridor,
    Everything: _everything,
}
