"""An index as a Cube: a lazy dataset with CF coordinates. Opening touches no file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from terrella.contracts.cubes import Cube, CubeIndex, CubeVariable, Origin
from terrella.contracts.grids import Grid
from terrella.cubes.arrays import Take, lazy, places
from terrella.cubes.times import step_values, time_values, with_valid_times
from terrella.grids import grid_from_json
from terrella.model.scan import Axis

_LON = {"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east"}
_LAT = {"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north"}
_X = {"standard_name": "projection_x_coordinate", "units": "m"}
_Y = {"standard_name": "projection_y_coordinate", "units": "m"}
_ROTATED = {
    "rlon": {"standard_name": "grid_longitude", "units": "degrees"},
    "rlat": {"standard_name": "grid_latitude", "units": "degrees"},
}


def open_index(index: CubeIndex, origin: Origin, reading: Callable[[CubeVariable, Grid], Take]) -> Cube:
    """The cube of an index. `reading` gives, for a variable, what reads crossed indices of it."""
    shown, scalars = with_valid_times(index)
    grid = grid_from_json(shown.grid)
    coords = _coordinates(shown, grid, scalars)
    data = {one.name: _variable(one, reading(one, grid)) for one in shown.variables}
    attrs = dict(shown.attrs) | _credit(origin)
    dataset = xr.Dataset(data, coords=coords, attrs=attrs)
    return Cube(dataset, grid, origin, shown.axes, {one.name: one for one in shown.variables})


def credited(cube: Cube, origin: Origin) -> Cube:
    """The cube itself, or the same one with what its collection now says of licence and citation."""
    if cube.origin == origin:
        return cube
    attrs = {key: value for key, value in cube.dataset.attrs.items() if key not in _credit(cube.origin)}
    dataset = cube.dataset.copy(deep=False)
    dataset.attrs = attrs | _credit(origin)
    return replace(cube, dataset=dataset, origin=origin)


def _credit(origin: Origin) -> dict[str, Any]:
    given = {"license": origin.licence, "attribution": origin.attribution}
    return {key: value for key, value in given.items() if value}


def _variable(variable: CubeVariable, take: Take) -> xr.Variable:
    data = lazy(variable.shape, np.dtype(variable.dtype), take)
    return xr.Variable(variable.dims, data, dict(variable.attrs))


def _coordinates(index: CubeIndex, grid: Grid, scalars: dict[str, Axis]) -> dict[str, xr.Variable]:
    used = {dim for one in index.variables for dim in one.dims}
    coords = {axis.name: axis_variable(axis) for axis in index.axes if axis.name in used}
    coords |= {name: axis_variable(axis)[0] for name, axis in scalars.items()}
    if {"reference_time", "step"} <= coords.keys() and not scalars and "time" not in coords:
        coords["valid_time"] = _valid_times(index)
    return coords | grid_variables(grid)


def _valid_times(index: CubeIndex) -> xr.Variable:
    axes = {axis.name: axis for axis in index.axes}
    reference, step = axes["reference_time"], axes["step"]
    values = reference.values[:, None] + step.values[None, :]
    times = time_values(values.ravel(), reference.calendar).reshape(values.shape)
    return xr.Variable(("reference_time", "step"), times, {"standard_name": "time", "long_name": "valid time"})


def axis_variable(axis: Axis, values: np.ndarray | None = None) -> xr.Variable:
    """An axis (or some of its values) as a coordinate with its CF attributes."""
    values = axis.values if values is None else values
    attrs = {key: value for key, value in axis.attrs.items() if key not in ("units", "calendar")}
    if axis.kind in ("time", "reference_time"):
        standard = "time" if axis.kind == "time" else "forecast_reference_time"
        return xr.Variable((axis.name,), time_values(values, axis.calendar), {"standard_name": standard} | attrs)
    if axis.kind == "step":
        return xr.Variable((axis.name,), step_values(values), {"standard_name": "forecast_period"} | attrs)
    if axis.kind == "number":
        attrs = {"standard_name": "realization"} | attrs
    if axis.kind == "vertical":
        attrs = {"axis": "Z"} | attrs
    if axis.units:
        attrs["units"] = axis.units
    return xr.Variable((axis.name,), values, attrs)


def grid_variables(grid: Grid) -> dict[str, xr.Variable]:
    """A grid's own one-dimensional coordinates, and `longitude` and `latitude` of cells where these do not say it."""
    own = {dim: xr.Variable((dim,), values, line_attrs(dim)) for dim, values in grid.coordinates().items()}
    if {"lat", "lon"} <= own.keys():
        return own
    return own | {
        "longitude": xr.Variable(grid.dims, places(grid, 0), dict(_LON)),
        "latitude": xr.Variable(grid.dims, places(grid, 1), dict(_LAT)),
    }


def line_attrs(dim: str) -> dict[str, Any]:
    """CF attributes of a spatial coordinate, by its name."""
    known = {"lon": _LON, "longitude": _LON, "lat": _LAT, "latitude": _LAT, "x": _X, "y": _Y, **_ROTATED}
    return dict(known.get(dim, {}))
