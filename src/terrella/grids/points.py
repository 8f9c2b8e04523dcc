"""Unstructured places: stations, trajectories, triangular meshes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from terrella.errors import Invalid
from terrella.grids.identity import Identity
from terrella.grids.outlines import hull
from terrella.grids.places import PlaceCells, flat_places
from terrella.grids.sphere import chord_of, extent_of, fan_areas, lonlat, metres, over_poles, unit
from terrella.grids.tables import Floats, frozen, pack, unpack
from terrella.model.space import EARTH_RADIUS_M

if TYPE_CHECKING:
    from terrella.model.space import Extent
    from terrella.model.stac import Document

STATION_REACH_M = 10_000.0
"""How far a station stands for the places around it."""

MESH_REACH_M = 500_000.0
"""How far a cell of a mesh may at most reach: a sparse network is no coarse mesh."""


@dataclass(frozen=True, eq=False)
class PointsGrid(PlaceCells, Identity):
    """Cells at `lon`, `lat` (degrees, any longitude range; NaN where a cell has no place).

    `area` (square metres) and `vertex_lon`, `vertex_lat` (degrees, shape (n, corners), repeated or NaN where a cell has
    fewer) are what the file gives, or None. Raises Invalid for arrays that do not fit together.
    """

    lon: Floats
    lat: Floats
    area: Floats | None = None
    vertex_lon: Floats | None = None
    vertex_lat: Floats | None = None
    kind: ClassVar[str] = "points"
    dims: ClassVar[tuple[str, ...]] = ("cell",)
    crs: ClassVar[str] = "EPSG:4326"

    def __post_init__(self) -> None:
        for name in ("lon", "lat", "area", "vertex_lon", "vertex_lat"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen(getattr(self, name)))
        if self.lon.ndim != 1 or self.lon.shape != self.lat.shape or not self.lon.size:
            raise Invalid("Points need one-dimensional longitudes and latitudes, as many of each.", parameter="grid")
        if self.area is not None and self.area.shape != self.lon.shape:
            raise Invalid("Points need one area a cell.", parameter="grid")
        corners = (self.vertex_lon, self.vertex_lat)
        if any(one is not None and (one.ndim != 2 or len(one) != self.lon.size) for one in corners):
            raise Invalid("Vertices of points are arrays of shape (cells, corners).", parameter="grid")
        if len({None if one is None else one.shape for one in corners}) != 1:
            raise Invalid("Points need as many vertex longitudes as latitudes.", parameter="grid")

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.lon.size,)

    @cached_property
    def _flat(self) -> tuple[Floats, Floats]:
        return flat_places(self.lon, self.lat)

    @property
    def _lons(self) -> Floats:
        return self._flat[0]

    @property
    def _lats(self) -> Floats:
        return self._flat[1]

    @property
    def _is_mesh(self) -> bool:
        """Fewer than 16 distinct places are stations: each stands for itself, not for the land around it."""
        return bool(self._places[0].size >= 16)

    @cached_property
    def _reach(self) -> Floats:
        """With vertices 1.25 times the furthest of them; else of a mesh 1.25 times the third nearest neighbour, at most
        500 km (a triangular mesh has three neighbours, as far away as its corners); of stations 10 km.
        """
        reach = np.full(self.size, chord_of(STATION_REACH_M))
        if self._corners is not None:
            centre = unit(self._lons, self._lats)[:, None, :]
            reach = 1.25 * np.sqrt(((self._corners - centre) ** 2).sum(axis=-1)).max(axis=-1)
        elif self._is_mesh:
            third = self._tree.query(self._places[1], k=[4])[0][:, 0]
            reach[self._places[0]] = np.minimum(1.25 * third, chord_of(MESH_REACH_M))
        return reach

    @cached_property
    def _corners(self) -> Floats | None:
        """Unit vectors of the vertices, shape (n, corners, 3); missing ones stand on the first."""
        if self.vertex_lon is None or self.vertex_lat is None:
            return None
        vectors = unit(self.vertex_lon, self.vertex_lat)
        return np.where(np.isfinite(vectors), vectors, vectors[:, :1, :])

    def areas(self, cells: np.ndarray | None = None) -> Floats:
        """Square metres as given, else of the polygon of vertices, else NaN."""
        chosen = np.arange(self.size) if cells is None else np.asarray(cells, dtype=np.int64)
        if self.area is not None:
            return self.area[chosen]
        if self._corners is None:
            return np.full(chosen.size, np.nan)
        return fan_areas(self._corners[chosen])

    def extent(self) -> Extent:
        """Around the vertices, or the places where there are none; of a mesh also over a pole that it covers."""
        if not self._places[0].size:
            raise Invalid("None of the points has a place.", parameter="grid")
        lon, lat = (self._lons, self._lats) if self._corners is None else lonlat(self._corners.reshape(-1, 3))
        closing = min(3 * math.degrees(self.resolution() / EARTH_RADIUS_M), 90.0) if self._is_mesh else 0.0
        found = extent_of(lon, lat, closing=closing)
        return over_poles(found, self.nearest(np.zeros(2), np.array([-90.0, 90.0]))) if self._is_mesh else found

    def footprint(self) -> Document:
        """A point, a multi-point of stations, or the convex hull of a mesh."""
        if self._is_mesh or self._corners is not None:
            lon, lat = (self._lons, self._lats) if self._corners is None else lonlat(self._corners.reshape(-1, 3))
            return hull(lon, lat, self.extent())
        cells = self._places[0]
        places = [[float(x), float(y)] for x, y in zip(*self.centres(cells), strict=True)]
        if len(places) == 1:
            return {"type": "Point", "coordinates": places[0]}
        return {"type": "MultiPoint", "coordinates": places}

    def resolution(self) -> float:
        """Metres to the nearest other place, the median of at most 10 000 places; of one place its reach."""
        vectors = self._places[1]
        if len(vectors) < 2:
            return STATION_REACH_M
        some = vectors[:: max(1, len(vectors) // 10_000)]
        return float(np.median(metres(self._tree.query(some, k=[2])[0])))

    def to_json(self) -> dict[str, Any]:
        tables = {name: getattr(self, name) for name in ("lon", "lat", "area", "vertex_lon", "vertex_lat")}
        return {"kind": self.kind} | {name: pack(table) for name, table in tables.items() if table is not None}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> PointsGrid:
        return cls(**{name: unpack(table) for name, table in document.items() if name != "kind"})
