"""Who asks over HTTP: a request becomes a Caller, once, before anything else happens.

A key may come as `Bearer`, as the password of `Basic`, as `EmailKey MAIL:KEY`, several of these in one header with
commas between, in `PRIVATE-TOKEN` or `X-API-Key`. Browsers show the cookie of their session.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse

from terrella.access.credentials import credentials_from, mark_of
from terrella.access.rules import check_writer
from terrella.api.errors import render, report_of
from terrella.errors import Denied, TerrellaError, Unauthenticated
from terrella.model.caller import ANONYMOUS, Caller

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from terrella.access.access import Access

COOKIE = "terrella_session"
UNGUARDED = frozenset({"/health", "/ready"})
"""Answered without a look at credentials; what lies below /static too."""
OPEN = frozenset(
    {
        "/",
        "/api",
        "/api.html",
        "/favicon.ico",
        "/account/sign-in",
        "/account/login",
        "/account/issuer",
        "/account/callback",
        "/connect",
        "/api/v1/test",
        "/identity/gettoken",
        "/identity/refreshtoken",
        "/hda-broker/gettoken",
        "/hda-broker/refreshtoken",
    }
)
"""Answered without credentials even where anonymous reading is off: pages, and the doors at which one signs in."""
OPEN_BELOW = ("/d/",)
"""The same for all that lies below: signed links are their own credentials."""

_TOKENS = frozenset({b"private-token", b"x-api-key"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def caller_of(request: HTTPConnection) -> Caller:
    """The caller behind a request; what `Identified` found out."""
    found: Caller = request.scope.get("state", {}).get("caller", ANONYMOUS)
    return found


def writer_of(request: HTTPConnection) -> Caller:
    """The caller behind a request that changes the catalogue. Raises Unauthenticated, Denied."""
    caller = caller_of(request)
    check_writer(caller)
    return caller


@dataclass(slots=True)
class _Shown:
    """The credential headers of a request, as they came."""

    authorizations: list[bytes] = field(default_factory=list)
    tokens: list[bytes] = field(default_factory=list)
    session: bytes = b""

    @property
    def is_anything(self) -> bool:
        return self.is_program or bool(self.session)

    @property
    def is_program(self) -> bool:
        return bool(self.authorizations or self.tokens)

    @property
    def is_session(self) -> bool:
        """Whether only a browser's cookie speaks: it is sent unasked, so it is believed less."""
        return bool(self.session) and not self.is_program


class Identified:
    """ASGI: finds out who asks, and turns away whoever shows something wrong or, where the site wants it, nothing."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNGUARDED or scope["path"].startswith("/static/"):
            await self.app(scope, receive, send)
            return
        shown = _shown(scope)
        try:
            caller = await self._caller(scope, shown)
        except TerrellaError as error:
            request = Request(scope)
            refusal = render(request, report_of(error, request))
            if isinstance(error, Unauthenticated) and _is_browser_page(request) and not shown.is_program:
                path = quote(scope["path"])
                refusal = RedirectResponse(f"/account/login?{urlencode({'next': path})}", 303)
            await refusal(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        ended = shown.is_session and caller.is_anonymous
        await self.app(scope, receive, _without_session(send) if ended else send)

    async def _caller(self, scope: Scope, shown: _Shown) -> Caller:
        caller = await self._shown_caller(scope, shown) if shown.is_anything else self.access.anonymous
        if caller.is_anonymous and not self.access.settings.anonymous and not _is_open(scope["path"]):
            raise Unauthenticated("This site answers to those who have an account: send a key, or sign in at /account.")
        return caller

    async def _shown_caller(self, scope: Scope, shown: _Shown) -> Caller:
        if not shown.is_session:
            return await self._proved(shown.authorizations, shown.tokens)
        try:
            caller = await self._proved([], [shown.session])
        except Unauthenticated:  # an old cookie, which the browser sends unasked: no reason to refuse a public page
            return self.access.anonymous
        if scope["method"] not in _SAFE_METHODS and not is_same_origin(scope):
            raise Denied("This was sent from another site's page, so it is not done in your name.")
        return caller

    async def _proved(self, authorizations: list[bytes], tokens: list[bytes]) -> Caller:
        mark = mark_of((*authorizations, b"", *tokens))
        known = self.access.known(mark)
        if known is not None:
            return known
        return await run_in_threadpool(self.access.authenticate, credentials_from(authorizations, tokens, mark))


def is_same_origin(scope: Scope) -> bool:
    """Whether a browser says that a page of this very site sent the request."""
    headers = dict(scope["headers"])
    if fetch := headers.get(b"sec-fetch-site"):
        return fetch in {b"same-origin", b"none"}
    origin = headers.get(b"origin", b"").decode("latin-1")
    return bool(origin) and urlsplit(origin).netloc == headers.get(b"host", b"").decode("latin-1")


def _is_browser_page(request: Request) -> bool:
    """Whether somebody opens an address in a browser, who can be shown the page to sign in."""
    return request.method == "GET" and request.headers.get("sec-fetch-mode") == "navigate"


def _shown(scope: Scope) -> _Shown:
    found = _Shown()
    for name, value in scope["headers"]:
        if name == b"authorization":
            found.authorizations.append(value)
        elif name in _TOKENS:
            found.tokens.append(value)
        elif name == b"cookie":
            found.session = found.session or _session_in(value)
    return found


def _session_in(cookies: bytes) -> bytes:
    wanted = COOKIE.encode() + b"="
    for cookie in cookies.split(b";"):
        if cookie.strip().startswith(wanted):
            return cookie.strip().removeprefix(wanted)
    return b""


def _is_open(path: str) -> bool:
    return path in OPEN or path.startswith(OPEN_BELOW)


def _without_session(send: Send) -> Send:
    """Tells the browser to forget a session that has ended, unless the answer starts another."""

    async def forgetting(message: Message) -> None:
        if message["type"] == "http.response.start":
            started = any(name == b"set-cookie" and COOKIE.encode() in value for name, value in message["headers"])
            if not started:
                cookie = f"{COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax".encode()
                message = {**message, "headers": [*message["headers"], (b"set-cookie", cookie)]}
        await send(message)

    return forgetting
