"""Cells known by their centres alone: what curvilinear grids and unstructured points have in common."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.grids.lines import TOLERANCE
from terrella.grids.spans import Region
from terrella.grids.sphere import SLACK_M, Closest, cap_extent, checked_circle, distance, is_place, unit, wrapped
from terrella.grids.tables import Cells, Flags, Floats

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from terrella.model.space import Extent

_TIED = 8
"""Neighbours looked at to settle ties: six triangles meet in a corner, four squares."""


class PlaceCells:
    """Answers from `_lons`, `_lats` (flat, NaN where a cell has no place) and `_reach`."""

    @property
    def _lons(self) -> Floats:
        raise NotImplementedError

    @property
    def _lats(self) -> Floats:
        raise NotImplementedError

    @property
    def _reach(self) -> Floats:
        """Chord on the unit sphere up to which a cell, given by its number, matches a place."""
        raise NotImplementedError

    @cached_property
    def _places(self) -> tuple[Cells, Floats]:
        """(lowest cell of each distinct place, unit vectors of these): files repeat columns and pole points."""
        real = np.flatnonzero(is_place(self._lons, self._lats))
        lat = self._lats[real]
        lon = np.where(np.abs(lat) >= 90.0 - 1e-10, 0.0, self._lons[real])
        _, first = np.unique(lon + 1j * lat, return_index=True)
        cells = np.sort(real[first])
        return cells, unit(self._lons[cells], self._lats[cells])

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree  # slow to load, and few grids need it

        return cKDTree(self._places[1], balanced_tree=False, compact_nodes=False)

    def centres(self, cells: np.ndarray | None = None) -> tuple[Floats, Floats]:
        """(lon, lat) in degrees, float64, lon in [-180, 180); NaN where a cell has no place."""
        if cells is None:
            return self._lons.copy(), self._lats.copy()
        return self._lons[cells], self._lats[cells]

    def nearest(self, lon: np.ndarray, lat: np.ndarray) -> Cells:
        """Cell nearest on the sphere; -1 where even that is further away than its reach; ties to the lower number."""
        lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
        result = np.full(lon.shape, -1, dtype=np.int64)
        real = is_place(lon, lat)
        if not self._places[0].size or not real.any():
            return result
        best = self._closest(unit(lon[real], lat[real]))
        result[real] = np.where(best.chord <= self._reach[best.cell], best.cell, -1)
        return result

    def _closest(self, vectors: Floats) -> Closest:
        cells = self._places[0]
        chords, at = self._tree.query(vectors, k=np.arange(1, min(_TIED, cells.size) + 1))
        best = Closest(len(vectors))
        for k in range(chords.shape[1]):
            best.offer(cells[at[:, k]], chords[:, k])
        return best

    def within(self, geometry: BaseGeometry) -> Cells:
        """Cells whose centre lies in a polygon, boundary included."""
        return np.flatnonzero(Region(geometry).holds(self._lons, self._lats))

    def in_extent(self, extent: Extent) -> Cells:
        """Cells whose centre lies in a box, edges included to 1e-9 degrees."""
        return np.flatnonzero(in_box(self._lons, self._lats, extent))

    def in_circle(self, lon: float, lat: float, radius: float) -> Cells:
        """Cells whose centre lies within `radius` metres of the place, rim included to a micrometre."""
        lon, lat, radius = checked_circle(lon, lat, radius)
        near = np.flatnonzero(in_box(self._lons, self._lats, cap_extent(lon, lat, radius)))
        return near[distance(lon, lat, self._lons[near], self._lats[near]) <= radius + SLACK_M]

    def coordinates(self) -> dict[str, np.ndarray]:
        """None: both coordinates change along the cells."""
        return {}


def in_box(lon: Floats, lat: Floats, extent: Extent) -> Flags:
    """Which places lie in a box, edges included to 1e-9 degrees; NaN never does."""
    rows = (lat >= extent.south - TOLERANCE) & (lat <= extent.north + TOLERANCE)
    east = np.mod(lon - extent.west + TOLERANCE, 360.0)
    return rows & (east <= extent.width + 2 * TOLERANCE)


def flat_places(lon: np.ndarray, lat: np.ndarray) -> tuple[Floats, Floats]:
    """(lon in [-180, 180), lat), flat; both NaN where either is missing or no place."""
    lons, lats = wrapped(lon).ravel(), np.asarray(lat, dtype=np.float64).ravel().copy()
    lost = ~is_place(lons, lats)
    lons[lost] = lats[lost] = np.nan
    return lons, lats
