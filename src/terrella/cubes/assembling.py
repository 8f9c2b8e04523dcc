"""Many files, one cube: merge the parts of files that agree into one index, and say which parts do agree.

Variables are the same where name, label and dimensions are. Axis values are united: times, steps and members
ascending, levels and anything else in the order in which they are first met. Where pieces overlap the later item wins
(in the order of `scans`) wherever it has a value; where it has none, the earlier one shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from terrella.contracts.cubes import CubeIndex, CubeVariable, Piece
from terrella.cubes.naming import variable_names
from terrella.cubes.tiling import Tiling, grid_family
from terrella.cubes.uniting import Group, Member, united
from terrella.errors import Unsupported
from terrella.model.scan import ArrayScan, Axis, Part

Scanned = tuple[str, Part, str, str]
"""Item id, part, href, format."""

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
    groups = _groups(all_of_them, tiling.dims)
    axes = united(groups, tiling.dims)
    names = variable_names([(group.name, group.label, group.dims, group.kinds) for group in groups])
    pairs = zip(groups, names, strict=True)
    variables = tuple(_variable(group, name, axes, tiling) for group, name in pairs)
    return CubeIndex(tiling.grid, axes, tuple(sorted(variables, key=lambda one: one.name)))


def _calendar(axis: Axis) -> str:
    name = axis.calendar.casefold()
    return "gregorian" if name in _GREGORIAN else {"365_day": "noleap", "366_day": "all_leap"}.get(name, name)


def _check_calendars(parts: Iterable[Part]) -> None:
    found = {_calendar(axis) for part in parts for axis in part.axes if axis.calendar}
    if len(found) > 1:
        raise Unsupported(f"Times in different calendars form no cube: {', '.join(sorted(found))}.")


def _groups(scans: Sequence[Scanned], space: tuple[str, ...]) -> list[Group]:
    """Arrays by (name, label, axes), in the order in which they are met."""
    found: dict[tuple[Any, ...], Group] = {}
    for item, part, href, fmt in scans:
        axes = {axis.name: axis for axis in part.axes}
        for array in part.arrays:
            if np.dtype(array.dtype).kind not in "biuf" or array.dims[-len(space) :] != space:
                continue  # text, dates and single series are no quantities on a grid
            used = tuple(dim for dim in array.dims if dim in axes)
            key = (array.name, part.label, frozenset((dim, axes[dim].units) for dim in used))
            if key not in found:
                kinds = tuple(axes[dim].kind for dim in used)
                found[key] = Group(array.name, part.label, used, kinds)
            found[key].members.append(Member(item, href, fmt, array, axes, part.grid))
    if not found:
        raise Unsupported("No variable here has numbers on a grid.")
    return list(found.values())


def _variable(group: Group, name: str, axes: tuple[Axis, ...], tiling: Tiling) -> CubeVariable:
    """One variable with its pieces in place. Its axes stand in the cube's order, then space."""
    ordered = [axis for axis in axes if axis.name in group.axes.values()]
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


def _attrs(members: list[Member]) -> dict[str, Any]:
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
