"""The portal: its pages for browsers, and the files they are made of. Programs that ask the same addresses get JSON.

The files are built from `portal/` in the repository and come with the package; all of them are public, for they hold
no data: what a visitor may see is asked of the other routes, in the visitor's name.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

FILES = Path(__file__).parent.parent / "portal"
PAGES = frozenset({"/", "/explore", "/discover", "/jobs", "/account"})
"""What browsers open; the portal itself tells them apart."""
_FIRST = "/portal/"
_SECURITY = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; font-src 'self'; object-src 'none'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_TYPES = {".js": "text/javascript; charset=utf-8", ".json": "application/json", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class _File:
    plain: bytes
    packed: bytes
    """The same as gzip; made once."""
    tag: str
    media_type: str


class Portal:
    """ASGI: answers browsers that open a page of the portal, and everything below /portal/; lets all else pass."""

    def __init__(self, app: ASGIApp, files: Path = FILES) -> None:
        self.app = app
        self._folder = files
        self._kept: dict[str, tuple[int, _File]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = self._name(scope) if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} else None
        if name is None or (file := self._file(name)) is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = _Route(scope["path"] if name == "index.html" else _FIRST + "{file}")
        await _answer(Request(scope), file, is_page=name == "index.html")(scope, receive, send)

    def _name(self, scope: Scope) -> str | None:
        path: str = scope["path"]
        if path.startswith(_FIRST):
            return path.removeprefix(_FIRST)
        return "index.html" if path in PAGES and _is_for_people(Request(scope)) else None

    def _file(self, name: str) -> _File | None:
        """A file of the folder itself, read once and again when it changes; None for anything else."""
        path = self._folder / name
        if path.parent != self._folder or name.startswith("."):
            return None
        try:
            changed = path.stat().st_mtime_ns
            if name not in self._kept or self._kept[name][0] != changed:
                self._kept[name] = (changed, _read(path))
        except (OSError, ValueError):  # also names that no file can have
            return None
        return self._kept[name][1]


@dataclass(frozen=True, slots=True)
class _Route:
    """For logs and metrics, which name requests by the template of their route."""

    path_format: str


def _is_for_people(request: Request) -> bool:
    """Whether a browser opens the page: HTML by name in Accept, and nothing else asked for with `f`."""
    return "text/html" in request.headers.get("accept", "") and "f" not in request.query_params


def _read(path: Path) -> _File:
    plain = path.read_bytes()
    tag = f'"{hashlib.sha256(plain).hexdigest()[:32]}"'
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return _File(plain, gzip.compress(plain, 9, mtime=0), tag, kind)


def _answer(request: Request, file: _File, *, is_page: bool) -> Response:
    # names stay the same from build to build, so browsers ask each time whether they still have the newest
    headers = {"ETag": file.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if is_page:
        headers |= {**_SECURITY, "Vary": "Accept, Accept-Encoding"}
    else:  # embeds load these from pages of other sites
        headers |= {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = file.plain
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = file.packed, "gzip"
    return Response(body, media_type=file.media_type, headers=headers)
