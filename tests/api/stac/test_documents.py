"""Documents as they leave: cut to fields, with links, under the address that they were asked at."""

from __future__ import annotations

import httpx
import pytest

from terrella.api.stac.documents import fields_of
from terrella.errors import Invalid

ITEM = {
    "id": "a",
    "type": "Feature",
    "collection": "c",
    "geometry": {"type": "Point"},
    "properties": {"datetime": "now", "gsd": 10, "nested": {"x": 1, "y": 2}},
    "assets": {"data": {"href": "d", "title": "t"}, "thumb": {"href": "t"}},
}


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (None, ITEM),
        ("", ITEM),
        ({}, ITEM),
        ("id", {"id": "a", "collection": "c"}),
        ("type,properties.gsd", {"id": "a", "collection": "c", "type": "Feature", "properties": {"gsd": 10}}),
        ("+properties.nested.x", {"id": "a", "collection": "c", "properties": {"nested": {"x": 1}}}),
        ("properties,properties.gsd", {"id": "a", "collection": "c", "properties": ITEM["properties"]}),
        ("properties.gsd,properties", {"id": "a", "collection": "c", "properties": ITEM["properties"]}),
        ("-assets,-properties.nested,-geometry", {k: v for k, v in ITEM.items() if k not in {"assets", "geometry"}}
         | {"properties": {"datetime": "now", "gsd": 10}}),
        ("assets,-assets.data.title", {"id": "a", "collection": "c", "assets": {"data": {"href": "d"}, "thumb": {"href": "t"}}}),
        ("-properties,properties.gsd", {"id": "a", "collection": "c", "properties": {"gsd": 10}}),
        ("geometry,-geometry", {"id": "a", "collection": "c", "geometry": {"type": "Point"}}),
        ("nothing,properties.nothing.deep,id.deep", {"id": "a", "collection": "c", "properties": {}}),
        ("-id,-collection", ITEM),
        ("-nothing,-id.deep", ITEM),
        ({"include": ["type"], "exclude": None}, {"id": "a", "collection": "c", "type": "Feature"}),
    ],
)  # fmt: skip
def test_fields(given: object, left: dict[str, object]) -> None:
    whole = {**ITEM, "properties": {**ITEM["properties"]}, "assets": {**ITEM["assets"]}}
    assert fields_of(given).cut(whole) == left


@pytest.mark.parametrize("given", ["id,,x", "-", ",", {"include": [""]}])
def test_empty_names(given: object) -> None:
    with pytest.raises(Invalid) as refused:
        fields_of(given)
    assert refused.value.parameter == "fields"


def test_links_follow_the_address_that_was_asked(web: httpx.Client) -> None:
    for host in ("data.example.org", "[::1]:9000"):
        page = web.get("/stac/search?limit=1&collections=optical", headers={"Host": host}).json()
        assert {link["href"].split("/stac")[0] for link in page["links"]} == {f"http://{host}"}
        assert {link["href"].split("/stac")[0] for link in page["features"][0]["links"]} == {f"http://{host}"}
    headers = {"X-Forwarded-Proto": "https", "Host": "data.example.org"}
    assert web.get("/stac", headers=headers).json()["links"][0]["href"] == "https://data.example.org/stac"


def test_links_of_items(web: httpx.Client) -> None:
    item = web.get("/stac/collections/optical/items/optical-0001").json()
    links = {link["rel"]: link["href"] for link in item["links"]}
    assert set(links) == {"self", "parent", "collection", "root"}
    assert web.get(links["self"]).json() == item
    assert web.get(links["parent"]).json()["id"] == "optical"


def test_every_link_of_a_collection_works(web: httpx.Client) -> None:
    for link in web.get("/stac/collections/optical").json()["links"]:
        if link["rel"] != "license":
            answer = web.get(link["href"])
            assert answer.status_code == 200, link
            assert answer.headers["content-type"].split(";")[0] == link["type"]


def test_every_link_of_the_landing_page_works(web: httpx.Client) -> None:
    for link in web.get("/stac").json()["links"]:
        answer = web.request(
            link.get("method", "GET"), link["href"], json={} if "method" in link and link["method"] == "POST" else None
        )
        assert answer.status_code == 200, link
        assert answer.headers["content-type"].split(";")[0] == link["type"].split(";")[0]


def test_pages_keep_what_was_asked(web: httpx.Client) -> None:
    first = web.get("/stac/search", params={"limit": 2, "filter": "eo:cloud_cover < 50", "fields": "id,-links"}).json()
    (href,) = [link["href"] for link in first["links"] if link["rel"] == "next"]
    second = web.get(href).json()
    assert len(second["features"]) == 2
    assert all(set(one) == {"id", "collection"} for one in second["features"])
    assert not {one["id"] for one in first["features"]} & {one["id"] for one in second["features"]}


