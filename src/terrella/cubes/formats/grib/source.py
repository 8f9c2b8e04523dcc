"""Reading one field: its message's bytes, decoded by ecCodes, in the order of the grid's cells."""

from __future__ import annotations

import base64
import math
from itertools import islice
from typing import TYPE_CHECKING, Any

import google_crc32c
import numpy as np
import pyproj  # noqa: F401 -- before ecCodes: libproj clash

# isort: split
import eccodes

from terrella.cubes.formats.grib import aec, ccsds
from terrella.cubes.formats.grib.blocks import Blocks, KnownBlocks, Place
from terrella.cubes.formats.grib.ccsds import BlockCells, Coding
from terrella.cubes.formats.grib.cells import Cells, message_places
from terrella.cubes.formats.grib.cropping import cropped
from terrella.cubes.formats.grib.messages import only_field
from terrella.cubes.formats.grib.simple import Values
from terrella.errors import Internal, Unreadable
from terrella.storage import files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terrella.contracts.formats import Index
    from terrella.model.scan import ArrayScan
    from terrella.model.space import Extent

_GONE = "There is no GRIB message where there was one when the file was added."
MISSING = -1e300
"""What ecCodes is asked to write where a field is missing: no real value, and a number in every packing."""


class GribSource:
    """One array of a GRIB file: a chunk is a field. Nothing is kept open here, so threads may share it."""

    def __init__(self, array: ArrayScan, href: str, known: KnownBlocks | None = None) -> None:
        if array.table is None:
            raise Internal(f"The array {array.name!r} was scanned without a table of its messages.")
        self._array, self._table, self._href = array, array.table, href
        self._lead = len(array.shape) - int(array.codec["grid_dims"])
        self._known = KnownBlocks() if known is None else known
        self._ways: list[Values | Coding] = [Values(*way) for way in array.codec.get("values", ())]
        self._ways += [Coding(*way) for way in array.codec.get("blocks", ())]
        self._sums = _sums(array.codec.get("crc32c"))
        way = array.codec.get("way")
        self._way = None if way is None else np.asarray(way, dtype=np.int64)

    def stored(self, index: Index) -> int:
        return int(self._table.lengths[self._flat(index)])

    def load(self, index: Index) -> np.ndarray | None:
        """The field as float64, missing as NaN. Raises Unreadable."""
        place = self.place(index)
        return None if place is None else self.decode(index, files.read_range(self._href, *place))

    def place(self, index: Index) -> tuple[int, int] | None:
        """Offset and length of the message."""
        at = self._flat(index)
        length = int(self._table.lengths[at])
        return (int(self._table.offsets[at]), length) if length else None

    def decode(self, index: Index, data: bytes) -> np.ndarray:
        """The field in a message. Raises Unreadable, also where it is not the message that was added."""
        at, shape = self._flat(index), self._shape
        self._check(at, data)
        return arranged(self._decoded(at, data, math.prod(shape)), shape, self._array.codec).reshape(self._array.chunks)

    def message(self, index: Index, area: Extent | None = None) -> bytes | None:
        """The field's message, byte for byte, or one of the cells in `area`. Raises Unreadable, Unsupported."""
        place = self.place(index)
        if place is None:
            return None
        at, data = self._flat(index), files.read_range(self._href, *place)
        self._check(at, data)
        fields = self._array.codec.get("fields")
        alone = only_field(data, fields[at]) if fields else data
        return alone if area is None else cropped(alone, area)

    def _check(self, at: int, data: bytes) -> None:
        """Decoders of damaged messages give wrong numbers, and some bring the process down."""
        if self._sums is None or google_crc32c.value(data) == self._sums[at]:
            return
        if data[:4] != b"GRIB":
            raise Unreadable(_GONE)
        raise Unreadable("A message is not the one that was added: the file changed, or it was damaged.")

    def _decoded(self, at: int, data: bytes, count: int) -> np.ndarray:
        """Values in the message's order; where its blocks lie is learnt on the way."""
        how = self._coding(at)
        if how is not None and aec.is_here():
            values, blocks = ccsds.decode(data, how, count)
            if (place := self._place(at, how)) is not None:
                self._known.put(self._href, place, blocks)
            return values
        fields = self._array.codec.get("fields")
        return decode(only_field(data, fields[at]) if fields else data, count)

    def _coding(self, at: int) -> Coding | None:
        """How a message is packed that has blocks."""
        way = self._way[at] if self._way is not None else 0 if self._ways else -1
        how = self._ways[way] if way >= 0 else None
        return how if isinstance(how, Coding) else None

    def _place(self, at: int, how: Coding) -> Place | None:
        if self._sums is None:
            return None
        return Place(int(self._table.offsets[at]), int(self._table.lengths[at]), int(self._sums[at]), how.data)

    def _blocks(self, at: int, how: Coding) -> Blocks | None:
        """Where the blocks of a message lie, if that is known."""
        place = self._place(at, how)
        return None if place is None else self._known.get(self._href, place)

    def cells_stored(self, indices: np.ndarray, cells: np.ndarray) -> int | None:
        """Bytes of the messages that hold these cells; None where some of them has better to be decoded as a whole."""
        if not self._ways:
            return None
        flat, places, total = self._messages(indices), self._places(cells), 0
        for way, rows in self._by_way(indices):
            size = self._size(way, flat[rows], places)
            if size is None:
                return None
            total += size
        return total

    def _size(self, way: int, flat: np.ndarray, places: np.ndarray) -> int | None:
        how = self._ways[way] if way >= 0 else None
        if isinstance(how, Values):
            some = Cells(how, places, math.prod(self._shape))
            return some.size * flat.size if some.is_worth_it else None
        if how is None or not aec.is_here():
            return None
        known = [self._blocks(at, how) for at in flat.tolist()]
        if all(one is None for one in known):
            return None  # whole messages are read anyway: then they had better be kept
        whole = self._table.lengths[flat].tolist()
        return sum(
            length if one is None else BlockCells(how, one, places).size
            for one, length in zip(known, whole, strict=True)
        )

    def load_cells(self, indices: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Cells by bit offset, or block by block, without decoding whole messages. Raises Unreadable."""
        flat, places = self._messages(indices), self._places(cells)
        out = np.full((len(indices), cells.size), np.nan)
        for way, rows in self._by_way(indices):
            how = self._ways[way] if way >= 0 else None
            if how is None:
                raise Internal("Single cells were asked for where messages have to be decoded.")
            if isinstance(how, Values):
                some = Cells(how, places, math.prod(self._shape))
                out[rows] = some.load(self._href, self._table.offsets[flat[rows]])
            else:
                out[rows] = self._load_blocks(how, flat[rows], places)
        is_there = self._table.lengths[flat] > 0
        return out, None if is_there.all() else is_there

    def _load_blocks(self, how: Coding, flat: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Some places of messages; those whose blocks are not known are read and decoded whole, and are known then."""
        wanted = [self._spans(at, how, places) for at in flat.tolist()]
        starts = [int(self._table.offsets[at]) for at in flat.tolist()]
        spans = [(start + at, size) for start, (_, own) in zip(starts, wanted, strict=True) for at, size in own]
        parts = iter(files.read_ranges(self._href, [at for at, _ in spans], [size for _, size in spans]))
        out = np.empty((flat.size, places.size))
        for row, (at, (some, own)) in enumerate(zip(flat.tolist(), wanted, strict=True)):
            read = list(islice(parts, len(own)))
            out[row] = self._whole(at, read[0])[places] if some is None else some.values(read)
        return out

    def _spans(self, at: int, how: Coding, places: np.ndarray) -> tuple[BlockCells | None, list[tuple[int, int]]]:
        blocks = self._blocks(at, how)
        if blocks is None:
            return None, [(0, int(self._table.lengths[at]))]
        some = BlockCells(how, blocks, places)
        return some, some.spans

    def _whole(self, at: int, data: bytes) -> np.ndarray:
        self._check(at, data)
        return self._decoded(at, data, math.prod(self._shape))

    def _places(self, cells: np.ndarray) -> np.ndarray:
        return message_places(cells, self._shape, self._array.codec)

    def _by_way(self, indices: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Each way of packing, and the rows of the messages that are packed so."""
        flat = self._messages(indices)
        rows = np.flatnonzero(self._table.lengths[flat])
        if self._way is None:
            yield 0, rows
            return
        ways = self._way[flat[rows]]
        for way in np.unique(ways).tolist():
            yield way, rows[ways == way]

    def _messages(self, indices: np.ndarray) -> np.ndarray:
        """Place in the table of each message."""
        sizes = self._array.shape[: self._lead]
        if not sizes:
            return np.zeros(len(indices), dtype=np.int64)
        return np.asarray(np.ravel_multi_index(tuple(indices[:, : self._lead].T), sizes))

    @property
    def _shape(self) -> tuple[int, ...]:
        """Of the grid."""
        return self._array.shape[self._lead :]

    def _flat(self, index: Index) -> int:
        sizes = self._array.shape[: self._lead]
        return int(np.ravel_multi_index(index[: self._lead], sizes)) if sizes else 0


def _sums(coded: str | None) -> np.ndarray | None:
    """CRC-32C of each message; None of files that were scanned before it was kept."""
    return None if coded is None else np.frombuffer(base64.b64decode(coded), "<u4")


def decode(message: bytes, count: int) -> np.ndarray:
    """All values of a message as coded, missing as NaN. Raises Unreadable, also when they are not `count`."""
    if message[:4] != b"GRIB" or message[-4:] != b"7777":
        raise Unreadable(_GONE)
    try:
        handle = eccodes.codes_new_from_message(message)
        try:
            coded = eccodes.codes_get_long(handle, "numberOfCodedValues")
            if coded > count or eccodes.codes_get_size(handle, "values") != count:
                raise Unreadable(f"A message does not hold {count} values, as its grid has cells.")
            eccodes.codes_set_double(handle, "missingValue", MISSING)
            values = np.asarray(eccodes.codes_get_values(handle), dtype="<f8")
        finally:
            eccodes.codes_release(handle)
    except eccodes.CodesInternalError as error:
        raise Unreadable(f"ecCodes cannot decode a message: {error}.") from error
    values[values == MISSING] = np.nan
    return values


def arranged(values: np.ndarray, shape: tuple[int, ...], order: dict[str, Any]) -> np.ndarray:
    """Values in the grid's order: row by row, each in the direction of the first.

    `order` says how the message has them: `columns` (points of a column are consecutive), `turning` (every second
    row or column runs backwards).
    """
    if len(shape) != 2:
        return values
    rows = values.reshape(shape[::-1] if order.get("columns") else shape)
    if order.get("turning"):
        rows = rows.copy()
        rows[1::2] = rows[1::2, ::-1]
    if order.get("columns"):
        rows = rows.T
    return np.ascontiguousarray(rows)
