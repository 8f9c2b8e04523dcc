"""Blocks of a stated grid against GDAL's own warper, run with an exact transformer over the whole raster."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.transform import Affine
from rasterio.warp import Resampling, reproject

from scene_files import numbers, write_scene
from terrella.cubes.images.gdal import TIFF, ImageFile
from terrella.cubes.scenes import warping
from terrella.cubes.scenes.warping import Block, Raster, checked_method, read, stored
from terrella.errors import Invalid, Unreadable
from terrella.model.scan import Packing

CORNER = (700000.0, 5200000.0)
OTHERS = ["EPSG:32632", "EPSG:32633", "EPSG:4326", "EPSG:3035", "EPSG:3857"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    values = {"red": numbers(1, (300, 260), holes=0.1)}
    return write_scene(folder / "scene.tif", values, overviews=(2, 4))


ZERO_IS_MISSING = Packing(missing=(0.0,))


def raster(path: Path, *, packing: Packing = ZERO_IS_MISSING, number: int = 1) -> Raster:
    with rasterio.open(path) as file:
        crs, transform = file.crs.to_string(), tuple(file.transform)[:6]
        return Raster(ImageFile(str(path), TIFF), number, crs, transform, file.height, file.width, "<f4", packing)


def warped(
    path: Path, block: Block, method: str = "nearest", *, level: int | None = None, **options_of_gdal: float
) -> np.ndarray:
    """GDAL's answer for the whole raster (or one of its overviews), missing as NaN."""
    options = {} if level is None else {"overview_level": level}
    with rasterio.open(path, **options) as file:
        values = file.read(1).astype("f4")
        values[values == 0] = np.nan
        out = np.full((block.rows, block.columns), np.nan, "f4")
        reproject(
            values, out, src_transform=file.transform, src_crs=file.crs, src_nodata=np.nan,
            dst_transform=Affine(*block.transform), dst_crs=block.crs, dst_nodata=np.nan,
            resampling=Resampling[method], tolerance=0, **options_of_gdal,
        )  # fmt: skip
    return out


def scales(block: Block) -> dict[str, float]:
    """Cells for each pixel along both axes, in the middle of the scene."""
    to = pyproj.Transformer.from_crs("EPSG:32632", block.crs, always_xy=True)
    x, y = to.transform(CORNER[0] + 1300, CORNER[1] - 1500)
    ends = [(x, y), (x + block.transform[0], y), (x, y + block.transform[4])]
    places = [to.transform(*end, direction="INVERSE") for end in ends]
    across, down = (np.hypot(*np.subtract(place, places[0])) / 10 for place in places[1:])
    return {"XSCALE": min(1.0, 1 / across), "YSCALE": min(1.0, 1 / down)}


def block_over(
    crs: str, size: float, *, shift: tuple[float, float] = (0.0, 0.0), shape: tuple[int, int] = (120, 110)
) -> Block:
    """A block that starts near the middle of the scene; `size` in metres, `shift` in cells."""
    to = pyproj.Transformer.from_crs("EPSG:32632", crs, always_xy=True)
    x, y = to.transform(CORNER[0] + 600, CORNER[1] - 500)
    cell = size / 111320 if crs == "EPSG:4326" else size
    a, e = cell, -cell
    return Block(
        crs,
        (a, 0.0, round(x / cell) * cell + shift[0] * cell, 0.0, e, round(y / cell) * cell + shift[1] * cell),
        *shape,
    )


@pytest.mark.parametrize("crs", OTHERS)
@pytest.mark.parametrize("size", [7.0, 10.0, 13.7])
def test_nearest_is_exact(scene: Path, crs: str, size: float) -> None:
    block = block_over(crs, size, shift=(0.31, 0.77))
    found = read(raster(scene), block, "nearest")
    assert found is not None
    assert np.isfinite(found).mean() > 0.5
    np.testing.assert_array_equal(found, warped(scene, block))


