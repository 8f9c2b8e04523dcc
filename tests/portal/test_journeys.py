"""What people come for, from end to end, in a real browser against a real server."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from portal import made
from portal.conftest import Portal, colour, copied, near, start, stop

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]  # servers start slowly where tests run side by side

SPAN = made.PALETTE_RANGE
FLAT = f"at=10,20,1,flat&map=0&t={made.iso(0)}&l=c=field;v=t;r=240,320;cells=1"
HERE = (10.0, 40.0)


def shows(portal: Portal, hours: float, place: tuple[float, float] = HERE) -> bool:
    """Whether the map has the colour of the value there."""
    return near(portal.pixel(*place), colour(float(made.smooth(place[1], place[0], hours)), SPAN))


def press(portal: Portal, name: str) -> None:
    portal.page.get_by_role("button", name=name, exact=True).click()


def tiles(portal: Portal) -> int:
    """Requests for data so far."""
    return sum("/tiles/" in path or "/ogc/" in path for path in portal.asked)


# --- the first minute -----------------------------------------------------------------------------------------------


def test_a_newcomer_sees_a_moving_field_and_a_series_of_their_town(portal: Portal) -> None:
    portal.open(page="").idle()
    told = portal.page.locator("strong", has_text=re.compile("20[0-9][0-9]"))
    first = told.first.inner_text()
    portal.settled(lambda: told.first.inner_text() != first)  # it moves by itself
    town = portal.page.get_by_role("combobox").first
    town.fill("Lisbo")
    portal.page.get_by_role("option", name=re.compile("Lisbo")).first.click()
    chart = portal.page.get_by_role("slider", name=re.compile("Lisbo"))
    chart.wait_for()
    portal.settled(lambda: "Lisbo" in portal.page.url)  # while time goes on playing


@pytest.mark.window(1000, 700, reduced=True)
def test_nothing_moves_for_those_who_want_no_motion(portal: Portal) -> None:
    portal.open(page="").idle()
    portal.page.get_by_role("button", name="Play").wait_for()
    before = portal.shot()
    portal.page.wait_for_timeout(600)
    assert (portal.shot() == before).all()


def test_from_finding_to_code(portal: Portal, web: httpx.Client) -> None:
    page = portal.open("discover").page
    page.get_by_role("searchbox").or_(page.get_by_role("textbox")).first.fill("field")
    portal.settled(lambda: "q=field" in page.url)
    card = page.get_by_role("article").filter(has_text="The field data")
    card.get_by_role("button", name=re.compile("^Explore|on the map", re.IGNORECASE)).click()
    portal.idle()
    assert "c=field" in page.url
    portal.settled(lambda: "at=" in page.url)
    left, top, width, height = portal.map_box()
    page.mouse.click(left + width / 2, top + height / 2)
    page.get_by_role("slider", name=re.compile("Rain")).wait_for()
    tool(portal, "Compare")
    page.get_by_role("region", name="Compare").get_by_role(
        "button", name=re.compile("one step|one day", re.IGNORECASE)
    ).first.click()
    portal.settled(lambda: "vs=" in page.url)
    portal.idle()
    tool(portal, "Take away")
    panel = page.get_by_role("region", name="Take away")
    panel.get_by_text("Within the limits.").wait_for()
    assert panel.get_by_text("CC-BY-4.0").first.is_visible()
    panel.get_by_label("Format").select_option("CSV")
    with page.expect_download() as waiting:
        panel.get_by_role("button", name="Download").click()
    assert waiting.value.suggested_filename.endswith(".csv")
    panel.get_by_role("tab", name="As code").click()
    panel.locator("pre").filter(has_text="field").first.wait_for()


def tool(portal: Portal, name: str) -> None:
    """Opens a panel."""
    portal.page.get_by_role("toolbar", name="Tools").get_by_role("button", name=name).click()
    portal.page.get_by_role("region", name=name).wait_for()


# --- looking --------------------------------------------------------------------------------------------------------


def test_colours_change_without_a_request(portal: Portal) -> None:
    portal.open(FLAT).idle()
    before = tiles(portal)
    page = portal.page
    page.get_by_role("button", name=re.compile("^Air temperature")).click()
    page.get_by_text("magma", exact=True).click()
    value = float(made.smooth(40, 10))
    portal.settled(lambda: near(portal.pixel(*HERE), colour(value, SPAN, "magma")))
    page.get_by_label("Reversed").check()
    portal.settled(lambda: near(portal.pixel(*HERE), colour(value, SPAN, "magma_r")))
    low = page.get_by_role("textbox", name="from", exact=True).first
    low.fill("260")
    low.press("Enter")
    portal.settled(lambda: near(portal.pixel(*HERE), colour(value, (260, 320), "magma_r")))
    assert tiles(portal) == before
    portal.settled(lambda: "pal=magma_r" in page.url and "r=260,320" in page.url)


def test_a_link_restores_exactly_what_was_seen(portal: Portal) -> None:
    portal.open(
        f"at=-20,35,1.7,globe&t={made.iso(15)}&map=lg&panel=compare"
        "&l=id=a;c=field;v=rain;pal=magma_r;r=1,15;o=0.8;n=6&l=id=b;c=curved;v=sst;iso=2"
        f"&vs=mode%3Dswipe%3Ba%3Da%3Bat%3D0.4%3Bb%3D{'id%253Db%253Bc%253Dfield%253Bv%253Dt'}"
    ).idle()
    portal.page.mouse.move(500, 300)
    portal.page.mouse.wheel(0, -200)
    portal.settled(lambda: portal.camera().zoom > 1.7)
    portal.page.mouse.move(5, 695)
    portal.page.wait_for_timeout(400)  # the address follows a movement after a moment
    portal.idle()
    link, seen = portal.page.url, portal.shot()
    portal.page.goto("about:blank")
    portal.page.goto(link)
    portal.idle()
    portal.page.mouse.move(5, 695)
    portal.settled(lambda: (portal.shot() == seen).mean() > 0.999)
    assert portal.page.url == link


def test_back_and_forward_between_pages_keep_the_view(portal: Portal) -> None:
    portal.open(FLAT).idle()
    portal.page.get_by_role("link", name="Discover").click()
    portal.page.get_by_role("heading", name="Discover").wait_for()
    portal.page.go_back()
    portal.idle()
    assert shows(portal, 0)
    assert "c=field" in portal.page.url


def test_thirty_steps_play_without_a_blank_frame(portal: Portal) -> None:
    portal.open(f"{FLAT}&blend=0").idle()
    page = portal.page
    page.evaluate(_COUNT_WAITS)
    press(portal, "Options of time")
    page.get_by_label("Speed").select_option("16")
    x, y = portal.place(*HERE)
    frames: list[bytes] = []
    with screencast(portal, frames):
        press(portal, "Play")
        portal.settled(
            lambda: f"t={made.iso(made.STEPS[29])}" in page.url.replace("%3A", ":") or len(rounds(portal)) > 1
        )
        once = tiles(portal)
        page.evaluate("window.waits = 0")
        turn = len(rounds(portal))
        portal.settled(lambda: len(rounds(portal)) > turn)
    assert tiles(portal) == once  # all steps are here: played again nothing is asked
    assert page.evaluate("window.waits") == 0
    press(portal, "Pause")
    assert len(frames) > 10
    seen = {pixel_of(frame, x, y) for frame in frames}
    possible = [colour(float(made.smooth(HERE[1], HERE[0], hours)), SPAN) for hours in made.STEPS]
    strange = [one for one in seen if not any(near(one, other, 3) for other in possible)]
    assert not strange
    assert len(seen) > 3


_COUNT_WAITS = """() => {
    window.waits = 0;
    window.starts = [];
    let before = "";
    const look = () => {
        const says = document.querySelector('.now small')?.textContent ?? "";
        if (says && says !== before) window.waits++;
        before = says;
        const time = document.querySelector('.now strong')?.textContent ?? "";
        if (time.startsWith("1 Mar") && !window.last?.startsWith("1 Mar")) window.starts.push(time);
        window.last = time;
        requestAnimationFrame(look);
    };
    look();
}"""


def rounds(portal: Portal) -> list[str]:
    """How often play has begun with the first day."""
    return list(portal.page.evaluate("window.starts"))


class screencast:  # noqa: N801 -- reads as a statement
    """Every frame that the browser shows meanwhile, as PNG."""

    def __init__(self, portal: Portal, frames: list[bytes]) -> None:
        self._session = portal.page.context.new_cdp_session(portal.page)
        self._frames = frames

    def __enter__(self) -> None:
        self._session.on("Page.screencastFrame", self._keep)
        self._session.send("Page.startScreencast", {"format": "png", "everyNthFrame": 1})

    def _keep(self, event: Any) -> None:
        import base64

        self._frames.append(base64.b64decode(event["data"]))
        self._session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    def __exit__(self, *_: object) -> None:
        self._session.send("Page.stopScreencast")
        self._session.detach()


def pixel_of(frame: bytes, x: float, y: float) -> tuple[int, int, int]:
    import io

    from PIL import Image

    red, green, blue = Image.open(io.BytesIO(frame)).convert("RGB").getpixel((int(x), int(y)))  # type: ignore[misc]
    return int(red), int(green), int(blue)


# --- when things go wrong -------------------------------------------------------------------------------------------


def test_a_lost_graphics_card_is_survived(portal: Portal) -> None:
    portal.open(FLAT).idle()
    context = "window.__container.querySelectorAll('canvas')[1].getContext('webgl2')"
    portal.page.evaluate(f"(window.card = {context}.getExtension('WEBGL_lose_context')).loseContext()")
    portal.page.get_by_role("alert").wait_for()
    portal.page.evaluate("window.card.restoreContext()")
    portal.settled(lambda: shows(portal, 0))
    assert portal.page.get_by_role("alert").count() == 0


@pytest.fixture
def mortal(portal: Portal, portal_home: Path) -> Iterator[Mortal]:
    """A server of its own, and a window on it."""
    home = copied(portal_home, "mortal")
    server = Mortal(home, free_port())
    portal.url = server.url
    portal.allows_host(server.url)
    yield server
    server.dies()


class Mortal:
    """It ends and comes back at the same address."""

    def __init__(self, home: Path, port: int) -> None:
        self._home, self._port = home, port
        self.url = f"http://127.0.0.1:{port}"
        self.lives()

    def lives(self) -> None:
        self._process, _, _ = start(self._home, self._home.with_suffix(".log"), self._port)

    def dies(self) -> None:
        stop(self._process)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_server_that_dies_and_comes_back(portal: Portal, mortal: Mortal) -> None:
    portal.expects("ERR_CONNECTION_REFUSED", "Failed to load resource")
    portal.open(FLAT).idle()
    mortal.dies()
    press(portal, "One step forward")
    again = portal.page.get_by_role("button", name="Try again").first
    again.wait_for()
    assert near(portal.pixel_at(*portal.place(*HERE)), portal.pixel(*HERE))  # the page lives
    portal.page.get_by_role("button", name="Zoom in").click()
    mortal.lives()
    again.click()
    portal.settled(lambda: shows(portal, made.STEPS[1]))


# --- other hands, other screens -------------------------------------------------------------------------------------


def test_by_keyboard_alone(portal: Portal) -> None:
    portal.open(FLAT).idle()
    page = portal.page
    tab_to(portal, lambda: page.evaluate("document.activeElement.getAttribute('role')") == "application")
    page.keyboard.press("+")
    portal.settled(lambda: portal.camera().zoom > 1)
    zoom = portal.camera().zoom
    page.keyboard.press("ArrowRight")
    portal.settled(lambda: portal.camera().lon != 10)
    assert portal.camera().zoom == zoom
    page.keyboard.press("Enter")
    page.get_by_label("Values under the pointer").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("slider", name=re.compile("Air temperature")).wait_for()
    tab_to(portal, lambda: "Air temperature" in (page.evaluate("document.activeElement.ariaLabel") or ""))
    page.keyboard.press("Home")
    assert "1 Mar 2024" in page.get_by_role("slider", name=re.compile("Air temperature")).get_attribute(
        "aria-valuetext"
    )


def tab_to(portal: Portal, found: Any, most: int = 60) -> None:
    """Presses Tab until the focus is there."""
    for _ in range(most):
        portal.page.keyboard.press("Tab")
        if found():
            return
    raise AssertionError("the keyboard does not come there")


@pytest.mark.window(390, 844, touch=True)
def test_on_a_phone(portal: Portal) -> None:
    portal.open("at=10,20,0,globe&t=" + made.iso(0) + "&l=c=field;v=t;r=240,320;cells=1").idle()
    page = portal.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    left, top, width, height = portal.map_box()
    assert width > 300
    assert height > 300
    page.touchscreen.tap(left + width / 2, top + height / 2)
    page.get_by_role("slider", name=re.compile("Air temperature")).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
