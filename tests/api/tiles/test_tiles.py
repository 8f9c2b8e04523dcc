"""Tiles over HTTP: the numbers against the files, by rules of arithmetic that know nothing of ours."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import httpx
import netCDF4
import numpy as np
import pyproj
import pytest
import rasterio

from api.tiles.conftest import LAT, LON, field
from encodings_of_tiles import rgba, values_in
from terrella.site import Site

CRS84, MERCATOR = "WorldCRS84Quad", "WebMercatorQuad"


def tileset(web: httpx.Client, collection: str, **words: Any) -> dict[str, Any]:
    answer = web.get(f"/tiles/{collection}", params=words)
    assert answer.status_code == 200, answer.text
    return answer.json()


def tile(web: httpx.Client, collection: str, place: str, matrices: str = CRS84, **words: Any) -> httpx.Response:
    answer = web.get(f"/tiles/{collection}/{matrices}/{place}", params=words)
    assert answer.status_code == 200, answer.text
    return answer


def places(zoom: int, row: int, column: int, border: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of the pixels of a CRS84 tile; beyond a pole on its other side."""
    step = 180 / 2**zoom / 256
    k = np.arange(-border, 256 + border) + 0.5
    lon, lat = np.meshgrid(-180 + column * 256 * step + k * step, 90 - row * 256 * step - k * step)
    beyond = np.abs(lat) > 90
    return np.where(beyond, lon + 180, lon), np.where(beyond, np.sign(lat) * 180 - lat, lat)


def nearest(
    values: np.ndarray, lon: np.ndarray, lat: np.ndarray, *, lats=LAT, lons=LON
) -> tuple[np.ndarray, np.ndarray]:
    """Value of the cell nearest on the sphere by brute force, and whether another is as near (to 1e-9)."""

    def vectors(lon, lat):
        lon, lat = np.radians(lon), np.radians(lat)
        return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)

    centres = vectors(*(one.ravel() for one in np.meshgrid(lons, lats)))
    like = vectors(lon.ravel(), lat.ravel()) @ centres.T
    best = like.argmax(axis=1)
    tie = (like >= like.max(axis=1, keepdims=True) - 1e-12).sum(axis=1) > 1
    return values.ravel()[best].reshape(lon.shape), tie.reshape(lon.shape)


@pytest.mark.parametrize("place", [(0, 0, 0), (1, 0, 3), (1, 1, 0), (3, 4, 15), (6, 20, 99)])
def test_values_are_those_of_the_nearest_cells(web, place) -> None:
    said = tileset(web, "global")["variables"][0]
    answer = tile(
        web, "global", "/".join(map(str, place)), f="values", variable="t", datetime="2024-01-01T01:00Z", z=850
    )
    found = values_in(answer, said)
    assert found.shape == (258, 258)
    pick = np.unique([*range(0, 258, 9), 0, 1, 256, 257])
    lon, lat = (one[np.ix_(pick, pick)] for one in places(*place))
    expected, ties = nearest(field(1, 850.0), lon, lat)
    off = np.abs(found[np.ix_(pick, pick)] - expected)[~ties]
    assert off.max() <= said["scale"] / 2 + 1e-4  # float32 of the file
    assert answer.headers["terrella-scale"] == repr(said["scale"])


def test_borders_are_the_neighbours(web) -> None:
    """Over the antimeridian, too: the first pixels of one tile are the last of the one before."""
    said = tileset(web, "global")["variables"][0]
    row = [values_in(tile(web, "global", f"2/1/{column}", f="values"), said) for column in range(8)]
    for west, east in pairwise([*row, row[0]]):
        assert (west[:, -2:] == east[:, :2]).all()
    north, south = (values_in(tile(web, "global", f"2/{number}/3", f="values"), said) for number in (1, 2))
    assert (north[-2:] == south[:2]).all()
    top, other = (values_in(tile(web, "global", f"1/0/{column}", f="values"), said) for column in (0, 2))
    assert (top[0, 1:-1] == other[1, 1:-1]).all()  # beyond the pole lies the far side


