"""eodag and pystac-client, unmodified, against the dialect of Destination Earth: search, order, poll, download."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import terrella  # first in every process

# isort: split
import eccodes
import numpy as np
import pytest

from clients.conftest import serve
from grib_files import value, write_grib
from site_files import write_netcdf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import RunClient, Served  # type: ignore[import-not-found]

TWIN = "EO.ECMWF.DAT.DT_EXTREMES"
"""What eodag's own provider `dedl` calls the weather twin."""
FORECAST = {"marsClass": "d1", "marsStream": "oper", "marsType": "fc"}
SCENES = 46
PARTS = {"a.txt": b"first" * 1000, "b.bin": bytes(range(256)) * 500}


def _pair(folder: Path) -> Path:
    """An item of two files."""
    folder.mkdir()
    for name, content in PARTS.items():
        (folder / name).write_bytes(content)
    assets = {name[0]: {"href": f"./{name}", "roles": ["data"]} for name in PARTS}
    item = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": "pair",
        "collection": "pairs",
        "geometry": {"type": "Point", "coordinates": [1, 2]},
        "bbox": [1, 2, 1, 2],
        "properties": {"datetime": "2024-03-01T00:00:00Z"},
        "links": [],
        "assets": assets,
    }
    (folder / "pair.json").write_text(json.dumps(item))
    return folder / "pair.json"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A twin, a collection of 46 files, one of an item with two, and one that is not GRIB."""
    folder = tmp_path_factory.mktemp("eodag")
    write_grib(folder / "twin.grib", times=(0, 12), steps=(0, 6), keys=FORECAST)
    levels = {"times": (0, 12), "steps": (0, 6, 12), "levels": (1000, 850, 500)}
    write_grib(folder / "twin.grib", param=130, keys=FORECAST, **levels)
    (folder / "days").mkdir()
    for number in range(SCENES):
        day, hour = divmod(number, 2)
        write_grib(folder / "days" / f"day-{number:02d}.grib", step=30.0, date=20240301 + day, times=(12 * hour,))
    write_netcdf(folder / "fields.nc")
    home = folder / "home"
    with terrella.Site.open(home) as site:  # one process that scans serves all three
        site.add(folder / "twin.grib", collection=TWIN)
        site.add(folder / "fields.nc", collection="fields")
        site.add(folder / "days", collection="days")
        site.add(_pair(folder / "pair"))
    # nothing is done at once: the clients have to wait
    yield from serve(home, folder / "server.log", TERRELLA_JOBS__AT_ONCE_SECONDS="0")


START = """
import logging, os, pathlib
os.environ["EODAG__DEDL__SEARCH__API_ENDPOINT"] = url + "/stac/v2/search"
os.environ["EODAG__DEDL__SEARCH__NEED_AUTH"] = "False"
os.environ["EODAG_EXT_COLLECTIONS_CFG_FILE"] = ""
from eodag import EODataAccessGateway, setup_logging
setup_logging(0)
"""
ADDED = (
    START
    + """
dag = EODataAccessGateway()
dag.add_provider("terrella", url + "/stac/v2/search")
"""
)
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "eodag.md"
(PROVIDER,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
"""The very description of a provider that the documentation gives."""
WITH_KEY = (
    START
    + """
dag = EODataAccessGateway()
dag.update_providers_config(described.replace("http://127.0.0.1:8700", url).replace("tk_...", key))
"""
)
FILES = """
def files(place):
    place = pathlib.Path(place)
    return sorted(str(one) for one in ([place] if place.is_file() else place.rglob("*")) if one.is_file())
"""


def _messages(path: str) -> list[tuple[int, int, int, np.ndarray]]:
    """(time, step, level, values at every point) of each message."""
    found = []
    with open(path, "rb") as file:  # noqa: PTH123 -- ecCodes wants a real file
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            place = tuple(eccodes.codes_get(handle, key) for key in ("time", "step", "level"))
            lat, lon, values = (eccodes.codes_get_array(handle, key) for key in ("latitudes", "longitudes", "values"))
            hours, level = place[0] // 100 + place[1], place[2] if place[2] >= 500 else 0
            np.testing.assert_allclose(values, value(lat, lon, hours=hours, level=level), atol=1e-4)
            found.append((*place, values))
            eccodes.codes_release(handle)
    return found


def test_collections_and_queryables(lake: Served, run_client: RunClient) -> None:
    lines = """
