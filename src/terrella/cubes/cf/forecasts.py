"""Time as forecasts tell it: a run and its steps, where valid times and a start are given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from terrella.cubes.cf.axes import axis_of
from terrella.cubes.cf.scope import Scope
from terrella.cubes.cf.times import fields
from terrella.cubes.cf.tree import LeftOut, Variable
from terrella.model.scan import Axis

LONGEST_FORECAST = 400 * 86_400_000
"""ms; a run that goes further than this from its start is a climate, told by valid time alone."""


def scalar_axes(scope: Scope, variable: Variable, present: set[str]) -> list[Axis]:
    """Scalar coordinates that say when, at which level or in which member a variable is, as axes of length 1."""
    found: dict[str, Axis] = {}
    for name in _scalars(scope, variable):
        kind = scope.role(name)
        if kind not in {"time", "reference_time", "step", "vertical", "number", "band"} or kind in present:
            continue
        axis = _one(scope, scope.variables[name])
        if axis is not None and axis.name not in found and axis.kind not in {one.kind for one in found.values()}:
            found[axis.name] = axis
    return list(found.values())


def _scalars(scope: Scope, variable: Variable) -> list[str]:
    """Those that it lists; and the time of the whole file where nobody lists one."""
    listed = [name for name in scope.listed(variable) if not scope.variables[name].dims]
    everywhere = {name for other in scope.variables.values() for name in scope.listed(other)}
    lone = [
        name
        for name, one in scope.variables.items()
        if not one.dims and name not in everywhere and scope.role(name) in {"time", "reference_time", "number"}
    ]
    return [*listed, *lone]


def _one(scope: Scope, variable: Variable) -> Axis | None:
    try:
        axis = axis_of(scope, variable, 1)
    except LeftOut:
        return None
    if axis is None or axis.values.size != 1 or axis.kind == "other":
        return None
    if axis.kind == "band" and axis.values.dtype.kind != "U":
        return None  # rasters count their bands; a lone 1 says nothing
    is_missing = axis.values.dtype.kind == "f" and not np.isfinite(axis.values).all()
    return None if is_missing else axis


def settled(axes: list[Axis]) -> tuple[list[Axis], dict[str, Any], list[Axis]]:
    """(axes, attributes, axes dropped) with start and steps told one way.

    Valid times after one start become steps; a start of a climate run, or a step beside valid times, becomes an
    attribute.
    """
    by_kind = {axis.kind: axis for axis in axes}
    time, start, step = (by_kind.get(kind) for kind in ("time", "reference_time", "step"))
    attrs: dict[str, Any] = {}
    dropped: list[Axis] = []
    if time is not None and step is not None and start is None and step.values.size == 1:
        dropped.append(step)
        attrs["forecast_period_ms"] = int(step.values[0])
    if time is None or start is None or start.values.size != 1:
        return [axis for axis in axes if axis not in dropped], attrs, dropped
    since = time.values - start.values[0]
    is_forecast = start.calendar == time.calendar and since.size > 0
    is_analysis = since.size == 1 and since[0] == 0
    if is_forecast and not is_analysis and since.min() >= 0 and since.max() <= LONGEST_FORECAST:
        if step is not None and step.values.size == 1:
            dropped.append(step)
        steps = Axis("step", "step", since, "", "", {"standard_name": "forecast_period"})
        return [steps if axis is time else axis for axis in axes if axis not in dropped], attrs, dropped
    attrs["forecast_reference_time"] = str(fields(int(start.values[0]), start.calendar)).replace(" ", "T")
    dropped.append(start)
    if step is not None and step.values.size == 1:
        dropped.append(step)
    return [axis for axis in axes if axis not in dropped], attrs, dropped


def renamed(axis: Axis, taken: set[str]) -> Axis:
    """The axis with a name that is not taken."""
    name = axis.name
    while name in taken:
        name += "_"
    return axis if name == axis.name else replace(axis, name=name)
