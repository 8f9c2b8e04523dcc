"""Decoded chunks kept in memory: least recently used go first, and a chunk that several ask for is loaded once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

Loaded = tuple[np.ndarray | None, int]
"""A chunk (None where all is missing) and how many stored bytes were read for it just now."""

_OVERHEAD = 200
"""Bytes that an entry costs besides its numbers."""


@dataclass(slots=True)
class ReadTally:
    """What reading really touched: stored bytes, chunks loaded, chunks that were still in memory.

    `tell` is called with the tally again and again while something is read; what it raises ends the reading.
    """

    bytes_read: int = 0
    loaded: int = 0
    remembered: int = 0
    tell: Callable[[ReadTally], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, bytes_read: int, *, fresh: bool, chunks: int = 1) -> None:
        """Count some chunks: read just now, or still in memory."""
        with self._lock:
            self.bytes_read += bytes_read
            self.loaded += chunks if fresh else 0
            self.remembered += 0 if fresh else chunks

    def pause(self) -> None:
        """Between two parts of a read, in the thread that asked for it."""
        if self.tell is not None:
            self.tell(self)


class ChunkCache:
    """Safe for threads. `limit` is in bytes of decoded chunks; 0 keeps nothing."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, np.ndarray | None] = OrderedDict()
        self._coming: dict[Hashable, Future[np.ndarray | None]] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def get(self, key: Hashable, load: Callable[[], Loaded], tally: ReadTally) -> np.ndarray | None:
        """The chunk, from memory or through `load`; whoever waits for another's load has read nothing."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                tally.add(0, fresh=False)
                return self._kept[key]
            coming = self._coming.get(key)
            if coming is None:
                mine: Future[np.ndarray | None] = Future()
                self._coming[key] = mine
        if coming is not None:
            tally.add(0, fresh=False)
            return coming.result()
        return self._load(key, load, tally, mine)

    def _load(
        self, key: Hashable, load: Callable[[], Loaded], tally: ReadTally, mine: Future[np.ndarray | None]
    ) -> np.ndarray | None:
        try:
            chunk, bytes_read = load()
        except BaseException as error:
            with self._lock:
                del self._coming[key]
            mine.set_exception(error)
            raise
        with self._lock:
            del self._coming[key]
            self._keep(key, chunk)
        mine.set_result(chunk)
        tally.add(bytes_read, fresh=True)
        return chunk

    def _keep(self, key: Hashable, chunk: np.ndarray | None) -> None:
        cost = _cost(chunk)
        if cost > self.limit:
            return
        self._kept[key] = chunk
        self.size += cost
        while self.size > self.limit:
            _, gone = self._kept.popitem(last=False)
            self.size -= _cost(gone)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self.size = 0


def _cost(chunk: np.ndarray | None) -> int:
    return _OVERHEAD + (0 if chunk is None else chunk.nbytes)
