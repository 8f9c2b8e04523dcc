"""GeoTIFF and JPEG 2000 against rasterio and PROJ themselves."""

from __future__ import annotations

import functools
import http.server
import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
from rasterio.transform import from_origin

from terrella.contracts.formats import Format
from terrella.cubes.formats.geotiff import GeoTiff
from terrella.errors import TerrellaError, Unreadable
from terrella.grids import grid_from_json
from terrella.model.scan import ArrayScan, FileScan

READ = GeoTiff()

FILES = [
    "imagery/201609281700_FINUTM.tif",
    "imagery/L7_ETMs.tif",
    "imagery/MOD10A2.A2022033.h09v05.061.2022042050729_Eight_Day_Snow_Cover.tif",
    "imagery/OR_ABI-L2-CMIPM1-M6C03_G16_s20211451810267_e20211451810324_c20211451810387_CMI.tif",
    "imagery/OR_ABI-L2-CMIPM1-M6C03_G16_s20211451810267_e20211451810324_c20211451810387_DQF.tif",
    "imagery/TCI.tif",
    "imagery/cog.tif",
    "imagery/cog_dateline.tif",
    "imagery/cog_scale.tif",
    "imagery/scene_band1.tif",
    "imagery/scene_band2.tif",
    "imagery/example_stac_catalog/openEO_2023-06-01Z.tif",
    "imagery/noaa-cdr-sea-surface-temperature-whoi/SEAFLUX-OSB-CDR_V02R00_SST_D20210831_C20211223-0/SEAFLUX-OSB-CDR_V02R00_SST_D20210831_C20211223-0-sea_surface_temperature.tif",
    "landcover-dem/AST_L1A_00303182012144228_Z.tif",
    "landcover-dem/ESA_WorldCover_10m_2021_v200_N00E006_Map.tif",
    "landcover-dem/U2018_CLC2018_V2020_20u1_FR_GLP.tif",
    "landcover-dem/elev_vinschgau.tif",
    "landcover-dem/hef_srtm.tif",
    "landcover-dem/jrc-gsw/Aggregated/LATEST/occurrence/tiles/occurrence-0000360000-0000480000.tif",
    "destine-healpix/climate-dt_10u_2t_20400102T0000.tiff",
]


def scanned(path: Path | str) -> FileScan:
    [found] = READ.scan(str(path))
    return found


def arrays(scan: FileScan) -> dict[str, ArrayScan]:
    return {array.name: array for array in scan.parts[0].arrays}


def time_of(scan: FileScan) -> str:
    [axis] = scan.parts[0].axes
    assert axis.name == axis.kind == "time"
    [value] = axis.values.astype("datetime64[ms]")
    return str(value)


def written(path: Path, values: np.ndarray, **profile) -> Path:
    count, height, width = values.shape
    profile = {"crs": "EPSG:32633", "transform": from_origin(500000, 5000000, 10, 10)} | profile
    made = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": values.dtype} | profile
    with rasterio.open(path, "w", **made) as out:
        out.write(values)
    return path


def test_it_is_a_format():
    made: Format = READ
    assert made.name == "geotiff"
    assert READ.claims("x.tif", b"II*\x00rest")
    assert READ.claims("x.tif", b"MM\x00+rest")
    assert READ.claims("x.jp2", b"\x00\x00\x00\x0cjP  \r\n\x87\nrest")
    assert not READ.claims("x.tif", b"")
    assert not READ.claims("x.tif", b"GIF89a")