def test_png_is_the_palette_of_the_value_exactly(web) -> None:
    pick = np.ix_(range(0, 256, 7), range(0, 256, 7))
    palette = np.array(
        [
            [int(one[k : k + 2], 16) for k in (1, 3, 5)]
            for one in web.get("/tiles/palettes").json()["palettes"]["cividis"]
        ]
    )
    words = {"variable": "holes", "palette": "cividis", "range": "270,300"}
    found = rgba(tile(web, "odd", "2/1/5", f="png", **words).content)[pick]
    expected, ties = nearest(
        np.where(np.arange(91)[:, None] % 3 == 0, np.nan, field(0)), *(one[pick] for one in places(2, 1, 5, 0))
    )
    shown = ~np.isnan(expected)
    number = np.clip(np.rint((expected.astype("f8") - 270) / 30 * 255), 0, 255)
    assert (found[..., 3][~ties] == np.where(shown, 255, 0)[~ties]).all()
    clear = shown & ~ties
    assert (found[clear][:, :3] == palette[number[clear].astype(int)]).all()
    turned = rgba(tile(web, "odd", "2/1/5", f="png", **words | {"palette": "cividis_r"}).content)[pick]
    assert (turned[clear][:, :3] == palette[255 - number[clear].astype(int)]).all()


def test_mercator_as_gdal_warps_it(web) -> None:
    """WebMercatorQuad against GDAL's nearest neighbours of the same field."""
    from rasterio.transform import Affine
    from rasterio.warp import Resampling, reproject

    said = tileset(web, "global")["variables"][0]
    found = values_in(tile(web, "global", "3/3/4", MERCATOR, f="values", datetime="2024-01-01T02:00Z", z=500), said)[
        1:-1, 1:-1
    ]
    half, side = 20037508.342789244, 2 * 20037508.342789244 / 8
    transform = Affine(side / 256, 0, -half + 4 * side, 0, -side / 256, half - 3 * side)
    expected = np.full((256, 256), np.nan, dtype="f4")
    source = Affine(2, 0, -1, 0, -2, 91)  # LON begins at 0, so that this tile does not touch the seam
    reproject(
        field(2, 500.0),
        expected,
        src_transform=source,
        src_crs="EPSG:4326",
        dst_transform=transform,
        dst_crs="EPSG:3857",
        resampling=Resampling.nearest,
    )
    differ = np.abs(found - expected) > said["scale"]
    # GDAL takes the nearest in degrees, we on the sphere: only along the borders of cells may they differ
    assert differ.mean() < 0.02
    assert pyproj is not None


def test_lossless_where_the_file_is_packed(web, files) -> None:
    said = tileset(web, "packed")["variables"][0]
    assert said["exact"]
    with netCDF4.Dataset(files["packed"]) as file:
        file.set_auto_maskandscale(False)
        stored = np.where(file["sst"][:] == -32768, np.nan, file["sst"][:].astype("f8"))
    pick = np.ix_(range(0, 258, 7), range(0, 258, 7))
    numbers = (values_in(tile(web, "packed", "4/5/20", f="values"), said)[pick] - 280.0) / 0.01
    numbers = np.where(np.abs(numbers - np.rint(numbers)) < 1e-6, np.rint(numbers), -99999)
    expected, ties = nearest(stored, *(one[pick] for one in places(4, 5, 20)))
    same = (numbers == expected) | (np.isnan(expected) & np.isnan(numbers))
    assert same[~ties].all()


def test_the_same_value_as_position_and_zarr(web) -> None:
    """One cell: the tile agrees with EDR within half a step, at the same nearest cell."""
    said = tileset(web, "global")["variables"][0]
    lon, lat = places(3, 2, 9)
    found = values_in(tile(web, "global", "3/2/9", f="values", datetime="2024-01-01T00:00Z", z=500), said)
    for row, column in ((5, 5), (100, 200), (255, 3)):
        words = {"coords": f"POINT({lon[row, column]} {lat[row, column]})", "datetime": "2024-01-01T00:00Z", "z": 500}
        cut = web.get("/ogc/collections/global/position", params=words).json()
        value = cut["ranges"]["t"]["values"][0]
        assert abs(found[row, column] - value) <= said["scale"] / 2 + 1e-6


