"""How large cells of a stated grid are in pixels of a raster: one answer for a raster, however a grid is cut up."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from terrella.cubes.scenes.lattice import Affine, transformer

_ROUND = 0.05
"""Ratios so near to a whole number are that number, as GDAL has it too."""


def pixels_of(transform: Affine, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fractional (row, column) of points in a raster's plane: whole numbers are borders of pixels."""
    a, b, c, d, e, f = transform
    with np.errstate(invalid="ignore"):
        if b == 0 and d == 0:
            return (y - f) / e, (x - c) / a
        area = a * e - b * d
        return (a * (y - f) - d * (x - c)) / area, (e * (x - c) - b * (y - f)) / area


@lru_cache(maxsize=4096)
def pixels_per_cell(
    crs: str, transform: Affine, size: tuple[int, int], target: str, cell: tuple[float, float]
) -> tuple[float, float] | None:
    """Pixels below a cell along x and along y of a grid, at the middle of a raster of (height, width).

    `cell` is its width and height (signed) in the units of `target`. None where that does not show the middle. Not
    measured block by block: a place must get the same number whether it is asked for alone or within a map.
    """
    a, b, c, d, e, f = transform
    row, column = size[0] / 2, size[1] / 2
    x, y = a * column + b * row + c, d * column + e * row + f
    ends = np.array([0.0, cell[0], 0.0]), np.array([0.0, 0.0, cell[1]])
    if crs != target:
        x, y = transformer(crs, target).transform(x, y)
    along_x, along_y = x + ends[0], y + ends[1]
    if crs != target and math.isfinite(x) and math.isfinite(y):
        along_x, along_y = transformer(target, crs).transform(along_x, along_y)
    rows, columns = pixels_of(transform, np.asarray(along_x), np.asarray(along_y))
    if not (np.isfinite(rows).all() and np.isfinite(columns).all()):
        return None
    lengths = np.hypot(rows[1:] - rows[0], columns[1:] - columns[0])
    return float(lengths[0]), float(lengths[1])


def gdal_scale(pixels: float) -> float:
    """Cells for each pixel, as GDAL's warper takes it: 1 where there are fewer pixels than cells."""
    if pixels <= 1:
        return 1.0
    whole = round(pixels)
    return 1.0 / (whole if abs(pixels - whole) < _ROUND else pixels)
