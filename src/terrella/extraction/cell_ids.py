"""Places by the names of cells: geohashes, map tiles, HEALPix pixels, MGRS squares, H3 hexagons."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from terrella.errors import Invalid, nearest_names
from terrella.model.extraction import Area, Box, Pixel
from terrella.model.space import Extent

if TYPE_CHECKING:
    from collections.abc import Callable

    from shapely.geometry.base import BaseGeometry

_DIGITS = "0123456789bcdefghjkmnpqrstuvwxyz"
MOST_ZOOM = 30
MOST_NSIDE = 2**20


def geohash(text: str) -> Extent:
    """The box of a geohash (Niemeyer 2008): five bits a letter, longitude and latitude in turns. Raises Invalid."""
    if not re.fullmatch(f"[{_DIGITS}]{{1,12}}", text.casefold()):
        raise Invalid(
            f"{text!r:.40} is no geohash: 1 to 12 of the letters {_DIGITS} (without a, i, l, o).", parameter="geohash"
        )
    west, south, east, north = -180.0, -90.0, 180.0, 90.0
    is_lon = True
    for letter in text.casefold():
        number = _DIGITS.index(letter)
        for bit in (16, 8, 4, 2, 1):
            high = bool(number & bit)
            if is_lon:
                middle = (west + east) / 2
                west, east = (middle, east) if high else (west, middle)
            else:
                middle = (south + north) / 2
                south, north = (middle, north) if high else (south, middle)
            is_lon = not is_lon
    return Extent(west, south, east, north)


def tile(text: str) -> Extent:
    """The box of a map tile ``z/x/y`` of WebMercatorQuad, or ``wgs84:z/x/y`` of WorldCRS84Quad (OGC 17-083r4).

    Rows count from the north. Raises Invalid.
    """
    name, _, numbers = text.strip().casefold().rpartition(":")
    found = re.fullmatch(r"(\d{1,2})/(\d{1,10})/(\d{1,10})", numbers)
    if not found or name not in ("", "webmercator", "webmercatorquad", "wgs84", "worldcrs84quad"):
        raise Invalid(f"{text!r:.60} is no tile: write z/x/y, or wgs84:z/x/y.", parameter="tile")
    z, x, y = map(int, found.groups())
    is_geographic = name in ("wgs84", "worldcrs84quad")
    columns, rows = 2 ** (z + is_geographic), 2**z
    if z > MOST_ZOOM or x >= columns or y >= rows:
        raise Invalid(
            f"There is no tile {text!r:.60}: at zoom {z} columns are 0..{columns - 1} and rows 0..{rows - 1}, and the "
            f"most is zoom {MOST_ZOOM}.",
            parameter="tile",
        )
    west, east = (360.0 * column / columns - 180.0 for column in (x, x + 1))
    if is_geographic:
        north, south = (90.0 - 180.0 * row / rows for row in (y, y + 1))
    else:
        north, south = (_mercator_latitude(row / rows) for row in (y, y + 1))
    return Extent(west, south, east, north)


def _mercator_latitude(share: float) -> float:
    """Latitude of a share of the way from the top of the square map (Snyder 1987, 7-4)."""
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * share))))


def pixel(text: str) -> Pixel:
    """A HEALPix pixel: ``NSIDE:nested:NUMBER`` or ``NSIDE:ring:NUMBER``, also after ``healpix:``. Raises Invalid."""
    found = re.fullmatch(r"(?:healpix:)?(\d{1,7}):(nested|ring):(\d{1,15})", text.strip().casefold())
    if not found:
        raise Invalid(f"{text!r:.60} is no pixel: write NSIDE:nested:NUMBER, like 64:nested:1234.", parameter="healpix")
    return checked_pixel(Pixel(int(found[1]), int(found[3]), "ring" if found[2] == "ring" else "nested"))


def checked_pixel(one: Pixel) -> Pixel:
    """The pixel as given. Raises Invalid for one that does not exist."""
    if not 1 <= one.nside <= MOST_NSIDE or one.nside & (one.nside - 1):
        raise Invalid(f"nside is a power of 2 up to {MOST_NSIDE}, not {one.nside}.", parameter="healpix")
    if not 0 <= one.number < 12 * one.nside**2:
        raise Invalid(
            f"Pixels of nside {one.nside} are numbered 0..{12 * one.nside**2 - 1}, not {one.number}.",
            parameter="healpix",
        )
    return one


def _square(text: str) -> Area:
    from terrella.extraction.mgrs import mgrs

    return _area(mgrs(text))


def _hexagon(text: str) -> Area:
    from terrella.extraction.hexagons import hexagon

    return _area(hexagon(text))


def _area(polygon: BaseGeometry) -> Area:
    from shapely.geometry import mapping

    return Area(dict(mapping(polygon)))


_READERS: dict[str, Callable[[str], Box | Area | Pixel]] = {
    "geohash": lambda text: Box(geohash(text)),
    "tile": lambda text: Box(tile(text)),
    "healpix": pixel,
    "mgrs": _square,
    "h3": _hexagon,
}
SYSTEMS = tuple(_READERS)
"""Systems of cells that are known by name."""
EXAMPLES = {
    "geohash": "geohash:u33d",
    "tile": "tile:10/550/335",
    "healpix": "healpix:64:nested:1234",
    "mgrs": "mgrs:33UUU",
    "h3": "h3:831f1dfffffffff",
}


def cell(text: str) -> Box | Area | Pixel:
    """The shape of a cell written as SYSTEM:ID, such as `mgrs:33UUU` or `tile:10/550/335`. Raises Invalid."""
    system, colon, name = text.strip().partition(":")
    if not colon or system.casefold() not in _READERS:
        said = nearest_names(system[:40], SYSTEMS) if colon else ""
        raise Invalid(
            f"{text!r:.60} names no cell: write SYSTEM:ID, as in {', '.join(EXAMPLES.values())}. {said}".strip(),
            parameter="cell",
        )
    return cell_of(system.casefold(), name)


def cell_of(system: str, name: str) -> Box | Area | Pixel:
    """The shape of a cell of one of `SYSTEMS`. Raises Invalid."""
    return _READERS[system](name.strip())
