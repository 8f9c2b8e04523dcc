"""Coordinates of a cube as Zarr has them: plain numbers with CF attributes, worked out when a chunk is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import cftime
import numpy as np
from pyproj import CRS

from terrella.grids import HealpixGrid

if TYPE_CHECKING:
    import xarray as xr

    from terrella.contracts.cubes import Cube
    from terrella.contracts.grids import Grid

_SINCE = "since 1970-01-01T00:00:00"
_MS = 1000
_LINES = frozenset({"regular", "rectilinear", "projected", "rotated"})
"""Kinds of grids whose coordinate reference system a reader needs for their lines."""
_ROTATED = {
    "x": {"standard_name": "grid_longitude", "long_name": "longitude in rotated pole grid", "units": "degrees"},
    "y": {"standard_name": "grid_latitude", "long_name": "latitude in rotated pole grid", "units": "degrees"},
}
_AXES = {"lon": "X", "lat": "Y", "x": "X", "y": "Y", "time": "T"}


@dataclass(frozen=True, eq=False)
class Coordinate:
    """One coordinate variable; `take` gives the numbers of a window, as `dtype`."""

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype
    attrs: dict[str, Any]
    take: Callable[[tuple[slice, ...]], np.ndarray]


def coordinates_of(cube: Cube) -> list[Coordinate]:
    """All coordinates of the cube's dataset, the cells of HEALPix, and the reference system."""
    calendars = {axis.name: axis.calendar for axis in cube.axes if axis.calendar}
    found = []
    for name in map(str, cube.dataset.coords):
        variable = cube.dataset.variables[name]
        attrs = dict(variable.attrs)
        if cube.grid.kind == "rotated" and name in _ROTATED:
            attrs |= _ROTATED[name]
        if name in _AXES and variable.dims == (name,):
            attrs.setdefault("axis", _AXES[name])
        found.append(_encoded(name, variable, attrs, calendars.get(name)))
    if isinstance(cube.grid, HealpixGrid):
        found += _cell_numbers(cube.grid)
    mapping = mapping_of(cube.grid)
    return found if mapping is None else [*found, mapping]


def _encoded(name: str, variable: xr.Variable, attrs: dict[str, Any], calendar: str | None) -> Coordinate:
    kind = variable.dtype.kind
    dims, shape = tuple(map(str, variable.dims)), variable.shape
    if kind == "O" and variable.size and isinstance(np.ravel(variable.values)[0], cftime.datetime):
        values, said = _dates(np.ravel(variable.values).reshape(shape), calendar)
    elif kind == "M":
        ms = variable.values.astype("M8[ms]").astype(np.int64)
        values, unit = _coarsest(ms)
        said = {"units": f"{unit} {_SINCE}", "calendar": calendar or "proleptic_gregorian"}
    elif kind == "m":
        values, unit = _coarsest(variable.values.astype("m8[ms]").astype(np.int64))
        said = {"units": unit, "dtype": "timedelta64[ns]"}  # `dtype`: how xarray marks a length of time
    elif kind in "OU":
        values, said = np.asarray(variable.values, dtype=object), {}
    else:
        dtype = variable.dtype.newbyteorder("=")
        return Coordinate(name, dims, shape, dtype, attrs, lambda window: np.asarray(variable[window].values, dtype))
    return Coordinate(name, dims, shape, values.dtype, attrs | said, lambda window: np.asarray(values[window]))


def _dates(values: np.ndarray, calendar: str | None) -> tuple[np.ndarray, dict[str, str]]:
    name = calendar or str(np.ravel(values)[0].calendar)
    ms = np.asarray(cftime.date2num(values, f"milliseconds {_SINCE}", calendar=name), dtype=np.int64)
    coarse, unit = _coarsest(ms)
    return coarse, {"units": f"{unit} {_SINCE}", "calendar": name}


def _coarsest(ms: np.ndarray) -> tuple[np.ndarray, str]:
    """Whole seconds where they say all."""
    ms = np.asarray(ms, dtype=np.int64)
    return (ms // _MS, "seconds") if not (ms % _MS).any() else (ms, "milliseconds")


def _cell_numbers(grid: HealpixGrid) -> list[Coordinate]:
    """Pixel numbers twice, as xdggs takes nothing but its own attributes: for it, and for CF (1.13, 5.6)."""
    xdggs = {"grid_name": "healpix", "indexing_scheme": grid.order} | _level(grid, "level")
    cf = {"standard_name": "healpix_index", "long_name": "HEALPix cell", "units": "1"}
    return [
        Coordinate(name, grid.dims, grid.shape, np.dtype(np.int64), attrs, partial(_pixels, grid))
        for name, attrs in (("cell_ids", xdggs), ("healpix_index", cf))
    ]


def _pixels(grid: HealpixGrid, window: tuple[slice, ...]) -> np.ndarray:
    if grid.pixels is None:
        return np.arange(window[0].start, window[0].stop, dtype=np.int64)
    return np.asarray(grid.pixels[window[0]])


def _level(grid: HealpixGrid, name: str) -> dict[str, int]:
    """log2 of nside under this name, where that is whole; else nside itself."""
    if grid.nside & (grid.nside - 1):
        return {"healpix_nside": grid.nside}
    return {name: grid.nside.bit_length() - 1}


def mapping_of(grid: Grid) -> Coordinate | None:
    """The CF grid mapping: `crs` of HEALPix, `spatial_ref` of lines in a reference system; None for loose cells."""
    if isinstance(grid, HealpixGrid):
        attrs = {"grid_mapping_name": "healpix", "indexing_scheme": grid.order} | _level(grid, "refinement_level")
        return _scalar("crs", attrs)
    if grid.kind not in _LINES:
        return None
    return _scalar("spatial_ref", _system(grid))


def _system(grid: Grid) -> dict[str, Any]:
    """Of `pyproj`, with the affine transform as GDAL writes it where the grid has one."""
    attrs = dict(CRS.from_user_input(grid.crs).to_cf())
    attrs["spatial_ref"] = attrs["crs_wkt"]
    transform = getattr(grid, "transform", None)
    if transform is not None:
        a, b, c, d, e, f = transform
        attrs["GeoTransform"] = " ".join(repr(float(number)) for number in (c, a, b, f, d, e))
    return attrs


def _scalar(name: str, attrs: dict[str, Any]) -> Coordinate:
    return Coordinate(name, (), (), np.dtype(np.int32), attrs, lambda _: np.array(0, dtype=np.int32))
