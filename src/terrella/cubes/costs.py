"""What reading costs before it is done: which bytes, and whether chunks are loaded whole or for a few cells only."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from terrella.contracts.formats import ChunkSource, SupportsCells
from terrella.cubes.calibrating import Work, Works, kind, together
from terrella.cubes.cutting import PieceCuts
from terrella.cubes.picking import Pick, picks
from terrella.cubes.placing import Layout
from terrella.storage.files import is_remote

SPARSE = 8
"""Cells are read alone where a chunk has at least so many times as many, and so many times half as many bytes."""
_SAMPLED = 256
"""Where a piece has no table of chunks, this many are asked for their size, and the rest are taken to be alike."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What reading will touch. `bytes_read` are stored bytes; `largest` is the largest decoded chunk in bytes."""

    values: int = 0
    bytes_out: int = 0
    chunks: int = 0
    bytes_read: int = 0
    largest: int = 0
    works: Works = field(default_factory=dict)
    """For `Calibration`: what makes it take its time."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.values + other.values,
            self.bytes_out + other.bytes_out,
            self.chunks + other.chunks,
            self.bytes_read + other.bytes_read,
            max(self.largest, other.largest),
            together(self.works, other.works),
        )


@dataclass(frozen=True, eq=False)
class Cells:
    """Chunks of which a few cells are read alone, and what that costs."""

    pick: Pick
    bytes_read: int

    @property
    def memory(self) -> int:
        """Bytes in memory for each chunk: what is read of it, and twice its cells as float64."""
        return self.bytes_read // len(self.pick.cuts) + 16 * self.pick.wanted


def parts(layout: Layout, piece: PieceCuts, source: ChunkSource) -> list[tuple[PieceCuts, Cells | None]]:
    """The cuts of a piece, in parts: those of which a few cells are read alone, with what that costs; the rest."""
    split_for, found = piece.known.get("parts", (None, []))
    if split_for is not source:
        found = list(_parts(layout, piece, source))
        piece.known["parts"] = source, found
    made: list[tuple[PieceCuts, Cells | None]] = found
    return made


def _parts(layout: Layout, piece: PieceCuts, source: ChunkSource) -> Iterator[tuple[PieceCuts, Cells | None]]:
    if layout.dtype.kind != "f" or not isinstance(source, SupportsCells) or not _is_sparse(piece):
        yield piece, None
        return
    for pick in picks(piece):
        yield pick.cuts, _cells(source, pick)


def _cells(source: ChunkSource, pick: Pick) -> Cells | None:
    """None where chunks are better loaded whole."""
    if not isinstance(source, SupportsCells) or not _is_few(pick.wanted, pick.cuts):
        return None
    bytes_read = source.cells_stored(pick.indices, pick.cells)
    if bytes_read is None or bytes_read * SPARSE > 2 * stored(pick.cuts, source):
        return None
    return Cells(pick, bytes_read)


def cost(layout: Layout, piece: PieceCuts, source: ChunkSource) -> Cost:
    """Of one piece."""
    found = Cost()
    for part, cells in parts(layout, piece, source):
        if cells is None:
            found += Cost(0, 0, len(part), stored(part, source), decoded(part), works(part, cells))
        else:
            found += Cost(0, 0, len(part), cells.bytes_read, cells.memory, works(part, cells))
    return found


def stored(cuts: PieceCuts, source: ChunkSource) -> int:
    """Stored bytes of all chunks."""
    table = cuts.placed.piece.array.table
    if table is not None:
        return _in_table(cuts, table.lengths)
    asked = list(itertools.islice(cuts.indices(), _SAMPLED))
    known = sum(source.stored(index) for index in asked)
    return known * len(cuts) // len(asked)


def _in_table(cuts: PieceCuts, lengths: np.ndarray) -> int:
    """Sum over all combinations of chunks along the axes with those in space."""
    placed = cuts.placed
    grid = lengths.reshape(placed.counts)
    total = 0
    for spot in cuts.spots:
        index: list[np.ndarray] = [np.zeros(1, dtype=np.int64)] * grid.ndim
        along = [np.array([group[0] for group in groups]) for groups in cuts.axes]
        for numbers, d in zip((*along, *(np.array([n]) for n in spot.chunk)), placed.order, strict=True):
            if d >= 0:
                index[d] = numbers
        total += int(grid[np.ix_(*index)].sum())
    return total


def works(cuts: PieceCuts, cells: Cells | None) -> dict[str, Work]:
    piece = cuts.placed.piece
    name = kind(piece.format, is_far=is_remote(piece.href), is_single=cells is not None)
    return {name: Work(len(cuts), cells.bytes_read if cells else len(cuts) * decoded(cuts))}


def decoded(cuts: PieceCuts) -> int:
    """Bytes of a decoded chunk."""
    array = cuts.placed.piece.array
    return math.prod(array.chunks) * np.dtype(array.dtype).itemsize


def _is_few(wanted: int, cuts: PieceCuts) -> bool:
    return wanted * SPARSE <= math.prod(cuts.placed.piece.array.chunks)


def _is_sparse(cuts: PieceCuts) -> bool:
    """Whether a few cells are wanted of some chunks; cheap to tell."""
    first = Pick(replace(cuts, axes=tuple(groups[:1] for groups in cuts.axes)))
    return any(_is_few(Pick(replace(first.cuts, spots=[spot])).wanted, cuts) for spot in cuts.spots)
