"""Which chunks of a piece hold what is wanted, and where in them and in the answer: shapes only, no byte read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from terrella.cubes.placing import Layout, Match, Placed
from terrella.cubes.selecting import Indices, Selection, Wanted, as_slice

Group = tuple[int, Indices, Indices]
"""Along one dimension: number of the chunk, indices in the answer, indices inside the chunk."""


@dataclass(frozen=True, slots=True)
class Spot:
    """In space: chunk numbers, where in the answer, where inside the chunk (one entry for each spatial dimension)."""

    chunk: tuple[int, ...]
    out: tuple[Indices, ...]
    inside: tuple[Indices, ...]
    pointwise: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """One chunk of one piece, and what to take from it.

    `inside` and `out` follow the cube's dimensions; for single cells `out` has one entry for all of space.
    """

    placed: Placed
    index: tuple[int, ...]
    inside: tuple[Indices, ...]
    out: tuple[Indices, ...]
    pointwise: bool


@dataclass(frozen=True, slots=True)
class PieceCuts:
    """The cuts of one piece: every combination of `axes` (one list for each axis) and `spots`."""

    placed: Placed
    axes: tuple[list[Group], ...]
    spots: list[Spot]
    known: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was found out of these cuts when they were priced, for when they are read."""

    def __len__(self) -> int:
        return math.prod(len(groups) for groups in self.axes) * len(self.spots)

    def __iter__(self) -> Iterator[Cut]:
        order, rank = self.placed.order, len(self.placed.piece.array.dims)
        for spot in self.spots:
            for combination in itertools.product(*self.axes):
                numbers = (*(group[0] for group in combination), *spot.chunk)
                index = [0] * rank
                for number, d in zip(numbers, order, strict=True):
                    if d >= 0:
                        index[d] = number
                inside = (*(group[2] for group in combination), *spot.inside)
                out = (*(group[1] for group in combination), *spot.out)
                yield Cut(self.placed, tuple(index), inside, out, spot.pointwise)

    def indices(self) -> Iterator[tuple[int, ...]]:
        """Positions of the chunks in the chunk grid of the piece's array."""
        return (cut.index for cut in self)


@dataclass(frozen=True, eq=False)
class VariableCuts:
    """All cuts of one variable; `shape` is that of the answer."""

    layout: Layout
    shape: tuple[int, ...]
    pieces: tuple[PieceCuts, ...]

    def __iter__(self) -> Iterator[Cut]:
        return itertools.chain.from_iterable(self.pieces)

    @property
    def items(self) -> frozenset[str]:
        """The items that will be read."""
        return frozenset(one.placed.piece.item for one in self.pieces)


_ONE = slice(0, 1)

Cuts = dict[str, VariableCuts]
"""By variable."""


class Cutter:
    """Cuts one selection out of one variable. `shape` is that of the answer."""

    def __init__(self, layout: Layout, selection: Selection, space: tuple[int, ...]) -> None:
        self._layout = layout
        variable = layout.variable
        axes = len(variable.dims) - len(space)
        self._axes = tuple(
            Wanted(selection.axes.get(dim, slice(None)), length)
            for dim, length in zip(variable.dims[:axes], variable.shape[:axes], strict=True)
        )
        lines, self._pointwise = _lines(selection, space)
        self._space = tuple(Wanted(one, length) for one, length in zip(lines, space, strict=True))
        sizes = tuple(one.size for one in self._space)
        self.shape = (*(one.size for one in self._axes), *(sizes[:1] if self._pointwise else sizes))
        self._known: dict[tuple[int, ...], list[Spot]] = {}

    def pieces(self, items: frozenset[str] = frozenset()) -> Iterator[PieceCuts]:
        """What to read, piece by piece; only of these items where any are given."""
        for placed in self._layout.touched((*self._axes, *self._space)):
            if items and placed.piece.item not in items:
                continue
            found = self._piece(placed)
            if found is not None and found.spots:
                yield found

    def _piece(self, placed: Placed) -> PieceCuts | None:
        axes = []
        chunks = placed.chunks
        for wanted, place, chunk in zip(self._axes, placed.places, chunks, strict=False):
            match = place.match(wanted)
            if match is None:
                return None
            axes.append(_by_chunk(match, chunk))
        return PieceCuts(placed, tuple(axes), self._spots(placed, chunks[len(axes) :]))

    def _spots(self, placed: Placed, chunks: tuple[int, ...]) -> list[Spot]:
        places = placed.places[len(self._axes) :]
        key = (*(id(place) for place in places), *chunks)
        if key not in self._known:
            matches = [place.match(wanted) for place, wanted in zip(places, self._space, strict=True)]
            if self._pointwise:
                self._known[key] = _cell_spots(matches, chunks, self._space[0].size)
            else:
                self._known[key] = _line_spots(matches, chunks)
        return self._known[key]


