"""Reading one field: its message's bytes, decoded by ecCodes, in the order of the grid's cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj  # noqa: F401 -- before ecCodes: libproj clash

# isort: split
import eccodes

from terrella.cubes.formats.grib.cells import Cells, message_places
from terrella.cubes.formats.grib.messages import only_field
from terrella.cubes.formats.grib.simple import Values
from terrella.errors import Internal, Unreadable
from terrella.storage import files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terrella.contracts.formats import Index
    from terrella.model.scan import ArrayScan

MISSING = -1e300
"""What ecCodes is asked to write where a field is missing: no real value, and a number in every packing."""


class GribSource:
    """One array of a GRIB file: a chunk is a field. Nothing is kept open here, so threads may share it."""

    def __init__(self, array: ArrayScan, href: str) -> None:
        if array.table is None:
            raise Internal(f"The array {array.name!r} was scanned without a table of its messages.")
        self._array, self._table, self._href = array, array.table, href
        self._lead = len(array.shape) - int(array.codec["grid_dims"])
        self._ways = [Values(*way) for way in array.codec.get("values", ())]
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
        """The field in a message."""
        fields = self._array.codec.get("fields")
        shape = self._shape
        values = decode(only_field(data, fields[self._flat(index)]) if fields else data, math.prod(shape))
        return arranged(values, shape, self._array.codec).reshape(self._array.chunks)

    def cells_stored(self, indices: np.ndarray, cells: np.ndarray) -> int | None:
        """Bytes of the messages that hold these cells; None where some of them has better to be decoded as a whole."""
        if not self._ways:
            return None
        total = 0
        for way, rows in self._by_way(indices):
            some = self._cells(way, cells)
            if some is None or not some.is_worth_it:
                return None
            total += some.size * rows.size
        return total

    def load_cells(self, indices: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Cells by bit offset, without decoding the message. Raises Unreadable."""
        flat = self._messages(indices)
        out = np.full((len(indices), cells.size), np.nan)
        for way, rows in self._by_way(indices):
            some = self._cells(way, cells)
            if some is None:
                raise Internal("Single cells were asked for where messages have to be decoded.")
            out[rows] = some.load(self._href, self._table.offsets[flat[rows]])
        is_there = self._table.lengths[flat] > 0
        return out, None if is_there.all() else is_there

    def _cells(self, way: int, cells: np.ndarray) -> Cells | None:
        if way < 0:
            return None
        places = message_places(cells, self._shape, self._array.codec)
        return Cells(self._ways[way], places, math.prod(self._shape))

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


def decode(message: bytes, count: int) -> np.ndarray:
    """All values of a message as coded, missing as NaN. Raises Unreadable, also when they are not `count`."""
    if message[:4] != b"GRIB" or message[-4:] != b"7777":
        raise Unreadable("There is no GRIB message where there was one when the file was added.")
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