@given(st.sampled_from(OTHERS), st.floats(4, 19), st.floats(-90, 90), st.floats(-90, 90), st.integers(1, 40))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_nearest_is_exact_anywhere(scene: Path, crs: str, size: float, east: float, south: float, side: int) -> None:
    block = block_over(crs, size, shift=(east, south), shape=(side, side + 3))
    found = read(raster(scene), block, "nearest")
    expected = warped(scene, block)
    if found is None:
        assert np.isnan(expected).all()
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("method", ["bilinear", "cubic", "average", "mode"])
@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:32633", "EPSG:4326"])
def test_other_methods_are_gdals(scene: Path, method: str, crs: str) -> None:
    block = block_over(crs, 12.3, shift=(0.31, 0.77))
    found = read(raster(scene), block, method)
    options = scales(block) if method in ("bilinear", "cubic") else {}
    np.testing.assert_allclose(found, warped(scene, block, method, **options), rtol=1e-4)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "cubic", "average", "mode"])
@pytest.mark.parametrize(("crs", "size"), [("EPSG:32633", 8.0), ("EPSG:3035", 17.0), ("EPSG:4326", 20.1)])
def test_a_part_is_as_the_whole(scene: Path, method: str, crs: str, size: float) -> None:
    """A place has one number, however the grid around it is cut up: also where that reads an overview."""
    block = block_over(crs, size, shift=(0.31, 0.77))
    whole = read(raster(scene), block, method)
    assert whole is not None
    a, b, c, d, e, f = block.transform
    for row, column, rows, columns in [(0, 0, 1, 1), (40, 50, 1, 1), (33, 21, 3, 2), (60, 0, 1, 80), (7, 9, 50, 41)]:
        part = Block(crs, (a, b, c + a * column, d, e, f + e * row), rows, columns)
        found = read(raster(scene), part, method)
        expected = whole[row : row + rows, column : column + columns]
        if found is None:
            found = np.full_like(expected, np.nan)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=0.01)


def test_the_same_squares_are_read_as_they_are(scene: Path) -> None:
    block = Block("EPSG:32632", (10.0, 0.0, CORNER[0] - 50, 0.0, -10.0, CORNER[1] + 30), 60, 70)
    with rasterio.open(scene) as file:
        values = file.read(1).astype("f4")
    values[values == 0] = np.nan
    expected = np.full((60, 70), np.nan, "f4")
    expected[3:, 5:] = values[:57, :65]
    for method in ("nearest", "bilinear", "cubic"):
        np.testing.assert_array_equal(read(raster(scene), block, method), expected)


@pytest.mark.parametrize(("size", "level"), [(20.0, 0), (25.0, 0), (40.0, 1), (90.0, 1)])
@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:32633"])
def test_coarse_grids_read_overviews(scene: Path, crs: str, size: float, level: int) -> None:
    block = block_over(crs, size, shift=(-12.2, -11.1), shape=(40, 35))
    found = read(raster(scene), block, "nearest")
    assert np.isfinite(found).mean() > 0.1
    np.testing.assert_array_equal(found, warped(scene, block, level=level))


def test_packing(scene: Path) -> None:
    block = block_over("EPSG:32633", 10.0)
    packed = read(raster(scene, packing=Packing(1e-4, -0.1, (0.0,))), block, "nearest")
    plain = warped(scene, block)
    np.testing.assert_array_equal(packed, (plain.astype("f8") * 1e-4 - 0.1).astype("f4"))


def test_no_nodata_value_still_ends_at_the_border(tmp_path: Path) -> None:
    path = write_scene(tmp_path / "a.tif", {"grey": np.zeros((64, 64), "u1")}, nodata=None)
    for crs, shift in (("EPSG:32632", 20.0), ("EPSG:32632", 23.0)):
        block = Block(crs, (10.0, 0.0, CORNER[0] - shift, 0.0, -10.0, CORNER[1] + shift), 70, 70)
        found = read(raster(path, packing=Packing()), block, "nearest")
        assert np.isfinite(found).sum() == 64 * 64
        assert np.nanmax(found) == 0


