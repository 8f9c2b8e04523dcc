"""Scenes as cubes, the whole road, against GDAL, odc-stac and brute force."""

from __future__ import annotations

import functools
import http.server
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pystac
import pytest
import rasterio
import rasterio.mask
import rasterio.shutil
import shapely
from rasterio.transform import Affine
from rasterio.warp import Resampling, reproject
from shapely.geometry import mapping

from scene_files import lonlat, numbers, write_scene
from site_files import write_netcdf
from terrella.catalog.describing import Wishes
from terrella.contracts.cubes import Cube
from terrella.errors import Invalid, NotFound, TooLarge, Unsupported
from terrella.model.caller import OPERATOR
from terrella.model.extraction import Area, Box, Extraction, Points
from terrella.model.ids import CollectionId
from terrella.model.reduction import parse_reductions
from terrella.model.space import Extent, LonLat
from terrella.model.stated import StatedGrid
from terrella.model.time import parse_interval
from terrella.site import Site
from terrella.site.requests import extraction_from

NDVI = "ndvi=(nir-red)/(nir+red)"
DAYS = ("2023:06:01", "2023:06:06")
NAME = CollectionId("fields")


def cube_of(site: Site, collection: str, **wanted: Any) -> Cube:
    found = site.extractor.open(OPERATOR, extraction_from(collection, wanted))
    assert found.stated
    return site.cubes.open(found.index, found.origin)


def corner_in_zone_33() -> tuple[float, float]:
    to = pyproj.Transformer.from_crs("EPSG:32632", "EPSG:32633", always_xy=True)
    x, y = to.transform(701500, 5199000)
    return round(x, -1), round(y, -1) + 1000


@pytest.fixture
def fields(site: Site, data: Path) -> Path:
    """Two overlapping tiles in two zones on two days, packed as Sentinel-2 packs."""
    for number, day in enumerate(DAYS):
        packed: Any = {"scale": 1e-4, "offset": -0.1}
        own = {"red": numbers(number, (300, 200), holes=0.05), "nir": numbers(10 + number, (300, 200), holes=0.05)}
        write_scene(data / f"T32_{number}.tif", own, taken=f"{day} 10:30:00", **packed)
        own = {"red": numbers(20 + number, (200, 200), holes=0.05), "nir": numbers(30 + number, (200, 200))}
        write_scene(
            data / f"T33_{number}.tif",
            own,
            crs="EPSG:32633",
            corner=corner_in_zone_33(),
            taken=f"{day} 10:31:00",
            **packed,
        )
    site.add(str(data), collection=NAME)
    return data


def by_hand(path: Path, number: int, crs: str, transform: Any, shape: tuple[int, int]) -> np.ndarray:
    """GDAL's nearest of a whole file on a grid, unpacked."""
    out = np.zeros(shape, "u2")
    with rasterio.open(path) as file:
        reproject(
            file.read(number), out, src_transform=file.transform, src_crs=file.crs, src_nodata=0,
            dst_transform=Affine(*transform), dst_crs=crs, dst_nodata=0, resampling=Resampling.nearest, tolerance=0,
        )  # fmt: skip
    values = out * 1e-4 - 0.1
    values[out == 0] = np.nan
    return values.astype("f4")


def over(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(second), first, second)


def field(radius: float = 0.003) -> Any:
    """On both tiles."""
    return shapely.Point(lonlat("EPSG:32632", 701700, 5198400)).buffer(radius)


def test_only_such_a_collection_takes_a_stated_grid(site: Site, fields: Path) -> None:
    with pytest.raises(Unsupported):
        site.catalog.open(OPERATOR, NAME)
    assert "red" in site.open_cube(NAME)
    with pytest.raises(NotFound):
        site.open_cube("nothing")
    write_netcdf(fields.parent / "t.nc")
    site.add(str(fields.parent / "t.nc"), collection="model")
    assert "t2m" in site.open_cube("model")
    with pytest.raises(Invalid, match="a cube of its own"):
        site.open_cube("model", bbox=(0, 40, 1, 41))
    for wanted in ({"crs": "EPSG:3035"}, {"variables": ["a=2*t2m"]}):
        with pytest.raises(Unsupported, match="no collection of images"):
            site.extract("model", point=(3, 45), **wanted)


