"""A dimension of a file, and scalar coordinates beside it, as an `Axis`."""

from __future__ import annotations

from typing import Any

import numpy as np

from terrella.cubes.cf import times
from terrella.cubes.cf.attributes import decoded, kept, text
from terrella.cubes.cf.roles import is_number, is_text
from terrella.cubes.cf.scope import Scope
from terrella.cubes.cf.tree import LeftOut, Variable
from terrella.model.scan import Axis, AxisKind

_KINDS: dict[str, AxisKind] = {
    "time": "time",
    "reference_time": "reference_time",
    "step": "step",
    "vertical": "vertical",
    "number": "number",
    "band": "band",
}
_SLACK = 1000
"""Milliseconds by which rounding may move a time out of its bounds."""
_FIXED = ("time", "reference_time", "step", "number", "band")


def axis_along(scope: Scope, dim: str, size: int, variable: Variable) -> Axis:
    """The axis of a dimension, by its best coordinate; 0..n-1 where it has none. Raises LeftOut."""
    key = (dim, size, text(variable.attrs.get("coordinates")))
    if key not in scope.axes:
        scope.axes[key] = _axis_along(scope, dim, size, variable)
    return scope.axes[key]


def _axis_along(scope: Scope, dim: str, size: int, variable: Variable) -> Axis:
    for name in _candidates(scope, dim, variable):
        found = axis_of(scope, scope.variables[name], size)
        if found is not None:
            return found
    kind: AxisKind = "number" if dim.casefold() in {"number", "realization", "member", "ensemble"} else "other"
    kind = "band" if dim.casefold() in {"band", "bands"} else kind
    return Axis(kind if kind != "other" else dim, kind, np.arange(size, dtype=np.int64))


def _candidates(scope: Scope, dim: str, variable: Variable) -> list[str]:
    """Coordinates along a dimension, best first: times before anything, then its own, then listed ones."""
    names = [dim] if scope.along(dim) is not None else []
    listed = [name for name in scope.listed(variable) if scope.variables[name].dims[:1] == (dim,)]
    others = [name for name, one in scope.variables.items() if one.dims == (dim,) and name in scope.supporting]
    every = list(dict.fromkeys([*names, *listed, *others]))
    useful = [name for name in every if _fits(scope.variables[name], dim)]
    bounds = _bounds_names(scope)
    useful = [name for name in useful if name not in bounds]
    clocks = [name for name in useful if scope.role(name) == "time" and _has_time(scope.variables[name])]
    if names and scope.role(dim) in {"reference_time", "step"}:
        clocks = []
    meaningful = [name for name in useful if name == dim or _says_more(scope, name)]
    return list(dict.fromkeys([*clocks, *meaningful]))


def _bounds_names(scope: Scope) -> set[str]:
    return {text(one.attrs.get("bounds")) for one in scope.variables.values()}


def _fits(variable: Variable, dim: str) -> bool:
    is_column = variable.dims == (dim,)
    return is_column or (variable.dims[:1] == (dim,) and len(variable.dims) == 2 and _is_characters(variable))


def _is_characters(variable: Variable) -> bool:
    return variable.dtype is not None and variable.dtype.kind == "S" and variable.dtype.itemsize == 1


def _has_time(variable: Variable) -> bool:
    is_date = variable.dtype is not None and variable.dtype.kind == "M"
    return is_date or times.is_time_units(text(variable.attrs.get("units")))


def _says_more(scope: Scope, name: str) -> bool:
    """Whether a coordinate that is not the dimension's own may stand for it."""
    return is_text(scope.variables[name]) or scope.role(name) in {"vertical", "number", "step", "band"}


def axis_of(scope: Scope, variable: Variable, size: int) -> Axis | None:
    """A coordinate variable as an axis; None where it cannot be one. Raises LeftOut for a broken time axis."""
    if variable.dtype is None or variable.size > 50_000_000:
        return None
    kind = _KINDS.get(scope.role(variable.name), "other")
    name = kind if kind in _FIXED else variable.name.rsplit("/", 1)[-1]
    attrs = _attrs(variable)
    if variable.dtype.kind in "Mm":
        return _dated(variable, name, attrs)
    if is_text(variable):
        return _worded(variable, kind, name, attrs, size)
    if not is_number(variable):
        return None
    values = scope.values(variable.name).reshape(-1)
    units = text(variable.attrs.get("units"))
    if kind in {"time", "reference_time"}:
        return _timed(scope, variable, kind, values, attrs)
    if kind == "step":
        return _stepped(values, units, attrs, variable.name)
    return Axis(name, kind, _tidy(values, variable), units, "", attrs)


