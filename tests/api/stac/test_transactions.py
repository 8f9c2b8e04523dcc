"""Creating, changing and deleting items and collections, where the site's settings allow it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.conftest import collection, item


@pytest.fixture
def name(writer: httpx.Client) -> Iterator[str]:
    """A collection of this test's own."""
    assert writer.post("/stac/collections", json=collection("own", [0.0, 0.0, 9.0, 9.0])).status_code == 201
    yield "own"
    assert writer.delete("/stac/collections/own").status_code == 204
    assert writer.get("/stac/collections/own").status_code == 404


def test_they_are_off_by_default(web: httpx.Client) -> None:
    assert web.post("/stac/collections", json=collection("own", [0, 0, 9, 9])).status_code == 405
    assert web.delete("/stac/collections/optical").status_code == 405
    assert not [one for one in web.get("/stac/conformance").json()["conformsTo"] if "transaction" in one]


def test_the_life_of_an_item(writer: httpx.Client, name: str) -> None:
    items = f"/stac/collections/{name}/items"
    new = item(name, 1, 2.0, 3.0)
    made = writer.post(items, json=new)
    assert made.status_code == 201
    assert writer.get(made.headers["location"]).json() == made.json()
    assert writer.post(items, json=new).status_code == 409
    changed = {**new, "properties": {**new["properties"], "gsd": 99}, "links": made.json()["links"]}
    assert writer.put(f"{items}/{new['id']}", json=changed).json()["properties"]["gsd"] == 99
    merged = writer.patch(f"{items}/{new['id']}", json={"properties": {"title": None, "colour": "red"}}).json()
    assert merged["properties"]["colour"] == "red"
    assert "title" not in merged["properties"]
    assert merged["properties"]["gsd"] == 99
    assert (
        writer.get("/stac/search", params={"collections": name, "filter": "colour = 'red'"}).json()["numberMatched"]
        == 1
    )
    assert len(writer.get(f"{items}/{new['id']}").json()["links"]) == 4
    gone = writer.delete(f"{items}/{new['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert writer.delete(f"{items}/{new['id']}").status_code == 404
    assert writer.put(f"{items}/{new['id']}", json=new).status_code == 404


def test_many_items_are_created_or_none(writer: httpx.Client, name: str) -> None:
    items = f"/stac/collections/{name}/items"
    good = {"type": "FeatureCollection", "features": [item(name, n, 1.0, 1.0) for n in range(5)]}
    assert writer.post(items, json=good).status_code == 201
    bad = {"type": "FeatureCollection", "features": [item(name, 9, 1.0, 1.0), {"type": "Feature", "id": "broken"}]}
    assert writer.post(items, json=bad).status_code == 400
    assert writer.get(items).json()["numberMatched"] == 5


PATCHES: list[tuple[list[dict[str, Any]], int]] = [
    ([{"op": "replace", "path": "/properties/gsd", "value": 5}], 200),
    ([{"op": "test", "path": "/properties/gsd", "value": 5}], 200),
    ([{"op": "test", "path": "/properties/gsd", "value": 6}], 409),
    ([{"op": "copy", "from": "/properties/gsd", "path": "/properties/again"}], 200),
    ([{"op": "move", "from": "/properties/again", "path": "/properties/moved"}], 200),
    (
        [
            {"op": "add", "path": "/properties/list", "value": [1]},
            {"op": "add", "path": "/properties/list/-", "value": 2},
        ],
        200,
    ),
    ([{"op": "remove", "path": "/properties/list/0"}], 200),
    ([{"op": "remove", "path": "/properties/nothing"}], 400),
    ([{"op": "add", "path": "properties", "value": 1}], 400),
    ([{"op": "replace", "path": "/geometry/coordinates"}], 400),
    ([{"op": "shout", "path": "/id"}], 400),
    ([{"op": "replace", "path": "/id", "value": "other"}], 400),
    ([{"op": "remove", "path": "/geometry"}], 400),
]


def test_json_patches(writer: httpx.Client, name: str) -> None:
    items = f"/stac/collections/{name}/items"
    one = item(name, 1, 2.0, 3.0)
    writer.post(items, json=one)
    for patch, status in PATCHES:
        headers = {"Content-Type": "application/json-patch+json"}
        answer = writer.patch(f"{items}/{one['id']}", json=patch, headers=headers)
        assert answer.status_code == status, (patch, answer.text)
    left = writer.get(f"{items}/{one['id']}").json()["properties"]
    assert (left["gsd"], left["moved"], left["list"]) == (5, 5, [2])


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"id": ""}, None),
        ({"id": 7}, None),
        ({"type": "Collection"}, "type"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}}, "geometry"),
        ({"collection": "pacific"}, "collection"),
        ({"properties": None}, "properties"),
        ({"properties": {}}, None),
        ({"properties": {"datetime": "noon"}}, None),
        ({"links": "x"}, "links"),
        ({"links": [3]}, "links"),
        ({"assets": []}, "assets"),
        ({"bbox": None}, None),
    ],
)
def test_broken_items_are_refused(writer: httpx.Client, change: dict[str, Any], parameter: str | None) -> None:
    answer = writer.post("/stac/collections/optical/items", json={**item("optical", 9999, 1.0, 1.0), **change})
    assert answer.status_code == 400, answer.text
    assert parameter is None or answer.json()["parameter"] == parameter


@pytest.mark.parametrize(
    "change",
    [
        {"id": "a/b"},
        {"id": "../x"},
        {"id": ""},
        {"extent": None},
        {"extent": {}},
        {"license": 3},
        {"description": None},
        {"links": 1},
    ],
)
def test_broken_collections_are_refused(writer: httpx.Client, change: dict[str, Any]) -> None:
    assert writer.post("/stac/collections", json={**collection("x", [0, 0, 1, 1]), **change}).status_code == 400


def test_collections_change_and_keep_their_items(writer: httpx.Client, name: str) -> None:
    writer.post(f"/stac/collections/{name}/items", json=item(name, 1, 2.0, 3.0))
    assert writer.post("/stac/collections", json=collection(name, [0, 0, 1, 1])).status_code == 409
    put = writer.put(f"/stac/collections/{name}", json={**collection(name, [0, 0, 9, 9]), "title": "New"})
    assert put.json()["title"] == "New"
    assert writer.patch(f"/stac/collections/{name}", json={"title": "Newer"}).json()["title"] == "Newer"
    assert writer.put("/stac/collections/none", json=collection("none", [0, 0, 1, 1])).status_code == 404
    assert writer.put(f"/stac/collections/{name}", json=collection("other", [0, 0, 1, 1])).status_code == 400
    assert writer.get(f"/stac/collections/{name}/items").json()["numberMatched"] == 1
