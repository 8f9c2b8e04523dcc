"""Values between centres: bilinear from the four around a place, or from the nearest few by inverse distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from terrella.errors import TooLarge, Unsupported
from terrella.grids import HealpixGrid, ProjectedGrid, RectilinearGrid, ReducedGaussianGrid, RegularGrid, RotatedGrid
from terrella.grids.meridians import Meridians
from terrella.grids.sphere import distance, unit
from terrella.model.space import EARTH_RADIUS_M

if TYPE_CHECKING:
    from terrella.contracts.grids import Grid
    from terrella.grids.lines import Line
    from terrella.grids.rows import Rows

MOST_PLACES = 2000
"""For which neighbours are looked for one by one."""


@dataclass(frozen=True, eq=False)
class Around:
    """For each place the cells around it and their weights, shape (places, cells each); -1 where the grid has none."""

    cells: np.ndarray
    weights: np.ndarray

    @property
    def there(self) -> np.ndarray | None:
        """Which cells exist; None where all do."""
        found = self.cells >= 0
        return None if found.all() else found


def bilinear(grid: Grid, lon: np.ndarray, lat: np.ndarray) -> Around:
    """Linear between the two columns, then between the two rows around each place, in the grid's own coordinates.

    Over the antimeridian; poleward of the last row of a global grid between that row here and on the other side of the
    pole. Elsewhere beyond the outermost centres the outermost ones count. On HEALPix between rings of latitude, as
    healpy does; on Gaussian grids in triangles, as ECMWF's MIR does. Raises Unsupported for grids without rows.
    """
    if isinstance(grid, RegularGrid | RectilinearGrid):
        return _crossed(grid.lat_line, grid.meridians, lon, lat)
    if isinstance(grid, RotatedGrid):
        return _crossed(grid.rlat, Meridians(grid.rlon), *grid.rotated(lon, lat))
    if isinstance(grid, ReducedGaussianGrid):
        return in_triangles(grid.rows, lon, lat)
    if isinstance(grid, HealpixGrid):
        found = _between_rows(grid.rows, lon, lat)
        return Around(grid.nearest(*grid.rows.centres(found.cells)), found.weights)
    if isinstance(grid, ProjectedGrid):
        row, column = grid.indices(lon, lat)
        return _in_plane(grid.shape, row, column)
    raise Unsupported(
        f"Bilinear needs rows and columns, which a {grid.kind} grid has not: ask for cells=nearest or cells=idw."
    )


def _pair(values: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lower of two neighbours in a rising line and how far on the place is; the ends go on for ever."""
    low = np.clip(np.searchsorted(values, place, side="right") - 1, 0, max(values.size - 2, 0))
    if values.size == 1:
        return low, np.zeros(place.shape)
    step = values[low + 1] - values[low]
    share = np.divide(place - values[low], step, out=np.zeros(place.shape), where=step > 0)
    return low, np.clip(share, 0.0, 1.0)