@pytest.mark.parametrize("token", ["x", "A" * 5000, "W10", "bnVsbA", "WzEsMl0", "%00", "..", "🌍", "eyJhIjoxfQ"])
def test_tokens_that_are_no_tokens(web: httpx.Client, token: str) -> None:
    for path in (
        "/stac/search",
        "/stac/collections",
        "/stac/collections/optical/items",
        "/stac/collections/optical/browse",
    ):
        answer = web.get(path, params={"token": token})
        assert answer.status_code == 400, path
        assert answer.json()["parameter"] == "token"
    assert web.post("/stac/search", json={"token": token}).status_code == 400


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "1.5"}, "limit"),
        ({"bbox": "1,2"}, "bbox"),
        ({"datetime": "noon"}, "datetime"),
        ({"intersects": "{}"}, "intersects"),
        ({"collections": "optcal"}, "collections"),
        ({"filter": "colour = 'red'"}, "filter"),
        ({"filter": "a = 1", "filter-lang": "sql"}, "filter-lang"),
        ({"filter": "{", "filter-lang": "cql2-json"}, "filter"),
        ({"sortby": "colour"}, "sortby"),
        ({"query": '{"colour":{"eq":1}}'}, "filter"),
        ({"cloudcover": "3"}, "cloudcover"),
    ],
)
def test_refusals_name_the_parameter(web: httpx.Client, parameters: dict[str, str], name: str) -> None:
    answer = web.get("/stac/search", params=parameters)
    assert answer.status_code == 400
    assert answer.json()["parameter"] == name
    assert answer.json()["description"]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"limit": "3"}, "limit"),
        ({"limit": 0}, "limit"),
        ({"bbox": "1,2,3,4"}, "bbox"),
        ({"bbox": [1, 2, 3]}, "bbox"),
        ({"bbox": [1, 2, 3, "x"]}, "bbox.3"),
        ({"intersects": "x"}, "intersects"),
        ({"colections": ["optical"]}, "colections"),
        ({"sortby": [{"field": "id", "direction": "up"}]}, "sortby.0.direction"),
        ({"sortby": "id"}, "sortby"),
        ({"filter": {"op": "="}}, "filter"),
        ({"filter": "a = 1", "filter-lang": "cql2-json"}, "filter"),
        ({"fields": None}, "fields"),
        ({"ids": ["a", ""]}, "ids"),
        ({"datetime": 3}, "datetime"),
        ([], "body"),
    ],
)
def test_refusals_of_bodies_name_the_member(web: httpx.Client, body: object, name: str) -> None:
    answer = web.post("/stac/search", json=body)
    assert answer.status_code == 400
    assert answer.json()["parameter"] == name


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"limit": NaN}', b'{"bbox": [1e999, 0, 1, 1]}', b'{"ids": ["\\ud800"]}', b'"x"',
     b'{"filter": {"op": "=", "args": [{"property": "gsd"}, 99999999999999999999999999]}}', b'{"q": "\\u0000"}'],
)  # fmt: skip
def test_bodies_that_are_hardly_json(web: httpx.Client, content: bytes) -> None:
    answer = web.post("/stac/search", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in {200, 400}
    assert answer.json()


def test_ten_megabytes_of_geometry(web: httpx.Client) -> None:
    ring = [[n % 360 - 180, n % 170 - 85] for n in range(600_000)]
    ring.append(ring[0])
    answer = web.post("/stac/search", json={"intersects": {"type": "Polygon", "coordinates": [ring]}}, timeout=60)
    assert answer.status_code in {400, 413}
    assert answer.json()["parameter"] in {"intersects", "body"}


def test_aggregations(web: httpx.Client) -> None:
    known = [one["name"] for one in web.get("/stac/aggregations").json()["aggregations"]]
    answer = web.get("/stac/aggregate", params={"aggregations": ",".join(known), "collections": "optical"})
    assert answer.status_code == 200
    found = {one["name"]: one for one in answer.json()["aggregations"]}
    assert set(found) == set(known)
    assert found["total_count"]["value"] == 240
    assert found["datetime_min"]["value"].startswith("2023-01-01")
    assert {bucket["key"]: bucket["frequency"] for bucket in found["collection_frequency"]["buckets"]} == {
        "optical": 240
    }
    body = web.post(
        "/stac/aggregate",
        json={"aggregations": ["total_count"], "filter": {"op": "<", "args": [{"property": "eo:cloud_cover"}, 10]}},
    )
    one = web.get("/stac/collections/optical/aggregate", params={"filter": "eo:cloud_cover < 10"})
    assert body.json()["aggregations"][0]["value"] == one.json()["aggregations"][0]["value"] + 4
    assert web.get("/stac/aggregate", params={"aggregations": "sum"}).status_code == 400


def test_queryables(web: httpx.Client) -> None:
    for path in ("/stac/queryables", "/stac/queryables?collections=optical", "/stac/collections/optical/queryables"):
        answer = web.get(path)
        assert answer.headers["content-type"] == "application/schema+json"
        assert answer.json()["$id"].endswith(path)
    assert web.get("/stac/queryables?collections=nothing").status_code == 404
    assert web.get("/stac/collections/nothing/queryables").status_code == 404
