"""Simple packing: single values of a message, read by bit offset from a few of its bytes.

A value is ``(R + X * 2**E) / 10**D`` (WMO-No. 306, volume I.2: edition 1 section 4, edition 2 data representation
template 5.0), where X has a fixed number of bits. It is worked out in the steps in which ecCodes does it, so that the
last bit is the same. Where there is a bitmap, X is the n-th one for the n-th bit that is set.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from terrella.errors import Unreadable

_MOST_BITS = 32
_HEAD = {1: 11, 2: 21}
"""Bytes that say how values are packed: edition 1 the start of section 4, edition 2 section 5."""


class Values(NamedTuple):
    """Where the packed values of a message lie, as places from its start, and how many bits each has.

    Everything else (reference value, scales of edition 2) is read from the file together with the values.
    """

    edition: int
    head: int
    data: int
    bitmap: int
    """Of the first bit of the bitmap; -1 for none."""
    bits: int
    decimal: int
    """Decimal scale factor of edition 1, which lies far from the rest; 0 in edition 2."""

    @property
    def head_size(self) -> int:
        return _HEAD[self.edition]

    @property
    def window(self) -> int:
        """Bytes that hold a value, wherever in its first byte it starts."""
        return self.bits // 8 if self.bits % 8 == 0 else (self.bits + 14) // 8


def values1(data: bytes, bitmap: int | None, section: int, decimal: bytes) -> Values | None:
    """Of an edition 1 message with its bitmap section (None for none) and section 4 at these places.

    None where values are packed in another way, or where a section is too short for them.
    """
    head = data[section : section + 11]
    if len(head) < 11 or head[3] & 0xF0 or head[10] > _MOST_BITS:
        return None
    if bitmap is not None and data[bitmap + 4 : bitmap + 6] != b"\0\0":
        return None  # a bitmap that the centre keeps, not the message
    length = int.from_bytes(head[:3])
    held = (length - 11) * 8 - (head[3] & 0x0F)
    if bitmap is not None and length >= 120 and ones(data[bitmap + 6 : section]) * head[10] > held:
        return None
    place = -1 if bitmap is None else bitmap + 6
    return Values(1, section, section + 11, place, head[10], signed(int.from_bytes(decimal)))


def values2(sections: dict[int, bytes], places: dict[int, int]) -> Values | None:
    """Of an edition 2 message with the sections that hold for one field; None as for edition 1."""
    head, bitmap = sections.get(5, b""), sections.get(6, b"")[5:6]
    if len(head) != 21 or head[9:11] != b"\0\0" or head[19] > _MOST_BITS or not is_consistent(sections):
        return None
    if int.from_bytes(head[5:9]) * head[19] > 8 * (int.from_bytes(sections[7][:4]) - 5):
        return None
    place = places[6] + 6 if bitmap == b"\0" else -1
    return Values(2, places[5], places[7] + 5, place, head[19], 0)


def is_consistent(sections: dict[int, bytes]) -> bool:
    """Whether there are as many packed values as points, or as the bitmap of the message has for them.

    Decoders rely on it: ecCodes ends the process for some messages that break it.
    """
    head, bitmap = sections.get(5, b""), sections.get(6, b"")
    points, coded = int.from_bytes(sections.get(3, b"")[6:10]), int.from_bytes(head[5:9])
    if bitmap[5:6] == b"\xff":
        return coded == points or (len(head) > 19 and head[19] == 0)
    return bitmap[5:6] == b"\0" and 8 * (len(bitmap) - 6) >= points and ones(bitmap[6:]) == coded


def ones(bitmap: bytes) -> int:
    """Number of bits that are set."""
    return int.from_bytes(bitmap).bit_count()


def signed(coded: int) -> int:
    """Sign and magnitude in 16 bits."""
    return -(coded & 0x7FFF) if coded & 0x8000 else coded


class Heads:
    """What the heads of some messages say; `raw` has one row for each. Raises Unreadable where they changed.

    `count` is the number of values that each must have, -1 where a bitmap leaves that open.
    """

    def __init__(self, how: Values, raw: np.ndarray, count: int) -> None:
        self._how = how
        number = raw.astype(np.int64)
        at = (10, 4, 6) if how.edition == 1 else (19, 15, 11)
        self._bits, self._binary = number[:, at[0]], _signed_pairs(number, at[1])
        reference = np.ascontiguousarray(raw[:, at[2] : at[2] + 4]).view(">u4")[:, 0]
        if how.edition == 1:
            self._reference, self._decimal = _ibm(reference), np.full(len(raw), how.decimal)
            changed = number[:, 3] & 0xF0 != 0
        else:
            self._reference, self._decimal = reference.view(">f4").astype(np.float64), _signed_pairs(number, 17)
            changed = (raw[:, :5] != (0, 0, 0, 21, 5)).any(axis=1) | (number[:, 9] + number[:, 10] != 0)
        if (changed | (self._bits != how.bits)).any() or not self._fits(number, count):
            raise Unreadable("A message is not packed as it was when the file was added: the file changed.")

    def _fits(self, number: np.ndarray, count: int) -> bool:
        """Whether the number of packed values is that of cells."""
        if count < 0 or self._how.bits == 0:
            return True
        if self._how.edition == 2:
            return bool((number[:, 5:9] @ (1 << 24, 1 << 16, 1 << 8, 1) == count).all())
        length = number[:, :3] @ (1 << 16, 1 << 8, 1)
        held = (length - 11) * 8 - (number[:, 3] & 0x0F)
        return bool(((held == count * self._how.bits) | (length < 120)).all())  # below 120: of a message over 8 MiB

    def values(self, packed: np.ndarray) -> np.ndarray:
        """Values of packed numbers, one row for each message; the order of operations is ecCodes'."""
        if self._how.bits == 0:
            return np.broadcast_to(self._reference[:, None], packed.shape).copy()
        binary = _per_message(self._binary, 2)
        decimal = _per_message(-self._decimal, 10)
        values: np.ndarray = (packed * binary[:, None] + self._reference[:, None]) * decimal[:, None]
        return values


