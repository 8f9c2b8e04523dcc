"""The map with all that stands around it, on made data: layers, looks, time, the value under the pointer, bad input."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

import grib_files
from portal import made
from portal.conftest import Portal, colour, near

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.server

FLAT = "at=0,0,0,flat&map=0"
FIELD = "l=id=a;c=field;v=t;r=240,320;cells=1"
SPAN = made.PALETTE_RANGE
SPOT = (40.0, 10.0)
"""Longitude and latitude of a cell of `field` that nothing stands over."""


def layers_of(portal: Portal) -> list[str]:
    """Ids of the layers that the address tells, from bottom to top."""
    return re.findall(r"id=(\w+)", " ".join(parse_qs(urlsplit(portal.page.url).query).get("l", [])))


def time_of(portal: Portal) -> str:
    return parse_qs(urlsplit(portal.page.url).query).get("t", [""])[0]


def step_of(portal: Portal) -> int:
    """Number of the step that the line of time stands on."""
    return int(portal.page.get_by_role("slider", name="Time of the map").get_attribute("aria-valuenow") or -1)


def smooth(hours: float = 0.0) -> float:
    return float(made.smooth(SPOT[1], SPOT[0], hours))


def rows(portal: Portal) -> Locator:
    return portal.page.locator(".layers li")


def settings(portal: Portal, row: int = 0) -> None:
    portal.page.locator(".layers li .name").nth(row).click()


def point_at(portal: Portal, lon: float, lat: float) -> str:
    """What is said of a place when the pointer is over it."""
    x, y = portal.place(lon, lat)
    portal.page.mouse.move(x - 3, y)
    portal.page.mouse.move(x, y)
    said = portal.page.locator(".readings")
    portal.settled(lambda: said.count() and "loading" not in said.inner_text())
    return said.inner_text().replace("\u00a0", " ")


# --- time ---------------------------------------------------------------------------------------------------------


def test_steps_by_keys_and_buttons(portal: Portal) -> None:
    portal.open(f"{FLAT}&t={made.iso(0)}&{FIELD}").idle()
    slider = portal.page.get_by_role("slider", name="Time of the map")
    slider.focus()
    slider.press("ArrowRight")
    portal.settled(lambda: time_of(portal) == made.iso(6))
    assert near(portal.idle().pixel(*SPOT), colour(smooth(6), SPAN))
    portal.page.get_by_role("button", name="One step forward").click()
    portal.settled(lambda: time_of(portal) == made.iso(12))
    slider.press("End")
    portal.settled(lambda: time_of(portal) == made.iso(made.STEPS[-1]))
    slider.press("Home")
    portal.settled(lambda: time_of(portal) == made.iso(0))
    portal.page.get_by_role("button", name="One step back").click()
    assert time_of(portal) == made.iso(0)
    assert slider.get_attribute("aria-valuemax") == str(len(made.STEPS) - 1)


def test_between_two_steps_it_blends(portal: Portal) -> None:
    portal.open(f"{FLAT}&t={made.iso(1.5)}&{FIELD}").idle()
    assert near(portal.pixel(*SPOT), colour(0.75 * smooth(0) + 0.25 * smooth(6), SPAN))
    portal.open(f"{FLAT}&t={made.iso(1.5)}&blend=0&{FIELD}").idle()
    assert near(portal.pixel(*SPOT), colour(smooth(0), SPAN))


def test_a_hole_in_time_shows_nothing_and_says_so(portal: Portal) -> None:
    portal.open(f"{FLAT}&t={made.iso(132)}&{FIELD}").idle(field=False)
    row = rows(portal).first
    row.get_by_text("No data at this time").wait_for()
    assert "not at this time" in point_at(portal, *SPOT)
    row.get_by_role("button", name="Go there").click()
    portal.settled(lambda: time_of(portal) in map(made.iso, made.STEPS))
    portal.idle()
    assert row.get_by_text("No data at this time").count() == 0


def test_plays_without_waiting_for_what_was_fetched_ahead(portal: Portal) -> None:
    portal.open(f"{FLAT}&t={made.iso(0)}&{FIELD}").idle()
    page = portal.page
    page.get_by_role("button", name="Options of time").click()
    page.get_by_label("Speed").select_option("8")
    page.get_by_role("button", name="Play", exact=True).click()
    portal.settled(lambda: step_of(portal) >= 15)
    page.get_by_role("button", name="Pause", exact=True).click()
    drawn = {address for address in portal.asked if "WorldCRS84Quad" in address}
    assert len({re.search(r"datetime=([^&]+)", one)[1] for one in drawn}) >= 15  # type: ignore[index]
    assert "Waiting" not in page.locator(".now").inner_text()


def test_ten_thousand_steps(portal: Portal) -> None:
    portal.open("at=21.5,11,6,flat&map=0&l=id=a;c=long;v=t;r=0,10000;cells=1").idle()
    slider = portal.page.get_by_role("slider", name="Time of the map")
    assert slider.get_attribute("aria-valuemax") == str(made.LONG - 1)
    said = re.search(r"([\d.]+) K$", point_at(portal, 21, 11))
    assert said
    assert float(said[1]) == pytest.approx(made.LONG - 1, abs=0.5)
    slider.focus()
    slider.press("Home")
    slider.press("PageUp")
    portal.settled(lambda: time_of(portal) == made.iso(1000))
    portal.idle()
    assert near(portal.pixel(21, 11), colour(1000, (0, 10000)), 3)


def test_a_date_that_is_typed(portal: Portal) -> None:
    portal.open(f"{FLAT}&{FIELD}").idle()
    portal.page.get_by_role("button", name="Options of time").click()
    typed = portal.page.get_by_label("Date and time")
    typed.fill("yesterday")
    typed.press("Enter")
    portal.page.get_by_text("Write a date as").wait_for()
    typed.fill("2024-03-02")
    typed.press("Enter")
    portal.settled(lambda: "2024-03-02" in time_of(portal))
    assert near(portal.idle().pixel(*SPOT), colour(smooth(24), SPAN))


# --- the value under the pointer -------------------------------------------------------------------------------------


def test_every_layer_tells_its_value_its_unit_and_its_time(portal: Portal) -> None:
    rain = float(made.rain(6)[40, 20])
    portal.open(f"{FLAT}&t={made.iso(6)}&{FIELD};u=°C&l=id=b;c=field;v=rain;cells=1&l=id=c;c=pacific;v=sst").idle()
    said = point_at(portal, *SPOT)
    numbers = [float(one.replace("−", "-")) for one in re.findall(r"(−?\d+\.\d+) (?:°C|mm)", said)]
    assert numbers == pytest.approx([rain, smooth(6) - 273.15], abs=0.02)
    assert "10.00° N, 40.00° E" in said
    assert "beyond the data" in said
    assert said.count("1 Mar 2024, 06:00 UTC") == 2
    assert "no data" in point_at(portal, 110, -30)


def test_the_legend_marks_the_value_and_tells_the_unit(portal: Portal) -> None:
    portal.open(f"{FLAT}&t={made.iso(0)}&{FIELD};u=°C").idle()
    legend = portal.page.locator(".legend")
    assert "°C" in legend.inner_text()
    assert "−20" in legend.inner_text()
    point_at(portal, *SPOT)
    left = legend.locator(".marker").evaluate("one => parseFloat(one.style.left)")
    assert left == pytest.approx((smooth(0) - 240) / 80 * 100, abs=0.2)


# --- looks --------------------------------------------------------------------------------------------------------


def test_looks_change_without_a_request(portal: Portal) -> None:
    portal.open(f"{FLAT}&t={made.iso(0)}&{FIELD}").idle()
    settings(portal)
    portal.page.wait_for_timeout(300)
    before = len(portal.requests)
    page = portal.page
    page.get_by_role("radio", name="magma").check(force=True)
    portal.idle()
    portal.settled(lambda: near(portal.pixel(*SPOT), colour(smooth(0), SPAN, "magma")))
    page.get_by_label("Reversed").check()
    portal.settled(lambda: near(portal.pixel(*SPOT), colour(smooth(0), SPAN, "magma_r")))
    ends = page.get_by_role("group", name=re.compile("^Range"))
    ends.get_by_label("from", exact=True).last.fill("270")
    ends.get_by_label("from", exact=True).last.press("Enter")
    portal.settled(lambda: near(portal.pixel(*SPOT), colour(smooth(0), (270, 320), "magma_r")))
    page.get_by_label("Classes").select_option("2")
    portal.settled(lambda: near(portal.pixel(*SPOT), colour(270, (270, 320), "magma_r")))
    assert [one for one in portal.requests[before:] if "/static/" not in one] == []
    portal.settled(lambda: "r=270,320" in page.url)


def test_a_range_that_fits_what_is_in_view(portal: Portal) -> None:
    portal.open(f"{FLAT}&t={made.iso(0)}&l=id=a;c=field;v=t;r=0,1000").idle()
    settings(portal)
    portal.page.get_by_role("button", name="Fit to view").click()
    portal.settled(lambda: "r=0,1000" not in portal.page.url and "r=" in portal.page.url)
    found = re.search(r"r=([\d.]+),([\d.]+)", portal.page.url)
    assert found
    low, high = float(found[1]), float(found[2])
    assert 262 < low < 275
    assert 285 < high < 299


def test_places_on_axes(portal: Portal) -> None:
    portal.open(f"{FLAT}&l=id=a;c=members;v=t;r=260,340;cells=1;x.number=2;x.pressure=850").idle()
    settings(portal)
    portal.page.get_by_label("Member", exact=True).select_option("3")
    portal.settled(lambda: "x.number=3" in portal.page.url)
    portal.idle()
    wanted = grib_files.value(10, 40, hours=12, level=850, member=3)
    assert near(portal.pixel(*SPOT), colour(float(wanted), (260, 340)), 3)


def test_three_bands_in_true_colour(portal: Portal) -> None:
    portal.open("at=13.9,46.78,8,flat&map=0&l=id=a;c=picture;v=red").idle()
    settings(portal)
    portal.page.get_by_label("Colour composite").check()
    portal.settled(lambda: "rgb=red,green,blue" in portal.page.url)
    portal.idle()
    red, green, _ = portal.pixel(13.9, 46.78)
    assert (red, green) == pytest.approx((128, 128), abs=40)
    said = point_at(portal, 13.9, 46.78)
    assert len(re.findall(r"\d+ / ", said)) == 2


# --- layers ---------------------------------------------------------------------------------------------------------


def test_order_by_keys_hiding_and_removing(portal: Portal) -> None:
    portal.open(f"{FLAT}&t={made.iso(0)}&{FIELD}&l=id=b;c=healpix").idle()
    top = portal.page.get_by_role("button", name=re.compile("^Move")).first
    top.focus()
    top.press("ArrowDown")
    portal.settled(lambda: layers_of(portal) == ["b", "a"])
    assert near(portal.idle().pixel(*SPOT), colour(smooth(0), SPAN))
    rows(portal).first.get_by_role("button", name=re.compile("^Hide")).click()
    portal.settled(lambda: "hide=1" in portal.page.url)
    settings(portal, 0)
    portal.page.get_by_role("button", name="Remove").click()
    portal.settled(lambda: layers_of(portal) == ["b"])


def test_a_layer_is_found_and_added(portal: Portal) -> None:
    portal.open(f"{FLAT}&{FIELD}").idle()
    page = portal.page
    page.get_by_role("button", name="Add a layer").click()
    page.get_by_label("Search the collections").fill("pacific")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("The pacific data")).click()
    portal.settled(lambda: len(layers_of(portal)) == 2)
    portal.idle()
    assert page.get_by_role("dialog").count() == 0


def test_markup_in_names_is_text(portal: Portal) -> None:
    portal.open(f"{FLAT}&l=id=a;c=markup").idle()
    settings(portal)
    portal.page.get_by_role("button", name="Add a layer").click()
    portal.page.get_by_text(f"Names like {made.MARKUP}").first.wait_for()
    portal.page.keyboard.press("Escape")
    point_at(portal, *SPOT)
    assert portal.page.evaluate("window.hacked") is None


# --- bad input ------------------------------------------------------------------------------------------------------


def test_nothing_a_number_and_next_to_nothing(portal: Portal) -> None:
    portal.open(f"{FLAT}&l=id=a;c=odd;v=missing&l=id=b;c=odd;v=constant;o=0.5&l=id=c;c=odd;v=tiny;hide=1").idle()
    portal.page.get_by_text("every cell of this variable is missing").wait_for()
    assert "7.25" in point_at(portal, *SPOT)
    portal.open(f"{FLAT}&l=id=c;c=odd;v=tiny;cells=1").idle()
    assert "× 10⁻³¹" in point_at(portal, *SPOT)


def test_one_cell(portal: Portal) -> None:
    portal.open("at=11,47,5,flat&map=0&l=id=a;c=cell").idle()
    assert "281.5" in point_at(portal, 11, 47)


def test_a_collection_that_is_gone(portal: Portal) -> None:
    portal.expects("404")
    portal.open(f"{FLAT}&t={made.iso(0)}&l=id=z;c=gone&{FIELD}&l=id=y;c=field;v=nonsense").idle()
    assert near(portal.pixel(*SPOT), colour(smooth(0), SPAN))
    portal.page.locator(".layers .failure").get_by_text("No collection 'gone'").wait_for()
    portal.page.get_by_text("no variable “nonsense”").wait_for()
    rows(portal).filter(has_text="No collection").get_by_role("button", name="Remove").click()
    portal.settled(lambda: layers_of(portal) == ["a", "y"])


def test_a_server_that_dies_meanwhile(portal: Portal) -> None:
    portal.expects("ERR_FAILED", "Failed to load")
    portal.open(f"{FLAT}&t={made.iso(0)}&{FIELD}").idle()
    portal.page.route("**/tiles/**", lambda route: route.abort())
    portal.page.get_by_role("button", name="One step forward").click()
    portal.page.get_by_text("did not come").wait_for()
    portal.page.locator(".notes").get_by_role("button", name="Try again").wait_for()
    portal.page.unroute("**/tiles/**")
    portal.on_map("map => map.retry()")
    portal.settled(lambda: near(portal.pixel(*SPOT), colour(smooth(6), SPAN)))


# --- the first visit ------------------------------------------------------------------------------------------------


def test_a_newcomer_sees_a_moving_field_and_the_series_of_a_town(portal: Portal) -> None:
    portal.open().idle()
    page = portal.page
    page.locator(".welcome").wait_for()
    slider = page.get_by_role("slider", name="Time of the map")
    first = slider.get_attribute("aria-valuetext")
    portal.settled(lambda: slider.get_attribute("aria-valuetext") != first)
    page.get_by_role("combobox").fill("Marseille")
    page.get_by_role("option").first.click()
    portal.settled(lambda: "panel=probe" in page.url and "Marseille" in page.url)
    assert page.locator(".welcome").count() == 0
    portal.open()
    portal.idle()
    assert page.locator(".welcome").count() == 0


@pytest.mark.window(390, 800, reduced=True, dark=True)
def test_who_wants_no_motion_gets_none(portal: Portal) -> None:
    portal.open().idle()
    portal.page.locator(".welcome").wait_for()
    portal.settled(lambda: time_of(portal) != "")  # the address has caught up
    before = time_of(portal)
    portal.page.wait_for_timeout(1500)
    assert time_of(portal) == before
    assert portal.page.get_by_role("button", name="Play", exact=True).is_visible()
    assert portal.page.evaluate("document.documentElement.scrollWidth") <= 390
