"""STAC items of several styles as scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scene_files import numbers, write_scene
from terrella.cubes.formats.geotiff import GeoTiff
from terrella.cubes.scenes.items import scenes_of, taken
from terrella.errors import Unsupported
from terrella.model.scan import Packing


def item(assets: dict[str, Any], **properties: Any) -> dict[str, Any]:
    box = [11.5, 46.8, 11.7, 47.0]
    return {
        "id": "one",
        "bbox": box,
        "properties": {"datetime": "2023-06-01T10:30:00Z", **properties},
        "assets": assets,
    }


@pytest.fixture
def red(tmp_path: Path) -> Path:
    return write_scene(tmp_path / "T32_B04.tif", {"grey": numbers(1, (40, 30))}, nodata=None)


def bands_of(tmp_path: Path, document: dict[str, Any]) -> Any:
    (scene,) = scenes_of([document], {}, lambda: [str(tmp_path / "item.json")])
    return scene


def test_stac_1_0(tmp_path: Path, red: Path) -> None:
    asset = {
        "href": str(red),
        "type": "image/tiff; application=geotiff",
        "eo:bands": [{"name": "B04", "common_name": "red"}],
        "raster:bands": [{"nodata": 0, "scale": 0.0001, "offset": -0.1}],
    }
    scene = bands_of(tmp_path, item({"visual_red": asset}))
    (band,) = scene.bands
    assert band.name == "B04"
    assert {"b04", "red", "visual_red"} <= band.names
    assert band.packing == Packing(0.0001, -0.1, (0.0,))
    assert (band.crs, band.height, band.width) == ("EPSG:32632", 40, 30)


def test_stac_1_1(tmp_path: Path, red: Path) -> None:
    asset = {"href": str(red), "bands": [{"name": "B04", "eo:common_name": "red", "nodata": "nan", "raster:scale": 2}]}
    (band,) = bands_of(tmp_path, item({"B04": asset})).bands
    assert band.packing == Packing(2.0)
    assert band.is_called("RED")


def test_the_word_of_the_file_goes_first(tmp_path: Path) -> None:
    path = write_scene(tmp_path / "a.tif", {"red": numbers(1, (40, 30))}, nodata=7, scale=0.5)
    asset = {"href": str(path), "raster:bands": [{"nodata": 0, "scale": 3.0}]}
    assert bands_of(tmp_path, item({"a": asset})).bands[0].packing == Packing(0.5, 0.0, (7.0,))


def test_common_names_of_sentinel_2(tmp_path: Path, red: Path) -> None:
    (band,) = bands_of(tmp_path, item({"B04": {"href": str(red)}}, platform="sentinel-2a")).bands
    assert band.is_called("red")
    (band,) = bands_of(tmp_path, item({"B04": {"href": str(red)}})).bands
    assert not band.is_called("red")


def test_several_bands_in_a_file(tmp_path: Path) -> None:
    path = write_scene(tmp_path / "a.tif", {"red": numbers(1, (40, 30)), "nir": numbers(2, (40, 30))})
    assert [one.name for one in bands_of(tmp_path, item({"data": {"href": str(path)}})).bands] == ["red", "nir"]
    said = {"href": str(path), "eo:bands": [{"name": "B4"}, {"name": "B8"}]}
    scene = bands_of(tmp_path, item({"data": said}))
    assert [one.number for one in (scene.band("B8"), scene.band("nir"))] == [2, 2]


def test_pictures_and_texts_are_no_data(tmp_path: Path, red: Path) -> None:
    assets = {
        "thumbnail": {"href": str(red), "roles": ["thumbnail"]},
        "meta": {"href": str(tmp_path / "a.xml"), "type": "application/xml"},
    }
    with pytest.raises(Unsupported, match="No item there has a raster"):
        bands_of(tmp_path, item(assets))
    scene = bands_of(tmp_path, item(assets | {"B04": {"href": str(red), "roles": ["data"]}}))
    assert len(scene.bands) == 1


def test_local_files_elsewhere_are_not_opened(tmp_path: Path, red: Path) -> None:
    document = item({"B04": {"href": str(red)}})
    with pytest.raises(Unsupported, match="beside the files that were added"):
        scenes_of([document], {}, lambda: [str(tmp_path / "other" / "item.json")])
    with pytest.raises(Unsupported, match="beside the files that were added"):
        scenes_of([document], {}, lambda: ["https://example.org/item.json"])
    sneaky = item({"B04": {"href": f"{tmp_path}/sub/../../{tmp_path.name}/{red.name}"}})
    with pytest.raises(Unsupported):
        scenes_of([sneaky], {}, lambda: [str(tmp_path / "sub" / "item.json")])


def test_a_file_that_is_gone_or_broken_is_left_out(tmp_path: Path, red: Path) -> None:
    (tmp_path / "bad.tif").write_bytes(b"II*\0" + bytes(100))
    assets = {"gone": {"href": str(tmp_path / "gone.tif")}, "bad": {"href": str(tmp_path / "bad.tif")}}
    with pytest.raises(Unsupported, match="one: "):
        bands_of(tmp_path, item(assets))
    assert len(bands_of(tmp_path, item(assets | {"B04": {"href": str(red)}})).bands) == 1


def test_scanned_files_need_no_opening(tmp_path: Path, red: Path) -> None:
    (scan,) = GeoTiff().scan(str(red))
    red.unlink()
    (scene,) = scenes_of([item({"data": {"href": str(red)}})], {str(red): scan}, list)
    (band,) = scene.bands
    np.testing.assert_allclose(band.transform, (10.0, 0.0, 700000.0, 0.0, -10.0, 5200000.0))


def test_times() -> None:
    assert str(taken(item({}))) == "2023-06-01 10:30:00+00:00"
    assert taken(item({}, datetime=None, start_datetime="2020-01-01T00:00:00Z")).year == 2020
    assert taken(item({}, datetime=None)) is None
    assert taken(item({}, **{"terrella:undated": True})) is None
