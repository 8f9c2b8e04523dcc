"""Maps, charts and legends of this site on a page of another one: values, events, manners."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from portal import made
from portal.conftest import Portal, Served, colour, near

pytestmark = pytest.mark.server

SPAN = made.PALETTE_RANGE
VIEW = f"at=10,20,1,flat&map=0&t={made.iso(0)}&l=c=field;v=t;r=240,320;cells=1"


@pytest.fixture
def others() -> Iterator[Callable[[str], str]]:
    """A server of somebody else, that has one page: give the body, get its address."""
    page = {"body": ""}

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            if self.path == "/":
                self.wfile.write(f"<!doctype html><link rel=icon href=data:,>{page['body']}".encode())

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def serve(body: str) -> str:
        page["body"] = body
        return f"http://127.0.0.1:{server.server_port}/"

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def embed(portal: Portal, portal_site: Served, others: Callable[[str], str]) -> Callable[[str], Portal]:
    """Opens a page of others with some elements; {site} is our address, {view} the usual view."""

    def open_page(body: str) -> Portal:
        script = f'<script type="module" src="{portal_site.url}/portal/embed.js"></script>'
        address = others(script + body.replace("{site}", portal_site.url).replace("{view}", VIEW))
        portal.allows_host(address)
        portal.page.add_init_script(_LISTEN)
        portal.page.goto(address)
        return portal

    return open_page


_LISTEN = """window.told = [];
for (const name of ["camera", "value", "pick", "failed"])
    document.addEventListener(`terrella-${name}`, event => told.push([name, event.detail, event.target.id]));"""
_MAP = '<terrella-map id="m" src="{site}" style="width: 512px; height: 256px; margin: 0" view="{view}"></terrella-map>'


def told(portal: Portal, name: str) -> list:
    return [one[1] for one in portal.page.evaluate("told") if one[0] == name]


def test_a_map_on_a_page_of_others_has_the_colours_of_its_values(embed: Callable[[str], Portal]) -> None:
    portal = embed(_MAP)
    portal.idle()
    left, top, width, height = portal.map_box()
    assert (width, height) == (512, 256)
    x, y = left + width / 2 + 3, top + height / 2 - 3  # 1 degree is 2.84 pixels: within the cell at 10 E, 20 N
    assert near(portal.pixel_at(x, y), colour(float(made.smooth(20, 10)), SPAN))


def test_it_tells_of_values_places_and_movements(embed: Callable[[str], Portal]) -> None:
    portal = embed(_MAP)
    portal.idle()
    left, top, width, height = portal.map_box()
    portal.page.mouse.click(left + width / 2, top + height / 2)
    portal.settled(lambda: told(portal, "pick"))
    assert told(portal, "pick")[-1] == {"lon": pytest.approx(10), "lat": pytest.approx(20)}
    value = told(portal, "value")[-1]["values"][0]
    assert (value["collection"], value["variable"], value["units"]) == ("field", "t", "K")
    assert value["value"] == pytest.approx(float(made.smooth(20, 10)), abs=0.01)
    portal.page.mouse.wheel(0, -300)
    portal.settled(lambda: told(portal, "camera"))
    now = told(portal, "camera")[-1]
    assert now["zoom"] > 1
    assert "c=field" in now["view"]
    link = portal.page.locator("terrella-map").get_by_role("link")
    assert link.get_attribute("href").startswith(portal.url + "/explore?at=")


def test_attributes_are_followed_without_a_new_map(embed: Callable[[str], Portal]) -> None:
    portal = embed(_MAP)
    portal.idle()
    portal.page.evaluate("window.before = document.getElementById('m').shadowRoot.querySelector('.map').terrellaMap")
    portal.page.locator("#m").evaluate("(map, time) => map.setAttribute('time', time)", made.iso(210))
    expected = colour(float(made.smooth(20, 10, 210)), SPAN)
    left, top, width, height = portal.map_box()
    spot = left + width / 2 + 3, top + height / 2 - 3
    portal.settled(lambda: near(portal.pixel_at(*spot), expected))
    assert portal.page.evaluate(
        "window.before === document.getElementById('m').shadowRoot.querySelector('.map').terrellaMap"
    )
    portal.page.locator("#m").evaluate("map => map.setAttribute('legend', 'off')")
    assert not portal.page.locator("terrella-map .key").is_visible()


def test_styles_stay_on_their_side(embed: Callable[[str], Portal]) -> None:
    rules = "<style>p, div, canvas { display: none !important; color: red } .map { opacity: 0.1 }</style>"
    portal = embed(f"{rules}<h1>A page</h1>{_MAP}<section class=key>mine</section>")
    portal.idle()
    assert portal.page.locator("terrella-map").get_by_text("air temperature (K)").is_visible()
    own = portal.page.locator("section.key")
    assert own.evaluate("one => [getComputedStyle(one).position, getComputedStyle(one).padding]") == ["static", "0px"]
    assert portal.page.evaluate("document.styleSheets.length + document.adoptedStyleSheets.length") == 1


def test_a_legend_alone(embed: Callable[[str], Portal]) -> None:
    portal = embed('<terrella-legend src="{site}" view="{view}"></terrella-legend>')
    legend = portal.page.locator("terrella-legend")
    legend.get_by_text("air temperature (K)").wait_for()
    assert legend.locator("li").all_text_contents() == ["240", "260", "280", "300", "320"]


def test_two_maps_and_one_that_goes(embed: Callable[[str], Portal]) -> None:
    portal = embed(_MAP + _MAP.replace('id="m"', 'id="n"').replace("{view}", "l=c=field;v=rain"))
    portal.page.evaluate("document.getElementById('m').remove()")
    portal.idle(portal.page.locator("#n"))
    assert portal.page.locator("terrella-map").count() == 1
    assert portal.page.locator("#n").get_by_text("rain (mm)").is_visible()


def test_what_is_not_there_is_said_in_place(embed: Callable[[str], Portal]) -> None:
    portal = embed(
        '<terrella-map id="a" src="{site}" view="l=c=nothing"></terrella-map>'
        '<terrella-map id="b" src="{site}" view="complete nonsense"></terrella-map>'
        '<terrella-map id="c" src="http://127.0.0.1:9/" view="{view}"></terrella-map>'
    )
    portal.expects("404", "127.0.0.1:9")
    portal.page.locator("#a").get_by_text("nothing").wait_for()
    portal.page.locator("#b").get_by_text("no layer").wait_for()
    portal.page.locator("#c").get_by_text("No Terrella answers at http://127.0.0.1:9/").wait_for()
    portal.settled(lambda: {one[2] for one in portal.page.evaluate("told") if one[0] == "failed"} == {"a", "b", "c"})
    portal.page.close()


def test_markup_in_names_is_text(embed: Callable[[str], Portal]) -> None:
    portal = embed('<terrella-map src="{site}" view="l=c=markup"></terrella-map>')
    portal.idle()
    assert portal.page.locator("terrella-map").get_by_text(made.MARKUP).count() > 0
    assert portal.page.evaluate("window.hacked") is None


def test_a_chart_has_the_values_of_the_server(embed: Callable[[str], Portal], web: httpx.Client) -> None:
    view = f"t={made.iso(12)}&l=c=field;v=t&p=id=1;n=Here;at=10,40"
    portal = embed(f'<terrella-chart id="c" src="{{site}}" style="width: 640px" view="{view}"></terrella-chart>')
    chart = portal.page.locator("terrella-chart")
    slider = chart.get_by_role("slider")
    slider.wait_for()
    slider.focus()
    for key, hours in (("Home", made.STEPS[0]), ("End", made.STEPS[-1])):
        slider.press(key)
        asked = {"coords": "POINT(10 40)", "parameter-name": "t", "datetime": made.iso(hours), "f": "CoverageJSON"}
        said = web.get("/ogc/collections/field/position", params=asked).json()
        value = said["ranges"]["t"]["values"][0]
        spoken = slider.get_attribute("aria-valuetext")
        assert f"{value:.2f}"[:5] in spoken, (value, spoken)
    assert portal.page.evaluate("document.styleSheets.length + document.adoptedStyleSheets.length") == 0
    slider.press("Enter")
    portal.settled(lambda: told(portal, "pick"))
    assert told(portal, "pick")[-1] == {"time": made.iso(made.STEPS[-1])}


def test_a_chart_without_a_place_says_so(embed: Callable[[str], Portal]) -> None:
    portal = embed('<terrella-chart src="{site}" view="{view}"></terrella-chart>')
    portal.page.locator("terrella-chart").get_by_text("no place").wait_for()


def test_the_lines_of_the_share_panel_work(portal: Portal, portal_site: Served, others: Callable[[str], str]) -> None:
    portal.open(f"{VIEW}&panel=share").idle()
    lines = portal.page.get_by_role("region", name="Share").locator("pre").last.inner_text()
    address = others(lines)
    portal.allows_host(address)
    portal.page.goto(address)
    portal.idle()
    left, top, width, height = portal.map_box()
    spot = left + width / 2 + 1, top + height / 2 - 1
    assert near(portal.pixel_at(*spot), colour(float(made.smooth(20, 10)), SPAN))
