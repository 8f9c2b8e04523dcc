"""The WEkEO dialect against a running server: what the client does not show, products of several files, who sees what."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

import terrella
from api.conftest import collection, item, serving
from grib_files import write_grib
from terrella.api.hdabroker import dialect
from terrella.model.caller import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from terrella.site import Site

BASE = "/hda-broker/api/v1"
RULES = [
    {"name": "known", "allow": "find", "collections": "id <> 'secret'"},
    {"name": "open", "collections": "id <> 'secret' and id <> 'closed'"},
    {"name": "staff", "roles": ["staff"]},
]
PARTS = {"a.txt": b"first" * 1000, "b.bin": bytes(range(256)) * 500}
COUNT = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("broker")
    settings = {"access": {"rules": RULES}, "jobs": {"workers": 0, "at_once_seconds": 0}}
    with terrella.Site.open(folder / "site", **settings) as made:
        write_grib(folder / "cube.grib", step=10.0, times=(0, 12))
        made.add(folder / "cube.grib")
        lake = made.lake
        for name in ("optical", "secret"):
            lake.put_collection(OPERATOR, collection(name, [0.0, 0.0, 9.0, 9.0]))
            lake.put_items(OPERATOR, [item(name, number, number % 9, 1.0) for number in range(COUNT)])
        for name, content in PARTS.items():
            (folder / name).write_bytes(content)
        made.add(_static(folder, "pairs", "pair", {"a": "./a.txt", "b": "./b.bin"}))
        made.add(_static(folder, "closed", "one", {"a": "./a.txt"}))
        yield made


def _static(folder: Path, inside: str, name: str, hrefs: dict[str, str]) -> Path:
    document = item(inside, 0, 1.0, 1.0) | {"id": name, "collection": inside}
    document["assets"] = {key: {"href": href, "roles": ["data"]} for key, href in hrefs.items()}
    (folder / f"{name}.json").write_text(json.dumps(document))
    return folder / f"{name}.json"


@pytest.fixture(scope="module")
def web(site: Site) -> Iterator[httpx.Client]:
    before, dialect._HOLD = dialect._HOLD, 0.05
    with serving(site) as address, httpx.Client(base_url=address, timeout=60) as made:
        yield made
    dialect._HOLD = before


def search(web: httpx.Client, **query: Any) -> dict[str, Any]:
    answer = web.post(f"{BASE}/dataaccess/search", json=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ordered(web: httpx.Client, dataset: str, name: str, location: str = "") -> httpx.Response:
    body = {"dataset_id": dataset, "product_id": name, "location": location or f"item.{name}"}
    return web.post(f"{BASE}/dataaccess/download", json=body)


def refused(answer: httpx.Response, status: int = 400) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["detail"])


def test_several_files_come_as_one_zip_by_range_too(web: httpx.Client) -> None:
    (found,) = search(web, dataset_id="pairs")["features"]
    name = ordered(web, "pairs", found["id"], found["properties"]["location"]).json()["download_id"]
    address = f"{BASE}/dataaccess/download/{name}"
    head, whole = web.head(address), web.get(address)
    assert head.status_code == whole.status_code == 200
    assert int(head.headers["content-length"]) == len(whole.content)
    assert 'filename="pair.zip"' in head.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(whole.content)) as archive:
        assert archive.testzip() is None
        assert {entry: archive.read(entry) for entry in archive.namelist()} == PARTS
    part = web.get(address, headers={"Range": "bytes=5000-"})
    assert (part.status_code, part.content) == (206, whole.content[5000:])


def test_an_order_is_running_until_it_is_done(web: httpx.Client, site: Site) -> None:
    query = {"variable": "2m_temperature", "date": "2024-03-01", "time": "12:00", "format": "netcdf"}
    (found,) = search(web, dataset_id="cube", **query)["features"]
    assert found["properties"]["size"] == 19 * 36 * 8
    name = ordered(web, "cube", found["id"], found["properties"]["location"]).json()["download_id"]
    address = f"{BASE}/dataaccess/download/{name}"
    assert web.head(address).status_code == 202
    assert web.get(address).json()["status"] == "running"
    site.jobs.cancel(OPERATOR, name)
    assert "Dismissed" in refused(web.get(address))


def test_what_lies_elsewhere_is_fetched_by_a_job(web: httpx.Client, site: Site) -> None:
    name = ordered(web, "optical", "optical-0007").json()["download_id"]
    assert site.jobs.get(OPERATOR, name).kind == "order"
    assert web.head(f"{BASE}/dataaccess/download/{name}").status_code == 202


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"platform": "sat-a"}, lambda n: n % 3 == 0),
        ({"platform": ["sat-a", "sat-b"]}, lambda n: n % 3 != 2),
        ({"cloudCover": 10}, lambda n: n <= 10),
        ({"cloudCover": "[0,10]"}, lambda n: n <= 10),
        ({"gsd": 11}, lambda n: n % 2 == 1),
        ({"bbox": [3.5, 1.5, 3.6, 1.6]}, lambda n: n % 9 == 3),
        ({"startdate": "2024-01-05T00:00:00Z", "enddate": "2024-01-07T23:59:59Z"}, None),
        ({"productIdentifier": "optical-0007"}, lambda n: n == 7),
        ({"platform": "sat-a", "cloud_cover": 5}, lambda n: n % 3 == 0 and n <= 5),
    ],
)
def test_files_are_found_by_what_is_known_of_them(web: httpx.Client, query: dict[str, Any], expected: Any) -> None:
    found = search(web, dataset_id="optical", itemsPerPage=1000, **query)
    names = {one["id"] for one in found["features"]}
    assert found["properties"]["totalResults"] == len(names)
    if expected is None:
        first, last = query["startdate"], query["enddate"]
        every = search(web, dataset_id="optical", itemsPerPage=1000)["features"]
        assert names == {o["id"] for o in every if first <= o["properties"]["startdate"] <= last}
    else:
        assert names == {f"optical-{n:04d}" for n in range(COUNT) if expected(n)}


def test_pages_in_any_order(web: httpx.Client) -> None:
    every = [one["id"] for one in search(web, dataset_id="optical", itemsPerPage=1000)["features"]]
    assert len(every) == COUNT
    for start, count in np.random.default_rng(3).integers(0, COUNT + 5, (20, 2)).tolist():
        found = search(web, dataset_id="optical", startIndex=start, itemsPerPage=count + 1)
        assert [one["id"] for one in found["features"]] == every[start : start + count + 1]
        assert found["properties"]["totalResults"] == COUNT
    assert search(web, dataset_id="optical", startIndex=10**12)["features"] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"bbox": [0, 0, 1, "x"]}, "west, south, east, north"),
        ({"bbox": [0, 50, 1, 40]}, "Latitudes"),
        ({"startdate": "yesterday"}, "is no time"),
        ({"startIndex": -1}, "startIndex"),
        ({"itemsPerPage": 0}, "itemsPerPage"),
        ({"itemsPerPage": "many"}, "itemsPerPage"),
        ({"cloudCover": "cloudy"}, "is a number"),
        ({"platfrom": "sat-a"}, "Did you mean 'platform'"),
        ({"platform": {"a": 1}}, "text, a number"),
        ({"dataset_id": 7}, "dataset_id"),
        ({"variable": "2t"}, "variable"),
    ],
)
def test_wrong_queries(web: httpx.Client, query: dict[str, Any], expected: str) -> None:
    answer = web.post(f"{BASE}/dataaccess/search", json={"dataset_id": "optical"} | query)
    assert expected in refused(answer)


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b'{"dataset_id": "\xff"}', b"null"])
def test_bodies_that_are_none(web: httpx.Client, body: bytes) -> None:
    for path in ("dataaccess/search", "dataaccess/download", "stac/search"):
        answer = web.post(f"{BASE}/{path}", content=body)
        assert answer.status_code == 400 or (path == "stac/search" and body == b"")


def test_what_is_hidden_is_not_there(web: httpx.Client) -> None:
    assert [one["dataset_id"] for one in web.get(f"{BASE}/datasets").json()["features"]] == [
        "closed",
        "cube",
        "optical",
        "pairs",
    ]
    for answer in (
        web.get(f"{BASE}/datasets/secret"),
        web.get(f"{BASE}/dataaccess/queryable/secret"),
        web.post(f"{BASE}/dataaccess/search", json={"dataset_id": "secret"}),
        ordered(web, "secret", "secret-0001"),
        web.get(f"{BASE}/stac/collections/secret"),
        web.get(f"{BASE}/stac/collections/secret/items"),
        web.get(f"{BASE}/stac/collections/secret/items/secret-0001"),
        web.put(f"{BASE}/termsaccepted/secret-terms", json={"accepted": True}),
    ):
        assert answer.status_code == 404, answer.text


def test_what_may_be_found_but_not_read_is_refused_without_403(web: httpx.Client) -> None:
    """403 would make the client fetch a token."""
    assert search(web, dataset_id="closed")["properties"]["totalResults"] == 1
    assert "not read it" in refused(ordered(web, "closed", "one"))
    name = ordered(web, "pairs", "pair").json()["download_id"]
    forged = name.replace(name.split(".")[1], "WyJjbG9zZWQiLCJvbmUiXQ")
    assert "not read it" in refused(web.get(f"{BASE}/dataaccess/download/{forged}"))


def test_a_fault_of_ours_is_none_that_the_client_tries_again(
    web: httpx.Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(site.catalog, "collection", broken)
    answer = web.get(f"{BASE}/datasets/optical")
    assert "log knows more" in refused(answer, 501)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"username": "ada"}, 400),
        ({"username": "ada", "password": 7}, 400),
        ({"username": "ada", "password": "wrong"}, 401),
        ({"username": "ada", "password": "tk_" + "0" * 43}, 401),
    ],
)
def test_the_door(web: httpx.Client, body: dict[str, Any], status: int) -> None:
    for path in ("/identity/gettoken", "/hda-broker/gettoken"):
        answer = web.post(path, json=body)
        assert answer.status_code in (status, 403 if status == 401 and path.startswith("/hda") else status)
    assert web.post("/hda-broker/refreshtoken", data={"refresh_token": "nonsense"}).status_code == 403
    assert web.post("/identity/refreshtoken", json={"refresh_token": "nonsense"}).status_code == 401
    assert web.post("/identity/refreshtoken", json={}).status_code == 400


def test_a_wrong_token_asks_for_another(web: httpx.Client) -> None:
    answer = web.get(f"{BASE}/datasets", headers={"Authorization": "Bearer ts_" + "0" * 43})
    assert answer.status_code == 403
