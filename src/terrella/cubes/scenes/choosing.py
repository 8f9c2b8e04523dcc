"""Which grid: what the user states of it, the rest from the scenes that meet the request."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from terrella.cubes.scenes.lattice import (
    DEGREE_M,
    Bounds,
    Lattice,
    checked_crs,
    extent_bounds,
    is_geographic,
    raster_bounds,
)
from terrella.cubes.scenes.rasters import RasterBand
from terrella.errors import Invalid
from terrella.model.space import Extent

_WGS84 = "EPSG:4326"


@dataclass(frozen=True, slots=True)
class Choice:
    """The lattice, and the request's box on it (None: all there is)."""

    lattice: Lattice
    bounds: Bounds | None


def choose(
    bands: Sequence[RasterBand],
    extent: Extent | None,
    crs: str | None,
    resolution: float | tuple[float, float] | None,
    anchor: tuple[float, float] | None,
) -> Choice:
    """Left out: the CRS of the scenes that cover most of the extent, their finest pixels, and these very pixels.

    A stated resolution that is not theirs has corners at its multiples, unless an anchor says where. Raises Invalid.
    """
    around = extent or _around(bands)
    chosen = checked_crs(crs, around) if crs else _commonest(bands, extent)
    native = sorted((band for band in bands if band.crs == chosen), key=lambda one: one.size)
    dx, dy = _resolution(resolution, chosen, native, bands)
    x, y = _anchor(anchor, (dx, dy), native)
    return Choice(Lattice(chosen, dx, dy, x, y), None if extent is None else extent_bounds(extent, chosen))


def _around(bands: Sequence[RasterBand]) -> Extent:
    """Some box around the first of them: enough to name a zone."""
    first = bands[0]
    box = _lonlat(first)
    west, south, east, north = (-180.0, -90.0, 180.0, 90.0) if box is None else box
    return Extent.of(max(west, -360.0), max(south, -90.0), min(east, 360.0), min(north, 90.0))


def _lonlat(band: RasterBand) -> Bounds | None:
    return raster_bounds(band.transform, band.height, band.width, band.crs, _WGS84)


def _commonest(bands: Sequence[RasterBand], extent: Extent | None) -> str:
    """The CRS whose scenes cover most of the extent, counted by area in degrees; of equal ones the first by name."""
    shares: dict[str, float] = defaultdict(float)
    for place in {(one.crs, one.transform, one.height, one.width): one for one in bands}.values():
        box = _lonlat(place)
        shares[place.crs] += _overlap(box, extent) if box is not None and extent else float(box is not None)
    return min(shares, key=lambda crs: (-round(shares[crs], 9), crs))


def _overlap(box: Bounds, extent: Extent) -> float:
    west, south, east, north = box
    high = min(north, extent.north) - max(south, extent.south)
    wide = max(min(east + turn, extent.west + extent.width) - max(west + turn, extent.west) for turn in (-360, 0, 360))
    if high < 0 or wide < 0:
        return 0.0
    return max(high * wide, 1e-9)  # a place is as good as an area


def _resolution(
    stated: float | tuple[float, float] | None, crs: str, native: Sequence[RasterBand], bands: Sequence[RasterBand]
) -> tuple[float, float]:
    if stated is not None:
        pair = (stated, stated) if isinstance(stated, int | float) else tuple(stated)
        if len(pair) != 2 or not all(math.isfinite(one) and one > 0 for one in pair):
            raise Invalid(
                f"A resolution is one positive number, or two for x and y, in units of the CRS, not {stated!r:.60}.",
                parameter="resolution",
            )
        return float(pair[0]), float(pair[1])
    if native:
        return native[0].size
    sizes = [(band.size[0] * _metres(band.crs) / _metres(crs), band) for band in bands]
    finest, band = min(sizes, key=lambda one: one[0])
    size = finest if is_geographic(band.crs) == is_geographic(crs) else float(f"{finest:.3g}")
    return size, size


def _metres(crs: str) -> float:
    """About how many are in a unit of the CRS."""
    return DEGREE_M if is_geographic(crs) else 1.0


def _anchor(
    stated: tuple[float, float] | None, size: tuple[float, float], native: Sequence[RasterBand]
) -> tuple[float, float]:
    if stated is not None:
        pair = tuple(stated)
        if len(pair) != 2 or not all(math.isfinite(one) for one in pair):
            raise Invalid("An anchor is x and y of a corner of a cell, in units of the CRS.", parameter="anchor")
        return float(pair[0]), float(pair[1])
    for band in native:
        _, b, x, d, _, y = band.transform
        if band.size == size and not b and not d:
            return x, y
    return 0.0, 0.0
