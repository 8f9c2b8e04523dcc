"""Many files, one cube: merge the parts of files that agree into one index, and say which parts do agree.

Variables are the same where name, label and dimensions are. Axis values are united: times, steps and members
ascending, levels and anything else in the order in which they are first met. Where pieces overlap the later item wins
(in the order of `scans`) wherever it has a value; where it has none, the earlier one shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from terrella.contracts.cubes import CubeIndex, CubeVariable, Piece
from terrella.cubes.naming import variable_names
from terrella.cubes.tiling import Tiling, grid_family
from terrella.errors import Unsupported
from terrella.model.scan import ArrayScan, Axis, Part

Scanned = tuple[str, Part, str, str]
"""Item id, part, href, format."""

_ASCENDING = ("time", "reference_time", "step", "number")
_SHARED = (*_ASCENDING, "band")
_GREGORIAN = ("", "standard", "gregorian", "proleptic_gregorian")


def cube_key(part: Part) -> str:
    """Parts with equal keys belong in one cube: same grid or family of tiles, calendar and way of telling time.

    Variables, labels, levels and members do not enter: different variables on one grid belong together.
    """
    calendars = sorted({_calendar(axis) for axis in part.axes if axis.calendar})
    forecast = any(axis.kind in ("reference_time", "step") for axis in part.axes)
    text = json.dumps([grid_family(part.grid), calendars or ["gregorian"], "forecast" if forecast else "valid"])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def assemble(scans: Iterable[Scanned]) -> CubeIndex:
    """One index from parts with one `cube_key`. Raises Unsupported where they form no cube."""
    all_of_them = list(scans)
    if not all_of_them:
        raise Unsupported("Nothing here forms a cube.")
    _check_calendars(part for _, part, _, _ in all_of_them)
    tiling = Tiling.of([part.grid for _, part, _, _ in all_of_them])
    groups = _groups(all_of_them)
    axes = _united(groups, tiling.dims)
    names = variable_names([(group.name, group.label, group.dims, group.kinds) for group in groups])
    pairs = zip(groups, names, strict=True)
    variables = tuple(_variable(group, name, axes, tiling) for group, name in pairs)
    return CubeIndex(tiling.grid, axes.all, tuple(sorted(variables, key=lambda one: one.name)))


@dataclass(eq=False)
class _Member:
    """One array of one file, with its axes."""

    item: str
    href: str
    format: str
    array: ArrayScan
    axes: dict[str, Axis]
    grid: dict[str, Any]


@dataclass(eq=False)
class _Group:
    """Arrays that become one variable. `axes` maps the names of its axes to their names in the cube."""

    name: str
    label: str
    dims: tuple[str, ...]
    kinds: tuple[str, ...]
    members: list[_Member] = field(default_factory=list)
    axes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Axes:
    all: tuple[Axis, ...]

    def named(self, name: str) -> Axis:
        return next(axis for axis in self.all if axis.name == name)


def _calendar(axis: Axis) -> str:
    name = axis.calendar.casefold()
    return "gregorian" if name in _GREGORIAN else {"365_day": "noleap", "366_day": "all_leap"}.get(name, name)


def _check_calendars(parts: Iterable[Part]) -> None:
    found = {_calendar(axis) for part in parts for axis in part.axes if axis.calendar}
    if len(found) > 1:
        raise Unsupported(f"Times in different calendars form no cube: {', '.join(sorted(found))}.")


def _groups(scans: Sequence[Scanned]) -> list[_Group]:
    """Arrays by (name, label, axes), in the order in which they are met."""
    found: dict[tuple[Any, ...], _Group] = {}
    for item, part, href, fmt in scans:
        axes = {axis.name: axis for axis in part.axes}
        for array in part.arrays:
            if np.dtype(array.dtype).kind not in "biuf":
                continue  # text and dates are no quantities on a grid
            used = tuple(dim for dim in array.dims if dim in axes)
            key = (array.name, part.label, frozenset((dim, axes[dim].units) for dim in used))
            if key not in found:
                kinds = tuple(axes[dim].kind for dim in used)
                found[key] = _Group(array.name, part.label, used, kinds)
            found[key].members.append(_Member(item, href, fmt, array, axes, part.grid))
    if not found:
        raise Unsupported("No variable here has numbers on a grid.")
    return list(found.values())


def _united(groups: list[_Group], spatial: tuple[str, ...]) -> _Axes:
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
    return _Axes(tuple(sorted(made, key=_axis_order)))


def _sharing(users: list[_Group], name: str) -> list[list[_Group]]:
    """Groups that share one axis, largest set first: all of them for shared kinds, else where values meet.

    2 m temperature and 10 m wind both have a height, and yet nobody wants a cube with two heights half empty.
    """
    first = users[0].members[0].axes[name]
    units = {member.axes[name].units for group in users for member in group.members}
    if first.kind in _SHARED and len(units) == 1:
        return [users]
    families: list[tuple[set[Any], list[_Group]]] = []
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
        return replace(first, values=np.unique(values))
    if len(distinct) == 1 and len(set(values.tolist())) == values.size:
        return first
    return replace(first, values=_in_order(values, distinct))


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


def _variable(group: _Group, name: str, axes: _Axes, tiling: Tiling) -> CubeVariable:
    """One variable with its pieces in place. Its axes stand in the cube's order, then space."""
    ordered = [axis for axis in axes.all if axis.name in group.axes.values()]
    source = {new: old for old, new in group.axes.items()}
    lookups = {axis.name: _Lookup(axis.values) for axis in ordered}
    pieces: dict[tuple[Any, ...], Piece] = {}
    for member in group.members:
        placed = [lookups[axis.name].places(member.axes[source[axis.name]].values) for axis in ordered]
        positions = (*placed, *tiling.positions(member.grid))
        key = tuple(None if one is None else one.tobytes() for one in positions)
        pieces.pop(key, None)  # the later item covers all of the earlier one
        array = _renamed(member.array, group.axes)
        pieces[key] = Piece(member.href, member.format, member.item, array, positions)
    shape = (*(axis.values.size for axis in ordered), *tiling.shape)
    dims = (*(axis.name for axis in ordered), *tiling.dims)
    chosen = tuple(pieces.values())
    return CubeVariable(name, dims, shape, _dtype(chosen, shape), _attrs(group.members), chosen)


