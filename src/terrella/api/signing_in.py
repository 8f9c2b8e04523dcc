"""Signing in with a browser: by password, or at an OpenID issuer (code flow with PKCE); both end in a cookie.

The cookie holds a session that a script cannot read (HttpOnly) and that other sites' pages cannot send along with a
change (SameSite=Lax, and `Identified` looks at the origin of each).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from terrella.access.credentials import Credentials
from terrella.access.keys import looks_like_key
from terrella.api.account import PAGE_OR_JSON, answer, shown
from terrella.api.account_pages import PAGE_HEADERS, new_key_html, sign_in_html
from terrella.api.caller import COOKIE, caller_of, is_same_origin
from terrella.errors import Denied, Invalid, QuotaExceeded, Unauthenticated
from terrella.model.caller import Caller

if TYPE_CHECKING:
    from terrella.access.access import Access
    from terrella.access.oidc import Issuer
    from terrella.site import Site

_ON_THE_WAY = "terrella_sign_in"
"""Cookie that a browser carries to the issuer and back."""
_MINUTES = 10
_PURPOSE = "sign-in"


def router(site: Site) -> APIRouter:
    """The pages, and what their forms send; only the first is for programs too."""
    pages = _Pages(site.access, site.settings.title)
    made = APIRouter(prefix="/account", tags=["Account"])
    made.add_api_route("/login", pages.login, summary="How to sign in: a page, or JSON", responses=PAGE_OR_JSON)
    for method, path, does in (
        ("POST", "/sign-in", pages.sign_in),
        ("GET", "/issuer", pages.to_issuer),
        ("GET", "/callback", pages.from_issuer),
        ("POST", "/logout", pages.logout),
        ("POST", "/new-key", pages.new_key),
        ("POST", "/end-key", pages.end_key),
    ):
        made.add_api_route(path, does, methods=[method], include_in_schema=False)
    return made


class _Pages:
    def __init__(self, access: Access, title: str) -> None:
        self._access = access
        self._title = title

    def login(
        self, request: Request, back: str = Query("/account", alias="next", max_length=2000, description="Where then?")
    ) -> Response:
        """Which ways there are; the device flow of an issuer is for shells."""
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(self._sign_in_page(_local(back)), headers=PAGE_HEADERS)
        return answer({"password": True, "issuers": [_offered(one) for one in self._issuers]})

    async def sign_in(self, request: Request) -> Response:
        """The form of the page."""
        form = await self._form(request)
        back = _local(_field(form, "next") or "/account")
        name, password = _field(form, "name"), _field(form, "password")
        try:
            caller = await run_in_threadpool(self._proved, name, password)
        except (Unauthenticated, QuotaExceeded) as error:
            status = 401 if isinstance(error, Unauthenticated) else 429
            return HTMLResponse(self._sign_in_page(back, error.message), status, PAGE_HEADERS)
        return await run_in_threadpool(self._signed_in, request, caller, back)

    def to_issuer(
        self, request: Request, issuer: str | None = Query(None, max_length=2000), back: str = Query("/", alias="next")
    ) -> Response:
        """Send the browser to an issuer."""
        chosen = self._access.vouched.issuer(issuer)
        verifier, state, nonce = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        address = chosen.sign_in_address(_callback(request), state, nonce, challenge)
        kept = [chosen.settings.issuer, state, nonce, verifier, _local(back), time.time() + _MINUTES * 60]
        made = RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})
        signed = self._access.links.signed(orjson.dumps(kept).decode(), _PURPOSE)
        _set_cookie(request, made, _ON_THE_WAY, signed, _MINUTES * 60)
        return made

    def from_issuer(self, request: Request) -> Response:
        """The browser comes back, with a code or with the reason why not."""
        issuer, nonce, verifier, back = self._way_back(request)
        if error := request.query_params.get("error"):
            told = request.query_params.get("error_description") or error
            raise Unauthenticated(f"The issuer did not sign you in: {told.replace('expired', 'no longer valid')[:200]}")
        code = request.query_params.get("code", "")
        claims = issuer.claims_for_code(code, _callback(request), verifier, nonce)
        user = self._access.vouched.user_of(issuer, claims)
        made = self._signed_in(request, self._access.caller(user.name), back)
        made.delete_cookie(_ON_THE_WAY, path="/account")
        return made

    def logout(self, request: Request) -> Response:
        """End the session; what was made in it stays. Scripts, which ask for JSON, are sent nowhere."""
        caller = caller_of(request)
        if caller.key and request.cookies.get(COOKIE):
            self._access.keys.revoke(caller.key)
        is_script = request.headers.get("accept") == "application/json"
        made = Response(status_code=204) if is_script else RedirectResponse("/", 303)
        made.delete_cookie(COOKIE, path="/")
        return made

    async def new_key(self, request: Request) -> Response:
        """The form of the account's page."""
        form, caller = await self._form(request), caller_of(request)
        days = _field(form, "days")
        if days and not days.isdecimal():
            raise Invalid("A key ends after a number of days.", parameter="days")
        new = await run_in_threadpool(
            self._access.accounts.make_key,
            caller,
            _field(form, "name"),
            scopes=[str(scope) for scope in form.getlist("scopes")],
            days=float(days) if days else None,
        )
        return HTMLResponse(new_key_html(self._title, shown(new)), headers=PAGE_HEADERS)

    async def end_key(self, request: Request) -> Response:
        form = await self._form(request)
        await run_in_threadpool(self._access.accounts.revoke_key, caller_of(request), _field(form, "key"))
        return RedirectResponse("/account", 303)

    async def _form(self, request: Request) -> FormData:
        """What a form of ours sent. Raises Denied when it comes from another site's page."""
        if not is_same_origin(request.scope):
            raise Denied("This form was sent from another site's page.")
        return await request.form(max_files=0, max_fields=50)

    def _proved(self, name: str, password: str) -> Caller:
        if looks_like_key(password):
            return self._access.authenticate(Credentials((password,)))
        return self._access.sign_in(name, password)

    def _signed_in(self, request: Request, caller: Caller, back: str) -> Response:
        seconds = self._access.settings.session_hours * 3600
        new = self._access.session(caller, seconds)
        made = RedirectResponse(back, 303, headers={"Cache-Control": "no-store"})
        _set_cookie(request, made, COOKIE, new.text, round(seconds), path="/")
        return made

    def _way_back(self, request: Request) -> tuple[Issuer, str, str, str]:
        """Issuer, nonce, PKCE verifier, and where to go. Raises Unauthenticated for a way that did not begin here."""
        kept = orjson.loads(self._access.links.unsigned(request.cookies.get(_ON_THE_WAY, ""), _PURPOSE))
        address, state, nonce, verifier, back, until = kept
        issuer = self._access.vouched.issuer(address)
        given = request.query_params.get("state", "")
        other = request.query_params.get("iss", address) != address  # RFC 9207
        if not hmac.compare_digest(given.encode("utf-8", "replace"), state.encode()) or time.time() > until or other:
            raise Unauthenticated("This sign-in did not begin here, or too long ago: start again at /account/login.")
        return issuer, nonce, verifier, back

    def _sign_in_page(self, back: str, refusal: str = "") -> str:
        named = [(one.settings.issuer, one.settings.title or one.settings.issuer) for one in self._issuers]
        return sign_in_html(self._title, named, back, refusal)

    @property
    def _issuers(self) -> list[Issuer]:
        return list(self._access.vouched.issuers.values())


def _offered(issuer: Issuer) -> dict[str, Any]:
    wanted = issuer.settings
    return {"issuer": wanted.issuer, "client_id": wanted.client_id, "title": wanted.title, "scopes": wanted.scopes}


def _callback(request: Request) -> str:
    return str(request.base_url).rstrip("/") + "/account/callback"


def _local(back: str) -> str:
    """A path of this site, whatever was asked for: nobody is sent elsewhere."""
    sane = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable() and back.isascii()
    return back if sane else "/account"


def _field(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _set_cookie(
    request: Request, response: Response, name: str, value: str, seconds: int, *, path: str = "/account"
) -> None:
    is_secure = request.url.scheme == "https"
    response.set_cookie(name, value, seconds, path=path, secure=is_secure, httponly=True, samesite="lax")
