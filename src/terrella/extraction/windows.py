"""A box on a grid whose rows are no parallels: the rows and columns around its cells, those outside it missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyproj
import xarray as xr

from terrella.cubes.opening import line_attrs
from terrella.cubes.selecting import as_slice
from terrella.extraction.cells import LATITUDE, LONGITUDE, Cells, Coords, turned

if TYPE_CHECKING:
    from typing import Any

    from terrella.contracts.grids import Grid

FILLED = 4
"""Rows and columns are answered where they have at most so many times the cells of the box, else its cells alone."""
_SMALL = 64
"""So few cells are always answered as rows and columns."""
INSIDE = "inside"
_INSIDE = {"long_name": "whether the centre of the cell lies in the shape asked for", "units": "1"}


def window(grid: Grid, found: Cells, longitudes: tuple[float, float]) -> Cells:
    """Single cells as rows crossed with columns, on the grid's own dimensions; as they came where that would be waste.

    On curvilinear grids columns may go on over the seam of the array: from the last one to the first.
    """
    if found.flat is None or found.share is not None or len(grid.shape) != 2 or grid.kind in ("regular", "rectilinear"):
        return found
    row, column = np.divmod(found.flat, grid.shape[1])
    rows = np.arange(int(row.min()), int(row.max()) + 1)
    columns = _run(np.unique(column), grid.shape[1], is_round=grid.kind == "curvilinear")
    count = rows.size * columns.size
    if count > max(FILLED * found.flat.size, _SMALL):
        return found
    inside = np.zeros((rows.size, grid.shape[1]), dtype=bool)
    inside[row - rows[0], column] = True
    inside = inside[:, columns]
    hidden = None if inside.all() else ~inside
    return Cells(
        grid.dims,
        (rows.size, columns.size),
        lambda: lattice(grid, rows, columns, longitudes, inside=None if hidden is None else inside),
        lines=(as_slice(rows), as_slice(columns)),
        hidden=hidden,
    )


def _run(columns: np.ndarray, count: int, *, is_round: bool) -> np.ndarray:
    """Neighbouring columns that hold these: over the seam where the array goes round and that is shorter."""
    gaps = np.diff(columns)
    widest = int(gaps.argmax()) if gaps.size else 0
    first, last = int(columns[0]), int(columns[-1])
    if not is_round or not gaps.size or first + count - last >= gaps[widest]:
        return np.arange(first, last + 1)
    west, east = int(columns[widest + 1]), int(columns[widest])
    return np.concatenate([np.arange(west, count), np.arange(east + 1)])


def lattice(
    grid: Grid,
    rows: np.ndarray,
    columns: np.ndarray,
    longitudes: tuple[float, float],
    *,
    inside: np.ndarray | None = None,
) -> Coords:
    """Coordinates of rows crossed with columns: the grid's own lines with their CRS, longitude and latitude of cells,

    and `inside` where some of the cells lie outside the shape.
    """
    lon, lat = grid.centres((rows[:, None] * grid.shape[1] + columns).ravel())
    shape = (rows.size, columns.size)
    own = grid.coordinates()
    coords = {
        dim: xr.Variable((dim,), own[dim][chosen], axis_attrs(grid, dim))
        for dim, chosen in zip(grid.dims, (rows, columns), strict=True)
        if dim in own
    }
    coords["longitude"] = xr.Variable(grid.dims, turned(lon, longitudes).reshape(shape), dict(LONGITUDE))
    coords["latitude"] = xr.Variable(grid.dims, lat.reshape(shape), dict(LATITUDE))
    if coords.keys() >= set(grid.dims) and grid.crs:
        coords["spatial_ref"] = xr.Variable((), 0, {"crs_wkt": _system(grid.crs).to_wkt()})
    if inside is not None:
        coords[INSIDE] = xr.Variable(grid.dims, inside, dict(_INSIDE))
    return coords


def axis_attrs(grid: Grid, dim: str) -> dict[str, Any]:
    """CF attributes of a line of x or y: names and units of the axis of the grid's CRS."""
    for axis in _system(grid.crs).cs_to_cf() if grid.crs else ():
        if axis.get("axis") == dim.upper():
            units = {"metre": "m", "degree": "degrees"}.get(axis["units"], axis["units"])
            return {"standard_name": axis["standard_name"], "units": units, "axis": axis["axis"]}
    return line_attrs(dim)


def _system(crs: str) -> pyproj.CRS:
    return pyproj.CRS.from_user_input(crs)
