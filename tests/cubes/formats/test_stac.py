"""STAC from files: real documents read by pystac too, and hostile ones."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq
import pystac
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as some

from terrella.cubes.formats.stac import Stac
from terrella.errors import Unreadable

READ = Stac()
ITEM = {
    "type": "Feature",
    "stac_version": "1.0.0",
    "id": "one",
    "geometry": {"type": "Point", "coordinates": [10.0, 50.0]},
    "bbox": [10.0, 50.0, 10.0, 50.0],
    "properties": {"datetime": "2020-01-01T00:00:00Z"},
    "links": [],
    "assets": {"data": {"href": "./one.tif"}},
}
COLLECTION = {
    "type": "Collection",
    "stac_version": "1.0.0",
    "id": "things",
    "description": "Things.",
    "license": "CC0-1.0",
    "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
    "links": [],
}


def scanned(path: Path):
    return list(READ.scan(str(path)))


def written(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def claimed(path: Path) -> bool:
    return READ.claims(str(path), path.read_bytes()[:1024])


def counts(path: Path) -> tuple[int, int]:
    scans = scanned(path)
    return sum(len(scan.items) for scan in scans), sum(len(scan.collections) for scan in scans)


@pytest.mark.parametrize(
    ("name", "items", "collections"),
    [
        ("stac/planetary-computer/data/naip/items.ndjson", 1000, 0),
        ("stac/planetary-computer/collections.ndjson", 0, 3),
        ("stac/100-sentinel-2-items.parquet", 100, 0),
        ("stac/items.ndjson", 100, 0),
        ("stac/item-collection.json", 10, 0),
        ("stac/two-sentinel-2-items.json", 2, 0),
        ("stac/sentinel-2-l2a-pc.json", 4, 0),
        ("stac/landsat-c2-l2-pc.json", 4, 0),
        ("stac/noaa-cdr/catalog.json", 113, 4),
        ("stac/spec-examples/catalog.json", 2, 3),
        ("stac/spec-examples/collection.json", 3, 1),
        ("stac/naip.json", 0, 1),
        ("stac/fia.json", 0, 1),
        ("stac/cdse-sentinel-2-l2a.json", 0, 1),
        ("stac/s2_l2a_zarr_sample.json", 1, 0),
        ("imagery/example_stac_catalog/collection.json", 3, 1),
        ("imagery/noaa-cdr-sea-surface-temperature-whoi/collection.json", 2, 1),
        ("imagery/OR_ABI-L2-M1-M6_G16_s20211451810267.json", 1, 0),
    ],
)
def test_real_documents(test_data, name, items, collections):
    path = test_data / name
    assert claimed(path)
    assert counts(path) == (items, collections)
    for scan in scanned(path):
        for item in scan.items[:50]:
            made = pystac.Item.from_dict(copy.deepcopy(item), migrate=False)
            assert made.to_dict(include_self_link=False)["stac_version"] == "1.1.0"
            assert all(asset.href.startswith(("/", "http", "s3:")) for asset in made.assets.values())
        for collection in scan.collections:
            assert pystac.Collection.from_dict(copy.deepcopy(collection)).extent.spatial.bboxes


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("stac/queryables.json", "no STAC"),
        ("stac/eopf/s2_examples/S2A_MSIL2A_20251008T100041_N0511_R122_T32TQM_20251008T122613.json", "Zarr"),
        (
            "stac/eopf/s1_examples/S1A_IW_GRDH_1SDV_20241124T180254_20241124T180319_056700_06F516_BA27.json",
            "Zarr",
        ),
        ("imagery/TestEOPatch/timestamps.json", "a list of something else"),
    ],
)
def test_other_json_is_refused_by_name(test_data, name, reason):
    assert claimed(test_data / name)
    with pytest.raises(Unreadable, match=reason):
        scanned(test_data / name)


@pytest.mark.parametrize(
    "name",
    [
        "stac/earthcode-open-science-catalog.tar.gz",
        "insitu-events/earthquakes.json",
        "destine-healpix/test_geotiff.json",
        "destine-healpix/NUTS_RG_60M_2021_4326_LEVL_0.geojson",
        "insitu-events/airports.csv",
    ],
)
def test_what_others_read_is_not_claimed(test_data, name):
    assert not claimed(test_data / name)


def test_every_document_of_the_folder_is_claimed_and_read(test_data):
    for path in sorted((test_data / "stac/noaa-cdr").rglob("*.json"))[::7]:
        assert claimed(path)
        assert scanned(path)


def test_geoparquet_agrees_with_its_columns(test_data):
    path = test_data / "stac/100-sentinel-2-items.parquet"
    [scan] = scanned(path)
    table = pq.read_table(path)
    for row in (0, 42, 99):
        item = scan.items[row]
        geometry = shapely.from_wkb(table["geometry"][row].as_py())
        assert shapely.equals_exact(shapely.from_geojson(json.dumps(item["geometry"])), geometry)
        assert item["id"] == table["id"][row].as_py()
        assert item["properties"]["eo:cloud_cover"] == table["eo:cloud_cover"][row].as_py()
        expected = table["datetime"][row].as_py()
        assert pystac.Item.from_dict(item).datetime == expected
        assert len(item["bbox"]) == 4
        assert None not in item["properties"].values()
    assert json.dumps(scan.items)


def test_items_get_the_collection_that_links_to_them(test_data):
    folder = test_data / "imagery/example_stac_catalog"
    scans = {Path(scan.href).name: scan for scan in scanned(folder / "collection.json")}
    assert set(scans) == {"collection.json", *(f"openEO_2023-06-0{day}Z.tif.json" for day in (1, 4, 6))}
    item = scans["openEO_2023-06-01Z.tif.json"].items[0]
    assert item["collection"] == "unknown-job"
    [alone] = scanned(folder / "openEO_2023-06-01Z.tif.json")
    assert alone.items[0] == item
    assert alone.checksum == scans["openEO_2023-06-01Z.tif.json"].checksum
    assert item["assets"]["openEO_2023-06-01Z.tif"]["href"] == str(folder / "openEO_2023-06-01Z.tif")


def test_structure_links_go_and_others_become_absolute(tmp_path):
    links = [
        {"rel": "self", "href": "https://elsewhere.example/one.json"},
        {"rel": "root", "href": "../catalog.json"},
        {"rel": "license", "href": "../licence%20text.html"},
        {"rel": "derived_from", "href": "https://example.org/x"},
        {"rel": "broken"},
    ]
    [scan] = scanned(written(tmp_path / "items" / "one.json", ITEM | {"links": links}))
    found = {link["rel"]: link["href"] for link in scan.items[0]["links"]}
    assert found == {"license": str(tmp_path / "licence text.html"), "derived_from": "https://example.org/x"}


def test_missing_children_are_noted(test_data):
    *_, root = scanned(test_data / "imagery/noaa-cdr-sea-surface-temperature-whoi/collection.json")
    assert len(root.notes) == 6
    assert root.notes[0].endswith("no such file")


def test_a_catalogue_never_leads_out_of_its_folder(tmp_path):
    written(tmp_path / "secret.json", ITEM)
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "inside.json").symlink_to(tmp_path / "secret.json")
    targets = [
        "../secret.json",
        str(tmp_path / "secret.json"),
        "inside.json",
        "http://127.0.0.1:9/x",
        "file:///etc/passwd",
    ]
    links = [{"rel": "item", "href": href} for href in targets]
    catalog = {"type": "Catalog", "stac_version": "1.1.0", "id": "c", "description": "", "links": links}
    [scan] = scanned(written(tmp_path / "root" / "catalog.json", catalog))
    assert not scan.items
    assert len(scan.notes) == len({"../secret.json and absolute", "inside", "http", "file"})
    assert all("leads out" in note for note in scan.notes)


def test_cycles_end(tmp_path):
    base = {"type": "Catalog", "stac_version": "1.1.0", "description": ""}
    written(tmp_path / "a.json", base | {"id": "a", "links": [{"rel": "child", "href": "b/b.json"}]})
    written(
        tmp_path / "b/b.json",
        base | {"id": "b", "links": [{"rel": "child", "href": "../a.json"}, {"rel": "item", "href": "./i.json"}]},
    )
    written(tmp_path / "b/i.json", ITEM)
    assert counts(tmp_path / "a.json") == (1, 0)


def test_old_collections_without_type(tmp_path):
    old = {key: value for key, value in COLLECTION.items() if key != "type"} | {"stac_version": "0.9.0"}
    [scan] = scanned(written(tmp_path / "c.json", old))
    assert scan.collections[0]["type"] == "Collection"
    assert scan.collections[0]["stac_version"] == "1.1.0"


def without(key: str) -> dict:
    return {name: value for name, value in ITEM.items() if name != key}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (without("id"), "no usable 'id'"),
        (ITEM | {"id": 7}, "no usable 'id'"),
        (ITEM | {"id": "a\nb"}, "no usable 'id'"),
        (without("properties"), "'properties'"),
        (ITEM | {"properties": {}}, "'datetime' is missing"),
        (ITEM | {"properties": {"datetime": "yesterday"}}, "yesterday"),
        (ITEM | {"properties": {"datetime": 5}}, "'datetime'"),
        (ITEM | {"properties": {"datetime": None, "start_datetime": "2020-01-01T00:00:00Z"}}, "'datetime' is missing"),
        (ITEM | {"geometry": {"type": "Circle"}}, "no GeoJSON geometry"),
        (ITEM | {"geometry": {"type": "Point", "coordinates": [1]}}, "no pair of numbers"),
        (ITEM | {"geometry": {"type": "Point", "coordinates": ["a", "b"]}}, "no pair of numbers"),
        (ITEM | {"geometry": {"type": "Point", "coordinates": [5, 100]}}, "not on the Earth"),
        (ITEM | {"geometry": {"type": "Polygon", "coordinates": [1, 2]}}, "broken coordinates"),
        (ITEM | {"geometry": []}, "no GeoJSON geometry"),
        (ITEM | {"bbox": [1, 2, 3]}, "'bbox'"),
        (ITEM | {"bbox": [0, 9, 1, 8]}, "south above"),
        (ITEM | {"stac_version": "0.6.0"}, "is not read"),
        (ITEM | {"assets": []}, "'assets'"),
        (ITEM | {"assets": {"a": {}}}, "asset 'a'"),
        (ITEM | {"links": {}}, "'links'"),
        (ITEM | {"collection": 5}, "'collection'"),
        (COLLECTION | {"extent": {}}, "'extent'"),
        (COLLECTION | {"extent": {"spatial": {"bbox": [None]}, "temporal": {"interval": [[None, None]]}}}, "'bbox'"),
        ({"type": "FeatureCollection", "features": [ITEM, ITEM | {"id": ""}]}, "Document 2"),
        ({"type": "FeatureCollection", "features": []}, "something else"),
        ({"type": "Coverage", "stac_version": "1.0.0"}, "CoverageJSON"),
        ([], "something else"),
        ({}, "empty object"),
        ("5", "no object"),
        ("{", "broken"),
        ('{"a": NaN, ', "broken"),
        ("[" * 1_000_000, "broken"),
        ('{"NaN":' + "[" * 1_000_000, "deeply"),
        ("\x00\x01\x02", "broken"),
    ],
)
def test_broken_documents(tmp_path, document, reason):
    with pytest.raises(Unreadable, match=reason) as caught:
        scanned(written(tmp_path / "x.json", document))
    assert "\n" not in caught.value.message
    assert str(tmp_path) not in caught.value.message
    assert len(caught.value.message) < 400


def test_a_broken_line_is_named(tmp_path):
    good = json.dumps(ITEM)
    with pytest.raises(Unreadable, match="Line 3"):
        scanned(written(tmp_path / "x.ndjson", f"{good}\n\n{good[:50]}\n{good}\n"))
    assert counts(written(tmp_path / "y.ndjson", f"{good}\n\n{good}\n")) == (2, 0)


def test_nan_as_many_write_it(tmp_path):
    assert counts(written(tmp_path / "x.json", json.dumps(ITEM | {"x": float("nan")}))) == (1, 0)


def test_broken_parquet(test_data, tmp_path):
    whole = (test_data / "stac/100-sentinel-2-items.parquet").read_bytes()
    path = tmp_path / "x.parquet"
    for data in (whole[:5000], b"PAR1" + b"\xff" * 100 + b"PAR1", whole[:20_000] + bytes(300_000) + whole[320_000:]):
        path.write_bytes(data)
        with pytest.raises(Unreadable):
            scanned(path)


def test_a_remote_document_cannot_name_local_files():
    from terrella.cubes.documents.stac_documents import checked_item, with_absolute_addresses

    assets = {"a": {"href": "file:///etc/passwd"}, "b": {"href": "/x.tif"}, "c": {"href": "../c.tif"}}
    made = with_absolute_addresses(checked_item(ITEM | {"assets": assets}), "https://example.org/p/q/item.json")
    assert {key: asset["href"] for key, asset in made["assets"].items()} == {
        "b": "https://example.org/x.tif",
        "c": "https://example.org/p/c.tif",
    }


def json_values():
    leaves = some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=5)
    return some.recursive(
        leaves,
        lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )


@settings(derandomize=True, deadline=None, max_examples=150)
@given(key=some.sampled_from(sorted(ITEM)), value=json_values(), as_collection=some.booleans())
def test_any_field_may_be_anything(tmp_path_factory, key, value, as_collection):
    base = COLLECTION if as_collection else ITEM
    path = written(tmp_path_factory.getbasetemp() / "fuzzed.json", base | {key: value})
    with suppress(Unreadable):
        scanned(path)