def _renamed(array: ArrayScan, axes: dict[str, str]) -> ArrayScan:
    if all(old == new for old, new in axes.items()):
        return array
    return replace(array, dims=tuple(axes.get(dim, dim) for dim in array.dims))


class _Lookup:
    """Where values stand on an axis."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self._places: dict[bytes, np.ndarray | None] = {}
        self._index = {value: place for place, value in enumerate(values.tolist())}

    def places(self, wanted: np.ndarray) -> np.ndarray | None:
        """Positions, int64; None where the values are the axis itself."""
        key = wanted.tobytes()
        if key not in self._places:
            found = np.array([self._index[value] for value in wanted.tolist()], dtype=np.int64)
            whole = found.size == self._values.size and np.array_equal(found, np.arange(found.size))
            self._places[key] = None if whole else found
        return self._places[key]


def _attrs(members: list[_Member]) -> dict[str, Any]:
    """Attributes on which all files agree."""
    first = members[0].array.attrs
    others = {id(member.array.attrs): member.array.attrs for member in members[1:]}.values()
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}


def _dtype(pieces: tuple[Piece, ...], shape: tuple[int, ...]) -> str:
    """Of values: a float that holds them exactly; an integer only where nothing is packed or can be missing."""
    kinds = {np.dtype(piece.array.dtype) for piece in pieces}
    joined = np.result_type(*kinds)
    plain = all(piece.array.packing.is_plain for piece in pieces)
    if joined.kind in "biu" and plain and _is_full(pieces, shape):
        return "|u1" if joined.kind == "b" else joined.newbyteorder("<").str
    if joined.kind == "f":
        return "<f8" if joined.itemsize > 4 else "<f4"
    return "<f4" if joined.itemsize <= 2 else "<f8"


def _is_full(pieces: tuple[Piece, ...], shape: tuple[int, ...]) -> bool:
    """Whether pieces surely fill the variable: one that spans it all, with every chunk stored."""
    for piece in pieces:
        table = piece.array.table
        spans = all(
            one is None or one.size == size == np.unique(one).size
            for one, size in zip(piece.positions, shape, strict=True)
        )
        if spans and (table is None or bool((table.lengths > 0).all())):
            return True
    return False