def _signed_pairs(number: np.ndarray, at: int) -> np.ndarray:
    coded = number[:, at] * 256 + number[:, at + 1]
    found: np.ndarray = np.where(coded & 0x8000, -(coded & 0x7FFF), coded)
    return found


def _ibm(coded: np.ndarray) -> np.ndarray:
    """IBM/360 single precision: a sign, a power of 16 less 64, 24 bits of fraction."""
    whole = coded.astype(np.int64)
    size = np.ldexp((whole & 0xFFFFFF).astype(np.float64), 4 * ((whole >> 24 & 0x7F) - 64).astype(np.int32) - 24)
    found: np.ndarray = np.where(whole >> 31, -size, size)
    return found


def _per_message(exponents: np.ndarray, base: int) -> np.ndarray:
    return np.array([power(exponent, base) for exponent in exponents.tolist()])


@lru_cache(maxsize=4096)
def power(exponent: int, base: int) -> float:
    """A power by repeated multiplication or division, which rounds as ecCodes does."""
    made = 1.0
    for _ in range(abs(exponent)):
        made = made * base if exponent > 0 else made / base
    return float(base) if exponent == 1 else made


def packed_numbers(raw: np.ndarray, starts: np.ndarray, shifts: np.ndarray, how: Values) -> np.ndarray:
    """Numbers of `how.bits` bits, float64: `shifts` bits after the byte `starts` of each row of `raw`.

    `starts` and `shifts` have one row, for all messages alike, or one for each.
    """
    if how.bits == 0:
        return np.zeros((len(raw), starts.shape[1]))
    window = how.window
    places = starts[:, :, None] + np.arange(window)
    found = raw[np.arange(len(raw))[:, None, None], places] if len(starts) > 1 else raw[:, places[0]]
    number = np.zeros(found.shape[:2], dtype=np.int64)
    for byte in range(window):
        number = number << 8 | found[:, :, byte]
    number >>= 8 * window - how.bits - shifts
    return (number & ((1 << how.bits) - 1)).astype(np.float64)