@pytest.mark.parametrize("collection", ["scenes", "image"])
def test_images_by_their_pixels_and_overviews(web, files, site, collection) -> None:
    """Near: the nearest pixels of the image of that day; far: something of its overviews; elsewhere nothing."""
    whole = tileset(web, collection)
    said = whole["variables"][0]
    assert said["name"] == "red"
    assert bool(whole["version"]) == (collection == "image")  # scenes have no grid in common, so no addresses for ever
    assert said["exact"]
    with rasterio.open(files["scenes"] / "s1.tif") as image:
        west, north = pyproj.Transformer.from_crs(image.crs, "OGC:CRS84", always_xy=True).transform(
            *image.transform @ (320, 300)
        )
        pixels, to_image = image.read(1), pyproj.Transformer.from_crs("OGC:CRS84", image.crs, always_xy=True)
        inverse = ~image.transform
    zoom = 13
    side = 180 / 2**zoom
    row, column = int((90 - north) / side), int((west + 180) / side)
    found = values_in(
        tile(web, collection, f"{zoom}/{row}/{column}", f="values", variable="red", datetime="2023-06-02"), said
    )
    x, y = to_image.transform(*places(zoom, row, column))
    j, i = (np.floor(one).astype(int) for one in inverse @ (x, y))
    inside = (i >= 0) & (i < 600) & (j >= 0) & (j < 640)
    expected = np.where(inside, pixels[np.clip(i, 0, 599), np.clip(j, 0, 639)], 0)
    expected = np.where(expected == 0, np.nan, expected)
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    assert same.mean() > 0.97  # pixels and tiles of about one size: places on borders may fall either way
    site.cubes.forget()
    answer = tile(web, collection, f"7/{row >> 6}/{column >> 6}", f="values", variable="red", datetime="2023-06-02")
    far = values_in(answer, said)
    assert 0 < np.isfinite(far).sum() < 500
    assert int(answer.headers["terrella-bytes-read"]) < (files["scenes"] / "s1.tif").stat().st_size / 4
    assert np.isnan(values_in(tile(web, collection, "7/100/10", f="values"), said)).all()
    assert (rgba(tile(web, collection, "7/100/10").content)[..., 3] == 0).all()


def test_runs_and_steps(web) -> None:
    said = tileset(web, "run")
    assert {one["name"] for one in said["axes"]} <= {"reference_time", "step", "time"}
    words = {"step": 6} if "step" in {one["name"] for one in said["axes"]} else {"datetime": "2024-03-01T06:00Z"}
    answer = tile(web, "run", "1/0/1", f="values", **words)
    assert np.isfinite(values_in(answer, said["variables"][0])).all()
    # of both runs that tell of noon, the later
    answer = web.get(f"/tiles/run/{CRS84}/1/0/1", params={"f": "values", "datetime": "2024-03-01T12:00Z"})
    assert answer.status_code == 200, answer.text


# --- awkward data ---


def test_all_missing(web) -> None:
    said = tileset(web, "odd", variable="missing")["variables"][0]
    assert said["range"] is None
    assert np.isnan(values_in(tile(web, "odd", "0/0/0", f="values", variable="missing"), said)).all()
    assert (rgba(tile(web, "odd", "0/0/0", variable="missing").content)[..., 3] == 0).all()


def test_a_range_of_1e_30(web) -> None:
    said = tileset(web, "odd", variable="tiny")["variables"][0]
    low, high = said["range"]
    assert 0 <= low < high <= 1e-30
    found = values_in(tile(web, "odd", "1/0/1", f="values", variable="tiny"), said)
    assert 0 <= found.min() < found.max() <= 1e-30 * 1.001
    assert (
        len(
            np.unique(
                rgba(tile(web, "odd", "1/0/1", variable="tiny", range="0,1e-30").content)[..., :3].reshape(-1, 3),
                axis=0,
            )
        )
        > 50
    )


def test_one_value_everywhere(web) -> None:
    said = tileset(web, "odd", variable="constant")["variables"][0]
    assert said["range"][0] < 7.25 < said["range"][1]
    assert np.allclose(values_in(tile(web, "odd", "0/0/1", f="values", variable="constant"), said), 7.25, atol=1e-9)


def test_a_single_cell(web) -> None:
    said = tileset(web, "cell")["variables"][0]
    found = values_in(tile(web, "cell", "5/7/33", f="values"), said)
    assert set(np.unique(found[np.isfinite(found)])) == {found[np.isfinite(found)][0]}
    assert found[np.isfinite(found)][0] == pytest.approx(281.5, abs=said["scale"])
    lon, lat = places(5, 7, 33)
    assert (np.abs(lon[np.isfinite(found)] - 11) < 1).all()
    assert (np.abs(lat[np.isfinite(found)] - 47) < 1).all()


