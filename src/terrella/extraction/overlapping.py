"""Cells that a polygon touches, and the share of each that lies inside, by area in longitude and latitude."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.affinity import translate

from terrella.errors import Unsupported
from terrella.extraction.cells import AT_ONCE
from terrella.grids import HealpixGrid, PointsGrid, RectilinearGrid, ReducedGaussianGrid, RegularGrid
from terrella.grids.planes import PlaneCells
from terrella.grids.spans import check_count
from terrella.grids.sphere import wrapped
from terrella.model.space import Extent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shapely.geometry.base import BaseGeometry

    from terrella.contracts.grids import Grid

_LEAST = 1e-12
"""A share below this is rounding, or a cell that shares no more than its border."""
_BLOCK = 16
"""Cells a side of the blocks that the border of a polygon is cut into first."""
_METRES_A_DEGREE = 111_195.0

Overlap = tuple[np.ndarray, np.ndarray]


def overlap(grid: Grid, geometry: BaseGeometry) -> Overlap:
    """(cells, sorted; share of each, above 0 up to 1).

    Cells of grids of latitude and longitude, and of Gaussian rows, are exact boxes; those of projected and rotated
    grids and of HEALPix are polygons of their corners with sides straight in longitude and latitude. Raises Unsupported
    for grids that know centres only.
    """
    if isinstance(grid, RegularGrid | RectilinearGrid):
        return _joined(_boxes(grid, geometry))
    return _joined(_polygons(grid, geometry))


def _joined(parts: Iterator[Overlap]) -> Overlap:
    """All parts together; shares of one cell are added."""
    cells, shares = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    for found, share in parts:
        cells.append(found)
        shares.append(share)
    distinct, which = np.unique(np.concatenate(cells), return_inverse=True)
    total = np.bincount(which.ravel(), np.concatenate(shares), minlength=distinct.size)
    kept = total > _LEAST
    return distinct[kept], np.minimum(total[kept], 1.0)


def _turns(geometry: BaseGeometry, west: float, east: float) -> Iterator[BaseGeometry]:
    """The geometry, moved by whole turns, wherever it meets a range of longitudes."""
    low, _, high, _ = geometry.bounds
    for turn in range(int(np.floor((west - high) / 360.0)), int(np.ceil((east - low) / 360.0)) + 1):
        if low + 360.0 * turn < east and high + 360.0 * turn > west:
            yield translate(geometry, xoff=360.0 * turn) if turn else geometry


def _boxes(grid: RegularGrid | RectilinearGrid, geometry: BaseGeometry) -> Iterator[Overlap]:
    xs, ys = grid.meridians.base + grid.meridians.edges, grid.lat_edges
    rows, columns, count = grid.lat_line.order, grid.meridians.columns, grid.lon_line.count
    for moved in _turns(geometry, float(xs[0]), float(xs[-1])):
        for row, column, share in _tiled(moved, xs, ys):
            yield rows[row] * count + columns[column], share


def _tiled(
    geometry: BaseGeometry, xs: np.ndarray, ys: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(row, column, share) of boxes between lines: blocks that lie wholly inside come whole, only the border is cut."""
    west, south, east, north = geometry.bounds
    left, right = _between(xs, west, east)
    bottom, top = _between(ys, south, north)
    if left >= right or bottom >= top:
        return
    shapely.prepare(geometry)
    blocks = np.array([[bottom, top, left, right]])
    while blocks.size:
        boxes = shapely.box(xs[blocks[:, 2]], ys[blocks[:, 0]], xs[blocks[:, 3]], ys[blocks[:, 1]])
        inside = shapely.covers(geometry, boxes)
        check_count(int(((blocks[inside, 1] - blocks[inside, 0]) * (blocks[inside, 3] - blocks[inside, 2])).sum()))
        for block in blocks[inside].tolist():
            row, column = _numbers(block)
            yield row, column, np.ones(row.size)
        partly = shapely.intersects(geometry, boxes) & ~inside
        small = (np.diff(blocks[:, :2], axis=1).ravel() <= _BLOCK) & (np.diff(blocks[:, 2:], axis=1).ravel() <= _BLOCK)
        for block, box in zip(blocks[partly & small].tolist(), boxes[partly & small], strict=True):
            yield _cut(shapely.intersection(geometry, box), block, xs, ys)
        blocks = _quarters(blocks[partly & ~small])


def _between(lines: np.ndarray, low: float, high: float) -> tuple[int, int]:
    """First and last line around a range."""
    first = int(np.searchsorted(lines, low, side="right")) - 1
    last = int(np.searchsorted(lines, high, side="left"))
    return max(first, 0), min(last, lines.size - 1)


def _numbers(block: list[int]) -> tuple[np.ndarray, np.ndarray]:
    bottom, top, left, right = block
    row, column = np.mgrid[bottom:top, left:right]
    return row.ravel(), column.ravel()


def _quarters(blocks: np.ndarray) -> np.ndarray:
    if not blocks.size:
        return blocks
    bottom, top, left, right = blocks.T
    middle, centre = (bottom + top + 1) // 2, (left + right + 1) // 2
    four = [(a, b, c, d) for a, b in ((bottom, middle), (middle, top)) for c, d in ((left, centre), (centre, right))]
    made = np.concatenate([np.stack(one, axis=1) for one in four])
    return np.asarray(made[(made[:, 1] > made[:, 0]) & (made[:, 3] > made[:, 2])])


