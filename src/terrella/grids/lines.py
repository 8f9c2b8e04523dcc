"""One-dimensional coordinates: told evenly spaced or not, their edges, and longitudes around the circle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.errors import Invalid
from terrella.grids.tables import Cells, Floats, frozen, pack, unpack

if TYPE_CHECKING:
    from terrella.model.stac import Document

TOLERANCE = 1e-9
"""Degrees (0.1 mm) by which a centre may miss an edge of a box or polygon and still count as on it."""


_PARTS = (1, 2, 4, 8, 16, 64, 256, 3, 6, 12, 24, 48, 10, 100, 120, 240, 360, 1000, 1200, 3600)
"""Coordinates of grids are mostly whole parts of a degree, or of a kilometre."""


def even(values: np.ndarray) -> tuple[float, float] | None:
    """(first, step) when spacing is even within 1e-6 of the step, or within the noise of float32 coordinates.

    Whole fractions (1/4, 1/12) and short decimals are preferred to noisy numbers, so that a file in float32 and one
    in float64 give the same grid. None when uneven, or for fewer than two values.
    """
    plain = np.asarray(values, dtype=np.float64)
    if plain.size < 2 or not np.isfinite(plain).all():
        return None
    step = (plain[-1] - plain[0]) / (plain.size - 1)
    if step == 0:
        return None
    single = values.dtype == np.float32 or bool((plain == plain.astype(np.float32)).all())
    noise = 2 * np.finfo(np.float32).eps * float(np.abs(plain).max()) if single else 0.0
    allowed = min(max(1e-6 * abs(step), noise), 0.01 * abs(step))
    count = np.arange(plain.size)
    for neat_step in _neat(float(step), allowed / plain.size):
        for neat_first in _neat(float(plain[0]), allowed):
            if np.abs(neat_first + count * neat_step - plain).max() <= allowed:
                return neat_first, neat_step
    return None


def _neat(value: float, allowed: float) -> list[float]:
    """Ways to write a number within the allowed error, the shortest first, itself last."""
    fractions = [round(value * n) / n for n in _PARTS]
    rounded = [round(value, digits) for digits in range(4, 12)]
    return [way for way in (*fractions, *rounded) if abs(way - value) <= allowed] + [value]


@dataclass(frozen=True, eq=False)
class Line:
    """Coordinate values in stored order: `first + i * step` where `table` is None, else the table.

    `step` of a table is a typical spacing; it says how wide a lone value is.
    """

    first: float
    step: float
    count: int
    table: Floats | None = None

    @classmethod
    def of(cls, values: np.ndarray, *, lone_step: float = 1.0) -> Line:
        """Even where `even` says so. Raises Invalid for no, non-finite, or not one-dimensional values."""
        given = np.asarray(values)
        if given.ndim != 1 or not given.size or not np.isfinite(given.astype(np.float64)).all():
            raise Invalid("Grid coordinates must be a one-dimensional array of finite numbers.", parameter="grid")
        if given.size == 1:
            return cls(float(given[0]), lone_step, 1)
        spacing = even(given)
        if spacing:
            return cls(*spacing, given.size)
        steps = np.diff(given.astype(np.float64))
        return cls(float(given[0]), float(np.median(steps)), given.size, frozen(given))

    @cached_property
    def values(self) -> Floats:
        """float64, in stored order."""
        return self.table if self.table is not None else frozen(self.first + np.arange(self.count) * self.step)

    @cached_property
    def order(self) -> Cells:
        """Indices that sort the values ascending; of equal ones the lower index first."""
        return np.argsort(self.values, kind="stable")

    @cached_property
    def ascending(self) -> Floats:
        return np.asarray(self.values[self.order], dtype=np.float64)

    @cached_property
    def edges(self) -> Floats:
        """Borders of the ascending values, one more than there are: midpoints, and half a step beyond both ends."""
        line = self.ascending
        if line.size == 1:
            half = abs(self.step) / 2
            return np.array([line[0] - half, line[0] + half])
        middle = (line[1:] + line[:-1]) / 2
        return np.concatenate([[2 * line[0] - middle[0]], middle, [2 * line[-1] - middle[-1]]])

    @cached_property
    def lowest(self) -> Cells:
        """For each ascending position the lowest stored index with that same value."""
        starts = np.concatenate([[True], np.diff(self.ascending) > TOLERANCE])
        heads = np.flatnonzero(starts)
        least = np.minimum.reduceat(self.order, heads)
        return np.asarray(least[np.cumsum(starts) - 1], dtype=np.int64)

    @cached_property
    def is_monotonic(self) -> bool:
        """Whether the values rise or fall all along."""
        steps = np.diff(self.values)
        return bool((steps > 0).all() or (steps < 0).all())

    def at(self, index: np.ndarray) -> Floats:
        """The coordinate at fractional indices, straight between values and on beyond the ends."""
        place = np.asarray(index, dtype=np.float64)
        if self.table is None:
            return self.first + place * self.step
        low = np.clip(np.floor(place).astype(np.int64), 0, self.count - 2)
        return self.table[low] + (place - low) * (self.table[low + 1] - self.table[low])

    def index(self, value: np.ndarray) -> Floats:
        """The fractional index of coordinates, the inverse of `at`; needs a monotonic line."""
        given = np.asarray(value, dtype=np.float64)
        if self.table is None:
            return np.asarray((given - self.first) / self.step, dtype=np.float64)
        sign = 1.0 if self.table[-1] > self.table[0] else -1.0
        low = np.clip(np.searchsorted(sign * self.table, sign * given, side="right") - 1, 0, self.count - 2)
        return low + (given - self.table[low]) / (self.table[low + 1] - self.table[low])

    def to_json(self) -> Document:
        if self.table is not None:
            return {"values": pack(self.table)}
        return {"first": self.first, "step": self.step, "count": self.count}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Line:
        if "values" in document:
            table = unpack(document["values"])
            return cls(float(table[0]), float(np.median(np.diff(table))), table.size, frozen(table))
        return cls(float(document["first"]), float(document["step"]), int(document["count"]))
