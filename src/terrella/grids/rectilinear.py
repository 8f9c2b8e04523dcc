"""Latitudes and longitudes of any spacing: regular Gaussian grids, zoomed grids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from terrella.errors import Invalid
from terrella.grids.identity import Identity
from terrella.grids.latlon import LatLonCells
from terrella.grids.lines import Line
from terrella.grids.regular import RegularGrid


@dataclass(frozen=True, eq=False)
class RectilinearGrid(LatLonCells, Identity):
    """One-dimensional latitudes and longitudes in degrees, in stored order; neither needs to be sorted."""

    lat_line: Line
    lon_line: Line
    kind: ClassVar[str] = "rectilinear"
    dims: ClassVar[tuple[str, ...]] = ("lat", "lon")
    crs: ClassVar[str] = "EPSG:4326"

    def __post_init__(self) -> None:
        if not (np.abs(self.lat_line.values) <= 90.0 + 1e-6).all():
            raise Invalid("Latitudes of a grid lie in -90..90.", parameter="grid")

    @classmethod
    def of(cls, lat: np.ndarray, lon: np.ndarray) -> RectilinearGrid:
        """From arrays of degrees. Raises Invalid for arrays that are empty, not 1-D, or not finite."""
        return cls(Line.of(np.asarray(lat)), Line.of(np.asarray(lon)))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.lat_line.count, self.lon_line.count)

    def coordinates(self) -> dict[str, np.ndarray]:
        """Latitudes and longitudes as the file has them."""
        return {"lat": self.lat_line.values, "lon": self.lon_line.values}

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "lat": self.lat_line.to_json(), "lon": self.lon_line.to_json()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> RectilinearGrid:
        return cls(Line.from_json(document["lat"]), Line.from_json(document["lon"]))


def regular_or_rectilinear(lat: np.ndarray, lon: np.ndarray) -> RegularGrid | RectilinearGrid:
    """The grid of a file's two coordinate arrays (degrees, any direction and range).

    Regular where both are evenly spaced (`terrella.grids.lines.even`); a lone latitude or longitude is taken to be as
    wide as the step of the other, or 0.2 degrees where both are alone. Raises Invalid as `RectilinearGrid.of` does.
    """
    given = (np.asarray(lat), np.asarray(lon))
    steps = [Line.of(values).step for values in given if values.size > 1]
    lone = abs(steps[0]) if steps and steps[0] else 0.2
    lats, lons = (Line.of(values, lone_step=lone) for values in given)
    if lats.table is None and lons.table is None:
        return RegularGrid(lats.first, lats.step, lats.count, lons.first, lons.step, lons.count)
    return RectilinearGrid(lats, lons)