def _cut(
    piece: BaseGeometry, block: list[int], xs: np.ndarray, ys: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    row, column = _numbers(block)
    boxes = shapely.box(xs[column], ys[row], xs[column + 1], ys[row + 1])
    whole = shapely.area(boxes)
    shares = np.divide(
        shapely.area(shapely.intersection(piece, boxes)), whole, out=np.zeros(whole.size), where=whole > 0
    )
    return row, column, shares


def _polygons(grid: Grid, geometry: BaseGeometry) -> Iterator[Overlap]:
    """Some cells after the other: a polygon in memory takes a hundred times as much as its cell's number."""
    cells = _near(grid, geometry)
    for first in range(0, cells.size, AT_ONCE):
        yield from _polygons_of(grid, geometry, cells[first : first + AT_ONCE])


def _polygons_of(grid: Grid, geometry: BaseGeometry, cells: np.ndarray) -> Iterator[Overlap]:
    lon, lat = corners(grid, cells)
    real = np.isfinite(lon).all(axis=1) & np.isfinite(lat).all(axis=1)
    cells, lon, lat = cells[real], lon[real], lat[real]
    # one after the other, so that a cell over the antimeridian stays in one piece
    steps = wrapped(np.diff(lon, axis=1, append=lon[:, :1]))
    around = np.abs(steps.sum(axis=1)) > 180.0
    unwrapped = lon[:, :1] + np.concatenate([np.zeros((len(lon), 1)), np.cumsum(steps[:, :-1], axis=1)], axis=1)
    yield _holding_a_pole(grid, geometry, cells[around])
    cells, unwrapped, lat = cells[~around], unwrapped[~around], lat[~around]
    if not cells.size:
        return
    shapes = np.asarray(shapely.polygons(np.stack([unwrapped, lat], axis=-1)))
    whole = np.asarray(shapely.area(shapes))
    for moved in _turns(geometry, float(unwrapped.min()), float(unwrapped.max())):
        shapely.prepare(moved)
        inside = shapely.covers(moved, shapes)
        yield cells[inside], np.ones(int(inside.sum()))
        border = np.flatnonzero(shapely.intersects(moved, shapes) & ~inside & (whole > 0))
        yield cells[border], shapely.area(shapely.intersection(moved, shapes[border])) / whole[border]


def _holding_a_pole(grid: Grid, geometry: BaseGeometry, cells: np.ndarray) -> Overlap:
    """A cell around a pole is no polygon in longitude and latitude: its centre decides."""
    if not cells.size:
        return cells, np.zeros(0)
    inside = cells[np.isin(cells, grid.within(geometry))]
    return inside, np.ones(inside.size)


def _near(grid: Grid, geometry: BaseGeometry) -> np.ndarray:
    """Cells whose centres lie in the box around the polygon, widened by a few cells."""
    west, south, east, north = geometry.bounds
    reach = 3 * grid.resolution() / _METRES_A_DEGREE
    south, north = max(south - reach, -90.0), min(north + reach, 90.0)
    narrow = np.cos(np.radians(max(abs(south), abs(north))))
    wide = reach / narrow if narrow > 1e-6 else 360.0
    if east - west + 2 * wide >= 360.0:
        return grid.in_extent(Extent(-180.0, south, 180.0, north))
    low, high = (float(wrapped(np.array([end]))[0]) for end in (west - wide, east + wide))
    return grid.in_extent(Extent(low, south, high, north))


def corners(grid: Grid, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(lon, lat) of the corners of cells in order, shape (cells, corners). Raises Unsupported."""
    if isinstance(grid, PlaneCells):
        row, column = np.divmod(cells, grid.shape[1])
        sides = ((-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5))
        found = [grid.place(row + down, column + right) for down, right in sides]
        return np.stack([one[0] for one in found], axis=-1), np.stack([one[1] for one in found], axis=-1)
    if isinstance(grid, HealpixGrid):
        return _pixel_corners(grid, cells)
    if isinstance(grid, ReducedGaussianGrid):
        return _row_corners(grid, cells)
    if isinstance(grid, PointsGrid) and grid.vertex_lon is not None and grid.vertex_lat is not None:
        lon, lat = grid.vertex_lon[cells], grid.vertex_lat[cells]
        gone = np.isnan(lon) | np.isnan(lat)
        return np.where(gone, lon[:, :1], lon), np.where(gone, lat[:, :1], lat)
    raise Unsupported(
        f"The cells of this {grid.kind} grid are known by their centres alone: ask for cells=centre, the usual choice."
    )


def _pixel_corners(grid: HealpixGrid, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """North, west, south and east corner; a corner on a pole becomes the stretch of it between both meridians."""
    lon, lat = grid.vertices(cells)
    west, east = lon[:, 1], lon[:, 3]
    around = [0, 0, 1, 2, 2, 3]
    lon, lat = lon[:, around], lat[:, around]
    for pole, first, second in ((90.0, (0, east), (1, west)), (-90.0, (3, west), (4, east))):
        on_pole = np.abs(lat[:, first[0]] - pole) < 1e-9
        for place, meridian in (first, second):
            lon[on_pole, place] = meridian[on_pole]
    return lon, lat


def _row_corners(grid: ReducedGaussianGrid, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes: half-way to the next rows and to the neighbours in the row, the outer rows reach the poles."""
    rows = grid.rows
    row = np.searchsorted(rows.starts, cells, side="right") - 1
    edges = np.concatenate([[90.0], (rows.lats[1:] + rows.lats[:-1]) / 2, [-90.0]])
    lon, _ = rows.centres(cells)
    half = 180.0 / rows.counts[row]
    west, east, north, south = lon - half, lon + half, edges[row], edges[row + 1]
    return np.stack([west, west, east, east], axis=-1), np.stack([north, south, south, north], axis=-1)
