"""`Prefer: respond-async`: a query becomes a job, whose result is the very answer that would have come."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from api.edr.test_estimates import QUERIES
from site_files import write_netcdf
from terrella.site import Site
from terrella.site.tasks import caller_named

ASYNC = {"Prefer": "wait=5, Respond-Async"}
WHEN = "&datetime=2024-01-01T00:00:00Z/2024-01-01T05:00:00Z&f=CSV"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("deferring")
    write_netcdf(folder / "t2m.nc", hours=range(24))
    limits, jobs = {"values": 500}, {"values": 2500}
    with Site.open(folder / "home", reading={"scanners": 1}, limits=limits, jobs=jobs) as site:
        site.add(folder / "t2m.nc")
        site.scanners.close()
        yield site


@pytest.fixture(scope="module")
def client(site: Site, serving) -> Iterator[httpx.Client]:
    with serving(site) as address, httpx.Client(base_url=address, timeout=60) as made:
        yield made


@pytest.mark.parametrize("query", QUERIES)
def test_the_result_is_the_answer(client: httpx.Client, query: str) -> None:
    words = QUERIES[query] + WHEN
    path = f"/ogc/collections/t2m/{query}"
    expected = client.get(f"{path}?{words}")
    given = dict(one.split("=", 1) for one in words.split("&"))
    for answer in (client.get(f"{path}?{words}", headers=ASYNC), client.post(path, data=given, headers=ASYNC)):
        assert (answer.status_code, answer.headers["preference-applied"]) == (201, "respond-async")
        info = client.get(answer.headers["location"]).json()
        assert (info["processID"], info["status"], info["dialect"]) == ("extract", "successful", "edr")
        assert info["jobID"] == answer.json()["jobID"]
        (result,) = client.get(f"{answer.headers['location']}/results").json().values()
        found = client.get(result["href"])
        assert found.headers["content-type"] == expected.headers["content-type"].partition(";")[0]
        assert found.content == expected.content


def test_without_the_preference_the_answer_comes_at_once(client: httpx.Client) -> None:
    for said in ({}, {"Prefer": "wait=10"}):
        answer = client.get(f"/ogc/collections/t2m/position?{QUERIES['position']}", headers=said)
        assert (answer.status_code, "location" in answer.headers) == (200, False)


def test_what_is_too_large_at_once_is_left_to_a_worker(site: Site, client: httpx.Client) -> None:
    path = "/ogc/collections/t2m/cube?bbox=0,40,6,46&f=CSV"
    assert client.get(path).status_code == 413
    answer = client.get(path, headers=ASYNC)
    assert (answer.status_code, answer.json()["status"]) == (201, "accepted")
    with Site.for_jobs(site.settings.home) as worker:
        # with the settings of this test, not those of the file
        worker.settings = site.settings
        worker.jobs.worker(lambda name: caller_named(worker, name)).run(until_idle=True)
    info = client.get(answer.headers["location"]).json()
    assert info["status"] == "successful", info["message"]


def test_what_is_wrong_or_too_large_for_a_job_is_refused_at_once(client: httpx.Client) -> None:
    for query, status, word in (
        ("cube?bbox=-180,-90,180,90", 413, "jobs.values"),
        ("position?coords=POINT(0 95)", 400, "coords"),
        ("cube?bbox=2,44,5,47&f=word", 400, "f"),
    ):
        answer = client.get(f"/ogc/collections/t2m/{query}", headers=ASYNC)
        assert answer.status_code == status
        assert word in answer.text
    assert client.get("/ogc/collections/none/cube?bbox=2,44,5,47", headers=ASYNC).status_code == 404
