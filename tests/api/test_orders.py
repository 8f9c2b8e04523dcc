"""Orders over HTTP at a real server with a real worker; the S3 store is moto's."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from api.conftest import serving
from site_files import write_netcdf
from terrella.model.caller import OPERATOR
from terrella.site import Site
from terrella.site.tasks import caller_named

SECRET = "a/very+secret/key/0123456789"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("orders")
    for day in (1, 2, 3):
        write_netcdf(folder / f"day{day}.nc", start=f"2024-01-0{day}", offset=day)
    with Site.open(folder / "home", orders={"allow_private": True}) as opened:
        opened.add(*folder.glob("*.nc"), collection="days")
        yield opened


@pytest.fixture(scope="module")
def keys(site: Site) -> dict[str, str]:
    made = {}
    for name in ("ann", "bob"):
        site.access.accounts.add_user(OPERATOR, name)
        made[name] = site.access.accounts.make_key(OPERATOR, "test", owner=name).text
    return made


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with serving(site) as address:  # type: ignore[arg-type]
        yield address


@pytest.fixture
def ann(address: str, keys: dict[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30, headers={"Authorization": f"Bearer {keys['ann']}"}) as client:
        yield client


@pytest.fixture
def nobody(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client


def placed(site: Site, client: httpx.Client, **words: Any) -> dict[str, Any]:
    """A finished order as its page shows it."""
    answer = client.post("/orders", json={"collection": "days", **words})
    assert answer.status_code == 202, answer.text
    site.jobs.worker(lambda name: caller_named(site, name)).run(until_idle=True)
    found: dict[str, Any] = client.get(answer.headers["location"]).json()
    assert found["status"] == "successful", found
    return found


def test_an_order_has_a_price_and_comes_by_links(site: Site, nobody: httpx.Client) -> None:
    price = nobody.post("/orders/estimate", json={"collection": "days", "time": "2024-01-02/2024-01-03"}).json()
    assert (price["items"], price["files"], price["files_of_unknown_size"]) == (2, 2, 0)
    found = placed(site, nobody, time="2024-01-02/2024-01-03", days=2)
    zipped, receipt = found["files"]
    assert abs(zipped["size"] - price["bytes"]) < 5000
    content = nobody.get(zipped["href"])
    assert hashlib.sha256(content.content).hexdigest() == zipped["sha256"]
    assert content.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(content.content)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 4
    assert nobody.get(receipt["href"]).json()["licence"]
    part = nobody.get(zipped["href"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, content.content[10:20])


def test_sending_an_order_twice_places_it_once(ann: httpx.Client) -> None:
    body = {"collection": "days", "items": ["day1"]}
    ids = {ann.post("/orders", json=body, headers={"Idempotency-Key": "x1"}).json()["id"] for _ in range(3)}
    assert len(ids) == 1


def test_secrets_of_orders_that_were_placed_before_or_refused_are_not_kept(site: Site, ann: httpx.Client) -> None:
    store = {"to": "s3://mine", "endpoint": "http://127.0.0.1:9", "key": "k", "secret": SECRET}
    before = _sealed(site)
    first = ann.post("/orders", json={"collection": "days", **store}, headers={"Idempotency-Key": "x2"}).json()["id"]
    assert (
        ann.post("/orders", json={"collection": "days", **store}, headers={"Idempotency-Key": "x2"}).status_code == 202
    )
    assert ann.post("/orders", json={"collection": "dais", **store}).status_code == 404
    assert len(_sealed(site) - before) == 1
    ann.delete(f"/orders/{first}")
    site.jobs.chores.settle()
    assert _sealed(site) == before


def _sealed(site: Site) -> set[str]:
    folder = site.settings.home / "sealed"
    return {one.name for one in folder.iterdir()} if folder.is_dir() else set()


def test_into_the_folder_and_out_again(site: Site, ann: httpx.Client, nobody: httpx.Client) -> None:
    found = placed(site, ann, items=["day1", "day2"], package="each", to="folder")
    names = [one["name"] for one in found["files"]]
    assert names == ["day1.nc", "day2.nc", "receipt.json"]
    for one in found["files"]:
        assert hashlib.sha256(ann.get(one["href"]).content).hexdigest() == one["sha256"]
        assert nobody.get(one["href"]).status_code == 404
    assert ann.get(f"/orders/{found['id']}/files/..%2f..%2faccess.secret").status_code == 404
    assert ann.get(f"/orders/{found['id']}/files/nothing").status_code == 404
    assert found["id"] in [one["id"] for one in ann.get("/orders").json()["orders"]]
    assert nobody.get("/orders").json()["orders"] == []
    folder = site.settings.home / "users" / "ann" / "orders" / found["id"]
    assert folder.is_dir()
    assert ann.delete(f"/orders/{found['id']}").status_code == 200
    assert not folder.exists()
    assert ann.get(f"/orders/{found['id']}").json()["files"] == []


def test_orders_of_others_are_not_there(site: Site, ann: httpx.Client, address: str, keys: dict[str, str]) -> None:
    found = placed(site, ann, items=["day1"], to="folder")
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {keys['bob']}"}) as bob:
        assert bob.get(f"/orders/{found['id']}").status_code == 404
        assert bob.delete(f"/orders/{found['id']}").status_code == 404
        assert bob.get(found["files"][0]["href"]).status_code == 404


def test_into_a_store_and_the_secret_is_nowhere(site: Site, ann: httpx.Client) -> None:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        store = f"http://{host}:{port}"
        s3 = boto3.client(
            "s3", endpoint_url=store, aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1"
        )
        s3.create_bucket(Bucket="mine")
        found = placed(
            site, ann, items=["day3"], to="s3://mine/some/folder", endpoint=store, key="AKIATESTTEST", secret=SECRET
        )
        assert [one["href"] for one in found["files"]] == [
            "s3://mine/some/folder/day3.nc",
            "s3://mine/some/folder/receipt.json",
        ]
        for one in found["files"]:
            content = s3.get_object(Bucket="mine", Key=one["href"].removeprefix("s3://mine/"))["Body"].read()
            assert hashlib.sha256(content).hexdigest() == one["sha256"]
    finally:
        server.stop()
    assert SECRET not in str(found)
    site.jobs.chores.settle()
    assert not list((site.settings.home / "sealed").iterdir()), "it is forgotten when the order has ended"
    for path in site.settings.home.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_a_store_at_a_private_address_is_refused_where_the_site_says_so(
    tmp_path_factory: pytest.TempPathFactory, site: Site
) -> None:
    strict = site.settings.orders.model_copy(update={"allow_private": False})
    allowed = site.settings
    object.__setattr__(site, "settings", allowed.model_copy(update={"orders": strict}))
    try:
        from terrella.site.ordering import order_from, submit

        words = {"collection": "days", "to": "s3://mine", "endpoint": "http://127.0.0.1:9", "key": "k", "secret": "s"}
        job = submit(site, OPERATOR, *order_from(words, most_items=10))
        site.jobs.worker(lambda name: caller_named(site, name)).run(until_idle=True)
        found = site.jobs.get(OPERATOR, job)
        assert (found.state, found.error_kind) == ("failed", "denied")
    finally:
        object.__setattr__(site, "settings", allowed)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"nonsense", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"collection": "dais"}', 404),
        (b'{"collection": "days", "items": ["day9"]}', 404),
        (b'{"collection": "days", "what": 1}', 400),
        (b'{"collection": "days", "to": "folder"}', 401),
        (b'{"collection": "days", "format": "papyrus"}', 400),
        (b'{"collection": "days", "format": "netcdf", "variables": ["nothing"]}', 400),
    ],
)
def test_what_is_wrong_is_said(nobody: httpx.Client, body: bytes, status: int) -> None:
    answer = nobody.post("/orders", content=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_there_is_no_other_job_under_orders(site: Site, nobody: httpx.Client) -> None:
    assert nobody.get("/orders/00000000-0000-0000-0000-000000000000").status_code == 404
