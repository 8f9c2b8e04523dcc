"""The page of /connect. All that comes from the catalogue is escaped."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terrella.site.connecting import Address, Connection, Example


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows. `collections` are pairs of id and title; `chosen` is the one of the examples, or ''."""

    title: str
    at: Address
    connections: tuple[Connection, ...]
    collections: tuple[tuple[str, str], ...]
    chosen: str
    example: Example | None
    is_signed_in: bool


def connect_html(shown: Shown) -> str:
    """The whole page."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Connect · {escape(shown.title)}</title>
<link rel="icon" href="static/terrella.svg">
<link rel="stylesheet" href="static/site.css">
<link rel="stylesheet" href="static/connect.css">
<script src="static/connect.js" defer></script>
</head>
<body>
<a class="skip" href="#lines">To the lines</a>
<header>
<div class="band">
<p class="mark"><img src="static/terrella.svg" alt="" width="28" height="28">
<a href="./">{escape(shown.title)}</a></p>
<nav aria-label="Interfaces"><a href="stac">STAC</a><a href="ogc">OGC API</a><a href="api.html">Interface</a>
<a href="account">Account</a></nav>
</div>
<div class="hero">
<h1>Connect the clients you have</h1>
<p class="lead">One address, one key, unmodified clients. Each block is complete in itself: paste it and run it.</p>
<dl><div><dt>address</dt><dd><code>{escape(shown.at.base)}</code></dd></div>{_example(shown.example)}</dl>
</div>
</header>
<main>
<section class="choices" aria-label="What the lines are made of">{_key_form(shown)}{_chooser(shown)}</section>
<div class="clients">
<nav class="index" aria-label="Clients">{_index(shown)}</nav>
<section id="lines" aria-label="Lines for each client">{"".join(_block(one) for one in shown.connections)}</section>
</div>
</main>
<footer><p>The same as JSON: <a href="connect?f=json">connect?f=json</a>. In a shell:
<code>terrella connect --url {escape(shown.at.base)}</code></p></footer>
</body>
</html>
"""


def _example(example: Example | None) -> str:
    if example is None:
        return ""
    what = f"{example.variable} of {example.title}"
    place = f"{abs(example.lat):.4g}° {'NS'[example.lat < 0]}, {abs(example.lon):.4g}° {'EW'[example.lon < 0]}"
    value = f"{example.values[0]:.5g} {example.unit}".strip()
    rows = (("example", what), ("place", place), ("its first value", value))
    return "".join(f"<div><dt>{name}</dt><dd>{escape(text)}</dd></div>" for name, text in rows)


def _key_form(shown: Shown) -> str:
    if shown.at.is_open:
        note = "Nobody needs a key here to look and cut; with one, you may do and see what your account allows."
    else:
        note = "This site answers to those who have a key."
    account = '<a href="account">make a key</a>' if shown.is_signed_in else '<a href="account/login">sign in</a>'
    return f"""<form id="key-form"><label for="key">Your key, to have it in the lines</label>
<div class="row"><input id="key" type="password" autocomplete="off" spellcheck="false" placeholder="tk_…"
 maxlength="16000"><button>Use it</button></div>
<p class="note" id="key-note" role="status">{note} It is sent to this site only, and kept nowhere. Or {account}.</p>
</form>"""


def _chooser(shown: Shown) -> str:
    if len(shown.collections) < 2:
        return ""
    options = "".join(
        f'<option value="{escape(name)}"{" selected" if name == shown.chosen else ""}>{escape(title)}</option>'
        for name, title in shown.collections
    )
    return f"""<form id="collection-form" action="connect"><label for="collection">Examples of</label>
<div class="row"><select id="collection" name="collection">
<option value="">whatever suits best</option>{options}</select>
<button>Show</button></div></form>"""


def _index(shown: Shown) -> str:
    entries = (
        f'<a href="#{_anchor(one)}"{"" if one.works else " class=absent"}>{escape(one.client.name)}</a>'
        for one in shown.connections
    )
    return "".join(entries)


def _anchor(one: Connection) -> str:
    return f"client-{one.client.name}"


def _block(one: Connection) -> str:
    client = one.client
    install = f'<p class="install"><code>{escape(client.install)}</code></p>' if client.install else ""
    copy = (
        f'<button class="copy" type="button" aria-label="Copy the lines for {escape(client.name)}">Copy</button>'
        if one.works
        else ""
    )
    return f"""<article class="client{"" if one.works else " absent"}" id="{_anchor(one)}">
<div class="title"><h2>{escape(client.name)}</h2>{copy}</div>
<p class="about">{escape(client.about)}.</p>{install}
<pre tabindex="0"><code data-client="{escape(client.name)}">{escape(one.lines)}</code></pre>
</article>"""
