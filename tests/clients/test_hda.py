"""hda, the client of WEkEO, unmodified, against a running server: its whole flow, and what it stumbles over."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np
import pytest

from grib_files import read_grib, value

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunClient, Served  # type: ignore[import-not-found]

DAYS = 130
"""Files of the collection `daily`."""

CLIENT = """
import warnings
from hda import Client, Configuration
client = Client(config=Configuration(url=url + "/hda-broker/", user=user, password=password), progress=False)
"""
CUT = {
    "dataset_id": "analysis",
    "variable": ["2m_temperature"],
    "bbox": [-4, 48, 6, 52],
    "startdate": "2024-03-01T00:00:00Z",
    "enddate": "2024-03-01T23:59:59Z",
    "time": ["03:00", "06:00"],
    "format": "netcdf",
}


@pytest.fixture
def ask(stores: Served, run_client: RunClient) -> Any:
    def asked(lines: str, **values: Any) -> Any:
        signed_in = {"user": "admin", "password": stores.key}
        return run_client(CLIENT + lines, **({"url": stores.url} | signed_in | values))

    return asked


def test_datasets_and_what_may_be_asked_of_them(ask: Any) -> None:
    lines = """
print(json.dumps([[one["dataset_id"] for one in client.datasets()], len(client.datasets(limit=2)), client.dataset("analysis"),
    client.metadata("analysis"), client.metadata("daily")]))
"""
    names, few, about, cube, files = ask(lines)
    assert names == ["analysis", "daily", "ensemble", "levels", "ordinary"]
    assert few == 2
    assert about["terms"] == ["analysis-terms"]
    assert [one["const"] for one in cube["properties"]["variable"]["items"]["oneOf"]] == ["2m_temperature"]
    assert cube["properties"]["format"]["oneOf"][0]["const"] == "grib"
    assert cube["required"] == ["dataset_id"]
    assert files["properties"]["startdate"]["minimum"] == "2024-01-01T00:00:00Z"


def test_files_of_a_time_are_downloaded_as_they_are(ask: Any, stores: Served, tmp_path: Path) -> None:
    lines = """
matches = client.search({"dataset_id": "daily", "startdate": "2024-02-28T00:00:00Z", "enddate": "2024-03-01T23:00:00Z"})
matches.download("got")
print(json.dumps([len(matches), matches.volume, [one["properties"]["startdate"] for one in matches.results]]))
"""
    count, volume, starts = ask(lines)
    files = sorted((tmp_path / "got").iterdir())
    assert count == len(files) == 3
    assert sorted(starts) == [f"2024-{day}T00:00:00Z" for day in ("02-28", "02-29", "03-01")]
    assert volume == sum(file.stat().st_size for file in files)
    for file in files:
        assert file.read_bytes() == (stores.home.parent / "daily" / file.name).read_bytes()
        with netCDF4.Dataset(file) as found:
            day = (date.fromisoformat(file.stem[-10:]) - date(2024, 1, 1)).days
            assert found["t2m"][0, 1, 2] == 102 + day


def test_more_results_than_a_page_has(ask: Any) -> None:
    lines = """
import hda.api
asked = []
post = client.post
def watched(message, *args):
    asked.append(message.get("startIndex"))
    return post(message, *args)
client.post = watched
everything = client.search({"dataset_id": "daily"})
some = client.search({"dataset_id": "daily", "bbox": [0, 40, 12, 51]}, limit=7)
print(json.dumps([[one["id"] for one in everything.results], asked, len(some)]))
"""
    names, asked, some = ask(lines)
    assert len(names) == len(set(names)) == DAYS
    assert set(names) == {f"day-{date(2024, 1, 1) + timedelta(days=day)}" for day in range(DAYS)}
    assert asked[:2] == [0, 100]
    assert some == 7


@pytest.mark.parametrize("start", [1, 37, 99, 129, 130, 1000])
def test_a_page_from_anywhere(stores: Served, start: int) -> None:
    def page(first: int, count: int) -> list[str]:
        body = {"dataset_id": "daily", "startIndex": first, "itemsPerPage": count}
        told = post(stores, "dataaccess/search", body)
        assert told["properties"] == {"startIndex": first, "itemsPerPage": count, "totalResults": DAYS}
        return [one["id"] for one in told["features"]]

    assert page(start, 5) == page(0, 1000)[start : start + 5]


def test_a_part_of_a_cube(ask: Any, tmp_path: Path) -> None:
    lines = """
