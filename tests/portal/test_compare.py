"""Two sides in the browser: what is drawn of A, of B and of A minus B, against what EDR says of both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import numpy as np
import pytest

from portal import made
from portal.conftest import Portal, Served, colour, near, serving
from terrella.site import Site

pytestmark = pytest.mark.server

PLACES = [(0.0, 0.0), (30, 20), (-30, 20), (-24, 36)]
"""Middles of cells well within the Earth, and away from what lies over the map."""
NOON = made.iso(6)
A = f"at=0,0,0.9,globe&map=0&t={NOON}&l=id=a;c=field;v=t;r=240,320;cells=1"


def water(hours: float) -> np.ndarray:
    """Degrees Celsius, 2 degrees apart as `field`, warmer and turned."""
    lat, lon = np.meshgrid(made.LAT, made.LON, indexing="ij")
    return (made.smooth(lat, lon + 40, hours) - 273.15 + 9).astype("f4")


@pytest.fixture(scope="module")
def portal_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A site of two collections whose values differ, in units that go over into each other."""
    folder = tmp_path_factory.mktemp("compare")
    hours = made.STEPS[:8]
    files = {
        "water": made.write(
            folder / "water.nc",
            {"tos": np.stack([water(hour) for hour in hours])},
            hours=hours,
            units="degree_C",
            standard_name="sea_surface_temperature",
        )
    }
    files["field"] = made.make_field(folder / "field.nc")
    with Site.open(folder / "home") as site:
        for name, path in files.items():
            assert not site.add(path, collection=name).failures
    log = folder / "log"
    with serving(folder / "home", log) as (url, key):
        yield Served(url, key, key, folder / "home", log)


def against(b: str, mode: str, more: str = "") -> str:
    """The part of an address that compares the layer a."""
    inner = quote(f"id=b;{b}", safe=":,")
    return "vs=" + quote(f"mode={mode};a=a;at=0.5;b={inner}{more}", safe="=;,.:")


def said(web: httpx.Client, collection: str, name: str, lon: float, lat: float, time: str = NOON) -> float:
    """A value as EDR has it."""
    words = {"coords": f"POINT({lon} {lat})", "datetime": time, "parameter-name": name, "f": "CoverageJSON"}
    answer = web.get(f"/ogc/collections/{collection}/position", params=words)
    assert answer.status_code == 200, answer.text
    return float(answer.json()["ranges"][name]["values"][0])


@pytest.mark.window(1100, 760, reduced=True)
def test_a_difference_is_that_of_both_values(portal: Portal, web: httpx.Client) -> None:
    """Kelvin minus degrees Celsius: the colours are those of the difference in kelvin."""
    portal.open(f"{A}&{against('c=water;v=tos', 'difference', ';r=-30,30')}").idle()
    expected = [
        said(web, "field", "t", lon, lat) - (said(web, "water", "tos", lon, lat) + 273.15) for lon, lat in PLACES
    ]
    assert max(expected) - min(expected) > 4
    seen = portal.pixels(PLACES)
    wanted = [colour(value, (-30, 30), "diverging") for value in expected]
    wrong = [(*pair, place) for *pair, place in zip(seen, wanted, PLACES, strict=True) if not near(*pair)]
    assert not wrong


@pytest.mark.window(1100, 760, reduced=True)
def test_the_cursor_says_both_and_their_difference(portal: Portal, web: httpx.Client) -> None:
    for mode in ("difference", "swipe"):
        portal.open(f"{A}&{against('c=water;v=tos', mode)}").idle()
        lon, lat = PLACES[1]
        portal.page.mouse.move(*portal.place(lon, lat))
        told = portal.page.locator(".readings dd")
        portal.settled(lambda told=told: told.count() == 3 and "…" not in "".join(told.all_inner_texts()))
        a, b, difference = (_number(one) for one in told.all_inner_texts())
        assert a == pytest.approx(said(web, "field", "t", lon, lat), abs=0.01)
        assert b == pytest.approx(said(web, "water", "tos", lon, lat) + 273.15, abs=0.01)
        assert difference == pytest.approx(a - b, abs=0.002)


def _number(text: str) -> float:
    return float(re.sub(r"[^0-9.\-]", "", text.replace("\u2212", "-")))


