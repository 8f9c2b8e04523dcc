"""What the reductions of a request mean for a cube: which dimension each one takes away or thins out, and how."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from terrella.errors import Invalid, nearest_names
from terrella.extraction.periods import Periods, periods, whole
from terrella.extraction.reducers import Step
from terrella.extraction.variables import is_of_an_instant
from terrella.extraction.weighing import Weighing
from terrella.model.reduction import PARAMETER

if TYPE_CHECKING:
    from terrella.contracts.cubes import CubeVariable
    from terrella.extraction.planning import Prepared
    from terrella.model.reduction import Reduce
    from terrella.model.scan import Axis

SPACE = "space"
"""The dimension of all cells together, after the axes."""
_TIMES = ("time", "reference_time")


@dataclass(frozen=True, eq=False)
class Reductions:
    """The reductions of a request, understood.

    `steps` are those of each variable, by name; `periods` what is left of time axes, by axis; `said` how space was
    weighed, one text a reduction over it.
    """

    prepared: Prepared
    steps: dict[str, tuple[Step, ...]]
    periods: dict[str, Periods] = field(default_factory=dict)
    said: tuple[str, ...] = ()

    def dims(self, variable: CubeVariable) -> tuple[str, ...]:
        """Of the answer, all cells as one."""
        gone = {step.dim for step in self.steps[variable.name] if not step.keeps}
        return tuple(dim for dim in (*self.prepared.dims(variable), SPACE) if dim not in gone)

    def sizes(self, variable: CubeVariable) -> dict[str, int]:
        """Indices along each dimension before any reduction."""
        dims = {dim: self.prepared.size(dim) for dim in self.prepared.dims(variable)}
        return dims | {SPACE: self.prepared.cells.count}

    def shape(self, variable: CubeVariable) -> tuple[int, ...]:
        """Of the answer, all cells as one."""
        sizes = self.sizes(variable) | {step.dim: step.groups for step in self.steps[variable.name]}
        return tuple(sizes[dim] for dim in self.dims(variable))

    def dtype(self, variable: CubeVariable) -> np.dtype:
        found = self.prepared.cells.dtype(variable.dtype)
        for step in self.steps[variable.name]:
            found = step.dtype(found)
        return found

    @property
    def values(self) -> int:
        """Numbers in the answer."""
        return sum(math.prod(self.shape(one)) for one in self.prepared.variables)

    @property
    def bytes_out(self) -> int:
        return sum(math.prod(self.shape(one)) * self.dtype(one).itemsize for one in self.prepared.variables)

    @property
    def numbers(self) -> int:
        """Numbers before any reduction."""
        return sum(math.prod(self.sizes(one).values()) for one in self.prepared.variables)

    @property
    def cells(self) -> int:
        """Cells in the answer."""
        gone = any(step.dim == SPACE for steps in self.steps.values() for step in steps)
        return 1 if gone else self.prepared.cells.count


def reductions(prepared: Prepared) -> Reductions:
    """Understand them. Raises Invalid naming what is wrong, and what there is."""
    prepared = _as_stored(prepared)
    made = _Making(prepared)
    for reduce in prepared.request.reduce:
        made.add(reduce)
    return Reductions(
        prepared, {name: tuple(steps) for name, steps in made.steps.items()}, made.periods, tuple(made.said)
    )


def _as_stored(prepared: Prepared) -> Prepared:
    """All cells in the order of the file where their order will not be seen: turning longitudes costs a copy."""
    cells, shape = prepared.cells, prepared.cube.grid.shape
    unseen = any(reduce.over == SPACE for reduce in prepared.request.reduce)
    if not unseen or cells.lines is None or cells.shape != shape:
        return prepared
    lines = tuple(slice(0, size) for size in shape)
    return replace(prepared, cells=replace(cells, lines=lines))


class _Making:
    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.steps: dict[str, list[Step]] = {one.name: [] for one in prepared.variables}
        self.periods: dict[str, Periods] = {}
        self.said: list[str] = []
        self._gone: set[str] = set()
        self._axes = {axis.name: axis for axis in prepared.cube.axes}
        self._weighing = Weighing(prepared.cube, prepared.cells, prepared.request)

    def add(self, reduce: Reduce) -> None:
        by_dim: dict[str, list[str]] = {}
        for one in self.prepared.variables:
            dim = self._dim(reduce.over, self.prepared.dims(one))
            if dim is not None:
                by_dim.setdefault(dim, []).append(one.name)
        if not by_dim:
            raise self._unknown(reduce)
        for dim, names in by_dim.items():
            step = self._step(reduce, dim)
            for name in names:
                self.steps[name].append(step)

    def _dim(self, over: str, dims: tuple[str, ...]) -> str | None:
        """The dimension of a variable that is meant."""
        if over == SPACE:
            return SPACE
        if over == "level":
            return next((dim for dim in dims if self._axes[dim].kind == "vertical"), None)
        return over if over in dims else None

    def _unknown(self, reduce: Reduce) -> Invalid:
        left = {dim for one in self.prepared.variables for dim in self.prepared.dims(one)}
        if reduce.over in self.prepared.along:
            text = f"{reduce.over} goes along with the vertices of the line here: reduce over space."
        elif reduce.over == "time" and left & {"reference_time", "step"}:
            text = "Valid times are reference times plus steps here: reduce over reference_time or over step."
        else:
            known = {SPACE, *left} | ({"level"} if any(self._axes[dim].kind == "vertical" for dim in left) else set())
            text = f"There is no {reduce.over!r:.60} to reduce over here. {nearest_names(reduce.over[:60], known)}"
        return Invalid(text, parameter=PARAMETER)

    def _step(self, reduce: Reduce, dim: str) -> Step:
        if dim in self._gone:
            raise Invalid(
                f"{reduce.over} is reduced twice: the first {reduce.over} left one value. Reduce over it once, or "
                "first by periods (mean:time:day,max:time).",
                parameter=PARAMETER,
            )
        if reduce.every is not None and (dim not in _TIMES or self._axes[dim].kind not in _TIMES):
            raise Invalid(f"{reduce.over} has no periods: {reduce.every} is for time.", parameter=PARAMETER)
        if reduce.every is None:
            self._gone.add(dim)
        if dim == SPACE:
            self.said.append(self._weighing.said(reduce))
            return Step(dim, reduce, self._weighing.of(reduce))
        if dim not in _TIMES:
            return Step(dim, reduce)
        return self._over_time(reduce, self._axes[dim])

    def _over_time(self, reduce: Reduce, axis: Axis) -> Step:
        before = self.periods.get(axis.name)
        if before is not None and before.is_climatology and reduce.every is not None:
            raise Invalid("A climatology has no periods any more: leave the second one out.", parameter=PARAMETER)
        found = self._found(reduce, axis, before)
        self.periods[axis.name] = _covering(found, before)
        if reduce.every is None:
            return Step(axis.name, reduce)
        return Step(axis.name, reduce, None, found.number, found.count)

    def _found(self, reduce: Reduce, axis: Axis, before: Periods | None) -> Periods:
        """Times by periods. What is told for a month, from its start to its end, belongs where the middle lies.

        Raises Invalid where that differs between variables: those of which values are those of an instant.
        """
        every = reduce.every
        if before is not None:
            return whole(before.starts) if every is None else periods(before.starts, axis.calendar, every)
        chosen = self._chosen(axis)
        if every is None:
            return whole(chosen.values, chosen.limits)
        users = [one for one in self.prepared.variables if axis.name in one.dims]
        instants = [one.name for one in users if is_of_an_instant(one)]
        of_stamps = periods(chosen.values, axis.calendar, every)
        if chosen.bounds is None or len(instants) == len(users):
            return of_stamps
        of_cells = periods(chosen.middles, axis.calendar, every)
        same = np.array_equal(of_cells.starts[of_cells.number], of_stamps.starts[of_stamps.number])
        if instants and not same:
            raise Invalid(
                f"Values of {', '.join(instants)} are those of an instant, others those of a time from its start to "
                f"its end, and by {every} they fall apart: ask for them in requests of their own.",
                parameter=PARAMETER,
            )
        return of_cells

    def _chosen(self, axis: Axis) -> Axis:
        """The times that are asked for."""
        indices = self.prepared.axes.get(axis.name)
        if indices is None:
            return axis
        bounds = None if axis.bounds is None else axis.bounds[indices]
        return replace(axis, values=np.asarray(axis.values[indices]), bounds=bounds)


def _covering(found: Periods, before: Periods | None) -> Periods:
    """Periods of periods reach as far as these did."""
    if before is None or found.count > 1:
        return found
    low, high = before.bounds[:, 0].min(), before.bounds[:, 1].max()
    return Periods(found.number, found.starts, np.array([[low, high]]), found.is_climatology)
