"""Which cell each pixel of a map shows: the nearest on the sphere, found once for a grid and a map."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from terrella.grids.latlon import LatLonCells
from terrella.grids.tables import Cells, Flags, Floats

if TYPE_CHECKING:
    from terrella.model.space import Extent

_FAR = 60.0
"""Degrees between a place and its meridian from which on rows are not told apart by their ends."""
_TIE = 1e-9
"""Degrees between two distances that count as equal."""
_AT_POLE = 90.0 - 1e-10
_AT_ONCE = 1 << 18
"""Places whose cells are found together."""
_MOST_FLAGS = 1 << 24
"""Span of cell numbers up to which distinct ones are found by flags, which is faster than sorting."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """Centres of the pixels of a map whose rows are parallels and whose columns are meridians, degrees.

    `lon` of the columns westmost first, `lat` of the rows as they are shown. Where `turned`, a row lies beyond a pole:
    its longitudes are half a turn further. `crs`, `resolution` and `anchor` (x, y of a corner of a pixel) say the same
    as a grid, `extent` as a box. Equal `key`, equal pixels.
    """

    key: Hashable
    lon: Floats
    lat: Floats
    turned: Flags
    crs: str
    resolution: tuple[float, float]
    anchor: tuple[float, float]
    extent: Extent

    @property
    def shape(self) -> tuple[int, int]:
        return self.lat.size, self.lon.size

    @property
    def size(self) -> float:
        """Degrees between two rows in the middle."""
        half = self.lat.size // 2
        return float(abs(self.lat[half] - self.lat[half - 1])) if self.lat.size > 1 else 180.0

    def places(self) -> tuple[Floats, Floats]:
        """(lon, lat) of every pixel, each of `shape`."""
        lon = self.lon + np.where(self.turned, 180.0, 0.0)[:, None]
        return np.broadcast_to(lon, self.shape), np.broadcast_to(self.lat[:, None], self.shape)


@dataclass(frozen=True, eq=False)
class Sampling:
    """What to read of a grid for a map, and where in what was read each pixel finds its number.

    Read are crossed `lines`, or else single `cells`, each once and rising. Pixels find theirs by `rows` and `columns`
    where these cross, else by `places` (flat, int32); -1 where the grid has no cell.
    """

    shape: tuple[int, int]
    lines: tuple[Cells, ...] | None = None
    cells: Cells | None = None
    rows: Cells | None = None
    columns: Cells | None = None
    places: np.ndarray | None = field(default=None, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether no pixel has a cell."""
        wanted = self.lines if self.lines is not None else (self.cells,)
        return any(one is None or not one.size for one in wanted)

    @property
    def nbytes(self) -> int:
        parts = (*(self.lines or ()), self.cells, self.rows, self.columns, self.places)
        return sum(one.nbytes for one in parts if one is not None)

    def spread(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers that were read, over the pixels; 0 where the grid has no cell."""
        if self.places is not None:
            flat = np.zeros(numbers.size + 1, dtype=numbers.dtype)
            flat[:-1] = numbers.ravel()
            return np.asarray(flat[self.places])
        assert self.rows is not None
        assert self.columns is not None
        padded = np.zeros((numbers.shape[0] + 1, numbers.shape[1] + 1), dtype=numbers.dtype)
        padded[:-1, :-1] = numbers
        return np.asarray(padded.take(self.columns, axis=1).take(self.rows, axis=0))


class HasCells(Protocol):
    """What is needed of a grid, as `contracts.grids.Grid` has it."""

    def nearest(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray: ...


def sampling(grid: HasCells, pixels: Pixels) -> Sampling:
    """The nearest cell of every pixel."""
    if isinstance(grid, LatLonCells):
        return _by_lines(grid, pixels)
    cells, places = _distinct(_nearest(grid, *pixels.places()))
    return Sampling(pixels.shape, cells=cells, places=places.reshape(pixels.shape))


def _nearest(grid: HasCells, lon: np.ndarray, lat: np.ndarray) -> Cells:
    """Flat, some rows at a time: finding takes many numbers for each place."""
    step = max(1, _AT_ONCE // max(1, lon.shape[1]))
    parts = [
        grid.nearest(lon[first : first + step].ravel(), lat[first : first + step].ravel())
        for first in range(0, lon.shape[0], step)
    ]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _by_lines(grid: LatLonCells, pixels: Pixels) -> Sampling:
    """By rows and columns of the grid: rows of pixels that lie between two of them are looked at one by one."""
    column, apart = _columns(grid, pixels.lon)
    row, mixed = _rows(grid, pixels.lat, apart)
    if not mixed.any() and not pixels.turned.any():
        rows, row_places = _distinct(row)
        columns, column_places = _distinct(column)
        return Sampling(pixels.shape, (rows, columns), None, row_places, column_places)
    rows2 = np.broadcast_to(row[:, None], pixels.shape).copy()
    columns2 = np.broadcast_to(column, pixels.shape).copy()
    columns2[pixels.turned] = _columns(grid, pixels.lon + 180.0)[0]
    lon, lat = pixels.places()
    found = _nearest(grid, lon[mixed], lat[mixed]).reshape(-1, pixels.shape[1])
    width = grid.lon_line.count
    rows2[mixed], columns2[mixed] = np.where(found < 0, -1, found // width), np.where(found < 0, -1, found % width)
    nowhere = (rows2 < 0) | (columns2 < 0)
    rows2[nowhere], columns2[nowhere] = -1, -1
    rows, row_places = _distinct(rows2)
    columns, column_places = _distinct(columns2)
    places = np.where(nowhere, -1, row_places * columns.size + column_places).astype(np.int32)
    return Sampling(pixels.shape, (rows, columns), places=places)


def _columns(grid: LatLonCells, lon: Floats) -> tuple[Cells, float]:
    """The nearest meridian of each longitude, -1 outside, and how far the furthest lies from its own."""
    one, other = grid.meridians.beside(lon)
    lons = grid.lon_line.values
    near, far = (np.abs(np.mod(lon - lons[which] + 180.0, 360.0) - 180.0) for which in (one, other))
    takes_other = np.where(np.abs(near - far) <= _TIE, other < one, far < near)
    column = np.where(takes_other, other, one)
    covered = grid.meridians.covers(lon)
    apart = np.where(covered, np.minimum(near, far), 0.0)
    return np.where(covered, column, -1), float(apart.max(initial=0.0))


def _rows(grid: LatLonCells, lat: Floats, apart: float) -> tuple[Cells, Flags]:
    """The nearest parallel of each latitude, -1 outside, and of which it may be another for some of the columns.

    At a distance d from its meridian the latitude counts as atan2(sin(lat), cos(lat) cos(d)), the foot of the
    perpendicular (Napier), and the border between two parallels is their middle: the boundary between two cells of one
    meridian is the great circle halfway between them. The foot moves one way as d grows, so that equal rows at both
    ends mean the same row in between.
    """
    edges = grid.lat_edges
    inside = (lat >= edges[0] - _TIE) & (lat <= edges[-1] + _TIE)
    ascending = grid.lat_line.ascending
    middles = (ascending[1:] + ascending[:-1]) / 2
    phi = np.radians(lat)
    foot = np.degrees(np.arctan2(np.sin(phi), np.cos(phi) * np.cos(np.radians(min(apart, _FAR)))))
    low, high = np.sort(np.stack([lat, foot]), axis=0)
    first, last = np.searchsorted(middles, low - _TIE), np.searchsorted(middles, high + _TIE)
    row = grid.lat_line.lowest[first]
    on_pole = (np.abs(grid.lat_line.values[row]) >= _AT_POLE) | (np.abs(lat) >= _AT_POLE)
    mixed = inside & ((first != last) | on_pole | (apart > _FAR))
    return np.where(inside, row, -1), np.asarray(mixed, dtype=bool)


def _distinct(numbers: Cells) -> tuple[Cells, np.ndarray]:
    """The distinct numbers from 0 on, rising, and for each its place among them; -1 stays -1 (int32)."""
    real = numbers >= 0
    if not real.any():
        return np.empty(0, dtype=np.int64), np.full(numbers.shape, -1, dtype=np.int32)
    low = int(numbers[real].min())
    span = int(numbers.max()) - low + 1
    if span > _MOST_FLAGS:
        found, places = np.unique(numbers, return_inverse=True)
        less = int(found[0] < 0)
        return found[less:], (places.reshape(numbers.shape) - less).astype(np.int32)
    flags = np.zeros(span, dtype=bool)
    flags[numbers[real] - low] = True
    ranks = np.cumsum(flags, dtype=np.int32) - 1
    places = np.where(real, ranks[np.where(real, numbers - low, 0)], -1).astype(np.int32)
    return np.flatnonzero(flags) + low, places
