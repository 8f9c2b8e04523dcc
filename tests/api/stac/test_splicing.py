"""Items with spliced links are, as JSON, those that parsing, adding links and writing give: for all documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from terrella.api.stac import splicing
from terrella.api.stac.links import Addresses
from terrella.model.caller import Caller

Json = dict[str, Any]
EVERYBODY = Caller("anonymous", finds=None, reads=None)

LINK = {"rel": "license", "href": "https://example.org/{item}", "type": "text/html"}
OURS = {"rel": "self", "href": "./item.json"}
NESTED = {"links": [{"rel": "x", "href": "y"}], "assets": {"a": {"href": "/nested"}}}


def addresses(host: str = "data.example.org") -> Addresses:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/stac/search",
        "query_string": b"",
        "headers": [(b"host", host.encode())],
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "root_path": "",
        "state": {"caller": EVERYBODY},
    }
    return Addresses(Request(scope))


def item(**members: Any) -> Json:
    usual: Json = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": ["https://example.org/schema.json"],
        "id": "a-1",
        "collection": "c",
        "geometry": None,
        "properties": {"datetime": "2024-01-01T00:00:00Z"},
        "links": [],
        "assets": {"data": {"href": "s3://bucket/a.tif"}},
    }
    return {name: value for name, value in (usual | members).items() if value is not ...}


def turned(document: Json, *names: str) -> Json:
    """These members first, the others after them."""
    return {name: document[name] for name in names} | document


LOCAL = {"data": {"href": "/data/ä b.tif"}, "thumb": {"href": "https://example.org/t.png"}}
DOCUMENTS: dict[str, Json] = {
    "plain": item(),
    "no extensions": item(stac_extensions=...),
    "a link of its own": item(links=[OURS, LINK]),
    "links that are no objects": item(links=["x", None, LINK]),
    "links that are no list": item(links={"rel": "self"}),
    "no links": item(links=...),
    "links null": item(links=None),
    "links last": item(links=..., assets=...) | {"assets": {"a": {"href": "b"}}, "links": [LINK]},
    "links first": turned(item(links=[LINK]), "links"),
    "local file after links": item(assets=LOCAL),
    "local file before links": item(links=...) | {"links": [LINK]} | {"assets": LOCAL},
    "local file before links, in order": {**item(links=..., assets=LOCAL), "links": [LINK]},
    "local file in front": turned(item(assets=LOCAL), "assets"),
    "no assets, but an href": item(assets=..., properties={"datetime": None, "href": "/x"}),
    "asset that is no object": item(assets={"a": "/x", "b": {"href": 3}, "c": {"href": "/x"}}),
    "nested links after": item(after=NESTED),
    "nested links last": {**item(), "zz": {"deep": {"x": 1, "links": [{"rel": "x"}]}}},
    "nested links, none of its own": item(links=..., zz={"deep": {"x": 1, "links": [LINK]}}),
    "nested links before": item(properties={"datetime": None, **NESTED}),
    "nested in an asset": item(assets={"a": {"href": "x", "links": [LINK]}}),
    "nested links and a local file": item(assets={"a": {"href": "/x", **NESTED}, "b": {"y": NESTED}}),
    "names in texts": item(properties={"datetime": ',"links":[', "x": '"links":[', ',"links":[': "]}", "b": '{"id":"b",'}),
    "a text that looks like the head": item(properties={"title": '{"type":"Feature","id":"b","collection":"d",'}),
    "brackets in extensions": item(stac_extensions=["a]", 'b],"id":"c","collection":"d"']),
    "unicode": item(properties={"title": "Übersicht 🌍 \u2028 \x7f \u0000", "links": "ß"}, collection="höhe"),
    "id to escape": item(id="a/b c?d#e%ü"),
    "id with quotes": item(id='a"b\\c'),
    "collection to escape": item(collection="a b/c"),
    "id missing in front": turned(item(), "properties", "id"),
    "collection last": {**item(collection=...), "collection": "c"},
    "collection last, no text": {**item(collection=...), "collection": 3},
    "collection twice, once inside": {**item(collection=...), "zz": {"collection": "d"}, "yy": 1},
    "numbers": item(properties={"datetime": None, "x": 1.0, "y": 1e-300, "z": -0.0, "w": 2**53 + 1, "v": 1e22}),
    "empty texts": item(assets={"": {"href": ""}}, properties={"": ""}),
    "only what it needs": {"id": "a", "collection": "c"},
}  # fmt: skip


def parsed(document: bytes, at: Addresses) -> Json:
    """The way that is slow and plain."""
    return at.item(orjson.loads(document))


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_as_parsed(document: Json) -> None:
    at = addresses()
    for text in (orjson.dumps(document), json.dumps(document).encode(), json.dumps(document, indent=1).encode()):
        made = splicing.item_with_links(text, at)
        assert orjson.loads(made) == parsed(text, at)
        assert list(orjson.loads(made)) == list(parsed(text, at))


@pytest.mark.parametrize("href", [r'"\/data\/a"', '"\\u002fdata"', ' "/data"', '"s3://x"', ' "s3://x"'])
def test_files_that_are_written_oddly(href: str) -> None:
    before, after = orjson.dumps(item()).split(b'"s3://bucket/a.tif"')
    text = before + href.encode() + after
    assert orjson.loads(splicing.item_with_links(text, addresses())) == parsed(text, addresses())


@pytest.mark.parametrize("host", ["localhost:8700", "[::1]:9000", "{item}", '"quoted"', "a-1"])
def test_any_host(host: str) -> None:
    text = orjson.dumps(item(links=[LINK]))
    assert orjson.loads(splicing.item_with_links(text, addresses(host))) == parsed(text, addresses(host))


@pytest.mark.parametrize("name", ["plain", "a link of its own", "links last", "local file after links", "collection last",
                                  "local file before links, in order", "unicode"])  # fmt: skip
def test_usual_documents_are_not_written_again(name: str) -> None:
    assert splicing._spliced(orjson.dumps(DOCUMENTS[name]), addresses()) is not None


_names = st.sampled_from(["links", "assets", "href", "id", "collection", "type", "x", ',"links":[', '"', "\\"])
_texts = st.one_of(_names, st.sampled_from(["/x", "Feature", "]}", '{"type":"Feature",']), st.text(max_size=5))
_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), _texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_names, inner, max_size=3)),
    max_leaves=12,
)
_links = st.one_of(_values, st.lists(st.sampled_from([LINK, OURS, NESTED, {}, "x"]), max_size=3))


@settings(derandomize=True, deadline=None, max_examples=400)
@given(
    st.permutations(list(item())),
    st.fixed_dictionaries({}, optional={"links": _links, "assets": _values, "properties": _values, "zz": _values}),
    st.integers(0, 5),
)
def test_any_members_in_any_order(order: list[str], changed: Json, usual: int) -> None:
    made = item() | changed
    if usual:
        order = [*list(item())[:5], *(name for name in order if name in ("geometry", "properties", "links", "assets"))]
    text = orjson.dumps(turned(made, *order))
    assert orjson.loads(splicing.item_with_links(text, addresses())) == parsed(text, addresses())


def test_real_items(test_data: Path) -> None:
    lines = (test_data / "stac" / "planetary-computer" / "data" / "naip" / "items.ndjson").read_bytes().splitlines()
    at = addresses()
    assert lines
    for line in lines:
        stored = orjson.dumps(orjson.loads(line))
        assert orjson.loads(splicing.item_with_links(stored, at)) == parsed(stored, at)
        usual = orjson.dumps(turned(orjson.loads(line), "type", "stac_version", "stac_extensions", "id", "collection"))
        assert splicing._spliced(usual, at) is not None
        assert orjson.loads(splicing.item_with_links(usual, at)) == parsed(usual, at)
