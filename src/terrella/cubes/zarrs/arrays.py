"""One Zarr array: its chunks by key, whole or inside shards, decoded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from terrella.cubes.cf.layout import grid_of, indices
from terrella.cubes.zarrs.codecs import NotDecodable, Step, dtype_of, fill_of, second_steps, third_steps, without_crc
from terrella.cubes.zarrs.keys import Keys
from terrella.errors import Unreadable

_NOWHERE = 2**64 - 1
_SHARD_INDEXES = 256
_SIZES = 65_536


class ZarrArray:
    """Chunks of an array in the order and shape of the store. Safe for threads. Raises NotDecodable when made."""

    def __init__(self, keys: Keys, path: str, document: dict[str, Any]) -> None:
        dtype = dtype_of(document)
        if dtype is None or dtype.kind not in "biufMm":
            raise NotDecodable(f"type {document.get('data_type', document.get('dtype'))!r}")
        self.dtype = dtype
        self.shape = tuple(int(size) for size in document["shape"])
        self.fill = fill_of(document, dtype)
        self._keys = keys
        self._prefix = f"{path}/" if path else ""
        self._name_chunk = _key_of(document)
        self.outer, self.chunks, self._shard = _chunk_shapes(document)
        self._steps = _steps(document, dtype, self.chunks, self._shard)
        self._sizes: OrderedDict[tuple[int, ...], int] = OrderedDict()
        self._indexes: OrderedDict[str, np.ndarray | None] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def grid(self) -> tuple[int, ...]:
        return grid_of(self.shape, self.chunks)

    def size(self, index: tuple[int, ...]) -> int:
        """Stored bytes of a chunk; 0 for none."""
        known = self._sizes.get(index)
        if known is not None:
            return known
        if self._shard is None:
            return self._remember(index, self._keys.size(self._key(index)))
        key, place = self._in_shard(index)
        table = self._shard_index(key)
        stored = 0 if table is None or int(table[place][0]) == _NOWHERE else int(table[place][1])
        return self._remember(index, stored)

    def chunk(self, index: tuple[int, ...]) -> np.ndarray | None:
        """Decoded; None where it is not stored."""
        raw = self._raw(index)
        self._remember(index, 0 if raw is None else len(raw))
        if raw is None:
            return None
        data: Any = raw
        try:
            for step in self._steps:
                data = step(data)
        except (RuntimeError, ValueError, TypeError, OSError, EOFError) as error:
            raise Unreadable(f"A chunk is damaged: {error}.") from error
        return data  # type: ignore[no-any-return]

    def whole(self) -> np.ndarray:
        """The whole array, for small ones; what is not stored has the fill value."""
        made = (
            np.zeros(self.shape, dtype=self.dtype) if self.fill is None else np.full(self.shape, self.fill, self.dtype)
        )
        for index in indices(self.grid):
            chunk = self.chunk(index)
            if chunk is not None:
                where = tuple(
                    slice(at * size, min((at + 1) * size, length))
                    for at, size, length in zip(index, self.chunks, self.shape, strict=True)
                )
                made[where] = chunk[tuple(slice(0, one.stop - one.start) for one in where)]
        return made

    def _remember(self, index: tuple[int, ...], size: int) -> int:
        with self._lock:
            self._sizes[index] = size
            if len(self._sizes) > _SIZES:
                self._sizes.popitem(last=False)
        return size

    def _key(self, index: tuple[int, ...]) -> str:
        return self._prefix + self._name_chunk(index)

    def _raw(self, index: tuple[int, ...]) -> bytes | None:
        if self._shard is None:
            return self._keys.get(self._key(index))
        key, place = self._in_shard(index)
        table = self._shard_index(key)
        if table is None or int(table[place][0]) == _NOWHERE:
            return None
        return self._keys.part(key, int(table[place][0]), int(table[place][1]))

    def _in_shard(self, index: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
        """Key of the shard of an inner chunk, and its place there."""
        counts = grid_of(self.outer, self.chunks)
        outer = tuple(at // count for at, count in zip(index, counts, strict=True))
        inner = tuple(at % count for at, count in zip(index, counts, strict=True))
        return self._key(outer), inner

    def _shard_index(self, key: str) -> np.ndarray | None:
        """Offsets and lengths of a shard's chunks; kept for the next time."""
        with self._lock:
            if key in self._indexes:
                self._indexes.move_to_end(key)
                return self._indexes[key]
        found = self._read_shard_index(key)
        with self._lock:
            self._indexes[key] = found
            if len(self._indexes) > _SHARD_INDEXES:
                self._indexes.popitem(last=False)
        return found

    def _read_shard_index(self, key: str) -> np.ndarray | None:
        assert self._shard is not None
        counts = grid_of(self.outer, self.chunks)
        checked = self._shard["checked"]
        length = int(np.prod(counts, dtype=np.int64)) * 16 + (4 if checked else 0)
        raw = self._keys.part(key, 0 if self._shard["first"] else -length, length)
        if raw is None:
            return None
        if len(raw) != length:
            raise Unreadable("A shard is too short to hold its index.")
        plain = without_crc(raw) if checked else raw
        return np.frombuffer(plain, dtype="<u8").reshape(*counts, 2)