def _attrs(variable: Variable) -> dict[str, Any]:
    chosen = kept(variable.attrs)
    wanted = ("standard_name", "long_name", "positive", "axis", "formula_terms", "comment", "description")
    return {key: chosen[key] for key in wanted if key in chosen}


def _timed(scope: Scope, variable: Variable, kind: AxisKind, values: np.ndarray, attrs: dict[str, Any]) -> Axis | None:
    units, calendar = text(variable.attrs.get("units")), text(variable.attrs.get("calendar"))
    if not times.is_time_units(units):
        return None  # called time, but says nothing of when
    try:
        made, name = times.decode(values, units, calendar)
    except times.NotTime as error:
        raise LeftOut(f"because of its time {variable.name!r}: {error}") from None
    return Axis(kind, kind, made, "", name, attrs, _time_bounds(scope, variable, made) if kind == "time" else None)


def _time_bounds(scope: Scope, variable: Variable, stamps: np.ndarray) -> np.ndarray | None:
    """Starts and ends in ms (CF 7.1); None where there are none, or none that hold their times.

    Bounds of a climatology (CF 7.4) reach over many years and say nothing of the part of the year: they are left out.
    """
    bounds = scope.variables.get(text(variable.attrs.get("bounds")))
    if bounds is None or bounds.shape != (stamps.size, 2) or not is_number(bounds):
        return None
    units = text(bounds.attrs.get("units")) or text(variable.attrs.get("units"))
    calendar = text(bounds.attrs.get("calendar")) or text(variable.attrs.get("calendar"))
    try:
        found = np.sort(times.decode(scope.values(bounds.name), units, calendar)[0], axis=1)
    except times.NotTime:
        return None
    low, high = found.T
    holds = (low - _SLACK <= stamps) & (stamps <= high + _SLACK)
    return found if holds.all() and (low < high).any() else None


def _stepped(values: np.ndarray, units: str, attrs: dict[str, Any], name: str) -> Axis | None:
    try:
        return Axis("step", "step", times.durations(values, units), "", "", attrs)
    except times.NotTime:
        return Axis(name.rsplit("/", 1)[-1], "other", values, units, "", attrs)


def _dated(variable: Variable, name: str, attrs: dict[str, Any]) -> Axis:
    """Numpy's own dates and durations, as Zarr v3 may store them."""
    assert variable.dtype is not None
    raw = np.asarray(variable.read()).reshape(-1)
    if np.isnat(raw).any():
        raise LeftOut(f"because some values of {variable.name!r} are missing")
    if variable.dtype.kind == "m":
        return Axis("step", "step", raw.astype("m8[ms]").astype(np.int64), "", "", attrs)
    kind: AxisKind = "reference_time" if name == "reference_time" else "time"
    return Axis(kind, kind, raw.astype("M8[ms]").astype(np.int64), "", "standard", attrs)


def _worded(variable: Variable, kind: AxisKind, name: str, attrs: dict[str, Any], size: int) -> Axis | None:
    words = texts(variable)
    if len(words) != size or not words:
        return None
    if kind == "time" or name.casefold() in {"time", "times", "valid_time"}:
        try:
            return Axis("time", "time", times.from_text(words), "", "standard", attrs)
        except times.NotTime:
            pass
    return Axis(name, "other" if kind == "time" else kind, np.array(words, dtype=str), "", "", attrs)


def texts(variable: Variable) -> list[str]:
    """Values of a text variable; rows of single characters are joined."""
    raw = np.asarray(variable.read())
    if _is_characters(variable) and raw.ndim:
        rows = raw.reshape(-1, raw.shape[-1])
        return [decoded(b"".join(row.tolist())).strip() for row in rows]
    return [decoded(one) if isinstance(one, bytes) else str(one) for one in raw.reshape(-1).tolist()]


def _tidy(values: np.ndarray, variable: Variable) -> np.ndarray:
    """Floats stored in 4 bytes as their shortest decimal: 0.1, not 0.10000000149, is what people ask for."""
    if values.dtype.kind == "f" and variable.dtype is not None and variable.dtype.itemsize == 4:
        with np.errstate(over="ignore"):
            short = values.astype(np.float32)
        return np.array([float(str(one)) for one in short], dtype=np.float64)
    if values.dtype.kind == "u":
        return values.astype(np.float64)
    return values
