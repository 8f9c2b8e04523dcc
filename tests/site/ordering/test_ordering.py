"""Orders from the asking to the delivered bytes, with real workers; archives are read by Python's zipfile."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from site_files import write_netcdf
from terrella.errors import Denied, Invalid, NotFound, TooLarge, Unauthenticated, Unsupported
from terrella.model.caller import OPERATOR, RUN, Caller, Grant
from terrella.model.order import Order
from terrella.site import Site
from terrella.site.ordering import check_order, folder_of, order_from, priced, products, remove, submit
from terrella.site.tasks import caller_named

ANN = Caller("ann", frozenset({"user"}), finds=None, reads=None, scopes=frozenset({RUN, "read"}))


@pytest.fixture
def files(data: Path) -> dict[str, bytes]:
    made = {}
    for day in (1, 2, 3):
        path = data / f"day{day}.nc"
        write_netcdf(path, start=f"2024-01-0{day}", offset=day)
        made[f"day{day}"] = path.read_bytes()
    return made


@pytest.fixture
def filled(site: Site, data: Path, files: dict[str, bytes]) -> Site:
    del files
    site.add(data, collection="days")
    return site


def asked(**words: Any) -> Order:
    return order_from({"collection": "days", **words}, most_items=100)[0]


def done(site: Site, order: Order, caller: Caller = OPERATOR) -> Any:
    job = submit(site, caller, order)
    site.jobs.worker(lambda name: ANN if name == "ann" else caller_named(site, name)).run(until_idle=True)
    return site.jobs.get(OPERATOR, job)


def read(site: Site, job: Any, name: str) -> bytes:
    return site.jobs.file(OPERATOR, job.id, name).read_bytes()


def test_all_items_come_as_one_archive_with_receipt_and_terms(filled: Site, files: dict[str, bytes]) -> None:
    order = asked()
    price = priced(filled, OPERATOR, order)
    assert (price.items, price.files, price.unknown) == (3, 3, 0)
    job = done(filled, order)
    assert job.state == "successful", job.message
    assert [one.name for one in job.outputs] == ["days.zip", "receipt.json"]
    packed = read(filled, job, "days.zip")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [*(f"day{n}/day{n}.nc" for n in (3, 2, 1)), "licences.txt", "receipt.json"]
        for name, content in files.items():
            assert archive.read(f"{name}/{name}.nc") == content
        receipt = json.loads(archive.read("receipt.json"))
    extra = sum(len(packed) - price.size for _ in "1")
    assert 0 < extra < 5000, "the price is that of the files in their archive"
    for item in receipt["items"]:
        assert item["version"] == "1"
        assert item["files"][0]["sha256"] == hashlib.sha256(files[item["id"]]).hexdigest()
    assert read(filled, done(filled, order), "days.zip") == packed, "the same order gives the same bytes"


def test_a_single_file_stays_as_it_is(filled: Site, files: dict[str, bytes]) -> None:
    job = done(filled, asked(items=["day2"]))
    assert [one.name for one in job.outputs] == ["day2.nc", "receipt.json"]
    assert read(filled, job, "day2.nc") == files["day2"]


def test_each_item_its_own_file(filled: Site, files: dict[str, bytes]) -> None:
    job = done(filled, asked(package="each", time="2024-01-01/2024-01-02T12:00:00Z"))
    assert {one.name for one in job.outputs} == {"day1.nc", "day2.nc", "receipt.json"}
    assert read(filled, job, "day1.nc") == files["day1"]


def test_a_cut_out_in_another_format(filled: Site) -> None:
    order = asked(format="netcdf", bbox=[2, 42, 4, 45], time="2024-01-02", variables=["t2m"])
    assert priced(filled, OPERATOR, order).size > 0
    job = done(filled, order)
    assert job.state == "successful", job.message
    with xr.open_dataset(filled.jobs.file(OPERATOR, job.id, "days.nc"), decode_timedelta=False) as found:
        assert dict(found["t2m"].sizes) == {"time": 4, "lat": 4, "lon": 3}
        assert float(found["t2m"].sel(lat=45, lon=2, method="nearest")[0]) == 0 * 10000 + 5 * 100 + 2 + 2


def test_into_the_folder_of_the_user(filled: Site, files: dict[str, bytes]) -> None:
    job = done(filled, asked(to="folder", items=["day1"]), ANN)
    assert job.state == "successful", job.message
    folder = folder_of(filled, "ann", job.id)
    assert sorted(one.name for one in folder.iterdir()) == ["day1.nc", "receipt.json"]
    assert (folder / "day1.nc").read_bytes() == files["day1"]
    delivered = json.loads(read(filled, job, "delivery.json"))
    assert delivered["files"][0]["sha256"] == hashlib.sha256(files["day1"]).hexdigest()
    filled.jobs.chores.settle()
    assert not (filled.settings.home / "orders" / job.id).exists(), "nothing half packed is left"
    size = sum(one.stat().st_size for one in folder.iterdir())
    kept = filled.jobs.kept(job.id)
    assert filled.ledger.totals(ANN).storage == size + kept
    remove(filled, ANN, job)
    remove(filled, ANN, job)
    assert not folder.exists()
    assert filled.ledger.totals(ANN).storage == kept, "what was deleted is not on the account any more"


def test_anonymous_callers_get_links_only(filled: Site) -> None:
    with pytest.raises(Unauthenticated):
        submit(filled, filled.access.anonymous, asked(to="folder"))
    assert submit(filled, filled.access.anonymous, asked())


def test_what_may_not_be_read_is_not_ordered(filled: Site) -> None:
    some = (Grant("", '{"op":"=","args":[{"property":"id"},"day1"]}'),)
    bob = Caller("bob", frozenset({"user"}), finds=None, reads=some, scopes=frozenset({RUN}))
    assert [one.item for one in products(filled, bob, asked())] == ["day1"]
    with pytest.raises(Denied):
        products(filled, bob, asked(items=["day2"]))
    blind = Caller("eve", frozenset({"user"}), finds=some, reads=some, scopes=frozenset({RUN}))
    with pytest.raises(NotFound):
        products(filled, blind, asked(items=["day2"]))


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ({"colection": "x"}, "body"),
        ({"items": "day1", "format": "netcdf"}, "format"),
        ({"items": ["day1"], "bbox": [0, 0, 1, 1]}, "items"),
        ({"items": [1]}, "items"),
        ({"items": ["x"] * 101}, "items"),
        ({"bbox": [0, 0, 1]}, "bbox"),
        ({"time": "yesterday"}, "time"),
        ({"package": "tar"}, "package"),
        ({"to": "mail"}, "to"),
        ({"to": "s3://B/x", "key": "k", "secret": "s"}, "to"),
        ({"to": "s3://bucket"}, "key"),
        ({"to": "s3://bucket", "key": "k", "secret": "s", "endpoint": "ftp://x"}, "url"),
        ({"to": "s3://bucket", "key": "k", "secret": "s", "region": "../.."}, "region"),
        ({"key": "k"}, "key"),
        ({"days": 0}, "days"),
        ({"variables": ["t2m"]}, "variables"),
    ],
)
def test_wrong_words_are_named(words: dict[str, Any], at: str) -> None:
    with pytest.raises(Invalid) as caught:
        asked(**words)
    assert caught.value.parameter == at


def test_secrets_are_not_repeated_in_errors() -> None:
    with pytest.raises(Invalid) as caught:
        asked(to="s3://bucket", key="k", secret="very secret\n")
    assert "very" not in caught.value.message


def test_what_is_not_there_or_too_large_is_refused_at_once(filled: Site) -> None:
    for words in ({"items": ["day9"]}, {"assets": ["nothing"]}, {"time": "1999-01-01"}):
        with pytest.raises(NotFound):
            check_order(filled, OPERATOR, asked(**words))
    with pytest.raises(Invalid):
        check_order(filled, OPERATOR, asked(format="papyrus"))
    small = filled.settings.orders.model_copy(update={"size": 100})
    object.__setattr__(filled, "settings", filled.settings.model_copy(update={"orders": small}))
    with pytest.raises(TooLarge):
        check_order(filled, OPERATOR, asked())


def test_a_changed_file_is_not_passed_off_as_the_old_one(filled: Site, data: Path) -> None:
    write_netcdf(data / "day1.nc", start="2024-01-01", offset=99)
    job = done(filled, asked(items=["day1"]))
    assert job.state == "failed"
    assert "checksum" in job.message


# --- assets elsewhere ------------------------------------------------------------------------------------------------


class Elsewhere(BaseHTTPRequestHandler):
    """Serves `content`, the first time only half of it."""

    content = bytes(range(256)) * 4000
    asked: list[str | None] = []  # noqa: RUF012

    def do_GET(self) -> None:
        where = self.headers.get("range")
        self.asked.append(where)
        start = int(where.removeprefix("bytes=").rstrip("-")) if where else 0
        self.send_response(206 if where else 200)
        self.send_header("etag", '"v1"')
        self.send_header("content-length", str(len(self.content) - start))
        if where:
            self.send_header("content-range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        self.end_headers()
        half = len(self.content) // 2 if len(self.asked) == 1 else len(self.content)
        self.wfile.write(self.content[start:half])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    Elsewhere.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/product.bin"
    server.shutdown()
    server.server_close()


def remote_item(site: Site, href: str) -> None:
    about = {"type": "Collection", "stac_version": "1.1.0", "id": "far", "description": "Far.", "license": "CC0-1.0"}
    extent = {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [["2024-01-01T00:00:00Z", None]]}}
    site.catalog.put_collection(OPERATOR, about | {"extent": extent, "links": []})
    item = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": "one",
        "collection": "far",
        "geometry": {"type": "Point", "coordinates": [0, 0]},
        "bbox": [0, 0, 0, 0],
        "properties": {"datetime": "2024-01-01T00:00:00Z"},
        "assets": {"data": {"href": href}},
        "links": [],
    }
    site.catalog.put_items(OPERATOR, [item])


def test_assets_elsewhere_are_fetched_on_from_where_it_broke_off(tmp_path: Path, elsewhere: str) -> None:
    with Site.open(tmp_path / "home", orders={"allow_private": True}) as site:
        remote_item(site, elsewhere)
        job = done(site, order_from({"collection": "far"}, most_items=10)[0])
        assert job.state == "successful", job.message
        assert read(site, job, "product.bin") == Elsewhere.content
    assert Elsewhere.asked == [None, f"bytes={len(Elsewhere.content) // 2}-"]


def test_assets_at_private_addresses_are_not_fetched(tmp_path: Path, elsewhere: str) -> None:
    with Site.open(tmp_path / "home") as site:
        remote_item(site, elsewhere)
        job = done(site, order_from({"collection": "far"}, most_items=10)[0])
        assert (job.state, job.error_kind) == ("failed", "denied")
    assert not Elsewhere.asked


@pytest.mark.parametrize("href", ["s3://private/x", "ftp://example.org/x"])
def test_assets_in_stores_of_their_own_are_not_fetched_with_our_keys(site: Site, href: str) -> None:
    remote_item(site, href)
    with pytest.raises(Unsupported):
        products(site, OPERATOR, order_from({"collection": "far"}, most_items=10)[0])


# --- killed workers --------------------------------------------------------------------------------------------------


def test_a_killed_workers_successor_goes_on_with_the_next_item(site: Site, data: Path, tmp_path: Path) -> None:
    for day in range(1, 7):
        write_netcdf(data / f"day{day}.nc", start=f"2024-01-0{day}")
    site.add(data, collection="days")
    wanted = done(site, asked())
    expected = read(site, wanted, "days.zip")
    job = submit(site, OPERATOR, asked())
    slow = (
        "import sys, time, terrella\n"
        "from terrella.site import Site\n"
        "from terrella.site.ordering import packing\n"
        "from terrella.site.tasks import caller_named\n"
        "plain = packing.file_blocks\n"
        "def slowly(path):\n"
        "    time.sleep(0.3)\n"
        "    print(path.name, flush=True)\n"
        "    yield from plain(path)\n"
        "packing.file_blocks = slowly\n"
        "site = Site.open(sys.argv[1])\n"
        "site.jobs.worker(lambda name: caller_named(site, name)).run()\n"
    )
    command = [sys.executable, "-c", slow, str(site.settings.home)]
    with (tmp_path / "read.txt").open("w") as out:
        first = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        try:
            last = time.monotonic() + 60
            while len((tmp_path / "read.txt").read_text().split()) < 3 and time.monotonic() < last:
                time.sleep(0.02)
            os.kill(first.pid, signal.SIGKILL)
        finally:
            first.kill()
            first.wait()
    before = (tmp_path / "read.txt").read_text().split()
    with (tmp_path / "read.txt").open("w") as out:
        second = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        try:
            found = site.jobs.wait(OPERATOR, job, 60)
            while found.state in ("accepted", "running") and time.monotonic() < last + 60:
                found = site.jobs.wait(OPERATOR, job, 10)
        finally:
            second.terminate()
            second.wait(20)
    assert found.state == "successful", found.message
    after = (tmp_path / "read.txt").read_text().split()
    assert not set(before[:-1]) & set(after), "items that were packed are not read again"
    assert read(site, found, "days.zip") == expected
