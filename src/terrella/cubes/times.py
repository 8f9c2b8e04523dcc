"""Time axes: valid times out of reference times and steps, and coordinate values as xarray has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cftime
import numpy as np

from terrella.contracts.cubes import CubeIndex, CubeVariable
from terrella.model.scan import Axis

_GREGORIAN = ("", "standard", "gregorian", "proleptic_gregorian")
_GREGORIAN_START = -12_219_292_800_000
"""1582-10-15, in ms since 1970: before it 'standard' is Julian."""
_NANOSECOND_MS = 9_223_372_036_854
"""Largest distance from 1970, in ms, that datetime64[ns] holds (years 1678 to 2262)."""


def time_values(values: np.ndarray, calendar: str) -> np.ndarray:
    """Milliseconds since 1970 in a calendar as datetime64[ns]; as cftime objects where that cannot hold them."""
    name = calendar.casefold()
    if name in _GREGORIAN and (not values.size or int(np.abs(values).max()) <= _NANOSECOND_MS):
        proleptic = name == "proleptic_gregorian" or not values.size or int(values.min()) >= _GREGORIAN_START
        if proleptic:
            return values.astype("datetime64[ms]").astype("datetime64[ns]")
    dates = cftime.num2date(values, "milliseconds since 1970-01-01", calendar=name or "standard")
    return np.asarray(dates, dtype=object)


def step_values(values: np.ndarray) -> np.ndarray:
    """Milliseconds as timedelta64[ns]."""
    return values.astype("timedelta64[ms]").astype("timedelta64[ns]")


def valid_axis(reference: Axis, values: np.ndarray) -> Axis:
    """The axis of valid times that stands for a single reference time, or a single step."""
    attrs: dict[str, Any] = {"standard_name": "time", "long_name": "valid time"}
    return Axis("time", "time", values, "", reference.calendar, attrs)


def with_valid_times(index: CubeIndex) -> tuple[CubeIndex, dict[str, Axis]]:
    """The index with one `time` axis in place of a reference time and steps of which one is single.

    Also returns what became a scalar, by name. Where both have several values they stay as they are.
    """
    axes = {axis.name: axis for axis in index.axes}
    reference, step = axes.get("reference_time"), axes.get("step")
    if reference is None or "time" in axes:
        return index, {}
    if step is None:
        return _replaced(index, ("reference_time",), valid_axis(reference, reference.values)), {}
    if reference.values.size > 1 and step.values.size > 1:
        return index, {}
    uses = {frozenset(("reference_time", "step")) & set(one.dims) for one in index.variables}
    if frozenset(("step",)) in uses or (frozenset(("reference_time",)) in uses and step.values.size > 1):
        return index, {}
    scalar = {one.name: one for one in (reference, step) if one.values.size == 1}
    times = valid_axis(reference, reference.values + step.values)
    return _replaced(index, ("reference_time", "step"), times), scalar


def _replaced(index: CubeIndex, old: tuple[str, ...], times: Axis) -> CubeIndex:
    axes = [times if axis.name == old[0] else axis for axis in index.axes if axis.name not in old[1:]]
    variables = tuple(_with_time(variable, old) for variable in index.variables)
    return CubeIndex(index.grid, tuple(axes), variables, index.attrs)


def _with_time(variable: CubeVariable, old: tuple[str, ...]) -> CubeVariable:
    """The variable with `time` where the longer of the two was; the single one goes."""
    mine = [dim for dim in old if dim in variable.dims]
    if not mine:
        return variable
    sizes = {dim: variable.shape[variable.dims.index(dim)] for dim in mine}
    longest = max(mine, key=lambda dim: sizes[dim])
    keep = [place for place, dim in enumerate(variable.dims) if dim not in old or dim == longest]
    pieces = tuple(replace(one, positions=tuple(one.positions[place] for place in keep)) for one in variable.pieces)
    dims = tuple("time" if variable.dims[place] == longest else variable.dims[place] for place in keep)
    shape = tuple(variable.shape[place] for place in keep)
    return replace(variable, dims=dims, shape=shape, pieces=pieces)
