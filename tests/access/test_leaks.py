"""What is hidden leaks nowhere: every GET and POST of the interface, asked by somebody without an account."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import httpx
import orjson
import pytest

from api.conftest import collection, item, serving
from site_files import write_netcdf
from terrella.model.caller import OPERATOR
from terrella.site.site import Site

RULES = [
    {"name": "open data", "collections": "license IN ('CC-BY-4.0', 'other') AND NOT id IN ('secretqx', 'twinned')", "items": "embargo IS NULL OR embargo <= now()"},
    {"name": "twins are known", "allow": "find", "collections": "id LIKE 'twin%'"},
    {"name": "twins for the upgraded", "roles": ["upgraded"], "collections": "id LIKE 'twin%'"},
    {"name": "secrets", "roles": ["agent"]},
]  # fmt: skip
HIDDEN = ["secretqx", "hiddenqx", "Klassifiziertqx", "covertqx", "77123", "1811-", "2187-", "66.123"]
"""Pieces of ids, titles, values, times and counts that only hidden things have."""
HIDDEN_ITEMS = 37
WHOLE = ["open", "twinned"]


def hidden_item(where: str, number: int) -> dict[str, Any]:
    """An item that nothing open is like: other words, other properties, another time, another place."""
    made = item(where, number, 66.123, -66.123)
    made["id"] = f"hiddenqx-{number}"
    made["properties"] |= {
        "title": "Klassifiziertqx",
        "covertqx:level": 77123,
        "platform": "covertqx-1",
        "embargo": "2187-01-01T00:00:00Z",
        "datetime": f"1811-01-{number % 28 + 1:02d}T00:00:00Z",
        "eo:cloud_cover": 77.123,
    }
    made["assets"] = {"covertqx": {"href": "/srv/covertqx.tif", "title": "covertqx"}}
    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("leaks")
    made = Site.open(folder / "site", access={"rules": RULES}, api={"transactions": True})
    for name in ("open", "twinned", "mixedcube", "secretqx"):
        (folder / name).mkdir()
        write_netcdf(folder / name / f"{name}-1.nc", title=name, offset=1.0)
        write_netcdf(folder / name / f"{name}-2.nc", title=name, hours=range(4, 8), offset=1.0)
        made.add(folder / name, collection=name)
    lake = made.lake
    lake.put_collection(OPERATOR, collection("plain", [0.0, 0.0, 9.0, 9.0]))
    lake.put_items(OPERATOR, [item("plain", n, n % 9, 1.0) for n in range(12)])
    about = {"summaries": {"platform": ["covertqx-1", "sat-a"]}, "keywords": ["Klassifiziertqx"]}
    lake.put_collection(OPERATOR, collection("mixed", [66.123, -66.123, 67.0, -65.0], **about))
    lake.put_items(OPERATOR, [item("mixed", n, n % 9, 1.0) for n in range(5)])
    lake.put_items(OPERATOR, [hidden_item("mixed", n) for n in range(HIDDEN_ITEMS)])
    for collection_id in ("mixedcube", "twinned"):
        lake.put_items(OPERATOR, _embargoed(lake, collection_id) if collection_id == "mixedcube" else [])
    lake.put_items(OPERATOR, [hidden_item("secretqx", n) for n in range(3)])
    yield made
    made.close()


def _embargoed(lake: Any, name: str) -> list[dict[str, Any]]:
    found = orjson.loads(lake.item(OPERATOR, name, f"{name}-2"))
    found["properties"] |= {"embargo": "2187-01-01T00:00:00Z", "title": "Klassifiziertqx", "covertqx:level": 77123}
    return [found]


@pytest.fixture(scope="module")
def web(site: Site) -> Iterator[httpx.Client]:
    with serving(site) as address, httpx.Client(base_url=address, timeout=60, follow_redirects=False) as made:
        yield made


PATHS = {
    "collection_id": ["mixed", "mixedcube"],
    "item_id": ["mixed-0001", "nothere"],
    "asset_key": ["data"],
    "location_id": ["0"],
    "key": ["zarr.json"],
}
AGGREGATIONS = (
    "total_count,collection_frequency,datetime_min,datetime_max,datetime_frequency,cloud_cover_frequency,"
    "centroid_geohash_grid_frequency,platform_frequency,title_frequency"
)
QUERIES: dict[str, list[str]] = {
    "bbox": ["66,-67,67,-66"],
    "datetime": ["1811-01-01T00:00:00Z/1811-02-01T00:00:00Z", "2180-01-01T00:00:00Z/.."],
    "q": ["temperature"],
    "limit": ["1000"],
    "sortby": ["-datetime", "properties.title", "+covert", "id"],
    "filter": ["platform = 'sat-a'", "covert = 1", "embargo IS NOT NULL", '"eo:cloud_cover" > 77', "collection = 'nothere'"],
    "fields": ["assets,properties.title"],
    "aggregations": [AGGREGATIONS, "covert_frequency"],
    "collections": ["mixed,mixedcube,open", "secret", "mixed"],
    "ids": ["nothere"],
    "coords": ["POINT(3 45)"],
    "parameter-name": ["t2m", "nothere"],
    "f": ["json"],
    "theme": ["ocean"],
    "variable": ["air_temperature", "covert"],
    "has": ["items", "images"],
    "access": ["open", "request"],
    "sort": ["-updated", "items", "begin"],
    "intersects": ['{"type":"Point","coordinates":[66.5,-65.5]}'],
}  # fmt: skip
UNASKED = ("/account", "/jobs", "/d/", "/api/v2/requests", "/api/v1/requests")
"""They need an account or a link, and other tests ask them."""


LOOKING = ("/statistics", "/statistics/estimate", "/statistics/cite", "/thumbnail", "/cube")
"""Routes that look at files whatever else is asked."""


def questions(description: dict[str, Any]) -> Iterator[str]:
    """Addresses of all GET routes: every path, plain and with each parameter by itself."""
    for path, methods in description["paths"].items():
        if "get" not in methods or path.startswith(UNASKED):
            continue
        names = re.findall(r"\{(\w+)\}", path)
        known = [PATHS.get(name, ["nothere"]) for name in names]
        for filled in itertools.product(*known):
            made = path
            for name, value in zip(names, filled, strict=True):
                made = made.replace(f"{{{name}}}", value)
            yield made
            if "/mixed/" in made and made.endswith(LOOKING):
                continue  # its files are nowhere, and looking for them takes seconds
            for parameter in [one.get("name") for one in methods["get"].get("parameters", [])]:
                for value in QUERIES.get(parameter, []):
                    query = str(httpx.QueryParams({parameter: value}))
                    yield f"{made}?{query}"


def leaks(answer: httpx.Response) -> list[str]:
    """Hidden pieces that an answer has, and its question had not."""
    said, asked = answer.text + str(answer.headers), str(httpx.URL(answer.request.url).copy_with(host="h"))
    return [word for word in HIDDEN if word in said and word not in unquote(asked)]


def test_nothing_hidden_is_in_any_answer(web: httpx.Client) -> None:
    asked = list(questions(web.get("/api").json()))
    assert len(asked) > 200
    statuses: dict[int, int] = {}
    for address in asked:
        answer = web.get(address)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        assert not leaks(answer), (address, leaks(answer), answer.text[:2000])
        assert answer.status_code < 500 or answer.status_code == 501, (address, answer.text)
    assert statuses[200] > 50, statuses
    for path in ("/", "/?f=json", "/metrics", "/openapi.json", "/static/../", "/stac/", "/ogc/", "/zarr/"):
        assert not leaks(web.get(path)), path


def test_nothing_hidden_is_in_answers_to_posts(web: httpx.Client) -> None:
    bodies: list[dict[str, Any]] = [
        {},
        {"limit": 1000},
        {"collections": ["mixed"], "limit": 1000},
        {"filter-lang": "cql2-json", "filter": {"op": "isNull", "args": [{"property": "covert"}]}},
        {"query": {"platform": {"startsWith": "c"}}},
        {"query": {"covert": {"eq": 1}}},
        {"ids": ["nothere"]},
        {"sortby": [{"field": "properties.covert", "direction": "asc"}]},
        {"q": "temperature"},
    ]
    for path, body in itertools.product(("/stac/search", "/stac/aggregate"), bodies):
        asked = body | ({"aggregations": ["total_count", "title_frequency"]} if "aggregate" in path else {})
        answer = web.post(path, json=asked)
        assert answer.status_code < 500
        assert not leaks(answer), (path, body, answer.text[:1500])


PAIRS = [
    ("secretqx", "secretqy"),
    ("hiddenqx-1", "hiddenqy-1"),
    ("mixedcube-2", "mixedcube-9"),
    ("covertqx:level", "covertqy:level"),
]


@pytest.mark.parametrize(
    "address",
    [
        "/stac/collections/secretqx", "/stac/collections/secretqx/items", "/stac/collections/secretqx/queryables",
        "/stac/collections/secretqx/items/hiddenqx-1", "/stac/collections/mixed/items/hiddenqx-1",
        "/stac/collections/mixed/items/hiddenqx-1/assets/covert", "/stac/collections/secretqx/browse",
        "/stac/collections/secretqx/aggregate?aggregations=total_count", "/stac/collections/mixedcube/items/mixedcube-2",
        "/stac/search?collections=secretqx", "/stac/search?ids=hiddenqx-1", "/stac/queryables?collections=secretqx",
        "/stac/search?filter=%22covertqx%3Alevel%22%20%3D%201", "/stac/search?sortby=covertqx%3Alevel",
        "/stac/search?filter=collection%3D'secretqx'", "/stac/search?q=secretqx",
        "/stac/aggregate?aggregations=covertqx%3Alevel_frequency", "/stac/collections?filter=id%3D'secretqx'",
        "/stac/collections?q=secretqx", "/stac/search?collections=mixed&ids=hiddenqx-1",
        "/ogc/collections/secretqx", "/ogc/collections/secretqx/items", "/ogc/collections/secretqx/locations",
        "/ogc/collections/secretqx/position?coords=POINT(3%2045)", "/ogc/collections/secretqx/instances",
        "/ogc/collections/secretqx/items/hiddenqx-1", "/ogc/collections/mixedcube/items/mixedcube-2",
        "/ogc/collections/secretqx/position/estimate?coords=POINT(3%2045)", "/ogc/collections/secretqx/locations/0",
        "/zarr/secretqx", "/zarr/secretqx/zarr.json", "/zarr/secretqx/t2m/c/0/0/0",
    ],
)  # fmt: skip
def test_what_is_hidden_answers_as_what_is_not_there(web: httpx.Client, address: str) -> None:
    other = address
    for hidden, absent in PAIRS:
        other = other.replace(hidden, absent).replace(hidden.replace(":", "%3A"), absent.replace(":", "%3A"))
    assert other != address
    first, second = web.get(address), web.get(other)
    assert first.status_code == second.status_code
    assert first.status_code < 500
    assert _same(first, dict(PAIRS)) == _same(second, {})


def _same(answer: httpx.Response, names: dict[str, str]) -> tuple[str, list[tuple[str, str]]]:
    """Body and headers without what differs between any two answers, with absent names for hidden ones."""

    def plain(text: str) -> str:
        for hidden, absent in names.items():
            text = text.replace(hidden, absent)
            text = text.replace(hidden.replace(":", "%3A"), absent.replace(":", "%3A"))
        return re.sub(r'"request_id":\s*"[^"]*"', "", text)

    headers = [(k, plain(v)) for k, v in answer.headers.items() if k not in {"date", "x-request-id", "server-timing"}]
    return plain(answer.text), headers


def test_counts_pages_and_facts_are_of_what_is_open(web: httpx.Client) -> None:
    assert web.get("/stac/search?collections=mixed").json()["numberMatched"] == 5
    assert web.get("/stac/collections/mixed/items?limit=2").json()["numberMatched"] == 5
    known = web.get("/stac/collections").json()
    assert {one["id"] for one in known["collections"]} == {"open", "plain", "mixed", "mixedcube", "twinned"}
    assert known["numberMatched"] == 5
    mixed = web.get("/stac/collections/mixed").json()
    assert "summaries" not in mixed
    assert mixed["extent"]["spatial"]["bbox"] == [[0.0, 1.0, 5.0, 2.0]]
    assert mixed["extent"]["temporal"]["interval"][0][0] == "2023-01-01T00:00:00Z"
    assert "covertqx:level" not in web.get("/stac/queryables").json()["properties"]
    found = web.get("/stac/aggregate?aggregations=total_count,collection_frequency").json()["aggregations"]
    assert found[0]["value"] == 12 + 5 + 2 + 1 + 2
    assert {one["key"]: one["frequency"] for one in found[1]["buckets"]}["mixed"] == 5
    before = web.get("/stac/collections?datetime=../1900-01-01T00:00:00Z").json()
    assert before["collections"] == []


def test_pages_hold_what_is_open_and_nothing_else(web: httpx.Client) -> None:
    ids, address = [], "/stac/search?limit=3"
    while address:
        page = web.get(address).json()
        ids += [one["id"] for one in page["features"]]
        address = next((one["href"] for one in page["links"] if one["rel"] == "next"), "")
    assert len(ids) == len(set(ids)) == 22


def test_cubes_with_hidden_items_are_denied_and_others_cut(web: httpx.Client) -> None:
    asked = "position?coords=POINT(3%2045)"
    assert web.get(f"/ogc/collections/open/{asked}").status_code == 200
    for path in (f"/ogc/collections/mixedcube/{asked}", "/zarr/mixedcube"):
        answer = web.get(path)
        assert answer.status_code == 403, answer.text
        assert "all of its items" in answer.text
        assert not leaks(answer)


def test_what_may_be_found_but_not_read_says_whom_it_is_open_to(web: httpx.Client) -> None:
    shown = web.get("/stac/collections/twinned/items/twinned-1").json()
    assert shown["assets"] == {}
    assert shown["terrella:access"] == {"read": False, "roles": ["upgraded", "agent"]}
    page = web.get("/stac/search?collections=twinned").json()["features"]
    assert [one["assets"] for one in page] == [{}, {}]
    assert [one["assets"] for one in web.get("/ogc/collections/twinned/items").json()["features"]] == [{}, {}]
    for path in (
        "/ogc/collections/twinned/position?coords=POINT(3%2045)",
        "/zarr/twinned",
        "/stac/collections/twinned/items/twinned-1/assets/data",
    ):
        answer = web.get(path)
        assert answer.status_code == 403, (path, answer.text)
        assert "upgraded" in answer.text


def test_files_are_served_from_here_and_where_they_lie_is_not_told(web: httpx.Client, site: Site) -> None:
    folder = str(site.settings.home.parent)
    for path in ("/stac/collections/open/items/open-1", "/stac/search", "/ogc/collections/open/items", "/"):
        answer = web.get(path)
        assert folder not in answer.text
        assert "file://" not in answer.text
    href = web.get("/stac/collections/open/items/open-1").json()["assets"]["data"]["href"]
    stored = (site.settings.home.parent / "open" / "open-1.nc").read_bytes()
    assert web.get(href).content == stored
    part = web.get(href, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, stored[10:20])
    assert web.head(href).headers["content-length"] == str(len(stored))
    assert web.get("/ogc/collections/open/items/open-1").json()["assets"]["data"]["href"] == href


def test_answers_kept_for_one_are_not_given_to_another(web: httpx.Client, site: Site) -> None:
    key = site.access.first_key()
    assert key is not None
    asked = "/ogc/collections/mixedcube/position?coords=POINT(3%2045)"
    known = web.get(asked, headers={"Authorization": f"Bearer {key.text}"})
    assert known.status_code == 200
    for headers in ({}, {"If-None-Match": known.headers["etag"]}):
        assert web.get(asked, headers=headers).status_code == 403
    whole = web.get("/stac/search?collections=mixed", headers={"Authorization": f"Bearer {key.text}"})
    assert whole.json()["numberMatched"] == 5 + HIDDEN_ITEMS


def test_only_editors_write_and_nobody_over_what_is_hidden(web: httpx.Client) -> None:
    sent = item("plain", 77, 1.0, 1.0)
    assert web.post("/stac/collections/plain/items", json=sent).status_code == 401
    assert web.delete("/stac/collections/plain").status_code == 401
    assert web.put("/stac/collections/secretqx", json=collection("secretqx", [0, 0, 1, 1])).status_code == 401
