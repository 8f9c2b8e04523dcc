"""ecmwf-datastores-client, unmodified, against a running server: catalogue, constraints, costs, jobs, receipts."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from grib_files import read_grib, value

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunClient, Served  # type: ignore[import-not-found]

CLIENT = """
import warnings
warnings.simplefilter("error")
from ecmwf.datastores import Client
client = Client(url=url + "/api", key=key, progress=False)
"""
ONE = {"product_type": "reanalysis", "variable": "2m_temperature", "date": "2024-03-01", "time": "03:00"}


@pytest.fixture
def ask(stores: Served, run_client: RunClient) -> Any:
    def asked(lines: str, **values: Any) -> Any:
        return run_client(CLIENT + lines, url=stores.url, key=stores.key, **values)

    return asked


def test_the_catalogue_by_pages(ask: Any) -> None:
    lines = """
page, seen = client.get_collections(limit=2, sortby="id"), []
while page is not None:
    seen.append(page.collection_ids)
    page = page.next
found = client.get_collection("analysis")
print(json.dumps([seen, found.title, found.bbox, str(found.begin_datetime), str(found.end_datetime),
    found.updated_at >= found.published_at, client.get_collections(query="ordinary").collection_ids,
    client.get_collections(keywords=["2t"]).collection_ids, client.get_processes(limit=100).collection_ids]))
"""
    pages, title, box, begin, end, later, found, by_keyword, processes = ask(lines)
    everything = ["analysis", "daily", "ensemble", "levels", "ordinary"]
    assert pages == [everything[:2], everything[2:4], everything[4:]]
    assert (title, box, later) == ("analysis", [-180, -90, 180, 90], True)
    assert (begin, end) == ("2024-03-01 00:00:00+00:00", "2024-03-01 23:00:00+00:00")
    assert "ordinary" in found
    assert "analysis" not in found
    assert "analysis" in by_keyword
    assert "ensemble" not in by_keyword
    assert processes == everything


def test_constraints_narrow(ask: Any) -> None:
    lines = """
print(json.dumps([client.apply_constraints(name, given) for name, given in asked]))
"""
    asked: list[tuple[str, dict[str, Any]]] = [
        ("ensemble", {}),
        ("levels", {"variable": "2m_temperature"}),
        ("levels", {"pressure_level": "850"}),
        ("ensemble", {"time": ["12:00"], "day": "02"}),
        ("daily", {"month": ["02"]}),
        ("daily", {"date": "2024-01-30/2024-02-02"}),
    ]
    whole, surface, upper, nowhere, february, turn = ask(lines, asked=asked)
    assert whole["variable"] == ["temperature"]
    assert whole["product_type"] == ["perturbed_forecast"]
    assert whole["pressure_level"] == ["500", "850", "1000"]
    assert whole["leadtime_hour"] == ["0", "2", "4", "6", "8", "10", "12"]
    assert whole["number"] == ["1", "2"]
    assert whole["time"] == ["00:00", "12:00"]
    assert whole["date"] == ["2024-03-01/2024-03-01"]
    assert surface["pressure_level"] == []
    assert surface["variable"] == ["2m_temperature", "temperature"]  # what else might be picked
    assert upper["variable"] == ["temperature"]
    assert nowhere["variable"] == []
    assert nowhere["time"] == []
    assert nowhere["day"] == ["01"]
    assert february["day"] == [f"{day:02d}" for day in range(1, 30)]
    assert february["month"] == ["01", "02", "03", "04", "05"]
    assert turn["day"] == ["01", "02", "30", "31"]


def test_what_goes_together_as_a_list(ask: Any) -> None:
    form, sets = ask("found = client.get_collection('daily')\nprint(json.dumps([found.form, found.constraints]))")
    names = [one["name"] for one in form]
    assert names[0] == "variable"
    assert {"year", "month", "day", "time", "area", "data_format"} <= set(names)
    days = {(year, month, day) for one in sets for year in one["year"] for month in one["month"] for day in one["day"]}
    first = np.datetime64("2024-01-01")
    assert days == {tuple(str(first + np.timedelta64(ahead, "D")).split("-")) for ahead in range(130)}


def test_costs_are_told_before(ask: Any, tmp_path: Path) -> None:
    lines = """
cost = client.estimate_costs("analysis", request)
client.retrieve("analysis", request, "out.grib")
print(json.dumps(cost))
"""
    cost = ask(lines, request=ONE)
    assert cost["request_is_valid"]
    assert 0 < cost["cost"] < cost["limit"]
    assert cost["estimate"]["values"] == cost["estimate"]["cells"] == 91 * 180
    (one,) = read_grib(tmp_path / "out.grib")
    assert one["values"].size == cost["estimate"]["values"]
    assert cost["estimate"]["bytes_read"] == pytest.approx((tmp_path / "out.grib").stat().st_size, rel=0.05)


def test_the_life_of_a_job(ask: Any, tmp_path: Path, stores: Served) -> None:
    lines = """