def _key_of(document: dict[str, Any]) -> Callable[[tuple[int, ...]], str]:
    if document.get("zarr_format") == 2:
        return _joined("", str(document.get("dimension_separator") or "."))
    encoding = document.get("chunk_key_encoding") or {}
    settings = encoding.get("configuration") or {}
    if encoding.get("name") == "v2":
        return _joined("", str(settings.get("separator") or "."))
    if encoding.get("name", "default") != "default":
        raise NotDecodable(f"chunk keys {encoding.get('name')!r}")
    separator = str(settings.get("separator") or "/")
    return _joined(f"c{separator}", separator)


def _joined(start: str, separator: str) -> Callable[[tuple[int, ...]], str]:
    def key(index: tuple[int, ...]) -> str:
        if not index:
            return "c" if start else "0"
        return start + separator.join(map(str, index))

    return key


Shard = dict[str, Any]


def _chunk_shapes(document: dict[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...], Shard | None]:
    """(chunk that has a key, chunk that is decoded, how shards are made)."""
    if document.get("zarr_format") == 2:
        chunks = tuple(max(1, int(size)) for size in document["chunks"])
        return chunks, chunks, None
    grid = document.get("chunk_grid") or {}
    if grid.get("name") != "regular":
        raise NotDecodable(f"chunk grid {grid.get('name')!r}")
    outer = tuple(max(1, int(size)) for size in grid["configuration"]["chunk_shape"])
    codecs = document.get("codecs") or []
    if not any(one.get("name") == "sharding_indexed" for one in codecs):
        return outer, outer, None
    if len(codecs) != 1:
        raise NotDecodable("codecs around sharding")
    settings = codecs[0]["configuration"]
    names = [one.get("name") for one in settings.get("index_codecs") or [{"name": "bytes"}, {"name": "crc32c"}]]
    if names not in (["bytes"], ["bytes", "crc32c"]):
        raise NotDecodable("index codecs of shards")
    shard = {"codecs": settings["codecs"], "checked": "crc32c" in names}
    shard["first"] = settings.get("index_location") == "start"
    return outer, tuple(int(size) for size in settings["chunk_shape"]), shard


def _steps(document: dict[str, Any], dtype: np.dtype[Any], chunks: tuple[int, ...], shard: Shard | None) -> list[Step]:
    if document.get("zarr_format") == 2:
        return second_steps(document, dtype, chunks)
    if document.get("storage_transformers"):
        raise NotDecodable("storage transformers")
    return third_steps(shard["codecs"] if shard else document.get("codecs") or [], dtype, chunks)