def test_ten_thousand_times(web) -> None:
    said = tileset(web, "long")
    axis = said["axes"][0]
    assert (axis["count"], axis["step"], axis["first"]) == (10_000, 3_600_000, "2024-01-01T00:00:00Z")
    assert "values" not in axis
    found = values_in(tile(web, "long", "4/7/17", f="values", datetime="2024-09-01T05:00Z"), said["variables"][0])
    assert np.nanmax(found) == pytest.approx(244 * 24 + 5, abs=said["variables"][0]["scale"])


def test_classes(web) -> None:
    said = tileset(web, "classes")["variables"][0]
    assert [one["name"] for one in said["classes"]] == ["a", "b", "c", "d", "e"]
    assert said["exact"]
    assert set(np.unique(values_in(tile(web, "classes", "0/0/0", f="values"), said))) == {0, 1, 2, 3, 4}


def test_markup_stays_text(web) -> None:
    answer = web.get("/tiles/markup")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["variables"][0]["title"] == "<script>alert(1)</script>"


# --- the rules of HTTP ---


@pytest.mark.parametrize(
    ("accept", "coding"), [("gzip", "gzip"), ("zstd, gzip", "zstd"), ("deflate", "deflate"), ("", None)]
)
def test_codings(web, accept, coding) -> None:
    with web.stream("GET", f"/tiles/global/{CRS84}/1/0/1?f=values", headers={"Accept-Encoding": accept}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == coding
    assert "Accept-Encoding" in answer.headers["vary"]
    assert len(raw) < 2 * 258 * 258 or coding is None


def test_tags_and_addresses_for_ever(web) -> None:
    said = tileset(web, "global")
    template = said["tiles"]["values"]
    kept = template.replace("{tileMatrix}/{tileRow}/{tileCol}", "1/0/1").replace("{variable}", "t")
    first = web.get(kept)
    assert first.status_code == 200
    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    plain = tile(web, "global", "1/0/1", f="values", variable="t")
    assert plain.headers["cache-control"] == "public, no-cache"
    assert plain.headers["etag"] == first.headers["etag"]
    again = web.get(kept, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    gone = web.get(kept.replace(said["version"], "1.0123"))
    assert gone.status_code == 409
    assert said["version"] in gone.json()["detail"]
    other = tile(web, "global", "1/0/1", f="values", variable="t", z=850)
    assert other.headers["etag"] != first.headers["etag"]
    assert web.head(kept).headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("nothing/WorldCRS84Quad/0/0/0", 404, "nothing"),
        ("global/Quad/0/0/0", 404, "WorldCRS84Quad"),
        ("global/WorldCRS84Quad/0/0/2", 404, "columns 0..1"),
        ("global/WorldCRS84Quad/99/0/0", 404, "zooms 0..17"),
        ("global/WorldCRS84Quad/-1/0/0", 404, "whole number"),
        ("global/WorldCRS84Quad/0/0/0.png", 404, "whole number"),
        ("global/WorldCRS84Quad/0/0/0?f=jpeg", 400, "png"),
        ("global/WorldCRS84Quad/0/0/0?variable=temp", 400, "t"),
        ("global/WorldCRS84Quad/0/0/0?datetime=2025-01-01", 400, "2024-01-01"),
        ("global/WorldCRS84Quad/0/0/0?datetime=soon", 400, "soon"),
        ("global/WorldCRS84Quad/0/0/0?datetime=2024-01-01", 400, "one step"),
        ("global/WorldCRS84Quad/0/0/0?z=700", 400, "500"),
        ("global/WorldCRS84Quad/0/0/0?z=500&level=500", 400, "the same"),
        ("global/WorldCRS84Quad/0/0/0?z=500&z=850", 400, "twice"),
        ("global/WorldCRS84Quad/0/0/0?number=0", 400, "axis"),
        ("global/WorldCRS84Quad/0/0/0?variable=", 400, "empty"),
        ("global/WorldCRS84Quad/0/0/0?range=1", 400, "LOW,HIGH"),
        ("global/WorldCRS84Quad/0/0/0?range=2,1", 400, "LOW,HIGH"),
        ("global/WorldCRS84Quad/0/0/0?range=nan,1", 400, "number"),
        ("global/WorldCRS84Quad/0/0/0?palette=virdis", 400, "viridis"),
        ("global/WorldCRS84Quad/0/0/0?f=values&palette=viridis", 400, "colours"),
        ("scenes/v/1.x/WorldCRS84Quad/0/0/0", 501, "ever"),
        ("collections/global/map?bbox=1,2,3", 400, "bbox"),
        ("collections/global/map?bbox=0,10,20,10", 400, "bbox"),
        ("collections/global/map?width=100000", 400, "2048"),
        ("collections/global/map?f=values", 400, "png"),
        ("collections/nothing/map", 404, "nothing"),
        ("global?f=html", 400, "json"),
        ("global?foo=1", 400, "foo"),
        ("global/Quad", 404, "WorldCRS84Quad"),
        ("global/tilejson.json?variable=%3Cscript%3E", 400, "variable"),
    ],
)
def test_bad_input(web, path, status, said) -> None:
    answer = web.get(f"/tiles/{path}")
    assert answer.status_code == status, answer.text
    assert said in answer.json()["detail"]


