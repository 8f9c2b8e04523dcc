"""Reducing block by block: what a reduction takes away is never held as a whole where it need not be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from terrella.errors import TooLarge
from terrella.extraction.reducing import SPACE

if TYPE_CHECKING:
    from terrella.contracts.cubes import CubeVariable
    from terrella.extraction.planning import Prepared
    from terrella.extraction.reducers import Step
    from terrella.extraction.reducing import Reductions

BLOCK = 4_000_000
"""Numbers read at a time."""
MOST_HELD = 64_000_000
"""Numbers that are held until all blocks are read."""
_BYTES_AT_WORK = 40
"""A number of a block while it is reduced: as stored, as float64, whether it is there, and copies of these."""

Read = Callable[["Prepared", "CubeVariable"], np.ndarray]
"""Values of one variable, axes first, then all cells as one dimension."""


@dataclass(frozen=True, slots=True)
class Split:
    """How one variable is cut into blocks along one dimension."""

    dim: str
    step: int
    """Indices of a block; in space rows where cells are crossed lines."""
    size: int
    """Indices in all."""
    block: int
    """Numbers in a block."""
    held: int
    """Numbers held until the end."""
    again: int
    """How often each chunk is read, where it does not stay in memory."""

    @property
    def memory(self) -> int:
        """Bytes at work at once."""
        return _BYTES_AT_WORK * self.block + 3 * 8 * self.held


def split(reductions: Reductions, variable: CubeVariable) -> Split:
    """The dimension along which blocks cost least. Raises TooLarge where any way would hold too many numbers."""
    sizes = reductions.sizes(variable)
    total = math.prod(sizes.values())
    steps = reductions.steps[variable.name]
    dims = list(sizes)
    if total <= BLOCK or reductions.prepared.follows(variable):
        return Split(dims[0], sizes[dims[0]], sizes[dims[0]], total, 0, 1)
    ways = [_way(reductions, variable, dim, sizes, steps) for dim in dims if sizes[dim] > 1]
    best = min(ways, key=lambda way: (way.held > MOST_HELD, way.again, way.held, dims.index(way.dim)))
    if best.held > MOST_HELD:
        raise TooLarge(
            f"This reduction of {variable.name} would hold {best.held:,} numbers at once; at most {MOST_HELD:,} are "
            "held. Reduce over the largest dimension first, or ask for a smaller part.",
            parameter="reduce",
            details={"held": best.held, "limit": MOST_HELD},
        )
    return best


def _way(
    reductions: Reductions, variable: CubeVariable, dim: str, sizes: dict[str, int], steps: tuple[Step, ...]
) -> Split:
    unit, size, chunk = 1, sizes[dim], _chunk(variable, dim, len(reductions.prepared.cube.grid.shape))
    if dim == SPACE and reductions.prepared.cells.lines is not None:
        shape = reductions.prepared.cells.shape
        unit, size = math.prod(shape[1:]), shape[0]
        chunk = _rows(variable, len(shape))
    rest = math.prod(sizes.values()) // sizes[dim] * unit
    step = max(1, BLOCK // rest)
    if step >= chunk:
        step -= step % chunk
    elif rest * chunk <= 4 * BLOCK:
        step = chunk
    step = min(step, size)
    blocks = math.ceil(size / step)
    again = min(blocks, math.ceil(chunk / step))
    return Split(dim, step, size, rest * step, _held(sizes, steps, dim), again)


def _chunk(variable: CubeVariable, dim: str, spatial: int) -> int:
    """The longest chunk along a dimension, in indices of the cube."""
    if dim == SPACE:
        return max((math.prod(piece.array.chunks[-spatial:]) for piece in variable.pieces[:1]), default=1)
    longest = 1
    for piece in variable.pieces[:1]:
        if dim in piece.array.dims:
            longest = piece.array.chunks[piece.array.dims.index(dim)]
    return longest


def _rows(variable: CubeVariable, spatial: int) -> int:
    return max((piece.array.chunks[-spatial] for piece in variable.pieces[:1]), default=1)


def _held(sizes: dict[str, int], steps: tuple[Step, ...], dim: str) -> int:
    """Numbers that stay until the last block was read."""
    left = dict(sizes)
    for step in steps:
        if step.dim == dim:
            if not step.is_held:
                left[dim] = step.groups
            break
        left[step.dim] = step.groups
    return math.prod(left.values())


def reduced(reductions: Reductions, variable: CubeVariable, way: Split, read: Read) -> np.ndarray:
    """The answer for one variable: what is left of its axes, then all cells as one where space is left."""
    steps = reductions.steps[variable.name]
    dims = (*reductions.prepared.dims(variable), SPACE)
    place = next((number for number, step in enumerate(steps) if step.dim == way.dim), len(steps))
    reducer = steps[place].begin() if place < len(steps) else None
    parts: list[np.ndarray] = []
    axis = 0
    for part, narrowed in _blocks(reductions.prepared, way):
        values, left = _all(read(narrowed, variable), dims, steps[:place])
        axis = left.index(way.dim)
        if reducer is None:
            parts.append(values)
        else:
            reducer.add(values, axis, part)
    _, left = _dims_after(dims, steps[: place + 1])
    values = np.concatenate(parts, axis=axis) if reducer is None else reducer.result()
    return _all(values, left, steps[place + 1 :])[0]


def pieces(
    reductions: Reductions, variable: CubeVariable, way: Split, read: Read
) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Values before any reduction, all cells together in the last dimension; and where on each axis they begin."""
    dims = reductions.prepared.dims(variable)
    blocks = _blocks(reductions.prepared, way)
    if way.dim == SPACE or way.step >= way.size:
        parts = [read(narrowed, variable) for _, narrowed in blocks]
        yield (0,) * len(dims), np.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
        return
    for part, narrowed in blocks:
        yield tuple(part.start if dim == way.dim else 0 for dim in dims), read(narrowed, variable)


def _all(values: np.ndarray, dims: tuple[str, ...], steps: tuple[Step, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Several reductions one after the other, and the dims that are left."""
    for step in steps:
        values = step.apply(values, dims.index(step.dim))
        if not step.keeps:
            dims = tuple(dim for dim in dims if dim != step.dim)
    return values, dims


def _dims_after(dims: tuple[str, ...], steps: tuple[Step, ...]) -> tuple[set[str], tuple[str, ...]]:
    gone = {step.dim for step in steps if not step.keeps}
    return gone, tuple(dim for dim in dims if dim not in gone)


def _blocks(prepared: Prepared, way: Split) -> Iterator[tuple[slice, Prepared]]:
    """Each block: which indices of the dimension (cells in space) it has, and what to read for it."""
    if way.step >= way.size:
        yield slice(None), prepared
        return
    for first in range(0, way.size, way.step):
        last = min(first + way.step, way.size)
        if way.dim != SPACE:
            yield slice(first, last), _narrowed(prepared, way.dim, slice(first, last))
            continue
        unit = math.prod(prepared.cells.shape[1:])
        yield slice(first * unit, last * unit), replace(prepared, cells=prepared.cells.part(first, last))


def _narrowed(prepared: Prepared, dim: str, part: slice) -> Prepared:
    """Only some of the indices along an axis."""
    indices = prepared.axes.get(dim, np.arange(prepared.size(dim)))
    pairs = prepared.pairs
    if pairs is not None and dim in ("reference_time", "step"):
        pairs = pairs[part] if dim == "reference_time" else pairs[:, part]
    return replace(prepared, axes=prepared.axes | {dim: indices[part]}, pairs=pairs)
