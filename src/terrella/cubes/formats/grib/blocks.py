"""Where the blocks of compressed messages start: learnt when a message is first decoded, kept for later requests.

One file of records for each GRIB file: about a thousandth of its size. A record is found by the message's place and
only believed for the same length and checksum, so that what was learnt of a file that changed is not used.
"""

from __future__ import annotations

import hashlib
import os
import struct
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import google_crc32c
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

_HEAD = struct.Struct("<4sIQQIIII")
"""Mark, CRC-32C of all that follows, the `Place`, numbers of blocks and of firsts."""
_MARK = b"TBL1"
_IN_MEMORY = 32 << 20
_ON_DISK = 1 << 30
"""Bytes of records that are kept in memory, and on disk of one GRIB file."""


class Place(NamedTuple):
    """A field of a file: its message's place and CRC-32C, and where in the message the packed values start."""

    offset: int
    length: int
    checksum: int
    data: int


@dataclass(frozen=True, eq=False)
class Blocks:
    """Of one message: `bits` (one more than blocks) says where in its packed values blocks start and the last ends.

    A block is what can be decoded alone, a reference sample interval in the words of CCSDS. `sums` are CRC-32C of what
    is read for a block. `firsts` (as many as `bits`, or none) are for messages with a bitmap: the cell of each block's
    first value, at the end the number of cells. All are uint32.
    """

    bits: np.ndarray
    sums: np.ndarray
    firsts: np.ndarray

    @property
    def size(self) -> int:
        return int(self.bits.nbytes + self.sums.nbytes + self.firsts.nbytes)

    def packed(self, place: Place) -> bytes:
        body = b"".join(one.astype("<u4").tobytes() for one in (self.bits, self.sums, self.firsts))
        head = _HEAD.pack(_MARK, 0, *place, self.sums.size, self.firsts.size)
        return head[:4] + struct.pack("<I", google_crc32c.value(head[8:] + body)) + head[8:] + body


class KnownBlocks:
    """Safe for threads; several processes may add to one folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._memory: OrderedDict[tuple[str, Place], Blocks] = OrderedDict()
        self._size = 0
        self._written: dict[str, dict[Place, tuple[int, int]]] = {}

    def get(self, href: str, place: Place) -> Blocks | None:
        """What is known of a message; None where it was not decoded yet."""
        with self._lock:
            found = self._memory.get((href, place))
            if found is not None:
                self._memory.move_to_end((href, place))
                return found
            spot = self._places(href).get(place) if self._folder else None
            found = self._read(href, place, *spot) if spot else None
            if found is not None:
                self._keep(href, place, found)
            return found

    def put(self, href: str, place: Place, blocks: Blocks) -> None:
        """Keep what was learnt; a folder that is full or cannot be written is no error."""
        with self._lock:
            if (href, place) in self._memory or (self._folder and place in self._places(href)):
                return
            self._keep(href, place, blocks)
            with suppress(OSError):
                self._write(href, place, blocks)

    def _keep(self, href: str, place: Place, blocks: Blocks) -> None:
        self._memory[href, place] = blocks
        self._size += blocks.size
        while self._size > _IN_MEMORY:
            self._size -= self._memory.popitem(last=False)[1].size

    def _path(self, href: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{hashlib.sha256(href.encode()).hexdigest()[:40]}.blocks"

    def _places(self, href: str) -> dict[Place, tuple[int, int]]:
        """Where in our own file the records are; looked up once."""
        if href not in self._written:
            try:
                self._written[href] = _records(self._path(href).read_bytes())
            except OSError:
                self._written[href] = {}
        return self._written[href]

    def _read(self, href: str, place: Place, start: int, size: int) -> Blocks | None:
        try:
            with self._path(href).open("rb") as file:
                record = os.pread(file.fileno(), size, start)
        except OSError:
            return None
        return _unpacked(record, place)

    def _write(self, href: str, place: Place, blocks: Blocks) -> None:
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        record = blocks.packed(place)
        number = os.open(self._path(href), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            if os.fstat(number).st_size + len(record) > _ON_DISK:
                return
            if os.write(number, record) == len(record):
                end = os.lseek(number, 0, os.SEEK_CUR)
                self._places(href)[place] = (end - len(record), len(record))
        finally:
            os.close(number)


def _records(data: bytes) -> dict[Place, tuple[int, int]]:
    """Where each record starts and how long it is; what a crash left half written is passed over."""
    found: dict[Place, tuple[int, int]] = {}
    at = data.find(_MARK)
    while 0 <= at <= len(data) - _HEAD.size:
        _, _, *place, blocks, firsts = _HEAD.unpack_from(data, at)
        size = _HEAD.size + 4 * (2 * blocks + 1 + firsts)
        if data[at + size : at + size + 4] in (b"", _MARK):
            found[Place(*place)] = (at, size)
            at += size
        else:
            at += 1
        at = data.find(_MARK, at)
    return found


def _unpacked(record: bytes, place: Place) -> Blocks | None:
    """None where the record is not the one that it should be."""
    if len(record) < _HEAD.size:
        return None
    mark, checksum, *stored, blocks, firsts = _HEAD.unpack_from(record)
    if mark != _MARK or Place(*stored) != place or google_crc32c.value(record[8:]) != checksum:
        return None
    numbers = np.frombuffer(record, "<u4", offset=_HEAD.size)
    if numbers.size != 2 * blocks + 1 + firsts:
        return None
    return Blocks(numbers[: blocks + 1], numbers[blocks + 1 : 2 * blocks + 1], numbers[2 * blocks + 1 :])
