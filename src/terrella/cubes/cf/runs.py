"""Chunks whose place in a file is known: read just those bytes, decode, put in our order."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from terrella.cubes.cf.layout import arranged, cut_shape, flat, grid_of, stored_index, stored_sizes
from terrella.cubes.ranges import Ranges
from terrella.errors import Unreadable
from terrella.model.scan import ArrayScan, ChunkTable
from terrella.storage.files import read_range

_CALL = 8192
"""Bytes that are read in the time of a call (measured, local)."""

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
        place = self.place(index)
        return None if place is None else self.decode(index, read_range(self._href, *place))

    def place(self, index: tuple[int, ...]) -> tuple[int, int] | None:
        """Offset and length in the file; None where it is not stored."""
        number = flat(index, self._grid)
        length = int(self._table.lengths[number])
        return (int(self._table.offsets[number]), length) if length else None

    def decode(self, index: tuple[int, ...], data: bytes) -> np.ndarray:
        """The chunk in these bytes, in our order. Raises Unreadable."""
        raw: bytes | np.ndarray = data
        if self._decode is not None:
            raw = self._decode(data, flat(stored_index(index, self._codec), self._stored_grid))
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


class PlainSource(TableSource):
    """An array whose chunks are stored as they are, so that single cells are read by their place."""

    def cells_stored(self, indices: np.ndarray, cells: np.ndarray) -> int | None:
        """Bytes of these cells; None where chunks are as quickly read whole."""
        ranges = self._ranges(self._bytes(cells))
        whole = math.prod(self._chunks) * self._dtype.itemsize
        if ranges.count * _CALL > whole:
            return None
        return ranges.size * int(np.count_nonzero(self._table.lengths[self._numbers(indices)]))

    def load_cells(self, indices: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Cells of chunks that are stored as they are, each by its place. Raises Unreadable, NotFound."""
        numbers = self._numbers(indices)
        is_there = self._table.lengths[numbers] > 0
        places = self._bytes(cells)
        if is_there.any() and (places + self._dtype.itemsize > self._table.lengths[numbers[is_there]].min()).any():
            raise Unreadable("A chunk is smaller than it was when the file was added.")
        ranges = self._ranges(places)
        raw = ranges.load(self._href, self._table.offsets[numbers[is_there]])
        held = ranges.held(places)[:, None] + np.arange(self._dtype.itemsize)
        found = np.zeros((len(indices), cells.size), dtype=self._dtype)
        found[is_there] = np.ascontiguousarray(raw[:, held]).view(self._dtype)[..., 0]
        return found, None if is_there.all() else is_there

    def _ranges(self, places: np.ndarray) -> Ranges:
        return Ranges(places, np.full(places.size, self._dtype.itemsize))

    def _numbers(self, indices: np.ndarray) -> np.ndarray:
        """Places in the table."""
        if not self._grid:
            return np.zeros(len(indices), dtype=np.int64)
        return np.asarray(np.ravel_multi_index(tuple(indices.T), self._grid))

    def _bytes(self, cells: np.ndarray) -> np.ndarray:
        """Where cells of a whole chunk, flat in our order, lie in it as it is stored.

        Chunks that are stored short are short only along their outermost dimension, so that this holds for them too.
        """
        number = np.arange(math.prod(self._chunks), dtype=np.int64) if "transpose" in self._codec else None
        flat_cells = cells if number is None else arranged(number.reshape(self._chunks), self._codec).ravel()[cells]
        size = self._dtype.itemsize
        inner = math.prod(self._chunks[1:])
        stride = self._codec.get("stride") or inner * size
        found: np.ndarray = flat_cells // inner * stride + flat_cells % inner * size
        return found


def rows_apart(raw: bytes | np.ndarray, rows: int, inner: int, stride: int) -> bytes:
    """The first `inner` bytes of each of `rows` records that lie `stride` bytes apart."""
    found = np.frombuffer(raw, dtype=np.uint8)
    if found.nbytes < (rows - 1) * stride + inner:
        raise Unreadable("The file ends before its last record: it changed since it was added.")
    return np.lib.stride_tricks.as_strided(found, (rows, inner), (stride, 1), writeable=False).tobytes()
