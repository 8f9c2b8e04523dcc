"""Zarr version 2 and 3: folders, zip files, and stores at https:// and s3:// addresses."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from terrella.contracts.formats import ChunkSource
from terrella.cubes.cf.scanned import About, scanned
from terrella.cubes.zarrs.keys import ROOTS, keys_of
from terrella.cubes.zarrs.metadata import Node, nodes
from terrella.cubes.zarrs.trees import layout_in, source_in, tree_of
from terrella.errors import NotFound
from terrella.model.scan import ArrayScan, FileScan
from terrella.storage.files import FileState, folder_state, is_remote, local_path, sha256, state


class Zarr:
    """Any Zarr hierarchy; groups inside it too."""

    name = "zarr"
    title = "Zarr 2 and 3 (folder, zip)"

    def claims(self, href: str, head: bytes) -> bool:
        if is_remote(href):
            return urlsplit(href).path.rstrip("/").casefold().endswith((".zarr", ".zarr.zip", ".zarr2", ".zarr3"))
        path = local_path(href)
        if path is None:
            return False
        if not head:
            return path.is_dir() and any((path / root).is_file() for root in ROOTS)
        return head.startswith(b"PK\x03\x04") and _zip_holds_zarr(href)

    def scan(self, href: str) -> Iterable[FileScan]:
        """Raises Unreadable for a store without metadata, or metadata that is broken."""
        keys = keys_of(href)
        found = nodes(keys)
        now, checksum = _version(href, found)
        about = About(href, self.name, _media(href, found), now, checksum)
        tree = tree_of(found, keys, lambda: _store(href))
        return [scanned(about, tree, layout_in(keys, lambda: _store(href), {}))]

    def source(self, array: ArrayScan, href: str) -> ChunkSource:
        return source_in(array, keys_of(href), lambda: _store(href))


def _zip_holds_zarr(href: str) -> bool:
    try:
        with zipfile.ZipFile(href.removeprefix("file://")) as archive:
            return any(name.rsplit("/", 1)[-1] in ROOTS for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return ".zarr" in href.casefold()


def _version(href: str, found: list[Node]) -> tuple[FileState, str]:
    """State and checksum. Of a remote store only the metadata can be seen."""
    path = local_path(href)
    if path is not None:
        return folder_state(path) if path.is_dir() else (state(href), sha256(href))
    text = json.dumps([(one.path, one.document, one.attrs) for one in found], sort_keys=True, default=str)
    checksum = "1220" + hashlib.sha256(text.encode()).hexdigest()
    try:
        return state(href), checksum
    except NotFound:
        return FileState(0, "unknown"), checksum


def _media(href: str, found: list[Node]) -> str:
    version = found[0].document.get("zarr_format", 2)
    zipped = "+zip" if urlsplit(href).path.endswith(".zip") else ""
    return f"application/vnd+zarr{zipped}; version={version}"


def _store(href: str) -> Any:
    """For the zarr library, where it has to decode."""
    from zarr.storage import LocalStore, ZipStore

    path = local_path(href)
    if path is not None and path.is_dir():
        return LocalStore(path, read_only=True)
    if path is not None:
        return ZipStore(path, mode="r")
    from obstore.store import from_url
    from zarr.storage import ObjectStore

    return ObjectStore(from_url(href), read_only=True)
