"""Boxes and whole grids: rows and columns where the grid has parallels and meridians, or is asked for whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from terrella.cubes.selecting import as_slice
from terrella.extraction.cells import LATITUDE, LONGITUDE, Cells, Coords, turned
from terrella.extraction.windows import lattice
from terrella.model.space import Extent

if TYPE_CHECKING:
    from terrella.contracts.grids import Grid

TOLERANCE = 1e-9
"""Degrees by which a centre may lie outside an edge and still be on it."""


def is_latlon(grid: Grid) -> bool:
    """Whether rows are parallels and columns meridians."""
    return grid.kind in ("regular", "rectilinear")


def box(grid: Grid, extent: Extent, longitudes: tuple[float, float]) -> Cells | None:
    """Rows and columns whose centres lie in a box, longitudes rising from its western edge; None for none.

    They start in the range asked for and go on beyond its end where the box runs over it: 170, ..., 190 for a box
    over the date line. A meridian that a file has twice (0 and 360) comes once.
    """
    lines = grid.coordinates()
    rows = np.flatnonzero((lines["lat"] >= extent.south - TOLERANCE) & (lines["lat"] <= extent.north + TOLERANCE))
    whole = extent.width >= 360.0 - TOLERANCE
    west = longitudes[0] if whole else float(turned(np.array([extent.west]), longitudes)[0])
    cols, lon = _columns(lines["lon"], west, 360.0 if whole else extent.width)
    if not rows.size or not cols.size:
        return None
    if lon[0] >= longitudes[0] + 360.0:
        lon = lon - 360.0
    coords = {
        "lat": xr.Variable(("lat",), lines["lat"][rows], dict(LATITUDE)),
        "lon": xr.Variable(("lon",), lon, dict(LONGITUDE)),
    }
    return Cells(grid.dims, (rows.size, cols.size), lambda: coords, lines=(as_slice(rows), as_slice(cols)))


def _columns(lon: np.ndarray, west: float, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Columns at most `width` degrees east of `west`, eastward, each meridian once; and their longitudes."""
    east = np.mod(lon - west, 360.0)
    east[east >= 360.0 - TOLERANCE] -= 360.0
    inside = np.flatnonzero(east <= width + TOLERANCE if width < 360.0 else np.ones(east.shape, dtype=bool))
    order = inside[np.argsort(east[inside], kind="stable")]
    keep = np.diff(east[order], prepend=-np.inf) > TOLERANCE
    cols = order[keep]
    return cols, np.round(west + east[cols], 12)


def everything(grid: Grid, longitudes: tuple[float, float]) -> Cells:
    """All cells on the grid's own dimensions."""
    if is_latlon(grid):
        extent = grid.extent()
        whole = box(grid, Extent(extent.west, -90.0, extent.east, 90.0), longitudes)
        assert whole is not None
        return whole
    lines = tuple(slice(0, size) for size in grid.shape)
    return Cells(grid.dims, grid.shape, lambda: _all_places(grid, longitudes), lines=lines)


def _all_places(grid: Grid, longitudes: tuple[float, float]) -> Coords:
    if len(grid.shape) == 2:
        rows, columns = (np.arange(size) for size in grid.shape)
        return lattice(grid, rows, columns, longitudes)
    lon, lat = grid.centres()
    return {
        "longitude": xr.Variable(grid.dims, turned(lon, longitudes), dict(LONGITUDE)),
        "latitude": xr.Variable(grid.dims, lat, dict(LATITUDE)),
    }
