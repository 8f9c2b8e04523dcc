"""`cube:dimensions` and `cube:variables` of the STAC datacube extension, from axes, grids and arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.catalog.identity import identity
from terrella.catalog.periods import covered
from terrella.encodings.calendars import iso, rfc3339

if TYPE_CHECKING:
    from terrella.contracts.cubes import CubeVariable
    from terrella.contracts.grids import Grid
    from terrella.model.scan import ArrayScan, Axis
    from terrella.model.stac import Document

MOST_VALUES = 200
"""Longer axes are described by extent and step, or else by their extent alone."""

_VERTICAL_UNITS = ("pressure", "height", "depth", "model_level")
_KEPT = ("standard_name", "long_name", "positive", "flag_values", "flag_meanings", "cell_methods")


def cube_dimensions(axes: Sequence[Axis], grid: Grid) -> Document:
    """All dimensions, space last. Odd calendars keep their dates under `terrella:calendar`."""
    return {axis.name: _axis(axis) for axis in axes} | _spatial(grid)


def _axis(axis: Axis) -> Document:
    if axis.kind in ("time", "reference_time"):
        return _temporal(axis)
    made: Document = {"type": {"band": "bands"}.get(axis.kind, axis.kind)}
    if axis.kind == "vertical":
        made = {"type": "spatial", "axis": "z"}
    if axis.kind == "step":
        hours = (axis.values / 3_600_000).tolist()
        return made | {"values": hours, "unit": "h", "description": "Time since the reference time."}
    values = axis.values.tolist()
    if axis.values.dtype.kind in "iuf" and axis.values.size:
        made["extent"] = [min(values), max(values)]
    if len(values) <= MOST_VALUES or axis.values.dtype.kind not in "iuf":
        made["values"] = values
    elif (step := _even(axis.values)) is not None:
        made["step"] = step
    if axis.kind == "other" and "extent" not in made:
        made.setdefault("values", values)
    if axis.units:
        made["unit"] = axis.units
    if text := axis.attrs.get("long_name") or axis.attrs.get("standard_name"):
        made["description"] = str(text)
    return made


def _temporal(axis: Axis) -> Document:
    made: Document = {"type": "temporal"}
    if axis.values.size:
        low, high = rfc3339(np.array(covered(axis)), axis.calendar)
        made["extent"] = [low, high]
    if axis.values.size <= MOST_VALUES:
        made["values"] = iso(axis.values, axis.calendar)
    elif (step := _even(axis.values)) is not None:
        made["step"] = _duration(int(step))
    if axis.calendar not in ("", "standard", "gregorian", "proleptic_gregorian"):
        made["terrella:calendar"] = axis.calendar
    if axis.kind == "reference_time":
        made["description"] = "Start of the forecast."
    return made


def _even(values: np.ndarray) -> float | None:
    steps = np.diff(values)
    if steps.size and np.allclose(steps, steps[0], rtol=1e-6, atol=0):
        return float(steps[0])
    return None


def _duration(milliseconds: int) -> str:
    """ISO 8601."""
    seconds, rest = divmod(milliseconds, 1000)
    if rest:
        return f"PT{milliseconds / 1000}S"
    for size, unit in ((86_400, "D"), (3_600, "H"), (60, "M")):
        if seconds % size == 0:
            return f"P{seconds // size}D" if unit == "D" else f"PT{seconds // size}{unit}"
    return f"PT{seconds}S"


def _spatial(grid: Grid) -> Document:
    if len(grid.dims) == 1:
        return {
            grid.dims[0]: {"type": "cell", "extent": [0, grid.size - 1], "description": f"Cells of a {grid.kind} grid."}
        }
    coordinates = grid.coordinates()
    made: Document = {}
    for name, axis in zip(grid.dims, ("y", "x"), strict=True):
        size = grid.shape[grid.dims.index(name)]
        values = coordinates.get(name)
        one: Document = {"type": "spatial", "axis": axis, "reference_system": _reference(grid)}
        if values is None or not values.size:
            one["extent"] = [0, size - 1]
            one["description"] = "Index along a curvilinear grid; longitude and latitude are two-dimensional."
        else:
            one["extent"] = [float(np.nanmin(values)), float(np.nanmax(values))]
            step = _even(values) if values.size > 1 else None
            one["step"] = abs(step) if step is not None else None
        made[name] = one
    return made


def _reference(grid: Grid) -> Any:
    """EPSG number, or WKT2."""
    code = grid.crs.removeprefix("EPSG:")
    return int(code) if code.isdigit() else grid.crs or 4326


def cube_variables(variables: Iterable[ArrayScan | CubeVariable], axes: Sequence[Axis] = ()) -> Document:
    """All variables. Those of CF files bear the names that GRIB fields of their parameter have, where that is clear.

    `axes` are those of the variables: the one height of a variable is part of what it is.
    """
    return {one.name: _variable(one, axes) for one in variables}


def _variable(one: ArrayScan | CubeVariable, axes: Sequence[Axis]) -> Document:
    made: Document = {"type": "data", "dimensions": list(one.dims)}
    if text := one.attrs.get("long_name") or one.attrs.get("standard_name"):
        made["description"] = str(text)
    if unit := one.attrs.get("units"):
        made["unit"] = str(unit)
    for key, value in one.attrs.items():
        if key in _KEPT or key.startswith(("mars:", "grib:")):
            made[key] = _plain(value)
    return made | identity(one, axes)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
