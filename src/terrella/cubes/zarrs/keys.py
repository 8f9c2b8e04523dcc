"""Where a Zarr store keeps its keys: a folder, a zip file, a web address or bucket."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from terrella.errors import NotFound, Unreadable
from terrella.storage.files import list_folder, local_path, open_file, read_object, read_range, state

ROOTS = ("zarr.json", ".zmetadata", ".zgroup", ".zarray")
"""Keys of which a Zarr hierarchy has one at its root."""


class Keys(Protocol):
    """Values by key, safe for threads."""

    def get(self, key: str) -> bytes | None:
        """All of a value; None where there is none."""
        ...

    def part(self, key: str, start: int, length: int) -> bytes | None:
        """Some bytes of a value; a negative start counts from its end."""
        ...

    def size(self, key: str) -> int:
        """Bytes of a value; 0 where there is none."""
        ...

    def folders(self, path: str) -> list[str]:
        """Names of folders in a folder ('' is the root). Raises Unreadable where that cannot be told."""
        ...


class FolderKeys:
    """A local folder."""

    def __init__(self, root: Path) -> None:
        self._root = f"{root}{os.sep}"

    def get(self, key: str) -> bytes | None:
        try:
            with open(self._root + key, "rb", buffering=0) as file:  # noqa: PTH123 -- on the hot path
                return file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def part(self, key: str, start: int, length: int) -> bytes | None:
        try:
            begin = start if start >= 0 else os.stat(self._root + key).st_size + start  # noqa: PTH116
        except OSError:
            return None
        try:
            return read_range(self._root + key, begin, length)
        except NotFound:
            return None

    def size(self, key: str) -> int:
        try:
            return os.stat(self._root + key).st_size  # noqa: PTH116 -- on the hot path
        except OSError:
            return 0

    def folders(self, path: str) -> list[str]:
        with os.scandir(self._root + path) as found:
            return sorted(one.name for one in found if one.is_dir() and not one.name.startswith("."))


class ZipKeys:
    """A zip file, read by byte ranges; the store may lie in a folder inside it."""

    def __init__(self, href: str) -> None:
        self._href = href
        try:
            with open_file(href) as file, zipfile.ZipFile(file) as archive:
                entries = [one for one in archive.infolist() if not one.is_dir()]
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise Unreadable(f"The zip file is broken: {error}.") from error
        root = _zip_root([one.filename for one in entries])
        if root is None:
            raise Unreadable("There is no Zarr store in this zip file.")
        self._entries = {one.filename[len(root) :]: one for one in entries if one.filename.startswith(root)}

    def get(self, key: str) -> bytes | None:
        entry = self._entries.get(key)
        return None if entry is None else self._read(entry)

    def part(self, key: str, start: int, length: int) -> bytes | None:
        found = self.get(key)
        begin = start if start >= 0 else len(found or b"") + start
        return None if found is None else found[begin : begin + length]

    def size(self, key: str) -> int:
        entry = self._entries.get(key)
        return 0 if entry is None else entry.compress_size

    def folders(self, path: str) -> list[str]:
        prefix = f"{path}/" if path else ""
        inside = (key[len(prefix) :] for key in self._entries if key.startswith(prefix))
        return sorted({key.split("/", 1)[0] for key in inside if "/" in key})

    def _read(self, entry: zipfile.ZipInfo) -> bytes:
        header = read_range(self._href, entry.header_offset, 30)
        names, extra = struct.unpack("<HH", header[26:30])
        raw = read_range(self._href, entry.header_offset + 30 + names + extra, entry.compress_size)
        if entry.compress_type == zipfile.ZIP_STORED:
            return raw
        if entry.compress_type != zipfile.ZIP_DEFLATED or entry.flag_bits & 1:
            raise Unreadable("The zip file is encrypted or packed in a way that is not read: use stored or deflated.")
        try:
            return zlib.decompressobj(-15).decompress(raw, entry.file_size)
        except zlib.error as error:
            raise Unreadable(f"The zip file is damaged: {error}.") from error


def _zip_root(names: list[str]) -> str | None:
    """The shallowest folder that is a Zarr hierarchy, with a slash at its end."""
    roots = [name[: len(name) - len(root)] for name in names for root in ROOTS if _ends(name, root)]
    return min(roots, key=lambda root: (root.count("/"), root)) if roots else None


def _ends(name: str, root: str) -> bool:
    return name == root or name.endswith(f"/{root}")


class RemoteKeys:
    """Below a web address or in a bucket."""

    def __init__(self, href: str) -> None:
        self._base = urlsplit(href)

    def _at(self, key: str) -> str:
        base = self._base
        return urlunsplit((base.scheme, base.netloc, f"{base.path.rstrip('/')}/{key}", base.query, ""))

    def get(self, key: str) -> bytes | None:
        return read_object(self._at(key))

    def part(self, key: str, start: int, length: int) -> bytes | None:
        begin = start
        if start < 0:
            whole = self.size(key)
            if not whole:
                return None
            begin = whole + start
        return read_range(self._at(key), begin, length)

    def size(self, key: str) -> int:
        try:
            return state(self._at(key)).size
        except NotFound:
            return 0

    def folders(self, path: str) -> list[str]:
        return list_folder(self._at(path))


def keys_of(href: str) -> Keys:
    """The store at a place, kept for the next caller while it is the same."""
    path = local_path(href)
    if path is not None and path.is_dir():
        return FolderKeys(path)
    if path is not None or urlsplit(href).path.endswith(".zip"):
        return _zip(href, state(href).modified)
    return RemoteKeys(href)


@lru_cache(maxsize=32)
def _zip(href: str, modified: str) -> ZipKeys:  # noqa: ARG001 -- a changed file is opened anew
    return ZipKeys(href)
