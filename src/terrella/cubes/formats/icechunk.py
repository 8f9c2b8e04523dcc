"""Icechunk: versioned Zarr. What is added is the newest snapshot of `main`, and that is what is read ever after."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import icechunk
from zarr.abc.store import RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from terrella.contracts.formats import ChunkSource
from terrella.cubes.cf.scanned import About, scanned
from terrella.cubes.zarrs.metadata import nodes
from terrella.cubes.zarrs.trees import layout_in, source_in, tree_of
from terrella.errors import NotFound, Unreadable
from terrella.model.scan import ArrayScan, FileScan
from terrella.storage.files import FileState, folder_state, is_remote, local_path, state

_BRANCH = "main"


class Icechunk:
    """Repositories in a folder or bucket."""

    name = "icechunk"
    title = "Icechunk"

    def claims(self, href: str, head: bytes) -> bool:
        if is_remote(href):
            return urlsplit(href).path.rstrip("/").casefold().endswith((".icechunk", ".ic"))
        path = local_path(href)
        if path is None or head or not path.is_dir():
            return False
        return (path / "snapshots").is_dir() and ((path / "repo").exists() or (path / "refs").is_dir())

    def scan(self, href: str) -> Iterable[FileScan]:
        """Raises Unreadable where it cannot be opened, or has no branch `main`."""
        repository = _repository(href)
        try:
            snapshot = str(repository.lookup_branch(_BRANCH))
        except icechunk.IcechunkError as error:
            raise Unreadable(f"It has no branch {_BRANCH!r}: {_line(error)}") from error
        keys = _SessionKeys(href, snapshot)
        found = nodes(keys)
        about = About(href, self.name, "application/vnd+zarr; version=3; profile=icechunk", *_version(href, snapshot))
        tree = tree_of(found, keys, lambda: _store(href, snapshot))
        layout = layout_in(keys, lambda: _store(href, snapshot), {"snapshot": snapshot})
        return [scanned(about, tree, layout)]

    def source(self, array: ArrayScan, href: str) -> ChunkSource:
        snapshot = str(array.codec["snapshot"])
        return source_in(array, _SessionKeys(href, snapshot), lambda: _store(href, snapshot))


def _version(href: str, snapshot: str) -> tuple[FileState, str]:
    path = local_path(href)
    if path is not None:
        return folder_state(path)
    checksum = "1220" + hashlib.sha256(snapshot.encode()).hexdigest()
    try:
        return state(href), checksum
    except NotFound:
        return FileState(0, "unknown"), checksum


@lru_cache(maxsize=32)
def _repository(href: str) -> icechunk.Repository:
    try:
        return icechunk.Repository.open(_storage(href))
    except (icechunk.IcechunkError, ValueError) as error:
        raise Unreadable(f"Icechunk cannot open it: {_line(error)}") from error


def _storage(href: str) -> icechunk.Storage:
    path = local_path(href)
    if path is not None:
        return icechunk.local_filesystem_storage(str(path))
    parts = urlsplit(href)
    if parts.scheme == "s3":
        return icechunk.s3_storage(bucket=parts.netloc, prefix=parts.path.strip("/"), from_env=True)
    return icechunk.http_storage(href)


@lru_cache(maxsize=64)
def _store(href: str, snapshot: str) -> Any:
    try:
        return _repository(href).readonly_session(snapshot_id=snapshot).store
    except icechunk.IcechunkError as error:
        raise Unreadable(f"Its snapshot {snapshot} is gone: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


class _SessionKeys:
    """Keys of one snapshot."""

    def __init__(self, href: str, snapshot: str) -> None:
        self._store = _store(href, snapshot)

    def get(self, key: str) -> bytes | None:
        return self._fetched(key, None)

    def part(self, key: str, start: int, length: int) -> bytes | None:
        return self._fetched(key, SuffixByteRequest(-start) if start < 0 else RangeByteRequest(start, start + length))

    def _fetched(self, key: str, wanted: RangeByteRequest | SuffixByteRequest | None) -> bytes | None:
        try:
            found = sync(self._store.get(key, default_buffer_prototype(), wanted))
        except icechunk.IcechunkError as error:
            raise Unreadable(f"Icechunk cannot read it: {_line(error)}") from error
        return None if found is None else bytes(found.to_bytes())

    def size(self, key: str) -> int:
        try:
            return int(sync(self._store.getsize(key)))
        except (FileNotFoundError, KeyError):
            return 0

    def folders(self, path: str) -> list[str]:
        async def listed() -> list[str]:
            return [name async for name in self._store.list_dir(path)]

        return sorted(name for name in sync(listed()) if not name.endswith("zarr.json"))
