"""Mathematics on the sphere of `EARTH_RADIUS_M`; angles in degrees, longitude first."""

from __future__ import annotations

import math

import numpy as np

from terrella.errors import Invalid
from terrella.grids.tables import Cells, Flags, Floats
from terrella.model.space import EARTH_RADIUS_M, Extent, wrap180

Degrees = np.ndarray | float

TIE = 1e-12
"""Chords on the unit sphere closer than this (6 micrometres on the Earth) are equally near."""

SLACK_M = 1e-6
"""Metres by which a centre may miss the rim of a circle and still count as on it."""


def wrapped(lon: np.ndarray) -> Floats:
    """Longitudes in [-180, 180)."""
    turned = np.mod(np.asarray(lon, dtype=np.float64) + 180.0, 360.0) - 180.0
    return np.where(turned >= 180.0, -180.0, turned)


def unit(lon: np.ndarray, lat: np.ndarray) -> Floats:
    """Unit vectors, shape (..., 3): x to (0, 0), y to (90, 0), z to the north pole."""
    lam, phi = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def lonlat(vectors: np.ndarray) -> tuple[Floats, Floats]:
    """(lon, lat) in degrees of vectors of any length, shape (..., 3); lon in [-180, 180)."""
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    return wrapped(np.degrees(np.arctan2(y, x))), np.degrees(np.arctan2(z, np.hypot(x, y)))


def chord(lon: Degrees, lat: Degrees, other_lon: np.ndarray, other_lat: np.ndarray) -> Floats:
    """Straight distance on the unit sphere, by haversines, which stay exact for near places (Sinnott 1984)."""
    across = np.sin(np.radians(other_lon - lon) / 2)
    along = np.sin(np.radians(other_lat - lat) / 2)
    squared = along**2 + np.cos(np.radians(lat)) * np.cos(np.radians(other_lat)) * across**2
    return np.asarray(2 * np.sqrt(np.clip(squared, 0.0, 1.0)), dtype=np.float64)


def distance(lon: Degrees, lat: Degrees, other_lon: np.ndarray, other_lat: np.ndarray) -> Floats:
    """Great-circle distance in metres; arrays broadcast."""
    return metres(chord(lon, lat, other_lon, other_lat))


def metres(chords: np.ndarray) -> Floats:
    """Great-circle distance of places that lie a chord apart."""
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.clip(chords / 2, 0.0, 1.0)), dtype=np.float64)


def chord_of(radius: float) -> float:
    """Chord that spans `radius` metres of great circle (at most half the way round)."""
    return 2 * math.sin(min(radius / EARTH_RADIUS_M, math.pi) / 2)


def is_place(lon: np.ndarray, lat: np.ndarray) -> Flags:
    """Where both are finite and the latitude exists."""
    return np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= 90.0 + 1e-9)


class Closest:
    """The nearest cell so far of each of n places; of equally near ones the lowest number stays."""

    def __init__(self, count: int) -> None:
        self.chord: Floats = np.full(count, np.inf)
        self.cell: Cells = np.full(count, -1, dtype=np.int64)

    def offer(self, cell: Cells, chords: Floats, at: Cells | None = None) -> None:
        """A candidate for each place, or for the places numbered `at` only; a NaN chord never wins."""
        held, number = (self.chord, self.cell) if at is None else (self.chord[at], self.cell[at])
        taken = (chords < held - TIE) | ((np.abs(chords - held) <= TIE) & (cell < number))
        where = np.flatnonzero(taken) if at is None else at[taken]
        self.cell[where] = cell[taken]
        self.chord[where] = np.minimum(held[taken], chords[taken])


def checked_circle(lon: float, lat: float, radius: float) -> tuple[float, float, float]:
    """The circle as given. Raises Invalid for numbers that make none."""
    if not (math.isfinite(lon) and math.isfinite(lat) and -90 <= lat <= 90):
        raise Invalid("The centre of a circle needs a finite longitude and a latitude in -90..90.", parameter="coords")
    if not (math.isfinite(radius) and radius >= 0):
        raise Invalid("The radius of a circle is a number of metres, 0 or more.", parameter="within")
    return lon, lat, radius


