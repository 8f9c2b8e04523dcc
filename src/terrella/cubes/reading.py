"""Reading what a selection needs and nothing else: chunk by chunk, several at once, straight into the answer."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np

from terrella.contracts.cubes import Piece
from terrella.contracts.formats import Format, SupportsCells, SupportsPlaces
from terrella.contracts.loading import load
from terrella.cubes.caching import ChunkCache, ReadTally
from terrella.cubes.calibrating import Calibration, Work, Works, kind, together
from terrella.cubes.cutting import Cuts, PieceCuts
from terrella.cubes.gathering import write
from terrella.cubes.jobs import Block, CellsJob, ChunkJob, Job, Source, Target, fetches
from terrella.cubes.picking import SPARSE, Pick, batches, picks
from terrella.cubes.placing import Layout
from terrella.storage.files import is_remote

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
class _Cells:
    """Cells that are read alone."""

    pick: Pick
    bytes_read: int

    @property
    def memory(self) -> int:
        """Bytes in memory for each chunk: what is read of it, and twice its cells as float64."""
        return self.bytes_read // len(self.pick.cuts) + 16 * self.pick.wanted


class Reader:
    """Plans and reads. `formats` gives formats by name; by default the plug-ins of `terrella.formats`."""

    def __init__(self, *, cache_bytes: int, threads: int, formats: Mapping[str, Format] | None = None) -> None:
        self.cache = ChunkCache(cache_bytes)
        self.calibration = Calibration()
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="terrella-read")
        self._formats = dict(formats or {})
        self._lock = threading.Lock()
        self._sources: WeakKeyDictionary[Piece, Source] = WeakKeyDictionary()
        self._numbers = itertools.count()

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.cache.clear()

    def cost(self, cuts: Cuts) -> Cost:
        """What reading this would touch, if nothing of it were in memory; reads no data."""
        found = Cost()
        for one in cuts.values():
            values = math.prod(one.shape)
            found += Cost(values, values * one.layout.dtype.itemsize)
            for piece in one.pieces:
                found += self._cost(one.layout, piece)
        return found

    def _cost(self, layout: Layout, piece: PieceCuts) -> Cost:
        found = Cost()
        for part, cells in self._parts(layout, piece):
            works = _works(part, cells)
            if cells is None:
                found += Cost(0, 0, len(part), self._stored(part), _decoded(part), works)
            else:
                found += Cost(0, 0, len(part), cells.bytes_read, cells.memory, works)
        return found

    def read(self, cuts: Cuts, tally: ReadTally) -> dict[str, np.ndarray]:
        """Values by variable, packing undone, missing as NaN; every needed chunk is loaded once.

        Raises Unreadable, naming the file, where one is broken or gone.
        """
        start, before = time.perf_counter(), (tally.loaded, tally.remembered)
        made = {name: _empty(one.layout, one.shape) for name, one in cuts.items()}
        works: dict[str, Work] = {}
        jobs = (
            job
            for name, one in cuts.items()
            for piece in one.pieces
            for job in self._jobs(Target(one.layout, made[name]), piece, works)
        )
        for target, blocks in self._done(jobs, tally):
            for where, block in blocks:
                write(target.out, where, block, merge=target.layout.overlaps)
        if tally.loaded > before[0] and tally.remembered == before[1]:
            self.calibration.learn(works, time.perf_counter() - start)
        return made

    def _parts(self, layout: Layout, piece: PieceCuts) -> Iterator[tuple[PieceCuts, _Cells | None]]:
        """The cuts of a piece, in parts: those of which a few cells are read alone, with what that costs; the rest."""
        source = self._source(piece.placed.piece).chunks
        if layout.dtype.kind != "f" or not isinstance(source, SupportsCells) or not _is_sparse(piece):
            yield piece, None
            return
        for pick in picks(piece):
            yield pick.cuts, self._cells(source, pick)

    def _cells(self, source: SupportsCells, pick: Pick) -> _Cells | None:
        """None where chunks are better loaded whole."""
        if not _is_few(pick.wanted, pick.cuts):
            return None
        bytes_read = source.cells_stored(pick.indices, pick.cells)
        if bytes_read is None or bytes_read * SPARSE > 2 * self._stored(pick.cuts):
            return None
        return _Cells(pick, bytes_read)

    def _jobs(self, target: Target, piece: PieceCuts, works: dict[str, Work]) -> Iterator[Job]:
        """What is to be done for a piece; what it amounts to is added to `works`."""
        source = self._source(piece.placed.piece)
        for part, cells in self._parts(target.layout, piece):
            works.update(together(works, _works(part, cells)))
            if cells is not None and not self._are_kept(source, part):
                for batch in batches(cells.pick, cells.memory):
                    yield CellsJob(target, source, batch)
            elif isinstance(source.chunks, SupportsPlaces) and len(part) > 1 and is_remote(piece.placed.piece.href):
                yield from fetches(target, source, iter(part), _decoded(part))
            else:
                yield from (ChunkJob(target, source, cut) for cut in part)

    def _are_kept(self, source: Source, cuts: PieceCuts) -> bool:
        """Whether all these chunks are in the cache."""
        return all((source.number, index) in self.cache for index in cuts.indices())

    def _done(self, jobs: Iterator[Job], tally: ReadTally) -> Iterator[tuple[Target, list[Block]]]:
        """What each job gives, in order; what is not in memory is read by the pool, a few jobs ahead."""
        ahead: deque[tuple[Target, Callable[[], list[Block]]]] = deque()
        first = next(jobs, None)
        second = next(jobs, None)
        if first is not None and second is None:
            yield first.target, first.run(self.cache, tally)  # alone: here is as good as anywhere
            return
        try:
            for job in itertools.chain(filter(None, (first, second)), jobs):
                ahead.append((job.target, self._started(job, tally)))
                if len(ahead) > self._threads + 2:
                    done, result = ahead.popleft()
                    yield done, result()
            while ahead:
                done, result = ahead.popleft()
                yield done, result()
        finally:
            for _, result in ahead:
                waiting = getattr(result, "__self__", None)
                if isinstance(waiting, Future):
                    waiting.cancel()

    def _started(self, job: Job, tally: ReadTally) -> Callable[[], list[Block]]:
        if job.is_easy(self.cache):
            return partial(job.run, self.cache, tally)
        return self._pool.submit(job.run, self.cache, tally).result

    def _source(self, piece: Piece) -> Source:
        found = self._sources.get(piece)
        if found is None:
            made = self._format(piece.format).source(piece.array, piece.href)
            with self._lock:
                found = self._sources.setdefault(piece, Source(next(self._numbers), made))
        return found

    def _format(self, name: str) -> Format:
        with self._lock:
            if name not in self._formats:
                self._formats[name] = load("formats", name)()
            return self._formats[name]

    def _stored(self, cuts: PieceCuts) -> int:
        piece = cuts.placed.piece
        table = piece.array.table
        if table is not None:
            return _stored_in_table(cuts, table.lengths)
        source = self._source(piece).chunks
        asked = list(itertools.islice(cuts.indices(), _SAMPLED))
        known = sum(source.stored(index) for index in asked)
        return known * len(cuts) // len(asked)


def _stored_in_table(cuts: PieceCuts, lengths: np.ndarray) -> int:
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


def _works(cuts: PieceCuts, cells: _Cells | None) -> dict[str, Work]:
    piece = cuts.placed.piece
    name = kind(piece.format, is_far=is_remote(piece.href), is_single=cells is not None)
    return {name: Work(len(cuts), cells.bytes_read if cells else len(cuts) * _decoded(cuts))}


def _decoded(cuts: PieceCuts) -> int:
    """Bytes of a decoded chunk."""
    array = cuts.placed.piece.array
    return math.prod(array.chunks) * np.dtype(array.dtype).itemsize


def _is_few(wanted: int, cuts: PieceCuts) -> bool:
    return wanted * SPARSE <= math.prod(cuts.placed.piece.array.chunks)


def _is_sparse(cuts: PieceCuts) -> bool:
    """Whether a few cells are wanted of some chunks; cheap to tell."""
    first = Pick(replace(cuts, axes=tuple(groups[:1] for groups in cuts.axes)))
    return any(_is_few(Pick(replace(first.cuts, spots=[spot])).wanted, cuts) for spot in cuts.spots)


def _empty(layout: Layout, shape: tuple[int, ...]) -> np.ndarray:
    if layout.dtype.kind == "f":
        return np.full(shape, np.nan, dtype=layout.dtype)
    return np.zeros(shape, dtype=layout.dtype)
