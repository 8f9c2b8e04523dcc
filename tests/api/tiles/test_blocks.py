"""Blocks over HTTP: their numbers against the files and against what EDR answers for the same cells."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import pytest

from api.tiles.conftest import LAT, LON, field
from terrella.site import Site


def block(web: httpx.Client, collection: str, **words: Any) -> tuple[dict[str, Any], np.ndarray]:
    """What a client makes of an answer: the description, and values of (steps, rows, columns)."""
    answer = web.get(f"/tiles/{collection}/cube", params=words)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.terrella.block"
    return read(answer.content)


def read(data: bytes) -> tuple[dict[str, Any], np.ndarray]:
    length = int.from_bytes(data[:4], "little")
    assert length % 4 == 0
    said = json.loads(data[4 : 4 + length])
    shape = said["steps"], said["height"], said["width"]
    rows = np.frombuffer(data[4 + length :], "<u2").reshape(shape)
    numbers = np.cumsum(rows, axis=2, dtype=np.uint16)
    one = said["variable"]
    return said, np.where(numbers == 0, np.nan, numbers * one["scale"] + one["offset"])


def middles(said: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    west, south, east, north = said["bbox"]
    columns, rows = np.arange(said["width"]) + 0.5, np.arange(said["height"]) + 0.5
    return west + columns * (east - west) / said["width"], north - rows * (north - south) / said["height"]


def test_every_cell_is_there_once(web) -> None:
    """A box of whole cells: the pixels are the cells."""
    said, values = block(web, "global", bbox="-1,-31,59,31", z=850)
    assert (said["steps"], said["height"], said["width"]) == (3, 31, 30)
    assert said["whole"] == {"steps": 3, "height": 31, "width": 30}
    assert said["depth"]["values"] == [f"2024-01-01T0{hour}:00:00Z" for hour in range(3)]
    assert said["at"] == {"level": 850.0}
    lon, lat = middles(said)
    rows, columns = np.searchsorted(-LAT, -lat), np.searchsorted(LON, lon)
    np.testing.assert_allclose([LAT[rows], LON[columns]][0], lat)
    expected = np.stack([field(hour, 850.0)[np.ix_(rows, columns)] for hour in range(3)])
    assert np.abs(values - expected).max() <= said["variable"]["scale"] / 2 + 1e-4


def test_the_same_numbers_as_edr(web) -> None:
    said, values = block(web, "global", bbox="9,39,21,51", z=500, datetime="2024-01-01T01:00Z/..")
    words = {"bbox": "9,39,21,51", "z": "500", "datetime": "2024-01-01T01:00Z/..", "f": "CoverageJSON"}
    answer = web.get("/ogc/collections/global/cube", params=words)
    assert answer.status_code == 200, answer.text
    cover = answer.json()
    cover = cover["coverages"][0] if "coverages" in cover else cover
    found = cover["ranges"]["t"]
    expected = np.array(found["values"], dtype=float).reshape(found["shape"])
    names = found["axisNames"]
    expected = expected.reshape([size for name, size in zip(names, found["shape"], strict=True) if name != "z"])
    axes = cover["domain"]["axes"]
    lats = axes["y"].get("values") or np.linspace(axes["y"]["start"], axes["y"]["stop"], axes["y"]["num"])
    if lats[0] < lats[-1]:
        expected = expected[:, ::-1]
    assert values.shape == expected.shape == (2, 6, 6)
    assert np.abs(values - expected).max() <= said["variable"]["scale"] / 2 + 1e-4


def test_levels_as_depth_and_a_member_of_a_forecast(web) -> None:
    said, values = block(web, "global", depth="level", datetime="2024-01-01T02:00Z")
    assert said["depth"]["values"] == [500.0, 850.0]
    assert np.nanmean(values[1] - values[0]) == pytest.approx(3.5, abs=said["variable"]["scale"])
    said, values = block(web, "run")
    assert said["depth"]["name"] == "step"
    assert said["depth"]["values"] == [0, 6, 12]
    assert len(said["at"]["reference_time"]) > 10


def test_many_steps_are_strided_evenly_and_said(web) -> None:
    said, values = block(web, "long")
    assert said["whole"]["steps"] == 10_000
    places = said["depth"]["places"]
    assert len(places) == said["steps"] <= 256
    assert set(np.diff(places)) == {40}
    np.testing.assert_allclose(values[:, 0, 0], places, atol=said["variable"]["scale"])
    few = block(web, "long", steps=10)[0]
    assert (few["steps"], few["depth"]["places"][1]) == (10, 1000)
    part = block(web, "long", datetime="2024-01-02T00:00Z/2024-01-02T05:00Z")[0]
    assert part["depth"]["places"] == [24, 25, 26, 27, 28, 29]


def test_shapes_that_are_asked_for(web) -> None:
    said, values = block(web, "global", width=36, height=18)
    assert values.shape == (3, 18, 36)
    assert said["whole"] == {"steps": 3, "height": 91, "width": 180}
    said, values = block(web, "global", bbox="170,-20,190,20")
    assert values.shape == (3, 21, 11)
    assert not np.isnan(values).any()
    lon, lat = middles(said)
    near = np.searchsorted(LON, np.mod(lon[5], 360))
    assert LON[near] == pytest.approx(lon[5])
    assert values[0, 10, 5] == pytest.approx(field(0, 500.0)[np.argmin(abs(LAT - lat[10])), near], abs=0.01)


def test_nothing_there_is_no_data(web) -> None:
    assert np.isnan(block(web, "long", bbox="-100,-50,-90,-40", steps=4)[1]).all()


def test_the_price_before(web) -> None:
    said = web.get("/tiles/long/cube", params={"f": "json", "steps": 100}).json()
    assert said["steps"] == 100
    assert said["bytes_read"] > 0
    answer = web.get("/tiles/long/cube", params={"steps": 100})
    assert int(answer.headers["terrella-bytes-read"]) <= said["bytes_read"]


def test_kept_by_tag_and_coded(web) -> None:
    first = web.get("/tiles/global/cube", headers={"Accept-Encoding": "gzip"})
    assert first.headers["content-encoding"] == "gzip"
    again = web.get("/tiles/global/cube", headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    plain = web.get("/tiles/global/cube", headers={"Accept-Encoding": "identity"})
    assert plain.content == first.content
    assert plain.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    ("collection", "words", "status", "parameter"),
    [
        ("nothing", {}, 404, None),
        ("cell", {}, 400, "variable"),
        ("packed", {}, 400, "variable"),
        ("scenes", {}, 501, None),
        ("global", {"depth": "number"}, 400, "depth"),
        ("global", {"depth": "<b>"}, 400, "depth"),
        ("global", {"datetime": "2024-01-01T01:00Z"}, 400, "datetime"),
        ("global", {"width": "0"}, 400, "width"),
        ("global", {"steps": "many"}, 400, "steps"),
        ("long", {"width": "2048", "height": "2048"}, 400, "steps"),
        ("global", {"bbox": "1,2,3"}, 400, "bbox"),
        ("global", {"f": "png"}, 400, "f"),
        ("global", {"colour": "red"}, 400, "colour"),
        ("global", {"variable": "u"}, 400, None),
    ],
)
def test_what_makes_no_block(web, collection: str, words: dict[str, str], status: int, parameter: str | None) -> None:
    answer = web.get(f"/tiles/{collection}/cube", params=words)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    if parameter:
        assert answer.json()["parameter"] == parameter


def test_limits_hold_before_reading(site: Site, web, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    monkeypatch.setattr(site.extractor, "_limits", replace(site.extractor.limits, values=1000))
    answer = web.get("/tiles/global/cube")
    assert answer.status_code == 413
    assert "1,000" in answer.json()["detail"]
