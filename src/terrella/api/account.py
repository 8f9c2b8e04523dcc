"""Who am I, and my keys; for administrators all users. JSON for programs; `signing_in` has the pages for people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from terrella.api.account_pages import PAGE_HEADERS, account_html
from terrella.api.caller import caller_of
from terrella.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from terrella.access.access import Access
    from terrella.access.keys import NewKey
    from terrella.model.caller import Caller
    from terrella.site import Site

_ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"description": "Say who you are: send a key."},
    403: {"description": "You may not."},
    409: {"description": "It is there already."},
    429: {"description": "Too many sign in at once: come again after Retry-After seconds."},
}
PAGE_OR_JSON: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}, "application/json": {}}}}
Name = Path(description="Name of a user.", min_length=1, max_length=128)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class WantedKey(_Body):
    """A key to be made."""

    name: str = Field(min_length=1, max_length=100, description="Where it will be used, for you to know it by.")
    scopes: list[Literal["read", "run", "write", "administer"]] | None = Field(
        default=None, min_length=1, max_length=4, description="What it may be used for; all that you may, if left out."
    )
    days: float | None = Field(default=None, gt=0, le=3660, description="When it ends; never, if left out.")
    owner: str | None = Field(default=None, max_length=128, description="Another user, for administrators.")


class Login(_Body):
    """A local user's name and password."""

    name: str = Field(max_length=128)
    password: str = Field(max_length=1024)


class WantedUser(_Body):
    """A user to be added; without a password they sign in with a key only."""

    name: str = Field(min_length=1, max_length=128)
    password: str | None = Field(default=None, min_length=8, max_length=1024)
    roles: list[str] = Field(default_factory=list, max_length=100)
    groups: list[str] = Field(default_factory=list, max_length=100)
    email: str = Field(default="", max_length=254)


class Changes(_Body):
    """What to change about a user; what is left out stays."""

    roles: list[str] | None = Field(default=None, max_length=100)
    groups: list[str] | None = Field(default=None, max_length=100)
    disabled: bool | None = None
    password: str | None = Field(default=None, min_length=8, max_length=1024)
    old_password: str | None = Field(default=None, max_length=1024, description="To change one's own.")


def router(site: Site) -> APIRouter:
    """The routes under /account."""
    routes = _Account(site.access, site.settings.title)
    made = APIRouter(prefix="/account", tags=["Account"], responses=_ERRORS)

    def add(method: str, path: str, does: Callable[..., Response], summary: str, status: int = 200) -> None:
        made.add_api_route(path, does, methods=[method], summary=summary, status_code=status, response_model=None)

    made.add_api_route("", routes.account, summary="Who am I, and what may I do?", responses=PAGE_OR_JSON)
    add("POST", "/login", routes.login, "Sign in with a password; gives a key for some hours")
    add("GET", "/keys", routes.keys, "My keys")
    add("POST", "/keys", routes.make_key, "Make a key; it is shown this once", 201)
    add("DELETE", "/keys/{key}", routes.revoke_key, "End a key at once")
    add("GET", "/users", routes.users, "All users (for administrators)")
    add("POST", "/users", routes.add_user, "Add a user (for administrators)", 201)
    add("GET", "/users/{name}", routes.user, "One user")
    add("PATCH", "/users/{name}", routes.change_user, "Change roles, groups, password, or disable")
    return made


class _Account:
    """Each route parses, makes one call, and answers. They are plain functions, so they run off the event loop."""

    def __init__(self, access: Access, title: str) -> None:
        self._access = access
        self._accounts = access.accounts
        self._title = title

    def account(
        self, request: Request, f: Literal["json", "html"] | None = Query(None, description="json or html.")
    ) -> Response:
        """The caller: name, roles, groups, what they may do, their keys, and what quotas leave."""
        caller = caller_of(request)
        keys = [] if caller.is_anonymous else [key.as_json() for key in self._accounts.keys(caller)]
        document = described(caller) | {"keys": keys, "quotas": quotas_of(request.app.state.site, caller)}
        accept = request.headers.get("accept", "")
        if f == "html" or (f is None and "text/html" in accept):
            return Response(account_html(self._title, document), media_type="text/html", headers=PAGE_HEADERS)
        return answer(document)

    def login(self, body: Login) -> Response:
        """For programs that know a password; better make a key once and keep that."""
        new = self._access.session(self._access.sign_in(body.name, body.password))
        return answer(shown(new))

    def keys(
        self,
        request: Request,
        owner: str | None = Query(None, max_length=128, description="Another user or *, for administrators."),
    ) -> Response:
        """Newest first, also those that ended; never the keys themselves."""
        return answer({"keys": [key.as_json() for key in self._accounts.keys(caller_of(request), owner)]})

    def make_key(self, request: Request, body: WantedKey) -> Response:
        """The answer holds the key; nobody can show it again."""
        new = self._accounts.make_key(
            caller_of(request), body.name, scopes=body.scopes, days=body.days, owner=body.owner
        )
        return answer(shown(new), 201)

    def revoke_key(self, request: Request, key: str = Path(description="Id of a key.", max_length=80)) -> Response:
        """It, keys that were made with it, and links signed with it open nothing any more."""
        return answer(self._accounts.revoke_key(caller_of(request), key).as_json())

    def users(self, request: Request) -> Response:
        """By name."""
        return answer({"users": [user.as_json() for user in self._accounts.users(caller_of(request))]})

    def add_user(self, request: Request, body: WantedUser) -> Response:
        """A local user."""
        user = self._accounts.add_user(
            caller_of(request),
            body.name,
            password=body.password,
            roles=body.roles,
            groups=body.groups,
            email=body.email,
        )
        return answer(user.as_json(), 201)

    def user(self, request: Request, name: str = Name) -> Response:
        """Oneself, or for administrators anybody."""
        return answer(self._accounts.user(caller_of(request), name).as_json())

    def change_user(self, request: Request, body: Changes, name: str = Name) -> Response:
        """All that is given, in one go."""
        if not body.model_fields_set:
            raise Invalid("Say what to change: roles, groups, disabled or password.", parameter="body")
        user = self._accounts.change(
            caller_of(request),
            name,
            roles=body.roles,
            groups=body.groups,
            is_disabled=body.disabled,
            password=body.password,
            old=body.old_password,
        )
        return answer(user.as_json())


def described(caller: Caller) -> dict[str, Any]:
    """A caller as JSON."""
    return {
        "name": caller.name,
        "anonymous": caller.is_anonymous,
        "roles": sorted(caller.roles),
        "groups": sorted(caller.groups),
        "scopes": sorted(caller.scopes),
        "key": caller.key or None,
    }


def quotas_of(site: Site, caller: Caller) -> list[dict[str, Any]]:
    """What quotas leave somebody; of those for some collections, where they may know of one of them."""
    made = []
    for usage in site.ledger.usage(caller):
        known = tuple(name for name in usage.collections if _is_there(site, caller, name))
        if known or not usage.collections:
            made.append(replace(usage, collections=known).as_json())
    return made


def _is_there(site: Site, caller: Caller, collection: str) -> bool:
    try:
        site.catalog.collection(caller, collection)
    except NotFound:
        return False
    return True


def shown(new: NewKey) -> dict[str, Any]:
    """A new key, the only time that it is shown."""
    return {"key": new.text, **new.key.as_json()}


def answer(document: Any, status: int = 200) -> Response:
    """JSON that nobody keeps: it is about one person."""
    headers = {"Cache-Control": "no-store", "Vary": "Authorization, Cookie"}
    return Response(orjson.dumps(document), status, headers, "application/json")
