"""Tiles of cubes with overviews: far out means over cells, near the cells themselves; against means worked out here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from api.conftest import serving
from api.tiles.conftest import write
from encodings_of_tiles import rgba, values_in
from terrella.site import Site

ROWS, COLUMNS = 512, 1024
STEP = 180 / ROWS
LAT, LON = 90 - STEP / 2 - STEP * np.arange(ROWS), -180 + STEP / 2 + STEP * np.arange(COLUMNS)


def rough() -> np.ndarray:
    """Kelvin; neighbours differ much, and a part is missing."""
    values = np.random.default_rng(7).uniform(270, 310, (ROWS, COLUMNS)).astype("f4")
    values[100:140, 200:260] = np.nan
    values[::7, ::5] = np.nan
    return values


def means(values: np.ndarray, side: int) -> np.ndarray:
    """Over squares of cells, by their areas on the sphere, leaving out what is missing."""
    edges = np.radians(90 - STEP * np.arange(ROWS + 1))
    areas = np.broadcast_to((np.sin(edges[:-1]) - np.sin(edges[1:]))[:, None], values.shape)
    weights = np.where(np.isnan(values), 0, areas)

    def folded(numbers: np.ndarray) -> np.ndarray:
        return numbers.reshape(ROWS // side, side, COLUMNS // side, side).sum(axis=(1, 3))

    with np.errstate(invalid="ignore"):
        return folded(np.nan_to_num(values.astype("f8")) * weights) / folded(weights)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("far")
    made = Site.open(folder / "site")
    files = {
        "rough": write(folder / "rough.nc", {"t": np.stack([rough(), rough() + 1])}, lat=LAT, lon=LON, hours=2),
        "land": write(
            folder / "land.nc",
            {"c": (np.arange(ROWS * COLUMNS).reshape(1, ROWS, COLUMNS) % 5).astype("i1")},
            lat=LAT,
            lon=LON,
            units="1",
            flag_values=np.arange(5, dtype="i1"),
            flag_meanings="a b c d e",
        ),
    }
    for name, path in files.items():
        assert not made.add(path, collection=name).failures
    return made


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[httpx.Client]:
    with serving(site) as address, httpx.Client(base_url=address, timeout=60) as made:
        yield made


@pytest.fixture(scope="module")
def before(client: httpx.Client) -> dict[str, Any]:
    """What was said before there were overviews."""
    said = client.get("/tiles/rough").json()
    tile = client.get("/tiles/rough/WorldCRS84Quad/0/0/0?f=values")
    return {"version": said["version"], "tag": tile.headers["etag"], "said": said["variables"][0]}


@pytest.fixture(scope="module")
def web(site: Site, client: httpx.Client, before: dict[str, Any]) -> httpx.Client:
    """With overviews, which were written while the server runs."""
    assert before
    for name in ("rough", "land"):
        site.optimise(name, purpose="maps")
    return client


def test_far_out_means_are_shown(web) -> None:
    said = web.get("/tiles/rough").json()["variables"][0]
    assert said["overviews"]["method"].startswith("area-weighted mean")
    assert said["overviews"]["zooms"]["WorldCRS84Quad"] == 0
    for zoom, side in ((0, 2), (1, 1)):
        answer = web.get(f"/tiles/rough/WorldCRS84Quad/{zoom}/0/0?f=values&datetime=2024-01-01T00:00Z")
        expected = means(rough(), side) if side > 1 else rough()
        found = values_in(answer, said)[1:-1, 1:-1]
        expected = expected[:256, :256]
        assert (np.isnan(found) == np.isnan(expected)).all()
        assert np.nanmax(np.abs(found - expected)) <= said["scale"] / 2 + 1e-4
        assert answer.headers.get("terrella-overview", "").startswith("1; area" if side > 1 else "")
        assert ("terrella-overview" in answer.headers) == (side > 1)


def test_pictures_are_of_the_same_means(web) -> None:
    answer = web.get("/tiles/rough/WorldCRS84Quad/0/0/0?f=png&range=270,310&palette=grey&datetime=2024-01-01T00:00Z")
    found = rgba(answer.content)
    expected = means(rough(), 2)[:256, :256]
    shown = ~np.isnan(expected)
    assert ((found[..., 3] == 255) == shown).all()
    palette = np.array(
        [[int(one[k : k + 2], 16) for k in (1, 3, 5)] for one in web.get("/tiles/palettes").json()["palettes"]["grey"]]
    )
    exact = (expected[shown] - 270) / 40 * 255
    off = np.abs(exact - np.floor(exact) - 0.5) < 1e-3  # a stored mean is float32
    numbers = np.clip(np.rint(exact), 0, 255).astype(int)
    assert (found[shown][:, :3] == palette[numbers])[~off].all()


def test_coarser_levels_further_out(web) -> None:
    """A small picture of the whole Earth is of the second overview."""
    answer = web.get("/tiles/collections/rough/map?bbox=-180,-90,180,90&width=256&height=128&palette=grey")
    assert answer.headers["terrella-overview"].startswith("2; ")


def test_classes_are_never_mixed(web) -> None:
    said = web.get("/tiles/land").json()["variables"][0]
    assert said["overviews"]["method"] == "one cell of each group"
    answer = web.get("/tiles/land/WorldCRS84Quad/0/0/0?f=values")
    found = values_in(answer, said)[1:-1, 1:-1]
    original = (np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) % 5)[::2, ::2]
    assert (found == original[:256, :256]).all()


def test_addresses_for_ever_are_other_ones(web, before) -> None:
    said = web.get("/tiles/rough").json()
    assert said["version"] != before["version"]
    old = web.get(f"/tiles/rough/v/{before['version']}/WorldCRS84Quad/0/0/0?f=values")
    assert old.status_code == 409
    now = web.get(f"/tiles/rough/v/{said['version']}/WorldCRS84Quad/0/0/0?f=values")
    assert now.status_code == 200
    assert now.headers["etag"] != before["tag"]
    assert said["variables"][0]["scale"] == before["said"]["scale"]


def test_blocks_are_of_overviews_too(web) -> None:
    answer = web.get("/tiles/rough/cube", params={"width": 512, "height": 256, "f": "json"})
    assert answer.json()["overview"]["level"] == 1
    whole = web.get("/tiles/rough/cube", params={"bbox": "0,0,40,40", "f": "json"}).json()
    assert "overview" not in whole
    assert whole["bytes_read"] > 0


def test_values_at_a_place_are_exact(web) -> None:
    """Only maps from afar are means."""
    answer = web.get(
        "/ogc/collections/rough/position",
        params={"coords": f"POINT({LON[3]} {LAT[2]})", "datetime": "2024-01-01T00:00Z", "f": "CoverageJSON"},
    )
    [value] = answer.json()["ranges"]["t"]["values"]
    assert value == pytest.approx(float(rough()[2, 3]), abs=1e-4)


def test_nothing_changes_without_overviews(before) -> None:
    assert "overviews" not in before["said"]
