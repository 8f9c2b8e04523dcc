"""The landing page: what it shows, that all of it is escaped, and that its links work."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from api.conftest import make_site, serving
from terrella.api.landing import Here, landing_html


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"href", "src"} and value]
        if tag not in {"meta", "link", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(text: str) -> Links:
    links = Links()
    links.feed(text)
    assert links.open == []
    return links


def test_every_link_of_the_page_works(web: httpx.Client) -> None:
    page = web.get("/?f=html")
    assert page.headers["content-type"].startswith("text/html")
    for link in parsed(page.text).found:
        if not link.startswith("#"):
            answer = web.get(f"/{link}", follow_redirects=True)
            assert answer.status_code == 200 or link.startswith("ogc/collections"), link


def test_what_the_catalogue_says_is_escaped(web: httpx.Client) -> None:
    text = web.get("/").text
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in text
    assert "2 m &lt;b&gt;air&lt;/b&gt; in K" in text
    assert "Test &lt;site&gt;" in text


@pytest.mark.parametrize("evil", ['"><img src=x onerror=alert(1)>', "'; alert(1); '", "</code><script>", "{0}{}%s"])
def test_hostile_text_stays_text(evil: str) -> None:
    collection = {
        "id": evil,
        "title": evil,
        "description": evil,
        "license": evil,
        "extent": {"spatial": {"bbox": [[1, 2, 3, 4]]}, "temporal": {"interval": [[evil, evil]]}},
        "cube:variables": {evil: {"description": evil, "unit": evil}},
        "cube:dimensions": {evil: {}},
    }
    here = Here(evil, evil, "http://here", (collection,), False, {evil: 3})
    text = landing_html(here)
    parsed(text)
    assert "<img src=x" not in text
    assert "<script" not in text
    assert "onerror" not in re.sub(r'"[^"]*"', "", text) or "&lt;img" in text


@pytest.mark.parametrize(
    "extent",
    [
        None,
        {},
        {"spatial": {"bbox": []}},
        {"spatial": {"bbox": [[1, 2]]}, "temporal": {"interval": []}},
        {"spatial": {"bbox": [["a", 2, 3, 4]]}, "temporal": {"interval": [[None, None]]}},
        {"spatial": {"bbox": [[170, -10, 0, -170, 10, 5]]}, "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]}},
    ],
)
def test_odd_extents_do_not_break_the_page(extent: object) -> None:
    parsed(landing_html(Here("T", "D", "http://here", ({"id": "x", "extent": extent},), True, {})))


def test_it_shows_counts_times_places_and_variables(web: httpx.Client) -> None:
    text = unescape(web.get("/").text)
    for expected in (">3<", "244", "2023-01-01 to 2023-08-28", "10°W to 30°E, 35°N to 60°N", "the whole Earth", "t2m"):
        assert expected in text


def test_an_empty_site_says_how_to_fill_it(tmp_path: Path) -> None:
    with serving(make_site(tmp_path, filled=False)) as address:
        text = httpx.get(address).text
    assert "terrella add PATH" in text
    parsed(text)


def test_it_is_json_for_machines(web: httpx.Client) -> None:
    for answer in (web.get("/", headers={"Accept": "application/json"}), web.get("/?f=json")):
        links = {link["rel"]: link["href"] for link in answer.json()["links"]}
        assert web.get(links["service-desc"]).json()["openapi"].startswith("3.1")
    assert web.get("/?f=xml").status_code == 400


def test_the_interface_needs_no_other_server(web: httpx.Client) -> None:
    page = web.get("/api.html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for link in parsed(page.text).found:
        assert not link.startswith(("http", "//"))
        assert web.get(f"/{link}").status_code == 200
    assert "http" not in web.get("/static/interface.js").text
    assert "http" not in web.get("/static/site.css").text
