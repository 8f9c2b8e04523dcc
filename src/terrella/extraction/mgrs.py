"""Squares of the Military Grid Reference System as polygons (NGA.STND.0037, appendix B): from a zone down to 1 m."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyproj
import shapely

from terrella.errors import Invalid, nearest_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shapely.geometry.base import BaseGeometry

BANDS = "CDEFGHJKLMNPQRSTUVWX"
"""Of latitude, 8 degrees each from 80 S; X has 12."""
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_ROWS = _LETTERS[:20]
_POLAR_COLUMNS = "ABCFGHJKLPQRSTUXYZ"
"""Those that stand beside a pole: D, E, M, N, V and W do not."""
_SQUARE = 100_000.0
_CYCLE = 2_000_000.0
"""Metres after which the letters of rows begin again."""
_STEP = 2000.0
"""Metres between places along an edge, which is straight in the plane but not in longitude and latitude."""
_FORM = re.compile(
    r"(?P<zone>\d{1,2}(?=[C-HJ-NP-X])|(?=[ABYZ]))(?P<band>[A-HJ-NP-Z])(?P<square>[A-HJ-NP-Z]{2})?(?P<digits>(?:\d\d){0,5})"
)
_WIDE = {
    (31, "V"): (0, 3),
    (32, "V"): (3, 12),
    (31, "X"): (0, 9),
    (33, "X"): (9, 21),
    (35, "X"): (21, 33),
    (37, "X"): (33, 42),
}
"""West and east of the zones that are not six degrees wide, at Norway and Svalbard."""
_NARROWED = {(32, "X"), (34, "X"), (36, "X")}


@dataclass(frozen=True, slots=True)
class _Reference:
    zone: int
    """0 at the poles."""
    band: str
    square: str
    digits: str


def mgrs(text: str) -> BaseGeometry:
    """The part of a square that lies in its zone, longitude first: `33U`, `33UUU`, `33UUU9012` ... down to ten digits.

    Polar squares begin with A, B (south), Y or Z (north). Raises Invalid.
    """
    return _polygon(_reference(text))


def _reference(text: str) -> _Reference:
    found = _FORM.fullmatch(re.sub(r"\s+", "", text).upper())
    if not found or (found["digits"] and not found["square"]):
        raise Invalid(
            f"{text!r:.60} is no MGRS square: write zone and band, then two letters, then up to ten digits, an even "
            "number of them, like 33U, 33UUU, 33UUU9012 or ZAH.",
            parameter="mgrs",
        )
    made = _Reference(int(found["zone"] or 0), found["band"], found["square"] or "", found["digits"])
    if made.zone > 60 or (not made.zone and made.band not in "ABYZ") or (made.zone, made.band) in _NARROWED:
        raise Invalid(f"There is no MGRS zone {found['zone']}{made.band}: {_zones(made)}.", parameter="mgrs")
    return made


def _zones(reference: _Reference) -> str:
    if (reference.zone, reference.band) in _NARROWED:
        return "around Svalbard there are 31X, 33X, 35X and 37X"
    return "zones are 1 to 60 with a band from C to X without I and O, or A, B, Y and Z at the poles"


@lru_cache(maxsize=512)
def _polygon(reference: _Reference) -> BaseGeometry:
    limits = _limits(reference)
    if not reference.square:
        return limits
    places = _polar_corners(reference) if not reference.zone else _corners(reference)
    size = _SQUARE / 10 ** (len(reference.digits) // 2)
    east, north = _offset(reference.digits, size)
    for x, y in places:
        ring = _ring(reference, x + east, y + north, size)
        inside = shapely.intersection(ring, limits)
        parts = [part for part in shapely.get_parts(inside) if part.geom_type == "Polygon" and part.area > 0]
        if parts:
            return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    raise Invalid(
        f"There is no MGRS square {reference.square}{reference.digits} in zone {reference.zone or ''}{reference.band}. "
        f"{_columns_said(reference)}",
        parameter="mgrs",
    )


def _columns_said(reference: _Reference) -> str:
    if not reference.zone:
        return nearest_names(reference.square[0], _polar_columns(reference.band))
    columns = _columns(reference.zone)
    if reference.square[0] not in columns:
        return f"Its first letters are {columns[0]} to {columns[-1]}."
    return "It lies outside of the zone: ask for the one that stands there under another name."


def _limits(reference: _Reference) -> BaseGeometry:
    """The zone with its band, or the half of a polar cap."""
    if not reference.zone:
        south, north = (-90.0, -80.0) if reference.band in "AB" else (84.0, 90.0)
        west = -180.0 if reference.band in "AY" else 0.0
        return shapely.box(west, south, west + 180.0, north)
    south = -80.0 + 8.0 * BANDS.index(reference.band)
    west, east = _WIDE.get((reference.zone, reference.band), (6 * reference.zone - 186, 6 * reference.zone - 180))
    return shapely.box(west, south, east, 84.0 if reference.band == "X" else south + 8.0)


def _offset(digits: str, size: float) -> tuple[float, float]:
    """Metres from the corner of the 100 km square."""
    half = len(digits) // 2
    return (int(digits[:half]) * size, int(digits[half:]) * size) if half else (0.0, 0.0)


def _columns(zone: int) -> str:
    """Letters of the eight columns, from 100 km east: they come again every third zone."""
    start = 8 * ((zone - 1) % 3)
    return _LETTERS[start : start + 8]


def _corners(reference: _Reference) -> Iterator[tuple[float, float]]:
    """South-western corners in UTM, one for each cycle of rows: the band of latitude says which is meant."""
    column, row = (letter for letter in reference.square)
    if column not in _columns(reference.zone) or row not in _ROWS:
        return
    x = _SQUARE * (1 + _columns(reference.zone).index(column))
    start = 0 if reference.zone % 2 else 5  # rows of even zones begin with F
    y = _SQUARE * ((_ROWS.index(row) - start) % 20)
    yield from ((x, y + _CYCLE * cycle) for cycle in range(5))


def _polar_columns(band: str) -> str:
    """Letters of columns: those west of the pole are the last ones up to Z, those east of it the first ones from A."""
    many = 12 if band in "AB" else 7
    return _POLAR_COLUMNS[-many:] if band in "AY" else _POLAR_COLUMNS[:many]


def _polar_corners(reference: _Reference) -> Iterator[tuple[float, float]]:
    """South-western corners in UPS; its origin lies 2000 km from the pole."""
    columns = _polar_columns(reference.band)
    rows = _LETTERS if reference.band in "AB" else _LETTERS[:14]
    column, row = (letter for letter in reference.square)
    if column not in columns or row not in rows:
        return
    west = 20 - len(columns) if reference.band in "AY" else 20
    low = 8 if reference.band in "AB" else 13
    yield _SQUARE * (west + columns.index(column)), _SQUARE * (low + rows.index(row))


def _ring(reference: _Reference, x: float, y: float, size: float) -> BaseGeometry:
    steps = np.linspace(0.0, size, max(2, round(size / _STEP) + 1))[:-1]
    none = np.zeros(steps.size)
    easting = x + np.concatenate([steps, none + size, size - steps, none])
    northing = y + np.concatenate([none, steps, none + size, size - steps])
    lon, lat = _plane(reference.zone, is_south=reference.band < "N")(easting, northing, inverse=True)
    if not reference.zone:
        return _beside_the_pole(reference.band, easting, northing, np.asarray(lon), np.asarray(lat))
    middle = 6 * reference.zone - 183
    lon = np.mod(np.asarray(lon) - middle + 180.0, 360.0) - 180.0 + middle
    return shapely.make_valid(shapely.Polygon(np.column_stack([lon, lat])))


@lru_cache(maxsize=128)
def _plane(zone: int, *, is_south: bool) -> pyproj.Proj:
    """UTM, or at the poles the universal polar stereographic projection, on WGS 84."""
    if not zone:
        return pyproj.Proj(proj="ups", ellps="WGS84", south=is_south)
    return pyproj.Proj(proj="utm", zone=zone, ellps="WGS84", south=is_south)


def _beside_the_pole(
    band: str, easting: np.ndarray, northing: np.ndarray, lon: np.ndarray, lat: np.ndarray
) -> BaseGeometry:
    """A ring in one half of a cap, which may touch the pole, where any longitude is right: it gets both neighbours'."""
    lon = np.where((lon > 1e-9) & (band in "AY"), lon - 360.0, lon)
    lon = np.where((lon < -1e-9) & (band in "BZ"), lon + 360.0, lon)
    pole = np.flatnonzero(np.hypot(easting - 2e6, northing - 2e6) < 1e-3)
    for place in pole[:1].tolist():
        before, after = lon[place - 1], lon[(place + 1) % lon.size]
        lon = np.concatenate([lon[:place], [before, after], lon[place + 1 :]])
        lat = np.concatenate([lat[:place], [lat[place]] * 2, lat[place + 1 :]])
    return shapely.make_valid(shapely.Polygon(np.column_stack([lon, np.clip(lat, -90.0, 90.0)])))
