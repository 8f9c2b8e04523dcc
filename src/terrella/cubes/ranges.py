"""Ranges of bytes that lie alike in many chunks of a file: worked out once, read of all of them."""

from __future__ import annotations

import numpy as np

from terrella.storage import files

GAP = 48
"""Bytes between two ranges that are rather read along than left out with one call more."""


class Ranges:
    """`starts` (from the start of a chunk) and `lengths`, int64, in any order; near ones are made one."""

    def __init__(self, starts: np.ndarray, lengths: np.ndarray) -> None:
        order = np.argsort(starts, kind="stable")
        begin, end = starts[order], np.maximum.accumulate(starts[order] + lengths[order])
        is_first = np.concatenate(([True], begin[1:] > end[:-1] + GAP))
        is_last = np.concatenate((is_first[1:], [True]))
        self._starts = begin[is_first]
        self._lengths = end[is_last] - self._starts
        self._before = np.cumsum(self._lengths) - self._lengths

    @property
    def count(self) -> int:
        """Calls for each chunk."""
        return int(self._starts.size)

    @property
    def size(self) -> int:
        """Bytes read of each chunk."""
        return int(self._lengths.sum())

    def load(self, href: str, offsets: np.ndarray) -> np.ndarray:
        """The bytes of chunks that start at these offsets, uint8, one row for each. Raises Unreadable, NotFound."""
        starts = (offsets[:, None] + self._starts).ravel()
        parts = files.read_ranges(href, starts.tolist(), self._lengths.tolist() * offsets.size)
        return np.frombuffer(b"".join(parts), dtype=np.uint8).reshape(offsets.size, self.size)

    def held(self, starts: np.ndarray) -> np.ndarray:
        """Where in a row the bytes are that lie at these places of a chunk."""
        which = np.searchsorted(self._starts, starts, side="right") - 1
        found: np.ndarray = starts - self._starts[which] + self._before[which]
        return found
