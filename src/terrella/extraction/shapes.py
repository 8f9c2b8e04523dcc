"""From a shape to cells, through the grid: points, circle, box, area, trajectory, corridor, everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import healpix_geo
import numpy as np
import shapely
import xarray as xr

from terrella.errors import Invalid, TooLarge
from terrella.extraction.boxes import TOLERANCE, box, everything, is_latlon
from terrella.extraction.cell_ids import checked_pixel
from terrella.extraction.cells import LATITUDE, LONGITUDE, Blend, Cells, Coords, single, turned
from terrella.extraction.corridors import along
from terrella.extraction.interpolating import bilinear, inverse_distance
from terrella.extraction.overlapping import overlap
from terrella.extraction.regions import region
from terrella.grids import HealpixGrid
from terrella.grids.sphere import distance
from terrella.model.extraction import (
    Area,
    Box,
    Circle,
    Corridor,
    Everything,
    Frame,
    Pixel,
    Points,
    Region,
    Shape,
    Trajectory,
)
from terrella.model.reduction import AREA_CHOICES, POINT_CHOICES, USUAL_CELLS, CellChoice
from terrella.model.space import Extent, LonLat

if TYPE_CHECKING:
    from terrella.contracts.grids import Grid

Range = tuple[float, float]
PARAMETER = "coords"
FARTHEST_M = 20_037_508.4
"""Half the way around the Earth at the equator: no place is farther away."""
MOST_VERTICES = 5000
"""Of a corridor: each of its segments is laid over the grid by itself."""


def cells_of(grid: Grid, shape: Shape, longitudes: Range, choice: CellChoice = USUAL_CELLS) -> Cells:
    """The cells of a shape. Raises Invalid where the shape is wrong or holds none; Unsupported as choices do."""
    if choice.how in ("", _USUAL.get(type(shape), "")):
        return _TAKERS[type(shape)](grid, shape, longitudes)
    if isinstance(shape, Points | Trajectory) and choice.how in POINT_CHOICES:
        return _blended(grid, shape, longitudes, choice)
    if isinstance(shape, Area | Box | Frame | Region) and choice.how in AREA_CHOICES:
        return _overlapped(grid, shape, longitudes, choice)
    raise _unfit(shape, choice)


def _unfit(shape: Shape, choice: CellChoice) -> Invalid:
    allowed = POINT_CHOICES if isinstance(shape, Points | Trajectory) else AREA_CHOICES
    if not isinstance(shape, Points | Trajectory | Area | Box | Frame | Region):
        return Invalid(
            f"cells={choice.how} is for places, boxes and polygons; of a {type(shape).__name__.lower()} cells count "
            "whose centre lies in it. Leave cells out, or ask with a polygon.",
            parameter="cells",
        )
    said = "places" if allowed is POINT_CHOICES else "areas"
    return Invalid(f"cells={choice.how} does not fit {said}. There are: {', '.join(allowed)}.", parameter="cells")


def _blended(grid: Grid, shape: Points | Trajectory, longitudes: Range, choice: CellChoice) -> Cells:
    """Places between centres: each is answered as it was asked for."""
    nearest_cells(grid, shape.places)
    lon, lat = (np.array(column, dtype=np.float64) for column in zip(*shape.places, strict=True))
    around = (
        bilinear(grid, lon, lat) if choice.how == "bilinear" else inverse_distance(grid, lon, lat, choice.neighbours)
    )
    dim = "point" if isinstance(shape, Points) else "vertex"

    def place() -> Coords:
        return {
            "longitude": xr.Variable((dim,), np.round(turned(lon, longitudes), 12), dict(LONGITUDE)),
            "latitude": xr.Variable((dim,), lat, dict(LATITUDE)),
        }

    flat = np.maximum(around.cells, 0).ravel()
    return Cells((dim,), (lon.size,), place, flat=flat, blend=Blend(around.weights, around.there))


def _overlapped(grid: Grid, shape: Area | Box | Frame | Region, longitudes: Range, choice: CellChoice) -> Cells:
    """Cells that an area or box touches; with `overlap` their shares too, also as the coordinate `weight`."""
    geometry = polygon_of(shape)
    flat, share = overlap(grid, geometry)
    inner = geometry.representative_point()
    made = _checked(grid, flat, LonLat(inner.x, inner.y), longitudes)
    if choice.how == "touched":
        return made
    said = {"long_name": "share of the cell that lies inside", "units": "1"}
    return replace(made, share=share, place=lambda: made.place() | {"weight": xr.Variable(("cell",), share, said)})


def polygon_of(shape: Area | Box | Frame | Region) -> Any:
    """The shape as a polygon. Raises Invalid."""
    if isinstance(shape, Area):
        return _geometry(shape.geometry)
    if isinstance(shape, Region):
        return region(shape.name)
    if isinstance(shape, Frame):
        return shapely.difference(_rectangles(shape.outer), _rectangles(shape.inner))
    if not shape.extent.width or shape.extent.south == shape.extent.north:
        raise Invalid("A box without an area touches no cell: ask for a place.", parameter="bbox")
    return _rectangles(shape.extent)


def _rectangles(extent: Extent) -> Any:
    return shapely.MultiPolygon([shapely.box(one.west, one.south, one.east, one.north) for one in extent.parts()])


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


def _check_reach(metres: float, what: str, parameter: str) -> None:
    if metres > FARTHEST_M:
        raise Invalid(
            f"A {what} is at most {FARTHEST_M / 1000:,.0f} km, half way around the Earth, not {metres / 1000:,.4g}.",
            parameter=parameter,
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
    _check_reach(shape.radius, "radius", "within")
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


def _region(grid: Grid, shape: Region, longitudes: Range) -> Cells:
    geometry = region(shape.name)
    inner = geometry.representative_point()
    return _checked(grid, grid.within(geometry), LonLat(inner.x, inner.y), longitudes, "region")


def _frame(grid: Grid, shape: Frame, longitudes: Range) -> Cells:
    inner = shape.inner
    slack = 2 * TOLERANCE
    hole = np.zeros(0, dtype=np.int64)
    if inner.width > 2 * slack and inner.north - inner.south > 2 * slack:
        west, east = (inner.west, inner.east) if inner.width >= 360 else (inner.west + slack, inner.east - slack)
        hole = grid.in_extent(Extent(west, inner.south + slack, east, inner.north - slack))
    flat = np.setdiff1d(grid.in_extent(shape.outer), hole, assume_unique=True)
    corner = LonLat(shape.outer.west, shape.outer.south)
    return _checked(grid, flat, corner, longitudes, "frame")


def _pixel(grid: Grid, shape: Pixel, longitudes: Range) -> Cells:
    """Cells in a circle around the pixel, of these the ones whose centre the pixel holds."""
    checked_pixel(shape)
    whole = HealpixGrid(shape.nside, shape.order, np.array([shape.number]))
    lon, lat = (float(one[0]) for one in whole.centres())
    corners_lon, corners_lat = whole.vertices(np.zeros(1, dtype=np.int64))
    reach = 1.1 * float(distance(lon, lat, corners_lon, corners_lat).max())
    near = grid.in_circle(lon, lat, reach)
    numbers = healpix_numbers(shape, *grid.centres(near))
    return _checked(grid, near[numbers == shape.number], LonLat(lon, lat), longitudes, "healpix")


def healpix_numbers(shape: Pixel, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Numbers of the pixels, as large as this one, that hold places."""
    system = healpix_geo.nested if shape.order == "nested" else healpix_geo.ring
    if not lon.size:
        return np.zeros(0, dtype=np.int64)
    found = system.lonlat_to_healpix(np.mod(lon, 360.0), lat, shape.nside.bit_length() - 1)
    return np.asarray(found).astype(np.int64)


