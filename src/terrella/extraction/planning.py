"""What a request means for a cube: variables, cells, indices along axes. Pure: no byte of data is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from terrella.cubes.selecting import Indices, Selection, as_slice
from terrella.errors import Invalid, nearest_names
from terrella.extraction import levels, times
from terrella.extraction.hidden import hidden_axis
from terrella.extraction.shapes import cells_of
from terrella.extraction.variables import is_of_an_instant, resolve
from terrella.extraction.windows import window
from terrella.model.extraction import Box, Corridor, Extraction, Span, Trajectory
from terrella.model.time import Interval

if TYPE_CHECKING:
    from terrella.contracts.cubes import Cube, CubeVariable
    from terrella.extraction.cells import Cells
    from terrella.model.scan import Axis


@dataclass(frozen=True, eq=False)
class Prepared:
    """A request understood.

    `axes` are indices along the cube's axes, by name, all where not named. `along` are axes that go along with the
    vertices of a trajectory: the index at each of them. `pairs` says which reference times and steps belong together
    (2-D mask over the chosen ones); None where all do.
    """

    cube: Cube
    request: Extraction
    variables: tuple[CubeVariable, ...]
    cells: Cells
    axes: dict[str, np.ndarray]
    along: dict[str, np.ndarray]
    pairs: np.ndarray | None = None

    def dims(self, variable: CubeVariable) -> tuple[str, ...]:
        """Axes of the variable that are left in the answer."""
        spatial = len(self.cube.grid.shape)
        return tuple(dim for dim in variable.dims[:-spatial] if dim not in self.along)

    def follows(self, variable: CubeVariable) -> bool:
        """Whether some axis of it goes along with the vertices of a path."""
        return any(dim in self.along for dim in variable.dims)

    def size(self, dim: str) -> int:
        """Values wanted along an axis."""
        if dim in self.axes:
            return int(self.axes[dim].size)
        return next(axis.values.size for axis in self.cube.axes if axis.name == dim)

    def shape(self, variable: CubeVariable) -> tuple[int, ...]:
        return (*(self.size(dim) for dim in self.dims(variable)), *self.cells.shape)

    @property
    def values(self) -> int:
        """Numbers in the answer."""
        return sum(int(np.prod(self.shape(one), dtype=object)) for one in self.variables)

    @property
    def bytes_out(self) -> int:
        """Of the answer as plain arrays."""
        return sum(
            int(np.prod(self.shape(one), dtype=object)) * self.cells.dtype(one.dtype).itemsize for one in self.variables
        )

    def selection(self, variable: CubeVariable) -> Selection:
        """What to read of a variable whose axes all cross."""
        return self.cells.selection(self._indices(variable))

    def _indices(self, variable: CubeVariable) -> dict[str, Indices]:
        return {dim: as_slice(indices) for dim, indices in self.axes.items() if dim in variable.dims}

    def groups(self, variable: CubeVariable) -> Iterator[tuple[np.ndarray, Selection]]:
        """For a trajectory with heights or times of its own: vertices that share them, and what to read for these."""
        dims = [dim for dim in variable.dims if dim in self.along]
        steps, which = np.unique(np.stack([self.along[dim] for dim in dims]), axis=1, return_inverse=True)
        for number in range(steps.shape[1]):
            vertices = np.flatnonzero(which.ravel() == number)
            fixed = {dim: steps[d, number : number + 1] for d, dim in enumerate(dims)}
            yield vertices, Selection(self._indices(variable) | fixed, cells=self.cells.of(vertices))


def prepare(cube: Cube, request: Extraction) -> Prepared:
    """Understand a request. Raises Invalid naming what is wrong, and what there is."""
    request = _with_corridor(request)
    variables = resolve(cube, request.variables)
    _check_items(cube, request)
    by_name = _axes_of(cube, variables)
    axes = _selected(cube, request, by_name)
    along = _along(request, by_name)
    _vertical(request, by_name, axes, along)
    pairs = _times(request, _timed(variables, by_name), axes, along)
    cells = cells_of(cube.grid, request.shape, request.longitudes, request.cells)
    if isinstance(request.shape, Box) and not any(one.over == "space" for one in request.reduce):
        cells = window(cube.grid, cells, request.longitudes)
    return Prepared(cube, request, variables, cells, axes, along, pairs)


def indices(cube: Cube, request: Extraction) -> tuple[CubeVariable, dict[str, np.ndarray], np.ndarray | None]:
    """The first variable meant, indices along its axes, and which pairs of reference time and step belong together.

    As `prepare` has them, whatever the shape is. Raises Invalid.
    """
    variable = resolve(cube, request.variables)[0]
    by_name = _axes_of(cube, (variable,))
    axes = _selected(cube, request, by_name)
    _vertical(request, by_name, axes, {})
    return variable, axes, _times(request, _timed((variable,), by_name), axes, {})


def _axes_of(cube: Cube, variables: tuple[CubeVariable, ...]) -> dict[str, Axis]:
    return {axis.name: axis for axis in cube.axes if any(axis.name in one.dims for one in variables)}


def _check_items(cube: Cube, request: Extraction) -> None:
    known = set(cube.origin.items) or {piece.item for one in cube.variables.values() for piece in one.pieces}
    for item in request.items:
        if item not in known:
            raise Invalid(f"This cube has no item {item!r:.60}. {nearest_names(item, known)}", parameter="items")


def _with_corridor(request: Extraction) -> Extraction:
    """A corridor's line may bring its times and heights: levels within half its height of the line's lowest and

    highest point, times from the first to the last.
    """
    shape = request.shape
    if not isinstance(shape, Corridor):
        return request
    if shape.path.heights and shape.height is not None and request.vertical is None:
        half = shape.height / 2
        request = replace(request, vertical=Span(min(shape.path.heights) - half, max(shape.path.heights) + half))
    if shape.path.times and request.interval is None:
        ordered = sorted(shape.path.times, key=str)
        request = replace(request, interval=Interval(ordered[0], ordered[-1]))
    return request


def _selected(cube: Cube, request: Extraction, axes: dict[str, Axis]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name, wanted in request.select.items():
        if name in axes:
            found[name] = np.array(list(dict.fromkeys(levels.others(axes[name], wanted).tolist())), dtype=np.int64)
        elif "time" in axes and (hidden := hidden_axis(cube, axes["time"], name)) is not None:
            places = levels.matching(hidden, wanted)
            found["time"] = np.intersect1d(found["time"], places) if "time" in found else places
        elif not any(axis.name == name for axis in cube.axes):
            known = [axis.name for axis in cube.axes]
            raise Invalid(f"There is no axis {name!r:.60} here. {nearest_names(name, known)}", parameter=name[:60])
    return found


def _along(request: Extraction, axes: dict[str, Axis]) -> dict[str, np.ndarray]:
    """Times and heights that each vertex of a trajectory has for itself."""
    shape = request.shape
    if not isinstance(shape, Trajectory):
        return {}
    for what, given in (("times", shape.times), ("heights", shape.heights)):
        if given and len(given) != len(shape.places):
            raise Invalid(f"{len(given)} {what} for {len(shape.places)} places: give one for each.", parameter="coords")
    found: dict[str, np.ndarray] = {}
    if shape.times:
        if "time" not in axes:
            raise Invalid("These variables have no single time axis to follow along a path.", parameter="coords")
        found["time"] = np.array([times.nearest(axes["time"], at) for at in shape.times])
    if shape.heights:
        for axis in axes.values():
            if axis.kind == "vertical":
                found[axis.name] = np.array([levels.nearest_level(axis, height) for height in shape.heights])
    return found


def _vertical(
    request: Extraction, axes: dict[str, Axis], chosen: dict[str, np.ndarray], along: dict[str, np.ndarray]
) -> None:
    if request.vertical is None:
        return
    upright = [axis for axis in axes.values() if axis.kind == "vertical" and axis.name not in along]
    if not upright and not along:
        raise Invalid("These variables have no levels: leave the level out.", parameter="z")
    for axis in upright:
        chosen[axis.name] = levels.levels(axis, request.vertical)


def _timed(variables: tuple[CubeVariable, ...], axes: dict[str, Axis]) -> dict[str, Axis]:
    """Values of an instant go by their time, whatever bounds it has."""
    if "time" not in axes or not any(is_of_an_instant(one) for one in variables if "time" in one.dims):
        return axes
    return axes | {"time": replace(axes["time"], bounds=None)}


def _times(
    request: Extraction,
    axes: dict[str, Axis],
    chosen: dict[str, np.ndarray],
    along: dict[str, np.ndarray],
) -> np.ndarray | None:
    """Fills in the chosen times; returns which pairs of reference time and step are meant."""
    interval = request.interval
    if interval is None or "time" in along:
        return None
    if "time" in axes:
        found = times.chosen(axes["time"], interval)
        chosen["time"] = np.intersect1d(found, chosen["time"]) if "time" in chosen else found
        return None
    if "reference_time" in axes and "step" in axes:
        return _pairs(axes, interval, chosen)
    if "reference_time" in axes:
        chosen["reference_time"] = times.chosen(axes["reference_time"], interval)
        return None
    raise Invalid("These variables have no time: leave it out.", parameter=times.PARAMETER)


def _pairs(axes: dict[str, Axis], interval: Interval, chosen: dict[str, np.ndarray]) -> np.ndarray | None:
    subset = {}
    for name in ("reference_time", "step"):
        index = chosen.get(name, np.arange(axes[name].values.size))
        subset[name] = (index, replace(axes[name], values=axes[name].values[index]))
    rows, cols, inside = times.chosen_pairs(subset["reference_time"][1], subset["step"][1], interval)
    chosen["reference_time"] = subset["reference_time"][0][rows]
    chosen["step"] = subset["step"][0][cols]
    return None if bool(inside.all()) else inside
