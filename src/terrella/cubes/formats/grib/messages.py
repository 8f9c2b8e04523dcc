"""Messages and fields as bytes: where they lie, and which of their bytes tell a field's identity.

Layouts: WMO Manual on Codes (WMO-No. 306), volume I.2, FM 92 GRIB editions 1 and 2. Edition 1 messages of 8 MiB and
more use ECMWF's convention: the highest bit of the length set, the rest in units of 120 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from terrella.cubes.formats.grib.ccsds import Coding, coding2
from terrella.cubes.formats.grib.simple import Values, values1, values2
from terrella.errors import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 20
_MARK = b"GRIB"
_END = b"7777"
_SAME_BITMAP = b"\xfe"
"""Indicator of section 6: the bitmap given before in this message."""
_WITH_MEMBER = frozenset({1, 26, 30, 36})


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a file; `number` counts from 1, `data` is all of it."""

    number: int
    offset: int
    data: bytes

    @property
    def edition(self) -> int:
        return self.data[7]

    def damaged(self, why: str) -> Unreadable:
        return Unreadable(f"Message {self.number} at byte {self.offset} {why}.")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message; `part` counts from 0 in messages of several fields (edition 2 only).

    Two fields with equal `identity` differ in reference time, ensemble member and values at most; with equal `grid`
    they lie on the same one. `reference` is the coded reference time (year, month, day, hour, minute, second), `member`
    the coded number of the ensemble member, where the layout is one that we know.
    """

    message: Message
    part: int
    parts: int
    identity: bytes
    grid: bytes
    reference: tuple[int, int, int, int, int, int]
    member: int | None
    values: Values | Coding | None = None
    """Where values lie, in sound messages of a packing that allows to read some of them alone; None for any other."""

    @property
    def is_delicate(self) -> bool:
        """Of a packing, or damaged in a way, that may bring the decoder down."""
        return self.values is None

    def alone(self) -> bytes:
        """A message with this field only."""
        return only_field(self.message.data, self.part) if self.parts > 1 else self.message.data


class MessageReader:
    """Walks a file once, front to back; `skipped` counts bytes outside of messages, `seen` gets all."""

    def __init__(self, file: IO[bytes], size: int, seen: object = None) -> None:
        self._file, self._size, self._seen = file, size, seen
        self._buffer, self._at, self._start = b"", 0, 0
        self.skipped = 0

    def __iter__(self) -> Iterator[Message]:
        """Raises Unreadable for a message that is cut off or does not end where it says."""
        number = 0
        while self._find():
            edition = self._buffer[self._at + 7]
            if edition not in (1, 2):
                self._advance(4, skip=True)
                continue
            number += 1
            yield self._message(number, edition)
        self._advance(len(self._buffer) - self._at, skip=True)

    def _message(self, number: int, edition: int) -> Message:
        offset = self._start + self._at
        self._fill(64)
        length = self._length(edition)
        left = self._size - offset
        if length > left:
            raise Unreadable(
                f"Message {number} at byte {offset} is cut off: it has {length} bytes, the file only {left} more."
            )
        self._fill(length)
        data = self._buffer[self._at : self._at + length]
        if length < 16 or data[-4:] != _END:
            raise Unreadable(f"Message {number} at byte {offset} is damaged: it does not end where its length says.")
        self._advance(length)
        return Message(number, offset, data)

    def _length(self, edition: int) -> int:
        head = self._buffer[self._at : self._at + 16]
        if edition == 2:
            return int.from_bytes(head[8:16])
        length = int.from_bytes(head[4:7])
        return self._long_length(length) if length & 0x800000 else length

    def _long_length(self, coded: int) -> int:
        """ECMWF's rule: 120 times the length without its highest bit, less what section 4 gives as its length."""
        at = 8
        self._fill(at + 8)
        flags = self._buffer[self._at + at + 7]
        at += self._u24(at)
        for bit in (0x80, 0x40):
            if flags & bit:
                at += self._u24(at)
        rest = self._u24(at)
        return (coded & 0x7FFFFF) * 120 - rest + 4 if rest < 120 else coded

    def _u24(self, at: int) -> int:
        self._fill(at + 3)
        found = self._buffer[self._at + at : self._at + at + 3]
        return int.from_bytes(found) if len(found) == 3 else 0

    def _find(self) -> bool:
        """Move to the next mark with an edition behind it; whether there is one."""
        while True:
            found = self._buffer.find(_MARK, self._at)
            if found >= 0:
                self._advance(found - self._at, skip=True)
                return self._fill(16)
            keep = min(3, len(self._buffer) - self._at)
            self._advance(len(self._buffer) - self._at - keep, skip=True)
            if not self._fill(keep + 1):
                return False

    def _advance(self, count: int, *, skip: bool = False) -> None:
        if skip and count:
            passed = self._buffer[self._at : self._at + count]
            self.skipped += count - passed.count(0)  # zeros are padding, as old archives have it
        self._at += count

    def _fill(self, count: int) -> bool:
        """Have `count` bytes at hand from here on; whether the file has them."""
        missing = count - (len(self._buffer) - self._at)
        if missing <= 0:
            return True
        more = self._file.read(max(missing, _BLOCK))
        if self._seen is not None:
            self._seen.update(more)  # type: ignore[attr-defined]
        self._start += self._at
        self._buffer, self._at = self._buffer[self._at :] + more, 0
        return len(self._buffer) >= count