def _columns(meridians: Meridians, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(column west, column east, how far between) of longitudes."""
    keep = np.diff(meridians.offsets, prepend=-np.inf) > 1e-9
    offsets, columns = meridians.offsets[keep], meridians.lowest[keep]
    east = np.mod(lon - meridians.base, 360.0)
    if meridians.is_global and columns.size > 1:
        low, share = _pair(np.append(offsets, 360.0), east)
        return columns[low], columns[(low + 1) % columns.size], share
    beyond = east > offsets[-1] + (360.0 - offsets[-1]) / 2  # nearer to the western end, going round
    low, share = _pair(offsets, np.where(beyond, 0.0, east))
    return columns[low], columns[np.minimum(low + 1, columns.size - 1)], share


def _crossed(line: Line, meridians: Meridians, lon: np.ndarray, lat: np.ndarray) -> Around:
    rows = line.ascending
    low, up = _pair(rows, lat)
    high = np.minimum(low + 1, rows.size - 1)
    far = np.array(lon, dtype=np.float64)
    if meridians.is_global and rows.size > 1:
        for end, pole in ((0, -90.0), (rows.size - 1, 90.0)):
            over = (lat - rows[end]) * np.sign(pole) > 0
            if abs(pole - rows[end]) > abs(line.step):
                continue  # a band that stops short of the pole
            low, high = np.where(over, end, low), np.where(over, end, high)
            up = np.where(over, _over_pole(lat, float(rows[end]), pole), up)
            far = np.where(over, lon + 180.0, far)
    near_columns, far_columns = _columns(meridians, lon), _columns(meridians, far)
    count = meridians.line.count
    corners = [
        line.order[row] * count + column
        for row, columns in ((low, near_columns), (high, far_columns))
        for column in columns[:2]
    ]
    return Around(np.stack(corners, axis=-1), _weights(up, near_columns[2], far_columns[2]))


def _over_pole(lat: np.ndarray, last: float, pole: float) -> np.ndarray:
    """How far a place is on the way from the last row over the pole to the same row on the other side: at most half."""
    whole = 2 * abs(pole - last)
    return np.clip(np.abs(lat - last) / whole, 0.0, 0.5) if whole else np.zeros(lat.shape)


def _weights(up: np.ndarray, near: np.ndarray, far: np.ndarray) -> np.ndarray:
    return np.stack([(1 - up) * (1 - near), (1 - up) * near, up * (1 - far), up * far], axis=-1)


def _between_rows(rows: Rows, lon: np.ndarray, lat: np.ndarray) -> Around:
    """Points (numbered as `rows` does) of the rows below and above."""
    last = rows.lats.size - 1
    low, up = _pair(rows.ascending, lat)
    below, above = last - low, last - np.minimum(low + 1, last)
    far = np.array(lon, dtype=np.float64)
    for row, pole in ((last, -90.0), (0, 90.0)):
        over = (lat - rows.lats[row]) * np.sign(pole) > 0
        below, above = np.where(over, row, below), np.where(over, row, above)
        up = np.where(over, _over_pole(lat, float(rows.lats[row]), pole), up)
        far = np.where(over, lon + 180.0, far)
    near_points, far_points = _along_row(rows, below, lon), _along_row(rows, above, far)
    corners = np.stack([*near_points[:2], *far_points[:2]], axis=-1)
    return Around(corners, _weights(up, near_points[2], far_points[2]))


def in_triangles(rows: Rows, lon: np.ndarray, lat: np.ndarray) -> Around:
    """Barycentric in the triangle around each place of the Delaunay triangulation on the sphere, 4th weight 0.

    Its corners lie in the two rows around the place, or one row further (a side along a row bends to the pole), among
    the six points of each that are nearest in longitude: of all triangles there that hold the place, the one with no
    other point above its plane (the faces of a convex hull of points on a sphere are their Delaunay triangles: Brown
    1979, Information Processing Letters 9). Where two diagonals are as good, either may be taken. Beyond the outermost
    rows over the pole, as `_between_rows`.
    """
    found = _between_rows(rows, lon, lat)
    last = rows.lats.size - 1
    left = np.flatnonzero((lat <= rows.lats[0]) & (lat >= rows.lats[-1]))
    for shift in (0, 1, -1):
        upper = last - _pair(rows.ascending, lat[left])[0] - 1 + shift
        left, upper = left[(upper >= 0) & (upper < last)], upper[(upper >= 0) & (upper < last)]
        if not left.size:
            break
        cells, weights, is_found = _triangles(rows, upper, lon[left], lat[left])
        at = left[is_found]
        found.cells[at], found.weights[at] = cells[is_found], weights[is_found]
        left = left[~is_found]
    return found


def _triangles(
    rows: Rows, upper: np.ndarray, lon: np.ndarray, lat: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells and weights of the triangles between a row and the next that hold places, and whether there is one."""
    near = np.concatenate([_six(rows, row, lon) for row in (upper, upper + 1)], axis=1)
    corners, place = unit(*rows.centres(near)), unit(lon, lat)
    cells, weights = near[:, :4].copy(), np.zeros((lon.size, 4))
    best = np.full(lon.size, -1.0)
    for triangle in _TRIANGLES:
        share, score = _barycentric(corners, triangle, place)
        better = np.flatnonzero(score > best + _ROUNDING)
        best[better] = score[better]
        cells[better] = near[better][:, [*triangle, triangle[0]]]
        weights[better, :3] = share[better]
    return cells, weights, best >= 0


def _six(rows: Rows, row: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Points of a row: three to the west of a longitude, three to the east."""
    counts = rows.counts[row][:, None]
    west = np.floor((lon - rows.firsts[row]) / (360.0 / rows.counts[row])).astype(np.int64)[:, None]
    return np.asarray(rows.starts[row][:, None] + (west + np.arange(-2, 4)) % counts)


_ROUNDING = 1e-9
_TRIANGLES = [(a, b, b + 1) for a in range(6) for b in range(6, 11)] + [
    (a, a + 1, b) for a in range(5) for b in range(6, 12)
]
"""Two neighbours of one row with a point of the other."""


def _barycentric(
    corners: np.ndarray, triangle: tuple[int, int, int], place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the corners, and a score: 1 for Delaunay's triangle, 0 where one only holds the place, else -1."""
    sides = corners[:, triangle]
    flat = np.abs(np.linalg.det(sides)) < 1e-12
    sides = np.where(flat[:, None, None], np.eye(3), sides)
    share = np.linalg.solve(sides.transpose(0, 2, 1), place[..., None])[..., 0]
    holds = (share >= -_ROUNDING).all(axis=1) & ~flat
    plane = np.linalg.solve(sides, np.ones((len(sides), 3, 1)))
    is_empty = (corners @ plane <= 1 + _ROUNDING).all(axis=(1, 2))
    share = np.clip(share, 0.0, None)
    share /= np.maximum(share.sum(axis=1, keepdims=True), _ROUNDING)
    return share, np.where(holds, np.where(is_empty, 1.0, 0.0), -1.0)


def _along_row(rows: Rows, row: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    counts = rows.counts[row]
    place = (lon - rows.firsts[row]) / (360.0 / counts)
    west = np.floor(place).astype(np.int64)
    start = rows.starts[row]
    return start + west % counts, start + (west + 1) % counts, place - west


def _in_plane(shape: tuple[int, ...], row: np.ndarray, column: np.ndarray) -> Around:
    ny, nx = shape
    down, right = np.clip(row, 0, ny - 1), np.clip(column, 0, nx - 1)
    i = np.clip(np.floor(down).astype(np.int64), 0, max(ny - 2, 0))
    j = np.clip(np.floor(right).astype(np.int64), 0, max(nx - 2, 0))
    below, beside = np.minimum(i + 1, ny - 1), np.minimum(j + 1, nx - 1)
    corners = np.stack([i * nx + j, i * nx + beside, below * nx + j, below * nx + beside], axis=-1)
    return Around(corners, _weights(down - i, right - j, right - j))


def inverse_distance(grid: Grid, lon: np.ndarray, lat: np.ndarray, neighbours: int) -> Around:
    """The nearest cells on the sphere, weighted by one over their distance; a place on a centre takes that cell alone.

    Of equally near cells the lower number comes first. Raises TooLarge for very many places.
    """
    if lon.size > MOST_PLACES:
        raise TooLarge(
            f"Neighbours are looked for around at most {MOST_PLACES:,} places, not {lon.size:,}. Ask in parts, or for "
            "cells=bilinear.",
            parameter="coords",
            details={"limit": MOST_PLACES, "places": int(lon.size)},
        )
    cells = np.full((lon.size, neighbours), -1, dtype=np.int64)
    weights = np.zeros((lon.size, neighbours))
    for number in range(lon.size):
        found, away = _nearest_few(grid, float(lon[number]), float(lat[number]), neighbours)
        share = np.where(away < 1e-3, 1.0, 0.0) if away[0] < 1e-3 else 1.0 / away
        cells[number, : found.size] = found
        weights[number, : found.size] = share / share.sum()
    return Around(cells, weights)


def _nearest_few(grid: Grid, lon: float, lat: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Circles are widened until they hold enough cells: then the nearest are among them."""
    radius, most = grid.resolution() * max(1.0, math.sqrt(count)), math.pi * EARTH_RADIUS_M
    while True:
        found = grid.in_circle(lon, lat, min(radius, most))
        if found.size >= count or radius >= most:
            away = distance(lon, lat, *grid.centres(found))
            order = np.lexsort((found, np.round(away, 3)))[:count]
            return found[order], away[order]
        radius *= 2