def test_what_is_too_large_is_thinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without overviews a very coarse grid still reads few numbers at once, each of them from the right place."""
    monkeypatch.setattr(warping, "_MOST_PIXELS", 5000)
    scene = write_scene(tmp_path / "a.tif", {"red": numbers(1, (300, 260))})
    block = Block("EPSG:32632", (100.0, 0.0, CORNER[0], 0.0, -100.0, CORNER[1]), 30, 26)
    found = read(raster(scene), block, "nearest")
    with rasterio.open(scene) as file:
        values = file.read(1).astype("f4")
    for row, column in np.argwhere(np.isfinite(found)).tolist():
        assert found[row, column] in values[row * 10 : row * 10 + 10, column * 10 : column * 10 + 10]


def test_elsewhere_is_none(scene: Path) -> None:
    block = Block("EPSG:32632", (10.0, 0.0, 100000.0, 0.0, -10.0, 4000000.0), 50, 50)
    assert read(raster(scene), block, "nearest") is None
    assert stored(raster(scene), block, "nearest") == 0


def test_south_up_and_turned_rasters(tmp_path: Path) -> None:
    values = numbers(3, (80, 90))
    for number, transform in enumerate([Affine(10, 0, 7e5, 0, 10, 5.2e6), Affine(8, 3, 7e5, 2, -9, 5.2e6)]):
        path = tmp_path / f"{number}.tif"
        profile = {"driver": "GTiff", "height": 80, "width": 90, "count": 1, "dtype": "uint16", "crs": "EPSG:32632"}
        with rasterio.open(path, "w", transform=transform, nodata=0, **profile) as file:
            file.write(values, 1)
        a, b, c, d, e, f = tuple(transform)[:6]
        x, y = 20 * a + 20 * b + c, 20 * d + 20 * e + f
        block = Block("EPSG:32632", (11.0, 0.0, x, 0.0, -11.0, y), 30, 30)
        found = read(raster(path), block, "nearest")
        assert np.isfinite(found).any()
        np.testing.assert_array_equal(found, warped(path, block))


def test_stored_bytes_are_those_of_the_blocks(scene: Path) -> None:
    with rasterio.open(scene) as file:
        sizes = {
            (x, y): int(file.get_tag_item(f"BLOCK_SIZE_{x}_{y}", "TIFF", bidx=1)) for x in range(5) for y in range(5)
        }
    inside = Block("EPSG:32632", (10.0, 0.0, CORNER[0] + 700, 0.0, -10.0, CORNER[1] - 700), 40, 40)
    assert stored(raster(scene), inside, "nearest") == sizes[1, 1]
    whole = Block("EPSG:32632", (10.0, 0.0, CORNER[0], 0.0, -10.0, CORNER[1]), 300, 260)
    assert stored(raster(scene), whole, "nearest") == sum(sizes.values())
    coarse = Block("EPSG:32632", (40.0, 0.0, CORNER[0], 0.0, -40.0, CORNER[1]), 75, 65)
    assert stored(raster(scene), coarse, "nearest") < sum(sizes.values()) / 5


def test_a_broken_file_says_so(tmp_path: Path) -> None:
    path = write_scene(tmp_path / "a.tif", {"red": numbers(5, (300, 300))})
    band = raster(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    path.write_bytes(data)
    with pytest.raises(Unreadable):
        read(band, Block("EPSG:32632", (10.0, 0.0, CORNER[0], 0.0, -10.0, CORNER[1]), 300, 300), "nearest")


def test_methods() -> None:
    assert checked_method("cubic") == "cubic"
    with pytest.raises(Invalid, match="bilinear"):
        checked_method("bilinaer")
