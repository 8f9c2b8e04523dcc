"""`terrella connect`: lines to paste for every client, made by a running site or from a site's own folder."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import typer

from terrella.cli.console import console, print_json
from terrella.cli.remote import address_of, asked, kept_keys
from terrella.errors import NotFound, ProviderUnavailable, nearest_names
from terrella.model.caller import OPERATOR
from terrella.settings import FILE_NAME
from terrella.site import Site
from terrella.site.connecting import CLIENTS, Address, connections, examples
from terrella.site.connecting.address import PLACEHOLDER

if TYPE_CHECKING:
    from pathlib import Path

KEY = "TERRELLA_KEY"
"""Environment variable with a key."""
_LOOPBACK = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?(/|$)")


def connect(
    home: Path, url: str | None, key: str | None, client: str | None, collection: str | None, *, as_json: bool
) -> None:
    name = _known(client)
    shown = key or os.environ.get(KEY, "")
    lines = _of_home(home, None, shown, collection) if url is None else _of_site(home, url, shown, collection)
    if name is not None:
        lines = {name: lines[name]}
    if as_json:
        print_json(lines)
    elif name is not None:
        typer.echo(lines[name], nl=False)
    else:
        _print(lines)


def _known(client: str | None) -> str | None:
    """The client as it is spelled. Raises NotFound with the nearest names."""
    if client is None:
        return None
    by_name = {one.name.lower(): one.name for one in CLIENTS}
    if client.lower() not in by_name:
        raise NotFound(f"There are no lines for {client!r:.60}. {nearest_names(client[:60], by_name.values())}")
    return by_name[client.lower()]


def _of_site(home: Path, url: str, key: str, collection: str | None) -> dict[str, str]:
    """What a running site says; where none answers, what its folder says, if that is here."""
    base = address_of(url if "://" in url or not _LOOPBACK.match(url) else f"http://{url}")
    kept = "" if key else kept_keys().get(base, {}).get("key", "")
    headers = {"X-API-Key": key or kept} if key or kept else {}
    parameters = {"f": "json"} | ({"collection": collection} if collection else {})
    try:
        found: dict[str, str] = asked("GET", base, "/connect", parameters=parameters, headers=headers)
    except ProviderUnavailable:
        if not (home.expanduser() / FILE_NAME).exists():
            raise
        console(err=True).print(f"{base} does not answer: these lines are made from {home}.", markup=False)
        return _of_home(home, base, key, collection)
    # a key that only lies in the user's folder is not put on their screen
    return {name: text.replace(kept, PLACEHOLDER) for name, text in found.items()} if kept else found


def _of_home(home: Path, base: str | None, key: str, collection: str | None) -> dict[str, str]:
    with Site.open(home) as site:
        server = site.settings.server
        address = base or f"http://{_reachable(server.host)}:{server.port}"
        at = Address(address, key, site.settings.access.anonymous, str(site.settings.home))
        found = connections(at, examples(site, OPERATOR, collection))
    return {one.client.name: one.lines for one in found}


def _reachable(host: str) -> str:
    """Where to ask a server that listens on every network."""
    plain = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 -- compared, not bound
    return f"[{plain}]" if ":" in plain and not plain.startswith("[") else plain


def _print(lines: dict[str, str]) -> None:
    out = console()
    about = {one.name: one for one in CLIENTS}
    for name, text in lines.items():
        out.rule(name, align="left")
        client = about.get(name)
        if client is not None:
            out.print(f"{client.about}. {client.install}".rstrip(), style="dim", markup=False)
        typer.echo(text)
