"""Taking away: the price before the press, the file, the job, the code and the citation, each with the same numbers."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import netCDF4
import numpy as np
import pytest

from grib_files import value
from portal.conftest import Portal, Served, copied, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

MEMBERS = "l=c=members&panel=takeaway"


def panel(portal: Portal, query: str = MEMBERS) -> Page:
    """The panel, with the price of what the map shows."""
    portal.open(query)
    priced(portal)
    return portal.page


def priced(portal: Portal) -> None:
    """Waits until the price is that of the choices."""
    box = portal.page.get_by_role("region", name="What it takes", exact=True)
    portal.settled(lambda: box.count() and box.get_attribute("aria-busy") == "false" and "Values" in box.inner_text())


def choose_place(page: Page, lon: float, lat: float) -> None:
    page.get_by_label("Where").select_option("place")
    page.get_by_label("Longitude").fill(str(lon))
    page.get_by_label("Latitude").fill(str(lat))


def shown(page: Page, term: str) -> str:
    return (
        page.get_by_role("region", name="What it takes", exact=True).locator(f"dt:text-is('{term}') + dd").inner_text()
    )


def test_a_series_of_a_place_as_a_table(portal: Portal, web: httpx.Client) -> None:
    page = panel(portal)
    choose_place(page, 14.1, 51.9)
    page.get_by_label("Time").last.select_option("all")
    priced(portal)
    portal.settled(lambda: shown(page, "Values").startswith("2 "))
    asked = {"coords": "POINT(14.1 51.9)", "parameter-name": "t"}
    tiles = web.get("/tiles/members").json()
    first = {one["name"]: one["values"][0] for one in tiles["axes"] if one["kind"] != "time"}
    asked |= {"number": str(first["number"]), "z": str(next(v for k, v in first.items() if k != "number"))}
    price = web.get("/ogc/collections/members/position/estimate", params=asked).json()
    assert shown(page, "Values") == f"{price['values']:,} in {price['cells']:,} cells"
    assert shown(page, "Licence") == "CC-BY-4.0"
    assert page.get_by_label("Format").input_value() == "CSV"
    with page.expect_download() as fetched:
        page.get_by_role("button", name="Download").click()
    text = fetched.value.path().read_text()
    assert text == web.get("/ogc/collections/members/position", params={**asked, "f": "CSV"}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 2
    for row in rows:
        hour = int(row["time"][11:13])
        level, member = float(asked["z"]), int(asked["number"])
        expected = value(float(row["latitude"]), float(row["longitude"]), hours=hour, level=level, member=member)
        assert float(row["t"]) == pytest.approx(float(expected), abs=1e-3)


def test_a_box_as_netcdf_and_its_mean(portal: Portal, tmp_path: Path) -> None:
    page = panel(portal)
    page.get_by_label("Where").select_option("box")
    for name, number in (("West", 10), ("South", 40), ("East", 20), ("North", 50)):
        page.get_by_label(name, exact=True).fill(str(number))
    priced(portal)
    assert page.get_by_label("Format").input_value() == "NetCDF"
    with page.expect_download() as fetched:
        page.get_by_role("button", name="Download").click()
    fetched.value.save_as(tmp_path / "box.nc")
    with netCDF4.Dataset(tmp_path / "box.nc") as file:
        lat, weights = file["lat"][:], np.cos(np.radians(file["lat"][:]))
        field = file["t"][:].reshape(lat.size, -1)
    page.get_by_text("Make one value of many").click()
    page.get_by_label("Of the area").select_option("mean")
    portal.settled(lambda: shown(page, "Values").startswith("1 "))
    assert page.get_by_label("Format").input_value() == "CSV"
    with page.expect_download() as fetched:
        page.get_by_role("button", name="Download").click()
    (row,) = csv.DictReader(io.StringIO(fetched.value.path().read_text()))
    assert float(row["t"]) == pytest.approx(float(np.average(field.mean(axis=1), weights=weights)), rel=1e-6)


def test_as_code_is_what_the_site_says_and_gives_the_same(portal: Portal, web: httpx.Client) -> None:
    page = panel(portal)
    choose_place(page, 14.1, 51.9)
    page.get_by_role("tab", name="As code").click()
    page.get_by_label("With").select_option("curl")
    line = page.locator("code[data-client=curl]")
    portal.settled(lambda: line.count() and "POINT" in line.inner_text())
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    printed = subprocess.run(["sh", "-c", line.inner_text()], check=True, capture_output=True, text=True).stdout
    page.get_by_role("tab", name="File").click()
    priced(portal)
    with page.expect_download() as fetched:
        page.get_by_role("button", name="Download").click()
    assert printed == fetched.value.path().read_text()
    page.get_by_role("tab", name="As code").click()
    page.get_by_label("With").select_option("rasterio")
    portal.settled(lambda: "look at a box" in page.get_by_role("note").inner_text())
    page.get_by_label("With").select_option("embed")
    assert f'src="{portal.url}/portal/embed.js"' in page.locator("code[data-client=embed]").inner_text()
    assert {one for one in portal.asked if one.startswith("/connect")} == {"/connect/view"}


def test_lines_are_copied(portal: Portal, window: BrowserContext) -> None:
    window.grant_permissions(["clipboard-read", "clipboard-write"], origin=portal.url)
    page = panel(portal)
    page.get_by_role("tab", name="As code").click()
    page.get_by_label("With").select_option("xarray")
    page.get_by_role("button", name="Copy the lines for xarray").click()
    page.get_by_role("button", name="Copy the lines for xarray").get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("code[data-client=xarray]").text_content()


def test_the_citation_is_that_of_the_numbers(portal: Portal, web: httpx.Client) -> None:
    page = panel(portal)
    choose_place(page, 14.1, 51.9)
    page.get_by_role("tab", name="Cite").click()
    page.get_by_role("button", name="BibTeX", exact=True).click()
    portal.settled(lambda: "POINT" in page.locator("pre").inner_text())
    said = page.locator("pre").inner_text()
    link = page.locator("dd a[href*='/ogc/']").get_attribute("href")
    assert link is not None
    answer = web.get(link, params={**dict(httpx.URL(link).params), "f": "CoverageJSON"}).json()
    assert answer["terrella:receipt"]["request"] in said
    page.get_by_role("button", name="Receipt", exact=True).click()
    receipt = json.loads(page.locator("pre").inner_text())
    assert receipt == {**answer["terrella:receipt"]}
    with page.expect_download() as fetched:
        page.get_by_role("button", name="Save").click()
    assert json.loads(fetched.value.path().read_text()) == receipt


def test_what_is_refused_says_why_in_place(portal: Portal) -> None:
    portal.expects("400")
    page = panel(portal, "l=c=pacific&panel=takeaway")
    choose_place(page, 14.1, 51.9)
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "14.1" in alert.inner_text() or "outside" in alert.inner_text() or "covers" in alert.inner_text()
    assert page.get_by_role("button", name="Download").is_disabled()
    choose_place(page, 175, 10)
    priced(portal)
    assert page.get_by_role("button", name="Download").is_enabled()


def test_names_that_are_markup_stay_names(portal: Portal) -> None:
    page = panel(portal, "l=c=markup&panel=takeaway")
    for tab in ("As code", "Cite", "File"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(600)
    assert page.evaluate("window.hacked") is None


@pytest.fixture
def small(portal_home: Path, window: BrowserContext) -> Iterator[tuple[Portal, Served]]:
    """A site that answers little at once."""
    home = copied(portal_home, "small")
    with serving(home, portal_home.with_name("small.log"), TERRELLA_LIMITS__VALUES="5000") as (url, key):
        found = Portal(window.new_page(), url)
        found.watch()
        yield found, Served(url, key, key, home, portal_home.with_name("small.log"))
        assert not found.unexpected()
    shutil.rmtree(home)


def test_what_is_too_large_is_left_to_a_job(small: tuple[Portal, Served], tmp_path: Path) -> None:
    portal, served = small
    portal.expects("413")  # tiles of the map are over such a limit, too
    page = panel(portal, "l=c=field&panel=takeaway")
    verdict = page.get_by_role("region", name="What it takes", exact=True)
    assert "Too large to wait for" in verdict.inner_text()
    assert "This would pass" in verdict.inner_text()
    assert page.get_by_role("button", name="Download").is_disabled()
    page.get_by_role("button", name="Leave it to a job").click()
    row = page.get_by_role("article")
    row.get_by_text("done").wait_for(timeout=180_000)  # the worker has to start first
    page.reload()
    link = page.get_by_role("article").get_by_role("link", name="Save field.nc")
    link.wait_for()
    (tmp_path / "field.nc").write_bytes(
        httpx.get(str(link.get_attribute("href")), timeout=60).raise_for_status().content
    )
    with netCDF4.Dataset(tmp_path / "field.nc") as file:
        assert file["rain"][:].size == 91 * 180
    page.get_by_role("button", name="Take what would pass").click()
    portal.settled(
        lambda: "Within the limits" in page.get_by_role("region", name="What it takes", exact=True).inner_text()
    )
    portal.open("jobs")
    assert "not signed in" in page.get_by_text("these are the jobs").inner_text()
    page.get_by_role("article").get_by_role("button", name="Log").click()
    page.get_by_role("list", name="Log").wait_for()
    page.get_by_role("button", name="Take off the list").click()
    page.get_by_text("No jobs yet").wait_for()
    assert not httpx.get(f"{served.url}/jobs", timeout=60).json()["jobs"]


@pytest.mark.window(390, 844, dark=True)
def test_on_a_telephone_nothing_is_cut_off(portal: Portal) -> None:
    page = panel(portal)
    for tab in ("File", "As code", "Cite"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(500)
        wide: Any = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1]
        content = page.locator("#takeaway-part").evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert content[0] <= content[1] + 1, tab


def test_tabs_go_by_arrow_keys(portal: Portal) -> None:
    page = panel(portal)
    page.get_by_role("tab", name="File").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="As code").get_attribute("aria-selected") == "true"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.get_by_role("tab", name="Cite").get_attribute("aria-selected") == "true"
    assert re.search(r"takeaway-cite", str(page.evaluate("document.activeElement.id")))
