"""Hands on the real map: mouse, wheel, keys, fingers, and shapes that are drawn. Where things lie is told by the textbook."""

from __future__ import annotations

import json
import math
import time
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from portal.conftest import Portal

pytestmark = pytest.mark.server

LAYER = "l=c=field;v=t;r=240,320"
CAMERAS = ["10,20,1.6,globe", "180,10,1.5,flat", "0,0,1,equalearth", "0,90,1.5,north"]


def opened(portal: Portal, camera: str, more: str = "") -> Portal:
    portal.open(f"at={camera}&{LAYER}{more}").idle()
    portal.page.keyboard.press("Escape")
    return portal


def at_rest(portal: Portal) -> None:
    """Waits until the address has followed the camera and neither goes on."""
    before: Any = None
    last = time.monotonic() + 20
    while time.monotonic() < last:
        now = portal.page.url
        if now == before:
            return
        before = now
        portal.page.wait_for_timeout(700)
    raise AssertionError("the map does not come to rest")


def drag(portal: Portal, start: tuple[float, float], end: tuple[float, float], rest: int = 200) -> None:
    """With a rest before the button is let go, so that the map does not glide on."""
    mouse = portal.page.mouse
    mouse.move(*start)
    mouse.down()
    mouse.move(*[(a + b) / 2 for a, b in zip(start, end, strict=True)])
    mouse.move(*end)
    portal.page.wait_for_timeout(rest)
    mouse.up()


def probes(portal: Portal) -> list[dict[str, Any]]:
    """Geometries of all probes of the address, points as coordinates."""
    found = []
    for text in parse_qs(urlsplit(portal.page.url).query).get("p", []):
        parts = dict(part.split("=", 1) for part in text.split(";"))
        if "at" in parts:
            lon, lat = (float(number) for number in unquote(parts["at"]).split(","))
            found.append({"type": "Point", "coordinates": [lon, lat]})
        else:
            found.append(json.loads(unquote(parts["g"])))
    return found


def middle(portal: Portal) -> tuple[float, float]:
    left, top, width, height = portal.map_box()
    return left + width / 2, top + height / 2


def focus(portal: Portal) -> None:
    portal.page.get_by_role("application").focus()


def has_crosshair(portal: Portal) -> bool:
    return portal.page.locator("[data-part=crosshair]").count() == 1


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_place_under_the_mouse_stays_under_it(portal: Portal, camera: str) -> None:
    opened(portal, camera)
    before = portal.camera()
    place = (before.lon + 8, before.lat - 9)
    x, y = portal.place(*place)
    drag(portal, (x, y), (x + 70, y + 40))
    at_rest(portal)
    assert portal.camera() != before
    # the address tells the camera to five decimals and the zoom to three
    assert math.dist(portal.place(*place), (x + 70, y + 40)) < 1


@pytest.mark.parametrize("camera", ["175,-50,2,globe", "20,45,2,mercator"])
def test_the_wheel_zooms_about_the_mouse(portal: Portal, camera: str) -> None:
    opened(portal, camera)
    before = portal.camera()
    place = (before.lon + 9, before.lat - 12)
    x, y = portal.place(*place)
    portal.page.mouse.move(x, y)
    for _ in range(3):
        portal.page.mouse.wheel(0, -120)
    portal.settled(lambda: portal.camera().zoom > before.zoom + 0.5)
    at_rest(portal)
    assert math.dist(portal.place(*place), (x, y)) < 2


def test_a_click_picks_and_a_drag_does_not(portal: Portal) -> None:
    opened(portal, "10,20,2,globe")
    x, y = portal.place(20, 30)
    drag(portal, (x + 30, y + 90), (x + 31, y + 160))
    at_rest(portal)
    assert probes(portal) == []
    portal.page.mouse.click(*portal.place(20, 30))
    portal.settled(lambda: probes(portal))
    [point] = probes(portal)
    assert point["coordinates"] == pytest.approx([20, 30], abs=0.5)


