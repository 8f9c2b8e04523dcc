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


Coords = dict[str, xr.Variable]


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

    @property
    def count(self) -> int:
        return math.prod(self.shape)

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