def _lines(selection: Selection, space: tuple[int, ...]) -> tuple[tuple[Indices, ...], bool]:
    """What is wanted along each spatial dimension, and whether these indices go in step rather than crossed."""
    if selection.cells is None:
        return selection.lines or (slice(None),) * len(space), False
    if len(space) == 1:
        return (selection.cells,), False
    return tuple(np.unravel_index(selection.cells, space)), True


def _by_chunk(match: Match, chunk: int) -> list[Group]:
    out, local = match
    if isinstance(local, slice) and isinstance(out, slice):
        return _run_by_chunk(out.start, local.start, local.stop, chunk)
    places = _array(local)
    return [
        (int(number), as_slice(_take(out, rows)), as_slice(places[rows] - number * chunk))
        for number, rows in _grouped(places // chunk)
    ]


def _run_by_chunk(out: int, start: int, stop: int, chunk: int) -> list[Group]:
    shift = out - start
    if chunk == 1:
        return [(number, slice(number + shift, number + shift + 1), _ONE) for number in range(start, stop)]
    groups: list[Group] = []
    for number in range(start // chunk, -(-stop // chunk)):
        base = number * chunk
        first, last = max(start, base), min(stop, base + chunk)
        groups.append((number, slice(first + shift, last + shift), slice(first - base, last - base)))
    return groups


def _grouped(numbers: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each distinct number, rising, with the places where it stands."""
    order = np.argsort(numbers, kind="stable")
    ranked = numbers[order]
    edges = np.flatnonzero(ranked[1:] != ranked[:-1]) + 1
    starts = [0, *edges.tolist()]
    stops = [*edges.tolist(), ranked.size]
    for start, stop in zip(starts, stops, strict=True):
        yield int(ranked[start]), order[start:stop]


def _array(indices: Indices) -> np.ndarray:
    return np.arange(indices.start, indices.stop) if isinstance(indices, slice) else indices


def _take(indices: Indices, rows: np.ndarray) -> np.ndarray:
    taken: np.ndarray = rows + indices.start if isinstance(indices, slice) else indices[rows]
    return taken


def _line_spots(matches: list[Match | None], chunks: tuple[int, ...]) -> list[Spot]:
    grouped = [_by_chunk(match, chunk) for match, chunk in zip(matches, chunks, strict=True) if match is not None]
    if len(grouped) < len(matches):
        return []
    return [
        Spot(tuple(g[0] for g in one), tuple(g[1] for g in one), tuple(g[2] for g in one), pointwise=False)
        for one in itertools.product(*grouped)
    ]


def _cell_spots(matches: list[Match | None], chunks: tuple[int, ...], size: int) -> list[Spot]:
    """Single cells of a grid of two dimensions, grouped by chunk."""
    rows, cols = (_in_piece(match, size) for match in matches)
    here = np.flatnonzero((rows >= 0) & (cols >= 0))
    if not here.size:
        return []
    y, x = rows[here], cols[here]
    if here.size == 1:
        return [_one_cell(here, int(y[0]), int(x[0]), chunks)]
    cy, cx = y // chunks[0], x // chunks[1]
    across = int(cx.max()) + 1
    spots = []
    for number, which in _grouped(cy * across + cx):
        i, j = divmod(number, across)
        inside = (y[which] - i * chunks[0], x[which] - j * chunks[1])
        spots.append(Spot((i, j), (as_slice(here[which]),), inside, pointwise=True))
    return spots


def _one_cell(here: np.ndarray, y: int, x: int, chunks: tuple[int, ...]) -> Spot:
    (i, row), (j, col) = divmod(y, chunks[0]), divmod(x, chunks[1])
    return Spot((i, j), (as_slice(here),), (np.array([row]), np.array([col])), pointwise=True)


def _in_piece(match: Match | None, size: int) -> np.ndarray:
    """For each wanted cell its index in the piece, -1 where the piece has it not."""
    local = np.full(size, -1, dtype=np.int64)
    if match is not None:
        local[match[0]] = _array(match[1])
    return local
