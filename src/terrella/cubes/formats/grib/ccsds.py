"""CCSDS packing (edition 2, data representation template 5.42): whole messages, and single values block by block.

Values are ``(R + X * 2**E) / 10**D`` as in simple packing, worked out in ecCodes' steps; X come from the entropy
decoder. Where there is a bitmap, X is the n-th one for the n-th bit that is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import google_crc32c
import numpy as np

from terrella.cubes.formats.grib import aec
from terrella.cubes.formats.grib.blocks import Blocks
from terrella.cubes.formats.grib.simple import is_consistent, power, signed
from terrella.errors import Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD_SIZE = 25
_SIGNED = 1
_CHANGED = "A message is not packed as it was when the file was added: the file changed."


class Coding(NamedTuple):
    """Where in a message section 5, the packed values and the first bit of the bitmap (-1 for none) lie."""

    head: int
    data: int
    bitmap: int
    bits: int
    flags: int
    block: int
    interval: int

    @property
    def packed(self) -> aec.Packed:
        return aec.Packed(self.bits, self.flags, self.block, self.interval)


def coding2(sections: dict[int, bytes], places: dict[int, int]) -> Coding | None:
    """Of an edition 2 message with the sections that hold for one field; None for what ecCodes has better to decode."""
    head, bitmap = sections.get(5, b""), sections.get(6, b"")[5:6]
    if len(head) != HEAD_SIZE or head[9:11] != b"\0\x2a" or not is_consistent(sections):
        return None
    bits, flags, block, interval = head[19], head[21], head[22], int.from_bytes(head[23:25])
    if not 1 <= bits <= 32 or flags & _SIGNED or block not in {8, 16, 32, 64} or not 1 <= interval <= 4096:
        return None
    place = places[6] + 6 if bitmap == b"\0" else -1
    return Coding(places[5], places[7] + 5, place, bits, flags, block, interval)


def decode(message: bytes, how: Coding, count: int) -> tuple[np.ndarray, Blocks]:
    """All `count` cells, missing as NaN, and where their blocks lie. Raises Unreadable."""
    head, data = _head(message, how), _data(message, how)
    mask = _mask(message, how, count)
    coded = int.from_bytes(head[5:9])
    if coded != (count if mask is None else np.count_nonzero(mask)):
        raise Unreadable(f"A message does not hold {count} values, as its grid has cells.")
    numbers, bits = aec.decode(data, coded, how.packed) if coded else (np.zeros(0, "u1"), np.zeros(0, np.int64))
    values = scaled(numbers, head)
    firsts = np.zeros(0, np.int64)
    if mask is not None:
        cells = np.flatnonzero(mask)
        firsts = np.append(cells[:: how.packed.numbers], count)
        whole = np.full(count, np.nan)
        whole[cells] = values
        values = whole
    return values, _blocks(message, how, np.append(bits, 8 * len(data)), firsts)


def _head(message: bytes, how: Coding) -> bytes:
    head = message[how.head : how.head + HEAD_SIZE]
    return _checked(head, how)


def _checked(head: bytes, how: Coding) -> bytes:
    """Section 5. Raises Unreadable where it is another than at scanning."""
    is_same = head[:5] == b"\0\0\0\x19\x05" and head[9:11] == b"\0\x2a" and head[19] == how.bits
    if not is_same or (head[21], head[22], int.from_bytes(head[23:25])) != (how.flags, how.block, how.interval):
        raise Unreadable(_CHANGED)
    return head


def _data(message: bytes, how: Coding) -> bytes:
    length = int.from_bytes(message[how.data - 5 : how.data - 1])
    if length < 5 or message[how.data - 1 : how.data] != b"\x07" or how.data + length - 5 > len(message) - 4:
        raise Unreadable(_CHANGED)
    return message[how.data : how.data + length - 5]


def _mask(message: bytes, how: Coding, count: int) -> np.ndarray | None:
    if how.bitmap < 0:
        return None
    raw = np.frombuffer(message[how.bitmap : how.bitmap + -(-count // 8)], np.uint8)
    if raw.size * 8 < count or how.bitmap + raw.size > how.data:
        raise Unreadable(_CHANGED)
    return np.unpackbits(raw, count=count)


def scaled(numbers: np.ndarray, head: bytes) -> np.ndarray:
    """Values of packed numbers, by section 5."""
    reference = float(np.frombuffer(head[11:15], ">f4")[0])
    binary, decimal = (signed(int.from_bytes(head[at : at + 2])) for at in (15, 17))
    values: np.ndarray = numbers * power(binary, 2)
    values += reference
    values *= power(-decimal, 10)
    return values


def _blocks(message: bytes, how: Coding, bits: np.ndarray, firsts: np.ndarray) -> Blocks:
    if bits[-1] >= 1 << 32:
        raise Unreadable("A message of more than 512 MiB in CCSDS packing cannot be read.")
    made = Blocks(bits.astype("<u4"), np.zeros(bits.size - 1, "<u4"), firsts.astype("<u4"))
    for block in range(made.sums.size):
        spans = spans_of(made, how, block)
        made.sums[block] = google_crc32c.value(b"".join(message[at : at + size] for at, size in spans))
    return made


def spans_of(blocks: Blocks, how: Coding, block: int) -> list[tuple[int, int]]:
    """Offsets in the message and lengths of what holds a block: its packed values, and its part of the bitmap."""
    start, end = int(blocks.bits[block]) // 8, -(-int(blocks.bits[block + 1]) // 8)
    spans = [(how.data + start, end - start)]
    if how.bitmap >= 0:
        start, end = int(blocks.firsts[block]) // 8, -(-int(blocks.firsts[block + 1]) // 8)
        spans.append((how.bitmap + start, end - start))
    return spans


class BlockCells:
    """Some places of one message, whose blocks are known."""

    def __init__(self, how: Coding, blocks: Blocks, places: np.ndarray) -> None:
        self._how, self._blocks, self._places = how, blocks, places
        per = how.packed.numbers
        is_masked = how.bitmap >= 0
        self._of = np.searchsorted(blocks.firsts, places, side="right") - 1 if is_masked else places // per
        self._needed = [block for block in np.unique(self._of).tolist() if block >= 0]
        self._spans = [spans_of(blocks, how, block) for block in self._needed]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Offsets in the message and lengths of what is to be read."""
        return [(self._how.head, HEAD_SIZE), *(span for spans in self._spans for span in spans)]

    @property
    def size(self) -> int:
        return sum(size for _, size in self.spans)

    def values(self, parts: Sequence[bytes]) -> np.ndarray:
        """Values at the places, missing as NaN, from the bytes of `spans`. Raises Unreadable where they changed."""
        head = _checked(parts[0], self._how)
        out = np.full(self._places.size, np.nan)
        width = 2 if self._how.bitmap >= 0 else 1
        for number, block in enumerate(self._needed):
            own = parts[1 + number * width : 1 + (number + 1) * width]
            if google_crc32c.value(b"".join(own)) != self._blocks.sums[block]:
                raise Unreadable("Packed values are not what they were when they were first read: the file changed.")
            rows = np.flatnonzero(self._of == block)
            rows, ranks = self._ranks(block, rows, own)
            if rows.size:
                out[rows] = scaled(self._numbers(block, int(ranks.max()) + 1, own[0])[ranks], head)
        return out

    def _ranks(self, block: int, rows: np.ndarray, own: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Those of the rows that have a value, and which of the block's values that is."""
        places = self._places[rows]
        if self._how.bitmap < 0:
            return rows, places % self._how.packed.numbers
        first = int(self._blocks.firsts[block])
        mask = np.unpackbits(np.frombuffer(own[1], np.uint8))
        mask[: first % 8] = 0
        inside = places - first // 8 * 8
        is_there = mask[inside].astype(bool)
        ranks = np.cumsum(mask, dtype=np.int64)[inside] - 1
        return rows[is_there], ranks[is_there]

    def _numbers(self, block: int, count: int, data: bytes) -> np.ndarray:
        return aec.decode_from(data, int(self._blocks.bits[block]) % 8, count, self._how.packed)
