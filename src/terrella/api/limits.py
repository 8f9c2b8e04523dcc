"""Limits on what comes in, and compression of what goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request

from terrella.api.errors import Report, render
from terrella.errors import TooLarge

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI: refuses a request body longer than `limit` bytes, counted as they come, so chunked ones too."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _declared_length(scope) > self.limit:
            report = Report(413, TooLarge.kind, self._message(), "body", headers={"Connection": "close"})
            await render(Request(scope), report)(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limit:
                raise HTTPException(413, self._message(), headers={"Connection": "close"})
            return message

        await self.app(scope, counted, send)

    def _message(self) -> str:
        return f"The request body is too long: at most {self.limit} bytes are taken here (limits.body_bytes)."


def _declared_length(scope: Scope) -> int:
    text = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(text) if text.isdigit() else 0


class TextCompression:
    """ASGI: gzip for catalogue documents and pages only: arrays are compressed by their own format or not worth it."""

    def __init__(self, app: ASGIApp, prefixes: tuple[str, ...], pages: frozenset[str]) -> None:
        self.plain = app
        # level 1: the answer is cached nowhere, so time counts more than the last tenth of size
        self.compressed = GZipMiddleware(app, minimum_size=2000, compresslevel=1)
        self.prefixes = prefixes
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        textual = scope["type"] == "http" and self._is_text(scope["path"])
        await (self.compressed if textual else self.plain)(scope, receive, send)

    def _is_text(self, path: str) -> bool:
        """Not what is downloaded: files of items lie below their documents."""
        return path in self.pages or (path.startswith(self.prefixes) and "/assets/" not in path)
