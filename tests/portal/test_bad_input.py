"""Awkward data, awkward files, awkward addresses: said in place, and the page goes on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portal import made
from portal.conftest import Portal, colour, near

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


def legend(portal: Portal) -> str:
    return portal.page.locator("section.legends").inner_text()


def test_a_variable_without_any_value(portal: Portal) -> None:
    portal.open("at=0,0,1,flat&l=c=odd;v=missing")
    portal.page.get_by_text("every cell of this variable is missing").first.wait_for()
    portal.idle(field=False)
    portal.page.mouse.move(500, 300)
    portal.page.get_by_label("Values under the pointer").get_by_text("no data").wait_for()
    portal.page.mouse.click(500, 300)
    portal.page.get_by_label("Probe", exact=True).get_by_text(
        re.compile("missing|no value", re.IGNORECASE)
    ).first.wait_for()


def test_a_range_of_almost_nothing(portal: Portal) -> None:
    portal.open("at=-160,30,1,flat&map=0&l=c=odd;v=tiny;r=0,1e-30;cells=1").idle()
    row, column = 30, 100  # 30 N, 200 E
    value = (row * 180 + column) / (91 * 180) * 1e-30
    assert near(portal.pixel(-160, 30), colour(value / 1e-30, (0, 1)))
    assert "× 10⁻" in legend(portal)
    portal.page.mouse.move(*portal.place(-160, 30))
    said = portal.page.get_by_label("Values under the pointer").locator("dd")
    said.wait_for()
    assert "× 10⁻³¹" in said.inner_text()


def test_one_value_everywhere(portal: Portal) -> None:
    portal.open("at=0,0,1,flat&map=0&l=c=odd;v=constant").idle()
    portal.page.mouse.move(*portal.place(20, 20))
    said = portal.page.get_by_label("Values under the pointer").locator("dd")
    said.wait_for()
    assert said.inner_text().startswith("7.25")


def test_a_single_cell(portal: Portal) -> None:
    view = "at=11,47,6,flat&map=0&l=c=cell;v=t;r=240,320"
    portal.open(view).idle()
    assert near(portal.pixel(11, 47), colour(281.5, (240, 320)))
    portal.open(f"{view}&panel=probe&p=id=1;n=Here;at=11,47")
    portal.page.get_by_label("Probe", exact=True).get_by_text(re.compile(r"281\.5")).first.wait_for()


def test_ten_thousand_steps(portal: Portal) -> None:
    middle = made.LONG // 2
    portal.open(f"at=21.5,11,5,flat&map=0&t={made.iso(middle)}&l=c=long;v=t;r=0,10000;cells=1").idle()
    assert near(portal.pixel(21, 11), colour(middle, (0, made.LONG)))
    portal.page.get_by_role("slider", name="Time of the map").press("End")
    portal.settled(lambda: near(portal.pixel(21, 11), colour(made.LONG - 1, (0, made.LONG))))
    portal.page.mouse.click(*portal.place(21, 11))
    chart = portal.page.get_by_role("slider", name=re.compile(r"11\.0"))
    chart.wait_for()
    assert chart.get_attribute("aria-valuemax") == str(made.LONG - 1)


def test_markup_in_names_is_text_everywhere(portal: Portal) -> None:
    for panel in ("layers", "probe", "compare", "takeaway", "share"):
        portal.open(
            f"at=0,0,1,flat&l=c=markup&p=id=1;n={made.MARKUP.replace('=', '%253D')};at=10,40&panel={panel}"
        ).idle()
        assert made.MARKUP in portal.page.locator("body").inner_text(), panel
    portal.open("q=Names", "discover")
    portal.page.get_by_text(made.MARKUP).first.wait_for()
    assert portal.page.evaluate("window.hacked") is None
    assert portal.page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize(
    "query",
    [
        "l=c=nosuchcollection",
        "l=c=field;v=nosuchvariable",
        "at=nonsense&t=yesterday&l=;;;=&l=c&p=g={&vs=mode=x&panel=nothing",
        "at=1e999,0,3,globe&l=c=field;r=NaN,2;o=7;n=-5;x.=;x.y=%ZZ",
        "l=c=%00%FF%FE&l=c=../../etc/passwd",
        "l=c=field;v=t&t=9999-12-31T00:00:00Z",
    ],
)
def test_addresses_that_mean_nothing(portal: Portal, query: str) -> None:
    portal.expects("404", "400")
    portal.open(query)
    portal.page.get_by_role("button", name="Add a layer").wait_for()
    portal.idle(field=False)
    portal.page.get_by_role("button", name="Add a layer").click()  # the page goes on
    portal.page.get_by_role("searchbox").or_(portal.page.get_by_role("textbox")).first.wait_for()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("nonsense.geojson", b"\x00\x01 this is nothing", "no JSON"),
        ("other.json", b'{"a": [1, 2, 3]}', "no GeoJSON"),
        ("utm.geojson", b'{"type":"Polygon","coordinates":[[[4e5,5e6],[5e5,5e6],[5e5,6e6],[4e5,5e6]]]}', "WGS 84"),
    ],
)
def test_files_that_are_no_shapes(portal: Portal, name: str, content: bytes, said: str) -> None:
    portal.open(f"at=10,45,2,flat&t={made.iso(0)}&l=c=field;v=t&panel=probe").idle()
    give(portal, name, content)
    portal.page.get_by_text(said).first.wait_for()


def test_a_file_of_fifty_megabytes(portal: Portal, tmp_path: Path) -> None:
    portal.open(f"at=10,45,2,flat&t={made.iso(0)}&l=c=field;v=t&panel=probe").idle()
    large = tmp_path / "large.geojson"
    large.write_bytes(b'{"type": "FeatureCollection", "features": []}' + b" " * 50_000_000)
    portal.page.get_by_role("button", name="File", exact=True).click()
    portal.page.locator("input[type=file]").first.set_input_files(large)
    portal.page.get_by_text("files up to 20 MB").first.wait_for()
    portal.page.get_by_role("button", name="Zoom in").click()  # the page goes on
    portal.settled(lambda: portal.camera().zoom > 2)


def give(portal: Portal, name: str, content: bytes) -> None:
    """Hands a file to the panel that reads shapes."""
    portal.page.get_by_role("button", name="File", exact=True).click()
    files = portal.page.locator("input[type=file]").first
    files.set_input_files({"name": name, "mimeType": "application/geo+json", "buffer": content})