def cap_extent(lon: float, lat: float, radius: float) -> Extent:
    """The smallest box that holds a circle of `radius` metres, also around a pole.

    Half width in longitude: asin(sin(radius) / cos(lat)), the meridians that touch a small circle.
    """
    angle = radius / EARTH_RADIUS_M
    reach = math.degrees(angle)
    south, north = max(lat - reach, -90.0), min(lat + reach, 90.0)
    if lat + reach >= 90.0 or lat - reach <= -90.0:
        return Extent(-180.0, south, 180.0, north)
    half = math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(math.radians(lat)))))
    return around(lon - half, south, lon + half, north)


def around(west: float, south: float, east: float, north: float) -> Extent:
    """A box from unwrapped longitudes: the whole width where it spans 360 degrees, else in -180..180."""
    if east - west >= 360.0 - 1e-9:
        return Extent(-180.0, south, 180.0, north)
    low, high = wrap180(west), wrap180(east)
    return Extent(low, south, 180.0 if high == -180.0 and east > west else high, north)


def half_widths(lat: float, radius: float, lats: Floats) -> Floats:
    """How many degrees of longitude a circle reaches to each side along parallels, a little too many.

    sin²(r/2) = sin²(Δφ/2) + cos φ cos φ₀ sin²(Δλ/2), solved for Δλ.
    """
    along = np.sin(np.radians(lats - lat) / 2) ** 2
    spare = np.sin(min(radius / EARTH_RADIUS_M, math.pi) / 2) ** 2 - along + 1e-15
    across = np.cos(np.radians(lats)) * math.cos(math.radians(lat))
    share = np.clip(spare, 0.0, None) / np.maximum(across, 1e-30)
    return np.asarray(np.degrees(2 * np.arcsin(np.sqrt(np.minimum(share, 1.0)))) + 1e-7)


def extent_of(lon: np.ndarray, lat: np.ndarray, *, closing: float) -> Extent:
    """The smallest box around places; as wide as the Earth where no gap in longitude is over `closing` degrees."""
    real = np.isfinite(lon) & np.isfinite(lat)
    turned = np.sort(np.mod(lon[real], 360.0))
    south, north = float(np.min(lat[real])), float(np.max(lat[real]))
    gaps = np.diff(turned, append=turned[0] + 360.0)
    widest = int(np.argmax(gaps))
    if gaps[widest] <= closing + 1e-9:
        return Extent(-180.0, south, 180.0, north)
    west = float(turned[(widest + 1) % turned.size])
    return around(west, south, west + 360.0 - float(gaps[widest]), north)


def extent_of_spans(west: np.ndarray, east: np.ndarray, south: float, north: float) -> Extent:
    """The smallest box around stretches of longitude (unwrapped, east >= west): all but the widest gap between them."""
    start = np.mod(west, 360.0)
    start = np.concatenate([start, start + 360.0])
    order = np.argsort(start)
    start, stop = start[order], (start + np.tile(east - west, 2))[order]
    reached = np.maximum.accumulate(stop)
    gaps = start[1:] - reached[:-1]
    widest = int(np.argmax(gaps))
    if gaps[widest] <= 1e-9:
        return Extent(-180.0, south, 180.0, north)
    return around(float(start[widest + 1]), south, float(reached[widest]) + 360.0, north)


def over_poles(extent: Extent, found: np.ndarray) -> Extent:
    """The extent, drawn over the south and north pole where a cell was `found` there (numbers, -1 for none)."""
    south, north = (-90.0 if found[0] >= 0 else extent.south), (90.0 if found[1] >= 0 else extent.north)
    if (found < 0).all():
        return extent
    return Extent(-180.0, south, 180.0, north)


def fan_areas(corners: np.ndarray) -> Floats:
    """Areas in square metres of spherical polygons with great-circle sides; corners are (..., n, 3), in order."""
    total = sum(
        _excess(corners[..., 0, :], corners[..., k, :], corners[..., k + 1, :]) for k in range(1, corners.shape[-2] - 1)
    )
    return EARTH_RADIUS_M**2 * np.abs(np.asarray(total, dtype=np.float64))


def _excess(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> Floats:
    """Signed spherical excess: tan(E/2) = a.(b x c) / (1 + a.b + b.c + c.a) (Van Oosterom and Strackee 1983).

    The triple product is taken of differences, which keeps its precision for cells of a few metres.
    """
    triple = np.einsum("...i,...i->...", a, np.cross(b - a, c - a))
    below = (
        1 + np.einsum("...i,...i->...", a, b) + np.einsum("...i,...i->...", b, c) + np.einsum("...i,...i->...", c, a)
    )
    return np.asarray(2 * np.arctan2(triple, below))
