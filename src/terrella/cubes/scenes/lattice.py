"""The stated grid: squares of one size in one reference system, and windows of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from pyproj import CRS, Transformer

from terrella.errors import Invalid
from terrella.grids import crs_text, raster_grid
from terrella.model.space import Extent

Affine = tuple[float, float, float, float, float, float]
Bounds = tuple[float, float, float, float]
"""left, bottom, right, top in the units of a reference system."""

_WGS84 = "OGC:CRS84"
_ALONG = 101
"""Points along each side of a box that is carried to another reference system."""
_NEAR = 1e-6
"""Of a pixel: what lies so near to a border of the grid lies on it."""
DEGREE_M = 111_319.490793
"""Metres in a degree of the equator of WGS 84."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows and columns of a lattice, from `row` and `column` on; rows count southward from the anchor."""

    row: int
    column: int
    rows: int
    columns: int

    @property
    def is_empty(self) -> bool:
        return self.rows <= 0 or self.columns <= 0

    def meet(self, other: Window) -> Window:
        """What both have."""
        row, column = max(self.row, other.row), max(self.column, other.column)
        last_row = min(self.row + self.rows, other.row + other.rows)
        last_column = min(self.column + self.columns, other.column + other.columns)
        return Window(row, column, last_row - row, last_column - column)

    def grown(self, by: int) -> Window:
        return Window(self.row - by, self.column - by, self.rows + 2 * by, self.columns + 2 * by)

    @staticmethod
    def around(windows: Iterable[Window]) -> Window:
        """The smallest window that holds them all (at least one)."""
        all_of_them = list(windows)
        row, column = min(one.row for one in all_of_them), min(one.column for one in all_of_them)
        last_row = max(one.row + one.rows for one in all_of_them)
        last_column = max(one.column + one.columns for one in all_of_them)
        return Window(row, column, last_row - row, last_column - column)


@dataclass(frozen=True, slots=True)
class Lattice:
    """Cells `dx` wide and `dy` high (both above 0, units of the CRS); a corner of one lies at (`x`, `y`)."""

    crs: str
    dx: float
    dy: float
    x: float
    y: float

    @property
    def is_geographic(self) -> bool:
        return is_geographic(self.crs)

    def window(self, bounds: Bounds) -> Window:
        """The cells that a box meets. Raises Invalid where they cannot be counted."""
        left, bottom, right, top = bounds
        ends = (
            ((left - self.x) / self.dx, (self.y - top) / self.dy),
            ((right - self.x) / self.dx, (self.y - bottom) / self.dy),
        )
        if not np.isfinite(ends).all() or np.abs(ends).max() > 2**53:
            raise Invalid("The resolution is too fine for an area of this size.", parameter="resolution")
        column, row = (math.floor(value + _NEAR) for value in ends[0])
        last_column, last_row = (math.ceil(value - _NEAR) for value in ends[1])
        return Window(row, column, max(1, last_row - row), max(1, last_column - column))

    def transform(self, window: Window) -> Affine:
        """Of a window, as rasterio orders it."""
        return (self.dx, 0.0, self.x + window.column * self.dx, 0.0, -self.dy, self.y - window.row * self.dy)

    def grid(self, window: Window) -> dict[str, Any]:
        """As the JSON of a grid."""
        return raster_grid(self.crs, self.transform(window), window.rows, window.columns).to_json()


@lru_cache(maxsize=256)
def is_geographic(crs: str) -> bool:
    return bool(CRS.from_user_input(crs).is_geographic)


@lru_cache(maxsize=256)
def transformer(source: str, target: str) -> Transformer:
    """Safe across threads."""
    return Transformer.from_crs(CRS.from_user_input(source), CRS.from_user_input(target), always_xy=True)


def checked_crs(text: str, extent: Extent) -> str:
    """A reference system of user input; 'utm' is the zone of the middle of the extent. Raises Invalid."""
    if text.strip().casefold() != "utm":
        found = crs_text(text)
        if not (is_geographic(found) or CRS.from_user_input(found).is_projected):
            raise Invalid(f"{text!r:.80} is neither geographic nor projected.", parameter="crs")
        return found
    lon, lat = extent.west + extent.width / 2, (extent.south + extent.north) / 2
    zone = int(((lon + 180.0) % 360.0) // 6) + 1
    return f"EPSG:{32600 + zone if lat >= 0 else 32700 + zone}"


def extent_bounds(extent: Extent, crs: str) -> Bounds:
    """A box of longitudes and latitudes in a reference system. Of one in degrees the east may lie beyond 180.

    Raises Invalid where the system shows no part of it.
    """
    if is_geographic(crs):
        return extent.west, extent.south, extent.west + extent.width, extent.north
    lon, lat = _border(extent.west, extent.south, extent.west + extent.width, extent.north)
    found = _around(*transformer(_WGS84, crs).transform(lon, lat))
    if found is None:
        raise Invalid(f"{crs:.60} does not show this area.", parameter="crs")
    return found


def raster_bounds(transform: Affine, height: int, width: int, crs: str, target: str) -> Bounds | None:
    """A raster's outer border in another reference system; None where that does not show it.

    Where the target is in degrees the east may lie beyond 180: a raster over the antimeridian stays in one piece.
    """
    a, b, c, d, e, f = transform
    column, row = _border(0.0, 0.0, float(width), float(height))
    x, y = a * column + b * row + c, d * column + e * row + f
    if crs == target:
        return _around(x, y)
    x, y = transformer(crs, target).transform(x, y)
    if is_geographic(target) and np.isfinite(x).any():
        first = x[np.isfinite(x)][0]
        x = first + (x - first + 180.0) % 360.0 - 180.0
    return _around(x, y)


def _border(left: float, bottom: float, right: float, top: float) -> tuple[np.ndarray, np.ndarray]:
    """Points along the border of a box, and some inside of it."""
    across, up = np.linspace(left, right, _ALONG), np.linspace(bottom, top, _ALONG)
    inner_x, inner_y = np.meshgrid(across[::10], up[::10])
    x = np.concatenate([across, across, np.full(_ALONG, left), np.full(_ALONG, right), inner_x.ravel()])
    y = np.concatenate([np.full(_ALONG, bottom), np.full(_ALONG, top), up, up, inner_y.ravel()])
    return x, y


def _around(x: np.ndarray, y: np.ndarray) -> Bounds | None:
    real = np.isfinite(x) & np.isfinite(y)
    if not real.any():
        return None
    x, y = x[real], y[real]
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())
