"""The pages of an account as HTML: small, whole in themselves, without a script. All that is shown is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode

PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Authorization, Cookie",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
# no form-action: browsers hold the redirects that follow a form against it, and an issuer lies elsewhere

_STYLE = """
main { max-width: 46rem; }
form.sheet { display: grid; gap: .8rem; max-width: 24rem; }
label { display: grid; gap: .25rem; font-size: .9rem; color: var(--soft); }
input, select { font: inherit; padding: .45rem .6rem; border: 1px solid var(--line); border-radius: .35rem;
  background: var(--card); color: var(--ink); }
button, .button { font: inherit; font-weight: 600; padding: .45rem 1.1rem; border: 1px solid var(--link);
  border-radius: 2rem; background: var(--link); color: var(--card); cursor: pointer; text-decoration: none;
  display: inline-block; }
button.plain { background: none; color: var(--link); padding: .15rem .7rem; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line); }
.wide { overflow-x: auto; }
.note { border-left: 4px solid var(--mark); background: var(--card); padding: .8rem 1rem; margin-bottom: 1rem; }
code.key { font: 1rem/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; user-select: all; }
.facts { display: grid; gap: .3rem; } .facts div { display: grid; grid-template-columns: 7rem 1fr; }
.facts dt { color: var(--soft); }
"""


def _page(title: str, heading: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(heading)} · {escape(title)}</title>
<link rel="icon" href="/static/terrella.svg">
<link rel="stylesheet" href="/static/site.css">
<style>{_STYLE}</style>
</head>
<body>
<header><div class="band">
<p class="mark"><img src="/static/terrella.svg" alt="" width="28" height="28">
<a href="/" style="color:inherit">{escape(title)}</a></p>
<nav aria-label="Account"><a href="/account">Account</a></nav>
</div></header>
<main>
<section><h1>{escape(heading)}</h1></section>
{body}
</main>
</body>
</html>
"""


def sign_in_html(title: str, issuers: Sequence[tuple[str, str]], back: str, refusal: str = "") -> str:
    """The page to sign in: by password, or at an issuer (pairs of address and name)."""
    note = f'<p class="note" role="alert">{escape(refusal)}</p>' if refusal else ""
    elsewhere = "".join(
        f'<p><a class="button" href="/account/issuer?{escape(urlencode({"issuer": address, "next": back}))}">'
        f"Sign in with {escape(name)}</a></p>"
        for address, name in issuers
    )
    return _page(
        title,
        "Sign in",
        f"""<section>{note}{elsewhere}</section>
<section aria-labelledby="local"><h2 id="local">With a password or a key</h2>
<form class="sheet" method="post" action="/account/sign-in">
<input type="hidden" name="next" value="{escape(back)}">
<label>User name <input name="name" autocomplete="username" maxlength="128"></label>
<label>Password, or a key <input name="password" type="password" autocomplete="current-password" required
 maxlength="1024"></label>
<p><button>Sign in</button></p>
</form></section>""",
    )


def account_html(title: str, account: Mapping[str, Any]) -> str:
    """Who somebody is, their keys, and a form to make one."""
    if account["anonymous"]:
        return _page(
            title,
            "Nobody in particular",
            "<section><p>You are not signed in.</p>"
            '<p><a class="button" href="/account/login">Sign in</a></p></section>',
        )
    facts = {"roles": account["roles"], "groups": account["groups"], "may": account["scopes"]}
    listed = "".join(
        f"<div><dt>{name}</dt><dd>{escape(', '.join(values)) or '–'}</dd></div>" for name, values in facts.items()
    )
    return _page(
        title,
        account["name"],
        f"""<section><dl class="facts">{listed}</dl></section>
<section aria-labelledby="keys"><h2 id="keys">Keys</h2>{_keys(account["keys"])}</section>
<section aria-labelledby="new"><h2 id="new">Make a key</h2>{_key_form(account["scopes"])}</section>
<section><form method="post" action="/account/logout"><button class="plain">Sign out</button></form></section>""",
    )


def new_key_html(title: str, key: Mapping[str, Any]) -> str:
    """A key that was just made."""
    return _page(
        title,
        "Your new key",
        f"""<section><p class="note">Copy it now: it is shown this once.</p>
<p><code class="key">{escape(key["key"])}</code></p>
<p>{escape(key["name"])}: may {escape(", ".join(key["scopes"]))}, ends {escape(key["expires"] or "never")}.</p>
<p><a href="/account">Back to the account</a></p></section>""",
    )


def _keys(keys: Sequence[Mapping[str, Any]]) -> str:
    valid = [key for key in keys if key["valid"]]
    if not valid:
        return "<p>None yet. A key lets programs speak in your name.</p>"
    rows = "".join(
        f"<tr><td>{escape(key['name'])}</td><td>{escape(', '.join(key['scopes']))}</td>"
        f"<td>{_day(key['expires'], 'never')}</td><td>{_day(key['used'], 'not yet')}</td>"
        '<td><form method="post" action="/account/end-key">'
        f'<input type="hidden" name="key" value="{escape(key["id"])}">'
        f'<button class="plain" aria-label="End {escape(key["name"])}">End</button></form></td></tr>'
        for key in valid
    )
    return (
        '<div class="wide"><table><thead><tr><th>name</th><th>may</th><th>ends</th><th>last used</th><th></th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )


def _day(text: str | None, otherwise: str) -> str:
    return escape(text[:10]) if text else otherwise


def _key_form(scopes: Sequence[str]) -> str:
    choices = "".join(f'<option value="{escape(scope)}" selected>{escape(scope)}</option>' for scope in scopes)
    return f"""<form class="sheet" method="post" action="/account/new-key">
<label>Name: where will it be used? <input name="name" required maxlength="100"></label>
<label>It may <select name="scopes" multiple size="{len(scopes) or 1}" required>{choices}</select></label>
<label>It ends after <select name="days"><option value="30">30 days</option><option value="365" selected>a year</option>
<option value="">never</option></select></label>
<p><button>Make it</button></p>
</form>"""
