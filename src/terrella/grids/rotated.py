"""Rotated pole: a grid of latitudes and longitudes on a turned sphere (COSMO, CORDEX, HIRLAM)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from pyproj import CRS

from terrella.errors import Invalid, Unsupported
from terrella.grids.identity import Identity
from terrella.grids.latlon import LatLonCells
from terrella.grids.lines import Line
from terrella.grids.planes import PlaneCells
from terrella.grids.sphere import checked_circle, is_place, lonlat, unit
from terrella.grids.tables import Cells, Floats


@dataclass(frozen=True, eq=False)
class RotatedGrid(PlaneCells, Identity):
    """Rows at `rlat`, columns at `rlon`, degrees on a sphere whose north pole lies at (`pole_lon`, `pole_lat`).

    `pole_grid_lon` is the rotated longitude of the true north pole (CF `north_pole_grid_longitude`). From arrays: `of`;
    for GRIB, which names the south pole: `from_south_pole`. Raises Invalid for latitudes beyond the poles.
    """

    pole_lon: float
    pole_lat: float
    rlat: Line
    rlon: Line
    pole_grid_lon: float = 0.0
    kind: ClassVar[str] = "rotated"
    dims: ClassVar[tuple[str, ...]] = ("y", "x")

    def __post_init__(self) -> None:
        for name in ("pole_lon", "pole_lat", "pole_grid_lon"):
            object.__setattr__(self, name, float(getattr(self, name)) + 0.0)
        if not np.isfinite([self.pole_lon, self.pole_lat, self.pole_grid_lon]).all() or abs(self.pole_lat) > 90.0:
            raise Invalid("The pole of a rotated grid needs a longitude and a latitude in -90..90.", parameter="grid")
        if np.abs(self.rlat.values).max() > 90.0 + 1e-6:
            raise Invalid("Rotated latitudes of a grid lie in -90..90.", parameter="grid")

    @classmethod
    def of(
        cls, pole_lon: float, pole_lat: float, rlat: np.ndarray, rlon: np.ndarray, pole_grid_lon: float = 0.0
    ) -> RotatedGrid:
        """From the two arrays of rotated coordinates, as CF files have them."""
        return cls(pole_lon, pole_lat, Line.of(np.asarray(rlat)), Line.of(np.asarray(rlon)), pole_grid_lon)

    @classmethod
    def from_south_pole(
        cls, south_lon: float, south_lat: float, rlat: np.ndarray, rlon: np.ndarray, angle: float = 0.0
    ) -> RotatedGrid:
        """From the southern pole of rotation, as GRIB has it.

        Raises Unsupported for an angle of rotation: the GRIB tables turn about the new axis, ecCodes about the old one.
        """
        if angle % 360.0:
            raise Unsupported(
                f"Its rotated grid is turned by {angle:g} degrees more, which readers understand differently"
            )
        return cls.of(south_lon + 180.0, -south_lat, rlat, rlon)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.rlat.count, self.rlon.count)

    @cached_property
    def crs(self) -> str:
        """WKT2 of the derived geographic system."""
        return CRS.from_cf(
            {
                "grid_mapping_name": "rotated_latitude_longitude",
                "grid_north_pole_latitude": self.pole_lat,
                "grid_north_pole_longitude": self.pole_lon,
                "north_pole_grid_longitude": self.pole_grid_lon,
            }
        ).to_wkt()

    @cached_property
    def _turned(self) -> _Turned:
        """The same cells as if the rotated sphere were the Earth."""
        return _Turned(self.rlat, self.rlon)

    @cached_property
    def _matrix(self) -> Floats:
        """From true to rotated unit vectors.

        The rows are the rotated axes: z to the new north pole; x along sin(pole_lat) away from it, so that rotated
        longitude 0 runs through the true north pole's far side (PROJ ob_tran with lon_0 = 180 + pole_lon, o_lat_p =
        pole_lat, o_lon_p = pole_grid_lon; Snyder 1987, Map Projections, equations 5-7 to 5-10b).
        """
        lam, phi = np.radians(self.pole_lon), np.radians(self.pole_lat)
        z = np.array([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
        x = np.array([-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)])
        y = np.array([np.sin(lam), -np.cos(lam), 0.0])
        turn = np.radians(self.pole_grid_lon)
        along = np.cos(turn) * x - np.sin(turn) * y
        across = np.sin(turn) * x + np.cos(turn) * y
        return np.stack([along, across, z])

    def rotated(self, lon: np.ndarray, lat: np.ndarray) -> tuple[Floats, Floats]:
        """(rotated lon, rotated lat) of places, degrees."""
        return lonlat(unit(lon, lat) @ self._matrix.T)

    def unrotated(self, rlon: np.ndarray, rlat: np.ndarray) -> tuple[Floats, Floats]:
        """(lon, lat) of rotated coordinates, degrees."""
        return lonlat(unit(rlon, rlat) @ self._matrix)

    def place(self, row: np.ndarray, column: np.ndarray) -> tuple[Floats, Floats]:
        """(lon, lat) of fractional rows and columns."""
        return self.unrotated(self.rlon.at(column), np.clip(self.rlat.at(row), -90.0, 90.0))

    def nearest(self, lon: np.ndarray, lat: np.ndarray) -> Cells:
        """Cell nearest on the sphere, -1 outside the outer borders; turning the sphere keeps distances."""
        lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
        real = is_place(lon, lat)
        result = np.full(lon.shape, -1, dtype=np.int64)
        result[real] = self._turned.nearest(*self.rotated(lon[real], lat[real]))
        return result

    def in_circle(self, lon: float, lat: float, radius: float) -> Cells:
        """Cells whose centre lies within `radius` metres of the place, rim included to a micrometre."""
        lon, lat, radius = checked_circle(lon, lat, radius)
        rlon, rlat = self.rotated(np.array([lon]), np.array([lat]))
        return self._turned.in_circle(float(rlon[0]), float(rlat[0]), radius)

    def areas(self, cells: np.ndarray | None = None) -> Floats:
        """Square metres between rotated parallels and meridians."""
        return self._turned.areas(cells)

    def resolution(self) -> float:
        """Metres between rows."""
        return self._turned.resolution()

    def coordinates(self) -> dict[str, np.ndarray]:
        """Rotated latitudes (y) and longitudes (x), degrees."""
        return {"y": self.rlat.values, "x": self.rlon.values}

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "pole_lon": self.pole_lon,
            "pole_lat": self.pole_lat,
            "pole_grid_lon": self.pole_grid_lon,
            "rlat": self.rlat.to_json(),
            "rlon": self.rlon.to_json(),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> RotatedGrid:
        lines = Line.from_json(document["rlat"]), Line.from_json(document["rlon"])
        return cls(document["pole_lon"], document["pole_lat"], *lines, document["pole_grid_lon"])


@dataclass(frozen=True, eq=False)
class _Turned(LatLonCells):
    lat_line: Line
    lon_line: Line
