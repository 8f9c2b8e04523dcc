"""Tile matrix sets: how maps are cut into tiles at each zoom (OGC 17-083r4, two-dimensional tile matrix set)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from terrella.errors import Invalid, NotFound, nearest_names
from terrella.grids.pixels import Pixels
from terrella.model.space import Extent

SIDE = 256
"""Pixels of a tile along each side, without its border."""
_PIXEL_M = 0.00028
"""Size of a pixel for which scales are given (17-083r4, 6.1.1)."""
_RADIUS = 6_378_137.0
"""Semi-major axis of WGS 84, metres: the sphere of spherical Mercator (EPSG:1024)."""
_DEGREE_M = math.pi * _RADIUS / 180
_DEFINITION = "http://www.opengis.net/def/tilematrixset/OGC/1.0/"


@dataclass(frozen=True, slots=True)
class MatrixSet:
    """Square tiles from the top left corner (`left`, `top`, units of `crs`); each zoom halves their side.

    At zoom 0 there are `columns` x 1 tiles, each `span` wide.
    """

    id: str
    title: str
    crs: str
    crs_uri: str
    left: float
    top: float
    span: float
    columns: int
    zooms: int
    metres: float
    """In a unit of the CRS."""

    @property
    def uri(self) -> str:
        return f"{_DEFINITION}{self.id}"

    @property
    def is_geographic(self) -> bool:
        return self.crs == "EPSG:4326"

    def counts(self, zoom: int) -> tuple[int, int]:
        """(rows, columns) of tiles at a zoom."""
        return 1 << zoom, self.columns << zoom

    def check(self, zoom: int, row: int, column: int) -> None:
        """Raises NotFound for a tile that is not there, with the numbers that are."""
        if not 0 <= zoom < self.zooms:
            raise NotFound(f"{self.id} has the zooms 0..{self.zooms - 1}, not {zoom}.", parameter="tileMatrix")
        rows, columns = self.counts(zoom)
        if not (0 <= row < rows and 0 <= column < columns):
            raise NotFound(
                f"{self.id} has at zoom {zoom} the rows 0..{rows - 1} and columns 0..{columns - 1}, not row {row}, "
                f"column {column}.",
                parameter="tileRow" if not 0 <= row < rows else "tileCol",
            )

    def bounds(self, zoom: int, row: int, column: int) -> tuple[float, float, float, float]:
        """left, bottom, right, top of a tile in units of the CRS."""
        side = self.span / (1 << zoom)
        left, top = self.left + column * side, self.top - row * side
        return left, top - side, left + side, top

    def tile(self, zoom: int, row: int, column: int, border: int = 0) -> Pixels:
        """The pixels of a tile with `border` more on each side. Raises NotFound."""
        self.check(zoom, row, column)
        left, bottom, right, top = self.bounds(zoom, row, column)
        size = (right - left) / SIDE
        grown = (left - border * size, bottom - border * size, right + border * size, top + border * size)
        key = (self.id, zoom, row, column, border)
        return pixels(key, self.crs, grown, SIDE + 2 * border, SIDE + 2 * border)

    def zoom_for(self, metres: float) -> int:
        """The least zoom whose pixels are no larger than this on the equator, at most the last."""
        steps = math.log2(self.span / SIDE * self.metres / max(metres, 1e-3))
        return max(0, min(self.zooms - 1, math.ceil(steps - 1e-9)))

    def to_json(self) -> dict[str, Any]:
        """The definition, as 17-083r4 encodes it."""
        matrices = [self._matrix(zoom) for zoom in range(self.zooms)]
        axes = ["Lon", "Lat"] if self.is_geographic else ["E", "N"]
        return {
            "id": self.id,
            "title": self.title,
            "uri": self.uri,
            "crs": self.crs_uri,
            "orderedAxes": axes,
            "wellKnownScaleSet": (
                "http://www.opengis.net/def/wkss/OGC/1.0/"
                + ("GoogleCRS84Quad" if self.is_geographic else "GoogleMapsCompatible")
            ),
            "tileMatrices": matrices,
        }

    def _matrix(self, zoom: int) -> dict[str, Any]:
        rows, columns = self.counts(zoom)
        size = self.span / SIDE / (1 << zoom)
        return {
            "id": str(zoom),
            "scaleDenominator": size * self.metres / _PIXEL_M,
            "cellSize": size,
            "cornerOfOrigin": "topLeft",
            "pointOfOrigin": [self.left, self.top],
            "tileWidth": SIDE,
            "tileHeight": SIDE,
            "matrixWidth": columns,
            "matrixHeight": rows,
        }


CRS84 = MatrixSet(
    "WorldCRS84Quad",
    "CRS84 for the World",
    "EPSG:4326",
    "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
    -180.0,
    90.0,
    180.0,
    2,
    18,
    _DEGREE_M,
)
MERCATOR = MatrixSet(
    "WebMercatorQuad",
    "Google Maps Compatible for the World",
    "EPSG:3857",
    "http://www.opengis.net/def/crs/EPSG/0/3857",
    -math.pi * _RADIUS,
    math.pi * _RADIUS,
    2 * math.pi * _RADIUS,
    1,
    25,
    1.0,
)
MATRIX_SETS = {one.id: one for one in (CRS84, MERCATOR)}


def matrix_set(name: str) -> MatrixSet:
    """A tile matrix set by its id. Raises NotFound."""
    if name not in MATRIX_SETS:
        raise NotFound(
            f"There is no tile matrix set {name!r:.60}. {nearest_names(name[:60], MATRIX_SETS)}",
            parameter="tileMatrixSetId",
        )
    return MATRIX_SETS[name]


def pixels(
    key: tuple[Any, ...], crs: str, bounds: tuple[float, float, float, float], width: int, height: int
) -> Pixels:
    """Pixels of a map over (left, bottom, right, top) in EPSG:4326 (longitude first) or EPSG:3857."""
    left, bottom, right, top = bounds
    across, down = (right - left) / width, (top - bottom) / height
    x, y = left + (np.arange(width) + 0.5) * across, top - (np.arange(height) + 0.5) * down
    if crs == "EPSG:4326":
        turned = np.abs(y) > 90.0
        lon, lat = x, np.where(turned, np.copysign(180.0, y) - y, y)
        edges = (left, max(bottom, -90.0), right, min(top, 90.0))
    else:
        turned = np.zeros(height, dtype=bool)
        lon, lat = np.degrees(x / _RADIUS), latitude_of(y)
        south, north = latitude_of(np.array([bottom, top])).tolist()
        edges = (math.degrees(left / _RADIUS), south, math.degrees(right / _RADIUS), north)
    extent = _extent(*edges)
    return Pixels(
        key, np.asarray(lon), np.asarray(lat, dtype=np.float64), turned, crs, (across, down), (left, top), extent
    )


def latitude_of(y: np.ndarray) -> np.ndarray:
    """Latitude in degrees of a northing of spherical Mercator: atan(sinh(y / R)) (EPSG Guidance Note 7-2, 1024)."""
    return np.asarray(np.degrees(np.arctan(np.sinh(y / _RADIUS))))


def _extent(west: float, south: float, east: float, north: float) -> Extent:
    if east - west >= 360.0:
        return Extent(-180.0, south, 180.0, north)
    if not south < north:
        raise Invalid("The map has no height: give bbox as west,south,east,north.", parameter="bbox")
    return Extent.of(max(west, -360.0), south, min(east, 360.0), north)
