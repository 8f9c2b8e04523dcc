"""Cells between parallels and meridians: what the regular, rectilinear and rotated grids have in common."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from terrella.grids.lines import TOLERANCE, Line
from terrella.grids.meridians import Meridians
from terrella.grids.outlines import boxes
from terrella.grids.spans import distinct, ranges, row_spans
from terrella.grids.sphere import (
    SLACK_M,
    Closest,
    around,
    cap_extent,
    checked_circle,
    chord,
    distance,
    half_widths,
    is_place,
    wrapped,
)
from terrella.grids.tables import Cells, Flags, Floats
from terrella.model.space import EARTH_RADIUS_M

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from terrella.model.space import Extent
    from terrella.model.stac import Document

_AT_POLE = 90.0 - 1e-10


class LatLonCells:
    """Answers for the product of a line of latitudes and a line of longitudes; needs `lat_line` and `lon_line`."""

    lat_line: Line
    lon_line: Line

    @cached_property
    def meridians(self) -> Meridians:
        return Meridians(self.lon_line)

    @cached_property
    def lat_edges(self) -> Floats:
        """Borders of the rows, southernmost first, within ±90.

        An outer border less than half a step from the pole moves there: Gaussian rows stop short of it, and what lies
        beyond the last row belongs to that row.
        """
        edges = self.lat_line.edges.copy()
        lats = self.lat_line.ascending
        low, high = edges[1] - edges[0], edges[-1] - edges[-2]
        if lats.size > 1 and lats[0] + 90.0 < low * (1 - 1e-6):
            edges[0] = -90.0
        if lats.size > 1 and 90.0 - lats[-1] < high * (1 - 1e-6):
            edges[-1] = 90.0
        return np.clip(edges, -90.0, 90.0)

    def centres(self, cells: np.ndarray | None = None) -> tuple[Floats, Floats]:
        """(lon, lat) in degrees, float64, lon in [-180, 180)."""
        lats, lons = self.lat_line.values, wrapped(self.lon_line.values)
        if cells is None:
            return np.tile(lons, lats.size), np.repeat(lats, lons.size)
        row, column = np.divmod(np.asarray(cells, dtype=np.int64), lons.size)
        return lons[column], lats[row]

    def nearest(self, lon: np.ndarray, lat: np.ndarray) -> Cells:
        """Cell nearest on the sphere, -1 outside the outer borders of the cells; ties to the lower number.

        Along a row the distance grows with the difference in longitude, so only the columns on both sides can win.
        Along a column, at a difference d, the nearest latitude is atan2(sin(lat), cos(lat) cos(d)) (the foot of the
        perpendicular great circle, Napier), so only the rows on both sides of that can.
        """
        lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
        result = np.full(lon.shape, -1, dtype=np.int64)
        inside = is_place(lon, lat)
        inside[inside] = self._covers(lon[inside], lat[inside])
        result[inside] = self._nearest(lon[inside], lat[inside])
        return result

    def _covers(self, lon: Floats, lat: Floats) -> Flags:
        edges = self.lat_edges
        in_rows = (lat >= edges[0] - TOLERANCE) & (lat <= edges[-1] + TOLERANCE)
        return np.asarray(in_rows & (self.meridians.covers(lon) | (np.abs(lat) >= _AT_POLE)), dtype=bool)

    def _nearest(self, lon: Floats, lat: Floats) -> Cells:
        lats, lons = self.lat_line.values, self.lon_line.values
        best = Closest(lon.size)
        for column in self.meridians.beside(lon):
            for row in self._rows_beside(lon - lons[column], lat):
                best.offer(row * lons.size + column, chord(lon, lat, lons[column], lats[row]))
        row = best.cell // lons.size
        # On a pole all columns are equally near, which the two beside the place cannot tell.
        everywhere = (np.abs(lats[row]) >= _AT_POLE) | (np.abs(lat) >= _AT_POLE)
        return np.where(everywhere, row * lons.size, best.cell)

    def _rows_beside(self, across: Floats, lat: Floats) -> tuple[Cells, ...]:
        phi = np.radians(lat)
        foot = np.degrees(np.arctan2(np.sin(phi), np.cos(phi) * np.cos(np.radians(across))))
        line, last = self.lat_line.lowest, self.lat_line.count - 1
        at = np.searchsorted(self.lat_line.ascending, foot)
        beside = (line[np.clip(at - 1, 0, last)], line[np.clip(at, 0, last)])
        if (np.abs(foot) <= 90.0).all():
            return beside
        return (*beside, np.full(at.shape, line[0]), np.full(at.shape, line[last]))

    def within(self, geometry: BaseGeometry) -> Cells:
        """Cells whose centre lies in a polygon, boundary included to 1e-9 degrees; cost grows with rows and edges."""
        position, west, east = row_spans(geometry, self.lat_line.ascending)
        return self._between(position, west, east)

    def in_extent(self, extent: Extent) -> Cells:
        """Cells whose centre lies in a box, edges included to 1e-9 degrees."""
        position = self._rows_between(extent.south, extent.north)
        west = np.full(position.size, extent.west)
        return self._between(position, west, west + extent.width)

    def in_circle(self, lon: float, lat: float, radius: float) -> Cells:
        """Cells whose centre lies within `radius` metres of the place, rim included to a micrometre."""
        lon, lat, radius = checked_circle(lon, lat, radius)
        box = cap_extent(lon, lat, radius)
        position = self._rows_between(box.south, box.north)
        half = half_widths(lat, radius, self.lat_line.ascending[position])
        cells = self._between(position, lon - half, lon + half)
        return cells[distance(lon, lat, *self.centres(cells)) <= radius + SLACK_M]

    def _rows_between(self, south: float, north: float) -> Cells:
        """Ascending positions of rows."""
        line = self.lat_line.ascending
        return np.arange(
            np.searchsorted(line, south - TOLERANCE, side="left"),
            np.searchsorted(line, north + TOLERANCE, side="right"),
            dtype=np.int64,
        )

    def _between(self, position: Cells, west: Floats, east: Floats) -> Cells:
        start, stop = self.meridians.spans(west, east)
        real = np.flatnonzero(stop.ravel() > start.ravel())
        first, last = start.ravel()[real], stop.ravel()[real]
        before = self.lat_line.order[np.tile(position, 2)[real]] * self.lon_line.count
        # In the order of the array, so that there is hardly anything to sort in the end.
        order = np.argsort(before + self.meridians.columns[first], kind="stable")
        column, counts = ranges(first[order], last[order])
        return distinct(np.repeat(before[order], counts) + self.meridians.columns[column])

    def areas(self, cells: np.ndarray | None = None) -> Floats:
        """Square metres between parallels and meridians: R² Δλ (sin north - sin south)."""
        row, column = self._row_areas, np.radians(self.meridians.widths)
        if cells is None:
            return np.outer(row, column).ravel()
        i, j = np.divmod(np.asarray(cells, dtype=np.int64), column.size)
        return row[i] * column[j]

    @cached_property
    def _row_areas(self) -> Floats:
        """Square metres per radian of longitude, in stored order; sin a - sin b as 2 cos(mean) sin(half difference)."""
        low, high = np.radians(self.lat_edges[:-1]), np.radians(self.lat_edges[1:])
        areas = np.empty(low.size)
        areas[self.lat_line.order] = EARTH_RADIUS_M**2 * 2 * np.cos((low + high) / 2) * np.sin((high - low) / 2)
        return areas

    def extent(self) -> Extent:
        """From the outer borders of the cells."""
        base, edges, lats = self.meridians.base, self.meridians.edges, self.lat_edges
        if self.meridians.is_global:
            return around(-180.0, float(lats[0]), 180.0, float(lats[-1]))
        return around(base + float(edges[0]), float(lats[0]), base + float(edges[-1]), float(lats[-1]))

    def footprint(self) -> Document:
        """The extent as GeoJSON, in two parts where it crosses the antimeridian."""
        return boxes(self.extent())

    def resolution(self) -> float:
        """Metres between rows; between columns at the middle latitude where there is one row."""
        lats = self.lat_line.values
        if lats.size > 1:
            return float(EARTH_RADIUS_M * math.radians(np.median(np.abs(np.diff(self.lat_line.ascending)))))
        step = np.median(np.diff(self.meridians.offsets)) if self.lon_line.count > 1 else self.lon_line.step
        return float(EARTH_RADIUS_M * math.radians(abs(step)) * math.cos(math.radians(lats[0])))
