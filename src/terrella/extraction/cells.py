"""The cells that a shape takes, with their coordinates as they will be answered."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from terrella.cubes.selecting import Indices, Selection

if TYPE_CHECKING:
    from terrella.contracts.grids import Grid

LONGITUDE = {"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east"}
LATITUDE = {"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north"}
_BYTES_EACH = 24
_BYTES_OF_POLYGON = 800
AT_ONCE = 50_000
"""Cells made polygons at once."""

Coords = dict[str, xr.Variable]


@dataclass(frozen=True, eq=False)
class Blend:
    """Each place is made of several cells: weights of shape (places, cells each), their sum 1.

    Where cells that are missing, or that the grid lacks (`there` is False), weigh at most half, the others share their
    weight; else the place is missing.
    """

    weights: np.ndarray
    there: np.ndarray | None = None

    def part(self, first: int, last: int) -> Blend:
        return Blend(self.weights[first:last], None if self.there is None else self.there[first:last])

    def made(self, values: np.ndarray, vertices: np.ndarray | None = None) -> np.ndarray:
        """Places from cells, which are the last dimension; float64."""
        weights = self.weights if vertices is None else self.weights[vertices]
        corners = values.reshape(*values.shape[:-1], *weights.shape).astype(np.float64)
        real = np.isfinite(corners)
        if self.there is not None:
            real &= self.there if vertices is None else self.there[vertices]
        held = np.where(real, weights, 0.0)
        total = held.sum(axis=-1)
        found = (np.where(real, corners, 0.0) * held).sum(axis=-1)
        enough = total >= 0.5 - _ROUNDING
        return np.divide(  # type: ignore[no-any-return]
            found, total, out=np.full(total.shape, np.nan), where=enough & (total > 0)
        )


_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of a grid: single ones (`flat`, one dimension in the answer) or crossed rows and columns (`lines`).

    `place` makes the coordinate variables of the answer along `dims`, when they are needed; longitudes are in the
    range that was asked for.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    place: Callable[[], Coords]
    flat: np.ndarray | None = None
    lines: tuple[Indices, ...] | None = None
    position: np.ndarray | None = None
    """Of a corridor: how far along its line each cell lies, counted in vertices."""
    share: np.ndarray | None = None
    """Of overlaps: how much of each cell lies inside the shape, 0..1."""
    blend: Blend | None = None
    """Where each number of the answer is made of several cells; `flat` are then all of these, in its order."""
    hidden: np.ndarray | None = None
    """Of crossed rows and columns: the cells that lie outside the shape, and are answered as missing."""

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    @property
    def read(self) -> int:
        """Cells that are read."""
        return self.count if self.blend is None else self.blend.weights.size

    @property
    def memory(self) -> int:
        """Bytes of their numbers and coordinates; for shares also of the polygons that some of them are at a time."""
        if self.share is None:
            return _BYTES_EACH * self.read
        return 3 * _BYTES_EACH * self.read + _BYTES_OF_POLYGON * min(self.read, AT_ONCE)

    def part(self, first: int, last: int) -> Cells:
        """Some of the cells, or of the rows where these are crossed with columns; without coordinates."""
        if self.lines is not None:
            rows = self.lines[0]
            rows = slice(rows.start + first, rows.start + last) if isinstance(rows, slice) else rows[first:last]
            shape = (last - first, *self.shape[1:])
            hidden = None if self.hidden is None else self.hidden[first:last]
            return Cells(self.dims, shape, dict, lines=(rows, *self.lines[1:]), hidden=hidden)
        assert self.flat is not None
        blend = None if self.blend is None else self.blend.part(first, last)
        each = 1 if self.blend is None else self.blend.weights.shape[1]
        return Cells(self.dims, (last - first,), dict, flat=self.flat[first * each : last * each], blend=blend)

    def of(self, vertices: np.ndarray) -> np.ndarray:
        """The cells to read for some of the places."""
        assert self.flat is not None
        rows = self.flat if self.blend is None else self.flat.reshape(self.blend.weights.shape)
        return np.asarray(rows[vertices]).ravel()

    def settled(self, values: np.ndarray, vertices: np.ndarray | None = None) -> np.ndarray:
        """Numbers of the answer from what was read (of all places, or some), along the last dimensions.

        The values may be changed in place.
        """
        return self.masked(values) if self.blend is None else self.blend.made(values, vertices)

    def masked(self, values: np.ndarray) -> np.ndarray:
        """Missing outside the shape: in place where the values are floats, else in a copy that can be missing."""
        if self.hidden is None:
            return values
        values = values.astype(self.dtype(values.dtype), copy=False)
        values[..., self.hidden] = np.nan
        return values

    def dtype(self, stored: np.dtype | str) -> np.dtype:
        """Of the answer: blends are float64, and integers become floats that hold them where cells may be missing."""
        stored = np.dtype(stored)
        if self.blend is not None:
            return np.dtype(np.float64)
        return stored if self.hidden is None or stored.kind == "f" else np.result_type(stored, np.float32)

    def selection(self, axes: Mapping[str, Indices]) -> Selection:
        return Selection(axes, lines=self.lines, cells=self.flat)


def turned(lon: np.ndarray, longitudes: tuple[float, float]) -> np.ndarray:
    """Longitudes in the range that starts at the first number, its end excluded."""
    low = longitudes[0]
    made = np.mod(np.asarray(lon, dtype=np.float64) - low, 360.0) + low
    return np.where(made >= low + 360.0, low, made)


def single(
    grid: Grid, dim: str, flat: np.ndarray, longitudes: tuple[float, float], position: np.ndarray | None = None
) -> Cells:
    """Cells one by one, along one dimension."""

    def place() -> Coords:
        lon, lat = grid.centres(flat)
        return {
            "longitude": xr.Variable((dim,), turned(lon, longitudes), dict(LONGITUDE)),
            "latitude": xr.Variable((dim,), np.asarray(lat, dtype=np.float64), dict(LATITUDE)),
        }

    return Cells((dim,), (int(flat.size),), place, flat=flat, position=position)
