"""Zip archives of files as they are: stored, not compressed again, of any size, the same bytes for the same files.

A member is written while it is read, so that nothing is held in memory, and an archive whose writer died goes on after
its last whole member. Times are those of no clock (1980-01-01), so that equal content gives equal archives.
Source of the layout: PKWARE's APPNOTE.TXT 6.3.10.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any

from terrella.errors import Internal, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

MEDIA_TYPE = "application/zip"
BLOCK = 1 << 20
_MOST_32 = 0xFFFFFFFF
"""What the fields of 32 bits hold; from this on the number stands in the extra field of zip64."""
_MOST_16 = 0xFFFF
_DATE = 0x21
"""1 January 1980, as MS-DOS counted."""
_UTF8 = 0x0800
_PLAIN, _ZIP64 = 20, 45
"""Version that a reader needs."""
_MADE_BY = (3 << 8) | _ZIP64
_MODE = 0o100644 << 16
_LOCAL = struct.Struct("<IHHHHHIIIHH")
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
_END = struct.Struct("<IHHHHIIH")
_END64 = struct.Struct("<IQHHIIQQQQ")
_LOCATOR = struct.Struct("<IIQI")
_CRC_AT = 14
_UNSAFE = re.compile(r"[\x00-\x1f\x7f<>:\"|?*\\/]+")


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive: `offset` of its header, `size` and `crc` of its content, `sha256` in hex."""

    name: str
    size: int
    crc: int
    offset: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Member:
        return cls(**document)

    @property
    def end(self) -> int:
        """Where the next member begins."""
        return self.offset + len(_local(self.name, self.size, 0)) + self.size


class Zip:
    """Writes an archive into a file that can seek. What is in the file already counts for nothing unless `adopt`ed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = file.seek(0, 2)
        self.members: list[Member] = []
        self._names: set[str] = set()
        self._end = 0

    def adopt(self, members: Iterable[Member]) -> bool:
        """Take over members that an earlier writer put into the file next; whether they are all there."""
        found = list(members)
        if not found or found[0].offset != self._end or found[-1].end > self._size:
            return not found
        self.members += found
        self._names |= {one.name for one in found}
        self._end = found[-1].end
        return True

    def add(self, name: str, size: int, blocks: Iterable[bytes]) -> Member:
        """Write one member. Raises Unreadable where `blocks` are not `size` bytes; what came of it is cut off again."""
        self._check(name)
        offset, crc, left, digest = self._end, 0, size, hashlib.sha256()
        self._file.seek(offset)
        self._file.truncate()
        self._file.write(_local(name, size, 0))
        for block in blocks:
            left -= len(block)
            if left < 0:
                break
            crc = zlib.crc32(block, crc)
            digest.update(block)
            self._file.write(block)
        if left:
            self._file.seek(offset)
            self._file.truncate()
            raise Unreadable(f"{name[-200:]!r} has another size than it said: it changed while it was read.")
        self._file.seek(offset + _CRC_AT)
        self._file.write(struct.pack("<I", crc))
        made = Member(name, size, crc, offset, digest.hexdigest())
        self.members.append(made)
        self._names.add(name)
        self._end = made.end
        self._file.flush()
        return made

    def close(self) -> int:
        """Write the table at the end; the size of the whole archive. The file itself stays open."""
        self._file.seek(self._end)
        self._file.truncate()
        table = b"".join(_central(one) for one in self.members)
        ending = _ending(len(self.members), len(table), self._end)
        self._file.write(table + ending)
        self._file.flush()
        return self._end + len(table) + len(ending)

    def _check(self, name: str) -> None:
        if not name or name.startswith("/") or ".." in name.split("/") or len(name.encode()) > _MOST_16:
            raise Internal(f"{name[:80]!r} cannot be a name in an archive.")
        if name in self._names:
            raise Internal(f"{name[:80]!r} is in the archive already.")


def write_zip(
    path: Path, files: Iterable[tuple[str, Path]], tell: Callable[[Member], None] = lambda _: None
) -> list[Member]:
    """Local files, under their names in it, as a new archive. Raises Unreadable for one that changes meanwhile."""
    with path.open("wb") as out:
        archive = Zip(out)
        for name, file in files:
            tell(archive.add(name, file.stat().st_size, file_blocks(file)))
        archive.close()
    return archive.members


def zip_size(members: Iterable[tuple[str, int]]) -> int:
    """Exactly the bytes of an archive of these names and sizes."""
    offset, table, count = 0, 0, 0
    for name, size in members:
        one = Member(name, size, 0, offset, "")
        offset, table, count = one.end, table + len(_central(one)), count + 1
    return offset + table + len(_ending(count, table, offset))


def file_blocks(path: Path) -> Iterator[bytes]:
    """The content of a file, in pieces."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def safe_name(text: str) -> str:
    """Some text as the name of one file on any system: no folders in it, and never empty."""
    made = _UNSAFE.sub("_", text).strip(". ")
    return made[-200:] or "data"


def _local(name: str, size: int, crc: int) -> bytes:
    encoded, large = name.encode(), size >= _MOST_32
    extra = struct.pack("<HHQQ", 1, 16, size, size) if large else b""
    shown = _MOST_32 if large else size
    needed = _ZIP64 if large else _PLAIN
    head = _LOCAL.pack(0x04034B50, needed, _UTF8, 0, 0, _DATE, crc, shown, shown, len(encoded), len(extra))
    return head + encoded + extra


def _central(one: Member) -> bytes:
    encoded, large, far = one.name.encode(), one.size >= _MOST_32, one.offset >= _MOST_32
    numbers = [one.size, one.size] * large + [one.offset] * far
    extra = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""
    size, offset = _MOST_32 if large else one.size, _MOST_32 if far else one.offset
    head = _CENTRAL.pack(
        0x02014B50,
        _MADE_BY,
        _ZIP64 if numbers else _PLAIN,
        _UTF8,
        0,
        0,
        _DATE,
        one.crc,
        size,
        size,
        len(encoded),
        len(extra),
        0,
        0,
        0,
        _MODE,
        offset,
    )
    return head + encoded + extra


def _ending(count: int, table: int, offset: int) -> bytes:
    """The end of the table, in the form for large archives too where a number needs it."""
    plain = _END.pack(
        0x06054B50, 0, 0, min(count, _MOST_16), min(count, _MOST_16), min(table, _MOST_32), min(offset, _MOST_32), 0
    )
    if count < _MOST_16 and table < _MOST_32 and offset < _MOST_32:
        return plain
    large = _END64.pack(0x06064B50, 44, _MADE_BY, _ZIP64, 0, 0, count, count, table, offset)
    return large + _LOCATOR.pack(0x07064B50, 0, offset + table, 1) + plain