def test_a_collection_keeps_its_usual_grid_when_files_are_added_again(site: Site, fields: Path) -> None:
    def kept() -> Any:
        return json.loads(site.catalog.collection(OPERATOR, NAME))["terrella:stated_grid"]

    usual = {"crs": "EPSG:3035", "resolution": [20.0, 20.0]}
    site.add(str(fields), collection=NAME, wishes=Wishes(grid=StatedGrid("EPSG:3035", (20.0, 20.0))))
    assert kept() == usual, "without new files"
    write_scene(
        fields / "more.tif", {"red": numbers(5, (20, 20)), "nir": numbers(6, (20, 20))}, taken=f"{DAYS[0]} 10:30:00"
    )
    site.add(str(fields), collection=NAME)
    assert kept() == usual
    grid: Any = cube_of(site, NAME, polygon=field()).grid
    assert pyproj.CRS(grid.crs) == pyproj.CRS("EPSG:3035")
    x = grid.coordinates()[grid.dims[1]]
    assert x[1] - x[0] == 20
    site.add(str(fields), collection=NAME, wishes=Wishes(grid=StatedGrid("EPSG:3857")))
    assert kept() == {"crs": "EPSG:3857"}


@pytest.mark.parametrize("crs", [None, "EPSG:32633", "EPSG:3035", "EPSG:4326"])
def test_the_cube_is_what_gdal_makes(site: Site, fields: Path, crs: str | None) -> None:
    cube = cube_of(site, NAME, crs=crs, variables=[NDVI, "red", "nir"])
    grid: Any = cube.grid
    lines = grid.coordinates()
    y, x = (lines[dim] for dim in grid.dims)
    dx, dy = (x[-1] - x[0]) / (x.size - 1), (y[-1] - y[0]) / (y.size - 1)
    transform = (dx, 0.0, x[0] - dx / 2, 0.0, dy, y[0] - dy / 2)
    assert cube.dataset["time"].values.astype("M8[m]").astype(str).tolist() == ["2023-06-01T10:30", "2023-06-06T10:30"]
    for day in range(2):
        made = {}
        for tile in ("T32", "T33"):
            path = fields / f"{tile}_{day}.tif"
            made[tile] = {
                name: by_hand(path, number, grid.crs, transform, grid.shape)
                for number, name in ((1, "red"), (2, "nir"))
            }
            r, n = (made[tile][name].astype("f8") for name in ("red", "nir"))
            with np.errstate(all="ignore"):
                made[tile]["ndvi"] = ((n - r) / (n + r)).astype("f4")
            made[tile]["ndvi"][~np.isfinite(made[tile]["ndvi"])] = np.nan
        for name in ("red", "nir", "ndvi"):
            expected = over(made["T32"][name], made["T33"][name])
            found = cube.dataset[name].values[day]
            differs = ~((found == expected) | (np.isnan(found) & np.isnan(expected)))
            # degrees as they come back from the grid's lines differ in the last bit
            assert differs.sum() <= (2 if crs == "EPSG:4326" else 0), (name, int(differs.sum()))
    assert np.isfinite(cube.dataset["ndvi"].values).any()


