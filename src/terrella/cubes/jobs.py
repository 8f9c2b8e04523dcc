"""Work of a read, in parts that run on any thread: one chunk, some cells of many, many chunks fetched together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

import numpy as np

from terrella.contracts.formats import ChunkSource, SupportsCells, SupportsPlaces
from terrella.cubes.gathering import values_of
from terrella.errors import TerrellaError, Unreadable
from terrella.storage import files

if TYPE_CHECKING:
    from terrella.contracts.cubes import Piece
    from terrella.cubes.caching import ChunkCache, Loaded, ReadTally
    from terrella.cubes.cutting import Cut
    from terrella.cubes.picking import Pick
    from terrella.cubes.placing import Layout
    from terrella.cubes.selecting import Indices
    from terrella.cubes.sources import Source

Block = tuple[tuple["Indices", ...], np.ndarray]
"""Where values go in the answer, and the values."""

Index = tuple[int, ...]

_FETCHED = 128
"""Chunks fetched together at most."""
_FETCHED_BYTES = 8 << 20
"""Stored bytes, and decoded ones too, of chunks fetched together."""


@dataclass(frozen=True, eq=False)
class Target:
    """An answer on its way, and the variable that it is of."""

    layout: Layout
    out: np.ndarray


class Job(Protocol):
    """Something to read and cut out."""

    @property
    def target(self) -> Target: ...

    @property
    def source(self) -> Source: ...

    def is_easy(self, cache: ChunkCache) -> bool:
        """Whether it is all in memory."""
        ...

    def run(self, cache: ChunkCache, tally: ReadTally) -> list[Block]:
        """What it gives; what is missing altogether is left out. Raises Unreadable, naming the file."""
        ...


@dataclass(frozen=True, eq=False)
class ChunkJob:
    """One chunk, loaded whole."""

    target: Target
    source: Source
    cut: Cut

    def is_easy(self, cache: ChunkCache) -> bool:
        return (self.source.number, self.cut.index) in cache

    def run(self, cache: ChunkCache, tally: ReadTally) -> list[Block]:
        load_it = partial(_load, self.cut.placed.piece, self.source.chunks, self.cut.index)
        return _blocks(self.target, self.source, self.cut, load_it, cache, tally)


@dataclass(frozen=True, eq=False)
class FetchJob:
    """Chunks of one remote file, whose bytes come together."""

    target: Target
    source: Source
    cuts: list[Cut]

    def is_easy(self, cache: ChunkCache) -> bool:
        return all((self.source.number, cut.index) in cache for cut in self.cuts)

    def run(self, cache: ChunkCache, tally: ReadTally) -> list[Block]:
        wanted = dict.fromkeys(cut.index for cut in self.cuts if (self.source.number, cut.index) not in cache)
        fetched = named(self.cuts[0].placed.piece, next(iter(wanted), ()), partial(self._fetch, list(wanted)))
        made = []
        for cut in self.cuts:
            load_it = partial(self._decoded, cut, fetched)
            made += _blocks(self.target, self.source, cut, load_it, cache, tally)
        return made

    def _fetch(self, wanted: list[Index]) -> dict[Index, bytes]:
        assert isinstance(self.source.chunks, SupportsPlaces)
        places = {index: self.source.chunks.place(index) for index in wanted}
        there = {index: place for index, place in places.items() if place is not None}
        offsets, lengths = ([place[which] for place in there.values()] for which in (0, 1))
        href = self.cuts[0].placed.piece.href
        return dict(zip(there, files.read_ranges(href, offsets, lengths), strict=True))

    def _decoded(self, cut: Cut, fetched: dict[Index, bytes]) -> Loaded:
        piece, source = cut.placed.piece, self.source.chunks
        if cut.index not in fetched:  # not stored, or gone from the cache meanwhile
            return _load(piece, source, cut.index)
        data = fetched[cut.index]
        assert isinstance(source, SupportsPlaces)
        return named(piece, cut.index, partial(source.decode, cut.index, data)), len(data)


@dataclass(frozen=True, eq=False)
class CellsJob:
    """A few cells of many chunks; they are not kept in the cache."""

    target: Target
    source: Source
    pick: Pick

    def is_easy(self, cache: ChunkCache) -> bool:  # noqa: ARG002 -- they are never kept
        return False

    def run(self, cache: ChunkCache, tally: ReadTally) -> list[Block]:  # noqa: ARG002
        piece, source, pick = self.pick.cuts.placed.piece, self.source.chunks, self.pick
        assert isinstance(source, SupportsCells)
        size = source.cells_stored(pick.indices, pick.cells) or 0  # before: reading may teach how to read less
        stored, there = named(
            piece, tuple(pick.indices[0].tolist()), partial(source.load_cells, pick.indices, pick.cells)
        )
        if stored.shape != (len(pick.indices), pick.wanted):
            raise Unreadable(f"{name_of(piece)}: {piece.array.name} gave {stored.shape} values.")
        tally.add(size, fresh=True, chunks=len(pick.indices))
        return [(pick.out, pick.block(stored, there, self.target.layout.dtype))]


def fetches(target: Target, source: Source, cuts: Iterator[Cut], decoded: int) -> Iterator[FetchJob]:
    """Chunks of a remote file in lots; `decoded` are bytes of a decoded chunk."""
    most = max(1, min(_FETCHED, _FETCHED_BYTES // max(1, decoded)))
    while lot := list(islice(cuts, most)):
        yield FetchJob(target, source, lot)


def _blocks(
    target: Target, source: Source, cut: Cut, load: Callable[[], Loaded], cache: ChunkCache, tally: ReadTally
) -> list[Block]:
    chunk = cache.get((source.number, cut.index), load, tally)
    return [] if chunk is None else [(cut.out, values_of(cut, chunk, target.layout.dtype))]


def _load(piece: Piece, source: ChunkSource, index: Index) -> Loaded:
    chunk = named(piece, index, partial(source.load, index))
    return chunk, named(piece, index, partial(source.stored, index))


def named[T](piece: Piece, index: Index, act: Callable[[], T]) -> T:
    """Do it; errors name the file and what was read of it."""
    try:
        found = act()
    except TerrellaError as error:
        raise type(error)(f"{name_of(piece)}: {error.message}", details=error.details) from error
    except Exception as error:  # decoders raise whatever they like on broken bytes
        raise Unreadable(f"{name_of(piece)}: {piece.array.name} at {index} cannot be decoded ({error}).") from error
    if isinstance(found, np.ndarray) and found.ndim != len(piece.array.shape):
        raise Unreadable(f"{name_of(piece)}: {piece.array.name} at {index} has {found.ndim} dimensions.")
    return found


def name_of(piece: Piece) -> str:
    return PurePosixPath(piece.href).name