matches = client.search(query)
matches.download("got")
print(json.dumps(len(matches)))
"""
    count = ask(lines, query=CUT)
    (file,) = (tmp_path / "got").iterdir()
    assert count == 1
    assert file.name == "analysis.nc"
    with netCDF4.Dataset(file) as found:
        lat, lon = np.meshgrid(found["lat"][:], found["lon"][:], indexing="ij")
        assert lat.shape == (3, 6)
        for index, hours in enumerate((3, 6)):
            np.testing.assert_allclose(found["2t"][index], value(lat, lon, hours=hours), atol=1e-4)


def test_a_part_of_a_cube_as_grib(ask: Any, tmp_path: Path) -> None:
    query = {
        "dataset_id": "ensemble",
        "variable": "temperature",
        "pressure_level": ["850"],
        "number": ["1"],
        "leadtime_hour": ["0", "12"],
        "time": "00:00",
        "year": "2024",
        "month": "03",
        "day": "01",
        "format": "grib",
    }
    ask("client.search(query).download('.')\nprint(json.dumps(None))", query=query)
    found = read_grib(tmp_path / "ensemble.grib")
    assert [(one["level"], one["number"], one["step"]) for one in found] == [(850, 1, 0), (850, 1, 12)]
    for one in found:
        expected = value(one["lat"], one["lon"], hours=one["step"], level=850, member=1)
        np.testing.assert_allclose(one["values"], expected, atol=1e-4)


def test_a_password(ask: Any, stranger: str) -> None:
    lines = """
token = client.token
client._invalidate_token()
print(json.dumps([token, client.token, len(client.search({"dataset_id": "daily"}, limit=3))]))
"""
    first, second, found = ask(lines, user="stranger", password="a long password of hers")
    assert first.startswith("ts_")
    assert second.startswith("ts_")
    assert first != second  # renewed by the refresh token
    assert found == 3


def test_a_wrong_password(ask: Any) -> None:
    lines = """
try:
    client.datasets()
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""
    name, text = ask(lines, user="stranger", password="not hers")
    assert name == "HTTPError"
    assert "401" in text


def test_a_token_that_ended_is_renewed(ask: Any) -> None:
    """The client takes 403 for that: its call fails, its next one comes with a new token."""
    lines = """
import time
client.datasets()
client._access_token = "ts_" + "0" * 43
sleep, time.sleep = time.sleep, lambda seconds: None
try:
    client.datasets()
except Exception as error:
    first = error.response.status_code
finally:
    time.sleep = sleep
print(json.dumps([first, len(client.datasets())]))
"""
    assert ask(lines) == [403, 5]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"variable": "2m_temprature"}, "Did you mean '2m_temperature'?"),
    ({"time": "00:30"}, "no time '00:30'"),
    ({"bbox": [1, 2, 3]}, "[west, south, east, north]"),
    ({"bbox": [-4, 52, 6, 48]}, "Latitudes"),
    ({"startdate": "1999-01-01T00:00:00Z", "enddate": "1999-01-02T00:00:00Z"}, "2024-03-01/2024-03-01"),
    ({"format": "grip"}, "There are: grib, netcdf."),
    ({"dataset_id": "analysys"}, "Did you mean 'analysis'?"),
    ({"nonsense": "1"}, "nonsense"),
]


def test_what_is_wrong_is_said_at_once(ask: Any) -> None:
    """The client tries 5xx five hundred times, and keeps the text in the response."""
    lines = """
import time
said = []
for changed in refused:
    started = time.monotonic()
    try:
        client.search(query | changed)
    except Exception as error:
        said.append([error.response.status_code, error.response.json()["detail"], time.monotonic() - started])
print(json.dumps(said))
"""
    said = ask(lines, query=CUT, refused=[changed for changed, _ in REFUSED])
    assert len(said) == len(REFUSED)
    for (status, text, seconds), (changed, expected) in zip(said, REFUSED, strict=True):
        assert status in (400, 404)
        assert expected in text, changed
        assert seconds < 9


