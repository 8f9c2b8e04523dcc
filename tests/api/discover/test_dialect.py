"""GET /discover, asked as a browser does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.conftest import make_site, serving
from site_files import write_netcdf

RULES = [
    {"name": "open", "collections": "id <> 'climate'"},
    {"name": "known", "allow": "find"},
    {"name": "members", "roles": ["user"], "collections": "id = 'climate'"},
]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("site")
    site = make_site(home, access={"rules": RULES})
    write_netcdf(home / "warm.nc", title="Warm & <b>wet</b>")
    site.add(home / "warm.nc", collection="warm")
    with serving(site) as address:
        yield address


@pytest.fixture
def client(here: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=here) as made:
        yield made


def test_one_answer_has_cards_facets_and_who_answered(client: httpx.Client) -> None:
    body = client.get("/discover").raise_for_status().json()
    assert (body["matched"], body["returned"], body["next"], body["partial"]) == (4, 4, None, False)
    (source,) = body["sources"]
    assert source | {"seconds": 0} == {"provider": "lake", "state": "ok", "matched": 4, "seconds": 0}
    assert list(body["facets"]) == ["theme", "variable", "provider", "license", "resolution", "access", "has"]
    counts = {one["value"]: one["count"] for one in body["facets"]["access"]["values"]}
    assert counts == {"open": 3, "account": 1, "request": 0}
    assert {one["value"]: one["count"] for one in body["facets"]["has"]["values"]} == {
        "cube": 2,
        "images": 0,
        "items": 4,
    }


def test_a_card_says_what_is_there_and_where(client: httpx.Client, here: str) -> None:
    cards = {one["id"]: one for one in client.get("/discover").json()["collections"]}
    warm = cards["warm"]
    assert warm["items"] == 1
    assert warm["title"] == "Warm & <b>wet</b>"
    assert warm["resolution_m"] > 0
    assert warm["access"] == {"state": "open", "title": "Open to you", "in_part": False}
    assert warm["variables"][0]["units"]
    for name in ("stac", "ogc", "tiles", "zarr", "connect"):
        assert warm["links"][name].startswith(here)
        assert client.get(warm["links"][name]).status_code == 200, name
    west, south, east, north = warm["thumbnail"]["bbox"]
    assert west <= warm["bbox"][0] < warm["bbox"][2] <= east
    assert south <= warm["bbox"][1] < warm["bbox"][3] <= north
    assert cards["climate"]["access"]["state"] == "account"
    assert cards["climate"]["thumbnail"] is None
    assert cards["optical"]["links"].keys() == {"stac", "connect"}


def test_facets_and_words_narrow_and_pages_follow_each_other(client: httpx.Client) -> None:
    few = client.get("/discover", params={"has": "items", "license": "CC-BY-4.0", "limit": 2, "sort": "-title"}).json()
    assert (few["matched"], few["returned"]) == (3, 2)
    rest = client.get(
        "/discover",
        params={"has": "items", "license": "CC-BY-4.0", "limit": 2, "sort": "-title", "token": few["next"]},
    ).json()
    assert rest["next"] is None
    assert "facets" not in rest
    titles = [one["title"] for one in few["collections"] + rest["collections"]]
    assert titles == sorted(titles, key=str.casefold, reverse=True)
    assert client.get("/discover", params={"q": "warm"}).json()["matched"] == 1
    assert client.get("/discover", params={"bbox": "175,-1,-175,1"}).json()["matched"] >= 1
    assert client.get("/discover", params={"datetime": "1850"}).json()["matched"] == 0


def test_the_same_answer_is_not_sent_twice(client: httpx.Client) -> None:
    first = client.get("/discover")
    again = client.get("/discover", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "Authorization" in first.headers["Vary"]


@pytest.mark.parametrize(
    ("query", "parameter", "words"),
    [
        ("them=ocean", "them", "theme"),
        ("resolution=fine", "resolution", "under-100m"),
        ("access=mine", "access", "request"),
        ("has=", "has", "empty"),
        ("sort=price", "sort", "relevance"),
        ("limit=0", "limit", "from 1 to 200"),
        ("limit=201", "limit", "from 1 to 200"),
        ("limit=x", "limit", "from 1 to 200"),
        ("token=abc", "token", "not one of this search"),
        ("bbox=1,2,3", "bbox", "4 numbers"),
        ("bbox=0,50,10,40", "bbox", "south <= north"),
        ("datetime=yesterday", "datetime", "2024-07"),
        ("q=-warm", "q", "leave out"),
        ("q=a&q=b", "q", "twice"),
        ("f=html", "f", "json"),
        ("variable=" + "x" * 300, "variable", "200 characters"),
        ("variable=" + ",".join(map(str, range(200))), "variable", "at most 100"),
    ],
)
def test_bad_input_is_refused_with_what_is_allowed(
    client: httpx.Client, query: str, parameter: str, words: str
) -> None:
    answer = client.get(f"/discover?{query}")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == parameter
    assert words in answer.text


def test_empty_single_parameters_are_none(client: httpx.Client) -> None:
    """As forms send fields that nobody filled in."""
    assert client.get("/discover?q=&bbox=&datetime=&sort=").json()["matched"] == 4


def test_what_is_written_is_found_at_once(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", filled=False)
    with serving(site) as address, httpx.Client(base_url=address) as client:
        assert client.get("/discover").json()["matched"] == 0
        write_netcdf(tmp_path / "warm.nc", title="Warm")
        site.add(tmp_path / "warm.nc", collection="warm")
        found = client.get("/discover").json()["collections"]
        assert [one["id"] for one in found] == ["warm"]
        assert found[0]["items"] == 1
        site.remove("warm")
        assert client.get("/discover").json()["matched"] == 0
