"""Chunks whose place in a file is known: read just those bytes, decode, put in our order."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from terrella.cubes.cf.layout import arranged, cut_shape, flat, grid_of, stored_index, stored_sizes
from terrella.errors import Unreadable
from terrella.model.scan import ArrayScan, ChunkTable
from terrella.storage.files import read_range

Decode = Callable[[bytes, int], bytes | np.ndarray]
"""Stored bytes of a chunk, and its number in the order of the file, to plain bytes."""


class TableSource:
    """An array with a chunk table. Codec keys, beside those of `arrange`:

    `cut`: chunks at the end of a dimension are stored short; `stride`: bytes from one index of the first dimension to
    the next (NetCDF-3 records lie between those of other variables).
    """

    def __init__(self, array: ArrayScan, href: str, decode: Decode | None = None) -> None:
        if array.table is None:
            raise Unreadable(f"{array.name} was indexed without its chunks; add the file again.")
        self._table: ChunkTable = array.table
        self._href = href
        self._decode = decode
        self._codec: dict[str, Any] = array.codec
        self._dtype = np.dtype(array.dtype)
        self._grid = grid_of(array.shape, array.chunks)
        self._shape = stored_sizes(array.shape, array.codec)
        self._chunks = stored_sizes(array.chunks, array.codec)
        self._stored_grid = grid_of(self._shape, self._chunks)

    def stored(self, index: tuple[int, ...]) -> int:
        return int(self._table.lengths[flat(index, self._grid)])

    def load(self, index: tuple[int, ...]) -> np.ndarray | None:
        number = flat(index, self._grid)
        length = int(self._table.lengths[number])
        if length == 0:
            return None
        stored = read_range(self._href, int(self._table.offsets[number]), length)
        raw: bytes | np.ndarray = stored
        if self._decode is not None:
            raw = self._decode(stored, flat(stored_index(index, self._codec), self._stored_grid))
        shape = self._chunks
        if self._codec.get("cut"):
            shape = cut_shape(stored_index(index, self._codec), self._shape, self._chunks)
        return arranged(self._shaped(raw, shape), self._codec)

    def _shaped(self, raw: bytes | np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        stride = self._codec.get("stride")
        inner = math.prod(shape[1:]) * self._dtype.itemsize
        if stride and stride != inner:
            raw = rows_apart(raw, shape[0], inner, stride)
        count = math.prod(shape)
        found = np.frombuffer(raw, dtype=np.uint8)
        expected = count * self._dtype.itemsize
        if found.nbytes != expected:
            raise Unreadable(f"A chunk has {found.nbytes} bytes, not {expected}: the file changed.")
        return found.view(self._dtype).reshape(shape)


def rows_apart(raw: bytes | np.ndarray, rows: int, inner: int, stride: int) -> bytes:
    """The first `inner` bytes of each of `rows` records that lie `stride` bytes apart."""
    found = np.frombuffer(raw, dtype=np.uint8)
    if found.nbytes < (rows - 1) * stride + inner:
        raise Unreadable("The file ends before its last record: it changed since it was added.")
    return np.lib.stride_tricks.as_strided(found, (rows, inner), (stride, 1), writeable=False).tobytes()
