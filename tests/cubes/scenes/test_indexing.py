"""Which grid, times and pieces a set of scenes becomes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyproj
import pytest
from odc.geo.geobox import GeoBox

from terrella.cubes.images.gdal import TIFF, ImageFile
from terrella.cubes.scenes.expressions import parse_expression
from terrella.cubes.scenes.indexing import BLOCK, Scene, Wish, make_index
from terrella.cubes.scenes.rasters import RasterBand
from terrella.errors import Invalid
from terrella.grids import grid_from_json
from terrella.model.scan import Packing
from terrella.model.space import Extent

NOON = datetime(2023, 6, 1, 10, 30, tzinfo=UTC)


def band(name: str = "red", crs: str = "EPSG:32632", size: float = 10.0, item: str = "a", **more: Any) -> RasterBand:
    corner = more.pop("corner", (700000.0, 5200000.0))
    shape = more.pop("shape", (300, 200))
    transform = (size, 0.0, corner[0], 0.0, -size, corner[1])
    names = frozenset({name.casefold(), *more.pop("names", ())})
    dtype = more.pop("dtype", "<f4")
    image = ImageFile(f"/nowhere/{item}.tif", TIFF)
    return RasterBand(name, names, item, image, 1, crs, transform, *shape, dtype, Packing(), more)


def scene(item: str, *bands: RasterBand, taken: datetime | None = NOON, longitude: float = 11.0) -> Scene:
    return Scene(item, bands or (band(item=item),), taken, longitude)


def test_the_native_grid_is_kept() -> None:
    index = make_index([scene("a")], None, Wish())
    grid: Any = grid_from_json(index.grid)
    assert (grid.crs, grid.shape) == ("EPSG:32632", (300, 200))
    assert grid.transform == (10.0, 0.0, 700000.0, 0.0, -10.0, 5200000.0)
    assert index.variables[0].shape == (1, 300, 200)
    assert index.variables[0].pieces[0].positions[1:] == (None, None)


def test_the_extent_is_cut_on_the_same_squares() -> None:
    to = pyproj.Transformer.from_crs("EPSG:32632", "OGC:CRS84", always_xy=True)
    west, south = to.transform(700503, 5198807)
    east, north = to.transform(700697, 5198991)
    index = make_index([scene("a")], Extent(west, south, east, north), Wish())
    a, _, c, _, e, f = grid_from_json(index.grid).transform
    assert (a, e, c % 10, f % 10) == (10.0, -10.0, 0.0, 0.0)
    ny, nx = grid_from_json(index.grid).shape
    assert c <= 700503 - 20
    assert c + nx * a >= 700697 + 20
    assert nx <= 27
    assert ny <= 27


def test_the_reference_system_of_most_of_the_extent() -> None:
    there = band(crs="EPSG:32633", corner=(250000.0, 5200000.0), size=20.0, item="b")
    scenes = [scene("a"), scene("b", there, longitude=11.7)]
    assert make_index(scenes, Extent(11.63, 46.9, 11.65, 46.92), Wish()).attrs["crs"] == "EPSG:32632"
    assert make_index(scenes, Extent(11.75, 46.88, 11.76, 46.89), Wish()).attrs["crs"] == "EPSG:32633"


@pytest.mark.parametrize(
    ("wish", "crs", "size"),
    [
        (Wish(resolution=30.0), "EPSG:32632", (30.0, 30.0)),
        (Wish(crs="EPSG:3035"), "EPSG:3035", (10.0, 10.0)),
        (Wish(crs="EPSG:4326"), "EPSG:4326", (8.98e-05, 8.98e-05)),
        (Wish(crs="utm"), "EPSG:32632", (10.0, 10.0)),
        (Wish(crs="EPSG:4326", resolution=(0.001, 0.0005)), "EPSG:4326", (0.001, 0.0005)),
    ],
)
def test_what_is_stated(wish: Wish, crs: str, size: tuple[float, float]) -> None:
    index = make_index([scene("a")], None, wish)
    grid = grid_from_json(index.grid)
    lines = grid.coordinates()
    dy, dx = (abs(float(lines[dim][1] - lines[dim][0])) for dim in grid.dims)
    assert (grid.crs, pytest.approx((dx, dy))) == (crs, size)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(("crs", "size"), [("EPSG:3035", 25.0), ("EPSG:4326", 0.0003), ("EPSG:32633", 10.0)])
def test_the_corners_are_those_of_odc(crs: str, size: float) -> None:
    """odc-geo, too, puts corners at multiples of the resolution."""
    extent = Extent(11.63, 46.9, 11.65, 46.92)
    expected = GeoBox.from_bbox(
        (11.63, 46.9, 11.65, 46.92), "EPSG:4326", resolution=size / 111320 if crs != "EPSG:4326" else size
    ).to_crs(crs, resolution=size)
    grid = grid_from_json(make_index([scene("a")], extent, Wish(crs=crs, resolution=size)).grid)
    lines = grid.coordinates()
    x, y = (float(lines[dim][0]) for dim in reversed(grid.dims))
    a = expected.affine
    assert (x - size / 2 - a.c) / size == pytest.approx(round((x - size / 2 - a.c) / size), abs=1e-3)
    assert (y + size / 2 - a.f) / size == pytest.approx(round((y + size / 2 - a.f) / size), abs=1e-3)


def test_an_anchor() -> None:
    index = make_index([scene("a")], None, Wish(resolution=30.0, anchor=(7.0, 11.0)))
    transform = grid_from_json(index.grid).transform
    assert (transform[2] % 30, transform[5] % 30) == (7.0, 11.0)


def test_one_overpass_is_one_time() -> None:
    late = scene("b", taken=NOON + timedelta(seconds=25))
    next_day = scene("c", taken=NOON + timedelta(days=1))
    index = make_index([next_day, late, scene("a")], None, Wish())
    (axis,) = index.axes
    first = int(NOON.timestamp() * 1000)
    assert axis.values.tolist() == [first, first + 86_400_000]
    assert [piece.item for piece in index.variables[0].pieces] == ["a", "b", "c"]
    each = make_index([next_day, late, scene("a")], None, Wish(group="time"))
    assert each.axes[0].values.size == 3


def test_a_solar_day_is_not_a_day_of_greenwich() -> None:
    evening = datetime(2023, 6, 1, 23, 50, tzinfo=UTC)
    pair = [
        scene("a", taken=evening, longitude=178.0),
        scene("b", taken=evening + timedelta(minutes=20), longitude=178.0),
    ]
    assert make_index(pair, None, Wish()).axes[0].values.size == 1


def test_no_time_no_axis() -> None:
    index = make_index([scene("a", taken=None)], None, Wish())
    assert index.axes == ()
    assert index.variables[0].dims == ("y", "x")
    dated = make_index([scene("a", taken=None), scene("b")], None, Wish())
    assert [piece.item for piece in dated.variables[0].pieces] == ["b"]


def test_large_scenes_come_in_blocks() -> None:
    (piece,) = make_index([scene("a", band(shape=(5000, 700)))], None, Wish()).variables[0].pieces
    assert piece.array.chunks == (1, BLOCK, BLOCK)


def test_names_of_bands() -> None:
    bands = band("B04", names=("red",)), band("B08", names=("nir",)), band("B04_20", size=20.0, names=("red",))
    one = scene("a", *bands)
    index = make_index([one], None, Wish(bands=("red", "b08"), expressions=(parse_expression("d=nir-B04"),)))
    assert [variable.name for variable in index.variables] == ["red", "b08", "d"]
    red = index.variables[0].pieces[0].array.codec["bands"]["red"]
    assert red["transform"][0] == 10.0  # the finest that is called red
    with pytest.raises(Invalid, match=r"no band 'rad'.*'red'"):
        make_index([one], None, Wish(bands=("rad",)))
    with pytest.raises(Invalid, match="another name"):
        make_index([one], None, Wish(expressions=(parse_expression("time=nir-B04"),)))


def test_files_of_single_bands_are_one_scene() -> None:
    red, nir = scene("r", band("red", item="r")), scene("n", band("nir", item="n"))
    index = make_index([red, nir], None, Wish(expressions=(parse_expression("d=nir-red"),)))
    (piece,) = index.variables[0].pieces
    assert set(piece.array.codec["bands"]) == {"nir", "red"}
    apart = scene("n", band("nir", item="n"), taken=NOON + timedelta(hours=1))
    with pytest.raises(Invalid, match="all bands of 'd' together"):
        make_index([red, apart], None, Wish(expressions=(parse_expression("d=nir-red"),)))


def test_types() -> None:
    wide = scene("a", band("red"), band("big", dtype="<f8"))
    index = make_index([wide], None, Wish(bands=("red", "big"), expressions=(parse_expression("s=red+big"),)))
    assert [one.dtype for one in index.variables] == ["<f4", "<f8", "<f8"]


def test_around_the_antimeridian() -> None:
    here = band(crs="EPSG:4326", size=0.01, corner=(179.0, 10.0), shape=(100, 100), item="a")
    there = band(crs="EPSG:4326", size=0.01, corner=(-180.0, 10.0), shape=(100, 100), item="b")
    scenes = [scene("a", here), scene("b", there)]
    for extent in (None, Extent(179.2, 9.2, -179.2, 9.8)):
        index = make_index(scenes, extent, Wish())
        assert grid_from_json(index.grid).shape[1] <= 202
        assert {piece.item for piece in index.variables[0].pieces} == {"a", "b"}


def test_wrong_wishes() -> None:
    for wish, words in [
        (Wish(resolution=0.0), "positive"),
        (Wish(resolution=float("nan")), "positive"),
        (Wish(resolution=1e-300), "too fine"),
        (Wish(crs="EPSG:1"), "no coordinate reference system"),
        (Wish(crs="EPSG:4978"), "neither geographic nor projected"),
        (Wish(anchor=(float("inf"), 0.0), resolution=7.0), "anchor"),
    ]:
        with pytest.raises(Invalid, match=words):
            make_index([scene("a")], None, wish)
    with pytest.raises(Invalid, match="No scene covers"):
        make_index([scene("a")], Extent(0.0, 0.0, 1.0, 1.0), Wish())


def test_positions_are_where_the_pixels_are() -> None:
    east = band(corner=(701000.0, 5199500.0), item="b")
    index = make_index([scene("a"), scene("b", east)], None, Wish())
    whole = grid_from_json(index.grid)
    for piece, corner in zip(index.variables[0].pieces, [(700000.0, 5200000.0), (701000.0, 5199500.0)], strict=True):
        transform = piece.array.codec["transform"]
        rows, columns = (
            one if one is not None else np.arange(size)
            for one, size in zip(piece.positions[1:], whole.shape, strict=True)
        )
        assert transform[2] == whole.transform[2] + 10 * columns[0]
        assert transform[5] == whole.transform[5] - 10 * rows[0]
        assert abs(transform[2] - corner[0]) <= 10
        assert abs(transform[5] - corner[1]) <= 10
