"""Answers kept as bytes: the same question about the same data is not cut out and written twice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terrella.model.extraction import Plan

MIB = 1 << 20
_OVERHEAD = 1000
"""Bytes that an answer costs besides its body."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """The body of an answer, and the plan that it was cut out by."""

    body: bytes
    plan: Plan


class Answers:
    """Safe for threads. Keeps `limit` bytes: the least recently asked for go first, none is larger than an eighth."""

    def __init__(self, limit: int = 64 * MIB) -> None:
        self.limit = limit
        self.size = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Remembered] = OrderedDict()

    def get(self, tag: str) -> Remembered | None:
        """The answer of a strong tag."""
        with self._lock:
            found = self._kept.get(tag)
            if found is not None:
                self._kept.move_to_end(tag)
            return found

    def keep(self, tag: str, answer: Remembered) -> None:
        """Remember an answer, where it is not too large."""
        cost = _OVERHEAD + len(answer.body)
        if cost > self.limit // 8:
            return
        with self._lock:
            if tag in self._kept:
                return
            self._kept[tag] = answer
            self.size += cost
            while self.size > self.limit:
                _, gone = self._kept.popitem(last=False)
                self.size -= _OVERHEAD + len(gone.body)