def test_ndvi_series_of_a_field(site: Site, fields: Path) -> None:
    """One number a day for a polygon, against rasterio.mask on mosaics made by hand."""
    shape = shapely.Point(lonlat("EPSG:32632", 700800, 5198800)).buffer(0.004)
    request = Extraction(NAME, Area(mapping(shape)), (NDVI,), reduce=parse_reductions("mean:space:equal"))
    stated = StatedGrid(crs="EPSG:32632", resolution=(10.0, 10.0))
    found = site.cut(replace(request, grid=stated)).dataset["ndvi"]
    assert found.dims == ("time",)
    ring = shapely.transform(
        shape,
        lambda xy: np.column_stack(
            pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:32632", always_xy=True).transform(*xy.T)
        ),
    )
    for day in range(2):
        with rasterio.open(fields / f"T32_{day}.tif") as file:
            numbers_, _ = rasterio.mask.mask(file, [mapping(ring)], filled=False)
        red, nir = (np.ma.filled(one.astype("f8") * 1e-4 - 0.1, np.nan) for one in numbers_)
        with np.errstate(all="ignore"):
            ndvi = (nir - red) / (nir + red)
        ndvi[~np.isfinite(ndvi)] = np.nan
        # the edges of the polygon are straight in degrees here and in metres there: hardly a pixel's difference
        assert float(found[day]) == pytest.approx(np.nanmean(ndvi), rel=2e-3, abs=2e-3)


def test_a_polygon_takes_the_cells_of_the_cube(site: Site, fields: Path) -> None:
    request = Extraction(NAME, Area(mapping(field())), ("red", NDVI))
    answer = site.cut(request)
    cube = cube_of(site, NAME, variables=["red", NDVI], crs="EPSG:32632")
    centres = shapely.points(*cube.grid.centres())
    inside = shapely.intersects(field(), centres)
    for name in ("red", "ndvi"):
        expected = cube.dataset[name].values.reshape(2, -1)[:, inside]
        np.testing.assert_array_equal(answer.dataset[name].values, expected)
    assert answer.plan.bytes_read == answer.receipt.bytes_read > 0
    assert set(answer.receipt.items) == {"t32_0", "t32_1", "t33_0", "t33_1"}
    assert site.estimate(request) == answer.plan


def test_a_point_is_the_pixel_below_it(site: Site, fields: Path) -> None:
    place = LonLat(*lonlat("EPSG:32632", 700_123, 5_199_001))
    answer = site.cut(Extraction(NAME, Points((place,)), ("red",))).dataset["red"]
    assert answer.dims == ("time", "point")
    for day in range(2):
        with rasterio.open(fields / f"T32_{day}.tif") as file:
            number = int(file.read(1)[99, 12])
        assert answer.values[day, 0] == (
            np.float32(number * 1e-4 - 0.1) if number else pytest.approx(np.nan, nan_ok=True)
        )


def test_times(site: Site, fields: Path) -> None:
    request = Extraction(NAME, Area(mapping(field())), ("red",))
    one = site.cut(replace(request, interval=parse_interval("2023-06-05/2023-06-07")))
    assert one.dataset.sizes["time"] == 1
    apart = site.cut(replace(request, grid=StatedGrid(group="time")))
    assert apart.dataset.sizes["time"] == 4
    with pytest.raises(Invalid, match="No scene of that place is of that time") as caught:
        site.cut(replace(request, interval=parse_interval("2022-01-01/2022-02-01")))
    assert "2023-06-01T10:30:00Z" in caught.value.message


def test_only_some_items(site: Site, fields: Path) -> None:
    request = Extraction(NAME, Area(mapping(field())), ("red",), items=("t32_1",))
    answer = site.cut(request)
    assert answer.receipt.items == ("t32_1",)
    assert answer.dataset.sizes["time"] == 1


def test_the_same_request_is_the_same_cube(site: Site, fields: Path) -> None:
    request = Extraction(NAME, Area(mapping(field())), ("red",))
    first, again = (site.cut(request) for _ in range(2))
    assert first.receipt.version == again.receipt.version
    assert again.receipt.bytes_read == 0
    other = site.cut(replace(request, grid=StatedGrid(resolution=(20.0, 20.0))))
    assert other.receipt.version != first.receipt.version
    write_scene(fields / "T32_0.tif", {"red": numbers(99, (300, 200)), "nir": numbers(98, (300, 200))})
    assert site.cut(request).receipt.version != first.receipt.version


