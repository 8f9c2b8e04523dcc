"""A few cells of many chunks: chunks of which the same cells are wanted are asked for them together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from terrella.cubes.packing import unpack
from terrella.cubes.selecting import Indices, as_slice, size_of

if TYPE_CHECKING:
    from terrella.cubes.cutting import Group, PieceCuts

_AT_ONCE = 4 << 20
"""Bytes that one batch of chunks may take in memory."""
_MOST = 1024
"""Chunks in one batch."""


@dataclass(frozen=True, eq=False)
class Pick:
    """Chunks of one piece, of each of which the same cells are wanted: every combination of `cuts.axes`, one spot."""

    cuts: PieceCuts

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of chunks along each axis of the cube."""
        return tuple(len(groups) for groups in self.cuts.axes)

    @cached_property
    def inside(self) -> tuple[Indices, ...]:
        """Indices in the chunks, along the cube's dimensions."""
        return (*(groups[0][2] for groups in self.cuts.axes), *self.cuts.spots[0].inside)

    @cached_property
    def indices(self) -> np.ndarray:
        """Positions of the chunks in the chunk grid of the piece's array: one row each, C order over the axes."""
        placed, spot = self.cuts.placed, self.cuts.spots[0]
        numbers = [np.array([group[0] for group in groups], dtype=np.int64) for groups in self.cuts.axes]
        grids = [one.ravel() for one in np.meshgrid(*numbers, indexing="ij")] if numbers else []
        found = np.zeros((len(self.cuts), len(placed.piece.array.dims)), dtype=np.int64)
        for d, values in zip(placed.order, grids, strict=False):
            if d >= 0:
                found[:, d] = values
        for d, number in zip(placed.order[len(grids) :], spot.chunk, strict=True):
            if d >= 0:
                found[:, d] = number
        return found

    @cached_property
    def cells(self) -> np.ndarray:
        """Flat positions in a whole chunk, in the order of the cube's dimensions."""
        placed, chunks = self.cuts.placed, self.cuts.placed.piece.array.chunks
        steps = [math.prod(chunks[d + 1 :]) if d >= 0 else 0 for d in placed.order]
        last = len(self.inside) - 1 if self.cuts.spots[0].pointwise else -1
        rank = len(self.inside) - (last > 0)
        total = np.zeros((1,) * rank, dtype=np.int64)
        for d, (one, step) in enumerate(zip(self.inside, steps, strict=True)):
            places = np.arange(one.start, one.stop) if isinstance(one, slice) else one
            along = [1] * rank
            along[d - (d == last)] = -1  # rows and columns of single cells go in step
            total = total + (places * step).reshape(along)
        return total.ravel()

    @property
    def wanted(self) -> int:
        """Cells wanted of each chunk."""
        sizes = [size_of(one) for one in self.inside]
        return math.prod(sizes[:-1] if self.cuts.spots[0].pointwise else sizes)

    @property
    def out(self) -> tuple[Indices, ...]:
        """Where the block goes in the answer."""
        along = [_run(groups) or _listed(groups) for groups in self.cuts.axes]
        return (*along, *self.cuts.spots[0].out)

    def block(self, stored: np.ndarray, there: np.ndarray | None, dtype: np.dtype) -> np.ndarray:
        """Rows of cells, one for each chunk, as one block in the cube's order; packing undone, missing as NaN."""
        values = unpack(stored, self.cuts.placed.piece.array.packing, dtype)
        if there is not None:
            values = values.copy()
            values[~there] = np.nan
        counts = self.counts
        sizes = [size_of(one) for one in self.inside]
        axes, space = sizes[: len(counts)], sizes[len(counts) :]
        space = space[:1] if self.cuts.spots[0].pointwise else space
        woven = [*range(len(counts)), *range(len(counts), 2 * len(counts))]
        order = [woven[d + half * len(counts)] for d in range(len(counts)) for half in (0, 1)]
        order += range(2 * len(counts), 2 * len(counts) + len(space))
        split = values.reshape(*counts, *axes, *space).transpose(order)
        return split.reshape(*(count * size for count, size in zip(counts, axes, strict=True)), *space)


def picks(cuts: PieceCuts) -> Iterator[Pick]:
    """The cuts of a piece, grouped: every chunk is in one pick."""
    ways = [_alike(groups) for groups in cuts.axes]
    for spot in cuts.spots:
        for axes in itertools.product(*ways):
            yield Pick(replace(cuts, axes=tuple(axes), spots=[spot]))


def batches(pick: Pick, size: int) -> Iterator[Pick]:
    """A pick in parts that are small enough to be in memory at once; `size` are bytes of each chunk."""
    most = max(1, min(_MOST, _AT_ONCE // max(1, size)))
    total = len(pick.cuts)
    if total <= most:
        yield pick
        return
    axes = pick.cuts.axes
    longest = max(range(len(axes)), key=lambda d: len(axes[d]))
    step = max(1, len(axes[longest]) * most // total)
    for start in range(0, len(axes[longest]), step):
        part = (*axes[:longest], axes[longest][start : start + step], *axes[longest + 1 :])
        yield from batches(Pick(replace(pick.cuts, axes=part)), size)


def _alike(groups: list[Group]) -> list[list[Group]]:
    """Chunks along an axis by what is wanted inside of them."""
    found: dict[object, list[Group]] = {}
    before, alike = None, []  # most often it is the same slice again
    for group in groups:
        inside = group[2]
        if inside is before:
            alike.append(group)
            continue
        key = (inside.start, inside.stop) if isinstance(inside, slice) else inside.tobytes()
        before, alike = inside, found.setdefault(key, [])
        alike.append(group)
    return list(found.values())


def _run(groups: list[Group]) -> slice | None:
    """Indices in the answer, where they are one run."""
    stop = groups[0][1].start if isinstance(groups[0][1], slice) else None
    for _, out, _ in groups:
        if not isinstance(out, slice) or out.start != stop:
            return None
        stop = out.stop
    return slice(groups[0][1].start, stop)  # type: ignore[union-attr]


def _listed(groups: list[Group]) -> Indices:
    return as_slice(np.concatenate([_array(group[1]) for group in groups]))


def _array(indices: Indices) -> np.ndarray:
    return np.arange(indices.start, indices.stop) if isinstance(indices, slice) else indices
