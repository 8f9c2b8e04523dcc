"""Polygons laid over rows of constant latitude, and over single points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from terrella.errors import Invalid, TooLarge
from terrella.grids.lines import TOLERANCE
from terrella.grids.tables import Cells, Flags, Floats
from terrella.model.space import Extent

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

MOST_CELLS = 2**26
"""No selection gives more cells than this: their numbers alone are half a GiB."""


def ranges(start: Cells, stop: Cells) -> tuple[Cells, Cells]:
    """All integers of the half-open ranges, one range after the other, and the length of each range.

    Raises TooLarge above `MOST_CELLS`.
    """
    counts = np.maximum(stop - start, 0)
    total = int(counts.sum())
    check_count(total)
    before = np.cumsum(counts) - counts
    return np.arange(total) + np.repeat(start - before, counts), counts


def check_count(total: int) -> None:
    """Raises TooLarge for a selection of more than `MOST_CELLS` cells."""
    if total > MOST_CELLS:
        raise TooLarge(
            f"That area holds {total:,} cells, more than the {MOST_CELLS:,} that one selection may hold. "
            "Ask for a smaller area.",
            details={"cells": total, "limit": MOST_CELLS},
        )


def distinct(cells: Cells) -> Cells:
    """Sorted, each once."""
    if (cells[1:] > cells[:-1]).all():
        return cells
    sorted_ = np.sort(cells)
    keep = np.ones(sorted_.size, dtype=bool)
    keep[1:] = sorted_[1:] != sorted_[:-1]
    return np.asarray(sorted_[keep], dtype=np.int64)


def polygons_of(geometry: BaseGeometry) -> np.ndarray:
    """The polygons of a geometry, as an array of objects. Raises Invalid where something else is in it."""
    parts = shapely.get_parts(shapely.force_2d(geometry))
    while (shapely.get_type_id(parts) >= 6).any():
        parts = shapely.get_parts(parts)
    parts = parts[~shapely.is_empty(parts)]
    if (shapely.get_type_id(parts) != 3).any():
        raise Invalid(f"An area is a polygon or a multi-polygon, not a {geometry.geom_type}.", parameter="coords")
    if not np.isfinite(shapely.get_coordinates(parts)).all():
        raise Invalid("The coordinates of an area must be finite numbers.", parameter="coords")
    return np.asarray(parts)


def row_spans(geometry: BaseGeometry, lats: Floats) -> tuple[Cells, Floats, Floats]:
    """Where rows of constant latitude run inside a polygon: (row, west, east), borders included.

    `lats` ascends. Longitudes are as the geometry has them. Even-odd rule along each row; vertices and level edges
    that lie on a row (to `TOLERANCE`) are added, so that all of the boundary counts as inside.
    """
    parts = polygons_of(geometry)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    if not points.size:
        nothing = np.empty(0)
        return nothing.astype(np.int64), nothing, nothing
    edge = np.flatnonzero(ring[1:] == ring[:-1])
    x1, y1, x2, y2 = points[edge, 0], points[edge, 1], points[edge + 1, 0], points[edge + 1, 1]
    inner = _crossings(x1, y1, x2, y2, part_of_ring[ring[edge]], lats)
    touching = _touches(x1, y1, x2, y2, lats)
    row, west, east = (np.concatenate(pair) for pair in zip(inner, touching, strict=True))
    return row, west, east


def _crossings(
    x1: Floats, y1: Floats, x2: Floats, y2: Floats, part: Cells, lats: Floats
) -> tuple[Cells, Floats, Floats]:
    low = np.searchsorted(lats, np.minimum(y1, y2), side="left")
    high = np.searchsorted(lats, np.maximum(y1, y2), side="left")
    row, counts = ranges(low, high)
    which = np.repeat(np.arange(counts.size), counts)
    share = (lats[row] - y1[which]) / (y2[which] - y1[which])
    x = x1[which] + share * (x2[which] - x1[which])
    order = np.lexsort((x, row, part[which]))
    row, x = row[order], x[order]
    return row[::2], x[::2], x[1::2]


def _touches(x1: Floats, y1: Floats, x2: Floats, y2: Floats, lats: Floats) -> tuple[Cells, Floats, Floats]:
    """First vertices on a row, and edges along one: what the half-open rule of crossings may leave out."""
    low = np.searchsorted(lats, y1 - TOLERANCE, side="left")
    high = np.searchsorted(lats, y1 + TOLERANCE, side="right")
    row, counts = ranges(low, high)
    which = np.repeat(np.arange(counts.size), counts)
    level = np.abs(y2[which] - lats[row]) <= TOLERANCE
    other = np.where(level, x2[which], x1[which])
    return row, np.minimum(x1[which], other), np.maximum(x1[which], other)


@dataclass(frozen=True, eq=False)
class Region:
    """A polygon to test places against, whichever range its longitudes are in."""

    geometry: BaseGeometry

    @cached_property
    def _prepared(self) -> BaseGeometry:
        merged = shapely.MultiPolygon(list(polygons_of(self.geometry)))
        shapely.prepare(merged)
        return merged

    @cached_property
    def extents(self) -> tuple[Extent, ...]:
        """Boxes that hold the polygon, one or two a part, grown by `TOLERANCE`; none crosses the antimeridian."""
        found: list[Extent] = []
        for west, south, east, north in shapely.bounds(shapely.get_parts(self._prepared)):
            found.extend(_box(west, south, east, north).parts())
        return tuple(found)

    def holds(self, lon: Floats, lat: Floats) -> Flags:
        """Which places (lon in [-180, 180)) lie in it or on its boundary; NaN never does."""
        inside = np.zeros(lon.shape, dtype=bool)
        if self._prepared.is_empty:
            return inside
        west, south, east, north = self._prepared.bounds
        for turns in range(int(np.floor((west - 180) / 360)), int(np.ceil((east + 180) / 360)) + 1):
            moved = lon + 360.0 * turns
            near = np.flatnonzero((moved >= west) & (moved <= east) & (lat >= south) & (lat <= north) & ~inside)
            inside[near] = shapely.intersects_xy(self._prepared, moved[near], lat[near])
        return inside

    def holds_boxes(self, west: Floats, south: Floats, east: Floats, north: Floats) -> Flags:
        """Which boxes, longitudes unwrapped, surely lie wholly inside."""
        inside = np.zeros(west.shape, dtype=bool)
        for turn in (-360.0, 0.0, 360.0):
            inside |= shapely.contains_properly(self._prepared, shapely.box(west + turn, south, east + turn, north))
        return inside


def _box(west: float, south: float, east: float, north: float) -> Extent:
    if east - west + 2 * TOLERANCE >= 360.0:
        return Extent(-180.0, south - TOLERANCE, 180.0, north + TOLERANCE)
    low = (west - TOLERANCE + 180.0) % 360.0 - 180.0
    high = (east + TOLERANCE + 180.0) % 360.0 - 180.0
    return Extent(low, south - TOLERANCE, high, north + TOLERANCE)