from typing import get_args
collections = [one.id for one in dag.list_collections(provider="terrella")]
found = dag.list_queryables(provider="terrella", collection=twin)
literals = {name: get_args(get_args(one)[0]) for name, one in found.items() if name.startswith("ecmwf")}
print(json.dumps([collections, literals]))
"""
    collections, literals = run_client(ADDED + lines, url=lake.url, twin=TWIN)
    assert collections == [TWIN, "days", "fields", "pairs"]
    assert sorted(literals["ecmwf_param"]) == ["130", "167"]
    assert sorted(literals["ecmwf_levelist"]) == ["1000", "500", "850"]
    assert sorted(literals["ecmwf_step"]) == ["0", "12", "6"]
    assert literals["ecmwf_date"] == ["2024-03-01/to/2024-03-01"]
    assert literals["ecmwf_class"] == ["d1"]


def test_three_pages(lake: Served, run_client: RunClient) -> None:
    lines = """
first = dag.search(provider="terrella", collection="days", limit=20, raise_errors=True, count=True)
pages = [[one.properties["id"] for one in first]]
page = first
while page.next_page_token:
    page = next(page.next_page())
    pages.append([one.properties["id"] for one in page])
whole = [one.properties["id"] for one in dag.search_all(provider="terrella", collection="days", limit=20)]
print(json.dumps([first.number_matched, pages, whole]))
"""
    matched, pages, whole = run_client(ADDED + lines, url=lake.url)
    assert matched == SCENES
    assert [len(page) for page in pages] == [20, 20, 6]
    ids = [name for page in pages for name in page]
    assert len(set(ids)) == SCENES
    assert ids == whole


def test_time_and_place_narrow_a_search(lake: Served, run_client: RunClient) -> None:
    lines = """
found = dag.search(provider="terrella", collection="days", start="2024-03-02", end="2024-03-02T12:00:00",
                   geom={"lonmin": 1, "latmin": 1, "lonmax": 2, "latmax": 2}, raise_errors=True)
print(json.dumps(sorted(one.properties["id"] for one in found)))
"""
    assert run_client(ADDED + lines, url=lake.url) == ["day-02", "day-03"]


def test_downloads_are_the_very_bytes(lake: Served, run_client: RunClient, tmp_path: Path) -> None:
    lines = """
product = dag.search(provider="terrella", collection="days", id="day-07", raise_errors=True)[0]
print(json.dumps([product.properties["order:status"], files(product.download(output_dir="."))]))
"""
    status, (path,) = run_client(WITH_KEY + FILES + lines, url=lake.url, key=lake.key, described=PROVIDER)
    assert status == "succeeded"
    assert (tmp_path / path).read_bytes() == (lake.home.parent / "days" / "day-07.grib").read_bytes()


def test_an_item_of_several_files(lake: Served, run_client: RunClient, tmp_path: Path) -> None:
    lines = """
product = dag.search(provider="terrella", collection="pairs", raise_errors=True)[0]
print(json.dumps(files(product.download(output_dir="."))))
"""
    paths = run_client(WITH_KEY + FILES + lines, url=lake.url, key=lake.key, described=PROVIDER)
    assert {path.rpartition("/")[2]: (tmp_path / path).read_bytes() for path in paths} == PARTS


def test_each_asset_of_an_item(lake: Served, run_client: RunClient, tmp_path: Path) -> None:
    """A provider that is only added, without a word on downloads, fetches all assets side by side."""
    lines = """
