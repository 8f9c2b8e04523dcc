"""The portal's pages and files: who gets them, how, and that nothing else lies behind their addresses."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx
import pytest

from terrella.api.portal import FILES, PAGES

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("page", sorted(PAGES))
def test_browsers_get_the_portal_and_programs_what_they_ask_for(web: httpx.Client, page: str) -> None:
    shown = web.get(page, headers=BROWSER)
    assert shown.headers["content-type"].startswith("text/html")
    assert '<script type="module" crossorigin src="portal/app.js">' in shown.text
    assert "default-src 'self'" in shown.headers["content-security-policy"]
    told = web.get(page, headers={"Accept": "application/json"})
    assert "portal/app.js" not in told.text


def test_a_page_asked_for_by_name_is_not_the_portal(web: httpx.Client) -> None:
    assert "portal/app.js" not in web.get("/?f=html", headers=BROWSER).text
    assert web.get("/?f=json", headers=BROWSER).json()["title"]


def test_files_come_with_type_and_tag_and_compressed(web: httpx.Client) -> None:
    whole = web.get("/portal/app.js", headers={"Accept-Encoding": "identity"})
    assert whole.content == (FILES / "app.js").read_bytes()
    assert whole.headers["content-type"] == "text/javascript; charset=utf-8"
    assert whole.headers["access-control-allow-origin"] == "*"
    with web.stream("GET", "/portal/app.js", headers={"Accept-Encoding": "gzip"}) as packed:
        assert gzip.decompress(b"".join(packed.iter_raw())) == whole.content
    again = web.get("/portal/app.js", headers={"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert web.head("/portal/app.css").headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(
    "path", ["%00", "../app.py", "..%2f__init__.py", "%2e%2e/settings.py", "", "nothing.js", ".", "a/b.js"]
)
def test_nothing_else_is_served(web: httpx.Client, path: str) -> None:
    assert web.get(f"/portal/{path}").status_code == 404


def test_the_pages_load_only_what_is_there(web: httpx.Client) -> None:
    built = {path.name for path in Path(FILES).iterdir()}
    assert {"index.html", "app.js", "app.css", "embed.js", "sources.sha256"} <= built
    for name in built:
        assert web.get(f"/portal/{name}").status_code == 200
