"""A block of the stated grid out of one raster: which pixels it needs, and their values there.

Nearest is exact: every centre is carried to the raster by PROJ (no interpolated transformer), once for all bands and
times that lie on the same raster. Other methods are GDAL's, fed with values whose missing ones are NaN.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from rasterio.errors import RasterioError
from rasterio.transform import Affine as Transform
from rasterio.warp import Resampling, reproject
from rasterio.windows import Window as Pixels

from terrella.cubes.images.gdal import TIFF, ImageFile, one_by_one, using
from terrella.cubes.packing import unpack
from terrella.cubes.scenes.lattice import Affine, transformer
from terrella.cubes.scenes.scaling import gdal_scale, pixels_of, pixels_per_cell
from terrella.errors import Invalid, Unreadable, nearest_names
from terrella.model.scan import Packing
from terrella.model.stated import METHODS

_REACH = {"nearest": 0, "bilinear": 1, "cubic": 2, "average": 1, "mode": 1}
"""Pixels beyond the outermost ones that a method looks at, times how much coarser the grid is."""
_CEILING = 1e-10
"""GDAL adds this to a pixel coordinate before cutting it down (warp kernel), so that borders go one way."""
_MOST_PIXELS = 1 << 24
"""Pixels read for one block; where more lie under it, without overviews, only some rows and columns are read."""
_SLACK = 1.01
_THREADS = min(4, os.cpu_count() or 1)
"""GDAL's own, for a block that is warped: blocks themselves are warped one by one."""
_MOST_BLOCKS = 1024
"""Blocks of a file whose sizes are asked for one by one."""


@dataclass(frozen=True, slots=True)
class Raster:
    """One band of one image with its place; as `codec` of a scene has it."""

    image: ImageFile
    number: int
    crs: str
    transform: Affine
    height: int
    width: int
    dtype: str
    packing: Packing


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the stated grid: the transform of its first corner, rows and columns."""

    crs: str
    transform: Affine
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class _Part:
    """Pixels to read of an image (or of an overview of it): `step` is how many of the full ones make one of them.

    `per_cell` is how many of them lie below a cell of the grid, along its x and y.
    """

    image: ImageFile
    transform: Affine
    row: int
    column: int
    rows: int
    columns: int
    level: int | None
    step: float
    per_cell: tuple[float, float]


def checked_method(name: str) -> str:
    """Raises Invalid."""
    if name not in METHODS:
        raise Invalid(
            f"There is no resampling {name!r:.60}. {nearest_names(name[:60], METHODS)}", parameter="resampling"
        )
    return name


def stored(raster: Raster, block: Block, method: str) -> int:
    """Bytes of the file's blocks under it, estimated for JPEG 2000; reads the header alone."""
    part = _part(raster, block, method)
    if part is None:
        return 0
    if raster.image.driver != TIFF:
        share = part.rows * part.columns * part.step**2 / (raster.height * raster.width)
        return max(1, round(raster.image.stored() * min(1.0, share) / part.step**2))
    return _block_bytes(raster, part)


def read(raster: Raster, block: Block, method: str) -> np.ndarray | None:
    """Values on the block, NaN where there are none; None where the raster lies elsewhere. Raises Unreadable."""
    part = _part(raster, block, method)
    if part is None:
        return None
    values, part = _values(raster, part)
    at = _offset(raster, part, block)
    if at is not None:
        return _laid(values, at, block)
    if method == "nearest":
        return _nearest(values, raster, part, block)
    return _warped(values, raster, part, block, method)


# --- which pixels ----------------------------------------------------------------------------------------------------


def _part(raster: Raster, block: Block, method: str) -> _Part | None:
    """None where the raster lies elsewhere."""
    below = _below(raster.crs, raster.transform, block)
    if below is None:
        return None
    across, down = _pixels_per_cell(raster, block, below)
    level, factor = _level(raster.image, raster.number, min(across, down))
    image, transform, height, width = raster.image, raster.transform, raster.height, raster.width
    if level is not None:
        image = replace(raster.image, level=level)
        height, width, transform = _shrunk(image, raster)
    high, wide = height / raster.height, width / raster.width
    reach = math.ceil(_REACH[method] * max(1.0, max(across, down) / factor)) + 1
    row, column = max(0, math.floor(below.top * high) - reach), max(0, math.floor(below.left * wide) - reach)
    rows = min(height, math.ceil(below.bottom * high) + reach) - row
    columns = min(width, math.ceil(below.right * wide) + reach) - column
    if rows <= 0 or columns <= 0:
        return None
    return _Part(image, transform, row, column, rows, columns, level, factor, (across / factor, down / factor))


