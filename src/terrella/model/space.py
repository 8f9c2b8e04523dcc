"""Places on the Earth: coordinate order is a type here, never a convention."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from terrella.errors import Invalid

EARTH_RADIUS_M = 6_371_008.7714
"""Mean radius R1 of the IUGG (Moritz 2000): the sphere that 'nearest' and areas are measured on, in metres."""


class LonLat(NamedTuple):
    """A point in degrees, longitude first."""

    lon: float
    lat: float


def wrap180(lon: float) -> float:
    """A longitude in [-180, 180)."""
    return (lon + 180.0) % 360.0 - 180.0


@dataclass(frozen=True, slots=True)
class Extent:
    """A box in degrees. `west > east` means that it crosses the antimeridian (RFC 7946, 5.2).

    A box as wide as the Earth has ``west=-180, east=180``.
    """

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def of(cls, west: float, south: float, east: float, north: float, *, parameter: str = "bbox") -> Extent:
        """A checked box from user input, longitudes in any range (0..360 also). Raises Invalid."""
        numbers = (west, south, east, north)
        if not all(math.isfinite(number) for number in numbers):
            raise Invalid("A box needs four finite numbers: west,south,east,north.", parameter=parameter)
        if not (-90 <= south <= north <= 90):
            raise Invalid(
                f"Latitudes of a box are -90 <= south <= north <= 90, not {south:g} and {north:g}.", parameter=parameter
            )
        if not all(-360 <= lon <= 360 for lon in (west, east)):
            raise Invalid(f"Longitudes lie in -360..360, not {west:g} and {east:g}.", parameter=parameter)
        if east - west >= 360:
            return cls(-180.0, south, 180.0, north)
        return cls(_keep180(west, is_east=False), south, _keep180(east, is_east=True), north)

    @property
    def crosses_antimeridian(self) -> bool:
        return self.west > self.east

    @property
    def width(self) -> float:
        """Degrees of longitude from west to east, going east."""
        return self.east - self.west + (360.0 if self.crosses_antimeridian else 0.0)

    def parts(self) -> tuple[Extent, ...]:
        """One or two boxes that do not cross the antimeridian."""
        if not self.crosses_antimeridian:
            return (self,)
        return (
            Extent(self.west, self.south, 180.0, self.north),
            Extent(-180.0, self.south, self.east, self.north),
        )

    def bbox(self) -> list[float]:
        return [self.west, self.south, self.east, self.north]


def _keep180(lon: float, *, is_east: bool) -> float:
    """Like wrap180, but an eastern edge on the antimeridian stays 180."""
    wrapped = wrap180(lon)
    return 180.0 if is_east and wrapped == -180.0 else wrapped


GLOBE = Extent(-180.0, -90.0, 180.0, 90.0)