def test_limits_and_rules(files, tmp_path) -> None:
    from api.conftest import serving

    site = Site.open(
        tmp_path, limits={"bytes_read": 100}, access={"rules": [{"name": "some", "collections": "id = 'odd'"}]}
    )
    for name in ("global", "odd"):
        site.add(files[name], collection=name)
    with serving(site) as address, httpx.Client(base_url=address) as web:
        large = web.get(f"/tiles/odd/{CRS84}/0/0/0", params={"range": "0,1", "variable": "holes"})
        assert large.status_code == 413
        assert "limits.bytes_read" in large.json()["detail"]
        assert web.get(f"/tiles/global/{CRS84}/0/0/0").status_code == 404
        assert web.get("/tiles/global").status_code == 404
        assert [one["id"] for one in web.get("/tiles/collections").json()["collections"]] == ["odd"]


def test_bytes_are_on_the_account(web, site) -> None:
    before = tile(web, "global", "0/0/1", f="values", datetime="2024-01-01T01:00Z", z=500)
    site.cubes.forget()
    after = tile(web, "global", "0/0/1", f="values", datetime="2024-01-01T01:00Z", z=500)
    assert int(after.headers["terrella-bytes-read"]) > 1000
    assert before.content == after.content


def test_quotas_know_the_collection() -> None:
    from terrella.api.accounting import collection_in

    assert collection_in("/tiles/sea%20ice/v/1.ab/WorldCRS84Quad/0/0/0") == "sea ice"
    assert collection_in("/tiles/collections/t2m/map") == "t2m"


def test_large_maps_of_any_grid_are_made_in_parts(web) -> None:
    answer = web.get("/tiles/collections/run/map", params={"width": 1200, "height": 600})
    assert rgba(answer.content).shape == (600, 1200, 4)


def test_an_optimised_copy_is_read_where_that_is_less(tmp_path) -> None:
    """Chunks of many times against whole fields: equal tiles from fewer bytes."""
    from terrella.extraction.tiling import View
    from terrella.grids.matrices import matrix_set
    from terrella.model.caller import OPERATOR
    from terrella.model.ids import CollectionId

    path = tmp_path / "t.nc"
    values = np.random.default_rng(5).normal(280, 10, (48, 60, 90)).astype("f4")
    with netCDF4.Dataset(path, "w") as file:
        for dim, line, units in (
            ("time", np.arange(48), "hours since 2024-01-01"),
            ("lat", 89.0 - 3 * np.arange(60), "degrees_north"),
            ("lon", 4.0 * np.arange(90), "degrees_east"),
        ):
            file.createDimension(dim, len(line))
            file.createVariable(dim, "f8", (dim,)).units = units
            file[dim][:] = line
        made = file.createVariable("t", "f4", ("time", "lat", "lon"), zlib=True, chunksizes=(48, 60, 90))
        made[:] = values
    with Site.open(tmp_path / "site") as site:
        site.add(path, collection="t")
        pixels, found = matrix_set(CRS84).tile(0, 0, 1, 1), []
        for _ in range(2):
            shown = site.tiler.shown(OPERATOR, View(CollectionId("t")), pixels)
            site.cubes.forget()
            found.append(site.tiler.painted(OPERATOR, shown, pixels))
            site.optimise("t", purpose="maps")
    before, after = found
    assert (before.sampling.spread(before.numbers) == after.sampling.spread(after.numbers)).all()
    assert after.bytes_read < before.bytes_read / 10
