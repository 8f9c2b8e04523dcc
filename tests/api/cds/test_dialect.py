"""The data stores' dialect against a running server: what their clients do not show, bad input, who sees what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import terrella
from api.conftest import collection, serving
from grib_files import write_grib
from terrella.model.caller import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terrella.site import Site

CATALOGUE, RETRIEVE, PROFILES = (f"/api/{part}/v1" for part in ("catalogue", "retrieve", "profiles"))
RULES = [{"name": "open", "collections": "id <> 'secret'"}, {"name": "staff", "roles": ["staff"]}]
REQUEST = {"variable": "2m_temperature", "date": "2024-03-01", "time": "12:00"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("cds")
    settings = {
        "access": {"rules": RULES},
        "jobs": {"workers": 0, "at_once_seconds": 0, "values": 1000},
    }
    with terrella.Site.open(folder / "site", **settings) as made:
        for name in ("cube", "secret"):
            write_grib(folder / f"{name}.grib", step=10.0, times=(0, 12), param=167)
            made.add(folder / f"{name}.grib")
        made.lake.put_collection(OPERATOR, collection("files", [0.0, 0.0, 9.0, 9.0], license="CC-BY-4.0"))
        made.access.users.add(terrella_user("ada"))
        yield made


def terrella_user(name: str) -> Any:
    from terrella.access.users import User

    return User(name)


@pytest.fixture(scope="module")
def key(site: Site) -> str:
    return site.access.session(site.access.caller("ada")).text


@pytest.fixture(scope="module")
def web(site: Site, key: str) -> Iterator[httpx.Client]:
    with serving(site) as address, httpx.Client(base_url=address, timeout=60, headers={"PRIVATE-TOKEN": key}) as made:
        yield made


def refused(answer: httpx.Response, status: int = 400) -> str:
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert "traceback" not in told
    assert told["title"]
    return str(told["detail"])


def submitted(web: httpx.Client) -> dict[str, Any]:
    answer = web.post(f"{RETRIEVE}/processes/cube/execution", json={"inputs": REQUEST})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"].endswith(found["jobID"])
    return found


def test_a_job_that_waits_has_no_results_yet(web: httpx.Client) -> None:
    job = submitted(web)
    assert job["status"] == "accepted"
    here = f"{RETRIEVE}/jobs/{job['jobID']}"
    told = web.get(here, params={"log": True, "request": True}).json()
    assert told["metadata"]["request"]["ids"] == REQUEST
    assert [one["rel"] for one in told["links"]] == ["self", "monitor"]
    assert "accepted" in refused(web.get(f"{here}/results"), 404)
    assert "accepted" in refused(web.get(f"{here}/receipt"), 404)
    assert web.delete(here).json()["status"] == "dismissed"
    assert "dismissed" in refused(web.get(f"{here}/results"), 404)


def test_jobs_by_pages_and_states(web: httpx.Client) -> None:
    names = [submitted(web)["jobID"] for _ in range(5)]
    web.post(f"{RETRIEVE}/jobs/delete", json={"job_ids": names[:2]})
    found, page = [], web.get(f"{RETRIEVE}/jobs", params={"limit": 2, "status": ["accepted", "running"]}).json()
    while True:
        found += [one["jobID"] for one in page["jobs"]]
        following = [one["href"] for one in page["links"] if one["rel"] == "next"]
        if not following:
            break
        page = web.get(following[0]).json()
    assert [name for name in found if name in names] == names[:1:-1]
    oldest = web.get(f"{RETRIEVE}/jobs", params={"sortby": "created"}).json()["jobs"]
    assert [one["jobID"] for one in oldest if one["jobID"] in names] == names
    assert "created" in refused(web.get(f"{RETRIEVE}/jobs", params={"sortby": "size"}))
    assert "accepted" in refused(web.get(f"{RETRIEVE}/jobs", params={"status": "lost"}))


def test_what_is_too_large_is_priced_but_not_taken(web: httpx.Client) -> None:
    asked = {"inputs": {"variable": "2m_temperature", "date": "2024-03-01"}}
    told = web.post(f"{RETRIEVE}/processes/cube/costing", json=asked).json()
    assert not told["request_is_valid"]
    assert (told["id"], told["cost"], told["limit"]) == ("values", 2 * 19 * 36, 1000)
    assert "jobs.values" in told["invalid_reason"]
    assert "jobs.values" in refused(web.post(f"{RETRIEVE}/processes/cube/execution", json=asked))
    smaller = {"inputs": REQUEST | {"area": [50, 0, 0, 50]}}
    assert web.post(f"{RETRIEVE}/processes/cube/costing", json=smaller).json()["estimate"]["values"] == 36


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"null", b'{"inputs": 1}', b'{"inputs": {"variable": NaN}}'])
def test_bodies_that_are_none(web: httpx.Client, body: bytes) -> None:
    for path in ("execution", "constraints", "costing"):
        refused(web.post(f"{RETRIEVE}/processes/cube/{path}", content=body))
    refused(web.post(f"{RETRIEVE}/jobs/delete", content=body))
    refused(web.put(f"{PROFILES}/account/licences/CC-BY-4.0", content=body))
    refused(web.post(f"{PROFILES}/account/starred", content=body))


@pytest.mark.parametrize(
    "inputs",
    [
        {"variable": ["2t"] * 200_000},
        {"variable": {"$ne": 1}},
        {"day": list(range(100_001))},
        {"date": "0001-01-01/9999-12-31/2024-01-01", "time": [[]]},
        {"date": [["2024-03-01"]]},
        {"area": ["a", "b", "c", "d"]},
        {"area": [float("1e308")] * 4},
        {"time": "25"},
        {"year": 1e300},
        {"number": True},
        {"leadtime_hour": "soon"},
        {"variable": "2m_temperature", "levtype": {"a": "b"}},
        {"format": ["grib", "netcdf"]},
    ],
)
def test_hostile_requests(web: httpx.Client, inputs: dict[str, Any]) -> None:
    asked = json.dumps({"inputs": {"variable": "2m_temperature", **inputs}}).encode()
    refused(web.post(f"{RETRIEVE}/processes/cube/execution", content=asked))
    assert web.post(f"{RETRIEVE}/processes/cube/constraints", content=asked).status_code in (200, 400)


def test_constraints_name_what_is_misspelled(web: httpx.Client) -> None:
    here = f"{RETRIEVE}/processes/cube/constraints"
    assert "'variable'" in refused(web.post(here, json={"inputs": {"varable": "2t"}}))
    given = {"variable": "2 metre temperature", "area": [1, 2, 3, 4], "data_format": "grib"}
    assert web.post(here, json={"inputs": given}).json()["time"] == ["00:00", "12:00"]


def test_a_collection_of_files_alone(web: httpx.Client) -> None:
    told = web.get(f"{CATALOGUE}/collections/files").json()
    assert "retrieve" not in {one["rel"] for one in told["links"]}
    assert web.get(f"{CATALOGUE}/collections/files/form.json").json() == []
    assert web.get(f"{CATALOGUE}/collections/files/constraints.json").json() == []
    assert "take its files" in refused(web.get(f"{RETRIEVE}/processes/files"), 404)
    assert "take its files" in refused(web.post(f"{RETRIEVE}/processes/files/execution", json={"inputs": {}}))
    assert [one["id"] for one in web.get(f"{RETRIEVE}/processes").json()["processes"]] == ["cube"]


def test_what_is_hidden_is_not_there(web: httpx.Client) -> None:
    assert [one["id"] for one in web.get(f"{CATALOGUE}/datasets").json()["collections"]] == ["cube", "files"]
    assert "secret" not in web.get(f"{CATALOGUE}/vocabularies/licences").text
    for answer in (
        web.get(f"{CATALOGUE}/collections/secret"),
        web.get(f"{CATALOGUE}/collections/secret/form.json"),
        web.get(f"{CATALOGUE}/collections/secret/constraints.json"),
        web.get(f"{RETRIEVE}/processes/secret"),
        web.post(f"{RETRIEVE}/processes/secret/execution", json={"inputs": REQUEST}),
        web.post(f"{RETRIEVE}/processes/secret/constraints", json={"inputs": {}}),
        web.post(f"{RETRIEVE}/processes/secret/costing", json={"inputs": REQUEST}),
        web.put(f"{PROFILES}/account/licences/secret-terms", json={"revision": 1}),
        web.post(f"{PROFILES}/account/starred", json={"uid": "secret"}),
        web.get(f"{RETRIEVE}/jobs/00000000-0000-0000-0000-000000000000"),
    ):
        refused(answer, 404)


def test_profiles_belong_to_somebody(web: httpx.Client, site: Site) -> None:
    assert web.put(f"{PROFILES}/account/licences/CC-BY-4.0", json={"revision": 1}).json()["revision"] == 1
    assert web.get(f"{PROFILES}/account/licences").json() == {"licences": [{"id": "CC-BY-4.0", "revision": 1}]}
    assert "revision 1" in refused(web.put(f"{PROFILES}/account/licences/CC-BY-4.0", json={"revision": 9}), 404)
    with httpx.Client(base_url=web.base_url) as nobody:
        assert nobody.get(f"{PROFILES}/account/licences").json() == {"licences": []}
        for answer in (
            nobody.post(f"{PROFILES}/account/verification/pat"),
            nobody.put(f"{PROFILES}/account/licences/CC-BY-4.0", json={"revision": 1}),
            nobody.post(f"{PROFILES}/account/starred", json={"uid": "cube"}),
            nobody.delete(f"{PROFILES}/account/starred/cube"),
        ):
            refused(answer, 401)
