"""Images over EDR: the same numbers as in Python and as rasterio and numpy make them by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from rasterio.transform import from_bounds
from shapely.geometry import mapping

from scene_files import lonlat, numbers, write_scene
from terrella.site.site import Site

NDVI = "ndvi=(nir-red)/(nir+red)"
DAYS = ("2023:06:01", "2023:06:06", "2023:06:11")
SIZE = (200, 150)
FIELD = shapely.Point(lonlat("EPSG:32632", 700_700, 5_199_000)).buffer(0.002)
BOX = "11.634,46.911,11.639,46.915"
QUERIES = {
    "position": "coords=POINT(11.636 46.913)",
    "radius": "coords=POINT(11.636 46.913)&within=200&within-units=m",
    "area": f"coords={FIELD.wkt}",
    "cube": f"bbox={BOX}",
    "trajectory": "coords=LINESTRING(11.634 46.912,11.639 46.915)",
    "corridor": "coords=LINESTRING(11.634 46.912,11.639 46.915)&corridor-width=100&width-units=m",
}


def item_of(path: Path, band: str) -> dict[str, Any]:
    """As another archive writes it: an asset for each band, by name, no STAC extension to help."""
    with rasterio.open(path) as file:
        taken = str(file.tags()["TIFFTAG_DATETIME"]).replace(":", "-", 2).replace(" ", "T") + "Z"
        corners = [lonlat(file.crs.to_string(), x, y) for x in file.bounds[::2] for y in file.bounds[1::2]]
    west, south = (min(corner[d] for corner in corners) for d in (0, 1))
    east, north = (max(corner[d] for corner in corners) for d in (0, 1))
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": path.stem.split("_")[0], "collection": "fields", "links": [],
        "bbox": [west, south, east, north], "geometry": mapping(shapely.box(west, south, east, north)),
        "properties": {"datetime": taken, "platform": "landsat-8"},
        "assets": {band: {"href": str(path), "type": "image/tiff; application=geotiff", "roles": ["data"]}},
    }  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days; the last one is a row further north and in the next zone."""
    made = tmp_path_factory.mktemp("scenes")
    for number, day in enumerate(DAYS):
        item: dict[str, Any] = {}
        place: dict[str, Any] = {"corner": (700000.0, 5200000.0)}
        if number == 2:
            to = pyproj.Transformer.from_crs("EPSG:32632", "EPSG:32633", always_xy=True)
            x, y = to.transform(700000.0, 5200000.0)
            place = {"corner": (round(x, -1), round(y, -1) + 100), "crs": "EPSG:32633"}
        for seed, band in enumerate(("red", "nir")):
            values = {band: numbers(10 * number + seed, SIZE, holes=0.05)}
            path = write_scene(made / f"s{number}_{band}.tif", values, taken=f"{day} 10:30:00", **place)
            found = item_of(path, band)
            item = found if not item else item | {"assets": item["assets"] | found["assets"]}
        (made / f"s{number}.json").write_text(json.dumps(item))
    return made


