"""Evenly spaced latitudes and longitudes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from terrella.errors import Invalid
from terrella.grids.identity import Identity
from terrella.grids.latlon import LatLonCells
from terrella.grids.lines import Line

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class RegularGrid(LatLonCells, Identity):
    """Row i lies at ``lat0 + i * dlat``, column j at ``lon0 + j * dlon``: degrees of cell centres, either direction.

    `crs` is another than EPSG:4326 for rasters in a similar geographic system (ETRS89, NAD83): their longitudes and
    latitudes are taken as they are. Raises Invalid for steps of 0, empty shapes, and latitudes beyond the poles.
    """

    lat0: float
    dlat: float
    nlat: int
    lon0: float
    dlon: float
    nlon: int
    crs: str = "EPSG:4326"
    kind: ClassVar[str] = "regular"
    dims: ClassVar[tuple[str, ...]] = ("lat", "lon")

    def __post_init__(self) -> None:
        for name in ("lat0", "dlat", "lon0", "dlon"):
            object.__setattr__(self, name, float(getattr(self, name)) + 0.0)
            if not math.isfinite(getattr(self, name)):
                raise Invalid(f"{name} of a regular grid must be a finite number.", parameter="grid")
        for name in ("nlat", "nlon"):
            object.__setattr__(self, name, int(getattr(self, name)))
        if not (self.dlat and self.dlon) or self.nlat < 1 or self.nlon < 1:
            raise Invalid("A regular grid needs steps other than 0 and at least one row and column.", parameter="grid")
        last = self.lat0 + (self.nlat - 1) * self.dlat
        if max(abs(self.lat0), abs(last)) > 90.0 + 1e-6:
            raise Invalid(f"Latitudes of a grid lie in -90..90, not {self.lat0:g}..{last:g}.", parameter="grid")

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.nlat, self.nlon)

    @cached_property
    def lat_line(self) -> Line:  # type: ignore[override]
        return Line(self.lat0, self.dlat, self.nlat)

    @cached_property
    def lon_line(self) -> Line:  # type: ignore[override]
        return Line(self.lon0, self.dlon, self.nlon)

    def coordinates(self) -> dict[str, np.ndarray]:
        """Latitudes and longitudes in the direction and range of the file."""
        return {"lat": self.lat_line.values, "lon": self.lon_line.values}

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "lat0": self.lat0,
            "dlat": self.dlat,
            "nlat": self.nlat,
            "lon0": self.lon0,
            "dlon": self.dlon,
            "nlon": self.nlon,
            "crs": self.crs,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> RegularGrid:
        return cls(**{name: value for name, value in document.items() if name != "kind"})
