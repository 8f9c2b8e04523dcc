"""The STAC API as pystac-client sees it."""

from __future__ import annotations

import pystac
import pytest
import shapely
from pystac_client import Client
from shapely.geometry import shape

from api.conftest import ITEMS


@pytest.fixture(scope="module")
def catalog(server: str) -> Client:
    return Client.open(f"{server}/stac")


def test_what_it_conforms_to(catalog: Client) -> None:
    for name in (
        "CORE",
        "COLLECTIONS",
        "ITEM_SEARCH",
        "FEATURES",
        "FIELDS",
        "SORT",
        "QUERY",
        "FILTER",
        "COLLECTION_SEARCH",
        "COLLECTION_SEARCH_FREE_TEXT",
    ):
        assert catalog.conforms_to(name), name
    catalog.validate()


def test_collections(catalog: Client) -> None:
    found = {one.id: one for one in catalog.get_collections()}
    assert set(found) == {"climate", "optical", "pacific"}
    assert found["optical"].title == "Optical"
    assert catalog.get_collection("pacific").extent.spatial.bboxes == [[179.0, -2.0, -178.0, 2.0]]
    assert [link.rel for link in found["optical"].links].count("license") == 1


def test_children_are_collections(catalog: Client) -> None:
    assert {one.id for one in catalog.get_children()} == {"climate", "optical", "pacific"}


def test_all_pages_of_a_search(catalog: Client) -> None:
    for method in ("GET", "POST"):
        search = catalog.search(method=method, collections=["optical"], limit=50)
        assert search.matched() == ITEMS
        pages = list(search.pages_as_dicts())
        assert [len(page["features"]) for page in pages] == [50, 50, 50, 50, 40]
        ids = [one["id"] for page in pages for one in page["features"]]
        assert len(set(ids)) == ITEMS
        times = [one["properties"]["datetime"] for page in pages for one in page["features"]]
        assert times == sorted(times, reverse=True)


def test_the_previous_page(catalog: Client) -> None:
    search = catalog.search(method="POST", collections=["optical"], limit=10)
    first, second = (page for page, _ in zip(search.pages_as_dicts(), range(2), strict=False))
    previous = next(link for link in second["links"] if link["rel"] == "prev")
    back = catalog._stac_io.read_json(pystac.Link.from_dict(previous))
    assert back["features"] == first["features"]


def test_box_geometry_and_time(catalog: Client) -> None:
    for method in ("GET", "POST"):
        box = shapely.box(0.5, 40.5, 3.5, 44.5)
        wanted = {
            one.id for one in catalog.search(collections=["optical"]).items() if shape(one.geometry).intersects(box)
        }
        assert wanted
        for place in ({"bbox": [0.5, 40.5, 3.5, 44.5]}, {"intersects": box.__geo_interface__}):
            found = {one.id for one in catalog.search(method=method, collections=["optical"], **place).items()}
            assert found == wanted
        days = catalog.search(method=method, collections=["optical"], datetime="2023-02")
        assert {one.datetime.month for one in days.items()} == {2}
        assert days.matched() == 28


def test_over_the_antimeridian(catalog: Client) -> None:
    assert catalog.search(collections=["pacific"], bbox=[179, -1, -179, 1]).matched() == 3
    assert catalog.search(collections=["pacific"], bbox=[-179, -1, 178, 1]).matched() == 3  # edges touch
    assert catalog.search(collections=["pacific"], bbox=[-179, -1, 177, 1]).matched() == 0
    west = catalog.search(collections=["optical"], bbox=[-5, 40, 5, 42]).matched()
    assert catalog.search(collections=["optical"], bbox=[355, 40, 5, 42]).matched() == west > 0


