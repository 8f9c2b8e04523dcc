"""The wanted numbers of one decoded chunk, and their way into the answer."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np

from terrella.cubes.cutting import Cut
from terrella.cubes.packing import unpack
from terrella.cubes.selecting import Indices
from terrella.errors import Unreadable


def values_of(cut: Cut, chunk: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The wanted numbers of a chunk, in the cube's order of dimensions, packing undone.

    Raises Unreadable where the chunk is smaller than the index says.
    """
    placed = cut.placed
    try:
        block = _gather(_in_cube_order(chunk, placed.order, placed.extra), cut)
    except IndexError as error:
        name = PurePosixPath(placed.piece.href).name
        raise Unreadable(f"{name}: {placed.piece.array.name} at {cut.index} is smaller than it was.") from error
    return unpack(block, placed.piece.array.packing, dtype)


def _in_cube_order(chunk: np.ndarray, order: tuple[int, ...], extra: tuple[int, ...]) -> np.ndarray:
    """Dimensions transposed to the cube's; those that the piece lacks get size 1, those that the cube lacks go."""
    if not extra and order == tuple(range(chunk.ndim)):
        return chunk
    kept = [d for d in range(chunk.ndim) if d not in extra]
    chunk = chunk[tuple(0 if d in extra else slice(None) for d in range(chunk.ndim))]
    own = [kept.index(d) for d in order if d >= 0]
    chunk = chunk.transpose(own)
    return chunk[tuple(None if d < 0 else slice(None) for d in order)]


def _gather(chunk: np.ndarray, cut: Cut) -> np.ndarray:
    """Slices first, as they cost nothing; then cells; then what is left along axes."""
    inside = cut.inside
    axes = len(inside) - 2 if cut.pointwise else len(inside)
    runs = tuple(one if isinstance(one, slice) else slice(None) for one in inside[:axes])
    _check_inside(chunk, inside)
    block = chunk[runs]
    if cut.pointwise:
        block = _cells(block, inside[-2], inside[-1])
    for d, one in enumerate(inside[:axes]):
        if not isinstance(one, slice):
            block = block.take(one, axis=d)
    return block


def _check_inside(chunk: np.ndarray, inside: tuple[Indices, ...]) -> None:
    """Slices never complain of what is not there: this does."""
    for size, one in zip(chunk.shape, inside, strict=True):
        if isinstance(one, slice) and one.stop > size:
            raise IndexError(one.stop)


def _cells(block: np.ndarray, rows: Indices, cols: Indices) -> np.ndarray:
    if isinstance(rows, np.ndarray) and rows.size == 1 and isinstance(cols, np.ndarray):
        row, col = int(rows[0]), int(cols[0])
        if row >= block.shape[-2] or col >= block.shape[-1]:
            raise IndexError(row)
        return block[..., row, col : col + 1]
    found: np.ndarray = block[..., rows, cols]
    return found


def write(out: np.ndarray, where: tuple[Indices, ...], block: np.ndarray, *, merge: bool) -> None:
    """Put values in their place; with `merge` only those that are there, over what an earlier piece had."""
    if sum(not isinstance(one, slice) for one in where) > 1:
        where = np.ix_(*(np.arange(one.start, one.stop) if isinstance(one, slice) else one for one in where))
    if not merge:
        out[where] = block
    elif out.dtype.kind == "f":
        out[where] = np.where(np.isnan(block), out[where], block)
    else:
        out[where] = block
