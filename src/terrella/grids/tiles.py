"""Which windows of a big array may hold cells in a box, found without computing all centres."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from terrella.grids.sphere import lonlat, unit
from terrella.grids.tables import Cells, Flags, Floats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from terrella.model.space import Extent

_FIRST, _THEN = 64, 8
"""Cuts along each dimension: of the whole array, and of a window that is still too big."""
_SMALL = 4096
"""Cells of a window that is not worth cutting further."""
_AT_ONCE = 2**20
"""Cells looked at together."""
_SOME, _NONE = -1.0, -2.0
"""Radius of a window of which some or no samples are on the Earth."""


@dataclass(frozen=True, eq=False)
class Windows:
    """Rows [top, bottom) and columns [left, right), with a circle on the sphere that holds their centres.

    The circle is around 3 x 3 samples, half as wide again: maps are smooth. Angles in degrees.
    """

    bounds: Cells
    lon: Floats
    lat: Floats
    radius: Floats

    @cached_property
    def half_width(self) -> Floats:
        """Degrees of longitude that each circle reaches to both sides."""
        over_pole = np.abs(self.lat) + self.radius >= 90.0
        narrow = np.sin(np.radians(np.minimum(self.radius, 90.0))) / np.maximum(np.cos(np.radians(self.lat)), 1e-12)
        half = np.degrees(np.arcsin(np.minimum(narrow, 1.0)))
        return np.asarray(np.where(over_pole | (narrow >= 1.0), 180.0, half))

    @cached_property
    def sizes(self) -> Cells:
        """Cells of each window."""
        return count_cells(self.bounds)

    def near(self, extents: Iterable[Extent]) -> Flags:
        """Which may touch one of the boxes (none of them crosses the antimeridian)."""
        south, north, half = self.lat - self.radius, self.lat + self.radius, self.half_width
        found = np.zeros(self.lat.shape, dtype=bool)
        for box in extents:
            apart = np.abs(np.mod(self.lon - (box.west + box.east) / 2 + 180.0, 360.0) - 180.0)
            beside = apart <= half + (box.east - box.west) / 2 + 1e-7
            found |= beside & (north >= box.south - 1e-7) & (south <= box.north + 1e-7)
        return found

    def columns(self) -> tuple[np.ndarray, ...]:
        return self.bounds, self.lon, self.lat, self.radius

    def take(self, which: np.ndarray) -> Windows:
        return Windows(self.bounds[which], self.lon[which], self.lat[which], self.radius[which])


@dataclass(frozen=True, eq=False)
class Tiles:
    """A tree of windows over an array of (ny, nx) cells; `place` gives (lon, lat) of fractional (row, column)."""

    shape: tuple[int, int]
    place: Callable[[Floats, Floats], tuple[Floats, Floats]]

    @cached_property
    def _top(self) -> Windows:
        ny, nx = self.shape
        down, right = min(_FIRST, ny), min(_FIRST, nx)
        windows = self._circled(_cut(np.array([[0, ny, 0, nx]]), down, right))
        limb = (windows.radius == _SOME) | (
            (windows.radius == _NONE) & _beside((windows.radius != _NONE).reshape(down, right)).ravel()
        )
        if not limb.any():
            return windows.take(windows.radius >= 0)
        looked = self._looked_through(windows.bounds[limb])
        whole = windows.take(windows.radius >= 0)
        return Windows(*(np.concatenate(pair) for pair in zip(whole.columns(), looked.columns(), strict=True)))

    def _circled(self, bounds: Cells) -> Windows:
        """Circles around 3 x 3 samples; their radius is `_SOME` or `_NONE` where not all of them are on the Earth."""
        i = np.stack([bounds[:, 0], (bounds[:, 0] + bounds[:, 1] - 1) / 2, bounds[:, 1] - 1.0], axis=-1)
        j = np.stack([bounds[:, 2], (bounds[:, 2] + bounds[:, 3] - 1) / 2, bounds[:, 3] - 1.0], axis=-1)
        samples = self.place(np.repeat(i, 3, axis=1).ravel(), np.tile(j, (1, 3)).ravel())
        real = np.isfinite(samples[0]).reshape(-1, 9)
        circles = _circles(unit(*samples), np.repeat(np.arange(len(bounds)), 9), len(bounds), 1.5)
        radius = np.where(real.all(axis=1), circles[2], np.where(real.any(axis=1), _SOME, _NONE))
        return Windows(bounds, circles[0], circles[1], radius)

    def _looked_through(self, bounds: Cells) -> Windows:
        """Circles around all centres, or every second or third of very many: at a limb maps are not smooth."""
        stride = int(np.ceil(np.sqrt(count_cells(bounds).sum() / _AT_ONCE)))
        parts = [
            np.stack([part.ravel() for part in np.mgrid[top:bottom:stride, left:right:stride]])
            for top, bottom, left, right in bounds.tolist()
        ]
        which = np.repeat(np.arange(len(bounds)), [part.shape[1] for part in parts])
        rows, columns = np.concatenate(parts, axis=1).astype(np.float64)
        lon, lat = self.place(rows, columns)
        seen = np.isfinite(lon)
        circles = _circles(unit(lon[seen], lat[seen]), which[seen], len(bounds), 1.1)
        some = np.bincount(which[seen], minlength=len(bounds)) > 0
        return Windows(bounds, circles[0], circles[1], circles[2] + 3.0 * (stride - 1)).take(some)

    def select(self, extents: Iterable[Extent], inside: Callable[[Windows], Flags]) -> tuple[Cells, Cells]:
        """Bounds of windows that together hold every cell in the boxes, shape (n, 4): top, bottom, left, right.

        First those that lie wholly `inside` the shape that the boxes are around, then those whose cells are to test.
        """
        boxes = tuple(extents)
        windows = self._top.take(self._top.near(boxes))
        sure, test = np.empty((0, 4), dtype=np.int64), np.empty((0, 4), dtype=np.int64)
        while windows.lat.size:
            whole = inside(windows)
            sure = np.concatenate([sure, windows.bounds[whole]])
            windows = windows.take(~whole)
            big = windows.sizes > _SMALL
            test = np.concatenate([test, windows.bounds[~big]])
            windows = self._split(windows.take(big), boxes)
        return sure, test

    def _split(self, windows: Windows, boxes: tuple[Extent, ...]) -> Windows:
        if not windows.lat.size:
            return windows
        parts = self._circled(_cut(windows.bounds, _THEN, _THEN))
        parent = np.repeat(np.arange(windows.lat.size), _THEN * _THEN)
        lost = parts.radius < 0
        kept = Windows(
            parts.bounds,
            np.where(lost, windows.lon[parent], parts.lon),
            np.where(lost, windows.lat[parent], parts.lat),
            np.where(lost, windows.radius[parent], parts.radius),
        )
        full = (parts.bounds[:, 1] > parts.bounds[:, 0]) & (parts.bounds[:, 3] > parts.bounds[:, 2])
        return kept.take(full & kept.near(boxes))

    def cells(self, windows: Cells) -> Iterator[Cells]:
        """Numbers of all cells of the windows, about a million at a time."""
        batch = np.cumsum(count_cells(windows)) // _AT_ONCE
        for start in np.flatnonzero(np.diff(batch, prepend=-1)):
            chosen = windows[start:][batch[start:] == batch[start]]
            yield np.concatenate([self._numbers(*bounds) for bounds in chosen.tolist()])

    def _numbers(self, top: int, bottom: int, left: int, right: int) -> Cells:
        return (np.arange(top, bottom)[:, None] * self.shape[1] + np.arange(left, right)).ravel()


def count_cells(bounds: Cells) -> Cells:
    """Cells of each window."""
    return np.asarray((bounds[:, 1] - bounds[:, 0]) * (bounds[:, 3] - bounds[:, 2]), dtype=np.int64)


def _cut(bounds: Cells, down: int, right: int) -> Cells:
    """Each window in down x right parts, some of them empty when it is smaller."""
    i = bounds[:, :1] + (bounds[:, 1:2] - bounds[:, :1]) * np.arange(down + 1) // down
    j = bounds[:, 2:3] + (bounds[:, 3:] - bounds[:, 2:3]) * np.arange(right + 1) // right
    shape = (bounds.shape[0], down, right)
    sides = (i[:, :-1, None], i[:, 1:, None], j[:, None, :-1], j[:, None, 1:])
    return np.stack([np.broadcast_to(side, shape).ravel() for side in sides], axis=-1).astype(np.int64)


def _circles(vectors: Floats, which: Cells, count: int, margin: float) -> tuple[Floats, Floats, Floats]:
    """(lon, lat, radius) in degrees of circles around groups of places, `margin` times as wide as they need."""
    sums = [np.bincount(which, vectors[:, k], minlength=count) for k in range(3)]
    middle = np.stack(sums, axis=-1).astype(np.float64)
    length = np.sqrt((middle**2).sum(axis=-1, keepdims=True))
    middle = np.divide(middle, length, out=np.zeros_like(middle), where=length > 1e-9)
    chords = np.sqrt(((vectors - middle[which]) ** 2).sum(axis=-1))
    widest = np.zeros(count)
    np.fmax.at(widest, which, chords)
    radius = margin * np.degrees(2 * np.arcsin(np.minimum(widest / 2, 1.0)))
    # Places all around the Earth have no middle.
    return *lonlat(middle), np.where(length[:, 0] > 1e-9, np.minimum(radius, 180.0), 180.0)


def _beside(flags: Flags) -> Flags:
    """Which windows have a neighbour, also over a corner, with the flag set."""
    wide = np.pad(flags, 1)
    ny, nx = flags.shape
    return np.any([wide[i : i + ny, j : j + nx] for i in range(3) for j in range(3)], axis=0)
