"""How long reading takes on this site: learnt from every read, so that a plan can say seconds before it runs.

For each kind of reading (a format, whole chunks or single cells, near or far) time is
``start + chunks * a + bytes * b``. The three numbers are those with the least squares of relative errors over past
reads, of which each later one makes the earlier count for less (recursive least squares with forgetting); none may be
negative.
"""

from __future__ import annotations

import itertools
import json
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_KEPT = 0.97
"""Weight that the past keeps at each new read: about thirty reads count."""
_DOUBT = 0.05
"""Weight of what was assumed at first, in reads."""
_NEAR = (1e-3, 1e-4, 1e-9)
"""Assumed of local files: a millisecond to start, 0.1 ms a chunk, 1 GB/s."""
_FAR = (5e-2, 1e-2, 2e-8)
"""Assumed of remote ones: 50 ms, 10 ms a chunk, 50 MB/s."""
_MOST_KINDS = 200


@dataclass(frozen=True, slots=True)
class Work:
    """Something to read: chunks, and their bytes when decoded; of single cells, the bytes that hold them."""

    chunks: int = 0
    nbytes: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.chunks + other.chunks, self.nbytes + other.nbytes)


Works = Mapping[str, Work]
"""By kind of reading."""


def kind(format_name: str, *, is_far: bool, is_single: bool) -> str:
    """The name of a kind of reading."""
    return f"{format_name}{' cells' if is_single else ''}{' remote' if is_far else ''}"


def together(one: Works, other: Works) -> dict[str, Work]:
    """Sum of both, by kind."""
    return {name: one.get(name, Work()) + other.get(name, Work()) for name in (*one, *(set(other) - set(one)))}


@dataclass(slots=True)
class _Line:
    """Weighted sums of past reads of one kind: enough to fit, and all that is kept."""

    squares: np.ndarray
    products: np.ndarray
    numbers: np.ndarray | None = None
    """The fit, once it is asked for."""

    def seconds(self, work: Work) -> float:
        if self.numbers is None:
            self.numbers = _fitted(self.squares, self.products)
        return float(self.numbers @ _terms(work))

    def learn(self, work: Work, seconds: float) -> None:
        terms = _terms(work) / seconds
        self.squares = self.squares * _KEPT + np.outer(terms, terms)
        self.products = self.products * _KEPT + terms
        self.numbers = None


def _first(name: str) -> _Line:
    terms = 1 / np.array(_FAR if name.endswith(" remote") else _NEAR)
    return _Line(np.diag(terms**2) * _DOUBT, terms * _DOUBT)


def _terms(work: Work) -> np.ndarray:
    return np.array([1.0, work.chunks, work.nbytes])


def _fitted(squares: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Least squares without negative numbers: of all sets of terms that give none, the best."""
    scale = 1 / np.sqrt(np.maximum(np.diag(squares), 1e-300))
    matrix, right = squares * np.outer(scale, scale), products * scale
    best, least = np.zeros(3), math.inf
    for size in (3, 2, 1):
        for chosen in map(list, itertools.combinations(range(3), size)):
            found = np.zeros(3)
            found[chosen] = np.linalg.lstsq(matrix[np.ix_(chosen, chosen)], right[chosen], rcond=None)[0]
            error = float(found @ matrix @ found - 2 * found @ right)
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
        """Expected time of reading, when nothing of it is in memory."""
        with self._lock:
            return sum(self._line(name).seconds(work) for name, work in works.items() if work.chunks)

    def learn(self, works: Works, seconds: float) -> None:
        """What a read of this, of which nothing was in memory, really took; shared out by what was expected."""
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
        with self._lock:
            return {
                name: {"squares": line.squares.tolist(), "products": line.products.tolist()}
                for name, line in self._lines.items()
            }

    @classmethod
    def from_json(cls, document: Any) -> Calibration:
        """What of it can be used; the rest is learnt anew."""
        made = cls()
        for name, line in document.items() if isinstance(document, dict) else ():
            try:
                squares, products = (np.array(line[key], dtype=float) for key in ("squares", "products"))
            except (TypeError, KeyError, ValueError):
                continue
            if squares.shape == (3, 3) and products.shape == (3,) and np.isfinite((*squares.flat, *products)).all():
                made._lines[str(name)] = _Line(squares, products)
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
        return self._lines.get(name) or _first(name)
