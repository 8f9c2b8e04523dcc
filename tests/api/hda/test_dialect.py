"""The Destination Earth dialect against a running server: documents, searches, orders, downloads, and who sees what."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import terrella
from api.conftest import collection, item, serving
from grib_files import write_grib
from terrella.api.hda import dialect
from terrella.model.caller import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from terrella.site import Site

HOLD = 0.05
FORECAST = {"marsClass": "d1", "marsStream": "oper", "marsType": "fc"}
RULES = [
    {"name": "open", "collections": "id <> 'secret'"},
    {"name": "staff", "roles": ["staff"]},
]
PARTS = {"a.txt": b"first" * 1000, "b.bin": bytes(range(256)) * 500}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("hda")
    with terrella.Site.open(
        folder / "site", title="Lab", access={"rules": RULES}, jobs={"workers": 0, "at_once_seconds": 0}
    ) as made:
        for name in ("twin", "secret"):
            write_grib(folder / f"{name}.grib", step=10.0, times=(0, 12), steps=(0, 6), keys=FORECAST)
            write_grib(folder / f"{name}.grib", step=10.0, param=130, levels=(500, 850), keys=FORECAST)
            made.add(folder / f"{name}.grib", collection=name)
        files = folder / "files"
        (files / "store").mkdir(parents=True)
        for name, content in PARTS.items():
            (files / name).write_bytes(content)
        (files / "store" / "c").write_bytes(b"third")
        lake = made.lake
        lake.put_collection(
            OPERATOR, collection("optical", [0.0, 0.0, 9.0, 9.0], providers=[{"name": "ACME", "roles": ["producer"]}])
        )
        lake.put_items(OPERATOR, [item("optical", number, number % 9, 1.0) for number in range(50)])
        made.add(_static(files, "pair", {"a": "./a.txt", "b": "./b.bin"}))
        made.add(_static(files, "store", {"zarr": "./store"}))
        yield made


def _static(folder: Path, name: str, hrefs: dict[str, str]) -> Path:
    document = item("pairs", 0, 1.0, 1.0) | {"id": name, "collection": "pairs"}
    document["assets"] = {key: {"href": href, "roles": ["data"]} for key, href in hrefs.items()}
    (folder / f"{name}.json").write_text(json.dumps(document))
    return folder / f"{name}.json"


@pytest.fixture(scope="module")
def web(site: Site) -> Iterator[httpx.Client]:
    before, dialect._HOLD = dialect._HOLD, HOLD
    with serving(site) as address, httpx.Client(base_url=address, timeout=60) as made:
        yield made
    dialect._HOLD = before


def search(web: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = web.post("/stac/v2/search", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: httpx.Response, status: int = 400) -> str:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) <= {"code", "description", "parameter", "details", "request_id"}
    return str(answer.json()["description"])


# --- documents --------------------------------------------------------------------------------------------------------


def test_every_link_of_the_landing_page_works(web: httpx.Client) -> None:
    page = web.get("/stac/v2").json()
    assert page["stac_version"] == "1.0.0"
    assert web.get("/stac/v2/conformance").json()["conformsTo"] == page["conformsTo"]
    for one in page["links"]:
        answer = web.request(one.get("method", "GET"), one["href"], json={} if one.get("method") == "POST" else None)
        assert answer.status_code == 200, one
    children = [one["href"].rpartition("/")[2] for one in page["links"] if one["rel"] == "child"]
    assert children == ["optical", "pairs", "twin"]


def test_a_collection_says_who_hosts_it_and_what_an_order_needs(web: httpx.Client) -> None:
    found = web.get("/stac/v2/collections/twin").json()
    assert found["dedl:short_description"]
    hosts = [one for one in found["providers"] if "host" in one["roles"]]
    assert [(one["name"], one["priority"]) for one in hosts] == [("lake", 1)]
    about = found["cube:variables"]["t"]
    assert (about["shortName"], about["parameterId"], about["levtype"], about["stream"]) == ("t", "130", "pl", "oper")
    assert about["levelist"] == [500.0, 850.0]
    assert about["unit"] == "K"
    assert about["url"].endswith("/130")
    assert "levelist" not in found["cube:variables"]["2t"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": '"synthetic optical"'}, ["optical"]),
        ({"q": '"synthetic optical" AND temperature'}, []),
        ({"q": "temperature"}, ["twin"]),
        ({"provider": "lake"}, ["optical", "pairs", "twin"]),
        ({"provider": "acme"}, ["optical"]),
        ({"provider": "cop_dataspace"}, []),
        ({"datetime": "2024-02-01T00:00:00Z/.."}, ["twin"]),
        ({"query": '{"federation:backends":{"eq":"lake"}}', "q": "temperature"}, ["twin"]),
        ({"query": '{"federation:backends":{"eq":"dedl_lumi"}}'}, []),
    ],
)
def test_collections_are_searched(web: httpx.Client, query: dict[str, str], expected: list[str]) -> None:
    answer = web.get("/stac/v2/collections", params=query)
    assert [one["id"] for one in answer.json()["collections"]] == expected, answer.text


def test_collections_come_in_pages(web: httpx.Client) -> None:
    page = web.get("/stac/v2/collections", params={"limit": 2}).json()
    assert [one["id"] for one in page["collections"]] == ["optical", "pairs"]
    following = next(one["href"] for one in page["links"] if one["rel"] == "next")
    assert [one["id"] for one in web.get(following).json()["collections"]] == ["twin"]


def test_services(web: httpx.Client) -> None:
    assert [one["id"] for one in web.get("/services").json()["services"]][:2] == ["stac", "hda"]
    assert [one["id"] for one in web.get("/services", params={"q": "eodag"}).json()["services"]] == ["hda"]


# --- searches ---------------------------------------------------------------------------------------------------------


def test_twenty_a_page_by_get_and_by_post(web: httpx.Client) -> None:
    for start in (
        ("GET", "/stac/v2/search?collections=optical", None),
        ("POST", "/stac/v2/search", {"collections": ["optical"]}),
    ):
        seen, (method, href, body) = [], start
        while href:
            page = web.request(method, href, json=body).json()
            seen.append([one["id"] for one in page["features"]])
            following = next((one for one in page["links"] if one["rel"] == "next"), {})
            href, body = following.get("href"), following.get("body")
        assert [len(ids) for ids in seen] == [20, 20, 10]
        assert len({name for ids in seen for name in ids}) == 50


def test_items_of_a_collection(web: httpx.Client) -> None:
    found = web.get("/stac/v2/collections/optical/items", params={"limit": 3, "sortby": "+id"}).json()
    assert [one["id"] for one in found["features"]] == ["optical-0000", "optical-0001", "optical-0002"]
    one = found["features"][0]
    assert web.get(one["links"][0]["href"]).json() == one
    assert one["properties"]["order:status"] == "succeeded"
    assert one["properties"]["storage:tier"] == "online"
    assert one["properties"]["federation:backends"] == ["lake"]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({"query": {"platform": {"eq": "sat-a"}}}, 17),
        ({"query": {"platform": {"eq": "sat-a"}, "order:status": {"eq": "succeeded"}}}, 17),
        ({"query": {"order:status": {"eq": "orderable"}}}, 0),
        ({"filter": {"op": "=", "args": [{"property": "federation:backends"}, "lake"]}}, 50),
        ({"ids": ["optical-0001", "optical-0003"]}, 2),
        ({"bbox": [0.1, 1.1, 0.2, 1.2]}, 6),
        ({"intersects": {"type": "Point", "coordinates": [0.5, 1.5]}}, 6),
        ({"datetime": "2023-01-01T00:00:00Z/2023-01-03T00:00:00Z"}, 3),
    ],
)
def test_conditions(web: httpx.Client, body: dict[str, Any], count: int) -> None:
    assert search(web, collections=["optical"], limit=100, **body)["numberReturned"] == count


@pytest.mark.parametrize(
    "asked",
    [
        {"query": {"ecmwf:param": {"eq": "167"}, "ecmwf:time": {"in": ["0000", "1200"]}, "ecmwf:step": {"eq": 6}}},
        {"query": {"ecmwf:param": {"eq": 167}, "ecmwf:time": {"eq": "[0000, '1200']"}, "ecmwf:step": {"eq": "6"}}},
        {
            "filter-lang": "cql2-text",
            "filter": "\"ecmwf:param\" = '167' AND \"ecmwf:time\" IN ('0000', '1200') AND \"ecmwf:step\" = '6'",
        },
    ],
)
def test_words_of_mars_find_one_feature_that_may_be_ordered(web: httpx.Client, asked: dict[str, Any]) -> None:
    (one,) = search(web, collections=["twin"], datetime="2024-03-01T00:00:00Z/2024-03-02T00:00:00Z", **asked)[
        "features"
    ]
    assert one["properties"]["order:status"] == "orderable"
    assert (one["properties"]["start_datetime"], one["properties"]["end_datetime"]) == (
        "2024-03-01T00:00:00Z",
        "2024-03-01T23:59:59Z",
    )
    retrieve = next(link for link in one["links"] if link["rel"] == "retrieve")
    assert retrieve["method"] == "POST"
    assert retrieve["href"].endswith("/stac/v2/collections/twin/order")
    body = {key: str(value) for key, value in retrieve["body"].items()}
    assert body == {"param": "167", "time": "0000/1200", "step": "6", "date": "20240301"}
    assert one["properties"]["terrella:estimate"]["values"] == 2 * 19 * 36
    assert "ORDERABLE" in one["id"]


def test_by_get_too(web: httpx.Client) -> None:
    words = json.dumps({"ecmwf:param": {"eq": "2t"}})
    (one,) = web.get("/stac/v2/collections/twin/items", params={"query": words}).json()["features"]
    assert one["properties"]["order:status"] == "orderable"


@pytest.mark.parametrize(
    ("place", "count"),
    [
        ({"bbox": [170, -10, -170, 10]}, 1),
        ({"intersects": {"type": "Point", "coordinates": [3, 45]}}, 1),
        ({"ids": ["nothing"]}, 0),
    ],
)
def test_where_it_lies(web: httpx.Client, place: dict[str, Any], count: int) -> None:
    found = search(web, collections=["twin"], query={"ecmwf:param": {"eq": "167"}}, **place)
    assert found["numberReturned"] == count


def test_collections_that_do_not_have_it_are_passed_over(web: httpx.Client) -> None:
    found = search(web, collections=["optical", "twin"], query={"ecmwf:param": {"eq": "167"}})
    assert [one["collection"] for one in found["features"]] == ["twin"]


@pytest.mark.parametrize(
    ("words", "date"),
    [
        ({"date": {"eq": "2024-03-01/2024-03-01"}}, "2024-03-01/to/2024-03-01"),
        ({"date": {"in": ["20240301"]}}, "20240301"),
        ({}, None),
    ],
)
def test_dates(web: httpx.Client, words: dict[str, Any], date: str | None) -> None:
    query = {"ecmwf:param": {"eq": "167"}} | {f"ecmwf:{key}": value for key, value in words.items()}
    (one,) = search(web, collections=["twin"], query=query)["features"]
    assert next(link for link in one["links"] if link["rel"] == "retrieve")["body"].get("date") == date


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"collections": ["twin"], "query": {"ecmwf:param": {"eq": "999999"}}}, "There is no param '999999' here"),
        ({"collections": ["twin"], "query": {"ecmwf:param": {"lt": 5}}}, "takes a value"),
        ({"query": {"ecmwf:param": {"eq": "167"}}}, "Say which collections"),
        ({"collections": ["twin"], "query": {"ecmwf:param": {"eq": "167"}, "gsd": {"eq": 1}}}, "leave those out"),
        (
            {
                "collections": ["twin"],
                "filter": {"op": "not", "args": [{"op": "=", "args": [{"property": "ecmwf:param"}, "1"]}]},
            },
            "joined to the rest by and",
        ),
        ({"collections": ["nothere"]}, "nothere"),
        ({"collections": ["twin"], "limt": 1}, "Did you mean 'limit'"),
        ({"collections": ["twin"], "query": {"ecmwf:param": {"eq": "x" * 100_000}}}, "no param"),
        ({"collections": ["twin"], "query": {"ecmwf:step": {"in": list(range(200_000))}}}, "at most"),
        ({"bbox": [1, 2, 3]}, "4 numbers"),
    ],
)
def test_bad_searches(web: httpx.Client, body: dict[str, Any], text: str) -> None:
    answer = web.post("/stac/v2/search", json=body)
    assert answer.status_code in (400, 413)
    assert text in refused(answer, answer.status_code)


@pytest.mark.parametrize(
    "path", ["/stac/v2/search?limt=1", "/stac/v2/collections?provder=x", "/services?p=1", "/stac/v2?x=1"]
)
def test_unknown_parameters(web: httpx.Client, path: str) -> None:
    assert "There is no parameter" in refused(web.get(path))


def test_queryables_of_everything(web: httpx.Client) -> None:
    found = web.get("/stac/v2/queryables").json()["properties"]
    assert found["ecmwf:param"]["enum"] == ["130", "167"]
    assert "platform" in found
    narrowed = web.get("/stac/v2/queryables", params={"ecmwf:levtype": "pl"}).json()["properties"]
    assert narrowed["ecmwf:param"]["const"] == "130"


# --- orders -----------------------------------------------------------------------------------------------------------


def test_an_order_is_an_item_until_it_is_there(web: httpx.Client, site: Site) -> None:
    answer = web.post("/stac/v2/collections/twin/order", json={"ecmwf:param": "167", "step": ["0", "6"]})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["properties"]["order:status"] == "ordered"
    assert answer.headers["Location"] == made["links"][0]["href"]
    waiting = web.get(answer.headers["Location"])
    assert (waiting.status_code, waiting.headers["Retry-After"]) == (202, "1")
    assert web.get(f"/stac/v2/collections/optical/items/{made['id']}").status_code == 404
    found = search(web, collections=["twin"], ids=[made["id"]])["features"]
    assert [one["id"] for one in found] == [made["id"]]
    site.jobs.cancel(OPERATOR, made["id"])
    ended = web.get(answer.headers["Location"])
    assert ended.status_code == 422
    assert ended.json()["properties"]["order:status"] == "canceled"
    assert ended.json()["description"] == "Dismissed by its owner."


def test_orders_of_others_are_not_there(web: httpx.Client, site: Site) -> None:
    shown = []
    for name in ("anna", "bert"):
        site.access.accounts.add_user(OPERATOR, name, roles=["reader"])
        key = site.access.accounts.make_key(OPERATOR, "test", owner=name)
        shown.append({"Authorization": f"Bearer {key.text}"})
    hers, his = shown
    here = web.post("/stac/v2/collections/twin/order", json={"param": "167"}, headers=hers).headers["Location"]
    assert web.get(here, headers=hers).status_code == 202
    unknown = here.rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000"
    for headers in (his, {}):
        missing, nothing = web.get(here, headers=headers), web.get(unknown, headers=headers)
        assert missing.status_code == nothing.status_code == 404
        known, made_up = (address.rpartition("/")[2] for address in (here, unknown))
        assert missing.json()["description"].replace(known, made_up) == nothing.json()["description"]
        body = {"collections": ["twin"], "ids": [known]}
        assert web.post("/stac/v2/search", json=body, headers=headers).json()["features"] == []


def test_a_key_that_may_only_read_orders_nothing(web: httpx.Client, site: Site) -> None:
    site.access.accounts.add_user(OPERATOR, "carl", roles=["reader"])
    key = site.access.accounts.make_key(OPERATOR, "test", owner="carl", scopes=["read"])
    headers = {"Authorization": f"Bearer {key.text}"}
    answer = web.post("/stac/v2/collections/twin/order", json={"param": "167"}, headers=headers)
    assert "scope 'run'" in refused(answer, 403)


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("twin", {"param": "999999"}, 400, "There is no param"),
        ("twin", {"parm": "167"}, 400, "Did you mean 'param'"),
        ("twin", {"param": None}, 400, "no value"),
        ("twin", {}, 400, "retrieve"),
        ("twin", [1], 400, ""),
        ("optical", {"param": "167"}, 400, "no cube"),
        ("nothere", {"param": "167"}, 404, "nothere"),
        ("secret", {"param": "167"}, 404, "secret"),
    ],
)
def test_bad_orders(web: httpx.Client, path: str, body: Any, status: int, text: str) -> None:
    assert text in refused(web.post(f"/stac/v2/collections/{path}/order", json=body), status)


# --- data -------------------------------------------------------------------------------------------------------------


def test_a_file_by_range_with_its_checksum(web: httpx.Client, site: Site) -> None:
    content = (site.settings.home.parent / "twin.grib").read_bytes()
    (one,) = search(web, collections=["twin"])["features"]
    assert sorted(one["assets"]) == ["downloadLink", "twin.grib"]
    for asset in one["assets"].values():
        head = web.head(asset["href"])
        assert int(head.headers["Content-Length"]) == len(content) == asset["file:size"]
        whole = web.get(asset["href"], headers={"Accept-Encoding": "gzip"})
        assert whole.content == content
        assert "Content-Encoding" not in whole.headers
        assert whole.headers["ETag"].strip('"') == hashlib.sha256(content).hexdigest()
        part = web.get(asset["href"], headers={"Range": "bytes=100-199", "If-Range": whole.headers["ETag"]})
        assert (part.status_code, part.content) == (206, content[100:200])


def test_several_files_are_one_archive(web: httpx.Client) -> None:
    found = web.get("/stac/v2/collections/pairs/items/pair").json()["assets"]
    assert sorted(found) == ["a.txt", "b.bin", "downloadLink"]
    assert found["downloadLink"]["type"] == "application/zip"
    href = found["downloadLink"]["href"]
    whole = web.get(href)
    assert int(web.head(href).headers["Content-Length"]) == len(whole.content)
    with zipfile.ZipFile(io.BytesIO(whole.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == PARTS
    tail = web.get(href, headers={"Range": "bytes=50000-", "If-Range": whole.headers["ETag"]})
    assert (tail.status_code, tail.content) == (206, whole.content[50_000:])
    assert web.get(href, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    assert web.get(href, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert web.get(found["b.bin"]["href"]).content == PARTS["b.bin"]


def test_a_folder_is_an_archive(web: httpx.Client) -> None:
    found = web.get("/stac/v2/collections/pairs/items/store").json()["assets"]
    assert found["downloadLink"]["type"] == found["store"]["type"] == "application/zip"
    for asset in found.values():
        with zipfile.ZipFile(io.BytesIO(web.get(asset["href"]).content)) as archive:
            assert archive.read("store/c") == b"third"


def test_what_lies_elsewhere(web: httpx.Client) -> None:
    one = web.get("/stac/v2/collections/optical/items/optical-0001").json()
    assert one["assets"]["data"]["href"].startswith("https://example.com/")
    answer = web.get("/data/lake/optical/optical-0001/data")
    assert (answer.status_code, answer.headers["Location"]) == (307, one["assets"]["data"]["href"])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/data/dedl/twin/twin/downloadLink", "there is lake"),
        ("/data/lake/twin/twin/nothing", "no asset"),
        ("/data/lake/twin/nothing/downloadLink", "nothing"),
        ("/data/lake/optical/optical-0001/downloadLink", "no files"),
        ("/data/lake/secret/secret/downloadLink", "secret"),
    ],
)
def test_downloads_that_there_are_not(web: httpx.Client, path: str, text: str) -> None:
    assert text in refused(web.get(path), 404)


def test_what_is_hidden_is_nowhere(web: httpx.Client) -> None:
    for path in ("", "/items", "/queryables", "/items/secret"):
        assert web.get(f"/stac/v2/collections/secret{path}").status_code == 404
    for path in ("", "/collections", "/queryables", "/search"):
        assert "secret" not in web.get(f"/stac/v2{path}").text
    missing = web.post("/stac/v2/search", json={"collections": ["secret"], "query": {"ecmwf:param": {"eq": "167"}}})
    nothing = web.post("/stac/v2/search", json={"collections": ["sacred"], "query": {"ecmwf:param": {"eq": "167"}}})
    assert missing.status_code == nothing.status_code == 400
    assert missing.json()["description"].replace("secret", "sacred") == nothing.json()["description"]


def test_files_of_the_stac_api_are_not_compressed_either(web: httpx.Client, site: Site) -> None:
    answer = web.get("/stac/collections/twin/items/twin/assets/data", headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.content == (site.settings.home.parent / "twin.grib").read_bytes()
    assert "Content-Encoding" not in answer.headers
