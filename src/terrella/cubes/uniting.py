"""Axes of many files into the axes of one cube."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from terrella.model.scan import ArrayScan, Axis

_ASCENDING = ("time", "reference_time", "step", "number")
_SHARED = (*_ASCENDING, "band")


@dataclass(eq=False)
class Member:
    """One array of one file, with its axes."""

    item: str
    href: str
    format: str
    array: ArrayScan
    axes: dict[str, Axis]
    grid: dict[str, Any]


@dataclass(eq=False)
class Group:
    """Arrays that become one variable. `axes` maps the names of its axes to their names in the cube."""

    name: str
    label: str
    dims: tuple[str, ...]
    kinds: tuple[str, ...]
    members: list[Member] = field(default_factory=list)
    axes: dict[str, str] = field(default_factory=dict)


def united(groups: list[Group], spatial: tuple[str, ...]) -> tuple[Axis, ...]:
    """The cube's axes. Times, members and bands are shared by all variables; others where their values meet."""
    made: list[Axis] = []
    for name in dict.fromkeys(dim for group in groups for dim in group.dims):
        users = [group for group in groups if name in group.dims]
        for number, same in enumerate(_sharing(users, name)):
            axis = _union([member.axes[name] for group in same for member in group.members])
            renamed = name if number == 0 and name not in spatial else _other_name(axis, number, made)
            made.append(replace(axis, name=renamed))
            for group in same:
                group.axes[name] = renamed
    return tuple(sorted(made, key=_axis_order))


def _sharing(users: list[Group], name: str) -> list[list[Group]]:
    """Groups that share one axis, largest set first: all of them for shared kinds, else where values meet.

    2 m temperature and 10 m wind both have a height, and yet nobody wants a cube with two heights half empty.
    """
    first = users[0].members[0].axes[name]
    units = {member.axes[name].units for group in users for member in group.members}
    if first.kind in _SHARED and len(units) == 1:
        return [users]
    families: list[tuple[set[Any], list[Group]]] = []
    for group in users:
        mine = {(m.axes[name].units, v) for m in group.members for v in m.axes[name].values.tolist()}
        meeting = [family for family in families if family[0] & mine]
        for family in meeting:
            families.remove(family)
            mine |= family[0]
        families.append((mine, [one for family in meeting for one in family[1]] + [group]))
    families.sort(key=lambda family: -len(family[0]))
    return [family[1] for family in families]


def _other_name(axis: Axis, number: int, made: list[Axis]) -> str:
    value = axis.values.tolist()[0] if axis.values.size == 1 else None
    name = f"{axis.name}_{value:g}" if isinstance(value, int | float) else f"{axis.name}_{number + 1}"
    while any(other.name == name for other in made):
        name += "_"
    return name


def _axis_order(axis: Axis) -> tuple[int, str]:
    order = ("number", "reference_time", "time", "step", "vertical", "band", "other")
    return order.index(axis.kind), axis.name


def _union(axes: list[Axis]) -> Axis:
    """All values once: ascending for times, steps and members, else in the order of the first axis that has them."""
    first = axes[0]
    distinct = list({axis.values.tobytes(): axis for axis in axes}.values())
    values = distinct[0].values
    if len(distinct) > 1:
        values = np.concatenate([axis.values for axis in distinct])
    if first.kind in _ASCENDING and values.dtype.kind in "iuf":
        values = np.unique(values)
    elif len(distinct) > 1 or len(set(values.tolist())) < values.size:
        values = _in_order(values, distinct)
    return replace(first, values=values, bounds=_bounds(values, axes))


def _bounds(values: np.ndarray, axes: list[Axis]) -> np.ndarray | None:
    """Of all values: those on which all axes that have them agree, no cell for any other; None where none has any."""
    known = {id(axis.bounds): (axis.values, axis.bounds) for axis in axes if axis.bounds is not None}
    if not known or values.dtype.kind not in "iuf":
        return None
    found: dict[Any, tuple[Any, Any]] = {}
    for own, bounds in known.values():
        for value, (low, high) in zip(own.tolist(), bounds.tolist(), strict=True):
            is_same = found.setdefault(value, (low, high)) == (low, high)
            found[value] = (low, high) if is_same else (value, value)
    kind = np.result_type(*(bounds for _, bounds in known.values()))
    return np.array([found.get(value, (value, value)) for value in values.tolist()], dtype=kind)


def _in_order(values: np.ndarray, axes: list[Axis]) -> np.ndarray:
    """Distinct values; kept falling or rising where every axis is so, otherwise as first met."""
    once = np.array(list(dict.fromkeys(values.tolist())), dtype=values.dtype)
    if values.dtype.kind not in "iuf":
        return once
    steps = [np.diff(axis.values) for axis in axes]
    falling = any((step < 0).any() for step in steps)
    rising = any((step > 0).any() for step in steps)
    if falling and rising:
        return once
    return np.sort(once)[::-1] if falling else np.sort(once)
