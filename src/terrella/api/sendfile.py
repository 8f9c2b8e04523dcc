"""Files straight from the kernel to the socket, for servers that run on our protocol.

ASGI has no word for a part of a file. So a body may be a `FilePart`: it has a length, which is all that the layers on
its way look at, and the transport of our protocol hands it to sendfile(2). Whoever sends one awaits `flush`, which
stands in the scope's extensions where all this is possible.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Scope

EXTENSION = "terrella.sendfile"
_AT_ONCE = 1 << 20
"""Bytes of one call: it holds up all other requests when the file is not in memory."""
_CALLS = 8
"""One after the other, before others get their turn: a client that reads fast would never end."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """From `first` to `end`, excluded, of an open file."""

    descriptor: int
    first: int
    end: int

    def __len__(self) -> int:
        return self.end - self.first


def flush_of(scope: Scope) -> Callable[[], Awaitable[None]] | None:
    """What sends the parts that were handed over; None where parts cannot be sent."""
    found: Callable[[], Awaitable[None]] | None = (scope.get("extensions") or {}).get(EXTENSION)
    return found


class SendfileProtocol(HttpToolsProtocol):
    """uvicorn's protocol, whose answers may have file parts."""

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        transport: Any = self.transport
        if transport.get_extra_info("sslcontext") is None and hasattr(os, "sendfile"):
            ours: Any = _PartTransport(transport)
            self.cycle.transport = ours
            extensions: Any = self.scope.setdefault("extensions", {})
            extensions[EXTENSION] = ours.flush


class _PartTransport:
    """A transport that also takes file parts, one at a time."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._part: FilePart | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes | FilePart) -> None:
        if isinstance(data, FilePart):
            self._part = data
        else:
            self._transport.write(data)

    async def flush(self) -> None:
        """Send the part. Raises ConnectionError when the client has gone."""
        part, self._part = self._part, None
        if part is None:
            return
        while self._transport.get_write_buffer_size():  # what was written before goes first
            self._insist()
            await asyncio.sleep(0.0005)
        self._insist()
        # a second number for the same socket: the loop watches the first one for itself
        socket = os.dup(self._transport.get_extra_info("socket").fileno())
        try:
            await _send(socket, part)
        finally:
            os.close(socket)

    def _insist(self) -> None:
        if self._transport.is_closing():
            raise ConnectionResetError("the client has gone")


async def _send(socket: int, part: FilePart) -> None:
    """Each time that the socket takes more, from the loop itself: others get their turn in between."""
    loop = asyncio.get_running_loop()
    sending = _Sending(socket, part, loop.create_future())
    loop.add_writer(socket, sending.more)
    try:
        await sending.done
    finally:
        loop.remove_writer(socket)


class _Sending:
    """A part on its way into a socket."""

    def __init__(self, socket: int, part: FilePart, done: asyncio.Future[None]) -> None:
        self.done = done
        self._socket = socket
        self._part = part
        self._at = part.first

    def more(self) -> None:
        """As much as the socket takes now, within limits."""
        try:
            for _ in range(_CALLS):
                if self.done.done():
                    return
                self._once()
        except BlockingIOError:
            return
        except OSError as error:
            self.done.set_exception(error)

    def _once(self) -> None:
        count = min(_AT_ONCE, self._part.end - self._at)
        sent = os.sendfile(self._socket, self._part.descriptor, self._at, count)
        self._at += sent
        if sent == 0:
            raise OSError("the file became shorter while it was sent")
        if self._at == self._part.end:
            self.done.set_result(None)
