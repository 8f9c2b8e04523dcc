"""Shapefiles in a zip (ESRI Shapefile Technical Description, July 1998) with their dBASE III table of attributes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from terrella.cubes.vectors.features import Rows
from terrella.errors import Unreadable

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from terrella.cubes.images.archives import Archive

_MOST = 512 << 20
_POLYGONS = {5, 15, 25}
"""Polygon, PolygonZ and PolygonM: Z and M stand behind what is read."""


def shapefile(archive: Archive) -> Rows:
    """The first shapefile of an archive. Raises Unreadable for one without polygons, or broken."""
    name = min(one for one in archive.members if one.casefold().endswith(".shp"))
    beside = {one.casefold(): one for one in archive.members}
    stem = name[:-4].casefold()
    try:
        outlines = list(_outlines(archive.read(name, most=_MOST)))
        table = beside.get(f"{stem}.dbf")
        encoding = _encoding(archive, beside.get(f"{stem}.cpg"))
        properties = list(_records(archive.read(table, most=_MOST), encoding)) if table else []
    except (struct.error, ValueError, IndexError) as error:
        raise Unreadable(f"Its shapefile is broken: {str(error)[:120]}.") from None
    properties += [{} for _ in outlines[len(properties) :]]
    system = beside.get(f"{stem}.prj")
    crs = archive.read(system, most=1 << 20).decode("utf-8", "replace") if system else None
    return Rows(properties[: len(outlines)], np.array(outlines, dtype=object), (), crs)


def _outlines(data: bytes) -> Iterator[BaseGeometry | None]:
    """One for each record, in their order (p. 4-8)."""
    code, kind = struct.unpack_from(">i", data, 0)[0], struct.unpack_from("<i", data, 32)[0]
    if code != 9994 or kind not in _POLYGONS:
        raise Unreadable(f"Its shapefile holds no polygons (type {kind})." if code == 9994 else "It is no shapefile.")
    place = 100
    while place + 12 <= len(data):
        length = 2 * struct.unpack_from(">i", data, place + 4)[0]
        if length < 4:
            raise Unreadable("Its shapefile is broken: a record has no length.")
        yield _outline(data, place + 8)
        place += 8 + length


def _outline(data: bytes, place: int) -> BaseGeometry | None:
    """A polygon: its rings in any order, holes told by lying inside of others."""
    if struct.unpack_from("<i", data, place)[0] not in _POLYGONS:
        return None  # a null shape
    many, points = struct.unpack_from("<ii", data, place + 36)
    starts = np.frombuffer(data, "<i4", many, place + 44)
    places = np.frombuffer(data, "<f8", 2 * points, place + 44 + 4 * many).reshape(-1, 2)
    rings = [ring for ring in np.split(places, starts[1:]) if len(ring) >= 4]
    if not rings:
        return None
    if len(rings) == 1:
        return shapely.Polygon(rings[0])
    return _polygons(rings)


def _polygons(rings: list[np.ndarray]) -> BaseGeometry:
    """Outer rings run clockwise, holes the other way round (p. 8)."""
    made = np.array([shapely.make_valid(shapely.Polygon(ring)) for ring in rings], dtype=object)
    is_hole = np.array([shapely.is_ccw(shapely.linearrings(ring)) for ring in rings])
    if is_hole.all():  # written the wrong way round
        is_hole = ~is_hole
    outer = shapely.union_all(made[~is_hole])
    return shapely.difference(outer, shapely.union_all(made[is_hole])) if is_hole.any() else outer


def _encoding(archive: Archive, name: str | None) -> str:
    said = archive.read(name, most=1000).decode("ascii", "replace").strip() if name else ""
    try:
        "".encode(said or "latin-1")
    except LookupError:
        return "latin-1"
    return said or "latin-1"


def _records(data: bytes, encoding: str) -> Iterator[dict[str, Any]]:
    """Records of a dBASE III table; numbers with decimals as floats, all else as text."""
    many, header, length = struct.unpack_from("<IHH", data, 4)
    fields = []
    place, start = 32, 1
    while place + 32 <= header and data[place] != 0x0D:
        name = data[place : place + 11].split(b"\0")[0].decode(encoding, "replace")
        fields.append((name, start, data[place + 16], chr(data[place + 11]), data[place + 17]))
        start += data[place + 16]
        place += 32
    for number in range(many):
        record = data[header + number * length : header + (number + 1) * length]
        yield {
            name: _value(record[at : at + size], kind, decimals, encoding) for name, at, size, kind, decimals in fields
        }


def _value(raw: bytes, kind: str, decimals: int, encoding: str) -> Any:
    text = raw.decode(encoding, "replace").strip(" \0")
    if kind in "NF":
        try:
            return (float(text) if decimals or kind == "F" else int(text)) if text else None
        except ValueError:
            return None
    return text or None