def test_what_is_refused(site: Site, fields: Path) -> None:
    here = Extraction(NAME, Area(mapping(field())))
    for request, stated, words in [
        (replace(here, shape=Box(Extent(0.0, 0.0, 1.0, 1.0))), StatedGrid(), "No scene covers"),
        (replace(here, variables=("rad",)), StatedGrid(), "Did you mean 'red'"),
        (replace(here, variables=("a=nir/(red",)), StatedGrid(), "wrong at character 5"),
        (replace(here, variables=("a=nir/green",)), StatedGrid(), "no band 'green'"),
        (here, StatedGrid(group="week"), "solar_day or time"),
        (here, StatedGrid(resampling="lanczos"), "no resampling"),
        (here, StatedGrid(crs="EPSG:99999"), "no coordinate reference system"),
        (here, StatedGrid(resolution=(-1.0, 1.0)), "positive"),
    ]:
        with pytest.raises(Invalid, match=re.escape(words)):
            site.cut(replace(request, grid=stated))
    with pytest.raises(NotFound):
        site.cut(replace(here, collection=CollectionId("nothing")))


def test_too_large_is_refused_with_a_way_out(site: Site, fields: Path) -> None:
    request = Extraction(NAME, Box(Extent(11.6, 46.8, 11.7, 47.0)), ("red",))
    stated = StatedGrid(resolution=(0.02, 0.02))  # some 1e5 columns and rows
    with pytest.raises(TooLarge) as caught:
        site.cut(replace(request, grid=stated))
    enough = re.search(r"resolution, such as ([\d.]*\d)", caught.value.message)
    assert enough is not None
    assert site.estimate(replace(request, grid=StatedGrid(resolution=(float(enough[1]),) * 2))).cells <= 5_000_000
    point = replace(request, shape=Points((LonLat(*lonlat("EPSG:32632", 700_500, 5_199_000)),)))
    assert site.cut(replace(point, grid=stated)).dataset.sizes["point"] == 1


def test_items_that_hold_no_raster(site: Site, data: Path) -> None:
    document = {
        "type": "Feature", "stac_version": "1.0.0", "id": "a", "bbox": [0, 0, 1, 1], "links": [],
        "geometry": mapping(shapely.box(0, 0, 1, 1)), "properties": {"datetime": "2020-01-01T00:00:00Z"},
        "assets": {"text": {"href": "a.xml", "type": "application/xml"}, "etc": {"href": "/etc/hostname.tif"}},
    }  # fmt: skip
    (data / "a.json").write_text(json.dumps(document))
    site.add(str(data / "a.json"), collection="odd")
    with pytest.raises(Unsupported, match="No item there has a raster"):
        cube_of(site, "odd")


# --- against odc-stac ------------------------------------------------------------------------------------------------

quiet = pytest.mark.filterwarnings("ignore")


def odc_load(items: list[pystac.Item], cube: Any, bands: list[str], **more: Any) -> Any:
    import odc.stac
    from odc.geo.geobox import GeoBox

    box = GeoBox(cube.grid.shape, Affine(*cube.grid.transform), cube.grid.crs)
    return odc.stac.load(items, bands=bands, geobox=box, groupby="solar_day", resampling="nearest", **more)