product = dag.search(provider="terrella", collection="pairs", raise_errors=True)[0]
print(json.dumps(files(product.download(output_dir="."))))
"""
    paths = run_client(ADDED + FILES + lines, url=lake.url)
    found = {path.rpartition("/")[2]: (tmp_path / path).read_bytes() for path in paths}
    assert {name: found[name] for name in PARTS} == PARTS


ORDER = """
product = dag.search(provider=provider, collection=collection, raise_errors=True, validate=validate, **words)[0]
before = product.properties["order:status"]
place = product.download(output_dir=".", wait=0.01, timeout=2)
print(json.dumps([before, product.properties["order:status"], files(place)]))
"""


def test_the_stock_provider_orders(lake: Served, run_client: RunClient) -> None:
    words = {
        "start": "2024-03-01",
        "end": "2024-03-02",
        "ecmwf:levtype": "pl",
        "ecmwf:param": "130",
        "ecmwf:time": "0000",
        "ecmwf:levelist": ["500", "850"],
        "ecmwf:step": [0, 6],
    }
    before, after, (path,) = run_client(
        START + "dag = EODataAccessGateway()" + FILES + ORDER,
        url=lake.url,
        provider="dedl",
        collection="DT_EXTREMES",
        validate=False,
        words=words,
    )
    assert (before, after) == ("orderable", "succeeded")
    messages = _messages(path if path.startswith("/") else f"{path}")
    assert sorted(one[:3] for one in messages) == [(0, 0, 500), (0, 0, 850), (0, 6, 500), (0, 6, 850)]


def test_a_provider_with_a_key_orders(lake: Served, run_client: RunClient) -> None:
    """Checked by the client itself against the queryables, as it does when nothing is said."""
    words = {"ecmwf:param": "167", "ecmwf:time": "1200", "ecmwf:step": "6", "ecmwf:date": "2024-03-01"}
    before, after, (path,) = run_client(
        WITH_KEY + FILES + ORDER,
        url=lake.url,
        key=lake.key,
        described=PROVIDER,
        provider="terrella",
        collection=TWIN,
        validate=True,
        words=words,
    )
    assert (before, after) == ("orderable", "succeeded")
    assert [one[:3] for one in _messages(path)] == [(1200, 6, 2)]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"ecmwf:param": "nonsense"}, "There is no param 'nonsense' here"),
    ({"ecmwf:parm": "167"}, "Did you mean 'param'"),
    ({"ecmwf:param": "130", "ecmwf:levelist": "700"}, "500, 850, 1000"),
    ({"ecmwf:param": "167", "ecmwf:date": "19990101"}, "2024-03-01T00:00:00Z"),
    ({"ecmwf:param": "167", "gsd": 10}, "leave those out"),
]


def test_what_is_wrong_is_said(lake: Served, run_client: RunClient) -> None:
    lines = """
said = []
for words in wrong:
    try:
        dag.search(provider="terrella", collection=twin, raise_errors=True, validate=False, **words)
    except Exception as error:
        said.append([type(error).__name__, str(error)])
print(json.dumps(said))
"""
    words = [one for one, _ in WRONG]
    said = run_client(WITH_KEY + lines, url=lake.url, key=lake.key, described=PROVIDER, twin=TWIN, wrong=words)
    assert len(said) == len(WRONG)
    for (kind, text), (_, expected) in zip(said, WRONG, strict=True):
        assert kind in ("RequestError", "ValidationError")
        assert expected in text.replace("\\'", "'")


def test_parameters_that_differ_are_a_netcdf_file_each(lake: Served, run_client: RunClient) -> None:
    words = {"ecmwf:param": "130/167", "ecmwf:format": "netcdf", "ecmwf:time": "0000"}
    _, after, paths = run_client(
        WITH_KEY + FILES + ORDER,
        url=lake.url,
        key=lake.key,
        described=PROVIDER,
        provider="terrella",
        collection=TWIN,
        validate=False,
        words=words,
    )
    assert after == "succeeded"
    assert sorted(path.rpartition("-")[2] for path in paths) == ["2t.nc", "t.nc"]


def test_an_order_that_fails_says_why(lake: Served, run_client: RunClient) -> None:
    lines = """
try:
    product = dag.search(provider="terrella", collection="fields", raise_errors=True, **{"ecmwf:param": "167"})[0]
    product.download(output_dir=".", wait=0.01, timeout=2)
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""
    kind, text = run_client(WITH_KEY + lines, url=lake.url, key=lake.key, described=PROVIDER)
    assert kind in ("DownloadError", "RequestError")
    assert "These data are not stored as GRIB: ask for netcdf." in text
    assert "Traceback" not in text


