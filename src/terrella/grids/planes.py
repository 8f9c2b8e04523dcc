"""Cells of an array that lies on the sphere through some map: what projected and rotated grids have in common."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from terrella.grids.outlines import boxes, geojson, ring_polygon
from terrella.grids.places import in_box
from terrella.grids.spans import Region, check_count
from terrella.grids.sphere import SLACK_M, cap_extent, checked_circle, distance, extent_of, over_poles
from terrella.grids.tables import Cells, Flags, Floats
from terrella.grids.tiles import Tiles, Windows, count_cells
from terrella.model.space import EARTH_RADIUS_M, GLOBE, Extent

if TYPE_CHECKING:
    from collections.abc import Callable

    from shapely.geometry.base import BaseGeometry

    from terrella.model.stac import Document


class PlaneCells:
    """Selections and outlines from `place`, which maps fractional (row, column) to (lon, lat), NaN off the Earth.

    Whole numbers are centres of cells, so the array reaches from -0.5 to n - 0.5.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        raise NotImplementedError

    def place(self, row: np.ndarray, column: np.ndarray) -> tuple[Floats, Floats]:
        raise NotImplementedError

    def nearest(self, lon: np.ndarray, lat: np.ndarray) -> Cells:
        raise NotImplementedError

    @cached_property
    def _tiles(self) -> Tiles:
        return Tiles((self.shape[0], self.shape[1]), self.place)

    def centres(self, cells: np.ndarray | None = None) -> tuple[Floats, Floats]:
        """(lon, lat) in degrees, float64, lon in [-180, 180); NaN off the Earth."""
        ny, nx = self.shape
        if cells is None:
            return self.place(np.repeat(np.arange(ny), nx), np.tile(np.arange(nx), ny))
        row, column = np.divmod(np.asarray(cells, dtype=np.int64), nx)
        return self.place(row, column)

    def within(self, geometry: BaseGeometry) -> Cells:
        """Cells whose centre lies in a polygon, boundary included. Raises TooLarge where too many would be tested."""
        region = Region(geometry)
        return self._where(
            region.extents,
            lambda at: region.holds_boxes(
                at.lon - at.half_width, at.lat - at.radius, at.lon + at.half_width, at.lat + at.radius
            ),
            region.holds,
        )

    def in_extent(self, extent: Extent) -> Cells:
        """Cells whose centre lies in a box, edges included to 1e-9 degrees."""
        middle, half = extent.west + extent.width / 2, extent.width / 2

        def inside(at: Windows) -> Flags:
            rows = (at.lat - at.radius >= extent.south) & (at.lat + at.radius <= extent.north)
            apart = np.abs(np.mod(at.lon - middle + 180.0, 360.0) - 180.0)
            return rows & ((apart + at.half_width <= half) | (half >= 180.0))

        return self._where(extent.parts(), inside, lambda lon, lat: in_box(lon, lat, extent))

    def in_circle(self, lon: float, lat: float, radius: float) -> Cells:
        """Cells whose centre lies within `radius` metres of the place, rim included to a micrometre."""
        lon, lat, radius = checked_circle(lon, lat, radius)

        def inside(at: Windows) -> Flags:
            return distance(lon, lat, at.lon, at.lat) + EARTH_RADIUS_M * np.radians(at.radius) <= radius

        return self._where(
            cap_extent(lon, lat, radius).parts(), inside, lambda x, y: distance(lon, lat, x, y) <= radius + SLACK_M
        )

    @property
    def _has_gaps(self) -> bool:
        """Whether some cells may have no place."""
        return False

    def _where(
        self,
        extents: tuple[Extent, ...],
        inside: Callable[[Windows], Flags],
        test: Callable[[Floats, Floats], Flags],
    ) -> Cells:
        """Cells of windows that lie wholly inside, and of the others those whose centre passes the test."""
        surely = (lambda at: np.zeros(at.lat.shape, dtype=bool)) if self._has_gaps else inside
        whole, partly = self._tiles.select(extents, surely)
        check_count(int(count_cells(whole).sum()))
        check_count(int(count_cells(partly).sum()))
        found = [cells[test(*self.centres(cells))] for cells in self._tiles.cells(partly)]
        return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *self._tiles.cells(whole), *found]))

    def _outline(self, points: int) -> tuple[Floats, Floats]:
        """The border, or the limb where part of the border is off the Earth."""
        lon, lat = self._border(points)
        return (lon, lat) if np.isfinite(lon).all() else self._limb(points)

    def _border(self, points: int) -> tuple[Floats, Floats]:
        """(lon, lat) along the outer border, `points` a side."""
        ny, nx = self.shape
        down, right = np.linspace(-0.5, ny - 0.5, points), np.linspace(-0.5, nx - 0.5, points)
        rows = np.concatenate([np.full(points, -0.5), down, np.full(points, ny - 0.5), down[::-1]])
        columns = np.concatenate([right, np.full(points, nx - 0.5), right[::-1], np.full(points, -0.5)])
        return self.place(rows, columns)

    def _limb(self, points: int) -> tuple[Floats, Floats]:
        """Around the outermost visible centres: along the first and last visible row, and down the ends of the rows."""
        ny, nx = self.shape
        rows = np.unique(np.linspace(0, ny - 1, min(ny, 200)).astype(np.int64))
        columns = np.unique(np.linspace(0, nx - 1, min(nx, 800)).astype(np.int64))
        lon, _ = self.place(np.repeat(rows, columns.size), np.tile(columns, rows.size))
        seen = np.isfinite(lon).reshape(rows.size, columns.size)
        some = np.flatnonzero(seen.any(axis=1))
        if not some.size:
            return np.full(1, np.nan), np.full(1, np.nan)
        first, last = seen[some].argmax(axis=1), columns.size - 1 - seen[some][:, ::-1].argmax(axis=1)
        left = self._edge(rows[some], columns[np.maximum(first - 1, 0)], columns[first])
        right = self._edge(rows[some], columns[np.minimum(last + 1, columns.size - 1)], columns[last])
        top, bottom = np.linspace(left[0], right[0], points), np.linspace(right[-1], left[-1], points)
        across = [np.full(points, rows[some[0]]), rows[some], np.full(points, rows[some[-1]]), rows[some][::-1]]
        return self.place(np.concatenate(across), np.concatenate([top, right, bottom, left[::-1]]))

    def _edge(self, rows: Cells, outside: Cells, inside: Cells) -> Cells:
        """Last visible column between one that may be off the Earth and one that is on it, by halving."""
        far, near = outside.copy(), inside.copy()
        for _ in range(16):
            middle = (far + near) // 2
            seen = np.isfinite(self.place(rows, middle)[0])
            near, far = np.where(seen, middle, near), np.where(seen, far, middle)
        return near

    @cached_property
    def _extent(self) -> Extent:
        lon, lat = self._outline(101)
        if not np.isfinite(lon).any():
            return GLOBE
        if not np.isfinite(self._border(101)[0]).all():
            ny, nx = self.shape
            inner = self.place(np.repeat(np.linspace(0, ny - 1, 101), 101), np.tile(np.linspace(0, nx - 1, 101), 101))
            lon, lat = np.concatenate([lon, inner[0]]), np.concatenate([lat, inner[1]])
        found = extent_of(lon, lat, closing=5.4)
        return over_poles(found, self.nearest(np.zeros(2), np.array([-90.0, 90.0])))

    def extent(self) -> Extent:
        """Around the outer border (101 points a side), the limb where that is off the Earth, and over a pole inside."""
        return self._extent

    def footprint(self) -> Document:
        """The outer border, 21 points a side, closed over a pole that lies inside and cut at the antimeridian."""
        whole = ring_polygon(*self._outline(21))
        return boxes(self.extent()) if whole is None else geojson(whole)