@quiet
def test_real_documents_like_odc_stac(site: Site, test_data: Path) -> None:
    folder = test_data / "imagery/example_stac_catalog"
    site.add(str(folder / "collection.json"))
    (collection,) = (one["id"] for one in site.collections())
    cube = cube_of(site, collection, crs="EPSG:32632", resolution=15.0)
    items = [pystac.Item.from_file(str(path)) for path in sorted(folder.glob("*.tif.json"))]
    for item in items:
        item.assets["data"] = next(iter(item.assets.values()))
        item.make_asset_hrefs_absolute()
        item.assets = {"data": item.assets["data"]}
        item.assets["data"].extra_fields = {"raster:bands": [{"data_type": "int16", "nodata": -32768}] * 3}
        item.stac_extensions = ["https://stac-extensions.github.io/raster/v1.1.0/schema.json"]
    config = {"*": {"assets": {"*": {"nodata": -32768, "data_type": "int16"}}}}
    found = odc_load(items, cube, ["data.1", "data.2", "data.3"], stac_cfg=config)
    for name, theirs in zip(("B04", "B03", "B02"), ("data.1", "data.2", "data.3"), strict=True):
        expected = found[theirs].values.astype("f4")
        expected[expected == -32768] = np.nan
        ours = cube.dataset[name].values
        assert ours.shape == expected.shape
        same = (ours == expected) | (np.isnan(ours) & np.isnan(expected))
        assert same.mean() > 0.99  # odc-stac transforms approximately


@quiet
def test_two_zones_like_odc_stac(site: Site, fields: Path) -> None:
    cube = cube_of(site, NAME, crs="EPSG:3035", resolution=12.0, variables=["red", "nir"])
    items = []
    for document in site.search(caller=OPERATOR):
        item = pystac.Item(
            document["id"],
            document["geometry"],
            document["bbox"],
            pystac.utils.str_to_datetime(document["properties"]["datetime"]),
            {},
        )
        item.add_asset(
            "data",
            pystac.Asset(
                document["assets"]["data"]["href"],
                media_type=pystac.MediaType.COG,
                extra_fields={"raster:bands": [{"data_type": "uint16", "nodata": 0}] * 2},
            ),
        )
        item.stac_extensions = ["https://stac-extensions.github.io/raster/v1.1.0/schema.json"]
        items.append(item)
    config = {"*": {"assets": {"*": {"nodata": 0, "data_type": "uint16"}}}}
    found = odc_load(items, cube, ["data.1", "data.2"], stac_cfg=config)
    for name, theirs in (("red", "data.1"), ("nir", "data.2")):
        expected = found[theirs].values * 1e-4 - 0.1
        expected[found[theirs].values == 0] = np.nan
        ours = cube.dataset[name].values
        # where tiles overlap the later scene shows here, the earlier one there
        single = np.isfinite(ours) & ~_both(fields, cube)
        assert single.sum() > 10_000
        assert (ours == expected.astype("f4"))[single].mean() > 0.97


def _both(fields: Path, cube: Any) -> np.ndarray:
    """Cells under both tiles, and those at their borders."""
    shape, crs, transform = cube.grid.shape, cube.grid.crs, cube.grid.transform
    made = []
    for day in range(2):
        one, other = (
            np.isfinite(by_hand(fields / f"{tile}_{day}.tif", 2, crs, transform, shape)) for tile in ("T32", "T33")
        )
        made.append(one & other)
    return np.array(made)


# --- real files ------------------------------------------------------------------------------------------------------


def test_one_band_of_sentinel_2_in_a_zip(site: Site, test_data: Path) -> None:
    (path,) = (test_data / "imagery").glob("S2A*.zip")
    site.add(str(path), collection="s2")
    request = Extraction(CollectionId("s2"), Box(Extent(2.0, 42.6, 2.1, 42.7)), ("coastal",))
    answer = site.cut(replace(request, grid=StatedGrid(crs="EPSG:32632")))
    with rasterio.open(f"zip://{path}!{_member(path)}") as file:
        values, crs, transform = file.read(1), file.crs, file.transform
    to = pyproj.Transformer.from_crs("EPSG:32632", crs, always_xy=True)
    cells = answer.dataset
    x, y = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:32632", always_xy=True).transform(
        cells["longitude"].values, cells["latitude"].values
    )
    x, y = to.transform(x, y)
    column, row = np.floor((x - transform.c) / transform.a + 1e-6), np.floor((y - transform.f) / transform.e + 1e-6)
    expected = values[row.astype(int), column.astype(int)] / 10000
    expected[expected == 0] = np.nan
    lon, lat = cells["longitude"].values, cells["latitude"].values
    expected[(lon < 2.0) | (lon > 2.1) | (lat < 42.6) | (lat > 42.7)] = np.nan  # cells beside the box are missing
    same = np.isclose(cells["coastal"].values[0], expected, rtol=1e-6, equal_nan=True)
    assert same.mean() > 0.9999  # longitudes and latitudes go to metres and back


