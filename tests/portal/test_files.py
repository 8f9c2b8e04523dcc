"""The built files of the portal: those of the sources, small, sufficient, and served as browsers want them. No browser."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import httpx
import pytest

from portal.conftest import portal_files

SOURCES = Path(__file__).parents[2] / "portal"
ROOTS = ("index.html", "package.json", "package-lock.json", "vite.config.ts", "svelte.config.js", "src")
"""What a build is made of; the same list stands in portal/scripts/stamp.mjs."""
BUDGET = 450_000
"""Bytes of all JavaScript, each file as gzip -9."""
BUILD = "cd portal && npm ci && npm run build"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".html": "text/html; charset=utf-8",
}
NAMED = (
    "http://www.w3.org/",
    "https://svelte.dev/e/",
    "http://www.opengis.net/",
    "https://www.opengis.net/",
    "https://doi.org/",
)
"""Addresses that stand in the files and that nothing asks for: names of XML and OGC, Svelte's words for a fault, and

the beginning of links to papers."""


def built() -> list[Path]:
    return sorted(path for path in portal_files().iterdir() if path.is_file())


def stamp(folder: Path) -> str:
    """The hash of all sources, as portal/scripts/stamp.mjs computes it."""
    found = [path for root in ROOTS for path in ([folder / root], (folder / root).rglob("*"))[(folder / root).is_dir()]]
    names = sorted(path.relative_to(folder).as_posix() for path in found if path.is_file())
    total = hashlib.sha256()
    for name in names:
        if not name.endswith(".test.ts"):
            total.update(f"{name}\0".encode() + (folder / name).read_bytes() + b"\0")
    return total.hexdigest()


def test_they_are_built_from_these_sources() -> None:
    kept = portal_files() / "sources.sha256"
    if not SOURCES.is_dir():
        pytest.skip("the sources of the portal are not here")
    assert kept.is_file(), f"the portal is not built: {BUILD}"
    assert kept.read_text().strip() == stamp(SOURCES), f"the portal is built from other sources: {BUILD}"


def test_all_javascript_is_within_its_budget() -> None:
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in built() if path.suffix == ".js"}
    assert sizes, f"the portal is not built: {BUILD}"
    assert sum(sizes.values()) <= BUDGET, sorted(sizes.items(), key=lambda one: -one[1])


def test_they_name_no_other_host() -> None:
    for path in built():
        if path.suffix in {".js", ".css", ".html", ".svg"}:
            found = re.findall(r"""(?:https?:)?//[a-z0-9-]+(?:\.[a-z0-9-]+)+[^\s"'`)<]*""", path.read_text())
            assert [one for one in found if not one.startswith(NAMED)] == [], path.name


def test_a_page_names_only_files_that_are_there() -> None:
    page = (portal_files() / "index.html").read_text()
    named = re.findall(r'(?:src|href)="portal/([^"]+)"', page)
    assert "app.js" in named
    assert {path.name for path in built()}.issuperset(named)
    for path in built():
        if path.suffix == ".js":
            imported = re.findall(r'(?:from|import)\(?\s*["`\']\./([^"`\']+)["`\']', path.read_text())
            assert {one.name for one in built()}.issuperset(imported), path.name


def test_embeds_leave_the_address_of_their_page_alone() -> None:
    todo, reached = ["embed.js"], set()
    while todo:
        name = todo.pop()
        if name in reached or not name.endswith(".js"):
            continue
        reached.add(name)
        text = (portal_files() / name).read_text()
        assert "popstate" not in text, name
        assert "pushState" not in text, name
        todo += re.findall(r'["`\']\./([^"`\']+\.js)["`\']', text)
    assert len(reached) > 1


@pytest.mark.server
def test_each_is_served_with_its_type_tag_and_packed(web: httpx.Client) -> None:
    for path in built():
        if path.suffix not in TYPES:
            continue
        answer = web.get(f"/portal/{path.name}", headers={"Accept-Encoding": "gzip"}).raise_for_status()
        assert answer.headers["content-type"] == TYPES[path.suffix], path.name
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.content == path.read_bytes()
        known = {"If-None-Match": answer.headers["etag"]}
        assert web.get(f"/portal/{path.name}", headers=known).status_code == 304
        plain = web.get(f"/portal/{path.name}", headers={"Accept-Encoding": "identity"})
        assert plain.content == path.read_bytes()
        assert "content-encoding" not in plain.headers


@pytest.mark.server
def test_embeds_may_be_loaded_by_pages_of_others(web: httpx.Client) -> None:
    answer = web.get("/portal/embed.js", headers={"Origin": "https://example.org"}).raise_for_status()
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.server
@pytest.mark.parametrize("page", ["/", "/explore", "/discover", "/jobs", "/account"])
def test_browsers_get_pages_and_programs_get_documents(web: httpx.Client, page: str) -> None:
    seen = web.get(page, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}).raise_for_status()
    assert seen.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in seen.headers["content-security-policy"]
    assert "portal/app.js" in seen.text
    assert "portal/app.js" not in web.get(page, headers={"Accept": "application/json"}).text


@pytest.mark.server
@pytest.mark.parametrize("path", ["../settings.py", "%2e%2e/settings.py", "..%2fsettings.py", ".hidden", "", "a/b.js"])
def test_no_other_file_is_served(web: httpx.Client, path: str) -> None:
    assert web.get(f"/portal/{path}").status_code == 404
