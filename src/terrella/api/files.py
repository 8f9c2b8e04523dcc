"""Files over HTTP: whole or by range, resumable, checksummed, never compressed on the way."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import Response

from terrella.api.ranges import decide
from terrella.api.sendfile import FilePart, flush_of
from terrella.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

_PART = 1 << 24
"""Bytes handed to the kernel in one message, so that what a client that went away did not get is not counted."""
_PIECE = 1 << 20
"""Bytes read and sent at once: large, since each piece costs a switch to a thread and back."""


def serve_file(
    request: Request,
    path: Path,
    *,
    media_type: str = "application/octet-stream",
    name: str = "",
    sha256: str = "",
    attachment: bool = True,
) -> Response:
    """Answer HEAD, GET and Range for a file; `name` is what the client saves it as, `sha256` its checksum in hex.

    With a checksum that is the ETag, so that a download may go on after the file was moved or restored; otherwise
    size and time of change are. `request` may be of any route. Raises NotFound.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise NotFound(f"The file is not there any more ({error.strerror}).") from error
    stat = os.fstat(descriptor)
    tag = f'"{sha256}"' if sha256 else f'"{stat.st_size:x}-{stat.st_mtime_ns:x}"'
    modified = datetime.fromtimestamp(stat.st_mtime, UTC)
    decision = decide(request.headers, stat.st_size, tag, modified)
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Last-Modified": format_datetime(modified, usegmt=True),
        "Cache-Control": "private, no-cache, no-transform",
    }
    if decision.status in (304, 412):
        os.close(descriptor)
        return Response(status_code=decision.status, headers=headers)
    if decision.status == 416:
        os.close(descriptor)
        return Response(status_code=416, headers={"Accept-Ranges": "bytes", "Content-Range": f"bytes */{stat.st_size}"})
    headers["Content-Disposition"] = disposition(name or path.name, "attachment" if attachment else "inline")
    headers["X-Content-Type-Options"] = "nosniff"
    if sha256:
        checksum = f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
        headers["Repr-Digest"] = checksum
        if decision.status == 200:
            headers["Content-Digest"] = checksum
    return _FileAnswer(descriptor, stat.st_size, decision.ranges, media_type, headers)


def disposition(name: str, kind: str = "attachment") -> str:
    """Content-Disposition (RFC 6266): the name as plain ASCII for old clients, and as it is."""
    plain = "".join(mark if " " <= mark <= "~" and mark not in '"\\/%' else "_" for mark in name)
    made = f'{kind}; filename="{plain}"'
    return made if plain == name else f"{made}; filename*=UTF-8''{quote(name, safe='')}"


class _FileAnswer(Response):
    """Sends ranges of an open file, none meaning all of it; closes it at the end."""

    def __init__(
        self,
        descriptor: int,
        size: int,
        ranges: tuple[tuple[int, int], ...],
        media_type: str,
        headers: dict[str, str],
    ) -> None:
        self._descriptor = descriptor
        self.background = None
        self.status_code = 206 if ranges else 200
        self._parts = _parts(ranges, size, media_type, headers)
        length = sum(len(part) if isinstance(part, bytes) else part[1] - part[0] for part in self._parts)
        everything = {**headers, "Content-Length": str(length)}
        self.raw_headers = [(key.lower().encode(), value.encode("latin-1")) for key, value in everything.items()]

    def __del__(self) -> None:
        self._close()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 -- ASGI
        try:
            start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            await send(start)
            if not scope.get("terrella.head"):
                for part in self._parts:
                    if isinstance(part, bytes):
                        await send({"type": "http.response.body", "body": part, "more_body": True})
                    else:
                        await self._send_range(scope, send, *part)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except ConnectionError:  # the client has gone: it may come back for the rest
            return
        finally:
            self._close()

    async def _send_range(self, scope: Scope, send: Send, first: int, end: int) -> None:
        flush = flush_of(scope)
        if flush is None:
            await self._read_and_send(send, first, end)
            return
        for start in range(first, end, _PART):
            part: Any = FilePart(self._descriptor, start, min(end, start + _PART))
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await flush()

    async def _read_and_send(self, send: Send, first: int, end: int) -> None:
        """Piece by piece; the next is read while this one is on its way."""
        loop = asyncio.get_running_loop()
        coming = None
        for start in range(first, end, _PIECE):
            piece = await (coming or loop.run_in_executor(None, self._read, start, min(_PIECE, end - start)))
            after = start + _PIECE
            coming = loop.run_in_executor(None, self._read, after, min(_PIECE, end - after)) if after < end else None
            await send({"type": "http.response.body", "body": piece, "more_body": True})

    def _read(self, offset: int, length: int) -> bytes:
        found = os.pread(self._descriptor, length, offset)
        if len(found) != length:
            raise OSError("the file became shorter while it was sent")
        return found


def _parts(
    ranges: tuple[tuple[int, int], ...], size: int, media_type: str, headers: dict[str, str]
) -> list[bytes | tuple[int, int]]:
    """What is sent, in order: texts, and (first, end) of the file. Completes the headers."""
    if len(ranges) <= 1:
        headers["Content-Type"] = media_type
        if not ranges:
            return [(0, size)]
        headers["Content-Range"] = f"bytes {ranges[0][0]}-{ranges[0][1] - 1}/{size}"
        return [ranges[0]]
    boundary = secrets.token_hex(12)
    headers["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
    made: list[bytes | tuple[int, int]] = []
    for first, end in ranges:
        place = f"Content-Type: {media_type}\r\nContent-Range: bytes {first}-{end - 1}/{size}"
        made += [f"--{boundary}\r\n{place}\r\n\r\n".encode(), (first, end), b"\r\n"]
    return [*made, f"--{boundary}--\r\n".encode()]
