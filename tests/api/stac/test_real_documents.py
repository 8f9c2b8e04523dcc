"""Real catalogues through the API: Planetary Computer's NAIP, examples of the specification, and real clients on top."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import rasterio
import shapely
from odc.stac import load
from pystac_client import Client
from rasterio.transform import from_origin
from shapely.geometry import shape

from api.conftest import NotingSite, collection, make_site, serving
from terrella.contracts.providers import Registration
from terrella.model.caller import OPERATOR


def own(document: dict[str, Any]) -> dict[str, Any]:
    """As files are added: without links to the catalogue that a document came from."""
    ours = {"self", "root", "parent", "collection", "item", "items"}
    return {**document, "links": [one for one in document.get("links", []) if one["rel"] not in ours]}


@pytest.fixture(scope="module")
def naip(test_data: Path) -> list[dict[str, Any]]:
    items = test_data / "stac" / "planetary-computer" / "data" / "naip" / "items.ndjson"
    return [own(json.loads(line)) for line in items.read_text().splitlines()]


@pytest.fixture(scope="module")
def filled(naip: list[dict[str, Any]], test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    site = make_site(tmp_path_factory.mktemp("site"), filled=False)
    described = test_data / "stac" / "planetary-computer" / "data" / "naip" / "collection.json"
    site.catalog.put_collection(OPERATOR, own(json.loads(described.read_text())))
    site.catalog.put_items(OPERATOR, naip)
    with serving(site) as address:
        yield address


@pytest.fixture(scope="module")
def catalog(filled: str) -> Client:
    return Client.open(f"{filled}/stac")


def test_all_items_come_back_as_they_are(catalog: Client, naip: list[dict[str, Any]]) -> None:
    found = {one["id"]: one for one in catalog.search(limit=500).items_as_dicts()}
    assert len(found) == len(naip) == 1000
    for one in naip:
        there = found[one["id"]]
        assert {**there, "links": []} == {**one, "links": []}
        assert [link for link in there["links"] if link in one["links"]] == one["links"]


def test_search_agrees_with_shapely(catalog: Client, naip: list[dict[str, Any]]) -> None:
    generator = np.random.default_rng(7)
    bounds = shapely.total_bounds([shape(one["geometry"]) for one in naip])
    for _ in range(10):
        x, y = generator.uniform(bounds[:2], bounds[2:])
        box = shapely.box(x, y, x + 1.5, y + 1)
        wanted = {one["id"] for one in naip if shape(one["geometry"]).intersects(box)}
        for place in ({"bbox": box.bounds}, {"intersects": box.__geo_interface__}):
            assert {one["id"] for one in catalog.search(limit=1000, **place).items_as_dicts()} == wanted
        wkt = f"s_intersects(geometry, {box.wkt})"
        found = catalog.search(limit=1000, filter=wkt, filter_lang="cql2-text", method="GET")
        assert {one["id"] for one in found.items_as_dicts()} == wanted


def test_documents_are_valid_stac(catalog: Client) -> None:
    catalog.validate()
    for one in catalog.search(max_items=5).items():
        one.stac_extensions = []  # their schemas are on the internet
        one.validate()


def test_gdal_reads_items_as_features(filled: str, naip: list[dict[str, Any]]) -> None:
    """In another process: GDAL keeps Python's lock while it waits for the server, which is in this one."""
    name = naip[0]["collection"]
    script = f"""
import pyogrio
frame = pyogrio.read_dataframe("OAPIF:{filled}/stac/collections/{name}", layer="{name}", max_features=20)
print(frame[["id", "geometry"]].to_json())
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    features = json.loads(run.stdout)["features"]
    assert len(features) == 20
    known = {one["id"]: one for one in naip}
    for one in features:
        assert shape(one["geometry"]).equals(shape(known[one["properties"]["id"]]["geometry"]))


def test_examples_of_the_specification_come_back(test_data: Path, tmp_path: Path) -> None:
    examples = [json.loads(path.read_text()) for path in sorted((test_data / "stac" / "spec-examples").rglob("*.json"))]
    items = [
        own(one) for one in examples if one.get("type") == "Feature" and one.get("geometry") and "stac_version" in one
    ]
    site = make_site(tmp_path, filled=False)
    site.catalog.put_collection(OPERATOR, collection("examples", [-180, -90, 180, 90]))
    kept = {one["id"]: {**one, "collection": "examples"} for one in items}
    site.catalog.put_items(OPERATOR, list(kept.values()))
    with serving(site) as address:
        found = {one["id"]: one for one in Client.open(f"{address}/stac").search(limit=100).items_as_dicts()}
    assert set(found) == set(kept)
    for name, one in kept.items():
        assert {**found[name], "links": []} == {**one, "links": []}
        pystac.Item.from_dict(found[name])


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::DeprecationWarning")  # odc-geo's own
def test_odc_stac_loads_what_it_found(tmp_path: Path) -> None:
    site: NotingSite = make_site(tmp_path / "site", filled=False)
    truth = np.arange(60 * 50, dtype="u2").reshape(60, 50)
    items = tuple(scene(tmp_path, number, truth + number * 10_000) for number in range(2))
    files = {one["assets"]["b1"]["href"]: (one["id"], 1) for one in items}
    about = collection("scenes", [10.0, 50.0, 11.0, 51.0])
    site.lake.register(OPERATOR, Registration(about, items, "", None, files))
    with serving(site) as address:
        found = list(Client.open(f"{address}/stac").search(collections=["scenes"], bbox=[8.9, 48, 9.1, 49]).items())
        assert len(found) == 2
        assert all(one.assets["b1"].href.startswith(address) for one in found)
        cube = load(found, bands=["b1"])
    assert cube.b1.shape == (2, 60, 50)
    for number in range(2):
        np.testing.assert_array_equal(cube.b1.isel(time=number), truth + number * 10_000)


def scene(folder: Path, number: int, values: np.ndarray) -> dict[str, Any]:
    path = folder / f"scene{number}.tif"
    place = from_origin(500_000, 5_400_000, 100, 100)
    profile = {"driver": "GTiff", "dtype": "uint16", "count": 1, "height": 60, "width": 50, "crs": "EPSG:32632"}
    with rasterio.open(path, "w", **profile, transform=place) as written:
        written.write(values, 1)
    ring = [[9.0, 48.7], [9.07, 48.7], [9.07, 48.75], [9.0, 48.75], [9.0, 48.7]]
    projected = {"proj:code": "EPSG:32632", "proj:shape": [60, 50], "proj:transform": list(place)[:6]}
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": ["https://stac-extensions.github.io/projection/v2.0.0/schema.json"],
        "id": f"scene{number}",
        "collection": "scenes",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [9.0, 48.7, 9.07, 48.75],
        "properties": {"datetime": f"2024-06-0{number + 1}T10:00:00Z", **projected},
        "assets": {"b1": {"href": str(path), "type": "image/tiff; application=geotiff", "roles": ["data"]}},
        "links": [],
    }
