"""Harvests of a second Terrella (its own process), of an API that misbehaves, of static catalogues and of folders."""

from __future__ import annotations

import copy
import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from api.conftest import collection, item
from clients.conftest import Served, serve
from site_files import write_netcdf
from terrella.cli import harvesting
from terrella.errors import Denied, Invalid, NotFound, ProviderUnavailable, Unreadable
from terrella.model.caller import OPERATOR, READ, WRITE, Caller
from terrella.model.search import Search
from terrella.site import Site
from terrella.site.assets import located
from terrella.site.harvesting import HARVEST, Harvested, run, schedule, schedule_name, wanted_from
from terrella.site.tasks import caller_named


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Site]:
    wanted = {"allow_private": True, "page": 4, "retries": 1, "timeout": 5}
    with Site.open(tmp_path / "lake", harvest=wanted) as site:
        yield site


def harvested(site: Site, source: str, **words: Any) -> Harvested:
    return run(site, OPERATOR, wanted_from({"source": source, **words}))


def counts(report: Harvested) -> tuple[int, int, int, int, int]:
    return report.new, report.changed, report.unchanged, report.gone, report.failed


def items_of(site: Site, name: str) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in site.search(Search(collections=(name,), limit=1000))}


# --- an API that does what it is told ----------------------------------------------------------------------------------


class Api(BaseHTTPRequestHandler):
    """A STAC API over two lists; `trouble` maps a page to what happens there."""

    items: list[Any]
    trouble: dict[int, Any]
    asked: list[str]
    post = False
    link_home = ""

    def do_GET(self) -> None:
        self.answer(None)

    def do_POST(self) -> None:
        self.answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def answer(self, body: Any) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        self.asked.append(self.path)
        home = f"http://{self.headers['host']}"
        if path == "/":
            document: Any = {"conformsTo": [], "links": [{"rel": "data", "href": "./collections"}]}
        elif path == "/collections":
            document = {"collections": [collection("far", [0, 0, 9, 9])], "links": []}
        elif not path.endswith("/items"):
            self.send(404, b"{}")
            return
        else:
            start = int((body or {}).get("start", query.get("start", ["0"])[0]))
            if start in self.trouble and not self.trouble[start](self):
                return
            document = self.page(home, start, int(query.get("limit", ["4"])[0]))
        self.send(200, orjson.dumps(document))

    def page(self, home: str, start: int, limit: int) -> dict[str, Any]:
        links: list[dict[str, Any]] = []
        if start + limit < len(self.items):
            following = {"rel": "next", "href": f"{home}/collections/far/items?start={start + limit}&limit={limit}"}
            if self.post:
                following |= {"method": "POST", "body": {"start": start + limit}}
            links.append(following)
        return {"type": "FeatureCollection", "features": self.items[start : start + limit], "links": links}

    def send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def served(handler: Any) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def api() -> Iterator[tuple[type[Api], str]]:
    made = type("Made", (Api,), {"items": [item("far", n, n, 1) for n in range(10)], "trouble": {}, "asked": []})
    for address in served(made):
        yield made, address + "/"


@pytest.mark.parametrize("post", [False, True])
def test_three_pages_then_nothing_new_then_what_changed(lake: Site, api: Any, post: bool) -> None:
    there, address = api
    there.post = post
    assert counts(harvested(lake, address)) == (10, 0, 0, 0, 0)
    assert sum("/items" in path for path in there.asked) == 3
    assert items_of(lake, "far").keys() == {one["id"] for one in there.items}
    assert counts(harvested(lake, address)) == (0, 0, 10, 0, 0)
    there.items[3]["properties"]["title"] = "Another"
    gone = there.items.pop(7)
    there.items.append(item("far", 20, 3, 3))
    assert counts(harvested(lake, address)) == (1, 1, 8, 1, 0)
    found = items_of(lake, "far")
    assert found["far-0003"]["properties"]["title"] == "Another"
    assert found[gone["id"]]["properties"]["deprecated"] is True
    there.items.append(gone)
    assert counts(harvested(lake, address)) == (1, 0, 10, 0, 0), "what comes back is new"
    assert "deprecated" not in items_of(lake, "far")[gone["id"]]["properties"]


