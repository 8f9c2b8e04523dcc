"""Longitudes around the circle: any range, any direction, with or without a seam."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from terrella.grids.lines import TOLERANCE, Line
from terrella.grids.tables import Cells, Flags, Floats


@dataclass(frozen=True, eq=False)
class Meridians:
    """The columns of a grid, sorted eastward from the far side of their widest gap."""

    line: Line

    @cached_property
    def _start(self) -> tuple[float, Cells, Floats]:
        """(base longitude, columns sorted eastward, degrees east of base)."""
        turned = np.mod(self.line.values, 360.0)
        turned[turned >= 360.0] = 0.0
        order = np.argsort(turned, kind="stable")
        sorted_ = turned[order]
        gaps = np.diff(sorted_, append=sorted_[0] + 360.0)
        after = (int(np.argmax(gaps)) + 1) % order.size
        columns = np.roll(order, -after)
        offsets = np.concatenate([sorted_[after:], sorted_[:after] + 360.0]) - sorted_[after]
        return float(sorted_[after]), columns, offsets

    @property
    def base(self) -> float:
        return self._start[0]

    @property
    def columns(self) -> Cells:
        """Column numbers, eastward."""
        return self._start[1]

    @property
    def offsets(self) -> Floats:
        """Degrees east of `base` of each of `columns`: ascending from 0, below 360."""
        return self._start[2]

    @cached_property
    def lowest(self) -> Cells:
        """For each position the lowest column on that same meridian (files repeat 0 as 360)."""
        starts = np.concatenate([[True], np.diff(self.offsets) > TOLERANCE])
        least = np.minimum.reduceat(self.columns, np.flatnonzero(starts))
        return np.asarray(least[np.cumsum(starts) - 1], dtype=np.int64)

    @cached_property
    def is_global(self) -> bool:
        """Whether the columns close the circle: the widest gap is about as wide as the others."""
        steps = np.diff(self.offsets)
        steps = steps[steps > TOLERANCE]
        if not steps.size:
            return abs(self.line.step) >= 360.0 - TOLERANCE
        return bool(360.0 - self.offsets[-1] <= 1.25 * steps.max())

    @cached_property
    def edges(self) -> Floats:
        """Borders between the columns in degrees east of `base`, one more than there are columns."""
        closing = 360.0 - self.offsets[-1]
        middle = (self.offsets[1:] + self.offsets[:-1]) / 2
        if self.is_global:
            west, east = closing / 2, closing / 2
        else:
            steps = np.diff(self.offsets)
            steps = steps[steps > TOLERANCE]
            first, last = (steps[0], steps[-1]) if steps.size else (abs(self.line.step), abs(self.line.step))
            west, east = min(first, closing) / 2, min(last, closing) / 2
        return np.concatenate([[-west], middle, [self.offsets[-1] + east]])

    @cached_property
    def widths(self) -> Floats:
        """Degrees from border to border of each column, in stored order."""
        wide = np.empty(self.columns.size)
        wide[self.columns] = np.diff(self.edges)
        return wide

    def covers(self, lon: Floats) -> Flags:
        """Which longitudes lie between the outer borders."""
        if self.is_global:
            return np.ones(lon.shape, dtype=bool)
        east = np.mod(lon - (self.base + self.edges[0]) + TOLERANCE, 360.0)
        return np.asarray(east <= self.edges[-1] - self.edges[0] + 2 * TOLERANCE, dtype=bool)

    def beside(self, lon: Floats) -> tuple[Cells, Cells]:
        """The two columns that a longitude lies between, going round the circle."""
        at = np.searchsorted(self.offsets, np.mod(lon - self.base, 360.0))
        count = self.columns.size
        return self.lowest[(at - 1) % count], self.lowest[at % count]

    def spans(self, west: Floats, east: Floats) -> tuple[Cells, Cells]:
        """Positions [start, stop) in `columns` between meridians, twice as many as asked: some lie over the base.

        ``east >= west``, unwrapped, borders included to `TOLERANCE`. Results are of shape (2, n).
        """
        low = np.mod(west - self.base, 360.0)
        low = np.where(low > 360.0 - TOLERANCE, low - 360.0, low)
        high = low + (east - west)
        whole = east - west >= 360.0 - 2 * TOLERANCE
        start = np.searchsorted(self.offsets, low - TOLERANCE, side="left")
        stop = np.searchsorted(self.offsets, high + TOLERANCE, side="right")
        again = np.searchsorted(self.offsets, high - 360.0 + TOLERANCE, side="right")
        zero = np.zeros_like(start)
        return (
            np.stack([np.where(whole, 0, start), zero]).astype(np.int64),
            np.stack([np.where(whole, self.offsets.size, stop), np.where(whole, 0, again)]).astype(np.int64),
        )