def post(site: Served, path: str, body: dict[str, Any], key: str = "") -> Any:
    asked = urllib.request.Request(
        f"{site.url}/hda-broker/api/v1/{path}",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {key or site.key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked) as answer:
        return json.loads(answer.read())


def open_download(site: Served, name: str, key: str = "", **headers: str) -> Any:
    asked = urllib.request.Request(
        f"{site.url}/hda-broker/api/v1/dataaccess/download/{name}",
        headers={"Authorization": f"Bearer {key or site.key}", **headers},
    )
    return urllib.request.urlopen(asked)


def test_downloads_go_on_where_they_broke(stores: Served) -> None:
    wanted = {"dataset_id": "daily", "product_id": "day-2024-01-05", "location": "item.day-2024-01-05"}
    name = post(stores, "dataaccess/download", wanted)["download_id"]
    with open_download(stores, name) as answer:
        whole = answer.read()
        assert int(answer.headers["Content-Length"]) == len(whole)
        assert 'filename="day-2024-01-05.nc"' in answer.headers["Content-Disposition"]
    with open_download(stores, name, Range="bytes=100-") as answer:
        assert (answer.status, answer.read()) == (206, whole[100:])


def test_anothers_order_is_not_there(stores: Served, stranger: str) -> None:
    query = CUT | {"time": "09:00"}
    (found,) = post(stores, "dataaccess/search", query)["features"]
    wanted = {"dataset_id": "analysis", "product_id": found["id"], "location": found["properties"]["location"]}
    name = post(stores, "dataaccess/download", wanted)["download_id"]
    for key, status in ((stranger, 404), ("tk_" + "0" * 43, 403)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            open_download(stores, name, key)
        with caught.value as answer:
            assert answer.code == status
    for wrong in ("nothing", "item.", "item.WyJhIl0", "item.@@"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            open_download(stores, wrong)
        with caught.value as answer:
            assert answer.code == 404


def test_hostile_orders(stores: Served) -> None:
    for location in ("cut.", "cut.@", "cut.W10", "../../etc/passwd", "http://127.0.0.1/"):
        wanted = {"dataset_id": "daily", "product_id": "nothing", "location": location}
        with pytest.raises(urllib.error.HTTPError) as caught:
            post(stores, "dataaccess/download", wanted)
        with caught.value as answer:
            assert answer.code in (400, 404)


def test_stac_as_the_client_asks_for_it(ask: Any) -> None:
    lines = """
info, page = client.stac.get_info(), client.stac.get_collections_page()
items = client.stac.get_items_page("daily", limit=50)
seen = [one["id"] for one in items.items]
pages = items.total_pages
while items.has_next:
    items = items.next_page()
    seen += [one["id"] for one in items.items]
found = client.stac.search(collections=["daily"], bbox=(0, 40, 12, 51), limit=10)
print(json.dumps([info["type"], [one["id"] for one in page.items], client.stac.get_conformance()["conformsTo"][0],
    client.stac.get_collection("daily")["id"], client.stac.get_item("daily", "day-2024-01-01")["id"], seen, pages,
    found["numberMatched"], len(found["features"])]))
"""
    kind, collections, conforms, collection, item, seen, pages, matched, returned = ask(lines)
    assert (kind, collection, item) == ("Catalog", "daily", "day-2024-01-01")
    assert collections == ["analysis", "daily", "ensemble", "levels", "ordinary"]
    assert conforms.endswith("/core")
    assert len(seen) == len(set(seen)) == DAYS
    assert (pages, matched, returned) == (3, DAYS, 10)


def test_a_quota_that_is_used_up(stores: Served, limited: str, run_client: RunClient) -> None:
    """The client reads X-Quota-Reset as milliseconds since 1970."""
    lines = """
warnings.simplefilter("ignore")
import hda.api
try:
    for _ in range(40):
        client.datasets()
except hda.api.QuotaReachedError as error:
    print(json.dumps(str(error)))
"""
    text = run_client(CLIENT + lines, url=stores.url, user="limited", password=limited)
    assert "0 requests remaining out of 12" in text
    until = re.search(r"until (\d{4}-\d{2})", text)
    assert until is not None
    assert until[1] == time.strftime("%Y-%m", time.localtime(time.time() + 32 * 86400 - time.gmtime().tm_mday * 86400))
