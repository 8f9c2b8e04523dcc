"""`terrella login` and `logout`: one key for this machine, got by password or from the site's issuer (RFC 8628)."""

from __future__ import annotations

import base64
import platform
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import typer

from terrella.cli.console import console, print_json
from terrella.cli.remote import address_of, asked, keep_keys, kept_file, kept_keys
from terrella.errors import (
    Denied,
    Invalid,
    NotFound,
    ProviderUnavailable,
    Unauthenticated,
    Unsupported,
    nearest_names,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_WAIT = 5.0
"""Seconds between two questions whether the user has agreed, where the issuer says nothing."""


def login(url: str, name: str | None, days: float, *, by_key: bool, issuer: str | None, as_json: bool) -> None:
    site = address_of(url)
    if by_key:
        kept = {"key": _secret("Key")}
    else:
        made = asked("POST", site, "/account/keys", _wanted(days), headers=_proof(site, name, issuer))
        kept = {"key": made["key"], "id": made["id"]}
    who = asked("GET", site, "/account", headers={"Authorization": f"Bearer {kept['key']}"})
    keep_keys(kept_keys() | {site: kept})
    if as_json:
        print_json({"url": site, "name": who["name"], "key": kept.get("id"), "file": str(kept_file())})
    else:
        console().print(f"Signed in at {site} as {who['name']}; the key is in {kept_file()}.", markup=False)


def logout(url: str, *, as_json: bool) -> None:
    site, kept = address_of(url), kept_keys()
    if site not in kept:
        raise NotFound(f"You are not signed in at {site}.")
    if identifier := kept[site].get("id"):
        with suppress(Unauthenticated, NotFound):  # it has ended already
            asked("DELETE", site, f"/account/keys/{identifier}")
    keep_keys({other: key for other, key in kept.items() if other != site})
    if as_json:
        print_json({"url": site})
    else:
        console().print(f"Signed out of {site}.", markup=False)


def _wanted(days: float) -> dict[str, Any]:
    return {"name": f"terrella login on {platform.node() or 'a machine'}"[:100], "days": days}


def _proof(site: str, name: str | None, issuer: str | None) -> dict[str, str]:
    """A header that says who asks: by password, or by a token of the site's issuer."""
    offered = asked("GET", site, "/account/login", headers={})
    if issuer is not None or (name is None and offered["issuers"]):
        return {"Authorization": f"Bearer {_token_of(_chosen(offered['issuers'], issuer))}"}
    if name is None:
        name = str(typer.prompt("User name", err=True))
    pair = f"{name}:{_secret('Password')}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _chosen(offered: Sequence[Mapping[str, str]], wanted: str | None) -> Mapping[str, str]:
    """The only issuer of a site, or the one of this title or address. Raises Invalid."""
    if wanted is None and len(offered) == 1:
        return offered[0]
    names = [one["title"] or one["issuer"] for one in offered]
    if wanted is None:
        raise Invalid(f"This site has several issuers: say --issuer with one of {', '.join(map(repr, names))}.")
    for one in offered:
        if wanted.casefold() in {one["title"].casefold(), one["issuer"].casefold()}:
            return one
    raise Invalid(f"This site has no issuer {wanted!r:.80}. {nearest_names(wanted, names)}", parameter="issuer")


def _secret(what: str) -> str:
    """Asked for at a terminal without showing it, else the first line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, err=True))
    return sys.stdin.readline().strip("\r\n")


def _token_of(issuer: Mapping[str, str]) -> str:
    """An ID token, after the user has agreed in any browser (device flow)."""
    metadata = _fetched("GET", issuer["issuer"].rstrip("/") + "/.well-known/openid-configuration")[1]
    endpoint = metadata.get("device_authorization_endpoint")
    if not endpoint:
        raise Unsupported(
            f"{issuer['issuer']} has no sign-in for shells. Make a key on the site's page /account, "
            "then: terrella login URL --key"
        )
    client = {"client_id": issuer["client_id"]}
    status, started = _fetched("POST", endpoint, client | {"scope": issuer["scopes"]})
    if status != 200:
        raise ProviderUnavailable(f"{issuer['issuer']} does not start a sign-in: {_why(started)}.")
    address = started.get("verification_uri_complete") or started["verification_uri"]
    console(err=True).print(
        f"Open {address} in a browser and compare the code: {started['user_code']}", markup=False, soft_wrap=True
    )
    return _awaited(str(metadata["token_endpoint"]), client, started)


def _awaited(endpoint: str, client: Mapping[str, str], started: Mapping[str, Any]) -> str:
    wait = float(started.get("interval", _WAIT))
    last = time.monotonic() + float(started.get("expires_in", 600))
    form = {**client, "grant_type": _GRANT, "device_code": str(started["device_code"])}
    while time.monotonic() < last:
        time.sleep(wait)
        status, answer = _fetched("POST", endpoint, form)
        if status == 200:
            return str(answer["id_token"])
        if answer.get("error") == "slow_down":
            wait += 5.0
        elif answer.get("error") != "authorization_pending":
            raise Denied(f"The issuer did not sign you in: {_why(answer)}.")
    raise Denied("Nobody agreed in time: run terrella login again.")


def _why(answer: Mapping[str, Any]) -> str:
    return str(answer.get("error_description") or answer.get("error") or "it gives no reason")[:300].rstrip(".")


def _fetched(method: str, address: str, form: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    import httpx

    try:
        answer = httpx.request(method, address, data=form, headers={"Accept": "application/json"}, timeout=30)
        return answer.status_code, dict(answer.json())
    except (httpx.HTTPError, ValueError, TypeError) as error:
        raise ProviderUnavailable(f"{address} does not answer as it should ({type(error).__name__}).") from None