def _pixels_per_cell(raster: Raster, block: Block, below: _Below) -> tuple[float, float]:
    size, cell = (raster.height, raster.width), (block.transform[0], block.transform[4])
    return pixels_per_cell(raster.crs, raster.transform, size, block.crs, cell) or (below.step, below.step)


@dataclass(frozen=True, slots=True)
class _Below:
    """Fractional rows and columns of a raster below a block, and how many pixels a cell of it is wide."""

    top: float
    bottom: float
    left: float
    right: float
    step: float


@lru_cache(maxsize=4096)
def _below(crs: str, transform: Affine, block: Block) -> _Below | None:
    """None where no point of the block has a place in the raster's plane. Measured at a mesh of points."""
    row, column = pixels_of(transform, *_carried(_outline_of(block), crs))
    real = np.isfinite(row) & np.isfinite(column)
    if not real.any():
        return None
    cells = _CORNERS - 1
    with np.errstate(invalid="ignore"):
        across = np.hypot(np.diff(row, axis=1), np.diff(column, axis=1)) * cells / block.columns
        down = np.hypot(np.diff(row, axis=0), np.diff(column, axis=0)) * cells / block.rows
    sizes = [one[np.isfinite(one)] for one in (across, down)]
    step = min((float(np.median(one)) for one in sizes if one.size), default=1.0)
    row, column = row[real], column[real]
    return _Below(float(row.min()), float(row.max()), float(column.min()), float(column.max()), step)


_CORNERS = 22
"""Points along each side of the mesh that a block is measured with."""


@dataclass(frozen=True, slots=True)
class _Mesh:
    """Points in a plane: `count` along x and y from the first, `dx` and `dy` apart."""

    crs: str
    x: float
    y: float
    dx: float
    dy: float
    columns: int
    rows: int


def _outline_of(block: Block) -> _Mesh:
    a, _, c, _, e, f = block.transform
    cells = _CORNERS - 1
    return _Mesh(block.crs, c, f, a * block.columns / cells, e * block.rows / cells, _CORNERS, _CORNERS)


def _centres_of(block: Block) -> _Mesh:
    a, _, c, _, e, f = block.transform
    return _Mesh(block.crs, c + a / 2, f + e / 2, a, e, block.columns, block.rows)


@lru_cache(maxsize=16)
def _centres(block: Block, crs: str) -> tuple[np.ndarray, np.ndarray]:
    """Of the cells. A block of 512 x 512 takes 4 MiB and a third of a second: kept for the other bands and times."""
    return _carried(_centres_of(block), crs)


def _carried(mesh: _Mesh, crs: str) -> tuple[np.ndarray, np.ndarray]:
    """The points in another reference system (rows, columns), infinite where it does not show them."""
    x, y = np.meshgrid(mesh.x + mesh.dx * np.arange(mesh.columns), mesh.y + mesh.dy * np.arange(mesh.rows))
    if mesh.crs != crs:
        x, y = transformer(mesh.crs, crs).transform(x, y)
    return np.asarray(x), np.asarray(y)


def _level(image: ImageFile, number: int, step: float) -> tuple[int | None, float]:
    """The coarsest overview that is no coarser than the grid, and its factor."""
    fitting = [
        (level, factor)
        for level, factor in enumerate(_overviews(image, number, image.version()))
        if factor <= step * _SLACK
    ]
    return max(fitting, key=lambda one: one[1]) if fitting else (None, 1.0)


@lru_cache(maxsize=4096)
def _overviews(image: ImageFile, number: int, version: str) -> tuple[int, ...]:
    del version
    return using(image, lambda dataset: tuple(int(one) for one in dataset.overviews(number)))


def _shrunk(image: ImageFile, raster: Raster) -> tuple[int, int, Affine]:
    """(height, width, transform) of an overview: as many pixels as it has over the whole raster."""
    height, width = _layout(image, raster.number, image.version())[0]
    return height, width, _scaled(raster.transform, raster.height / height, raster.width / width)


def _scaled(transform: Affine, down: float, right: float) -> Affine:
    a, b, c, d, e, f = transform
    return (a * right, b * down, c, d * right, e * down, f)


