"""The polygon that a number reduced over space is of: it is answered beside the number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import shapely
import shapely.geometry
import xarray as xr

from terrella.extraction.shapes import polygon_of
from terrella.grids.outlines import ring_polygon
from terrella.grids.sphere import lonlat, unit
from terrella.model.extraction import Area, Box, Circle, Everything, Frame, Region
from terrella.model.space import EARTH_RADIUS_M, LonLat

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from terrella.contracts.grids import Grid
    from terrella.model.extraction import Shape

NAME = "geometry"
MOST_VERTICES = 100_000
"""A polygon of more is not answered: it would outweigh the numbers."""
_CORNERS = 72
"""Of a circle, as a polygon: it then lacks 0.1 % of its area."""

_WIDEST = 0.49 * math.pi * EARTH_RADIUS_M
"""Metres: which side of a wider circle is its inside cannot be told from its polygon."""


def zone(grid: Grid, shape: Shape) -> dict[str, xr.Variable]:
    """The polygon as a coordinate, in WKT, longitude first; {} for places, lines and pixels, and of very many vertices.

    Of all cells it is what the grid covers.
    """
    geometry = _geometry(grid, shape)
    if geometry is None or geometry.is_empty or shapely.get_num_coordinates(geometry) > MOST_VERTICES:
        return {}
    said = {"long_name": "area that the values are of, as WKT", "crs": "OGC:CRS84"}
    if isinstance(shape, Circle):
        said["comment"] = f"a circle, drawn with {_CORNERS} corners"
    return {NAME: xr.Variable((), shapely.to_wkt(geometry, rounding_precision=9), said)}


def _geometry(grid: Grid, shape: Shape) -> BaseGeometry | None:
    if isinstance(shape, Everything):
        return shapely.geometry.shape(grid.footprint())
    if isinstance(shape, Circle):
        return ring_polygon(*ring(shape.centre, shape.radius)) if shape.radius < _WIDEST else None
    if isinstance(shape, Box) and not (shape.extent.width and shape.extent.north > shape.extent.south):
        return None
    return polygon_of(shape) if isinstance(shape, Area | Box | Frame | Region) else None


def ring(centre: LonLat, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """(lon, lat) of corners on a circle of `radius` metres on the sphere, anticlockwise."""
    upward = unit(np.array([centre.lon]), np.array([centre.lat]))[0]
    lam = math.radians(centre.lon)
    east = np.array([-math.sin(lam), math.cos(lam), 0.0])
    north = np.cross(upward, east)
    turn = np.linspace(0.0, 2 * math.pi, _CORNERS, endpoint=False)[:, None]
    angle = radius / EARTH_RADIUS_M
    return lonlat(math.cos(angle) * upward + math.sin(angle) * (np.cos(turn) * east + np.sin(turn) * north))
