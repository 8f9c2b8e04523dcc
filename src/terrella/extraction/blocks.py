"""Blocks: one variable over longitude, latitude and the steps of one more axis, for three-dimensional views.

They are read as maps are: the cell nearest to each pixel, through the same plan, cache, policy and limits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from terrella.cubes.scenes.lattice import DEGREE_M
from terrella.cubes.selecting import Selection, as_slice
from terrella.errors import Invalid, Unsupported, nearest_names
from terrella.extraction.tiling import understood
from terrella.extraction.variables import resolve
from terrella.grids.latlon import LatLonCells
from terrella.grids.matrices import pixels

if TYPE_CHECKING:
    from terrella.contracts.cubes import Cube, CubeVariable
    from terrella.contracts.grids import Grid
    from terrella.extraction.extract import Extractor
    from terrella.extraction.tiling import Shown, Tiler, View
    from terrella.grids.pixels import Pixels, Sampling
    from terrella.model.caller import Caller
    from terrella.model.extraction import Plan
    from terrella.model.scan import Axis

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees, west below east."""

MOST_NUMBERS = 16_000_000
"""Of a block: 32 MB of 16 bits, which a browser's graphics memory holds twice."""
_USUAL_NUMBERS = 6_000_000
_USUAL_SIDE, _USUAL_STEPS = 720, 256
_LIKELY = ("time", "step", "vertical", "number", "reference_time")
"""Kinds of the axis that is taken where none is named, the likeliest first."""
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Size:
    """Numbers along each side of a block; None: as many as there are, within what is usual."""

    width: int | None = None
    height: int | None = None
    steps: int | None = None


@dataclass(frozen=True, eq=False)
class Block:
    """A block understood. `places` are indices along `axis`; `whole` is (steps, rows, columns) of all that is there."""

    shown: Shown
    axis: Axis
    places: np.ndarray
    pixels: Pixels
    bounds: Bounds
    whole: tuple[int, int, int]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(steps, rows, columns)."""
        return self.places.size, *self.pixels.shape


@dataclass(frozen=True, eq=False)
class Filled:
    """What a block holds: numbers of (steps, cells ...), and how each step goes over the pixels."""

    numbers: np.ndarray
    sampling: Sampling
    bytes_read: int


class Blocks:
    """Safe for threads."""

    def __init__(self, extractor: Extractor, tiler: Tiler) -> None:
        self._extractor = extractor
        self._tiler = tiler

    def block(self, caller: Caller, view: View, depth: str, bounds: Bounds, size: Size) -> Block:
        """What a view means as a block over `bounds`, along the axis `depth` ('': the likeliest).

        Raises Invalid where no axis has several steps, for a size over MOST_NUMBERS, and as maps do; Unsupported for
        images; NotFound, Denied.
        """
        cube = self._tiler.own_cube(caller, view.collection)
        if cube is None:
            raise Unsupported("Images of single days form no block: look at them as maps.")
        variable = resolve(cube, (view.variable,) if view.variable else ())[0]
        axis = _depth(cube, variable, depth)
        shown, along = understood(cube, replace(view, variable=variable.name), axis.name)
        if along.size < 2:
            raise Invalid(
                f"A block needs several steps of {axis.name}, and that names {along.size}: give a longer interval.",
                parameter="datetime" if axis.kind in ("time", "reference_time", "step") else axis.name,
            )
        whole = (int(along.size), *_whole(cube.grid, bounds))
        steps, rows, columns = _sizes(whole, size)
        places = along[:: -(-along.size // steps)]
        wanted = pixels(("block", *bounds, columns, rows), "EPSG:4326", bounds, columns, rows)
        return Block(self._tiler.from_afar(shown, wanted.size), axis, places, wanted, bounds, whole)

    def price(self, block: Block) -> Plan | None:
        """What filling it would read; None where no cell lies there. No data byte is read."""
        found = self._tiler.sampling(block.shown.cube.grid, block.pixels)
        if found.is_empty:
            return None
        return self._extractor.price_of(block.shown.cube, block.shown.variable.name, _selection(block, found))

    def filled(self, caller: Caller, block: Block) -> Filled | None:
        """Its numbers; None where no cell lies there. Raises TooLarge, QuotaExceeded before reading; Unreadable."""
        found = self._tiler.sampling(block.shown.cube.grid, block.pixels)
        if found.is_empty:
            return None
        selection = _selection(block, found)
        numbers, read = self._extractor.numbers(caller, block.shown.cube, block.shown.variable.name, selection)
        axes = len(block.shown.steps) + 1
        return Filled(numbers.reshape(block.places.size, *numbers.shape[axes:]), found, read)


def _selection(block: Block, found: Sampling) -> Selection:
    axes = {name: as_slice(np.array([at])) for name, at in block.shown.steps.items()}
    return Selection(axes | {block.axis.name: as_slice(block.places)}, lines=found.lines, cells=found.cells)


def _depth(cube: Cube, variable: CubeVariable, name: str) -> Axis:
    """Raises Invalid, with the axes that would do."""
    known = {axis.name: axis for axis in cube.axes if axis.name in variable.dims and axis.values.size > 1}
    if not known:
        raise Invalid(
            f"{variable.name} has no axis with several steps, so it forms no block: look at it as a map.",
            parameter="variable",
        )
    if name and name not in known:
        raise Invalid(
            f"depth is no axis of {variable.name} with several steps. {nearest_names(name, known)}", parameter="depth"
        )
    likely = sorted(known.values(), key=lambda axis: _LIKELY.index(axis.kind) if axis.kind in _LIKELY else len(_LIKELY))
    return known[name] if name else likely[0]


def _whole(grid: Grid, bounds: Bounds) -> tuple[int, int]:
    """Rows and columns that the grid has within a box; of a grid without lines as many as its cells are large."""
    west, south, east, north = bounds
    if isinstance(grid, LatLonCells):
        lats, lons = grid.lat_line.values, grid.lon_line.values
        rows = np.count_nonzero((lats >= south - _TOLERANCE) & (lats <= north + _TOLERANCE))
        columns = np.count_nonzero(np.mod(lons - west + _TOLERANCE, 360.0) <= east - west + 2 * _TOLERANCE)
        return max(1, int(rows)), max(1, int(columns))
    cell = grid.resolution() / DEGREE_M
    return max(1, math.ceil((north - south) / cell)), max(1, math.ceil((east - west) / cell))


def _sizes(whole: tuple[int, int, int], size: Size) -> tuple[int, int, int]:
    """Steps, rows and columns. What was not given shrinks, both sides alike, until the block is of a usual size."""
    steps = min(whole[0], size.steps or _USUAL_STEPS)
    rows, columns = size.height or whole[1], size.width or whole[2]
    free = [one for one, given in ((rows, size.height), (columns, size.width)) if given is None]
    if free:
        excess = max(1.0, steps * rows * columns / _USUAL_NUMBERS) ** (1 / len(free))
        shrunk = max(excess, max(free) / _USUAL_SIDE)
        rows = size.height or max(1, int(rows / shrunk))
        columns = size.width or max(1, int(columns / shrunk))
    if steps * rows * columns > MOST_NUMBERS:
        raise Invalid(
            f"A block holds at most {MOST_NUMBERS:,} numbers, not {steps} x {rows} x {columns}: ask for fewer steps, "
            f"or a smaller width and height, or leave them out.",
            parameter="steps",
        )
    return steps, rows, columns
