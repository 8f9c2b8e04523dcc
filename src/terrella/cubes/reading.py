"""Reading what a selection needs and nothing else: chunk by chunk, several at once, straight into the answer."""

from __future__ import annotations

import itertools
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from terrella.contracts.formats import Format, SupportsMessages, SupportsPlaces
from terrella.cubes import costs
from terrella.cubes.caching import ChunkCache, ReadTally
from terrella.cubes.calibrating import Calibration, Work, together
from terrella.cubes.costs import Cost
from terrella.cubes.cutting import Cuts, PieceCuts
from terrella.cubes.gathering import write
from terrella.cubes.jobs import Block, CellsJob, ChunkJob, Job, Target, fetches, named
from terrella.cubes.picking import batches
from terrella.cubes.placing import Layout
from terrella.cubes.sources import Source, Sources
from terrella.errors import Unsupported
from terrella.model.space import Extent

__all__ = ["Cost", "Reader"]

_WAITING = 4
"""Requests to remote stores under way, for each thread that decodes."""


class Reader:
    """Plans and reads. `formats` gives formats by name; by default the plug-ins of `terrella.formats`.

    In `folder` formats may keep what they learn of files.
    """

    def __init__(
        self, *, cache_bytes: int, threads: int, formats: Mapping[str, Format] | None = None, folder: Path | None = None
    ) -> None:
        self.cache = ChunkCache(cache_bytes)
        self.calibration = Calibration()
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="terrella-read")
        self._waiting = ThreadPoolExecutor(_WAITING * threads, thread_name_prefix="terrella-fetch")
        self._sources = Sources(formats, folder)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._waiting.shutdown(wait=True, cancel_futures=True)
        self.cache.clear()

    def cost(self, cuts: Cuts) -> Cost:
        """What reading this would touch, if nothing of it were in memory; reads no data."""
        found = Cost()
        for one in cuts.values():
            values = math.prod(one.shape)
            found += Cost(values, values * one.layout.dtype.itemsize)
            for piece in one.pieces:
                found += costs.cost(one.layout, piece, self._sources.of(piece.placed.piece).chunks)
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
            tally.pause()
        if tally.loaded > before[0] and tally.remembered == before[1]:
            self.calibration.learn(works, time.perf_counter() - start)
        return made

    def messages(self, cuts: Cuts, area: Extent | None) -> Iterator[bytes]:
        """The stored messages of these cuts, of the cells in `area` alone where one is given. Raises as `message`."""
        for cut in (cut for one in cuts.values() for cut in one):
            source = self._sources.of(cut.placed.piece).chunks
            if not isinstance(source, SupportsMessages):
                raise Unsupported("These data are not stored as GRIB: ask for netcdf.", parameter="format")
            message = named(cut.placed.piece, cut.index, partial(source.message, cut.index, area))
            if message is not None:
                yield message

    def _jobs(self, target: Target, piece: PieceCuts, works: dict[str, Work]) -> Iterator[Job]:
        """What is to be done for a piece; what it amounts to is added to `works`."""
        source = self._sources.of(piece.placed.piece)
        for part, cells in costs.parts(target.layout, piece, source.chunks):
            works.update(together(works, costs.works(part, cells)))
            if cells is not None and not self._are_kept(source, part):
                for batch in batches(cells.pick, cells.memory):
                    yield CellsJob(target, source, batch)
            elif isinstance(source.chunks, SupportsPlaces) and len(part) > 1 and source.is_far:
                yield from fetches(target, source, iter(part), costs.decoded(part))
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
                if len(ahead) > (_WAITING * self._threads if job.source.is_far else self._threads + 2):
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
        pool = self._waiting if job.source.is_far else self._pool
        return pool.submit(job.run, self.cache, tally).result


def _empty(layout: Layout, shape: tuple[int, ...]) -> np.ndarray:
    if layout.dtype.kind == "f":
        return np.full(shape, np.nan, dtype=layout.dtype)
    return np.zeros(shape, dtype=layout.dtype)
