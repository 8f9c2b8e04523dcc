"""Collections of images as Zarr: on their own grid where they share one, else on the one that the address states."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
import rasterio
import shapely
import xarray as xr
from rasterio.transform import Affine
from rasterio.warp import Resampling, reproject, transform_bounds
from shapely.geometry import mapping

from scene_files import numbers, write_scene
from terrella.model.caller import OPERATOR
from terrella.site.site import Site

DAYS = ("2023:06:01", "2023:06:06")
NDVI = "ndvi=(nir-red)/(nir+red)"


def document_of(path: Path) -> dict[str, Any]:
    """A STAC item as another archive writes it: it names the file, whose bands have common names."""
    with rasterio.open(path) as file:
        box = transform_bounds(file.crs, "OGC:CRS84", *file.bounds)
        taken = str(file.tags()["TIFFTAG_DATETIME"]).replace(":", "-", 2).replace(" ", "T") + "Z"
    bands = [{"name": "B4", "common_name": "red"}, {"name": "B5", "common_name": "nir"}]
    asset = {"href": str(path), "type": "image/tiff; application=geotiff", "eo:bands": bands, "roles": ["data"]}
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": path.stem, "collection": "documents", "links": [],
        "bbox": list(box), "geometry": mapping(shapely.box(*box)), "properties": {"datetime": taken},
        "assets": {"image": asset},
    }  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("zarr-scenes")
    for number, day in enumerate(DAYS):
        for tile, corner in (("a", (700000.0, 5200000.0)), ("b", (701000.0, 5199500.0))):
            values = {name: numbers(10 * number + place + len(tile), (90, 120), holes=0.1) for place, name in
                      enumerate(("red", "nir"))}  # fmt: skip
            (made / "one").mkdir(exist_ok=True)
            write_scene(made / "one" / f"{tile}{number}.tif", values, corner=corner, taken=f"{day} 10:30:00")
    (made / "documents").mkdir()
    for path in sorted((made / "one").glob("*.tif")):
        (made / "documents" / f"{path.stem}.json").write_text(json.dumps(document_of(path)))
    (made / "two").mkdir()
    write_scene(made / "two" / "west.tif", {"red": numbers(1, (60, 60))}, corner=(700000.0, 5200000.0))
    write_scene(
        made / "two" / "east.tif", {"red": numbers(2, (60, 60))}, crs="EPSG:32633", corner=(246000.0, 5200000.0)
    )
    return made


@pytest.fixture(scope="module")
def scenes(folder: Path, tmp_path_factory: pytest.TempPathFactory, opening: Callable[..., Any]) -> Iterator[Site]:
    """Its collections: one (zone, so that they have a cube), two (zones), documents (of another archive)."""
    with opening(tmp_path_factory.mktemp("zarr-scenes-home") / "home") as site:
        for name in ("one", "two", "documents"):
            report = site.add(folder / name, collection=name)
            assert not report.failures, report
        yield site


@pytest.fixture(scope="module")
def running(scenes: Site, serving: Callable[[Site], Any]) -> Iterator[Any]:
    with serving(scenes) as made:
        yield made


def by_hand(folder: Path, band: int, day: int, crs: str, transform: Affine, shape: tuple[int, int]) -> np.ndarray:
    """GDAL's nearest of both tiles of a day, the later item over the earlier."""
    made = np.full(shape, np.nan, "f4")
    for tile in "ab":
        out = np.zeros(shape, "u2")
        with rasterio.open(folder / "one" / f"{tile}{day}.tif") as file:
            reproject(
                file.read(band), out, src_transform=file.transform, src_crs=file.crs, src_nodata=0,
                dst_transform=transform, dst_crs=crs, dst_nodata=0, resampling=Resampling.nearest, tolerance=0,
            )  # fmt: skip
        made[out != 0] = out[out != 0]
    return made


def transform_of(dataset: xr.Dataset) -> Affine:
    return Affine.from_gdal(*map(float, dataset["spatial_ref"].attrs["GeoTransform"].split()))


@pytest.mark.parametrize("collection", ["one", "documents"])
def test_on_their_own_pixels(running: Any, scenes: Site, folder: Path, collection: str) -> None:
    seen = running.open(collection)
    names = ("red", "nir")
    assert set(seen.data_vars) == set(names)
    assert seen["time"].values.astype("M8[m]").astype(str).tolist() == ["2023-06-01T10:30", "2023-06-06T10:30"]
    transform, shape = transform_of(seen), (seen.sizes["y"], seen.sizes["x"])
    assert (transform.a, transform.e, transform.c, transform.f) == (10, -10, 700000, 5200000)
    for number, name in enumerate(names, 1):
        for day in range(2):
            expected = by_hand(folder, number, day, "EPSG:32632", transform, shape)
            np.testing.assert_array_equal(seen[name].values[day], expected)
    np.testing.assert_array_equal(seen[names[0]].values, scenes.open_cube(collection)[names[0]].values)