@pytest.mark.window(1100, 760, reduced=True)
def test_swipe_shows_a_at_the_left_and_b_at_the_right(portal: Portal, web: httpx.Client) -> None:
    portal.open(f"{A}&{against('c=water;v=tos', 'swipe')}").idle()
    [west, east] = [(-30.0, 20.0), (30.0, 20.0)]
    a = [colour(said(web, "field", "t", *place), (240, 320)) for place in (west, east)]
    b = [colour(said(web, "water", "tos", *place) + 273.15, (240, 320)) for place in (west, east)]
    assert not near(a[0], b[0], 6)
    left, right = portal.pixels([west, east])
    assert near(left, a[0])
    assert near(right, b[1])
    divider = portal.page.get_by_role("slider", name="Divider between A and B")
    divider.focus()
    portal.page.keyboard.press("Home")
    portal.settled(lambda: "at=0;" in portal.page.url)
    portal.idle()
    assert near(portal.pixel(*west), b[0])
    # and with the pointer, to the far right
    box = divider.bounding_box()
    assert box
    left_edge, top, width, _ = portal.map_box()
    portal.page.mouse.move(box["x"] + box["width"] / 2 + 4, box["y"] + box["height"] / 2)
    portal.page.mouse.down()
    portal.page.mouse.move(left_edge + width - 30, top + 300, steps=4)
    portal.page.mouse.up()
    portal.settled(lambda: re.search(r"at=0\.9", portal.page.url))
    portal.idle()
    assert near(portal.pixel(*east), a[1])


@pytest.mark.window(1100, 760, reduced=True)
def test_side_by_side_has_one_camera(portal: Portal, web: httpx.Client) -> None:
    portal.open(f"{A}&{against('c=water;v=tos', 'side')}").idle()
    left, top, _, _ = portal.map_box()
    lon, lat = 10.0, 10.0
    spots = [portal.on_map(f"map => map.project([{lon}, {lat}], {pane})") for pane in (0, 1)]
    seen = [portal.pixel_at(left + x, top + y) for x, y in spots]
    assert near(seen[0], colour(said(web, "field", "t", lon, lat), (240, 320)))
    assert near(seen[1], colour(said(web, "water", "tos", lon, lat) + 273.15, (240, 320)))


@pytest.mark.window(1100, 760, reduced=True)
def test_times_of_b(portal: Portal, web: httpx.Client) -> None:
    """Itself some steps before: the difference of two of its own times."""
    query = against("c=field;v=t", "difference", ";r=-2,2;by=" + quote("-4 step", safe=""))
    portal.open(f"{A.replace(NOON, made.iso(48))}&{query}").idle()
    lon, lat = PLACES[2]
    both = [said(web, "field", "t", lon, lat, made.iso(hour)) for hour in (48, 24)]
    assert both[0] - both[1] == pytest.approx(0.8, abs=0.01)
    assert near(portal.pixel(lon, lat), colour(both[0] - both[1], (-2, 2), "diverging"))


@pytest.mark.window(1100, 760, reduced=True)
def test_units_that_have_nothing_in_common_are_refused(portal: Portal) -> None:
    portal.open(f"{A}&panel=compare&{against('c=field;v=rain', 'difference')}").idle()
    portal.page.get_by_text("There is no difference of K and mm").wait_for()
    portal.page.get_by_role("button", name="Swipe").click()
    portal.settled(lambda: "mode=swipe" in portal.page.url)
    assert portal.page.get_by_text("There is no difference of K and mm").count()


@pytest.mark.window(1100, 760, reduced=True)
def test_one_click_compares_and_swap_and_end(portal: Portal) -> None:
    portal.open(f"{A}&panel=compare").idle()
    portal.page.get_by_role("button", name=re.compile("water", re.IGNORECASE)).click()
    portal.settled(lambda: "vs=mode=swipe" in portal.page.url and "c%253Dwater" in portal.page.url)
    portal.page.get_by_role("button", name="Swap A and B").click()
    portal.settled(lambda: "l=id=a;c=water" in portal.page.url and "c%253Dfield" in portal.page.url)
    portal.page.get_by_role("button", name="End").click()
    portal.settled(lambda: "vs=" not in portal.page.url)
