"""Reading what a selection needs and nothing else: chunk by chunk, several at once, straight into the answer."""

from __future__ import annotations

import itertools
import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from terrella.contracts.cubes import Piece
from terrella.contracts.formats import ChunkSource, Format
from terrella.contracts.loading import load
from terrella.cubes.caching import ChunkCache, ReadTally
from terrella.cubes.cutting import Cut, Cuts, PieceCuts
from terrella.cubes.gathering import values_of, write
from terrella.cubes.placing import Layout
from terrella.errors import TerrellaError, Unreadable

if TYPE_CHECKING:
    from terrella.cubes.caching import Loaded

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

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.values + other.values,
            self.bytes_out + other.bytes_out,
            self.chunks + other.chunks,
            self.bytes_read + other.bytes_read,
            max(self.largest, other.largest),
        )


Source = tuple[int, ChunkSource]
"""A piece as something to read from, and the number that stands for it in the cache."""

Task = tuple[Layout, Cut, Source, np.ndarray]
"""What to cut, from where, and the answer that it goes to."""


class Reader:
    """Plans and reads. `formats` gives formats by name; by default the plug-ins of `terrella.formats`."""

    def __init__(self, *, cache_bytes: int, threads: int, formats: Mapping[str, Format] | None = None) -> None:
        self.cache = ChunkCache(cache_bytes)
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
                array = piece.placed.piece.array
                decoded = math.prod(array.chunks) * np.dtype(array.dtype).itemsize
                found += Cost(0, 0, len(piece), self._stored(piece), decoded)
        return found

    def read(self, cuts: Cuts, tally: ReadTally) -> dict[str, np.ndarray]:
        """Values by variable, packing undone, missing as NaN; every needed chunk is loaded once.

        Raises Unreadable, naming the file, where one is broken or gone.
        """
        made = {name: _empty(one.layout, one.shape) for name, one in cuts.items()}
        tasks = (
            (one.layout, cut, source, made[name])
            for name, one in cuts.items()
            for piece in one.pieces
            for source in (self._source(piece.placed.piece),)
            for cut in piece
        )
        for (layout, cut, _, out), block in self._blocks(tasks, tally):
            if block is not None:
                write(out, cut, block, merge=layout.overlaps)
        return made

    def _blocks(self, tasks: Iterator[Task], tally: ReadTally) -> Iterator[tuple[Task, np.ndarray | None]]:
        """Cut-out values of each task, in order; what is not in memory is loaded by the pool, a few chunks ahead."""
        ahead: deque[tuple[Task, Callable[[], np.ndarray | None]]] = deque()
        first = next(tasks, None)
        second = next(tasks, None)
        if first is not None and second is None:
            yield first, self._block(first, tally)  # alone: here is as good as anywhere
            return
        try:
            for task in itertools.chain(filter(None, (first, second)), tasks):
                ahead.append((task, self._started(task, tally)))
                if len(ahead) > 4 * self._threads:
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

    def _started(self, task: Task, tally: ReadTally) -> Callable[[], np.ndarray | None]:
        if (task[2][0], task[1].index) in self.cache:
            return partial(self._block, task, tally)
        return self._pool.submit(self._block, task, tally).result

    def _block(self, task: Task, tally: ReadTally) -> np.ndarray | None:
        layout, cut, (number, source), _ = task
        load_it = partial(_load, cut.placed.piece, source, cut.index)
        chunk = self.cache.get((number, cut.index), load_it, tally)
        return None if chunk is None else values_of(cut, chunk, layout.dtype)

    def _source(self, piece: Piece) -> Source:
        found = self._sources.get(piece)
        if found is None:
            made = self._format(piece.format).source(piece.array, piece.href)
            with self._lock:
                found = self._sources.setdefault(piece, (next(self._numbers), made))
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
        _, source = self._source(piece)
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


def _load(piece: Piece, source: ChunkSource, index: tuple[int, ...]) -> Loaded:
    try:
        chunk = source.load(index)
        size = source.stored(index)
    except TerrellaError as error:
        raise type(error)(f"{_name(piece)}: {error.message}", details=error.details) from error
    except Exception as error:  # decoders raise whatever they like on broken bytes
        raise Unreadable(f"{_name(piece)}: {piece.array.name} at {index} cannot be decoded ({error}).") from error
    if chunk is not None and chunk.ndim != len(piece.array.shape):
        raise Unreadable(f"{_name(piece)}: {piece.array.name} at {index} has {chunk.ndim} dimensions.")
    return chunk, size


def _name(piece: Piece) -> str:
    return PurePosixPath(piece.href).name


def _empty(layout: Layout, shape: tuple[int, ...]) -> np.ndarray:
    if layout.dtype.kind == "f":
        return np.full(shape, np.nan, dtype=layout.dtype)
    return np.zeros(shape, dtype=layout.dtype)
