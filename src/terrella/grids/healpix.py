"""HEALPix: pixels of equal area on rings of constant latitude (Górski et al. 2005, ApJ 622, 759)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from healpix_geo import nested, ring

from terrella.errors import Invalid, Unsupported
from terrella.grids.identity import Identity
from terrella.grids.outlines import boxes, hull
from terrella.grids.rows import Rows
from terrella.grids.sphere import extent_of_spans, is_place, wrapped
from terrella.grids.tables import Cells, Floats, frozen, pack, unpack
from terrella.model.space import EARTH_RADIUS_M, GLOBE

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from terrella.model.space import Extent
    from terrella.model.stac import Document


MOST_NSIDE = 2**20
"""Pixels of 6 m; the table of rings of a finer grid would not be small any more."""


_MANY = 50_000
"""Pixels for which threads are worth their start, which takes longer than converting thousands."""


def _threads(pixels: np.ndarray) -> int:
    """For healpix-geo, 0 being all."""
    return 0 if pixels.size > _MANY else 1


@lru_cache(maxsize=16)
def healpix_rows(nside: int) -> Rows:
    """The 4 nside - 1 rings, north to south: Górski et al. 2005, equations 4 to 9."""
    index = np.arange(1, 2 * nside + 1, dtype=np.int64)
    counts = 4 * np.minimum(index, nside)
    # 1 - z in the cap keeps its precision next to the pole: theta = 2 asin(sqrt((1 - z) / 2)).
    cap = 2 * np.degrees(np.arcsin(index / (nside * math.sqrt(6.0))))
    belt = np.degrees(np.arccos(np.clip(4 / 3 - 2 * index / (3 * nside), -1, 1)))
    north = 90.0 - np.where(index < nside, cap, belt)
    half_shifted = (index < nside) | ((index - nside) % 2 == 0)
    firsts = np.where(half_shifted, 180.0 / counts, 0.0)
    mirror = slice(-2, None, -1)
    return Rows(
        frozen(np.concatenate([north, -north[mirror]])),
        np.concatenate([counts, counts[mirror]]),
        np.concatenate([firsts, firsts[mirror]]),
    )


@dataclass(frozen=True, eq=False)
class HealpixGrid(Identity):
    """All pixels, or those numbered `pixels`, in that order; `order` says how they are numbered.

    Ring order takes any nside from 1, nested order powers of 2 (Unsupported otherwise). Raises Invalid for pixels that
    do not exist or come twice.
    """

    nside: int
    order: Literal["ring", "nested"] = "nested"
    pixels: Cells | None = None
    kind: ClassVar[str] = "healpix"
    dims: ClassVar[tuple[str, ...]] = ("cell",)
    crs: ClassVar[str] = "EPSG:4326"

    def __post_init__(self) -> None:
        object.__setattr__(self, "nside", int(self.nside))
        if not 1 <= self.nside <= MOST_NSIDE:
            raise Invalid(f"nside of a HEALPix grid lies in 1..{MOST_NSIDE}, not {self.nside}.", parameter="grid")
        if self.order not in {"ring", "nested"}:
            raise Invalid(f"HEALPix order is 'ring' or 'nested', not {self.order!r}.", parameter="grid")
        if self.order == "nested" and self.nside & (self.nside - 1):
            raise Unsupported(f"HEALPix nested order needs an nside that is a power of 2, not {self.nside}.")
        if self.pixels is not None:
            object.__setattr__(self, "pixels", self._checked(self.pixels))

    def _checked(self, given: np.ndarray) -> Cells | None:
        pixels: Cells = frozen(given, np.int64)
        if pixels.ndim != 1 or not pixels.size or pixels.min() < 0 or pixels.max() >= 12 * self.nside**2:
            raise Invalid(f"Pixels of nside {self.nside} are numbered 0..{12 * self.nside**2 - 1}.", parameter="grid")
        if np.unique(pixels).size != pixels.size:
            raise Invalid("A HEALPix grid names a pixel twice.", parameter="grid")
        if pixels.size == 12 * self.nside**2 and bool((pixels == np.arange(pixels.size)).all()):
            return None
        return pixels

    @property
    def shape(self) -> tuple[int, ...]:
        return (12 * self.nside**2 if self.pixels is None else self.pixels.size,)

    @property
    def rows(self) -> Rows:
        return healpix_rows(self.nside)

    @property
    def _depth(self) -> int:
        return self.nside.bit_length() - 1

    def _to_ring(self, pixels: Cells) -> Cells:
        if self.order == "ring" or not pixels.size:
            return pixels
        given = pixels.astype(np.uint64)
        return np.asarray(nested.to_ring(given, self._depth, num_threads=_threads(given))).astype(np.int64)

    def _from_ring(self, rings: Cells) -> Cells:
        if self.order == "ring" or not rings.size:
            return rings
        given = rings.astype(np.uint64)
        return np.asarray(ring.to_nested(given, self._depth, num_threads=_threads(given))).astype(np.int64)

    @cached_property
    def _sorted(self) -> tuple[Cells, Cells]:
        """(pixels ascending, their cells)."""
        assert self.pixels is not None
        order = np.argsort(self.pixels)
        return self.pixels[order], order

    def _cells_of(self, rings: Cells) -> Cells:
        """Cell numbers of pixels in ring order; -1 where the grid lacks the pixel."""
        pixels = self._from_ring(rings)
        if self.pixels is None:
            return pixels
        have, cells = self._sorted
        at = np.minimum(np.searchsorted(have, pixels), have.size - 1)
        return np.where(have[at] == pixels, cells[at], -1)

    def _kept(self, rings: Cells) -> Cells:
        cells = self._cells_of(rings)
        return np.sort(cells[cells >= 0])

    def centres(self, cells: np.ndarray | None = None) -> tuple[Floats, Floats]:
        """(lon, lat) in degrees, float64, lon in [-180, 180)."""
        if cells is None:
            pixels = np.arange(self.size, dtype=np.int64) if self.pixels is None else self.pixels
        else:
            given = np.asarray(cells, dtype=np.int64)
            pixels = given if self.pixels is None else self.pixels[given]
        return self.rows.centres(self._to_ring(pixels))

    def nearest(self, lon: np.ndarray, lat: np.ndarray) -> Cells:
        """Cell whose centre is nearest on the sphere (not always the pixel that holds the place); ties to the lower.

        Of a part of the sphere: -1 where the grid lacks the pixel with the nearest centre of the whole sphere.
        """
        lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
        result = np.full(lon.shape, -1, dtype=np.int64)
        real = is_place(lon, lat)
        found = self.rows.nearest(lon[real], lat[real], self._rank)
        result[real] = np.where(found < self.size, found, -1)
        return result

    def _rank(self, rings: Cells) -> Cells:
        """Cell numbers; pixels that the grid lacks come after all others."""
        cells = self._cells_of(rings)
        return np.where(cells < 0, self.size, cells)

    def within(self, geometry: BaseGeometry) -> Cells:
        """Cells whose centre lies in a polygon, boundary included to 1e-9 degrees."""
        return self._kept(self.rows.within(geometry))

    def in_extent(self, extent: Extent) -> Cells:
        """Cells whose centre lies in a box, edges included to 1e-9 degrees."""
        return self._kept(self.rows.in_extent(extent))

    def in_circle(self, lon: float, lat: float, radius: float) -> Cells:
        """Cells whose centre lies within `radius` metres of the place, rim included to a micrometre."""
        return self._kept(self.rows.in_circle(lon, lat, radius))

    def areas(self, cells: np.ndarray | None = None) -> Floats:
        """Square metres, all equal."""
        count = self.size if cells is None else len(cells)
        return np.full(count, 4 * math.pi * EARTH_RADIUS_M**2 / (12 * self.nside**2))

    def vertices(self, cells: np.ndarray) -> tuple[Floats, Floats]:
        """(lon, lat) of the north, west, south and east corner of cells, shape (n, 4).

        In the plane of the HEALPix projection (Górski et al. 2005, 4; Calabretta and Roukema 2007) pixels are squares
        on their corner: a corner lies half a ring step from the centre.
        """
        given = np.asarray(cells, dtype=np.int64)
        rings = self._to_ring(given if self.pixels is None else self.pixels[given])
        rows, half = self.rows, 45.0 / self.nside
        level = np.searchsorted(rows.starts, rings, side="right")
        lon = np.mod(rows.centres(rings)[0], 360.0)
        facet = np.floor(lon / 90.0) * 90.0 + 45.0
        across = (lon - facet) * self._squeeze(level)
        levels = np.stack([level - 1, level, level + 1, level], axis=-1)
        plane = np.stack([across, across - half, across, across + half], axis=-1)
        squeeze = self._squeeze(levels)
        east = np.divide(plane, squeeze, out=np.zeros_like(plane), where=squeeze > 0)
        lats = np.concatenate([[90.0], rows.lats, [-90.0]])
        return wrapped(facet[:, None] + east), lats[levels]

    def _squeeze(self, level: Cells) -> Floats:
        """By how much a ring is narrower than the equator in the plane: 1 in the belt, 0 at the poles."""
        return np.minimum(np.minimum(level, 4 * self.nside - level) / self.nside, 1.0)

    def extent(self) -> Extent:
        """The whole Earth, or the box around the corners of the pixels that there are."""
        if self.pixels is None:
            return GLOBE
        lon, lat = self.vertices(np.arange(self.size))
        west, east = lon[:, 1], lon[:, 3]
        return extent_of_spans(west, west + np.mod(east - west, 360.0), float(lat.min()), float(lat.max()))

    def footprint(self) -> Document:
        """The whole Earth, or the hull of the pixels that there are."""
        if self.pixels is None:
            return boxes(GLOBE)
        lon, lat = self.vertices(np.arange(self.size))
        return hull(lon.ravel(), lat.ravel(), self.extent())

    def resolution(self) -> float:
        """Metres: the side of a square as large as a pixel."""
        return float(math.sqrt(4 * math.pi / 12) * EARTH_RADIUS_M / self.nside)

    def coordinates(self) -> dict[str, np.ndarray]:
        """None for the whole sphere; else {'cell': pixel numbers}."""
        return {} if self.pixels is None else {"cell": self.pixels}

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"kind": self.kind, "nside": self.nside, "order": self.order}
        return document if self.pixels is None else document | {"pixels": pack(self.pixels, "<i8")}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> HealpixGrid:
        pixels = unpack(document["pixels"]) if "pixels" in document else None
        return cls(document["nside"], document["order"], pixels)