@pytest.mark.parametrize("name", FILES)
def test_blocks_are_what_rasterio_reads(test_data, name):
    path = test_data / name
    scan = scanned(path)
    assert scan.size == path.stat().st_size
    assert scan.checksum.startswith("1220")
    pick = random.Random(name)
    with rasterio.open(path) as dataset:
        assert len(scan.parts[0].arrays) == dataset.count
        for array in scan.parts[0].arrays:
            source = READ.source(array, str(path))
            for _ in range(3):
                (ny, nx), (cy, cx) = array.shape[-2:], array.chunks[-2:]
                y, x = pick.randrange(-(-ny // cy)), pick.randrange(-(-nx // cx))
                index = (0,) * (len(array.shape) - 2) + (y, x)
                values = source.load(index)
                window = ((y * cy, min(ny, (y + 1) * cy)), (x * cx, min(nx, (x + 1) * cx)))
                expected = dataset.read(array.codec["band"], window=window)
                np.testing.assert_array_equal(values, expected.reshape(values.shape))
                assert values.dtype == np.dtype(array.dtype)
                assert values.ndim == len(array.shape)
                assert 0 < source.stored(index) <= scan.size


@pytest.mark.parametrize("name", FILES)
def test_cells_lie_where_rasterio_and_proj_say(test_data, name):
    path = test_data / name
    grid = grid_from_json(scanned(path).parts[0].grid)
    pick = np.random.default_rng(7)
    with rasterio.open(path) as dataset:
        assert grid.shape == (dataset.height, dataset.width)
        cells = pick.integers(0, dataset.height * dataset.width, 200)
        rows, columns = np.divmod(cells, dataset.width)
        x, y = rasterio.transform.xy(dataset.transform, rows, columns)
        crs = dataset.crs.to_wkt() if dataset.crs else "OGC:CRS84"
    lon, lat = pyproj.Transformer.from_crs(crs, "OGC:CRS84", always_xy=True).transform(x, y)
    there = np.isfinite(lon)
    found_lon, found_lat = grid.centres(cells)
    np.testing.assert_allclose(found_lat[there], lat[there], atol=2e-6)
    np.testing.assert_allclose((found_lon[there] - lon[there] + 180) % 360, 180, atol=2e-6)


def test_the_climate_twin_without_crs(test_data):
    scan = scanned(test_data / "destine-healpix/climate-dt_10u_2t_20400102T0000.tiff")
    assert any("no CRS stated" in note for note in scan.notes)
    assert time_of(scan) == "2040-01-02T00:00:00.000"
    found = arrays(scan)
    assert list(found) == ["10u", "2t"]
    assert found["2t"].attrs["units"] == "K"
    assert found["2t"].attrs["standard_name"] == "air_temperature"
    assert found["2t"].attrs["grib:paramId"] == 167
    assert found["2t"].attrs["mars:class"] == "d1"
    grid = grid_from_json(scan.parts[0].grid)
    assert grid.kind == "regular"
    lines = grid.coordinates()
    assert lines["lat"][0] == 90.0
    assert lines["lat"][-1] == -90.0
    assert lines["lon"][:2].tolist() == [0.0, 1.0]


def test_what_tags_say_of_goes(test_data):
    scan = scanned(test_data / FILES[3])
    assert time_of(scan) == "2021-05-25T18:10:26.700"
    assert scan.attrs["end_datetime"] == "2021-05-25T18:10:32.400000Z"
    assert scan.attrs["platform"] == "G16"
    [array] = scan.parts[0].arrays
    assert array.name == "CMI"
    assert array.packing.missing == (65535.0,)
    assert array.packing.scale == pytest.approx(0.00031746001)
    flags = scanned(test_data / FILES[4]).parts[0].arrays[0]
    assert flags.attrs["flag_values"] == [0, 1, 2, 3, 4]
    assert flags.attrs["flag_meanings"].startswith("good_pixel_qf ")


@pytest.mark.parametrize(
    ("name", "bands", "time"),
    [
        ("imagery/scene_band1.tif", ["band1"], None),
        ("imagery/TCI.tif", ["red", "green", "blue"], None),
        ("imagery/L7_ETMs.tif", [f"band_{number}" for number in range(1, 7)], None),
        ("imagery/example_stac_catalog/openEO_2023-06-01Z.tif", ["B04", "B03", "B02"], "2023-06-01T00:00:00.000"),
        (FILES[2], ["eight_day_snow_cover_chronobyte"], "2022-02-02T00:00:00.000"),
        (FILES[12], ["sea_surface_temperature"], "2021-08-31T00:00:00.000"),
        ("landcover-dem/AST_L1A_00303182012144228_Z.tif", ["Z"], "2012-03-18T14:42:28.000"),
        ("landcover-dem/ESA_WorldCover_10m_2021_v200_N00E006_Map.tif", ["Map"], "2021-01-01T00:00:00.000"),
        ("landcover-dem/U2018_CLC2018_V2020_20u1_FR_GLP.tif", ["band_1"], None),
        (FILES[18], ["occurrence"], None),
        ("imagery/201609281700_FINUTM.tif", ["corrected_reflectivity"], "2016-09-28T17:00:00.000"),
    ],
)
def test_names_and_times(test_data, name, bands, time):
    scan = scanned(test_data / name)
    assert list(arrays(scan)) == bands
    assert (time_of(scan) if scan.parts[0].axes else None) == time


def test_scale_and_offset(test_data):
    found = arrays(scanned(test_data / "imagery/cog_scale.tif"))
    assert (found["band_1"].packing.scale, found["band_1"].packing.offset) == (0.0001, 1000.0)
    assert (found["band_2"].packing.scale, found["band_2"].packing.offset) == (0.001, 2000.0)
    assert found["band_1"].packing.missing == (0.0,)


def test_radar_codes_become_dbz(test_data):
    [array] = scanned(test_data / "imagery/201609281700_FINUTM.tif").parts[0].arrays
    assert (array.packing.scale, array.packing.offset, array.packing.missing) == (0.5, -32.0, (255.0,))
    assert array.attrs["units"] == "dBZ"


def test_classes_of_land_cover(test_data):
    scan = scanned(test_data / "landcover-dem/ESA_WorldCover_10m_2021_v200_N00E006_Map.tif")
    [array] = scan.parts[0].arrays
    assert array.shape == (1, 36000, 36000)
    assert array.attrs["flag_values"][:3] == [10, 20, 30]
    assert array.attrs["flag_meanings"].split()[:2] == ["tree_cover", "shrubland"]
    assert array.attrs["flag_colors"].split()[0] == "#006400"
    assert len(array.attrs["flag_colors"].split()) == len(array.attrs["flag_values"])
    assert scan.media_type.endswith("cloud-optimized")
    assert scan.attrs["license"].startswith("CC-BY 4.0")
    assert scan.attrs["bands"][0]["data_type"] == "uint8"


def test_nodata_of_floats(test_data):
    [array] = scanned(test_data / "landcover-dem/elev_vinschgau.tif").parts[0].arrays
    values = READ.source(array, str(test_data / "landcover-dem/elev_vinschgau.tif")).load((0, 0))
    assert np.float32(array.packing.missing[0]) == values[0, 0]


def test_threads_read_the_same(test_data):
    path = str(test_data / "imagery/cog.tif")
    [array] = scanned(path).parts[0].arrays
    source = READ.source(array, path)
    with rasterio.open(path) as dataset:
        whole = dataset.read(1)
    blocks = [(y, x) for y in range(6) for x in range(6)] * 4
    with ThreadPoolExecutor(8) as pool:
        for (y, x), values in zip(blocks, pool.map(source.load, blocks), strict=True):
            np.testing.assert_array_equal(values, whole[y * 256 : (y + 1) * 256, x * 256 : (x + 1) * 256])


def test_a_replaced_file_is_read_anew(tmp_path):
    path = written(tmp_path / "a.tif", np.ones((1, 8, 8), np.uint8))
    [array] = scanned(path).parts[0].arrays
    source = READ.source(array, str(path))
    assert source.load((0, 0)).max() == 1
    written(tmp_path / "b.tif", np.full((1, 8, 8), 2, np.uint8), compress="deflate").replace(path)
    assert source.load((0, 0)).max() == 2


def test_jpeg_2000(tmp_path):
    values = np.arange(300 * 200, dtype=np.uint16).reshape(1, 300, 200)
    path = written(
        tmp_path / "T33UUP_20230601T101601_B04.jp2", values, driver="JP2OpenJPEG", quality="100", reversible="yes"
    )
    scan = scanned(path)
    assert scan.media_type == "image/jp2"
    assert time_of(scan) == "2023-06-01T10:16:01.000"
    array = arrays(scan)["B04"]
    source = READ.source(array, str(path))
    with rasterio.open(path) as dataset:
        expected = dataset.read(1)
    np.testing.assert_array_equal(source.load((0, 0, 0))[0], expected[: array.chunks[1], : array.chunks[2]])
    assert 0 < source.stored((0, 0, 0)) <= scan.size
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(Unreadable, match="cut off"):
        scanned(path)


def test_south_up_and_rotated(tmp_path):
    values = np.arange(12, dtype=np.int32).reshape(1, 3, 4)
    path = written(tmp_path / "up.tif", values, crs="EPSG:4326", transform=rasterio.Affine(1, 0, 10, 0, 1, 50))
    grid = grid_from_json(scanned(path).parts[0].grid)
    lon, lat = grid.centres(np.array([0, 11]))
    assert (lon.tolist(), lat.tolist()) == ([10.5, 13.5], [50.5, 52.5])
    path = written(tmp_path / "turned.tif", values, transform=rasterio.Affine(10, 2, 5e5, 3, -10, 5e6))
    grid = grid_from_json(scanned(path).parts[0].grid)
    x, y = rasterio.Affine(10, 2, 5e5, 3, -10, 5e6) @ (3.5, 2.5)
    lon, lat = pyproj.Transformer.from_crs("EPSG:32633", "OGC:CRS84", always_xy=True).transform(x, y)
    np.testing.assert_allclose(np.ravel(grid.centres(np.array([11]))), [lon, lat], atol=1e-9)


def test_thin_strips_are_read_several_at_once(tmp_path):
    values = np.arange(500 * 300, dtype=np.int16).reshape(1, 500, 300)
    path = written(tmp_path / "strips.tif", values, blockysize=1)
    [array] = scanned(path).parts[0].arrays
    assert array.chunks == (109, 300)
    source = READ.source(array, str(path))
    assert [source.stored((y, 0)) for y in range(5)] == [109 * 600] * 4 + [64 * 600]
    read = np.concatenate([source.load((y, 0)) for y in range(5)])
    np.testing.assert_array_equal(read, values[0])


def test_blocks_that_are_not_stored(tmp_path):
    profile = {
        "driver": "GTiff",
        "count": 1,
        "height": 64,
        "width": 64,
        "dtype": "uint8",
        "tiled": True,
        "blockxsize": 32,
    }
    profile |= {"blockysize": 32, "sparse_ok": True, "crs": "EPSG:32633", "transform": from_origin(5e5, 5e6, 10, 10)}
    for name, nodata in (("missing.tif", 9), ("zero.tif", None)):
        with rasterio.open(tmp_path / name, "w", nodata=nodata, **profile) as out:
            out.write(np.full((32, 32), 5, np.uint8), 1, window=((0, 32), (0, 32)))
        [array] = scanned(tmp_path / name).parts[0].arrays
        source = READ.source(array, str(tmp_path / name))
        assert source.stored((0, 0)) == 1024
        assert (source.stored((1, 1)) == 0) == (nodata is not None)
        assert np.unique(source.load((1, 1))).tolist() == [nodata or 0]


def test_band_descriptions_units_and_complex_bands(tmp_path):
    path = tmp_path / "described_20200105_1200.tif"
    profile = {"driver": "GTiff", "count": 2, "height": 4, "width": 4, "dtype": "float32", "crs": "EPSG:4326"}
    with rasterio.open(path, "w", transform=from_origin(0, 4, 1, 1), **profile) as out:
        out.write(np.zeros((2, 4, 4), np.float32))
        out.descriptions = ("Soil water content", "B8A")
        out.units = ("m3 m-3", None)
        out.update_tags(ACQUISITIONDATETIME="2020-01-05T11:30:00+01:00", TIFFTAG_DATETIME="2021:02:03 04:05:06")
    scan = scanned(path)
    found = arrays(scan)
    assert list(found) == ["soil_water_content", "B8A"]
    assert found["soil_water_content"].attrs == {"long_name": "Soil water content", "units": "m3 m-3"}
    assert time_of(scan) == "2020-01-05T10:30:00.000"
    path = written(tmp_path / "complex.tif", np.zeros((1, 4, 4), np.complex64))
    with pytest.raises(Unreadable, match="complex64"):
        scanned(path)


def test_a_world_file_and_none_at_all(tmp_path):
    values = np.zeros((1, 10, 20), np.uint8)
    path = tmp_path / "plain.tif"
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        rasterio.open(path, "w", driver="GTiff", count=1, height=10, width=20, dtype="uint8") as out,
    ):
        out.write(values)
    with pytest.raises(Unreadable, match="no georeferencing"):
        scanned(path)
    (tmp_path / "plain.tfw").write_text("0.5\n0\n0\n-0.5\n10.25\n49.75\n")
    scan = scanned(path)
    grid = grid_from_json(scan.parts[0].grid)
    assert np.ravel(grid.centres(np.array([0]))).tolist() == [10.25, 49.75]
    assert READ.source(scan.parts[0].arrays[0], str(path)).load((0, 0)).shape == (10, 20)
    (tmp_path / "plain.tfw").write_text("10\n0\n0\n-10\n500000\n5000000\n")
    with pytest.raises(Unreadable, match="no CRS"):
        scanned(path)


def test_side_files_are_not_obeyed(tmp_path):
    path = written(tmp_path / "a.tif", np.ones((1, 8, 8), np.uint8))
    (tmp_path / "a.tif.aux.xml").write_text(
        "<PAMDataset><PAMRasterBand band='1'><NoDataValue>1</NoDataValue></PAMRasterBand></PAMDataset>"
    )
    assert scanned(path).parts[0].arrays[0].packing.missing == ()


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.97])
@pytest.mark.parametrize("tiled", [True, False])
def test_a_file_cut_off(tmp_path, kept, tiled):
    values = np.random.default_rng(1).integers(0, 255, (1, 512, 512), np.uint8)
    layout = {"tiled": True, "blockxsize": 64, "blockysize": 64} if tiled else {}
    path = written(tmp_path / "cut.tif", values, compress="deflate", **layout)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(Unreadable):
        scanned(path)