def test_broken_items_are_named_and_the_others_come(lake: Site, api: Any) -> None:
    there, address = api
    good = copy.deepcopy(there.items)
    there.items[2] = {"type": "Feature", "id": "far-0002"}
    there.items[4] = "nonsense"
    there.items[5]["geometry"] = {"type": "Point", "coordinates": [999, 999]}
    there.items[6]["id"] = "a/b"
    report = harvested(lake, address)
    assert counts(report) == (6, 0, 0, 0, 4)
    assert [one["what"] for one in report.reasons][:2] == ["far-0002", "an item without id"]
    there.items[:] = good
    assert counts(harvested(lake, address)) == (4, 0, 6, 0, 0)
    there.items[1] = {"type": "Feature", "id": "far-0001"}
    assert counts(harvested(lake, address)) == (0, 0, 9, 0, 1), "what is broken now is not gone"
    assert "deprecated" not in items_of(lake, "far")["far-0001"]["properties"]


def test_files_of_this_machine_are_never_named_by_others(lake: Site, api: Any) -> None:
    there, address = api
    hrefs = ("file:///etc/passwd", "FILE:///etc/passwd", "/etc/passwd", "../x.tif", "ftp://x/y", "https://e.org/x")
    there.items[0]["assets"] = {str(n): {"href": href} for n, href in enumerate(hrefs)}
    assert counts(harvested(lake, address))[0] == 10
    assets = items_of(lake, "far")["far-0000"]["assets"]
    assert {one["href"] for one in assets.values()} == {
        f"{address}etc/passwd",
        f"{address}collections/x.tif",
        "https://e.org/x",
    }


def die(handler: Api) -> bool:
    handler.close_connection = True
    handler.wfile.close()
    return False


def test_a_source_that_dies_in_the_middle_is_gone_on_with(lake: Site, api: Any) -> None:
    there, address = api
    there.trouble = {8: die}
    with pytest.raises(ProviderUnavailable):
        harvested(lake, address)
    assert len(items_of(lake, "far")) == 8
    there.trouble, there.asked[:] = {}, []
    assert counts(harvested(lake, address)) == (2, 0, 0, 0, 0)
    assert [path for path in there.asked if "/items" in path] == ["/collections/far/items?start=8&limit=4"]
    assert counts(harvested(lake, address)) == (0, 0, 10, 0, 0), "nothing is taken for gone"


def test_a_page_that_is_there_no_more_begins_anew(lake: Site, api: Any) -> None:
    there, address = api
    there.trouble = {8: die}
    with pytest.raises(ProviderUnavailable):
        harvested(lake, address)
    there.asked[:] = []
    there.trouble = {8: lambda handler: True if handler.asked.count(handler.path) > 1 else handler.send(400, b"{}")}
    assert counts(harvested(lake, address)) == (2, 0, 8, 0, 0)


def test_pages_that_go_in_a_circle_end(lake: Site, api: Any) -> None:
    there, address = api

    def circle(handler: Api) -> bool:
        link = {"rel": "next", "href": f"http://{handler.headers['host']}{handler.path}"}
        handler.send(200, orjson.dumps({"features": [], "links": [link]}))
        return False

    there.trouble = {4: circle}
    report = harvested(lake, address)
    assert report.failed == 1
    assert "circle" in report.reasons[0]["why"]


def test_private_addresses_are_refused_unless_allowed(site: Site, api: Any) -> None:
    with pytest.raises(Denied):
        harvested(site, api[1])
    assert not api[0].asked