@pytest.mark.parametrize("client", ["obstore", "fsspec"])
@pytest.mark.parametrize("collection", ["one", "documents"])
def test_on_a_stated_grid(running: Any, folder: Path, collection: str, client: str) -> None:
    words = f"~crs=EPSG:3035;resolution=20;variables=red,{NDVI}~"
    if client == "obstore":
        seen = running.open(f"{collection}/{words}")
    else:
        seen = xr.open_zarr(f"{running.address}/zarr/{collection}/{words}", chunks=None)
    transform, shape = transform_of(seen), (seen.sizes["y"], seen.sizes["x"])
    assert (transform.a, transform.e) == (20, -20)
    assert transform.c % 20 == transform.f % 20 == 0
    for day in range(2):
        red, nir = (by_hand(folder, number, day, "EPSG:3035", transform, shape) for number in (1, 2))
        np.testing.assert_array_equal(seen["red"].values[day], red)
        if day == 0:  # tiles overlap: a ratio is made before they are laid over one another
            alone = np.isfinite(red) & np.isfinite(nir)
            ratio = ((nir - red).astype("f8") / (nir + red).astype("f8")).astype("f4")
            found = seen["ndvi"].values[day]
            assert (found == ratio)[alone].mean() > 0.9


def test_part_of_them(running: Any) -> None:
    seen = running.open("one/~bbox=11.624,46.914,11.633,46.92;datetime=2023-06-05/2023-06-07~")
    assert seen.sizes["time"] == 1
    assert seen.sizes["x"] < 60
    whole = running.open("one")
    part = whole.reindex(x=seen.x, y=seen.y).isel(time=[1])  # a rim of cells may lie outside
    np.testing.assert_array_equal(seen["red"].values, part["red"].values)


def test_several_systems_need_a_grid(running: Any, scenes: Site) -> None:
    address = f"{running.address}/zarr/two"
    refused = httpx.get(f"{address}/zarr.json")
    assert refused.status_code == 501
    assert "EPSG:32632" in refused.text
    assert "/zarr/two/~crs=" in refused.text
    assert running.open("two/~crs=utm~").sizes["time"] == 1
    document = orjson.loads(scenes.catalog.collection(OPERATOR, "two"))
    kept = document | {"terrella:stated_grid": {"crs": "EPSG:3857", "resolution": 25}}
    scenes.catalog.put_collection(OPERATOR, kept)
    seen = running.open("two")
    assert "3857" in seen["spatial_ref"].attrs["crs_wkt"]
    assert transform_of(seen).a == 25
    scenes.catalog.put_collection(OPERATOR, document | {"terrella:stated_grid": {"crs": "EPSG:3857", "size": 1}})
    assert httpx.get(f"{address}/zarr.json").status_code == 501
    scenes.catalog.put_collection(OPERATOR, document)


@pytest.mark.parametrize(
    "words",
    ["crs=EPSG:99999", "resolution=-1", "resolution=x", "nothing=1", "crs", "crs=", "crs=utm;crs=utm", "bbox=1,2,3",
     "datetime=x", "variables=blue", "variables=a=(red", "variables=red,,nir", "group=week", "resampling=none",
     "anchor=1", "bbox=0,0,1,1", "resolution=1e-300"],
)  # fmt: skip
def test_wrong_words(running: Any, words: str) -> None:
    refused = httpx.get(f"{running.address}/zarr/one/~{words}~/zarr.json")
    assert refused.status_code == 400, refused.text
    assert refused.json()["detail"]


def test_words_of_a_cube_of_its_own(server: Any) -> None:
    for words in ("bbox=0,0,1,1", "crs=utm"):
        refused = httpx.get(f"{server.address}/zarr/packed/~{words}~/zarr.json")
        assert refused.status_code == 501
        assert "a cube of its own" in refused.text


def test_tags_and_versions(running: Any, folder: Path) -> None:
    address = f"{running.address}/zarr/one/~crs=EPSG:3035;resolution=40~"
    first = httpx.get(f"{address}/red/c/0/0/0")
    assert int(first.headers["terrella-bytes-read"]) > 0
    again = httpx.get(f"{address}/red/c/0/0/0", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    version = httpx.get(f"{address}/zarr.json").json()["attributes"]["terrella_version"]
    pinned = httpx.get(f"{address}/@{version}/red/c/0/0/0")
    assert pinned.content == first.content
    assert "immutable" in pinned.headers["cache-control"]
    path = folder / "one" / "a0.tif"
    before = path.read_bytes()
    write_scene(path, {"red": numbers(77, (90, 120)), "nir": numbers(78, (90, 120))}, taken="2023:06:01 10:30:00")
    assert httpx.get(f"{address}/@{version}/red/c/0/0/0").status_code == 409
    changed = httpx.get(f"{address}/red/c/0/0/0", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.content != first.content
    path.write_bytes(before)
