"""Thumbnails are the data: their pixels are computed again from the files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
import rasterio
from PIL import Image

from api.conftest import serving
from api.tiles.conftest import LAT, LON, field
from scene_files import numbers, write_scene
from terrella.api.tiles import thumbnails
from terrella.api.tiles.thumbnails import true_colour
from terrella.catalog.cards import mark_of
from terrella.encodings.palettes import palette
from terrella.site import Site


def image(answer: httpx.Response) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return np.asarray(Image.open(BytesIO(answer.content)).convert("RGBA"))


def test_every_pixel_has_the_colour_of_the_nearest_cell_at_the_last_time(web: httpx.Client) -> None:
    found = image(web.get("/tiles/global/thumbnail"))
    assert found.shape == (180, 360, 4)
    values = field(2, 500.0).astype(np.float64)
    rows = np.abs(LAT[None, :] - (89.5 - np.arange(180))[:, None]).argmin(axis=1)
    columns = np.array([np.abs((LON - lon + 180) % 360 - 180).argmin() for lon in -179.5 + np.arange(360)])
    low, high = np.percentile(values, [2, 98], method="nearest")
    places = np.clip(np.rint((values - low) / (high - low) * 255), 0, 255).astype(int)
    colours = palette("viridis")[places[np.ix_(rows, columns)]]
    assert np.abs(found[..., :3].astype(int) - colours)[1:-1].max() <= 1  # at the poles all cells are as near
    assert (found[..., 3] == 255).all()


def test_a_small_region_has_room_around_it_and_nothing_there(web: httpx.Client) -> None:
    answer = web.get("/tiles/image/thumbnail")
    found = image(answer)
    assert found.shape == (180, 360, 4)
    assert (found[0, :, 3] == 0).all()
    assert (found[:, 0, 3] == 0).all()
    assert (found[..., 3] == 255).mean() > 0.2
    west, south, east, north = map(float, answer.headers["content-bbox"].split(","))
    box = web.get("/stac/collections/image").json()["extent"]["spatial"]["bbox"][0]
    assert west < box[0] < box[2] < east
    assert south < box[1] < box[3] < north


def test_red_green_and_blue_are_shown_as_the_eye_would(tmp_path: Path) -> None:
    bands = {name: numbers(number, (60, 80)) + 1 for number, name in enumerate(("blue", "green", "red", "nir"))}
    write_scene(tmp_path / "s.tif", bands, crs="EPSG:32633", corner=(600000.0, 5200000.0), taken="2023:06:01 10:30:00")
    with Site.open(tmp_path / "site") as site, serving(site) as address, httpx.Client(base_url=address) as web:
        site.add(tmp_path / "s.tif", collection="rgb")
        found = image(web.get("/tiles/rgb/thumbnail"))
        one = image(web.get("/tiles/rgb/thumbnail", params={"variable": "red"}))
        there = found[found[..., 3] == 255][:, :3]
        assert len(np.unique(there, axis=0)) > 1000  # more than a palette has
        with rasterio.open(tmp_path / "s.tif") as file:
            names = list(file.descriptions)
            stored = file.read(names.index("red") + 1).astype(float)
        levels = np.unique(there[:, 0])
        assert (levels.min(), levels.max()) == (0, 255)
        assert np.percentile(stored, 98) > np.percentile(stored, 2)
        assert not np.array_equal(found, one)


def test_what_is_known_by_its_mark_is_kept_for_ever(web: httpx.Client) -> None:
    text = web.get("/discover").json()["collections"]
    card = next(one for one in text if one["id"] == "global")
    kept = web.get(card["thumbnail"]["href"])
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    other = web.get("/tiles/global/thumbnail", params={"mark": mark_of(b"another")})
    assert other.headers["cache-control"] == "public, no-cache"
    again = web.get("/tiles/global/thumbnail", headers={"If-None-Match": other.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    scenes = next(one for one in text if one["id"] == "scenes")
    assert "immutable" not in web.get(scenes["thumbnail"]["href"]).headers["cache-control"]


def test_a_palette_range_and_level_can_be_asked_for(web: httpx.Client) -> None:
    plain = image(web.get("/tiles/global/thumbnail"))
    grey = image(web.get("/tiles/global/thumbnail", params={"palette": "grey", "range": "200,400"}))
    assert (grey[..., 0] == grey[..., 1]).all()
    assert not np.array_equal(plain, grey)


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ("width=0", 400, "width"),
        ("width=1025", 400, "width"),
        ("height=x", 400, "height"),
        ("palette=rainbow", 400, "palette"),
        ("f=values", 400, "f"),
        ("variable=nothere", 400, None),
        ("datetime=2050", 400, "datetime"),
        ("colour=red", 400, None),
    ],
)
def test_bad_input_is_refused(web: httpx.Client, query: str, status: int, parameter: str | None) -> None:
    answer = web.get(f"/tiles/global/thumbnail?{query}")
    assert answer.status_code == status, answer.text
    assert parameter is None or answer.json()["parameter"] == parameter


def test_what_is_not_there_is_not_found(web: httpx.Client) -> None:
    assert web.get("/tiles/nothere/thumbnail").status_code == 404


def test_a_picture_that_would_read_too_much_is_refused_before_it_is_read(
    web: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "MOST_READ", 10)
    answer = web.get("/tiles/global/thumbnail", params={"width": 77})
    assert answer.status_code == 413
    assert answer.json()["details"]["limit"] == 10


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["blue", "green", "red", "nir"], ["red", "green", "blue"]),
        (["B02", "B03", "B04", "B08"], ["B04", "B03", "B02"]),
        (["red_band", "green_band", "blue_band"], ["red_band", "green_band", "blue_band"]),
        (["red", "nir"], []),
        (["B2", "B3", "B4", "redness"], ["B4", "B3", "B2"]),
    ],
)
def test_bands_of_colours_are_known_by_their_names(names: list[str], found: list[str]) -> None:
    assert true_colour(names) == found


def test_bands_that_say_what_they_show_are_known_by_that() -> None:
    said = {"a": "blue", "b": "Green", "c": "red"}
    assert true_colour(list("abc"), said) == ["c", "b", "a"]
