"""NetCDF-3: classic, 64-bit offset and 64-bit data files.

Layout: NetCDF Classic Format Specification (Unidata), version bytes 1, 2 and 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from terrella.contracts.formats import ChunkSource
from terrella.cubes.cf.attributes import decoded
from terrella.cubes.cf.layout import CHUNK_BYTES, cut, run_table
from terrella.cubes.cf.packing import NETCDF_FILL
from terrella.cubes.cf.runs import PlainSource, rows_apart
from terrella.cubes.cf.scanned import About, scanned
from terrella.cubes.cf.tree import Layout, LeftOut, Tree, Variable
from terrella.errors import Unreadable
from terrella.model.scan import ArrayScan, ChunkTable, FileScan
from terrella.storage.files import read_range, sha256, state

_TYPES = {1: "i1", 2: "S1", 3: ">i2", 4: ">i4", 5: ">f4", 6: ">f8", 7: "u1", 8: ">u2", 9: ">u4", 10: ">i8", 11: ">u8"}
_FIRST_READ = 1 << 16
_STREAMING = {4: 0xFFFFFFFF, 8: 0xFFFFFFFFFFFFFFFF}


class NetCdf3:
    """Classic NetCDF files, by byte ranges."""

    name = "netcdf3"
    title = "NetCDF 3"

    def claims(self, href: str, head: bytes) -> bool:  # noqa: ARG002 -- the contract
        return head[:3] == b"CDF" and head[3:4] in {b"\x01", b"\x02", b"\x05"}

    def scan(self, href: str) -> Iterable[FileScan]:
        """Raises Unreadable for a broken or cut-off header, or data that the file is too short for."""
        now = state(href)
        header = _Header(href, now.size).parsed()
        tree = Tree({one.name: _variable(one, href) for one in header.arrays}, header.attrs)
        about = About(href, self.name, "application/netcdf", now, sha256(href))
        return [scanned(about, tree, _layout)]

    def source(self, array: ArrayScan, href: str) -> ChunkSource:
        return PlainSource(array, href)


@dataclass(frozen=True, eq=False)
class _Array:
    """A variable of the header. `begin` is where its bytes start, `rows` how many records it has (0: it is fixed)."""

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attrs: dict[str, Any]
    begin: int
    is_record: bool
    stride: int
    """Bytes from one record to the next."""

    @property
    def record_bytes(self) -> int:
        return math.prod(self.shape[1:]) * self.dtype.itemsize


@dataclass(frozen=True, eq=False)
class _Contents:
    arrays: tuple[_Array, ...]
    attrs: dict[str, Any]


class _Header:
    """Reads the header; grows its buffer as needed. Raises Unreadable for what is none."""

    def __init__(self, href: str, size: int) -> None:
        self._href = href
        self._size = size
        self._buffer = read_range(href, 0, min(_FIRST_READ, size))
        self._at = 4
        version = self._buffer[3] if len(self._buffer) > 3 else 0
        self._count_bytes = 8 if version == 5 else 4
        self._offset_bytes = 4 if version == 1 else 8

    def parsed(self) -> _Contents:
        records = self._number(self._count_bytes)
        dims = self._dimensions()
        attrs = self._attributes()
        raw = self._raw_variables(dims)
        record_sizes = [_padded(one, alone=False) for one in raw if one.is_record]
        stride = sum(record_sizes)
        if len(record_sizes) == 1:
            stride = next(one.record_bytes for one in raw if one.is_record)
        if records == _STREAMING[self._count_bytes]:
            records = self._counted(raw, stride)
        arrays = tuple(_with_records(one, records, stride) for one in raw)
        for one in arrays:
            self._check_inside(one)
        return _Contents(arrays, attrs)

    def _counted(self, raw: list[_Array], stride: int) -> int:
        """Records of a file that was being written when its length was not known: as many as fit."""
        begins = [one.begin for one in raw if one.is_record]
        return max(0, self._size - min(begins)) // stride if begins and stride else 0

    def _check_inside(self, one: _Array) -> None:
        if 0 in one.shape:
            return
        if one.is_record:
            end = one.begin + (one.shape[0] - 1) * one.stride + one.record_bytes
        else:
            end = one.begin + math.prod(one.shape) * one.dtype.itemsize
        if end > self._size or one.begin < 0:
            raise Unreadable(
                f"The file was cut off: {one.name} goes on to byte {end:,} of {self._size:,}. Fetch it again."
            )

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > self._size:
            raise Unreadable("The NetCDF header is cut off or broken.")
        if end > len(self._buffer):
            more = min(self._size, max(end, 2 * len(self._buffer)))
            self._buffer = read_range(self._href, 0, more)
        found = self._buffer[self._at : end]
        self._at = end
        return found

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def _count(self, tag: int) -> int:
        """Length of a list with this tag; 0 where it is absent."""
        found = self._number(4)
        count = self._number(self._count_bytes)
        if found not in {0, tag} or (found == 0 and count) or count * 4 > self._size:
            raise Unreadable("The NetCDF header is broken: a list does not start as it should.")
        return count

    def _name(self) -> str:
        length = self._number(self._count_bytes)
        text = decoded(self._take(length))
        self._take(-length % 4)
        return text

    def _dimensions(self) -> list[tuple[str, int]]:
        return [(self._name(), self._number(self._count_bytes)) for _ in range(self._count(10))]

    def _attributes(self) -> dict[str, Any]:
        return {self._name(): self._value() for _ in range(self._count(12))}

    def _value(self) -> Any:
        kind = self._type()
        count = self._number(self._count_bytes)
        size = count * kind.itemsize
        raw = self._take(size)
        self._take(-size % 4)
        if kind.kind == "S":
            return decoded(raw)
        values = np.frombuffer(raw, dtype=kind)
        return values[0] if count == 1 else values

    def _type(self) -> np.dtype[Any]:
        number = self._number(4)
        if number not in _TYPES:
            raise Unreadable(f"The NetCDF header is broken: there is no type {number}.")
        return np.dtype(_TYPES[number])

    def _raw_variables(self, dims: list[tuple[str, int]]) -> list[_Array]:
        return [self._raw_variable(dims) for _ in range(self._count(11))]

    def _raw_variable(self, dims: list[tuple[str, int]]) -> _Array:
        name = self._name()
        ids = [self._number(self._count_bytes) for _ in range(self._rank())]
        if any(one >= len(dims) for one in ids):
            raise Unreadable(f"The NetCDF header is broken: {name} has a dimension that does not exist.")
        attrs = self._attributes()
        kind = self._type()
        self._number(self._count_bytes)  # vsize: overflows in large files, so it is computed
        begin = self._number(self._offset_bytes)
        shape = tuple(dims[one][1] for one in ids)
        is_record = bool(shape) and shape[0] == 0
        return _Array(name, tuple(dims[one][0] for one in ids), shape, kind, attrs, begin, is_record, 0)

    def _rank(self) -> int:
        rank = self._number(self._count_bytes)
        if rank > 1024:
            raise Unreadable("The NetCDF header is broken: a variable has more than 1024 dimensions.")
        return rank


def _padded(one: _Array, *, alone: bool) -> int:
    return one.record_bytes if alone else -(-one.record_bytes // 4) * 4


def _with_records(one: _Array, records: int, stride: int) -> _Array:
    if not one.is_record:
        return one
    shape = (records, *one.shape[1:])
    return _Array(one.name, one.dims, shape, one.dtype, one.attrs, one.begin, is_record=True, stride=stride)


def _variable(one: _Array, href: str) -> Variable:
    """As the tree has it."""
    unwritten = NETCDF_FILL[one.dtype.str[1:]] if one.dtype.kind == "f" else None
    return Variable(one.name, one.dims, one.shape, one.dtype, one.attrs, lambda: _whole(one, href), one, unwritten)


def _whole(one: _Array, href: str) -> np.ndarray:
    """All values of a variable, read in one go (records: with what lies between them)."""
    if 0 in one.shape:
        return np.empty(one.shape, one.dtype)
    if not one.is_record:
        raw = read_range(href, one.begin, math.prod(one.shape) * one.dtype.itemsize)
        return np.frombuffer(raw, dtype=one.dtype).reshape(one.shape)
    inner, rows = one.record_bytes, one.shape[0]
    if one.stride > 64 * max(inner, 512):
        pieces = [read_range(href, one.begin + row * one.stride, inner) for row in range(rows)]
        return np.frombuffer(b"".join(pieces), dtype=one.dtype).reshape(one.shape)
    raw = read_range(href, one.begin, (rows - 1) * one.stride + inner)
    return np.frombuffer(rows_apart(raw, rows, inner, one.stride), dtype=one.dtype).reshape(one.shape)


def _layout(variable: Variable) -> Layout:
    one: _Array = variable.handle
    size = one.dtype.itemsize
    if one.is_record and one.stride != one.record_bytes:
        return _record_layout(one)
    chunks = cut(one.shape, size)
    return Layout(chunks, {"cut": True}, run_table(one.shape, chunks, size, one.begin))


def _record_layout(one: _Array) -> Layout:
    """Records lie between those of other variables: small ones are read several at a time, large ones in parts."""
    rows = max(1, min(one.shape[0], (CHUNK_BYTES // 4) // max(one.stride, 1)))
    if one.shape[0] > 50_000_000:
        raise LeftOut("it has too many records")
    if rows > 1:
        starts = np.arange(0, one.shape[0], rows, dtype=np.int64)
        lengths = (np.minimum(one.shape[0] - starts, rows) - 1) * one.stride + one.record_bytes
        table = ChunkTable(one.begin + starts * one.stride, lengths)
        return Layout((rows, *one.shape[1:]), {"cut": True, "stride": one.stride}, table)
    chunks = (1, *cut(one.shape[1:], one.dtype.itemsize))
    inner = run_table(one.shape[1:], chunks[1:], one.dtype.itemsize, one.begin)
    offsets = inner.offsets[None, :] + np.arange(one.shape[0], dtype=np.int64)[:, None] * one.stride
    lengths = np.broadcast_to(inner.lengths, offsets.shape)
    return Layout(chunks, {"cut": True}, ChunkTable(offsets.reshape(-1), lengths.reshape(-1).copy()))