def test_a_double_click_zooms_and_picks_nothing(portal: Portal) -> None:
    opened(portal, "10,20,2,globe")
    portal.page.mouse.dblclick(*portal.place(0, 10))
    portal.settled(lambda: portal.camera().zoom == pytest.approx(3, abs=0.01))
    at_rest(portal)
    assert probes(portal) == []


def test_keys_move_and_scale_the_map_and_pick_its_middle(portal: Portal) -> None:
    opened(portal, "10,20,2,globe")
    focus(portal)
    portal.page.keyboard.press("ArrowRight")
    portal.settled(lambda: portal.camera().lon > 12)
    assert portal.camera().lat == pytest.approx(20, abs=0.01)
    assert has_crosshair(portal)
    portal.page.keyboard.press("+")
    portal.settled(lambda: portal.camera().zoom == pytest.approx(2.5))
    portal.page.keyboard.press("Enter")
    portal.settled(lambda: probes(portal))
    camera, [point] = portal.camera(), probes(portal)
    assert point["coordinates"] == pytest.approx([camera.lon, camera.lat], abs=0.05)
    portal.page.keyboard.press("Escape")
    portal.settled(lambda: not has_crosshair(portal))
    portal.page.keyboard.press("Home")
    portal.settled(lambda: portal.camera().zoom < 2)


def test_tab_leaves_the_map(portal: Portal) -> None:
    opened(portal, "10,20,2,globe")
    focus(portal)
    portal.page.keyboard.press("Tab")
    assert portal.page.evaluate("document.activeElement.getAttribute('role')") != "application"


@pytest.mark.window(1000, 700, reduced=True)
def test_nothing_glides_where_people_want_less_motion(portal: Portal) -> None:
    opened(portal, "10,20,2,globe")
    x, y = middle(portal)
    drag(portal, (x, y), (x + 80, y), rest=0)
    at_rest(portal)
    assert math.dist(portal.place(10, 20), (x + 80, y)) < 1


