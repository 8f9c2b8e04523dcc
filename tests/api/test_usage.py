"""Usage over HTTP: what the ledger and the jobs say, day by day, to those whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.conftest import NotingSite, serving
from site_files import write_netcdf
from terrella.access import ledger
from terrella.model.spending import Amounts

QUOTA = {"name": "monthly", "per": "month", "bytes_read": 10_000_000}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotingSite]:
    folder = tmp_path_factory.mktemp("usage")
    write_netcdf(folder / "t2m.nc", hours=range(24))
    made = NotingSite.open(folder / "home", reading={"scanners": 1}, access={"quotas": [QUOTA]})
    made.add(folder / "t2m.nc")
    made.scanners.close()
    yield made
    made.close()


@pytest.fixture(scope="module")
def boss(site: NotingSite) -> str:
    new = site.access.first_key()
    assert new is not None
    return new.text


@pytest.fixture(scope="module")
def web(site: NotingSite, boss: str) -> Iterator[httpx.Client]:
    with serving(site) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def key_of(web: httpx.Client, boss: str, name: str) -> str:
    body = {"name": name, "password": "a long password"}
    web.post("/account/users", json=body, headers={"X-API-Key": boss}).raise_for_status()
    return str(web.post("/account/login", json=body).raise_for_status().json()["key"])


def usage(web: httpx.Client, key: str, **words: Any) -> Any:
    return web.get("/account/usage", params=words, headers={"X-API-Key": key}).raise_for_status().json()


def test_what_was_asked_is_what_is_told(web: httpx.Client, boss: str) -> None:
    ann = key_of(web, boss, "ann")
    sizes = []
    for place in ("POINT(3 45)", "POINT(4 46)"):
        answer = web.get("/ogc/collections/t2m/position", params={"coords": place}, headers={"X-API-Key": ann})
        sizes.append(int(answer.headers["terrella-bytes-read"]))
    job = web.post(
        "/ogc/collections/t2m/cube",
        params={"f": "NetCDF"},
        json={"bbox": "0,40,12,50"},
        headers={"X-API-Key": ann, "Prefer": "respond-async"},
    )
    assert job.status_code == 201
    told = usage(web, ann, days=7)
    assert told["user"] == "ann"
    assert [one["day"] for one in told["days"]] == last_days(7)
    assert sum(one["requests"] for one in told["days"]) == told["totals"]["requests"] == 3
    assert sum(one["jobs"] for one in told["days"]) == sum(told["jobs"].values()) == 1
    assert told["totals"]["bytes_read"] >= sum(sizes)
    assert told["totals"]["bytes_out"] > 0
    (own,) = (one for one in told["collections"] if one["collection"] == "t2m")
    assert own["bytes_read"] == told["totals"]["bytes_read"]
    (quota,) = told["quotas"]
    assert quota["amounts"]["bytes_read"]["spent"] == told["totals"]["bytes_read"]
    assert "users" not in told


def last_days(count: int) -> list[str]:
    today = datetime.now(UTC).date()
    return [(today - timedelta(days=count - 1 - one)).isoformat() for one in range(count)]


def test_nobody_sees_what_others_use(web: httpx.Client, boss: str) -> None:
    bob = key_of(web, boss, "bob")
    for user in ("ann", "*", "nobody-of-this-name"):
        assert web.get("/account/usage", params={"user": user}, headers={"X-API-Key": bob}).status_code == 403
    assert web.get("/account/usage").status_code == 401
    assert web.get("/account/usage", params={"user": "ann"}).status_code == 401
    told = usage(web, bob)
    assert (told["totals"]["bytes_read"], told["collections"], told["jobs"]) == (0, [], {})
    assert len(told["days"]) == 30


def test_administrators_see_all(web: httpx.Client, boss: str) -> None:
    one = usage(web, boss, user="ann")
    assert one["user"] == "ann"
    assert one["quotas"][0]["quota"] == "monthly"
    everybody = usage(web, boss, user="*")
    assert everybody["user"] == "*"
    users = {each["user"]: each for each in everybody["users"]}
    assert users["ann"]["bytes_read"] == one["totals"]["bytes_read"]
    assert everybody["totals"]["bytes_read"] == sum(each["bytes_read"] for each in users.values())
    assert everybody["quotas"] == []
    assert usage(web, boss, user="who has gone")["totals"]["requests"] == 0


def test_days_before_count_where_they_were(
    site: NotingSite, web: httpx.Client, boss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = key_of(web, boss, "eve")
    caller = site.access.caller("eve")
    before = datetime.now(UTC).replace(hour=12) - timedelta(days=3)
    with monkeypatch.context() as patch:
        patch.setattr(ledger.time, "time", before.timestamp)
        site.ledger.count(caller, Amounts(1, 1000, 500, 0.25, 0), "t2m")
        site.ledger.flush()
    told = usage(web, eve, days=5)
    amounts = {one["day"]: (one["bytes_read"], one["compute_seconds"]) for one in told["days"]}
    assert amounts[before.date().isoformat()] == (1000, 0.25)
    assert sum(read for read, _ in amounts.values()) == 1000
    assert usage(web, eve, days=3)["totals"]["bytes_read"] == 0


def test_many_collections_are_cut_off(site: NotingSite, web: httpx.Client, boss: str) -> None:
    fay = key_of(web, boss, "fay")
    caller = site.access.caller("fay")
    for number in range(30):
        site.ledger.count(caller, Amounts(bytes_read=number), f"c{number}")
    told = usage(web, fay)
    assert [one["collection"] for one in told["collections"]] == [f"c{29 - number}" for number in range(20)]


@pytest.mark.parametrize("query", ["days=0", "days=367", "days=x", "user=", "day=3"])
def test_wrong_questions_are_refused(web: httpx.Client, boss: str, query: str) -> None:
    assert web.get(f"/account/usage?{query}", headers={"X-API-Key": boss}).status_code == 400
