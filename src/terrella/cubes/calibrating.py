"""How long work takes on this site: learnt from all that is done, so that a plan can say seconds before it runs.

For each kind of work (reading a format, whole chunks or single cells, near or far; reducing; saying where cells are)
time is
``start + chunks * a + bytes * b``. The three numbers are those with the least squares of relative errors over the last
reads, of which later ones count for more; none may be negative. What these reads leave open is filled up with what
is usual, made faster or slower as this site is.
"""

from __future__ import annotations

import itertools
import json
import math
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_READS = 60
"""Reads of a kind that are remembered."""
_FADES = 0.95
"""What a read counts for beside the next."""
_STEADY = 20
"""Numbers are fitted again, which takes a millisecond, when one in so many of the reads remembered is new."""
_DOUBT = 1e-4
"""What the usual numbers count for, in reads."""
_ROUNDS = 4
CAUTION = 1.5
"""Expected times are said so much longer: machines are sometimes busy, and too short is worse than too long."""
_NEAR = (1e-3, 1e-4, 1e-9)
"""Assumed of local files: a millisecond to start, 0.1 ms a chunk, 1 GB/s."""
_FAR = (5e-2, 1e-2, 2e-8)
"""Assumed of remote ones: 50 ms, 10 ms a chunk, 50 MB/s."""
_OTHERS = {
    "grib": (1e-3, 5e-4, 3e-9),
    "grib cells": (1e-3, 5e-4, 1e-9),
    "places": (5e-4, 1e-4, 2e-7),
    "reducing": (1e-3, 1e-4, 1e-8),
}
"""Assumed of some kinds, by their first words. Decoding messages takes longer; of `places`, where cells are said to be,
bytes are cells; of `reducing` they are the numbers that are made fewer."""
_MOST_KINDS = 200


@dataclass(frozen=True, slots=True)
class Work:
    """Something to read: chunks, and their bytes when decoded; of single cells, the bytes that hold them."""

    chunks: int = 0
    nbytes: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.chunks + other.chunks, self.nbytes + other.nbytes)


Works = Mapping[str, Work]
"""By kind of work."""


def kind(format_name: str, *, is_far: bool, is_single: bool) -> str:
    """The name of a kind of reading."""
    return f"{format_name}{' cells' if is_single else ''}{' remote' if is_far else ''}"


def together(one: Works, other: Works) -> dict[str, Work]:
    """Sum of both, by kind."""
    return {name: one.get(name, Work()) + other.get(name, Work()) for name in (*one, *(set(other) - set(one)))}


class _Line:
    """The last reads of one kind: chunks, bytes and seconds, one row each."""

    def __init__(self, usual: tuple[float, float, float], reads: list[list[float]] | None = None) -> None:
        self.reads: deque[list[float]] = deque(reads or [], maxlen=_READS)
        self._usual = np.array(usual)
        self._numbers: np.ndarray | None = None
        self._unfitted = 0

    def seconds(self, work: Work) -> float:
        if self._numbers is None:
            self._numbers, self._unfitted = self._fitted(), 0
        return float(self._numbers @ (1.0, work.chunks, work.nbytes))

    def learn(self, work: Work, seconds: float) -> None:
        self.reads.append([work.chunks, work.nbytes, seconds])
        self._unfitted += 1
        if self._unfitted * _STEADY >= len(self.reads):
            self._numbers = None  # fitted when it is asked for

    def _fitted(self) -> np.ndarray:
        if not self.reads:
            return self._usual
        table = np.array(self.reads)
        terms, seconds = np.column_stack((np.ones(len(table)), table[:, :2])), table[:, 2]
        slower = float(np.median(seconds / (terms @ self._usual)))
        weights = np.sqrt(_FADES ** np.arange(len(table))[::-1])
        usual = np.diag(1 / (self._usual * slower)) * math.sqrt(_DOUBT)
        found, expected = self._usual, seconds
        for _ in range(_ROUNDS):
            # Errors beside the mean of expected and measured: so half as long weighs as much as twice as long.
            scale = weights / np.sqrt(seconds * np.maximum(expected, seconds / 100))
            matrix = np.vstack((terms * scale[:, None], usual))
            found = _least_squares(matrix, np.concatenate((seconds * scale, np.full(3, math.sqrt(_DOUBT)))))
            expected = terms @ found
        return found


def _least_squares(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Without negative numbers: of all sets of terms that give none, the best."""
    scale = 1 / np.linalg.norm(matrix, axis=0)
    best, least = np.zeros(3), math.inf
    for size in (3, 2, 1):
        for chosen in map(list, itertools.combinations(range(3), size)):
            found = np.zeros(3)
            found[chosen] = np.linalg.lstsq(matrix[:, chosen] * scale[chosen], right, rcond=None)[0]
            error = float(np.sum((matrix @ (found * scale) - right) ** 2))
            if (found >= 0).all() and error < least:
                best, least = found, error
    numbers: np.ndarray = best * scale
    return numbers


class Calibration:
    """Safe for threads."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._lock = threading.Lock()

    def seconds(self, works: Works) -> float:
        """Expected time of it, of what is read nothing being in memory."""
        with self._lock:
            return CAUTION * sum(self._line(name).seconds(work) for name, work in works.items() if work.chunks)

    def learn(self, works: Works, seconds: float) -> None:
        """What this, of which nothing was in memory, really took; shared out by what was expected."""
        works = {name: work for name, work in works.items() if work.chunks}
        if not works or not seconds > 0:
            return
        with self._lock:
            for name, share in self._shares(works).items():
                line = self._lines.setdefault(name, self._line(name))
                line.learn(works[name], seconds * share)
            while len(self._lines) > _MOST_KINDS:
                del self._lines[next(iter(self._lines))]

    def to_json(self) -> dict[str, Any]:
        """By kind, chunks, bytes and seconds of the last reads."""
        with self._lock:
            return {name: list(line.reads) for name, line in self._lines.items()}

    @classmethod
    def from_json(cls, document: Any) -> Calibration:
        """What of it can be used; the rest is learnt anew."""
        made = cls()
        for name, reads in document.items() if isinstance(document, dict) else ():
            try:
                table = np.array(reads, dtype=float).reshape(-1, 3)
            except (TypeError, ValueError):
                continue
            if len(table) and np.isfinite(table).all() and (table[:, 2] > 0).all():
                made._lines[str(name)] = _Line(_usual(str(name)), table.tolist())
        return made

    def save(self, path: Path) -> None:
        """Write it to a file, whole or not at all. Raises OSError."""
        text = json.dumps(self.to_json(), indent=1)
        beside = path.with_name(f"{path.name}.new")
        beside.write_text(text)
        beside.replace(path)

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """From a file; a fresh one where there is none, or it is broken."""
        try:
            return cls.from_json(json.loads(path.read_text()))
        except (OSError, ValueError):
            return cls()

    def _shares(self, works: Works) -> dict[str, float]:
        """By kind, its part of the time that all of this is expected to take."""
        if len(works) == 1:
            return dict.fromkeys(works, 1.0)
        expected = {name: max(self._line(name).seconds(work), 1e-6) for name, work in works.items()}
        total = sum(expected.values())
        return {name: seconds / total for name, seconds in expected.items()}

    def _line(self, name: str) -> _Line:
        return self._lines.get(name) or _Line(_usual(name))


def _usual(name: str) -> tuple[float, float, float]:
    if name.endswith(" remote"):
        return _FAR
    return _OTHERS.get(name) or _OTHERS.get(name.partition(" ")[0], _NEAR)
