"""Sentinel-2 products, the real one and hostile ones, against rasterio and zipfile."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
import shapely.geometry
from rasterio.transform import from_origin

from terrella.cubes.formats.safe import Safe
from terrella.errors import TerrellaError, Unreadable, Unsupported
from terrella.grids import grid_from_json

READ = Safe()
REAL = "imagery/S2A_MSIL1C_20180101T105441_N0206_R051_T31TDH_20180101T124911.zip"
METADATA = """<?xml version="1.0"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/x.xsd"><n1:General_Info><Product_Info>
<PRODUCT_START_TIME>2023-06-01T10:16:01.024Z</PRODUCT_START_TIME>
<PRODUCT_URI>S2B_MSIL2A_20230601T101601_N0509_R065_T33UUP_20230601T120000.SAFE</PRODUCT_URI>
<PROCESSING_LEVEL>Level-2A</PROCESSING_LEVEL><PRODUCT_TYPE>S2MSI2A</PRODUCT_TYPE>
<Datatake><SPACECRAFT_NAME>Sentinel-2B</SPACECRAFT_NAME></Datatake></Product_Info>
<Product_Image_Characteristics><Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>
<SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
<QUANTIFICATION_VALUES_LIST><BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
<AOT_QUANTIFICATION_VALUE unit="none">1000.0</AOT_QUANTIFICATION_VALUE></QUANTIFICATION_VALUES_LIST>
<BOA_ADD_OFFSET_VALUES_LIST><BOA_ADD_OFFSET band_id="1">-1000</BOA_ADD_OFFSET>
<BOA_ADD_OFFSET band_id="8">-1000</BOA_ADD_OFFSET></BOA_ADD_OFFSET_VALUES_LIST>
</Product_Image_Characteristics></n1:General_Info></n1:Level-2A_User_Product>
"""


def scanned(path: Path):
    [found] = READ.scan(str(path))
    return found


def band(path: Path, size: int, metres: int, value: int, dtype: str = "uint16") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 3 if "TCI" in path.name else 1
    profile = {"driver": "JP2OpenJPEG", "count": count, "height": size, "width": size, "dtype": dtype}
    profile |= {"crs": "EPSG:32633", "transform": from_origin(300000, 5000040, metres, metres)}
    with rasterio.open(path, "w", quality="100", reversible="yes", **profile) as out:
        out.write(np.full((count, size, size), value, dtype))


@pytest.fixture(scope="module")
def product(tmp_path_factory) -> Path:
    """A small level 2A product of two resolutions, as a folder."""
    folder = tmp_path_factory.mktemp("made") / "S2B_MSIL2A_20230601T101601_N0509_R065_T33UUP_20230601T120000.SAFE"
    images = folder / "GRANULE/L2A_T33UUP/IMG_DATA"
    band(images / "R10m/T33UUP_20230601T101601_B02_10m.jp2", 60, 10, 3000)
    band(images / "R10m/T33UUP_20230601T101601_TCI_10m.jp2", 60, 10, 100, "uint8")
    band(images / "R20m/T33UUP_20230601T101601_B02_20m.jp2", 30, 20, 2000)
    band(images / "R20m/T33UUP_20230601T101601_B8A_20m.jp2", 30, 20, 4000)
    band(images / "R20m/T33UUP_20230601T101601_SCL_20m.jp2", 30, 20, 4, "uint8")
    band(images / "R20m/T33UUP_20230601T101601_AOT_20m.jp2", 30, 20, 150)
    (folder / "MTD_MSIL2A.xml").write_text(METADATA)
    return folder


def zipped(folder: Path, target: Path, *, inside: str = "") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"{inside}{file.relative_to(folder).as_posix()}")
    return target


def test_the_real_product(test_data):
    path = test_data / REAL
    assert READ.claims(str(path), path.read_bytes()[:1024])
    scan = scanned(path)
    assert scan.attrs["platform"] == "sentinel-2a"
    assert scan.attrs["eo:cloud_cover"] == 11.9204
    assert scan.attrs["grid:code"] == "MGRS-31TDH"
    assert scan.attrs["processing:level"] == "L1C"
    assert scan.attrs["datetime"] == "2018-01-01T10:54:41.026000Z"
    [part] = scan.parts
    assert part.label == "r60"
    assert part.axes[0].values.astype("datetime64[ms]").astype(str).tolist() == ["2018-01-01T10:54:41.026"]
    [array] = part.arrays
    assert (array.name, array.dims, array.shape) == ("B01", ("time", "y", "x"), (1, 1830, 1830))
    assert (array.packing.scale, array.packing.offset, array.packing.missing) == (1e-4, 0.0, (0.0,))
    footprint = shapely.geometry.shape(scan.attrs["footprint"])
    grid = grid_from_json(part.grid)
    lon, lat = grid.centres(np.array([1830 * 100 + 300]))
    assert footprint.is_valid
    assert footprint.exterior.is_ccw
    assert footprint.contains(shapely.Point(lon[0], lat[0]))
    expected = pyproj.Transformer.from_crs("EPSG:32631", "OGC:CRS84", always_xy=True).transform(
        399960 + 60 * 300.5, 4800000 - 60 * 100.5
    )
    np.testing.assert_allclose([lon[0], lat[0]], expected, atol=1e-9)


def test_blocks_of_the_real_product(test_data):
    path = test_data / REAL
    [array] = scanned(path).parts[0].arrays
    source = READ.source(array, str(path))
    with rasterio.open(f"/vsizip/{path}/{array.codec['member']}") as dataset:
        expected = dataset.read(1)
    rows, columns = array.chunks[1:]
    for y, x in ((0, 0), (3, 5), (9, 9)):
        window = expected[y * rows : (y + 1) * rows, x * columns : (x + 1) * columns]
        np.testing.assert_array_equal(source.load((0, y, x))[0], window)
    assert 0 < source.stored((0, 0, 0)) < path.stat().st_size / 50


@pytest.mark.parametrize("form", ["folder", "zip", "zip with a folder inside"])
def test_level_2a_in_every_form(product, tmp_path, form):
    path = product
    if form != "folder":
        path = zipped(product, tmp_path / "p.zip", inside=f"{product.name}/" if "inside" in form else "")
    assert READ.claims(str(path), b"" if form == "folder" else path.read_bytes()[:1024])
    scan = scanned(path)
    found = {part.label: {array.name: array for array in part.arrays} for part in scan.parts}
    assert {label: sorted(arrays) for label, arrays in found.items()} == {
        "r10": ["B02"],
        "r20": ["AOT", "B02", "B8A", "SCL"],
    }
    assert scan.notes == ("pictures are left out: TCI",)
    assert scan.attrs["gsd"] == 10
    b8a = found["r20"]["B8A"]
    value = READ.source(b8a, str(path)).load((0, 0, 0))[0, 0, 0] * b8a.packing.scale + b8a.packing.offset
    assert value == pytest.approx((4000 - 1000) / 10000)
    aot = found["r20"]["AOT"]
    assert READ.source(aot, str(path)).load((0, 0, 0))[0, 0, 0] * aot.packing.scale == pytest.approx(0.15)
    assert found["r20"]["SCL"].packing.scale == 1
    assert found["r20"]["SCL"].attrs["flag_meanings"].split()[4] == "vegetation"
    assert {one["name"]: one["gsd"] for one in scan.attrs["bands"]} == {"AOT": 20, "B02": 10, "B8A": 20, "SCL": 20}


def test_what_is_not_claimed(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    head = (tmp_path / "other.zip").read_bytes()
    assert not READ.claims(str(tmp_path / "other.zip"), head[:1024])
    assert not READ.claims(str(tmp_path), b"")
    assert not READ.claims("https://example.org/x", b"")
    (tmp_path / "broken.zip").write_bytes(head[:40])
    assert not READ.claims(str(tmp_path / "broken.zip"), head[:40])


def test_remote_products_are_refused_in_words():
    href = "https://example.org/S2A_MSIL1C_20180101T105441.zip"
    assert READ.claims(href, b"PK\x03\x04....")
    with pytest.raises(Unsupported, match="local files"):
        list(READ.scan(href))


def hostile(path: Path, name: str, content: bytes = b"x", mode: int = 0o644, metadata: str = METADATA) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("MTD_MSIL2A.xml", metadata)
        member = zipfile.ZipInfo(name)
        member.external_attr = mode << 16
        member.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(member, content)
    return path


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b.jp2", "C:\\x.jp2", "a}{b", "x|y"])
def test_names_that_lead_out(tmp_path, name):
    with pytest.raises(Unreadable, match="leads out"):
        scanned(hostile(tmp_path / "a.zip", name))


def test_links_and_bombs(tmp_path):
    with pytest.raises(Unreadable, match="link"):
        scanned(hostile(tmp_path / "a.zip", "GRANULE/x", b"/etc/passwd", stat.S_IFLNK | 0o777))
    with pytest.raises(Unreadable, match="unpacks to"):
        scanned(hostile(tmp_path / "b.zip", "GRANULE/x", bytes(8 << 20)))


def test_many_members(tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(20_001):
            archive.writestr(f"{number}", b"")
    with pytest.raises(Unreadable, match="more than"):
        scanned(tmp_path / "many.zip")


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ("<a><b></a>", "broken"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "document type"),
        ("<a/>", "PRODUCT_START_TIME"),
        (METADATA.replace("10000", "0"), "positive"),
        (METADATA.replace("10000", "many"), "positive"),
        (METADATA, "no image"),
    ],
)
def test_broken_metadata(tmp_path, metadata, reason):
    with pytest.raises(Unreadable, match=reason):
        scanned(hostile(tmp_path / "a.zip", "GRANULE/x", metadata=metadata))


def test_no_metadata_and_cut_off(test_data, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x", "y")
    with pytest.raises(Unreadable, match="no MTD_MSIL1C"):
        scanned(tmp_path / "a.zip")
    whole = (test_data / REAL).read_bytes()
    cut = tmp_path / "S2A_MSIL1C_cut.zip"
    cut.write_bytes(whole[: len(whole) // 2])
    assert READ.claims(str(cut), whole[:1024])
    with pytest.raises(Unreadable, match="cut off"):
        scanned(cut)


def test_a_band_that_is_none(product, tmp_path):
    path = hostile(tmp_path / "a.zip", "GRANULE/T/IMG_DATA/T33_20230601T101601_B02.jp2", b"not jpeg 2000 at all")
    with pytest.raises(Unreadable):
        scanned(path)
    [array, *_] = scanned(product).parts[0].arrays
    array.codec["member"] = "../../etc/passwd"
    with pytest.raises(TerrellaError):
        READ.source(array, str(product))