remote = client.submit("analysis", request)
target = remote.download("out.grib")
results = remote.get_results()
again = client.get_remote(remote.request_id)
jobs = client.get_jobs(limit=1, sortby="-created", status=["successful", "failed"])
count = 0
page = client.get_jobs(limit=2)
while page is not None and count < 50:
    count += len(page.request_ids)
    page = page.next
print(json.dumps([remote.request_id, remote.status, again.collection_id, again.request, jobs.request_ids, results.asset,
    str(again.created_at <= again.started_at <= again.finished_at), client.get_receipt(remote.request_id), count]))
"""
    job, status, collection, request, jobs, asset, ordered, receipt, count = ask(lines, request=ONE)
    assert (status, collection, request, jobs, ordered) == ("successful", "analysis", ONE, [job], "True")
    content = (tmp_path / "out.grib").read_bytes()
    assert asset["file:size"] == len(content)
    assert asset["file:checksum"] == "1220" + hashlib.sha256(content).hexdigest()
    assert count >= 1
    assert receipt["request_uid"] == job
    assert receipt["request"] == ONE
    assert receipt["results"][0]["sha256"] == hashlib.sha256(content).hexdigest()
    assert "terrella" in receipt["software"]
    assert stores.key not in str(receipt)


def test_the_file_gets_its_own_name(ask: Any, tmp_path: Path) -> None:
    assert ask("print(json.dumps(client.retrieve('analysis', request)))", request=ONE) == "analysis.grib"
    (one,) = read_grib(tmp_path / "analysis.grib")
    np.testing.assert_allclose(one["values"], value(one["lat"], one["lon"], hours=3), atol=1e-4)


def test_a_job_that_fails_says_why(ask: Any, stores: Served) -> None:
    """One chunk of its file is broken, which only reading it tells."""
    lines = """
remote = client.submit("ordinary", request)
try:
    remote.get_results()
except Exception as error:
    print(json.dumps([str(error), remote.status, client.get_receipt(remote.request_id)["message"]]))
"""
    path = stores.home.parent / "ordinary.nc"
    with h5py.File(path) as file:
        chunk = file["t2m"].id.get_chunk_info(3)
    whole, stat = path.read_bytes(), path.stat()
    first, end = chunk.byte_offset, chunk.byte_offset + chunk.size
    path.write_bytes(whole[:first] + bytes(chunk.size) + whole[end:])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    request = {"variable": "2m_temperature", "date": "2024-01-01", "time": "03:00"}
    text, status, receipt = ask(lines, request=request)
    path.write_bytes(whole)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    _, title, detail = text.split("\n")
    assert (title, status, detail) == ("The job has failed", "failed", receipt)
    assert "A chunk is damaged" in detail
    assert "Traceback" not in text


def test_deleting_jobs(ask: Any) -> None:
    lines = """
first, second = client.submit("analysis", request), client.submit("analysis", request)
ids = [first.request_id, second.request_id]
deleted = client.delete(*ids)
alone = client.submit("analysis", request).delete()
print(json.dumps([ids, [one["jobID"] for one in deleted["jobs"]], [one["status"] for one in deleted["jobs"]], alone["status"]]))
"""
    ids, deleted, states, alone = ask(lines, request=ONE)
    assert deleted == ids
    assert {*states, alone} <= {"dismissed", "successful"}


def test_licences_and_marks(ask: Any) -> None:
    lines = """
known = client.get_licences(scope="dataset")
mine = next(one for one in known if one["id"] == "analysis-terms")
accepted = client.accept_licence(mine["id"], mine["revision"])
who = client.check_authentication()
starred = client.star_collection("analysis")
client._profile_api.unstar_collection("analysis")
try:
    client.accept_licence("analysis-term", 1)
except Exception as error:
    refused = str(error)
print(json.dumps([accepted, client.get_accepted_licences(), who["sub"], starred, client.star_collection("levels"), refused]))
"""
    accepted, mine, who, starred, others, refused = ask(lines)
    assert accepted == {"id": "analysis-terms", "revision": 1}
    assert accepted in mine
    assert who == "admin"
    assert starred == ["analysis"]
    assert others == ["levels"]
    assert "Did you mean 'analysis-terms'" in refused


def test_a_wrong_key_is_said_at_once(stores: Served, run_client: RunClient) -> None:
    lines = """
warnings.simplefilter("ignore")
client = Client(url=url + "/api", key=wrong, progress=False)
try:
    client.check_authentication()
except Exception as error:
    print(json.dumps(str(error)))
"""
    text = run_client(CLIENT + lines, url=stores.url, key=stores.key, wrong="tk_" + "1" * 43)
    assert "401" in text
    assert "not known here" in text


def test_a_request_that_is_too_large_is_refused_with_its_size(ask: Any) -> None:
    lines = """
cost = client.estimate_costs("ensemble", request)
try:
    client.submit("ensemble", request | {"number": ["1", "2", "3"]})
except Exception as error:
    print(json.dumps([cost, str(error)]))
"""
    cost, text = ask(lines, request={"variable": "temperature", "date": "2024-03-01", "time": "00:00"})
    assert cost["request_is_valid"]
    assert cost["estimate"]["values"] == 91 * 180 * 7 * 3 * 2
    assert "no number '3'" in text
