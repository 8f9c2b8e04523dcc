"""The door of the broker: a name and a password become a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from terrella.access.credentials import Credentials
from terrella.access.keys import looks_like_key
from terrella.api.bodies import json_object
from terrella.errors import Invalid, Unauthenticated
from terrella.model.caller import ANONYMOUS

if TYPE_CHECKING:
    from terrella.access.access import Access

SECONDS = 3600
"""How long a token is good."""
_LONGEST = 12 * 3600.0
"""How long one that renews others is."""


class Identity:
    """What the routes of /identity do."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def token(self, request: Request) -> Response:
        """A token for somebody with a password; whose password is a key gets that back."""
        given = json_object(await request.body())
        name, password = (given.get(key) for key in ("username", "password"))
        if not isinstance(name, str) or not isinstance(password, str) or not password:
            raise Invalid("Send username and password; the password may be a key.", parameter="password")
        return JSONResponse(await run_in_threadpool(self._signed_in, name, password))

    def _signed_in(self, name: str, password: str) -> dict[str, Any]:
        if self._is_anybody(name):
            return _answer(name, name)
        if looks_like_key(password):
            self._access.authenticate(Credentials(tokens=(password,)))
            return _answer(password, password)
        caller = self._access.sign_in(name, password)
        return _answer(*(self._access.session(caller, seconds).text for seconds in (float(SECONDS), _LONGEST)))

    async def renewed(self, request: Request) -> Response:
        """Another token for the one that came with the last: of a form, or of JSON."""
        body = await request.body()
        if request.headers.get("content-type", "").startswith("application/json"):
            token = json_object(body).get("refresh_token")
        else:
            token = parse_qs(body.decode("utf-8", "replace")).get("refresh_token", [""])[0]
        if not isinstance(token, str) or not token:
            raise Invalid("Send refresh_token.", parameter="refresh_token")
        return JSONResponse(await run_in_threadpool(self._renewed, token))

    def _is_anybody(self, name: str) -> bool:
        """Whether somebody without an account signs in under the name for that, where it is let."""
        return name == ANONYMOUS.name and self._access.settings.anonymous

    def _renewed(self, token: str) -> dict[str, Any]:
        if self._is_anybody(token):
            return _answer(token, token)
        caller = self._access.authenticate(Credentials(tokens=(token,)))
        key = self._access.keys.find(token)
        if key is None:
            raise Unauthenticated("This token renews nothing: sign in again.")
        if key.kind != "session":
            return _answer(token, token)
        return _answer(self._access.session(caller, float(SECONDS)).text, token)


def _answer(access: str, refresh: str) -> dict[str, Any]:
    return {"access_token": access, "refresh_token": refresh, "expires_in": SECONDS, "token_type": "Bearer"}
