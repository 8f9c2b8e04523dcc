"""Rows of constant latitude, each evenly spaced all around: what reduced Gaussian grids and HEALPix have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from terrella.grids.lines import TOLERANCE
from terrella.grids.outlines import boxes
from terrella.grids.spans import distinct, ranges, row_spans
from terrella.grids.sphere import (
    SLACK_M,
    TIE,
    Closest,
    cap_extent,
    checked_circle,
    chord,
    distance,
    half_widths,
    is_place,
    wrapped,
)
from terrella.grids.tables import Cells, Floats
from terrella.model.space import EARTH_RADIUS_M, GLOBE, Extent

if TYPE_CHECKING:
    from collections.abc import Callable

    from shapely.geometry.base import BaseGeometry

    from terrella.model.stac import Document


@dataclass(frozen=True, eq=False)
class Rows:
    """Row i has `counts[i]` points at latitude `lats[i]`, from longitude `firsts[i]` eastward; north to south.

    Points are numbered row by row.
    """

    lats: Floats
    counts: Cells
    firsts: Floats

    @cached_property
    def starts(self) -> Cells:
        """Number of the first point of each row."""
        return np.concatenate([[0], np.cumsum(self.counts)[:-1]]).astype(np.int64)

    @cached_property
    def ascending(self) -> Floats:
        """Latitudes, south to north."""
        return np.ascontiguousarray(self.lats[::-1])

    def centres(self, points: np.ndarray | None = None) -> tuple[Floats, Floats]:
        """(lon in [-180, 180), lat) in degrees."""
        if points is None:
            row = np.repeat(np.arange(self.counts.size), self.counts)
            points = np.arange(row.size)
        else:
            row = np.searchsorted(self.starts, points, side="right") - 1
        lon = self.firsts[row] + (points - self.starts[row]) * (360.0 / self.counts[row])
        return wrapped(lon), self.lats[row]

    def nearest(self, lon: Floats, lat: Floats, number: Callable[[Cells], Cells] | None = None) -> Cells:
        """Nearest point on the sphere of finite places; `number` gives the cell numbers among which ties are settled.

        Rows are tried from the place outwards, until the next is further away in latitude alone than the best so far.
        """
        best = Closest(lon.size)
        # The descending rows above and below each place.
        below = self.lats.size - np.searchsorted(self.ascending, lat)
        todo = np.arange(lon.size)
        for step in range(self.lats.size):
            todo = todo[
                self._offer(best, todo, below - 1 - step, lon, lat, number)
                | self._offer(best, todo, below + step, lon, lat, number)
            ]
            if not todo.size:
                break
        return best.cell

    def _offer(
        self,
        best: Closest,
        todo: Cells,
        rows: Cells,
        lon: Floats,
        lat: Floats,
        number: Callable[[Cells], Cells] | None,
    ) -> np.ndarray:
        """Offer the points of one row a place; true where the row could still matter."""
        row = rows[todo]
        real = (row >= 0) & (row < self.lats.size)
        row = np.clip(row, 0, self.lats.size - 1)
        apart = 2 * np.sin(np.radians(np.abs(self.lats[row] - lat[todo])) / 2)
        real &= apart <= best.chord[todo] + TIE
        some = todo[real]
        for point in self._beside(row[real], lon[some]):
            at_lon, at_lat = self.centres(point)
            best.offer(point if number is None else number(point), chord(lon[some], lat[some], at_lon, at_lat), some)
        return real

    def _beside(self, row: Cells, lon: Floats) -> tuple[Cells, Cells, Cells]:
        """The points west and east of a longitude, and the first of the row: at a pole all are equally near."""
        counts = self.counts[row]
        west = np.floor((lon - self.firsts[row]) / (360.0 / counts)).astype(np.int64)
        start = self.starts[row]
        return start + west % counts, start + (west + 1) % counts, start

    def within(self, geometry: BaseGeometry) -> Cells:
        """Points in a polygon, sorted; boundary included to 1e-9 degrees."""
        return self._between(*row_spans(geometry, self.ascending))

    def in_extent(self, extent: Extent) -> Cells:
        """Points in a box, sorted; edges included to 1e-9 degrees."""
        position = self._rows_between(extent.south, extent.north)
        west = np.full(position.size, extent.west)
        return self._between(position, west, west + extent.width)

    def in_circle(self, lon: float, lat: float, radius: float) -> Cells:
        """Points within `radius` metres, sorted; rim included to a micrometre."""
        lon, lat, radius = checked_circle(lon, lat, radius)
        box = cap_extent(lon, lat, radius)
        position = self._rows_between(box.south, box.north)
        half = half_widths(lat, radius, self.ascending[position])
        points = self._between(position, lon - half, lon + half)
        return points[distance(lon, lat, *self.centres(points)) <= radius + SLACK_M]

    def _rows_between(self, south: float, north: float) -> Cells:
        """Positions in `ascending`."""
        low = np.searchsorted(self.ascending, south - TOLERANCE, side="left")
        return np.arange(low, np.searchsorted(self.ascending, north + TOLERANCE, side="right"), dtype=np.int64)

    def _between(self, position: Cells, west: Floats, east: Floats) -> Cells:
        """Points of rows (positions in `ascending`) between unwrapped meridians."""
        row = self.lats.size - 1 - position
        count, step = self.counts[row], 360.0 / self.counts[row]
        low = np.ceil((west - TOLERANCE - self.firsts[row]) / step).astype(np.int64)
        high = np.floor((east + TOLERANCE - self.firsts[row]) / step).astype(np.int64)
        order = np.lexsort((low % count, row))
        column, counts = ranges(low[order], np.minimum(high + 1, low + count)[order])
        return distinct(np.repeat(self.starts[row[order]], counts) + column % np.repeat(count[order], counts))


class RowCells:
    """Answers of a grid whose cells are the points of `rows`, in their order, over the whole sphere."""

    @property
    def shape(self) -> tuple[int, ...]:
        raise NotImplementedError

    @property
    def rows(self) -> Rows:
        raise NotImplementedError

    def _row_areas(self) -> Floats:
        """Area of one cell of each row."""
        raise NotImplementedError

    def centres(self, cells: np.ndarray | None = None) -> tuple[Floats, Floats]:
        """(lon, lat) in degrees, float64, lon in [-180, 180)."""
        return self.rows.centres(None if cells is None else np.asarray(cells, dtype=np.int64))

    def nearest(self, lon: np.ndarray, lat: np.ndarray) -> Cells:
        """Cell nearest on the sphere; these grids cover all of it, so -1 is only for what is no place (NaN)."""
        lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
        result = np.full(lon.shape, -1, dtype=np.int64)
        real = is_place(lon, lat)
        result[real] = self.rows.nearest(lon[real], lat[real])
        return result

    def within(self, geometry: BaseGeometry) -> Cells:
        """Cells whose centre lies in a polygon, boundary included to 1e-9 degrees."""
        return self.rows.within(geometry)

    def in_extent(self, extent: Extent) -> Cells:
        """Cells whose centre lies in a box, edges included to 1e-9 degrees."""
        return self.rows.in_extent(extent)

    def in_circle(self, lon: float, lat: float, radius: float) -> Cells:
        """Cells whose centre lies within `radius` metres of the place, rim included to a micrometre."""
        return self.rows.in_circle(lon, lat, radius)

    def areas(self, cells: np.ndarray | None = None) -> Floats:
        """Square metres; all cells of a row are equal."""
        by_row = self._row_areas()
        if cells is None:
            return np.repeat(by_row, self.rows.counts)
        return by_row[np.searchsorted(self.rows.starts, cells, side="right") - 1]

    def extent(self) -> Extent:
        """The whole Earth."""
        return GLOBE

    def footprint(self) -> Document:
        """The whole Earth, as one box."""
        return boxes(GLOBE)

    def resolution(self) -> float:
        """Metres: the side of a square as large as a cell is on average."""
        return float(math.sqrt(4 * math.pi * EARTH_RADIUS_M**2 / math.prod(self.shape)))

    def coordinates(self) -> dict[str, np.ndarray]:
        """None: both coordinates change along the cells."""
        return {}
