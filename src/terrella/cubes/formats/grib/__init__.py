"""GRIB editions 1 and 2: messages become parts with one chunk a field, read later by byte range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terrella.cubes.formats.grib.blocks import KnownBlocks
from terrella.cubes.formats.grib.scan import scan
from terrella.cubes.formats.grib.source import GribSource

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from terrella.contracts.formats import ChunkSource
    from terrella.model.scan import ArrayScan, FileScan

_ENDINGS = (".grib", ".grib1", ".grib2", ".grb", ".grb1", ".grb2")


class Grib:
    """Reads GRIB, also where other bytes (bulletin headers, padding) lie between the messages."""

    name = "grib"
    title = "GRIB 1 and 2"

    def __init__(self) -> None:
        self._known = KnownBlocks()

    def claims(self, href: str, head: bytes) -> bool:
        """By 'GRIB' and an edition in the head, or by a usual ending of the name."""
        start = head.find(b"GRIB")
        marked = start >= 0 and head[start + 7 : start + 8] in {b"\x01", b"\x02"}
        return marked or href.split("?", maxsplit=1)[0].lower().endswith(_ENDINGS)

    def keep_in(self, folder: Path) -> None:
        """Keep there what is learnt of where compressed messages have their blocks."""
        self._known = KnownBlocks(folder)

    def scan(self, href: str) -> Iterable[FileScan]:
        """One scan. Raises Unreadable for damaged files, Unsupported where no field lies on a grid that we know."""
        yield scan(href)

    def source(self, array: ArrayScan, href: str) -> ChunkSource:
        return GribSource(array, href, self._known)
