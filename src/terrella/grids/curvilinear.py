"""Two-dimensional longitudes and latitudes: ocean grids (NEMO), satellite swaths."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from terrella.errors import Invalid
from terrella.grids.identity import Identity
from terrella.grids.outlines import boxes, geojson, ring_polygon
from terrella.grids.places import PlaceCells, flat_places
from terrella.grids.sphere import extent_of, fan_areas, lonlat, metres, over_poles, unit
from terrella.grids.tables import Floats, frozen, pack, unpack
from terrella.model.space import EARTH_RADIUS_M

if TYPE_CHECKING:
    from terrella.model.space import Extent
    from terrella.model.stac import Document

_REPEATS = 8
"""A place that comes this often, off the poles, is a fill value: folds and seams repeat cells two or three times."""


@dataclass(frozen=True, eq=False)
class CurvilinearGrid(PlaceCells, Identity):
    """Cell centres of shape (ny, nx) in degrees, any longitude range; NaN where a cell has no place.

    Cells of which eight or more share one place (ocean models write 0, 0 or -1, -1 on land) have no place either.
    Raises Invalid for arrays that do not fit together.
    """

    lon: Floats
    lat: Floats
    kind: ClassVar[str] = "curvilinear"
    dims: ClassVar[tuple[str, ...]] = ("y", "x")
    crs: ClassVar[str] = "EPSG:4326"

    def __post_init__(self) -> None:
        object.__setattr__(self, "lon", frozen(self.lon))
        object.__setattr__(self, "lat", frozen(self.lat))
        if self.lon.ndim != 2 or self.lon.shape != self.lat.shape or not self.lon.size:
            raise Invalid("A curvilinear grid needs 2-D longitudes and latitudes of one shape.", parameter="grid")

    @property
    def shape(self) -> tuple[int, ...]:
        return (int(self.lon.shape[0]), int(self.lon.shape[1]))

    @cached_property
    def _flat(self) -> tuple[Floats, Floats]:
        lon, lat = flat_places(self.lon, self.lat)
        _, which, counts = np.unique(lon + 1j * lat, return_inverse=True, return_counts=True, equal_nan=True)
        fill = (counts[which] >= _REPEATS) & (np.abs(lat) < 89.9)
        lon[fill] = lat[fill] = np.nan
        return lon, lat

    @property
    def _lons(self) -> Floats:
        return self._flat[0]

    @property
    def _lats(self) -> Floats:
        return self._flat[1]

    @cached_property
    def _vectors(self) -> Floats:
        return unit(self._lons, self._lats).reshape(*self.shape, 3)

    @cached_property
    def _steps(self) -> tuple[Floats, Floats]:
        """Chords to the neighbours along both dimensions, the wider side; a jump over a seam does not count."""
        return _widest(self._vectors, 0), _widest(self._vectors, 1)

    @cached_property
    def _reach(self) -> Floats:
        """0.75 times the diagonal from neighbour to neighbour centre: half of it reaches the corners of a cell."""
        down, right = self._steps
        reach = 0.75 * np.hypot(np.nan_to_num(down), np.nan_to_num(right)).ravel()
        alone = 2 * math.sin(10_000.0 / EARTH_RADIUS_M / 2)
        return np.where(reach > 0, reach, alone)

    @cached_property
    def _corners(self) -> Floats:
        """Unit vectors of cell corners, shape (ny + 1, nx + 1, 3): means of the four centres around."""
        wide = _extended(_extended(self._vectors, 0), 1)
        corners = wide[:-1, :-1] + wide[1:, :-1] + wide[:-1, 1:] + wide[1:, 1:]
        length = np.sqrt((corners**2).sum(axis=-1, keepdims=True))
        return np.divide(corners, length, out=np.full_like(corners, np.nan), where=length > 1e-9)

    def areas(self, cells: np.ndarray | None = None) -> Floats:
        """Square metres of the quadrilateral of corners, half-way to the neighbours; NaN where there are none."""
        i, j = np.divmod(np.arange(self.size) if cells is None else np.asarray(cells, dtype=np.int64), self.shape[1])
        ring = [self._corners[i, j], self._corners[i, j + 1], self._corners[i + 1, j + 1], self._corners[i + 1, j]]
        return fan_areas(np.stack(ring, axis=-2))

    def extent(self) -> Extent:
        """Around the corners of the cells, and over a pole that they cover."""
        return self._extent

    @cached_property
    def _extent(self) -> Extent:
        if not self._places[0].size:
            raise Invalid("None of the cells has a place.", parameter="grid")
        lon, lat = lonlat(self._corners.reshape(-1, 3))
        lon, lat = np.concatenate([lon, self._lons]), np.concatenate([lat, self._lats])
        step = math.degrees(self.resolution() / EARTH_RADIUS_M)
        found = extent_of(lon, lat, closing=min(3 * step, 90.0))
        return over_poles(found, self.nearest(np.zeros(2), np.array([-90.0, 90.0])))

    def footprint(self) -> Document:
        """The outer edge of the array, at most about 25 points a side; a box where that goes round the Earth."""
        extent = self.extent()
        ring = _border(self._corners)
        whole = ring_polygon(*lonlat(ring)) if extent.width < 360.0 and np.isfinite(ring).all() else None
        return boxes(extent) if whole is None else geojson(whole)

    def resolution(self) -> float:
        """Metres between neighbouring centres, the median over both dimensions."""
        steps = np.concatenate([step.ravel() for step in self._steps])
        steps = steps[steps > 0]
        return float(np.median(metres(steps))) if steps.size else 10_000.0

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "lon": pack(self.lon), "lat": pack(self.lat)}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> CurvilinearGrid:
        return cls(unpack(document["lon"]), unpack(document["lat"]))


def _widest(vectors: Floats, axis: int) -> Floats:
    """The wider of both steps along an axis; where it is over three times the other, the other."""
    steps = np.sqrt((np.diff(vectors, axis=axis) ** 2).sum(axis=-1))
    edge = np.full_like(np.take(vectors[..., 0], [0], axis=axis), np.nan)
    before, after = np.concatenate([edge, steps], axis=axis), np.concatenate([steps, edge], axis=axis)
    low, high = np.fmin(before, after), np.fmax(before, after)
    return np.asarray(np.where((low > 0) & (high > 3 * low), low, high))


def _extended(vectors: Floats, axis: int) -> Floats:
    """One more centre on both ends of an axis, as far beyond as the last step."""
    if vectors.shape[axis] == 1:
        return np.concatenate([vectors, vectors, vectors], axis=axis)

    def ends(at: int, inner: int) -> Floats:
        return 2 * np.take(vectors, [at], axis=axis) - np.take(vectors, [inner], axis=axis)

    return np.concatenate([ends(0, 1), vectors, ends(-1, -2)], axis=axis)


def _border(corners: Floats) -> Floats:
    """The outer corners, once around."""
    ny, nx = corners.shape[0] - 1, corners.shape[1] - 1
    down = np.unique(np.linspace(0, ny, min(ny + 1, 26)).astype(np.int64))
    right = np.unique(np.linspace(0, nx, min(nx + 1, 26)).astype(np.int64))
    sides = (corners[0, right], corners[down, nx], corners[ny, right[::-1]], corners[down[::-1], 0])
    return np.concatenate(sides)