def test_a_broken_block_fails_alone(tmp_path):
    values = np.random.default_rng(1).integers(0, 255, (1, 128, 128), np.uint8)
    path = written(tmp_path / "bad.tif", values, compress="deflate", tiled=True, blockxsize=64, blockysize=64)
    [array] = scanned(path).parts[0].arrays
    with rasterio.open(path) as dataset:
        offset = int(dataset.get_tag_item("BLOCK_OFFSET_1_1", "TIFF", bidx=1))
    data = bytearray(path.read_bytes())
    data[offset : offset + 64] = b"\xff" * 64
    path.write_bytes(data)
    source = READ.source(array, str(path))
    np.testing.assert_array_equal(source.load((0, 0)), values[0, :64, :64])
    with pytest.raises(Unreadable, match="broken"):
        source.load((1, 1))
    np.testing.assert_array_equal(source.load((0, 1)), values[0, :64, 64:])


@pytest.mark.parametrize(
    "head", [b"II*\x00", b"II*\x00" + b"\xff" * 600, b"MM\x00*\x00\x00\x00\x08\x00\x01", b"II+\x00" + b"\0" * 40]
)
def test_rubbish(tmp_path, head):
    path = tmp_path / "rubbish.tif"
    path.write_bytes(head)
    with pytest.raises(Unreadable) as caught:
        scanned(path)
    assert str(tmp_path) not in caught.value.message or "GDAL" in caught.value.message
    assert "\n" not in caught.value.message