@pytest.mark.parametrize(
    "words", [{"source": ""}, {"sorce": "x"}, {"source": "http://me:pw@x/"}, {"source": "http://"}]
)
def test_wrong_words(words: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        wanted_from(words)


def test_what_is_no_stac_is_said(lake: Site, api: Any) -> None:
    with pytest.raises(Unreadable):
        harvested(lake, api[1] + "collections")
    with pytest.raises(NotFound):
        harvested(lake, api[1], collections=["near"])


def test_who_may_harvest_what(lake: Site, api: Any, tmp_path: Path) -> None:
    reader = Caller("ann", scopes=frozenset({READ}))
    editor = Caller("bob", finds=None, reads=None, scopes=frozenset({READ, WRITE}))
    with pytest.raises(Denied):
        run(lake, reader, wanted_from({"source": api[1]}))
    with pytest.raises(Denied):
        run(lake, editor, wanted_from({"source": str(tmp_path)}))
    assert run(lake, editor, wanted_from({"source": api[1]})).new == 10


def test_into_another_collection_but_not_one_of_files(lake: Site, api: Any, data: Path) -> None:
    assert harvested(lake, api[1], into="mine").collections == ["mine"]
    assert len(items_of(lake, "mine")) == 10
    write_netcdf(data / "a.nc")
    lake.add(data, collection="files")
    report = harvested(lake, api[1], into="files")
    assert "made of files" in report.reasons[0]["why"]


# --- jobs and schedules ------------------------------------------------------------------------------------------------


def work(site: Site) -> None:
    site.jobs.worker(lambda name: caller_named(site, name)).run(until_idle=True)


def test_a_schedule_harvests_when_it_is_due(lake: Site, api: Any) -> None:
    wanted = wanted_from({"source": api[1]})
    made = schedule(lake, OPERATOR, wanted, "* * * * *")
    assert (made.name, made.kind) == (schedule_name(wanted), HARVEST)
    work(lake)
    assert lake.jobs.list(OPERATOR)[0] == (), "it is not due yet"
    lake.jobs.rows.write(lambda c: c.execute("update schedule set due = ?", (time.time() - 1,)))
    work(lake)
    (job,), _ = lake.jobs.list(OPERATOR)
    assert (job.kind, job.state, job.dialect) == (HARVEST, "successful", "schedule"), job.message
    report = json.loads(lake.jobs.file(OPERATOR, job.id, "report.json").read_bytes())
    assert (report["new"], report["failed"]) == (10, 0)
    with pytest.raises(Invalid):
        schedule(lake, OPERATOR, wanted, "now and then")


# --- another Terrella --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("other")
    for day in (1, 2, 3):
        write_netcdf(folder / f"day{day}.nc", start=f"2024-01-0{day}", offset=day)
    add = [sys.executable, "-m", "terrella", "add", "--home", str(folder / "home"), "--collection", "days"]
    subprocess.run([*add, *(str(folder / f"day{day}.nc") for day in (1, 2, 3))], check=True, capture_output=True)
    yield from serve(folder / "home", folder / "server.log")


def test_another_site_is_harvested_with_its_files(lake: Site, other: Served) -> None:
    report = harvested(lake, f"{other.url}/stac", copy=True)
    assert counts(report) == (3, 0, 0, 0, 0), report.reasons
    assert report.copied == 3
    found = items_of(lake, "days")
    for day in (1, 2, 3):
        (asset,) = found[f"day{day}"]["assets"].values()
        path = located(lake, "days", f"day{day}", asset["href"])
        source = other.home.parent / f"day{day}.nc"
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(source.read_bytes()).digest()
        assert path.is_relative_to(lake.settings.home)
    with pytest.raises(NotFound):
        located(lake, "days", "day1", "/etc/passwd")
    again = harvested(lake, f"{other.url}/stac", copy=True)
    assert again.incremental
    assert (again.new, again.changed, again.copied) == (0, 0, 0)
    assert counts(harvested(lake, f"{other.url}/stac", copy=True, full=True)) == (0, 0, 3, 0, 0)
    write_netcdf(other.home.parent / "day4.nc", start="2024-01-04")
    add = [sys.executable, "-m", "terrella", "add", "--home", str(other.home), "--collection", "days"]
    subprocess.run([*add, str(other.home.parent / "day4.nc")], check=True, capture_output=True)
    new = harvested(lake, f"{other.url}/stac", copy=True)
    assert new.incremental
    assert (new.new, new.copied) == (1, 1)


# --- static catalogues -------------------------------------------------------------------------------------------------


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def static(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A catalogue with a collection of three items that have files beside them."""
    root = tmp_path / "static"
    (root / "far" / "items").mkdir(parents=True)
    about = collection("far", [0, 0, 9, 9])
    about["links"] = [{"rel": "item", "href": f"items/far-{n:04d}.json"} for n in range(3)]
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "root", "description": "Static."}
    put(root / "catalog.json", catalog | {"links": [{"rel": "child", "href": "far/collection.json"}]})
    put(root / "far" / "collection.json", about)
    for n in range(3):
        made = item("far", n, n, 1) | {"assets": {"data": {"href": f"../data/{n}.bin"}}}
        put(root / "far" / "items" / f"far-{n:04d}.json", made)
    (root / "far" / "data").mkdir()
    for n in range(3):
        (root / "far" / "data" / f"{n}.bin").write_bytes(bytes([n]) * 1000)
    for address in served(partial(Quiet, directory=str(root))):
        yield root, f"{address}/catalog.json"


def put(path: Path, document: dict[str, Any]) -> None:
    path.write_bytes(orjson.dumps(document))


def test_a_static_catalogue_with_its_files(lake: Site, static: tuple[Path, str]) -> None:
    root, address = static
    report = harvested(lake, address, copy=True)
    assert counts(report) == (3, 0, 0, 0, 0), report.reasons
    for n in range(3):
        href = items_of(lake, "far")[f"far-{n:04d}"]["assets"]["data"]["href"]
        assert located(lake, "far", f"far-{n:04d}", href).read_bytes() == bytes([n]) * 1000
    assert counts(harvested(lake, address, copy=True)) == (0, 0, 3, 0, 0)
    (root / "far" / "items" / "far-0001.json").unlink()
    (root / "far" / "items" / "far-0002.json").write_text("<html>")
    assert counts(harvested(lake, address, copy=True)) == (0, 0, 1, 1, 2)
    found = items_of(lake, "far")
    assert found["far-0001"]["properties"]["deprecated"] is True
    assert "deprecated" not in found["far-0002"]["properties"]


def test_a_file_that_cannot_be_fetched_fails_its_item_until_it_can(lake: Site, static: tuple[Path, str]) -> None:
    root, address = static
    (root / "far" / "data" / "1.bin").rename(root / "kept")
    assert counts(harvested(lake, address, copy=True)) == (2, 0, 0, 0, 1)
    (root / "kept").rename(root / "far" / "data" / "1.bin")
    assert counts(harvested(lake, address, copy=True)) == (1, 0, 2, 0, 0)


def test_a_lying_checksum_keeps_a_file_out(lake: Site, static: tuple[Path, str]) -> None:
    root, address = static
    made = item("far", 0, 0, 1) | {"assets": {"data": {"href": "../data/0.bin", "file:checksum": "1220" + "0" * 64}}}
    put(root / "far" / "items" / "far-0000.json", made)
    report = harvested(lake, address, copy=True)
    assert counts(report) == (2, 0, 0, 0, 1)
    assert "checksum" in report.reasons[0]["why"]


# --- folders -----------------------------------------------------------------------------------------------------------


def test_a_folder_is_watched(site: Site, data: Path) -> None:
    write_netcdf(data / "day1.nc", start="2024-01-01")
    write_netcdf(data / "day2.nc", start="2024-01-02")
    assert counts(harvested(site, str(data), into="days")) == (2, 0, 0, 0, 0)
    write_netcdf(data / "day3.nc", start="2024-01-03")
    write_netcdf(data / "day2.nc", start="2024-01-02", offset=5)
    (data / "broken.nc").write_bytes(b"CDF\x01 but not really")
    assert counts(harvested(site, str(data), into="days")) == (1, 1, 1, 0, 1)
    (data / "day1.nc").unlink()
    (data / "broken.nc").unlink()
    assert counts(harvested(site, str(data), into="days")) == (0, 0, 2, 1, 0)


# --- the shell ---------------------------------------------------------------------------------------------------------


def test_from_the_shell(lake: Site, static: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    home = lake.settings.home
    (home / "terrella.toml").write_text("[harvest]\nallow_private = true\n")
    command = [sys.executable, "-m", "terrella", "harvest", "--home", str(home), static[1], "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["new"] == 3
    asked = {"source": static[1]}
    harvesting.harvest(home, asked, None, as_job=False, as_json=False)
    assert capsys.readouterr().out.splitlines() == ["0 new, 0 changed, 3 unchanged, 0 gone, 0 failed", "into far"]
    harvesting.harvest(home, asked, "@hourly", as_job=False, as_json=False)
    name = capsys.readouterr().out.split(":")[0]
    harvesting.list_schedules(home, as_json=True)
    (planned,) = json.loads(capsys.readouterr().out)
    assert (planned["name"], planned["cron"], planned["inputs"]["source"]) == (name, "@hourly", static[1])
    harvesting.stop(home, name)
    harvesting.list_schedules(home, as_json=False)
    assert capsys.readouterr().out.splitlines()[-1] == "No schedules."
