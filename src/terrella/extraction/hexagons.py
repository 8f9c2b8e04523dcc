"""Cells of H3 as polygons: hexagons, and twelve pentagons, whose edges are great circles."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from terrella.errors import Invalid
from terrella.grids.outlines import ring_polygon

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_STEP, _TURN = np.radians(0.05), np.radians(1.0)
"""Along an edge, and of longitude, between places of it: from one to the next it is straight in lon and lat."""


@lru_cache(maxsize=512)
def hexagon(text: str) -> BaseGeometry:
    """The cell of an H3 index of any resolution, `8928308280fffff`: longitude first, cut at the antimeridian.

    Raises Invalid.
    """
    import h3  # only those who ask for it wait for it

    index = text.strip().casefold().removeprefix("0x")
    if not re.fullmatch(r"[0-9a-f]{15}", index) or not h3.is_valid_cell(index):
        raise Invalid(
            f"{text!r:.60} is no H3 cell: its index has 15 hexadecimal digits, like 8928308280fffff.", parameter="h3"
        )
    corners = np.radians(np.array(h3.cell_to_boundary(index)))
    made = ring_polygon(*_walk(corners[:, 1], corners[:, 0]))
    if made is None:  # pragma: no cover -- every cell of H3 has an area
        raise Invalid(f"The H3 cell {index} has no area in longitude and latitude.", parameter="h3")
    return made


def _walk(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Radians of corners to degrees of places along the great circles between them (Williams, Aviation Formulary)."""
    here = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    pieces = [_edge(one, other) for one, other in zip(here, np.roll(here, -1, axis=0), strict=True)]
    x, y, z = np.concatenate(pieces).T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arcsin(np.clip(z, -1.0, 1.0)))


def _edge(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Places from the start on, the end left out."""
    angle = float(np.arctan2(np.linalg.norm(np.cross(start, end)), start @ end))
    turn = abs(float(np.arctan2(start[0] * end[1] - start[1] * end[0], start[:2] @ end[:2])))
    share = np.linspace(0.0, 1.0, 1 + max(1, int(np.ceil(max(angle / _STEP, turn / _TURN)))))[:-1, None]
    return np.asarray((np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle))