def _geometry(document: dict[str, Any]) -> Any:
    """Raises Invalid for what is no valid polygon or multi-polygon."""
    kind = document.get("type")
    if kind not in ("Polygon", "MultiPolygon"):
        raise Invalid(f"An area is a Polygon or MultiPolygon, not {kind!s:.40}.", parameter=PARAMETER)
    try:
        geometry = _polygons([document["coordinates"]] if kind == "Polygon" else document["coordinates"])
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


def _polygons(parts: Iterable[Any]) -> Any:
    """From coordinates of GeoJSON, as arrays: a million vertices go in one by one otherwise."""
    made = [shapely.Polygon(*_rings(rings)) for rings in parts if rings]
    return made[0] if len(made) == 1 else shapely.MultiPolygon(made)


def _rings(rings: Sequence[Any]) -> tuple[np.ndarray, list[np.ndarray]]:
    outer, *holes = (np.asarray(ring, dtype=np.float64) for ring in rings)
    return outer, holes


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
    _check_reach(shape.width, "width", "corridor-width")
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
    Frame: _frame,
    Region: _region,
    Pixel: _pixel,
    Everything: _everything,
}

_USUAL: dict[type, str] = {Points: "nearest", Trajectory: "nearest"} | dict.fromkeys(
    (Circle, Box, Area, Corridor, Frame, Region, Pixel, Everything), "centre"
)
