"""What a stock reader needs beside the values: axes and places by CF, grid mappings, the HEALPix convention."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from terrella.contracts.cubes import Cube
from terrella.contracts.grids import Grid
from terrella.cubes.opening import axis_variable, grid_variables, line_attrs
from terrella.cubes.optimising.overviews import Level
from terrella.grids import HealpixGrid, RotatedGrid

MAPPING = "crs"
_DROPPED = {
    "scale_factor",
    "add_offset",
    "_FillValue",
    "missing_value",
    "valid_min",
    "valid_max",
    "valid_range",
    "coordinates",
    "grid_mapping",
    "dtype",
    "_Unsigned",
    "ancillary_variables",
}
_LINES = ("regular", "rectilinear", "projected", "rotated")


def group_dataset(cube: Cube, level: Level | None = None) -> xr.Dataset:
    """All but the variables: of the cube itself, or of an overview."""
    coords: dict[str, xr.Variable] = {axis.name: axis_variable(axis) for axis in cube.axes}
    known = cube.dataset.variables
    for name in ("reference_time", "step", "valid_time"):
        if name in known and name not in coords:
            coords[name] = known[name]
    coords |= _places(cube.grid, level)
    mapping = {MAPPING: _mapping(cube.grid, level)}
    attrs = {str(key): value for key, value in cube.dataset.attrs.items() if _is_json(value)}
    return xr.Dataset(coords=coords | mapping, attrs=attrs | {"Conventions": "CF-1.11"})


def _places(grid: Grid, level: Level | None) -> dict[str, xr.Variable]:
    lines = grid.coordinates() if level is None else level.coordinates
    if isinstance(grid, HealpixGrid):
        return {dim: xr.Variable((dim,), values) for dim, values in lines.items()}
    if grid.kind in _LINES:
        return {dim: xr.Variable((dim,), values, line_attrs(dim)) for dim, values in lines.items()}
    return {name: one.copy(deep=True) for name, one in grid_variables(grid).items()}


def _mapping(grid: Grid, level: Level | None) -> xr.Variable:
    shown = grid if level is None or level.grid is None else level.grid
    attrs: dict[str, Any] = {"grid_mapping_name": "latitude_longitude"}
    if isinstance(shown, HealpixGrid):
        attrs = {"grid_mapping_name": "healpix", "healpix_nside": shown.nside, "healpix_order": shown.order}
    elif grid.kind == "projected":
        from pyproj import CRS

        attrs = CRS.from_user_input(grid.crs).to_cf()
    elif isinstance(grid, RotatedGrid):
        attrs = {
            "grid_mapping_name": "rotated_latitude_longitude",
            "grid_north_pole_longitude": grid.pole_lon,
            "grid_north_pole_latitude": grid.pole_lat,
            "north_pole_grid_longitude": grid.pole_grid_lon,
        }
    return xr.Variable((), np.int32(0), attrs)


def variable_attributes(attrs: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Of a variable whose coordinates beside its dimensions are `names`."""
    kept = {key: value for key, value in attrs.items() if key not in _DROPPED and _is_json(value)}
    beside = [name for name in names if name in {"longitude", "latitude", "reference_time", "step", "valid_time"}]
    return kept | {"grid_mapping": MAPPING} | ({"coordinates": " ".join(beside)} if beside else {})


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
