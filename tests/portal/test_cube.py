"""The cube in the browser: what a pixel shows and says, against EDR; and what it says where there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import numpy as np
import pytest

from portal import made
from portal.conftest import Portal, Served, colour, near, serving
from terrella.site import Site

pytestmark = pytest.mark.server

FIELD = "at=0,0,0.5,globe&map=0&panel=cube&l=id=a;c=field;v=t;r=240,320"


@pytest.fixture(scope="module")
def portal_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A site with a series, a long one, one step alone, and nothing at all."""
    folder = tmp_path_factory.mktemp("cube")
    nothing = np.full((3, 19, 36), np.nan, dtype="f4")
    files = {
        "field": made.make_field(folder / "field.nc"),
        "long": made.make_long(folder / "long.nc"),
        "nothing": made.write(
            folder / "nothing.nc",
            {"t": nothing},
            lat=90.0 - 10.0 * np.arange(19),
            lon=10.0 * np.arange(36),
            hours=(0, 6, 12),
        ),
        "once": made.write(folder / "once.nc", {"t": made.field(0)[None]}),
    }
    with Site.open(folder / "home") as site:
        for name, path in files.items():
            assert not site.add(path, collection=name).failures
    log = folder / "log"
    with serving(folder / "home", log) as (url, key):
        yield Served(url, key, key, folder / "home", log)


def drawn(portal: Portal, query: str) -> Portal:
    portal.open(query)
    portal.page.locator('.stage[data-drawn="true"]').wait_for(timeout=60_000)
    return portal


def told(portal: Portal) -> tuple[float | None, float, float, datetime]:
    """Value, longitude, latitude and time that the cube says."""
    text = portal.page.locator(".told").inner_text().replace("\u2212", "-").replace("\u00a0", " ")
    found = re.search(r"([\d.]+)° ([NS]), ([\d.]+)° ([EW]) · (.+)", text)
    assert found, text
    lat, ns, lon, ew, when = found.groups()
    value = re.search(r"(-?[\d.]+) K", text)
    time = datetime.strptime(when.strip(), "%d %b %Y, %H:%M UTC").replace(tzinfo=UTC)
    sides = (-1 if ew == "W" else 1, -1 if ns == "S" else 1)
    return float(value[1]) if value else None, float(lon) * sides[0], float(lat) * sides[1], time


def position(web: httpx.Client, lon: float, lat: float, time: datetime) -> float | None:
    words = {"coords": f"POINT({lon} {lat})", "datetime": time.isoformat(), "parameter-name": "t", "f": "CoverageJSON"}
    answer = web.get("/ogc/collections/field/position", params=words)
    assert answer.status_code == 200, answer.text
    value = answer.json()["ranges"]["t"]["values"][0]
    return None if value is None else float(value)


@pytest.mark.window(1280, 800, reduced=True)
@pytest.mark.parametrize(
    "cube", ["mode=whole;see=-32,24,1", "see=-32,24,1", "mode=planes;cut=0.3,0.6,0.4;see=130,40,1"]
)
def test_a_pixel_shows_the_value_that_it_says(portal: Portal, web: httpx.Client, cube: str) -> None:
    drawn(portal, f"{FIELD}&cube=l=a;{cube}")
    box = portal.page.locator(".stage canvas").bounding_box()
    assert box
    picture = portal.shot()
    checked = 0
    for across in (0.3, 0.45, 0.6, 0.75):
        for down in (0.45, 0.55, 0.65):
            x, y = round(box["x"] + across * box["width"]), round(box["y"] + down * box["height"])
            portal.page.mouse.move(x, y)
            portal.page.wait_for_timeout(60)
            if portal.page.locator(".told small").count():
                continue  # beside the cube: it says where the planes cross
            value, lon, lat, time = told(portal)
            assert value is not None
            assert value == pytest.approx(position(web, lon, lat, time), abs=0.01)
            # away from edges and lines, where colours are mixed
            around = picture[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).astype(int)
            if np.ptp(around, axis=0).max() <= 3:
                assert near(tuple(picture[y, x].tolist()), colour(value, (240, 320)), 4), (across, down)
                checked += 1
    assert checked >= 3


@pytest.mark.window(1280, 800, reduced=True)
def test_keys_turn_it_handles_cut_it_and_the_address_knows(portal: Portal) -> None:
    drawn(portal, f"{FIELD}&cube=l=a")
    portal.page.locator(".stage canvas").focus()
    portal.page.keyboard.press("ArrowRight")
    portal.settled(lambda: "see=-24,24,1" in portal.page.url)
    handle = portal.page.get_by_role("slider", name="Latitude").first
    handle.focus()
    portal.page.keyboard.press("Home")
    portal.settled(lambda: "cut=0.5,0,0.5" in portal.page.url)
    portal.page.get_by_role("button", name="Planes only").click()
    portal.settled(lambda: "mode=planes" in portal.page.url)


@pytest.mark.window(1280, 800, reduced=True)
def test_a_click_takes_the_map_there_and_adds_a_probe(portal: Portal) -> None:
    drawn(portal, f"{FIELD}&cube=l=a;mode=whole;see=90,5,1")
    box = portal.page.locator(".stage canvas").bounding_box()
    assert box
    portal.page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    portal.page.mouse.move(5, 300)
    portal.page.locator(".told small", has_text="Picked").wait_for()
    _, lon, lat, time = told(portal)
    portal.settled(lambda: f"t={time:%Y-%m-%dT%H:%M}" in portal.page.url)
    portal.settled(lambda: abs(portal.camera().lat - lat) < 0.01)
    assert abs((portal.camera().lon - lon + 180) % 360 - 180) < 0.01
    portal.page.get_by_role("button", name="Probe here").click()
    portal.settled(lambda: "panel=probe" in portal.page.url and "p=" in portal.page.url)


@pytest.mark.window(1280, 800, reduced=True)
def test_ten_thousand_steps_are_strided_and_said(portal: Portal) -> None:
    drawn(portal, "at=21,11,4,globe&map=0&panel=cube&l=id=a;c=long")
    portal.page.get_by_text(re.compile("every 40th of 10.000 steps")).wait_for()


@pytest.mark.window(1280, 800, reduced=True)
def test_thresholds_hide(portal: Portal) -> None:
    drawn(portal, f"{FIELD}&cube=l=a;keep=400,500")
    portal.page.get_by_text("100 % of the values are hidden").wait_for()
    portal.page.get_by_role("button", name="Everything", exact=True).click()
    portal.settled(lambda: "keep=" not in portal.page.url)


@pytest.mark.window(1280, 800, reduced=True)
@pytest.mark.parametrize(
    ("collection", "words"),
    [("once", "A cube needs several steps"), ("nothing", "There are no values in this block")],
)
def test_where_there_is_no_cube_it_says_why(portal: Portal, collection: str, words: str) -> None:
    portal.open(f"at=0,0,0.5,globe&map=0&panel=cube&l=id=a;c={collection}")
    portal.page.get_by_text(words).wait_for()


@pytest.mark.window(1280, 800, reduced=True)
def test_a_lost_context_comes_back(portal: Portal) -> None:
    drawn(portal, f"{FIELD}&cube=l=a")
    lose = (
        "canvas => { window.lost = canvas.getContext('webgl2').getExtension('WEBGL_lose_context'); lost.loseContext() }"
    )
    portal.page.locator(".stage canvas").evaluate(lose)
    portal.page.get_by_text("The graphics were interrupted").wait_for()
    portal.page.evaluate("lost.restoreContext()")
    portal.page.locator('.stage[data-drawn="true"]').wait_for(timeout=60_000)