def test_a_block_too_large_is_a_bomb(tmp_path):
    path = tmp_path / "bomb.tif"
    profile = {"driver": "GTiff", "count": 1, "height": 32768, "width": 32768, "dtype": "uint8", "sparse_ok": True}
    profile |= {"tiled": True, "blockxsize": 32768, "blockysize": 32768, "compress": "deflate"}
    with rasterio.open(path, "w", crs="EPSG:32633", transform=from_origin(5e5, 5e6, 1, 1), **profile):
        pass
    with pytest.raises(Unreadable, match="at once"):
        scanned(path)


def test_gdal_syntax_in_a_name_is_only_a_name(tmp_path):
    for name in ("/vsicurl/http://127.0.0.1:9/x.tif", "GTIFF_DIR:1:x.tif", str(tmp_path)):
        with pytest.raises((TerrellaError, OSError)):
            scanned(name)
    odd = tmp_path / "odd!name?x#y %41.tif"
    written(tmp_path / "a.tif", np.ones((1, 8, 8), np.uint8)).rename(odd)
    scan = scanned(odd)
    assert READ.source(scan.parts[0].arrays[0], str(odd)).load((0, 0)).max() == 1


class _Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves files with byte ranges, and counts the bytes."""

    sent = 0

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

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path):
    handler = functools.partial(_Ranges, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_remote_file(tmp_path, served):
    values = np.random.default_rng(1).integers(0, 60000, (1, 1024, 1024), np.uint16)
    written(tmp_path / "far_2020-02-03.tif", values, tiled=True, blockxsize=256, blockysize=256)
    href = f"{served}/far_2020-02-03.tif"
    scan = scanned(href)
    assert time_of(scan) == "2020-02-03T00:00:00.000"
    array = arrays(scan)["far"]
    source = READ.source(array, href)
    with ThreadPoolExecutor(4) as pool:
        for x, found in enumerate(pool.map(lambda x: source.load((0, 2, x)), range(4))):
            np.testing.assert_array_equal(found[0], values[0, 512:768, x * 256 : (x + 1) * 256])
    with pytest.raises(TerrellaError):
        scanned(f"{served}/none.tif")