def test_filters_as_text_and_json(catalog: Client) -> None:
    clear = {one.id for one in catalog.search(collections=["optical"]).items() if one.properties["eo:cloud_cover"] < 5}
    text = catalog.search(collections=["optical"], filter="eo:cloud_cover < 5", filter_lang="cql2-text", method="GET")
    assert {one.id for one in text.items()} == clear
    document = {"op": "<", "args": [{"property": "properties.eo:cloud_cover"}, 5]}
    json = catalog.search(collections=["optical"], filter=document)
    assert {one.id for one in json.items()} == clear
    both = catalog.search(collections=["optical"], filter=document, query={"platform": {"eq": "sat-a"}})
    assert {one.id for one in both.items()} == {one.id for one in json.items() if one.properties["platform"] == "sat-a"}


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"eo:cloud_cover": {"gte": 10, "lt": 20}}, lambda one: 10 <= one["eo:cloud_cover"] < 20),
        ({"platform": {"neq": "sat-a"}}, lambda one: one["platform"] != "sat-a"),
        ({"platform": {"in": ["sat-a", "sat-b"]}}, lambda one: one["platform"] in {"sat-a", "sat-b"}),
        ({"platform": {"startsWith": "sat"}}, lambda _: True),
        ({"platform": {"endsWith": "-c"}}, lambda one: one["platform"].endswith("-c")),
        ({"platform": {"contains": "t-b"}}, lambda one: "t-b" in one["platform"]),
        ({"platform": {"contains": "%"}}, lambda one: "%" in one["platform"]),
        ({"platform": {"startsWith": "sat_"}}, lambda one: one["platform"].startswith("sat_")),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_queries(catalog: Client, method: str, query: dict, holds) -> None:
    everything = catalog.search(collections=["optical"], limit=1000).items()
    found = catalog.search(method=method, collections=["optical"], query=query, limit=1000).items()
    assert {one.id for one in found} == {one.id for one in everything if holds(one.properties)}


def test_sorting(catalog: Client) -> None:
    for method in ("GET", "POST"):
        search = catalog.search(method=method, sortby="-properties.eo:cloud_cover,+id", limit=7, max_items=30)
        keys = [(-one.properties["eo:cloud_cover"], one.id) for one in search.items()]
        assert keys == sorted(keys)
        assert len(keys) == 30


def test_fields(catalog: Client) -> None:
    for method in ("GET", "POST"):
        search = catalog.search(
            method=method, fields=["+properties.gsd", "-links"], max_items=2, collections=["optical"]
        )
        for one in search.items_as_dicts():
            assert set(one) == {"id", "collection", "properties"}
            assert set(one["properties"]) == {"gsd"}
        (thin,) = catalog.search(method=method, fields=["-assets", "-properties.title"], max_items=1).items_as_dicts()
        assert "assets" not in thin
        assert "title" not in thin["properties"]
        assert "datetime" in thin["properties"]


def test_free_text(catalog: Client) -> None:
    parameters = {"q": "leaves", "limit": "100", "collections": "optical"}
    page = catalog._stac_io.request(f"{catalog.get_self_href()}/search", parameters=parameters)
    assert page.count("Autumn leaves") == -(-ITEMS // 7)


def test_queryables(catalog: Client) -> None:
    found = catalog.get_queryables()
    assert {"id", "collection", "datetime", "geometry", "eo:cloud_cover", "platform"} <= set(found["properties"])
    merged = catalog.get_merged_queryables(["optical", "pacific"])
    assert "platform" in merged["properties"]
    assert "gsd" in catalog.get_collection("optical").get_queryables()["properties"]


def test_collection_search(catalog: Client) -> None:
    def ids(**given: object) -> set[str]:
        return {one.id for one in catalog.collection_search(**given).collections()}

    assert ids() == {"climate", "optical", "pacific"}
    assert ids(bbox=[0, 40, 5, 45]) == {"climate", "optical"}
    assert ids(bbox=[179, -1, -179, 1]) == {"climate", "pacific"}
    assert ids(q="pacific") == {"pacific"}
    assert ids(datetime="2022-01-01T00:00:00Z/2022-06-01T00:00:00Z") == set()
    assert ids(filter="id = 'optical'", filter_lang="cql2-text") == {"optical"}
    assert [one.id for one in catalog.collection_search(sortby="-id").collections()] == [
        "pacific",
        "optical",
        "climate",
    ]
    assert set(next(iter(catalog.collection_search(fields=["id"]).collections_as_dicts()))) == {"id"}
    assert len(list(catalog.collection_search(limit=1).collections())) == 3
    assert catalog.collection_search().matched() == 3


def test_items_of_a_collection_and_one_item(catalog: Client) -> None:
    optical = catalog.get_collection("optical")
    assert len(list(optical.get_items())) == ITEMS
    one = optical.get_item("optical-0007")
    assert one.collection_id == "optical"
    one.validate()
    assert one.get_parent().id == "optical"
    assert optical.get_item("nothing") is None


def test_every_item_is_reached_by_browsing(server: str) -> None:
    root = pystac.Catalog.from_file(f"{server}/stac")
    links = 0
    catalogs = [root]
    while catalogs:
        here = catalogs.pop()
        links += sum(link.rel == "item" for link in here.links)
        catalogs += [pystac.STACObject.from_file(link.absolute_href) for link in here.get_links("child")]
    assert links == ITEMS + 4
