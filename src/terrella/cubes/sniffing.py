"""Which format a file has, with as few libraries loaded as may be: each format brings its own, and they take long."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from terrella.contracts.loading import declared, load
from terrella.storage.files import is_remote

if TYPE_CHECKING:
    from terrella.contracts.formats import Format

_CERTAIN = {
    b"II*\0": "geotiff",
    b"MM\0*": "geotiff",
    b"II+\0": "geotiff",
    b"MM\0+": "geotiff",
    b"\0\0\0\x0cjP  \r\n\x87\n": "geotiff",
    b"\xffO\xffQ": "geotiff",
    b"\x89HDF\r\n\x1a\n": "hdf5",
    b"CDF\x01": "netcdf3",
    b"CDF\x02": "netcdf3",
    b"CDF\x05": "netcdf3",
    b"GRIB": "grib",
}
"""What files of one format alone begin with."""
_LIKELY = {b"PK\x03\x04": ("safe", "table", "zarr"), b"PAR1": ("stac", "table"), b"\0\0\x01\0": ("pp",)}
_BY_ENDING = {".csv": ("table",), ".tsv": ("table",), ".json": ("stac", "table"), ".geojson": ("table", "stac")}
_ZARR = ("zarr.json", ".zgroup", ".zarray", ".zmetadata")


class KnownFormats:
    """The plug-ins of `terrella.formats`, each loaded when first asked.

    Those of others are asked first, so that they can take a special kind of a file that we read too.
    """

    def __init__(self) -> None:
        self._loaded: dict[str, Format] = {}
        points = declared("formats")
        self._ours = sorted(name for name, point in points.items() if point.value.startswith("terrella."))
        self._others = sorted(set(points) - set(self._ours))

    def claiming(self, href: str, head: bytes) -> str | None:
        """The format of a file with this head; of a folder, or an address that is no file, the head is b""."""
        for name in self._others:
            if self._format(name).claims(href, head):
                return name
        if (sure := _certain(head)) in self._ours:
            return sure
        is_folder = not head and not is_remote(href)
        likely = _of_folder(href) if is_folder else _likely(href, head)
        ordered = dict.fromkeys([*likely, *([] if is_folder else self._ours)])
        return next((name for name in ordered if name in self._ours and self._format(name).claims(href, head)), None)

    def titles(self) -> list[str]:
        """Of all formats, for people."""
        return sorted({self._format(name).title for name in (*self._ours, *self._others)})

    def _format(self, name: str) -> Format:
        if name not in self._loaded:
            self._loaded[name] = load("formats", name)()
        return self._loaded[name]


def _certain(head: bytes) -> str | None:
    return next((name for mark, name in _CERTAIN.items() if head.startswith(mark)), None)


def _likely(href: str, head: bytes) -> tuple[str, ...]:
    by_mark = next((names for mark, names in _LIKELY.items() if head.startswith(mark)), ())
    return by_mark or _BY_ENDING.get(PurePosixPath(href.casefold()).suffix, ())


def _of_folder(href: str) -> list[str]:
    """Formats that a folder may have, by the names in it."""
    names = set(os.listdir(href.removeprefix("file://")))  # noqa: PTH208 -- names alone
    signs = {
        "icechunk": "snapshots" in names,
        "safe": any(name.startswith("MTD_MSIL") for name in names),
        "zarr": not names.isdisjoint(_ZARR),
    }
    return [name for name, is_there in signs.items() if is_there]
