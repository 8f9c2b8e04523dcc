"""The packed block index: scans and cube indexes as bytes, a few bytes a chunk.

Layout: the 8-byte mark, the length of a JSON head (8 bytes, little endian), the head, then one zstd frame. In the head
every array stands as ``{"$": [kind, dtype, shape, start, stop]}``, a slice of the unpacked frame. Integer arrays are
kept as differences between neighbours, because offsets grow evenly: after zstd a message costs two to four bytes.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numcodecs.zstd import Zstd

from terrella.contracts.cubes import CubeIndex, CubeVariable, Piece
from terrella.errors import Unreadable
from terrella.model.scan import ArrayScan, Axis, ChunkTable, FileScan, Packing, Part

MARK = b"TERRIX01"
_CLASSES: dict[str, type] = {
    made.__name__: made
    for made in (FileScan, Part, Axis, ArrayScan, ChunkTable, Packing, CubeIndex, CubeVariable, Piece)
}
_zstd = Zstd(level=6)


def pack(value: Any) -> bytes:
    """A FileScan, a CubeIndex, or JSON holding such, as bytes. Equal values give equal bytes."""
    arrays: list[bytes] = []
    head = json.dumps(_Packer(arrays).packed(value), separators=(",", ":"), sort_keys=True, allow_nan=True).encode()
    return MARK + len(head).to_bytes(8, "little") + head + bytes(_zstd.encode(b"".join(arrays) or b"\0"))


def unpack(data: bytes) -> Any:
    """What `pack` packed. Raises Unreadable."""
    if data[:8] != MARK:
        raise Unreadable("This is no block index of Terrella, or of a newer version of it.")
    end = 16 + int.from_bytes(data[8:16], "little")
    body = memoryview(_zstd.decode(data[end:]))
    return _unpacked(json.loads(data[16:end]), body)


class _Packer:
    """Walks a value and moves its arrays into one body; the same array object is stored once."""

    def __init__(self, body: list[bytes]) -> None:
        self._body = body
        self._length = 0
        self._seen: dict[bytes, list[int]] = {}

    def packed(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return self._array(value)
        if is_dataclass(value):
            return {"@": type(value).__name__} | {
                field.name: self.packed(getattr(value, field.name)) for field in fields(value)
            }
        if isinstance(value, dict):
            return {_escaped(str(key)): self.packed(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.packed(inner) for inner in value]
        return value.item() if isinstance(value, np.generic) else value

    def _array(self, array: np.ndarray) -> dict[str, Any]:
        if array.dtype.kind in "UO":
            return {"$": ["text", "", list(array.shape), [str(text) for text in array.ravel()], 0]}
        kind, flat = "plain", np.ascontiguousarray(array).ravel()
        if array.dtype.kind == "i" and flat.size > 1:
            kind, flat = "delta", np.diff(flat, prepend=flat.dtype.type(0))
        raw = flat.tobytes()
        if raw not in self._seen:
            self._seen[raw] = [self._length, self._length + len(raw)]
            self._length += len(raw)
            self._body.append(raw)
        return {"$": [kind, array.dtype.str, list(array.shape), *self._seen[raw]]}


def _escaped(key: str) -> str:
    """A key that is one of our marks, or an escaped one, gets a mark more: files name their attributes as they like."""
    return key if key.strip("$@") or not key else f"${key}"


def _unescaped(key: str) -> str:
    return key if key.strip("$@") or not key else key[1:]


def _unpacked(value: Any, body: memoryview) -> Any:
    if isinstance(value, list):
        return [_unpacked(inner, body) for inner in value]
    if not isinstance(value, dict):
        return value
    if "$" in value:
        return _array(value["$"], body)
    made = {_unescaped(key): _unpacked(inner, body) for key, inner in value.items() if key != "@"}
    return _object(value["@"], made) if "@" in value else made


def _array(spec: list[Any], body: memoryview) -> np.ndarray:
    kind, dtype, shape, start, stop = spec
    if kind == "text":
        return np.array(start, dtype=np.str_).reshape(shape)
    flat = np.frombuffer(body[start:stop], dtype=dtype)
    return (np.cumsum(flat, dtype=flat.dtype) if kind == "delta" else flat).reshape(shape)


def _object(name: str, values: dict[str, Any]) -> Any:
    made = _CLASSES[name]
    return made(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