def fields(message: Message) -> list[Field]:
    """The fields of a message. Raises Unreadable where its sections do not fit into it."""
    return _edition1(message) if message.edition == 1 else _edition2(message)


def _edition1(message: Message) -> list[Field]:
    data = message.data
    length = int.from_bytes(data[8:11])
    if length < 28 or 8 + length > len(data):
        raise message.damaged("has a damaged section 1")
    product = data[8 : 8 + length]
    grid, at = b"", 8 + length
    if product[7] & 0x80:
        grid = data[at : at + int.from_bytes(data[at : at + 3])]
        at += len(grid)
    bitmap = at if product[7] & 0x40 else None
    if bitmap is not None:
        at += int.from_bytes(data[at : at + 3])
    year, month, day, hour, minute = product[12:17]
    reference = ((product[24] - 1) * 100 + year, month, day, hour, minute, 0)
    # Centre (octet 5) or sub-centre (octet 26) 98 is ECMWF.
    local, member = _member1(product[25:]) if 98 in {product[4], product[25]} else (product[25:], None)
    identity = b"\x01" + product[:12] + product[17:24] + local
    values = values1(data, bitmap, at, product[26:28])
    return [Field(message, 0, 1, identity, b"\x01" + grid, reference, member, values)]


def _member1(rest: bytes) -> tuple[bytes, int | None]:
    """Octet 26 on; the member (octet 50) is blanked in those of ECMWF's local definitions (octet 41) that have it."""
    if len(rest) < 26 or rest[15] not in _WITH_MEMBER:
        return rest, None
    return rest[:24] + rest[25:], rest[24]


def _edition2(message: Message) -> list[Field]:
    """Sections 2 to 7, 3 to 7 or 4 to 7 may repeat: one field a section 7."""
    found: list[tuple[bytes, bytes, int | None, Values | Coding | None]] = []
    latest: dict[int, bytes] = {}
    places: dict[int, int] = {}
    for number, at, section in sections2(message):
        if number == 6 and section[5:6] == _SAME_BITMAP and 6 in places:
            continue
        latest[number], places[number] = section, at
        if number == 7:
            product, member = _member2(latest.get(4, b""))
            values = values2(latest, places) or coding2(latest, places)
            found.append((latest.get(2, b"") + product, latest.get(3, b""), member, values))
    first = latest.get(1, b"")
    if len(first) < 21 or not found:
        raise message.damaged("lacks sections that a field needs")
    reference = (int.from_bytes(first[12:14]), first[14], first[15], first[16], first[17], first[18])
    common = message.data[6:7] + first[:12] + b"......." + first[19:]
    return [
        Field(message, part, len(found), b"\x02" + common + product, b"\x02" + grid, reference, member, values)
        for part, (product, grid, member, values) in enumerate(found)
    ]


def _member2(section: bytes) -> tuple[bytes, int | None]:
    """Section 4 with the member blanked: octet 36 of product definition templates 1 and 11."""
    if len(section) < 37 or int.from_bytes(section[7:9]) not in (1, 11):
        return section, None
    return section[:35] + section[36:], section[35]


def sections2(message: Message) -> Iterator[tuple[int, int, bytes]]:
    """(number, place, bytes) of the sections of an edition 2 message; of section 7 its first five bytes."""
    data, at, end = message.data, 16, len(message.data) - 4
    while at < end:
        length, number = int.from_bytes(data[at : at + 4]), data[at + 4]
        if length < 5 or at + length > end or not 1 <= number <= 7:
            raise message.damaged(f"has a damaged section at its byte {at}")
        yield number, at, data[at : at + (5 if number == 7 else length)]
        at += length


def only_field(data: bytes, part: int) -> bytes:
    """An edition 2 message with one field of a message that has several."""
    latest: dict[int, bytes] = {}
    at, seen = 16, -1
    while at < len(data) - 4 and seen < part:
        length, number = int.from_bytes(data[at : at + 4]), data[at + 4]
        section = data[at : at + length]
        if not (number == 6 and length == 6 and section[5:6] == _SAME_BITMAP):
            latest[number] = section
        seen += number == 7
        at += max(length, 5)
    body = b"".join(latest[number] for number in sorted(latest))
    return data[:8] + (16 + len(body) + 4).to_bytes(8) + body + _END