def test_a_wrong_key(lake: Served, run_client: RunClient) -> None:
    lines = """
try:
    dag.search(provider="terrella", collection="days", raise_errors=True, validate=False)
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""
    kind, text = run_client(
        WITH_KEY + lines,
        url=lake.url,
        key="tk_" + "0" * 43,
        described=PROVIDER.replace("need_auth", "retry_total: 0\n    need_auth"),
    )
    assert kind in ("RequestError", "AuthenticationError")
    assert "key" in text
    assert "0" * 43 not in text


def test_pystac_client(lake: Served, run_client: RunClient) -> None:
    lines = """
import pystac_client
client = pystac_client.Client.open(url + "/stac/v2", headers={"Authorization": "Bearer " + key})
collections = [one.id for one in client.get_collections()]
named = [one.id for one in client.collection_search(q='"metre temperature" AND twin OR days').collections()]
search = client.search(collections=["days"], limit=20, sortby="+id", datetime="2024-03-01/2024-03-20")
sizes = [len(page["features"]) for page in search.pages_as_dicts()]
item = client.get_collection("days").get_item("day-03")
orderable = next(client.search(collections=[twin], query={"ecmwf:param": {"eq": "167"}}).items())
retrieve = orderable.get_single_link("retrieve")
print(json.dumps([collections, named, search.matched(), sizes, sorted(item.assets),
                  orderable.properties["order:status"], retrieve.extra_fields["body"], retrieve.extra_fields["method"]]))
"""
    told = run_client(lines, url=lake.url, key=lake.key, twin=TWIN)
    collections, named, matched, sizes, assets, status, body, method = told
    assert _get(lake, "/stac/v2")["stac_version"] == "1.0.0"
    assert collections == [TWIN, "days", "fields", "pairs"]
    assert "days" in named
    assert matched == sum(sizes) == 40
    assert sizes == [20, 20]
    assert assets == ["day-03.grib", "downloadLink"]
    assert (status, body, method) == ("orderable", {"param": "167"}, "POST")


def _get(lake: Served, path: str, **headers: str) -> Any:
    asked = urllib.request.Request(lake.url + path, headers={"Authorization": f"Bearer {lake.key}", **headers})
    with urllib.request.urlopen(asked) as answer:
        return json.loads(answer.read())


def _offers(lake: Served, picks: dict[str, str]) -> dict[str, list[str]]:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in picks.items())
    found = _get(lake, f"/stac/v2/collections/{TWIN}/queryables?{query}")["properties"]
    return {name: about["enum"] for name, about in found.items() if name.startswith("ecmwf:")}


def test_picks_never_leave_nothing(lake: Served) -> None:
    """Every pair of picks from what is on offer, and then whatever comes first until all is said; then it is ordered."""
    first = _offers(lake, {})
    assert all(first.values())
    ends: list[dict[str, str]] = []
    for name, values in first.items():
        for chosen in values:
            picks, offers = {name: chosen}, _offers(lake, {name: chosen})
            while left := [key for key in offers if key not in picks]:
                assert all(offers.values())
                assert all(set(offers[key]) <= set(first[key]) for key in offers)
                picks[left[0]] = offers[left[0]][-1]
                offers = _offers(lake, picks)
            ends.append(picks)
    for picks in {json.dumps(one, sort_keys=True): one for one in ends}.values():
        body = {"collections": [TWIN], "query": {name: {"eq": chosen} for name, chosen in picks.items()}}
        asked = urllib.request.Request(
            f"{lake.url}/stac/v2/search", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked) as answer:
            (feature,) = json.loads(answer.read())["features"]
        assert feature["properties"]["terrella:estimate"]["values"] == 91 * 180
    assert _offers(lake, {"ecmwf:param": "167"})["ecmwf:levtype"] == ["sfc"]
    assert "ecmwf:levelist" not in _offers(lake, {"ecmwf:param": "2t"})
    assert _offers(lake, {"ecmwf:param": "2t"})["ecmwf:step"] == ["0", "6"]
    assert _offers(lake, {"ecmwf:step": "12"})["ecmwf:param"] == ["130"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [("ecmwf:param=nope", "130, 167"), ("ecmwf:parm=167", "Did you mean"), ("param=167", "ecmwf:param")],
)
def test_picks_that_nothing_has(lake: Served, query: str, expected: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        _get(lake, f"/stac/v2/collections/{TWIN}/queryables?{query}")
    with caught.value as answer:
        assert answer.code == 400
        assert expected in json.loads(answer.read())["description"]