class Fingers:
    """Touches by the browser's own protocol: Playwright has taps only."""

    def __init__(self, portal: Portal) -> None:
        self.page = portal.page
        self.wire = portal.page.context.new_cdp_session(portal.page)

    def put(self, *places: tuple[float, float]) -> None:
        self._send("touchStart", places)

    def move(self, *places: tuple[float, float]) -> None:
        self._send("touchMove", places)

    def lift(self) -> None:
        self._send("touchEnd", ())

    def _send(self, kind: str, places: tuple[tuple[float, float], ...]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self.wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        self.page.wait_for_timeout(20)


@pytest.mark.window(500, 800, touch=True)
def test_one_finger_moves_and_two_scale(portal: Portal) -> None:
    opened(portal, "10,20,1.5,globe")
    fingers = Fingers(portal)
    x, y = portal.place(18, 12)
    fingers.put((x, y))
    for step in range(1, 6):
        fingers.move((x - 14 * step, y + 6 * step))
    portal.page.wait_for_timeout(200)
    fingers.lift()
    at_rest(portal)
    assert math.dist(portal.place(18, 12), (x - 70, y + 30)) < 1
    before = portal.camera()
    x, y = portal.place(before.lon, before.lat)
    fingers.put((x - 40, y), (x + 40, y))
    for step in range(1, 9):
        fingers.move((x - 40 - 5 * step, y), (x + 40 + 5 * step, y))
    fingers.lift()
    at_rest(portal)
    assert portal.camera().zoom == pytest.approx(before.zoom + 1, abs=0.02)
    assert probes(portal) == []


def tool(portal: Portal, name: str) -> None:
    """Takes a tool of the panel into the hand."""
    button = portal.page.get_by_role("group", name="What to probe").get_by_role("button", name=name)
    button.click()
    assert button.get_attribute("aria-pressed") == "true"


def click_through(portal: Portal, *places: tuple[float, float]) -> None:
    for place in places:
        portal.page.mouse.click(*portal.place(*place))
        # two clicks in one place and moment would be a double click
        portal.page.wait_for_timeout(350)


def test_an_area_over_the_date_line(portal: Portal) -> None:
    opened(portal, "180,0,2,flat", "&panel=probe")
    tool(portal, "Polygon")
    click_through(portal, (170, -10), (-170, -10), (-172, 8), (168, 8))
    portal.page.keyboard.press("Enter")
    portal.settled(lambda: probes(portal))
    [area] = probes(portal)
    [ring] = area["coordinates"]
    assert ring[0] == ring[-1]
    lons = [lon for lon, _ in ring]
    assert (min(lons), max(lons)) == pytest.approx((168, 190), abs=0.5)
    assert shoelace(ring) > 0


def test_an_area_around_the_pole(portal: Portal) -> None:
    opened(portal, "0,90,1.5,north", "&panel=probe")
    tool(portal, "Polygon")
    corners = [(lon, 65) for lon in (10, 80, 150, -140, -70)]
    click_through(portal, *corners, corners[0])
    portal.settled(lambda: probes(portal))
    [area] = probes(portal)
    [ring] = area["coordinates"]
    assert [180, 90] in ring
    assert [-180, 90] in ring
    assert shoelace(ring) / 2 == pytest.approx(360 * 25, rel=0.03)


def test_a_box_is_dragged_and_its_corner_moved(portal: Portal) -> None:
    opened(portal, "10,20,2,flat", "&panel=probe")
    tool(portal, "Box")
    drag(portal, portal.place(0, 10), portal.place(30, 25))
    portal.settled(lambda: probes(portal))
    [box] = probes(portal)
    assert box["bbox"] == pytest.approx([0, 10, 30, 25], abs=0.5)
    drag(portal, portal.place(*box["bbox"][2:]), portal.place(20, 35))
    portal.settled(lambda: probes(portal)[0]["bbox"][3] > 30)
    assert probes(portal)[0]["bbox"] == pytest.approx([0, 10, 20, 35], abs=0.5)


def test_a_line_by_keys_alone(portal: Portal) -> None:
    opened(portal, "10,20,2,globe", "&panel=probe")
    tool(portal, "Line")
    focus(portal)
    keys = portal.page.keyboard
    keys.press("Enter")
    keys.press("Enter")
    for _ in range(3):
        keys.press("ArrowRight")
    keys.press("Enter")
    keys.press("Enter")
    portal.settled(lambda: probes(portal))
    [line] = probes(portal)
    assert line["type"] == "LineString"
    assert line["coordinates"][0] == pytest.approx([10, 20], abs=0.1)
    at_rest(portal)
    assert line["coordinates"][-1] == pytest.approx([portal.camera().lon, portal.camera().lat], abs=0.1)


def test_escape_leaves_a_tool(portal: Portal) -> None:
    opened(portal, "10,20,2,flat", "&panel=probe")
    tool(portal, "Polygon")
    click_through(portal, (0, 10), (20, 10))
    portal.page.keyboard.press("Escape")
    portal.page.keyboard.press("Escape")
    portal.settled(lambda: portal.page.get_by_role("button", name="Polygon").get_attribute("aria-pressed") == "false")
    portal.page.keyboard.press("Enter")
    assert probes(portal) == []


def test_a_file_of_nonsense_is_told_and_a_good_one_taken(portal: Portal) -> None:
    opened(portal, "10,20,2,flat", "&panel=probe")
    portal.page.get_by_role("button", name="File").click()
    field = portal.page.locator("input[type=file]")
    field.set_input_files({"name": "a.geojson", "mimeType": "application/json", "buffer": b"PK\x03\x04 nonsense"})
    alert = portal.page.get_by_role("alert").filter(has_text="no JSON")
    alert.wait_for()
    ring = [[5, 45], [10, 45], [10, 48], [5, 45]]
    features = [
        {
            "type": "Feature",
            "properties": {"name": f"<b>Valley {n}</b>"},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for n in range(3)
    ]
    good = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    field.set_input_files({"name": "b.geojson", "mimeType": "application/json", "buffer": good})
    portal.page.get_by_role("radio", name="<b>Valley 1</b>").click()
    portal.settled(lambda: probes(portal))
    assert probes(portal) == [{"type": "Polygon", "coordinates": [ring]}]


def shoelace(ring: list[list[float]]) -> float:
    """Twice the area in the plane of longitude and latitude; positive counterclockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