@lru_cache(maxsize=4096)
def _layout(image: ImageFile, number: int, version: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """(height, width), and rows and columns of a block."""
    del version
    found = using(image, lambda one: (one.height, one.width, *one.block_shapes[number - 1]))
    height, width, high, wide = (int(one) for one in found)
    return (height, width), (high, wide)


def _block_bytes(raster: Raster, part: _Part) -> int:
    """Stored bytes of the blocks that a part meets; of very many, some are asked."""
    high, wide = _layout(part.image, raster.number, part.image.version())[1]
    rows = range(part.row // high, math.ceil((part.row + part.rows) / high))
    columns = range(part.column // wide, math.ceil((part.column + part.columns) / wide))
    total = len(rows) * len(columns)
    asked = [divmod(n, len(columns)) for n in range(0, total, max(1, total // _MOST_BLOCKS))]

    def ask(dataset: Any) -> int:
        return sum(_tag(dataset, raster.number, part.level, columns[x], rows[y]) for y, x in asked)

    return using(raster.image, ask) * total // len(asked) or 16 * total


def _tag(dataset: Any, number: int, level: int | None, x: int, y: int) -> int:
    more = {} if level is None else {"ovr": level}
    return int(dataset.get_tag_item(f"BLOCK_SIZE_{x}_{y}", "TIFF", bidx=number, **more) or 0)


# --- their values ----------------------------------------------------------------------------------------------------


def _values(raster: Raster, part: _Part) -> tuple[np.ndarray, _Part]:
    """Values of the part, missing ones NaN; and the part, coarser where it was too large to be read whole."""
    window = Pixels(part.column, part.row, part.columns, part.rows)
    thin = math.ceil(math.sqrt(part.rows * part.columns / _MOST_PIXELS))
    shape = (math.ceil(part.rows / thin), math.ceil(part.columns / thin))
    try:
        numbers = using(part.image, lambda dataset: dataset.read(raster.number, window=window, out_shape=shape))
    except (RasterioError, OSError, ValueError) as error:
        cause = " ".join(str(error.__cause__ or error).split())[:200]
        raise Unreadable(f"A block of it is broken: {cause}") from error
    if thin > 1:
        coarse = _scaled(_moved(part), part.rows / shape[0], part.columns / shape[1])
        part = replace(part, transform=coarse, row=0, column=0, rows=shape[0], columns=shape[1])
    return unpack(np.asarray(numbers), raster.packing, np.dtype(raster.dtype)), part


def _moved(part: _Part) -> Affine:
    """The transform of the first pixel of a part."""
    a, b, c, d, e, f = part.transform
    return (a, b, c + a * part.column + b * part.row, d, e, f + d * part.column + e * part.row)


def _offset(raster: Raster, part: _Part, block: Block) -> tuple[int, int] | None:
    """Row and column of the part's first pixel in the block, where pixels and cells are the same squares."""
    a, b, c, d, e, f = _moved(part)
    dx, _, x, _, dy, y = block.transform
    across, down = max(block.columns, part.columns), max(block.rows, part.rows)
    if raster.crs != block.crs or b or d or abs(a / dx - 1) * across > 1e-4 or abs(e / dy - 1) * down > 1e-4:
        return None
    column, row = (c - x) / dx, (f - y) / dy
    if abs(column - round(column)) > 1e-4 or abs(row - round(row)) > 1e-4:
        return None
    return round(row), round(column)


def _laid(values: np.ndarray, at: tuple[int, int], block: Block) -> np.ndarray:
    out = np.full((block.rows, block.columns), np.nan, dtype=values.dtype)
    places = []
    for start, count, size in zip(at, values.shape, out.shape, strict=True):
        first, last = max(0, start), min(size, start + count)
        places.append((slice(first, max(first, last)), slice(first - start, max(first, last) - start)))
    (rows, from_rows), (columns, from_columns) = places
    out[rows, columns] = values[from_rows, from_columns]
    return out


def _nearest(values: np.ndarray, raster: Raster, part: _Part, block: Block) -> np.ndarray:
    """The pixel that each centre lies in."""
    row, column = pixels_of(part.transform, *_centres(block, raster.crs))
    with np.errstate(invalid="ignore"):
        height, width = part.row + part.rows, part.column + part.columns
        inside = (row >= part.row) & (column >= part.column) & (row < height) & (column < width)
        i = np.floor(np.where(inside, row, 0) + _CEILING).astype(np.int64) - part.row
        j = np.floor(np.where(inside, column, 0) + _CEILING).astype(np.int64) - part.column
    inside &= (i < part.rows) & (j < part.columns)
    out = np.full((block.rows, block.columns), np.nan, dtype=values.dtype)
    out[inside] = values[i[inside], j[inside]]
    return out


def _warped(values: np.ndarray, raster: Raster, part: _Part, block: Block, method: str) -> np.ndarray:
    out = np.full((block.rows, block.columns), np.nan, dtype=values.dtype)
    with one_by_one:
        reproject(
            values,
            out,
            src_transform=Transform(*_moved(part)),
            src_crs=raster.crs,
            src_nodata=math.nan,
            dst_transform=Transform(*block.transform),
            dst_crs=block.crs,
            dst_nodata=math.nan,
            resampling=Resampling[method],
            tolerance=0,
            num_threads=_THREADS,
            XSCALE=gdal_scale(part.per_cell[0]),
            YSCALE=gdal_scale(part.per_cell[1]),
        )
    return out
