"""ZIP archives made while they are sent, of a size known before: whole products of several files, never compressed.

The format: PKWARE, "APPNOTE.TXT", 6.3.10: stored members with data descriptors, always with ZIP64 records.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from terrella.api.files import disposition
from terrella.api.ranges import decide
from terrella.errors import NotFound, TooLarge

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from starlette.requests import Request

MOST_MEMBERS = 100_000
MEDIA_TYPE = "application/zip"
_PIECE = 1 << 20
_FLAGS = 0x0808
"""A descriptor follows the bytes; names are UTF-8."""
_VERSION, _STORED, _FULL = 45, 0, 0xFFFFFFFF
_LOCAL, _LOCAL_EXTRA = struct.Struct("<IHHHHHIIIHH"), struct.Struct("<HHQQ")
_DESCRIPTOR = struct.Struct("<IIQQ")
_CENTRAL, _CENTRAL_EXTRA = struct.Struct("<IHHHHHHIIIHHHHHII"), struct.Struct("<HHQQQ")
_END64, _LOCATOR, _END = struct.Struct("<IQHHIIQQQQ"), struct.Struct("<IIQI"), struct.Struct("<IHHHHIIH")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive, as it is now; `modified` in seconds since 1970."""

    name: str
    path: Path
    size: int
    modified: float

    @classmethod
    def of(cls, name: str, path: Path) -> Entry:
        """Raises NotFound."""
        try:
            stat = path.stat()
        except OSError as error:
            raise NotFound(f"A file of this product is not there any more ({error.strerror}).") from error
        return cls(name, path, stat.st_size, stat.st_mtime)


def entries_below(folder: Path) -> list[Entry]:
    """Every file of a folder, named from the folder's own name on, in the order of names. Raises TooLarge."""
    made: list[Entry] = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = type(folder)(place) / name
            if path.is_file() and path.resolve().is_relative_to(folder.resolve()):  # no link leads out of it
                made.append(Entry.of(f"{folder.name}/{path.relative_to(folder).as_posix()}", path))
        if len(made) > MOST_MEMBERS:
            raise TooLarge(f"This product has more than {MOST_MEMBERS:,} files: read it under /zarr or /ogc instead.")
    return made


def archive_size(entries: Sequence[Entry]) -> int:
    """Bytes that `archive` gives."""
    fixed = _LOCAL.size + _LOCAL_EXTRA.size + _DESCRIPTOR.size + _CENTRAL.size + _CENTRAL_EXTRA.size
    names = sum(2 * len(one.name.encode()) for one in entries)
    return sum(one.size for one in entries) + names + fixed * len(entries) + _END64.size + _LOCATOR.size + _END.size


def archive(entries: Sequence[Entry]) -> Iterator[bytes]:
    """The archive, piece by piece. Raises OSError where a file is not what it was."""
    offset, directory = 0, bytearray()
    for one in entries:
        name, when = one.name.encode(), _dos(one.modified)
        extra = _LOCAL_EXTRA.pack(1, 16, 0, 0)
        head = _LOCAL.pack(0x04034B50, _VERSION, _FLAGS, _STORED, *when, 0, _FULL, _FULL, len(name), len(extra))
        yield head + name + extra
        crc = yield from _content(one)
        yield _DESCRIPTOR.pack(0x08074B50, crc, one.size, one.size)
        directory += _member(name, when, crc, one.size, offset)
        offset += len(head) + len(name) + len(extra) + one.size + _DESCRIPTOR.size
    count, size = len(entries), len(directory)
    yield bytes(directory)
    yield _END64.pack(0x06064B50, _END64.size - 12, _VERSION, _VERSION, 0, 0, count, count, size, offset)
    yield _LOCATOR.pack(0x07064B50, 0, offset + size, 1)
    yield _END.pack(0x06054B50, 0, 0, 0xFFFF, 0xFFFF, _FULL, _FULL, 0)


def _content(one: Entry) -> Generator[bytes, None, int]:
    """Pieces of the file; returns its CRC-32."""
    crc, left = 0, one.size
    with one.path.open("rb") as file:
        while left:
            piece = file.read(min(_PIECE, left))
            if not piece:
                raise OSError("a file became shorter while it was sent")
            crc, left = zlib.crc32(piece, crc), left - len(piece)
            yield piece
    return crc


def _member(name: bytes, when: tuple[int, int], crc: int, size: int, offset: int) -> bytes:
    extra = _CENTRAL_EXTRA.pack(1, 24, size, size, offset)
    unix = 0o100644 << 16
    head = _CENTRAL.pack(
        0x02014B50, 3 << 8 | _VERSION, _VERSION, _FLAGS, _STORED, *when, crc, _FULL, _FULL, len(name), len(extra),
        0, 0, 0, unix, _FULL,
    )  # fmt: skip
    return head + name + extra


def _dos(seconds: float) -> tuple[int, int]:
    """Time and date as DOS wrote them: in UTC, from 1980 on, to two seconds."""
    at = datetime.fromtimestamp(max(seconds, 315532800.0), UTC)
    return at.hour << 11 | at.minute << 5 | at.second // 2, (at.year - 1980) << 9 | at.month << 5 | at.day


def serve_archive(request: Request, entries: Sequence[Entry], name: str) -> Response:
    """Answer HEAD, GET and a Range for an archive of these files. The same files give the same bytes."""
    size, tag = archive_size(entries), _tag(entries)
    modified = datetime.fromtimestamp(max((one.modified for one in entries), default=0.0), UTC)
    decision = decide(request.headers, size, tag, modified)
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Last-Modified": format_datetime(modified, usegmt=True),
        "Cache-Control": "private, no-cache, no-transform",
    }
    if decision.status in (304, 412):
        return Response(status_code=decision.status, headers=headers)
    if decision.status == 416:
        return Response(status_code=416, headers={"Accept-Ranges": "bytes", "Content-Range": f"bytes */{size}"})
    headers |= {"Content-Disposition": disposition(name), "X-Content-Type-Options": "nosniff"}
    # several ranges would mean to read the files again for each: the whole is a valid answer
    first, end = decision.ranges[0] if len(decision.ranges) == 1 else (0, size)
    status = 206 if len(decision.ranges) == 1 else 200
    headers["Content-Length"] = str(end - first)
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    if request.scope.get("terrella.head"):
        return Response(status_code=status, headers=headers, media_type=MEDIA_TYPE)
    return StreamingResponse(_between(archive(entries), first, end), status, headers, MEDIA_TYPE)


def _between(pieces: Iterator[bytes], first: int, end: int) -> Iterator[bytes]:
    at = 0
    for piece in pieces:
        if at >= end:
            return
        if at + len(piece) > first:
            yield piece[max(first - at, 0) : end - at]
        at += len(piece)


def _tag(entries: Sequence[Entry]) -> str:
    facts = "\n".join(f"{one.name}\t{one.size}\t{one.modified!r}" for one in entries)
    return f'"{hashlib.sha256(facts.encode()).hexdigest()[:40]}"'
