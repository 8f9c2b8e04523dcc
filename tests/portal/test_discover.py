"""Finding data in the browser: words, facets, area, time, details, and the way to the map and back."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from portal import made
from portal.conftest import Portal


def cards(portal: Portal) -> list[str]:
    """Titles in the list, in order."""
    return [one.strip() for one in portal.page.locator("#results h3").all_text_contents()]


def found(portal: Portal, count: int) -> None:
    """Waits until so many are told and shown."""
    words = "1 collection" if count == 1 else f"{count} collections"
    portal.page.get_by_role("status").filter(has_text=re.compile(f"^{words}$")).wait_for()
    portal.settled(lambda: len(cards(portal)) == min(count, 24))


def query(portal: Portal) -> dict[str, list[str]]:
    return parse_qs(urlsplit(portal.page.url).query)


def total(web: httpx.Client, **asked: Any) -> int:
    number: int = web.get("/discover", params=asked).json()["matched"]
    return number


def test_every_collection_is_a_card_with_a_picture_of_its_data(portal: Portal, web: httpx.Client) -> None:
    portal.open("discover")
    found(portal, total(web))
    card = portal.page.get_by_role("article").filter(has_text="The field data")
    card.scroll_into_view_if_needed()
    picture = card.locator("img")
    portal.settled(lambda: picture.evaluate("one => one.complete && one.naturalWidth === 360"))
    assert "CC-BY-4.0" in card.inner_text()
    assert "Open" in card.inner_text()
    assert card.get_by_role("img", name="Covers the whole Earth").count() == 1
    assert any("/tiles/field/thumbnail?" in one for one in portal.asked)


def test_words_narrow_while_one_types_and_the_address_is_the_search(portal: Portal, web: httpx.Client) -> None:
    portal.open("discover")
    found(portal, total(web))
    portal.page.get_by_role("searchbox", name="Search").fill("pacific")
    found(portal, total(web, q="pacific"))
    assert query(portal)["q"] == ["pacific"]
    assert cards(portal) == ["The pacific data"]
    portal.page.reload()
    found(portal, 1)
    assert portal.page.get_by_role("searchbox", name="Search").input_value() == "pacific"


def test_a_facet_narrows_and_its_counts_are_what_it_leaves(portal: Portal, web: httpx.Client) -> None:
    portal.open("discover")
    found(portal, total(web))
    facet = portal.page.get_by_role("group", name="Resolution")
    label = facet.locator("label").filter(has_text="Coarser than 50 km")
    count = int(label.locator(".count").inner_text())
    assert count == total(web, resolution="over-50km") > 0
    label.click()
    found(portal, count)
    assert query(portal)["resolution"] == ["over-50km"]
    portal.page.go_back()
    found(portal, total(web))
    portal.page.go_forward()
    found(portal, count)
    portal.page.get_by_role("button", name=re.compile("^Remove Resolution")).click()
    found(portal, total(web))
    assert "resolution" not in query(portal)


def test_an_area_is_drawn_moved_by_keys_and_written_as_numbers(portal: Portal, web: httpx.Client) -> None:
    portal.open("discover")
    found(portal, total(web))
    area = portal.page.get_by_role("group", name="Map to draw a box on")
    box = area.bounding_box()
    assert box is not None
    x, y, width, height = box["x"], box["y"], box["width"], box["height"]
    portal.page.mouse.move(x + 0.5 * width, y + 0.2 * height)
    portal.page.mouse.down()
    portal.page.mouse.move(x + 0.55 * width, y + 0.3 * height, steps=4)
    portal.page.mouse.up()
    portal.settled(lambda: "bbox" in query(portal))
    west, south, east, north = map(float, query(portal)["bbox"][0].split(","))
    assert [west, south, east, north] == pytest.approx([0, 36, 18, 54], abs=3)
    found(portal, total(web, bbox=query(portal)["bbox"][0]))
    portal.page.get_by_role("group", name=re.compile("^Box")).press("ArrowRight")
    portal.settled(lambda: float(query(portal)["bbox"][0].split(",")[0]) > west)
    for name, number in (("West", "170"), ("South", "-10"), ("East", "-170"), ("North", "10")):
        portal.page.get_by_label(name, exact=True).fill(number)
        portal.page.get_by_label(name, exact=True).press("Tab")
    portal.settled(lambda: query(portal)["bbox"] == ["170,-10,-170,10"])
    found(portal, total(web, bbox="170,-10,-170,10"))
    assert "The pacific data" in cards(portal)
    portal.page.get_by_role("button", name="Anywhere").click()
    found(portal, total(web))


def test_a_place_is_an_area(portal: Portal) -> None:
    portal.open("discover")
    field = portal.page.get_by_role("combobox", name="Around a place")
    field.fill("munchen")
    portal.page.get_by_role("option", name=re.compile("^Munich")).wait_for()
    field.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant")
    field.press("Enter")
    portal.settled(lambda: "bbox" in query(portal))
    west, south, east, north = map(float, query(portal)["bbox"][0].split(","))
    assert west < 11.58 < east
    assert south < 48.14 < north
    assert "The cell data" in cards(portal) or portal.settled(lambda: "The cell data" in cards(portal)) is None


def test_times_are_days_and_both_ends_of_a_line(portal: Portal, web: httpx.Client) -> None:
    portal.open("discover")
    found(portal, total(web))
    portal.page.get_by_label("From", exact=True).fill("2024-03-05")
    portal.page.get_by_label("From", exact=True).press("Tab")
    portal.settled(lambda: query(portal).get("datetime") == ["2024-03-05/.."])
    found(portal, total(web, datetime="2024-03-05/.."))
    first = portal.page.get_by_role("slider", name="Earliest day")
    first.press("Home")
    portal.settled(lambda: "datetime" not in query(portal))
    found(portal, total(web))


def test_details_are_a_link_and_close_where_they_were_opened(portal: Portal) -> None:
    portal.open("discover")
    card = portal.page.get_by_role("article").filter(has_text="The field data")
    opener = card.get_by_role("button", name="Details of The field data")
    opener.click()
    dialog = portal.page.get_by_role("dialog", name="The field data")
    dialog.wait_for()
    assert query(portal)["show"] == ["field"]
    dialog.get_by_role("cell", name="rain", exact=True).first.wait_for()
    for name in ("STAC", "OGC EDR", "Zarr", "Tiles", "Connect"):
        assert dialog.get_by_role("link", name=re.compile(f"^{name}")).count() == 1
    dialog.get_by_role("region", name="As code").get_by_text("field").first.wait_for()
    address = portal.page.url
    portal.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert "show" not in query(portal)
    portal.settled(lambda: opener.evaluate("one => one === document.activeElement"))
    portal.page.goto(address)
    portal.page.get_by_role("dialog", name="The field data").wait_for()


def test_markup_in_names_is_text(portal: Portal) -> None:
    portal.open("q=names&show=markup", "discover")
    portal.page.get_by_role("dialog").get_by_text(made.MARKUP).first.wait_for()
    assert portal.page.evaluate("window.hacked === undefined")


def test_explore_puts_it_on_the_map_and_back_finds_the_list(portal: Portal, web: httpx.Client) -> None:
    portal.open("discover")
    found(portal, total(web))
    button = portal.page.get_by_role("button", name="Explore The pacific data on the map")
    button.scroll_into_view_if_needed()
    before = button.bounding_box()
    button.click()
    portal.page.wait_for_url(re.compile(r"/explore\?.*c=pacific"))
    portal.page.go_back()
    found(portal, total(web))
    portal.settled(lambda: abs(_top(button.bounding_box()) - _top(before)) < 40)


def _top(box: Any) -> float:
    return float(box["y"]) if box else -1e6


def test_nothing_found_says_what_to_drop(portal: Portal, web: httpx.Client) -> None:
    portal.open("q=pacific&resolution=under-100m", "discover")
    portal.page.get_by_role("heading", name="Nothing matches").wait_for()
    offer = portal.page.get_by_role("button", name=re.compile("^Without Resolution"))
    offer.wait_for()
    assert offer.inner_text().endswith(f": {total(web, q='pacific')}")
    offer.click()
    found(portal, 1)


def _changed(portal: Portal, change: Any) -> None:
    """Answers of /discover to the page, as they might be."""

    def answer(route: Any) -> None:
        if route.request.resource_type != "fetch":
            route.continue_()
            return
        body = route.fetch().json()
        change(body)
        route.fulfill(body=json.dumps(body), content_type="application/json")

    portal.page.route("**/discover?*", answer)


def test_who_did_not_answer_is_named(portal: Portal) -> None:
    late = {
        "provider": "far",
        "state": "late",
        "matched": 0,
        "seconds": 10,
        "message": "far did not answer within 10 s.",
    }
    _changed(portal, lambda body: body["sources"].append(late))
    portal.open("discover")
    portal.page.get_by_text("Not everybody answered").wait_for()
    assert portal.page.get_by_text("far did not answer within 10 s.").is_visible()
    assert cards(portal)


def test_pages_follow_each_other_without_losing_the_place(portal: Portal) -> None:
    portal.expects("404")  # of pictures of what is not there

    def many(body: dict[str, Any]) -> None:
        number = many.calls  # type: ignore[attr-defined]
        many.calls += 1  # type: ignore[attr-defined]
        body["collections"] = [
            one | {"id": f"{one['id']}-{number}", "title": f"{one['title']} {number}"} for one in body["collections"]
        ]
        body |= {"matched": 30, "next": f"page{number + 1}" if number < 2 else None}

    many.calls = 0  # type: ignore[attr-defined]

    def answer(route: Any) -> None:
        if route.request.resource_type != "fetch":
            route.continue_()
            return
        address = re.sub(r"&token=[^&]*", "", route.request.url)
        body = route.fetch(url=address).json()
        many(body)
        route.fulfill(body=json.dumps(body), content_type="application/json")

    portal.page.route("**/discover?*", answer)
    portal.open("discover")
    portal.settled(lambda: len(cards(portal)) > 0)
    first = cards(portal)
    portal.page.locator("main").evaluate("one => one.scrollTo(0, one.scrollHeight)")
    portal.settled(lambda: len(cards(portal)) >= 2 * len(first))
    assert cards(portal)[: len(first)] == first
    portal.page.locator("main").evaluate("one => one.scrollTo(0, one.scrollHeight)")
    portal.settled(lambda: len(cards(portal)) == 3 * len(first))
    assert portal.page.get_by_text("That is all.").count() == 1


def test_a_server_that_fails_is_said_and_asked_again(portal: Portal) -> None:
    portal.expects("503")
    is_down = [True]

    def answer(route: Any) -> None:
        if route.request.resource_type == "fetch" and is_down[0]:
            route.fulfill(status=503, body='{"detail": "Closing down."}', content_type="application/json")
        else:
            route.continue_()

    portal.page.route("**/discover?*", answer)
    portal.open("discover")
    portal.page.get_by_role("alert").filter(has_text="Closing down.").wait_for()
    is_down[0] = False
    portal.page.get_by_role("button", name="Try again").click()
    portal.settled(lambda: len(cards(portal)) > 3)


@pytest.mark.window(390, 844, dark=True)
def test_on_a_phone_filters_open_over_the_list_and_nothing_is_too_wide(portal: Portal, web: httpx.Client) -> None:
    portal.open("discover")
    found(portal, total(web))
    assert portal.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert portal.page.locator("main").evaluate("one => one.scrollWidth") <= 390
    portal.page.get_by_role("button", name="Filters").click()
    portal.page.get_by_label("South", exact=True).wait_for()
    portal.page.get_by_role("button", name="Done").click()
    assert portal.page.get_by_label("South", exact=True).is_hidden()