def _member(path: Path) -> str:
    import zipfile

    return next(name for name in zipfile.ZipFile(path).namelist() if name.endswith("_B01.jp2"))


def test_over_the_antimeridian(site: Site, test_data: Path) -> None:
    path = test_data / "imagery/cog_dateline.tif"
    site.add(str(path), collection="far")
    stated = StatedGrid(crs="EPSG:4326", resolution=(0.002, 0.002))
    request = Extraction(CollectionId("far"), Box(Extent(179.5, 51.5, -179.5, 51.9)))
    answer = site.cut(replace(request, grid=stated))
    lon, lat = answer.dataset["lon"].values, answer.dataset["lat"].values
    assert lon[0] < 180 < lon[-1]
    with rasterio.open(path) as file:
        values, crs, transform = file.read(1), file.crs, file.transform
    x, y = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*np.meshgrid(lon, lat))
    column, row = np.floor((x - transform.c) / transform.a), np.floor((y - transform.f) / transform.e)
    inside = (row >= 0) & (column >= 0) & (row < values.shape[0]) & (column < values.shape[1])
    expected = np.where(
        inside, values[np.where(inside, row, 0).astype(int), np.where(inside, column, 0).astype(int)], np.nan
    )
    found = answer.dataset["cog_dateline"].values
    assert (np.isclose(found, expected, equal_nan=True)).mean() > 0.9999


def test_landsat_on_its_own_pixels(site: Site, test_data: Path) -> None:
    path = test_data / "imagery/L7_ETMs.tif"
    site.add(str(path), collection="l7")
    ndvi = "ndvi=(band_4-band_3)/(band_4+band_3)"
    answer = site.cut(Extraction(CollectionId("l7"), _everything(), (ndvi,)))
    with rasterio.open(path) as file:
        red, nir = file.read(3).astype("f8"), file.read(4).astype("f8")
    with np.errstate(all="ignore"):
        expected = (nir - red) / (nir + red)
    expected[~np.isfinite(expected)] = np.nan
    np.testing.assert_array_equal(answer.dataset["ndvi"].values, expected.astype("f4"))


def _everything() -> Any:
    from terrella.model.extraction import Everything

    return Everything()


# --- over HTTP -------------------------------------------------------------------------------------------------------


