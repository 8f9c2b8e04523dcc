"""`terrella account`, `terrella user ...`, `terrella key ...`: on a site's own folder, or over HTTP with --url."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

from terrella.cli.console import console, print_json, table
from terrella.cli.remote import asked
from terrella.errors import Invalid
from terrella.model.caller import OPERATOR
from terrella.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


def account(home: Path, url: str | None, *, as_json: bool) -> None:
    if url is None:
        list_users(home, as_json=as_json)
        return
    found = asked("GET", url, "/account")
    if as_json:
        print_json(found)
        return
    out = console()
    out.print(f"{found['name']} at {url}", style="bold", markup=False)
    for name in ("roles", "groups", "scopes"):
        out.print(f"{name}: {', '.join(found[name]) or '–'}", markup=False)
    if found["keys"]:
        out.print()
        _print_keys(found["keys"])
    if found["quotas"]:
        out.print()
        _print_quotas(found["quotas"])


def _print_quotas(quotas: Sequence[Mapping[str, Any]]) -> None:
    shown = table("quota", "counts", "of", "limit", "spent", "left", "begins anew")
    for quota in quotas:
        for name, amount in quota["amounts"].items():
            numbers = (f"{amount[key]:,}" for key in ("limit", "spent", "left"))
            whom = "you" if quota["counted"] == "each" else "all together"
            counts = ", ".join([whom, *quota.get("collections", ())])
            shown.add_row(quota["quota"], counts, name, *numbers, quota["resets"])
    console().print(shown)


def list_users(home: Path, *, as_json: bool) -> None:
    with Site.open(home) as site:
        found = [user.as_json() for user in site.access.accounts.users(OPERATOR)]
    if as_json:
        print_json(found)
        return
    if not found:
        console().print("No users yet. `terrella up` makes the first administrator; or: terrella user add NAME")
        return
    shown = table("user", "roles", "groups", "signs in", "state")
    for user in found:
        state = "disabled" if user["disabled"] else "active"
        shown.add_row(user["name"], ", ".join(user["roles"]), ", ".join(user["groups"]), _way(user), state)
    console().print(shown)


def _way(user: Mapping[str, Any]) -> str:
    return user["issuer"] or ("password" if user["password"] else "keys only")


def add_user(
    home: Path, name: str, roles: list[str], groups: list[str], email: str, *, ask: bool, as_json: bool
) -> None:
    password = new_password() if ask else None
    with Site.open(home) as site:
        user = site.access.accounts.add_user(OPERATOR, name, password=password, roles=roles, groups=groups, email=email)
    _tell(user.as_json(), f"Added {name}. Make a key: terrella key create laptop --owner {name}", as_json=as_json)


def new_password() -> str:
    """Asked for twice at a terminal, else the first line of standard input."""
    if sys.stdin.isatty():
        asked_for: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return asked_for
    return sys.stdin.readline().rstrip("\r\n")


def disable_user(home: Path, name: str, *, undo: bool, as_json: bool) -> None:
    with Site.open(home) as site:
        user = site.access.accounts.change(OPERATOR, name, is_disabled=not undo)
    _tell(user.as_json(), f"{name} may use the site again." if undo else f"{name} is shut out.", as_json=as_json)


def change_roles(home: Path, name: str, roles: list[str], *, take: bool, as_json: bool) -> None:
    with Site.open(home) as site:
        accounts = site.access.accounts
        held = accounts.user(OPERATOR, name).roles
        user = accounts.change(OPERATOR, name, roles=held - set(roles) if take else held | set(roles))
    listed = ", ".join(sorted(user.roles)) or "none"
    _tell(user.as_json(), f"Roles of {name}: {listed}.", as_json=as_json)


def set_password(home: Path, name: str) -> None:
    with Site.open(home) as site:
        site.access.accounts.user(OPERATOR, name)
        site.access.accounts.change(OPERATOR, name, password=new_password())
    console().print(f"{name} has a new password.", markup=False)


def create_key(
    home: Path,
    url: str | None,
    name: str,
    owner: str | None,
    scopes: Sequence[str] | None,
    days: float | None,
    *,
    as_json: bool,
) -> None:
    if url is not None:
        body = {"name": name, "owner": owner, "scopes": list(scopes) if scopes else None, "days": days}
        made = asked("POST", url, "/account/keys", {key: value for key, value in body.items() if value is not None})
    else:
        made = _local_key(home, name, owner, scopes, days)
    if as_json:
        print_json(made)
        return
    console(err=True).print(
        f"A key of {made['owner']}; may {', '.join(made['scopes'])}; ends {made['expires'] or 'never'}. "
        "It is shown this once:",
        markup=False,
    )
    sys.stdout.write(made["key"] + "\n")


def _local_key(
    home: Path, name: str, owner: str | None, scopes: Sequence[str] | None, days: float | None
) -> dict[str, Any]:
    from terrella.access.access import FIRST_USER

    with Site.open(home) as site:
        if owner is None:
            site.access.first_user()
        new = site.access.accounts.make_key(OPERATOR, name, owner=owner or FIRST_USER, scopes=scopes, days=days)
    return {"key": new.text, **new.key.as_json()}


def list_keys(home: Path, url: str | None, owner: str | None, *, as_json: bool) -> None:
    if url is not None:
        found = asked("GET", url, "/account/keys", parameters={"owner": owner} if owner else None)["keys"]
    else:
        with Site.open(home) as site:
            found = [key.as_json() for key in site.access.accounts.keys(OPERATOR, owner or "*")]
    if as_json:
        print_json(found)
    elif not found:
        console().print("No keys yet. Make one: terrella key create NAME")
    else:
        _print_keys(found)


def _print_keys(found: Iterable[Mapping[str, Any]]) -> None:
    shown = table("id", "name", "owner", "may", "ends", "last used", "state")
    for key in found:
        state = "valid" if key["valid"] else "revoked" if key["revoked"] else "ended"
        ends, used = (key["expires"] or "never")[:10], (key["used"] or "–")[:10]
        shown.add_row(key["id"], key["name"], key["owner"], ", ".join(key["scopes"]), ends, used, state)
    console().print(shown)


def revoke_key(home: Path, url: str | None, key: str, *, as_json: bool) -> None:
    if not key.isalnum():
        raise Invalid("A key is named by its id, a few letters and digits: terrella key list", parameter="key")
    if url is not None:
        gone = asked("DELETE", url, f"/account/keys/{key}")
    else:
        with Site.open(home) as site:
            gone = site.access.accounts.revoke_key(OPERATOR, key).as_json()
    _tell(gone, f"Key {gone['id']} ({gone['name']}) of {gone['owner']} has ended.", as_json=as_json)


def _tell(document: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(dict(document))
    else:
        console().print(text, markup=False)