@pytest.fixture(scope="module")
def scenes(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site.open(tmp_path_factory.mktemp("scenes-home"), reading={"scanners": 1}) as site:
        report = site.add(*sorted(folder.glob("*.json")))
        assert not report.failures, report
        site.scanners.close()
        yield site


@pytest.fixture(scope="module")
def client(scenes: Site, serving: Any) -> Iterator[httpx.Client]:
    with serving(scenes) as address, httpx.Client(base_url=f"{address}/ogc/collections", timeout=60) as made:
        yield made


def values_of(coverage: dict[str, Any], name: str) -> np.ndarray:
    found = coverage["ranges"][name]
    return np.array(found["values"], dtype=float).reshape(found["shape"])


def inside(path: Path, shape: Any) -> np.ndarray:
    """Pixels whose centre lies in a shape of longitudes and latitudes."""
    with rasterio.open(path) as file:
        columns, rows = np.meshgrid(np.arange(file.width) + 0.5, np.arange(file.height) + 0.5)
        x, y = file.transform.c + file.transform.a * columns, file.transform.f + file.transform.e * rows
        lon, lat = pyproj.Transformer.from_crs(file.crs, "OGC:CRS84", always_xy=True).transform(x, y)
    return np.asarray(shapely.contains_xy(shape, lon, lat))


def read(path: Path, band: int = 1) -> np.ndarray:
    with rasterio.open(path) as file:
        return np.ma.filled(file.read(band, masked=True).astype("f8"), np.nan)


# --- what is said ----------------------------------------------------------------------------------------------------


def test_the_collection_is_described(client: httpx.Client) -> None:
    assert [one["id"] for one in httpx.get(str(client.base_url).rstrip("/")).json()["collections"]] == ["fields"]
    about = client.get("/fields").json()
    assert set(about["parameter_names"]) == {"red", "nir"}
    assert about["extent"]["temporal"]["interval"][0][0].startswith("2023-06-01")
    assert client.get("/fields/locations").status_code == 200
    assert client.get("/fields/items").json()["numberReturned"] == 3


# --- the numbers -----------------------------------------------------------------------------------------------------


def test_ndvi_series_of_a_field(client: httpx.Client, folder: Path) -> None:
    answer = client.get(
        "/fields/area",
        params={"coords": FIELD.wkt, "parameter-name": NDVI, "reduce": "mean:space:equal", "datetime": "2023-06-01/2023-06-08"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    found = values_of(answer.json(), "ndvi").ravel()
    assert found.size == 2
    chosen = inside(folder / "s0_red.tif", FIELD)
    for day in range(2):
        red, nir = (read(folder / f"s{day}_{band}.tif") for band in ("red", "nir"))
        expected = np.nanmean(((nir - red) / (nir + red)).astype("f4")[chosen].astype("f8"))
        assert found[day] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("query", QUERIES)
def test_every_shape_like_python(client: httpx.Client, scenes: Site, query: str) -> None:
    words = {"parameter-name": f"{NDVI},red", "grid-crs": "EPSG:3035", "resolution": "20", "resampling": "bilinear"}
    asked = QUERIES[query].split("&")
    params = words | dict(one.split("=", 1) for one in asked)
    answer = client.get(f"/fields/{query}", params=params | {"f": "csv"})
    assert answer.status_code == 200, answer.text
    from io import StringIO

    import pandas as pd

    table = pd.read_csv(StringIO(answer.text), comment="#")
    grid = {"crs": "EPSG:3035", "resolution": 20, "resampling": "bilinear", "variables": [NDVI, "red"]}
    cube = scenes.open_cube("fields", polygon=shapely.box(11.62, 46.9, 11.64, 46.92), **grid)
    x, y = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:3035", always_xy=True).transform(
        table["longitude"].to_numpy(), table["latitude"].to_numpy()
    )
    times = np.array(table["time"].str.slice(0, 19), dtype="M8[ns]")
    look = {"x": ("row", x), "y": ("row", y), "time": ("row", times)}
    import xarray as xr

    expected = cube.sel({name: xr.DataArray(at, dims=dim) for name, (dim, at) in look.items()}, method="nearest")
    assert len(table) > 0
    for name in ("ndvi", "red"):
        np.testing.assert_allclose(table[name], expected[name].values, rtol=1e-4, atol=1e-5)
    assert np.isfinite(table["ndvi"]).any()


@pytest.mark.parametrize("query", QUERIES)
def test_the_price_is_what_is_read(client: httpx.Client, scenes: Site, query: str) -> None:
    asked = f"{QUERIES[query]}&parameter-name=red&grid-crs=utm&resolution=30&datetime=2023-06-06"
    price = client.get(f"/fields/{query}/estimate?{asked}")
    assert price.status_code == 200, price.text
    assert price.json()["passes"]
    posted = client.post(f"/fields/{query}/estimate", data=dict(one.split("=", 1) for one in asked.split("&")))
    assert posted.json() | {"seconds": 0} == price.json() | {"seconds": 0}, "only time is never the same"
    scenes.cubes.forget()
    answer = client.get(f"/fields/{query}?{asked}")
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["terrella-bytes-read"]) == price.json()["bytes_read"] > 0


def test_each_time_by_itself(client: httpx.Client, folder: Path) -> None:
    """Two scenes of one overpass: one time, or two."""
    place = {"coords": QUERIES["position"].removeprefix("coords="), "parameter-name": "red"}
    for group, count in (("solar_day", 3), ("time", 3)):
        answer = client.get("/fields/position", params=place | {"group": group})
        assert values_of(answer.json(), "red").size == count
    assert client.get("/fields/position", params=place | {"group": "week"}).status_code == 400


def test_asked_again(client: httpx.Client, scenes: Site, folder: Path) -> None:
    params = {"coords": FIELD.wkt, "parameter-name": NDVI, "grid-crs": "EPSG:3035", "resolution": "20"}
    first = client.get("/fields/area", params=params)
    again = client.get("/fields/area", params=params)
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["terrella-bytes-read"] == "0"
    known = client.get("/fields/area", params=params, headers={"If-None-Match": first.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    other = client.get("/fields/area", params=params | {"resolution": "25"})
    assert other.headers["etag"] != first.headers["etag"]
    with Site.open(scenes.settings.home) as fresh:  # nothing is remembered there
        from terrella.encodings.coveragejson import CoverageJson

        wanted = {"polygon": FIELD, "variables": [NDVI], "crs": "EPSG:3035", "resolution": 20}
        assert CoverageJson().encode(fresh.cut("fields", **wanted)) == first.content
    path = folder / "s0_red.tif"
    before = path.read_bytes()
    write_scene(path, {"red": numbers(99, SIZE)}, taken=f"{DAYS[0]} 10:30:00")
    changed = client.get("/fields/area", params=params, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.content != first.content
    path.write_bytes(before)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("resolution=-1", 400),
        ("resolution=1,2,3", 400),
        ("anchor=1", 400),
        ("grid-crs=EPSG:99999", 400),
        ("grid-crs=", 400),
        ("resampling=lanczos", 400),
        ("parameter-name=blue", 400),
        ("parameter-name=a=(red", 400),
        ("parameter-name=red,,nir", 400),
        ("parameter-name=__import__('os')", 400),
        ("datetime=2001-01-01", 400),
        ("resolution=0.001", 413),
        ("gridcrs=utm", 400),
    ],
)
def test_wrong_words(client: httpx.Client, words: str, status: int) -> None:
    refused = client.get(f"/fields/cube?bbox={BOX}&{words}")
    assert refused.status_code == status, refused.text
    assert refused.json()["detail"]


def test_what_is_no_image_has_no_stated_grid(edr: httpx.Client) -> None:
    for words in ("grid-crs=utm", "parameter-name=a=2*t2m"):
        refused = edr.get(f"/collections/weather/position?coords=POINT(10 50)&{words}")
        assert refused.status_code == 501
        assert "no collection of images" in refused.text


# --- real files ------------------------------------------------------------------------------------------------------


def test_three_days_of_another_archive(tmp_path: Path, serving: Any, test_data: Path) -> None:
    """Documents and GeoTIFFs of an openEO back-end: green and red of a field over three days."""
    source = test_data / "imagery/example_stac_catalog"
    paths = sorted(source.glob("*.tif"))
    with rasterio.open(paths[0]) as file:
        x, y = (file.bounds.left + file.bounds.right) / 2, (file.bounds.bottom + file.bounds.top) / 2
    shape = shapely.Point(lonlat("EPSG:32631", x, y)).buffer(0.0015)
    with Site.open(tmp_path / "home", reading={"scanners": 1}) as site:
        site.add(source / "collection.json")
        (name,) = (one["id"] for one in site.collections())
        with serving(site) as address:
            answer = httpx.get(
                f"{address}/ogc/collections/{name}/area",
                params={"coords": shape.wkt, "parameter-name": "ngrdi=(B03-B04)/(B03+B04)", "reduce": "mean:space:equal"},
                timeout=60,
            )  # fmt: skip
    assert answer.status_code == 200, answer.text
    found = values_of(answer.json(), "ngrdi").ravel()
    assert found.size == len(paths) == 3
    for path, value in zip(paths, found, strict=True):
        red, green = read(path, 1)[inside(path, shape)], read(path, 2)[inside(path, shape)]
        assert value == pytest.approx(np.nanmean(((green - red) / (green + red)).astype("f4"), dtype="f8"), rel=1e-6)


def test_cloudless_ndvi_of_two_years(tmp_path: Path, serving: Any, test_data: Path) -> None:
    """68 real days of Sentinel-2, written as files: the mean NDVI of a field where no cloud was seen."""
    source = test_data / "imagery/TestEOPatch"
    ndvi = np.load(source / "data/NDVI.npy")[..., 0]
    clouds = np.load(source / "mask/CLM.npy")[..., 0]
    stamps = json.loads((source / "timestamps.json").read_text())
    corners = np.array(json.loads((source / "bbox.geojson").read_text())["coordinates"][0])
    bounds = (*corners.min(axis=0), *corners.max(axis=0))
    files = tmp_path / "files"
    files.mkdir()
    profile = {"driver": "GTiff", "height": 101, "width": 100, "count": 2, "dtype": "float32", "crs": "EPSG:32633"}
    for number, stamp in enumerate(stamps):
        place = from_bounds(*bounds, 100, 101)
        with rasterio.open(files / f"{number:02}.tif", "w", transform=place, compress="deflate", **profile) as file:
            for band, (name, values) in enumerate((("ndvi", ndvi), ("clm", clouds)), 1):
                file.write(values[number].astype("f4"), band)
                file.set_band_description(band, name)
            file.update_tags(TIFFTAG_DATETIME=stamp.replace("-", ":").replace("T", " "))
    x, y = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    shape = shapely.Point(lonlat("EPSG:32633", x, y)).buffer(0.002)
    with Site.open(tmp_path / "home", reading={"scanners": 1}) as site:
        report = site.add(files, collection="patch")
        assert not report.failures, report
        with serving(site) as address:
            answer = httpx.get(
                f"{address}/ogc/collections/patch/area",
                params={
                    "coords": shape.wkt,
                    "parameter-name": "clear=where(clm==0, ndvi, nan)",
                    "reduce": "mean:space:equal",
                    "group": "time",
                },
                timeout=60,
            )
    assert answer.status_code == 200, answer.text
    found = values_of(answer.json(), "clear").ravel()
    chosen = inside(files / "00.tif", shape)
    clear = np.where(clouds == 0, ndvi, np.nan)[:, chosen]
    seen = np.isfinite(clear).any(axis=1)
    assert found.size == len(stamps) == 68
    assert 10 < seen.sum() < 68
    np.testing.assert_array_equal(np.isfinite(found), seen)
    np.testing.assert_allclose(found[seen], np.nanmean(clear[seen].astype("f8"), axis=1), rtol=1e-6)