class _Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves byte ranges, and counts what it sends."""

    sent = 0

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        found = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(found[1]), int(found[2] or len(data) - 1)) if found else (0, len(data) - 1)
        part = data[first : last + 1]
        self.send_response(206 if found else 200)
        self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.send_header("ETag", '"same"')
        self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
        self.end_headers()
        if body:
            type(self).sent += len(part)
            self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(_Ranges, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()
        thread.join()


@pytest.fixture
def cog(served: tuple[str, Path], data: Path) -> tuple[Path, dict[str, Any]]:
    """A COG of 2048 x 2048 pixels of noise with overviews by factors of 2 to 16, and the item that names it."""
    address, folder = served
    values = numbers(11, (2048, 2048))
    plain = write_scene(data / "plain.tif", {"red": values}, overviews=(), nodata=None)
    with rasterio.open(plain) as file:
        profile = {"compress": "deflate", "blocksize": 256, "overview_resampling": "average"}
        rasterio.shutil.copy(file, folder / "big.tif", driver="COG", **profile)
    plain.unlink()
    west, north = lonlat("EPSG:32632", 700000, 5200000)
    east, south = lonlat("EPSG:32632", 720480, 5179520)
    document = {
        "type": "Feature", "stac_version": "1.0.0", "id": "big", "links": [], "bbox": [west, south, east, north],
        "geometry": mapping(shapely.box(west, south, east, north)), "properties": {"datetime": "2023-06-01T10:30:00Z"},
        "assets": {"red": {"href": f"{address}/big.tif", "type": "image/tiff; application=geotiff"}},
    }  # fmt: skip
    return folder / "big.tif", document


@pytest.mark.parametrize(("level", "size"), [(None, 10.0), (None, 15.0), (0, 20.0), (1, 40.0), (1, 70.0), (2, 80.0)])
def test_coarse_grids_read_the_overview_that_suffices(
    site: Site, data: Path, cog: tuple[Path, dict[str, Any]], level: int | None, size: float
) -> None:
    """The bytes that go over the line, and the values, beside what rasterio reads of that overview itself."""
    path, document = cog
    (data / "big.json").write_text(json.dumps(document))
    site.add(str(data / "big.json"), collection="big")
    side = 5120.0  # metres, from the corner of the image
    west, south = lonlat("EPSG:32632", 700100, 5200000 - side)
    east, north = lonlat("EPSG:32632", 700000 + side, 5199900)
    grid = {"crs": "EPSG:32632", "resolution": size, "anchor": (700000, 5200000)}
    request = {"bbox": (west, south, east, north), "variables": ["red"], **grid}
    price = site.estimate("big", **request)
    before = _Ranges.sent
    answer = site.cut("big", **request)
    sent = _Ranges.sent - before
    with rasterio.open(path, **({} if level is None else {"overview_level": level})) as file:
        pixel = file.res[0]
        assert pixel <= size < 2 * pixel
        values = file.read(1).astype("f4")
    expected = answer.dataset["red"].values[0]
    x, y = (answer.dataset[dim].values for dim in "xy")
    columns, rows = np.floor((x - 700000) / pixel).astype(int), np.floor((5200000 - y) / pixel).astype(int)
    seen = np.isfinite(expected)
    assert seen.mean() > 0.8
    np.testing.assert_array_equal(expected[seen], values[np.ix_(rows, columns)][seen])
    assert answer.receipt.bytes_read == price.bytes_read
    share = (
        (side / pixel / 256 + 2) ** 2 * 256 * 256 * 2
    )  # blocks below the box and those at its border, noise is large
    assert price.bytes_read < share
    assert sent < 2 * price.bytes_read + 400_000, "the header, and blocks that lie between"
    if level is not None:
        assert sent < path.stat().st_size / 3


def test_documents_that_name_remote_rasters(site: Site, data: Path, served: tuple[str, Path]) -> None:
    address, folder = served
    values = numbers(7, (1500, 1500))
    path = write_scene(folder / "far.tif", {"grey": values}, block=256)
    corners = [lonlat("EPSG:32632", x, y) for x, y in ((700000, 5200000), (715000, 5185000))]
    west, east = corners[0][0], corners[1][0]
    document = {
        "type": "Feature", "stac_version": "1.0.0", "id": "far", "links": [],
        "bbox": [west, corners[1][1], east, corners[0][1]],
        "geometry": mapping(shapely.box(west, corners[1][1], east, corners[0][1])),
        "properties": {"datetime": "2023-06-01T10:30:00Z"},
        "assets": {"red": {"href": f"{address}/far.tif", "type": "image/tiff; application=geotiff"}},
    }  # fmt: skip
    (data / "far.json").write_text(json.dumps(document))
    site.add(str(data / "far.json"), collection="remote")
    place = LonLat(*lonlat("EPSG:32632", 707_003, 5_193_003))
    before = _Ranges.sent
    answer = site.cut(Extraction(CollectionId("remote"), Points((place,)), ("red",)))
    assert answer.dataset["red"].values.ravel().tolist() == [float(values[699, 700])]
    assert _Ranges.sent - before < path.stat().st_size / 4
