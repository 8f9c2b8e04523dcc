"""Cells near a line: great-circle segments with a width."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from terrella.grids.sphere import distance, lonlat, unit
from terrella.model.space import EARTH_RADIUS_M, LonLat

if TYPE_CHECKING:
    from terrella.contracts.grids import Grid

_LONGEST_M = 300_000.0
"""Segments are cut into parts of about this length, so that circles around them hold few cells in vain."""


def along(grid: Grid, places: Sequence[LonLat], reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Cells whose centre lies within `reach` metres of the line, sorted; and how far along the line each one is.

    'How far' counts vertices: 1.25 is a quarter of the way from the second to the third.
    """
    best = np.full(0, np.inf)
    cells = np.zeros(0, dtype=np.int64)
    position = np.zeros(0)
    ends = places if len(places) > 1 else (places[0], places[0])
    for number, (start, end) in enumerate(itertools.pairwise(ends)):
        found, away, fraction = _segment(grid, start, end, reach)
        cells, best, position = _nearer((cells, best, position), (found, away, number + fraction))
    return cells, position


_Found = tuple[np.ndarray, np.ndarray, np.ndarray]


def _nearer(one: _Found, other: _Found) -> _Found:
    """Cells of both, each with the smaller distance; sorted."""
    cells, away, position = (np.concatenate(pair) for pair in zip(one, other, strict=True))
    order = np.lexsort((away, cells))
    first = np.ones(order.size, dtype=bool)
    first[1:] = cells[order][1:] != cells[order][:-1]
    kept = order[first]
    return cells[kept], away[kept], position[kept]


def _segment(grid: Grid, start: LonLat, end: LonLat, reach: float) -> _Found:
    candidates = _candidates(grid, start, end, reach)
    lon, lat = grid.centres(candidates)
    away, fraction = segment_distance(lon, lat, start, end)
    inside = away <= reach + 1e-6
    return candidates[inside], away[inside], fraction[inside]


def _candidates(grid: Grid, start: LonLat, end: LonLat, reach: float) -> np.ndarray:
    """Cells in circles that together hold everything within reach of the segment."""
    length = float(distance(*_place(start), *_place(end)))
    parts = max(1, math.ceil(length / max(_LONGEST_M, 2 * reach)))
    middles = _between(start, end, (np.arange(parts) + 0.5) / parts)
    radius = length / parts / 2 + reach + 1.0
    found = [grid.in_circle(float(lon), float(lat), radius) for lon, lat in zip(*middles, strict=True)]
    return np.unique(np.concatenate(found))


def _place(at: LonLat) -> tuple[np.ndarray, np.ndarray]:
    return np.array(at.lon), np.array(at.lat)


def _between(start: LonLat, end: LonLat, fractions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places on the great circle from start to end (spherical linear interpolation, Shoemake 1985)."""
    a, b = unit(*_place(start)), unit(*_place(end))
    angle = math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b))
    if angle < 1e-12:
        return np.full(fractions.size, start.lon), np.full(fractions.size, start.lat)
    weights = np.stack([np.sin((1 - fractions) * angle), np.sin(fractions * angle)], axis=-1)
    return lonlat(weights @ np.stack([a, b]))


def segment_distance(lon: np.ndarray, lat: np.ndarray, start: LonLat, end: LonLat) -> tuple[np.ndarray, np.ndarray]:
    """Metres from places to a great-circle segment, and how far along it (0..1) the nearest point is.

    Beside the segment the distance is that to its great circle, asin |p . n| with n its pole; else to an end.
    """
    a, b = unit(*_place(start)), unit(*_place(end))
    to_start = distance(lon, lat, *_place(start))
    to_end = distance(lon, lat, *_place(end))
    pole = np.cross(a, b)
    length = float(np.linalg.norm(pole))
    away = np.minimum(to_start, to_end)
    fraction = np.where(to_end < to_start, 1.0, 0.0)
    if length < 1e-12:
        return away, fraction
    pole /= length
    places = unit(lon, lat)
    forward = np.cross(pole, a)
    angle = np.arctan2(places @ forward, places @ a)
    whole = math.atan2(length, float(a @ b))
    beside = (angle >= 0) & (angle <= whole)
    across = EARTH_RADIUS_M * np.arcsin(np.clip(np.abs(places @ pole), 0.0, 1.0))
    return np.where(beside, across, away), np.where(beside, angle / whole, fraction)
