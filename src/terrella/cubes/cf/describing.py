"""From a tree of variables to parts: which variables are data, on which grid, along which axes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from terrella.cubes.cf.attributes import kept, text
from terrella.cubes.cf.axes import axis_along, texts
from terrella.cubes.cf.forecasts import renamed, scalar_axes, settled
from terrella.cubes.cf.layout import arrange
from terrella.cubes.cf.packing import NETCDF_FILL, packing, stored_dtype
from terrella.cubes.cf.roles import is_number, is_text
from terrella.cubes.cf.scope import Scope
from terrella.cubes.cf.space import Places, Spot
from terrella.cubes.cf.tree import LayoutOf, LeftOut, Notes, Tree, Variable
from terrella.model.scan import ArrayScan, Axis, Packing, Part

_MOST_AXIS_VALUES = 50_000_000


@dataclass(frozen=True, eq=False)
class _Placed:
    """A variable with its axes (in the order of its dimensions) and its grid."""

    variable: Variable
    group: str
    spot: Spot
    axes: tuple[Axis, ...]
    order: tuple[int, ...]
    insert: tuple[int, ...]
    attrs: dict[str, Any]


@dataclass(eq=False)
class _Gathered:
    """What becomes one part."""

    grid: dict[str, Any]
    axes: dict[str, Axis] = field(default_factory=dict)
    placed: list[_Placed] = field(default_factory=list)

    def takes(self, one: _Placed) -> bool:
        return all(_same(axis, self.axes.get(axis.name, axis)) for axis in one.axes)

    def add(self, one: _Placed) -> None:
        self.axes.update({axis.name: axis for axis in one.axes})
        self.placed.append(one)


def parts(tree: Tree, layout: LayoutOf, notes: Notes) -> tuple[Part, ...]:
    """Every variable of the file that has numbers and a position; what is left out is noted."""
    gathered: list[tuple[str, _Gathered]] = []
    for scope in _scopes(tree, {}):
        for one in _placed(scope, notes):
            key = json.dumps(one.spot.document, sort_keys=True)
            home = next((there for grid, there in gathered if grid == key and there.takes(one)), None)
            if home is None:
                home = _Gathered(one.spot.document)
                gathered.append((key, home))
            home.add(one)
    made = [_part(one, layout, notes) for _, one in gathered]
    return _labelled([(part, one) for part, (_, one) in zip(made, gathered, strict=True) if part.arrays])


def _scopes(tree: Tree, around: dict[str, Variable]) -> Iterator[Scope]:
    scope = Scope(tree, around)
    yield scope
    inherited = {name: one for name, one in scope.variables.items() if name in scope.supporting}
    for group in tree.groups:
        yield from _scopes(group, inherited)


def _placed(scope: Scope, notes: Notes) -> Iterator[_Placed]:
    places = Places(scope)
    for name, variable in scope.own.items():
        if name in scope.supporting:
            continue
        shown = _full_name(scope.tree, name)
        if reason := _unusable(variable):
            notes.add(reason, shown)
            continue
        try:
            yield _place(scope, places, variable)
        except LeftOut as error:
            if variable.shape:
                notes.add(str(error), shown)


def _full_name(tree: Tree, name: str) -> str:
    return f"{tree.name}/{name}" if tree.name else name


def _unusable(variable: Variable) -> str:
    if is_text(variable):
        return "it holds text"
    if not is_number(variable):
        return "its values are no plain numbers"
    return "it has no values yet" if 0 in variable.shape else ""


def _place(scope: Scope, places: Places, variable: Variable) -> _Placed:
    spot = places.of(variable)
    spatial = [dim for dim in spot.dims if dim is not None]
    if len(set(variable.dims)) != len(variable.dims):
        raise LeftOut("two of its dimensions are the same")
    sizes = dict(zip(variable.dims, variable.shape, strict=True))
    file_axes = [dim for dim in variable.dims if dim not in spatial]
    if sum(sizes[dim] for dim in file_axes) > _MOST_AXIS_VALUES:
        raise LeftOut("it has too many steps along its dimensions")
    along = {dim: axis_along(scope, dim, sizes[dim], variable) for dim in file_axes}
    lone = scalar_axes(scope, variable, {axis.kind for axis in along.values()})
    axes, attrs = _named([*lone, *along.values()], len(lone), spot)
    order = tuple(variable.dims.index(dim) for dim in (*file_axes, *spatial))
    gaps = (len(axes) + place for place, dim in enumerate(spot.dims) if dim is None)
    insert = (*range(len(axes) - len(file_axes)), *gaps)
    return _Placed(variable, scope.tree.name, spot, tuple(axes), order, insert, attrs)


def _named(axes: list[Axis], lone: int, spot: Spot) -> tuple[list[Axis], dict[str, Any]]:
    """Axes with distinct names. Only scalar ones, which come first, may be dropped; valid times may become steps."""
    final, attrs, dropped = settled(axes)
    if any(axis in dropped for axis in axes[lone:]):
        final, attrs = axes, {}  # a dimension of the file stays
    taken = set(spot.grid.dims)
    made: list[Axis] = []
    for axis in final:
        made.append(renamed(axis, taken))
        taken.add(made[-1].name)
    return made, attrs


def _same(one: Axis, other: Axis) -> bool:
    if one is other:
        return True
    alike = (one.kind, one.units, one.calendar) == (other.kind, other.units, other.calendar)
    return alike and np.array_equal(one.values, other.values)


def _part(gathered: _Gathered, layout: LayoutOf, notes: Notes) -> Part:
    arrays = []
    for one in gathered.placed:
        try:
            arrays.append(_array(one, layout))
        except LeftOut as reason:
            notes.add(str(reason), _array_name(one))
    used = {dim for array in arrays for dim in array.dims}
    axes = tuple(axis for name, axis in gathered.axes.items() if name in used)
    return Part(gathered.grid, axes, tuple(arrays))


def _array_name(one: _Placed) -> str:
    return f"{one.group}/{one.variable.name}" if one.group else one.variable.name


def _array(one: _Placed, layout: LayoutOf) -> ArrayScan:
    variable = one.variable
    stored = layout(variable)
    kept_layout, shape = arrange(variable.shape, stored, one.order, one.insert)
    dims = (*(axis.name for axis in one.axes), *one.spot.grid.dims)
    if shape[len(one.axes) :] != tuple(one.spot.grid.shape):
        raise LeftOut("its shape is not that of its grid")
    attrs = {**kept(variable.attrs), **one.attrs}
    pack = packing(variable)
    if kept_layout.table is not None and not kept_layout.table.lengths.all():
        pack = _with_gaps(pack, stored_dtype(variable))
    table, codec, chunks = kept_layout.table, kept_layout.codec, kept_layout.chunks
    return ArrayScan(_array_name(one), dims, shape, chunks, stored_dtype(variable).str, codec, table, pack, attrs)


def _with_gaps(pack: Packing, dtype: np.dtype[Any]) -> Packing:
    """Where chunks are not stored values are missing, and the packing of integers must say that they can be."""
    if pack.missing or dtype.kind == "f":
        return pack
    return replace(pack, missing=(NETCDF_FILL[dtype.str[1:]],))


def _labelled(made: list[tuple[Part, _Gathered]]) -> tuple[Part, ...]:
    """Parts with labels where there are several: their group, else the file's names of their dimensions."""
    if len(made) < 2:
        return tuple(part for part, _ in made)
    groups = [{one.group for one in gathered.placed} for _, gathered in made]
    by_group = all(len(names) == 1 for names in groups) and len({next(iter(names)) for names in groups}) == len(made)
    labels: list[str] = []
    for (_, gathered), names in zip(made, groups, strict=True):
        label = next(iter(names)) if by_group else _dims_label(gathered)
        number = 2
        while label in labels:
            label = f"{label.rstrip('0123456789-')}-{number}"
            number += 1
        labels.append(label)
    return tuple(replace(part, label=label) for (part, _), label in zip(made, labels, strict=True))


def _dims_label(gathered: _Gathered) -> str:
    dims = max((one.variable.dims for one in gathered.placed), key=len)
    return "-".join(dim.rsplit("/", 1)[-1] for dim in dims)


def place_names(tree: Tree) -> list[str]:
    """Names of the stations of a point file, from its text coordinate; [] where it has none."""
    for name, variable in tree.variables.items():
        is_id = text(variable.attrs.get("cf_role")) == "timeseries_id"
        if is_text(variable) and variable.dims and (is_id or variable.dims == (name,)):
            scope = Scope(tree, {})
            if variable.size <= 1_000_000 and any(
                scope.role(other) == "latitude" and one.dims == variable.dims[:1]
                for other, one in tree.variables.items()
            ):
                return texts(variable)
    return []
