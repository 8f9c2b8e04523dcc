"""Jobs and downloads over HTTP, at a real server; downloads are read by curl and by hand."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.conftest import serving
from terrella.model.caller import OPERATOR
from terrella.site import Site
from terrella.site.tasks import caller_named

BLOCK = bytes(range(256)) * 12_000  # 3 MB: several pieces
NAME = "Fläche 1 & co.bin"


def make_files(work: Any) -> None:
    (work.folder / NAME).write_bytes(BLOCK)
    (work.folder / "empty.txt").touch()


def pieces(work: Any) -> None:
    for n in range(4):
        work.progress(n / 4, f"Piece {n}.")
        time.sleep(0.3)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    opened = Site.open(tmp_path_factory.mktemp("jobs") / "home")
    opened.jobs._tasks.update({"files": make_files, "pieces": pieces})  # type: ignore[attr-defined]
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with serving(site) as address:  # type: ignore[arg-type]
        yield address


@pytest.fixture
def web(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client


def done(site: Site, kind: str, caller: Any = None, **inputs: Any) -> str:
    """A job that was worked off."""
    name = site.jobs.submit(caller or site.access.anonymous, kind, inputs, title="A title", dialect="test")
    site.jobs.worker(lambda owner: caller_named(site, owner)).run(until_idle=True)
    return name


@pytest.fixture(scope="module")
def job(site: Site, address: str) -> str:
    return done(site, "files")


@pytest.fixture
def link(web: httpx.Client, job: str) -> str:
    found: str = web.get(f"/jobs/{job}/results").json()[NAME]["href"]
    return found


# --- jobs ------------------------------------------------------------------------------------------------------------


def test_status_is_as_ogc_api_processes_writes_it(web: httpx.Client, address: str, job: str) -> None:
    found = web.get(f"/jobs/{job}")
    assert found.headers["content-type"] == "application/json"
    info = found.json()
    assert (info["jobID"], info["type"], info["status"], info["progress"]) == (job, "process", "successful", 100)
    assert info["processID"] == "files"
    assert info["created"] <= info["started"] <= info["finished"]
    links = {one["rel"]: one["href"] for one in info["links"]}
    assert links["self"] == f"{address}/jobs/{job}"
    assert links["http://www.opengis.net/def/rel/ogc/1.0/results"] == f"{address}/jobs/{job}/results"
    for href in links.values():
        assert web.get(href).status_code == 200


def test_there_is_no_such_job(web: httpx.Client) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/results"), ("GET", "/logs"), ("GET", "/events")):
        answer = web.request(method, f"/jobs/nothing{path}")
        assert answer.status_code == 404
        assert answer.json()["type"].endswith("/no-such-job")
        assert answer.headers["content-type"] == "application/problem+json"


def test_results_are_not_ready_until_they_are(site: Site, web: httpx.Client) -> None:
    name = site.jobs.submit(site.access.anonymous, "files", {})
    answer = web.get(f"/jobs/{name}/results")
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (404, "result-not-ready")
    assert web.delete(f"/jobs/{name}").json()["status"] == "dismissed"
    assert web.delete(f"/jobs/{name}").json()["status"] == "dismissed"
    assert web.get(f"/jobs/{name}/results").status_code == 404


def test_a_failed_job_answers_with_its_error(site: Site, web: httpx.Client) -> None:
    inputs = {"extraction": {"is": "nonsense"}, "format": "netcdf", "name": "x.nc"}
    name = done(site, "extract", **inputs)
    info = web.get(f"/jobs/{name}").json()
    assert (info["status"], info["message"][:21]) == ("failed", "This is no extraction")
    answer = web.get(f"/jobs/{name}/results")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    (line,) = web.get(f"/jobs/{name}/logs").json()["logs"]
    assert (line["level"], line["number"]) == ("error", 1)
    assert web.get(f"/jobs/{name}/logs", params={"after": 1}).json()["logs"] == []


def test_strangers_see_no_list_and_operators_page_through_all(site: Site, web: httpx.Client, job: str) -> None:
    assert web.get("/jobs").json()["jobs"] == []
    assert job in [one.id for one in site.jobs.list(OPERATOR, limit=1000)[0]]
    assert web.get("/jobs", params={"status": "lost"}).status_code == 400
    assert web.get("/jobs", params={"colour": "red"}).status_code == 400
    assert web.get("/jobs", params={"limit": 0}).status_code == 400


def events(text: str) -> list[tuple[int, dict[str, Any]]]:
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != ":")
        if fields.get("event") == "status":
            found.append((int(fields["id"]), json.loads(fields["data"])))
    return found


def test_events_follow_a_job_to_its_end(site: Site, web: httpx.Client) -> None:
    name = site.jobs.submit(site.access.anonymous, "pieces", {})
    worker = site.jobs.worker(lambda owner: caller_named(site, owner))
    thread = threading.Timer(0.3, worker.run, kwargs={"until_idle": True})
    thread.start()
    with web.stream("GET", f"/jobs/{name}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        text = "".join(stream.iter_text())
    thread.join()
    seen = events(text)
    assert seen[0][1]["status"] == "accepted"
    assert seen[-1][1]["status"] == "successful"
    assert any(one["message"].startswith("Piece") for _, one in seen if "message" in one)
    assert [number for number, _ in seen] == sorted({number for number, _ in seen})
    again = web.get(f"/jobs/{name}/events", headers={"Last-Event-ID": str(seen[-1][0])})
    assert events(again.text) == []
    assert len(events(web.get(f"/jobs/{name}/events").text)) == 1


# --- downloads -------------------------------------------------------------------------------------------------------


def test_a_download_is_whole_checksummed_and_never_compressed(web: httpx.Client, link: str) -> None:
    answer = web.get(link, headers={"Accept-Encoding": "gzip, br"})
    digest = hashlib.sha256(BLOCK)
    assert answer.content == BLOCK
    assert answer.headers["content-length"] == str(len(BLOCK))
    assert "content-encoding" not in answer.headers
    assert "transfer-encoding" not in answer.headers
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["etag"] == f'"{digest.hexdigest()}"'
    expected = f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert answer.headers["content-digest"] == answer.headers["repr-digest"] == expected
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"Fl_che 1 & co.bin\"; filename*=UTF-8''Fl%C3%A4che%201%20%26%20co.bin"
    )


def test_head_says_the_same_and_sends_nothing(web: httpx.Client, link: str) -> None:
    whole, head = web.get(link), web.head(link)
    assert head.content == b""
    passing = {"date", "x-request-id"}
    assert {k: v for k, v in head.headers.items() if k not in passing} == {
        k: v for k, v in whole.headers.items() if k not in passing
    }


def test_one_range_and_several(web: httpx.Client, link: str) -> None:
    one = web.get(link, headers={"Range": "bytes=1048570-1048585"})
    assert one.status_code == 206
    assert one.content == BLOCK[1048570:1048586]
    assert one.headers["content-range"] == f"bytes 1048570-1048585/{len(BLOCK)}"
    assert "content-digest" not in one.headers
    some = web.get(link, headers={"Range": "bytes=0-9,-5"})
    assert some.status_code == 206
    assert some.headers["content-length"] == str(len(some.content))
    head = f"Content-Type: {some.headers['content-type']}\r\n\r\n".encode()
    parts = BytesParser().parsebytes(head + some.content).get_payload()
    assert [part.get_payload(decode=True) for part in parts] == [BLOCK[:10], BLOCK[-5:]]
    assert parts[1]["content-range"] == f"bytes {len(BLOCK) - 5}-{len(BLOCK) - 1}/{len(BLOCK)}"
    assert web.get(link, headers={"Range": f"bytes={len(BLOCK)}-"}).headers["content-range"] == f"bytes */{len(BLOCK)}"


def test_a_download_goes_on_where_it_broke_off(link: str, tmp_path: Path) -> None:
    """With curl, which knows nothing of us."""
    target = tmp_path / "part.bin"
    target.write_bytes(BLOCK[:1_500_000])
    subprocess.run(["curl", "-sS", "--fail", "-C", "-", "-o", target, link], check=True)
    assert target.read_bytes() == BLOCK
    subprocess.run(["curl", "-sS", "--fail", "-OJ", link], check=True, cwd=tmp_path)
    assert (tmp_path / "Fl_che 1 & co.bin").exists() or (tmp_path / NAME).exists()


def test_conditions(web: httpx.Client, link: str) -> None:
    tag = web.head(link).headers["etag"]
    assert web.get(link, headers={"If-None-Match": tag}).status_code == 304
    assert web.get(link, headers={"If-Match": '"x"'}).status_code == 412
    assert web.get(link, headers={"Range": "bytes=0-1", "If-Range": '"x"'}).status_code == 200


def test_an_empty_file_is_a_file(web: httpx.Client, job: str) -> None:
    answer = web.get(web.get(f"/jobs/{job}/results").json()["empty.txt"]["href"])
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
    assert answer.headers["content-type"] == "text/plain"


def test_links_that_were_tampered_with_open_nothing(web: httpx.Client, address: str, link: str) -> None:
    token = link.removeprefix(f"{address}/d/").split("/")[0]
    for wrong in (token[:-2] + ("AA" if not token.endswith("AA") else "BB"), token[5:], "x", "a.b", "%2e%2e"):
        answer = web.get(f"/d/{wrong}")
        assert answer.status_code in (401, 404), wrong
    assert web.get(f"/d/{token}").status_code == 200


def test_a_link_of_a_job_that_is_no_more_is_not_found(site: Site, web: httpx.Client) -> None:
    name = done(site, "files")
    href = web.get(f"/jobs/{name}/results").json()[NAME]["href"]
    assert web.head(href).status_code == 200
    site.jobs.rows.write(lambda c: c.execute("update job set finished = 1 where id = ?", (name,)))
    site.jobs.chores.expire()
    assert web.get(href).status_code == 404
    assert "expired" in web.get(href).json()["detail"]


def test_two_hundred_polls_are_held_while_the_server_answers_others(site: Site, address: str) -> None:
    import asyncio

    name = site.jobs.submit(site.access.anonymous, "pieces", {})

    async def everybody() -> tuple[float, list[int]]:
        limits = httpx.Limits(max_connections=300)
        async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as web:
            polls = [asyncio.create_task(web.get(f"/jobs/{name}/events")) for _ in range(200)]
            await asyncio.sleep(1.5)
            took = []
            for _ in range(20):
                began = time.perf_counter()
                assert (await web.get("/health")).status_code == 200
                took.append(time.perf_counter() - began)
            site.jobs.cancel(OPERATOR, name)
            return sorted(took)[10], [answer.status_code for answer in await asyncio.gather(*polls)]

    median, statuses = asyncio.run(everybody())
    assert set(statuses) == {200}
    assert median < 0.2
