"""What is kept is on the account from the moment that a job ends until its files go; jobs are refused before they wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import numpy as np
import pytest
import xarray as xr

from api.conftest import serving
from grib_files import write_grib
from site_files import write_netcdf
from terrella.access.ledger import Ledger
from terrella.errors import QuotaExceeded
from terrella.model.caller import Caller
from terrella.model.extraction import Everything, Extraction
from terrella.model.spending import Amounts
from terrella.settings import Quota
from terrella.site import ordering, tasks
from terrella.site.site import Site

ANN = Caller("ann", frozenset({"user"}))
QUOTAS = [
    {"name": "kept", "storage": 100_000},
    {"name": "read", "per": "month", "bytes_read": 1_000_000, "collections": ["fields"]},
    {"name": "all fields", "counted": "together", "collections": ["fields", "secret"], "per": "month", "bytes_read": 10**9},
]  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    rules = [{"name": "open", "collections": "id <> 'secret'"}]
    with Site.open(tmp_path / "site", access={"quotas": QUOTAS, "rules": rules}, jobs={"workers": 0}) as made:
        (tmp_path / "fields").mkdir()
        write_netcdf(tmp_path / "fields" / "one.nc", hours=range(4))
        made.add(tmp_path / "fields", collection="fields")
        boss = made.access.caller("admin") if made.access.first_user() else None
        made.access.accounts.add_user(boss, "ann")
        yield made


def stored(site: Site) -> float:
    return site.ledger.usage(site.access.caller("ann"))[0].spent["storage"]


def work(site: Site) -> None:
    site.jobs.worker(partial(tasks.caller_named, site)).run(until_idle=True)
    site.jobs.chores.settle()


def test_bytes_are_kept_and_let_go_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, [Quota(name="kept", storage=100)])
    for _ in range(2):
        ledger.keep(ANN, "job:kept", 60, "fields")
        ledger.hold(ANN, "order", Amounts(storage=30))
        ledger.settle("order", Amounts(storage=40))
    assert ledger.usage(ANN)[0].spent == {"storage": 100}
    with pytest.raises(QuotaExceeded, match="Delete something"):
        ledger.check(ANN, Amounts(storage=1))
    for _ in range(2):
        ledger.let_go("job:kept")
        ledger.let_go("order")
        ledger.let_go("nothing")
    assert ledger.usage(ANN)[0].spent == {"storage": 0}
    assert ledger.differences() == []
    ledger.close()


def test_the_files_of_a_job_are_on_the_account_until_they_expire(site: Site) -> None:
    ann = site.access.caller("ann")
    inputs = tasks.extract_inputs("fields", "csv", point=(3.0, 45.0))
    job = site.jobs.get(ann, site.jobs.submit(ann, tasks.EXTRACT, inputs))
    work(site)
    done = site.jobs.get(ann, job.id)
    assert done.state == "successful", done.message
    assert stored(site) == done.outputs[0].size > 0
    site.jobs.chores.settle()
    assert stored(site) == done.outputs[0].size
    site.jobs.rows.write(lambda c: c.execute("update job set finished = 1"))
    assert site.jobs.chores.expire() == 1
    site.jobs.chores.settle()
    assert stored(site) == 0
    assert site.ledger.differences() == []
    assert site.ledger.usage(ann)[1].spent["bytes_read"] > 0


def test_an_order_into_a_folder_is_on_the_account_until_it_is_removed(site: Site) -> None:
    ann = site.access.caller("ann")
    order, key = ordering.order_from({"collection": "fields", "to": "folder"}, most_items=10)
    job = ordering.submit(site, ann, order, key)
    work(site)
    done = site.jobs.get(ann, job)
    assert done.state == "successful", done.message
    kept = sum(one["size"] for one in ordering.delivered_files(site, done))
    assert stored(site) == kept + done.outputs[0].size
    for _ in range(2):
        ordering.remove(site, ann, done)
    assert stored(site) == done.outputs[0].size


def test_a_job_over_a_quota_is_refused_before_it_waits(site: Site) -> None:
    from terrella.site.mars.retrieving import Retrieval, checked

    ann = site.access.caller("ann")
    site.ledger.keep(ann, "much", 100_000 - 10)
    whole = Retrieval((Extraction("fields", Everything()),), None, "netcdf")
    with pytest.raises(QuotaExceeded, match=r"bytes kept.*leaves 10"):
        checked(site, ann, whole)
    site.ledger.let_go("much")
    time.sleep(1.1)  # what quotas leave is looked up once a second
    checked(site, ann, whole)
    site.ledger.hold(ann, "other work", Amounts(bytes_read=1_000_000), "fields")
    time.sleep(1.1)
    with pytest.raises(QuotaExceeded) as refused:
        checked(site, ann, whole)
    assert refused.value.details["left"] == 0
    assert refused.value.details["retry_after"] > 0


def test_chunks_of_the_zarr_view_are_on_the_account(site: Site) -> None:
    nobody = site.access.anonymous
    with serving(site) as address:
        cube = xr.open_dataset(f"{address}/zarr/fields", engine="zarr", chunks=None, consolidated=True)
        assert np.isfinite(cube["t2m"].values).all()
        site.ledger.flush()
        assert site.ledger.usage(nobody)[1].spent["bytes_read"] > 0
        site.ledger.hold(nobody, "all", Amounts(bytes_read=900_000), "fields")
        site.ledger.settle("all", Amounts(bytes_read=2_000_000))
        time.sleep(1.1)
        assert httpx.get(f"{address}/zarr/fields/t2m/c/0/0/0").status_code == 429


def test_messages_are_on_the_account(tmp_path: Path) -> None:
    quota = {"name": "read", "per": "month", "bytes_read": 10_000}
    with Site.open(tmp_path / "site", access={"quotas": [quota]}) as site:
        report = site.add(write_grib(tmp_path / "grib.grib2", step=30.0), collection="grib")
        assert not report.failures
        nobody = site.access.anonymous
        sent = b"".join(site.messages(Extraction("grib", Everything()), caller=nobody))
        assert site.ledger.usage(nobody)[0].spent["bytes_read"] >= len(sent) > 0
        site.ledger.hold(nobody, "all", Amounts(bytes_read=10_000 - len(sent)))
        with pytest.raises(QuotaExceeded):
            b"".join(site.messages(Extraction("grib", Everything()), caller=nobody))


def test_quotas_for_collections_and_groups_are_shown_to_whom_they_concern(site: Site) -> None:
    with serving(site) as address:
        shown = {one["quota"]: one for one in httpx.get(f"{address}/account").json()["quotas"]}
    assert set(shown) == {"kept", "read", "all fields"}
    assert (shown["read"]["collections"], shown["read"]["counted"]) == (["fields"], "each")
    assert (shown["all fields"]["collections"], shown["all fields"]["counted"]) == (["fields"], "together")
