"""Probing: what a chart says is what EDR says, what its file says, and what the formula of the made data says."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import netCDF4
import numpy as np
import pytest
from PIL import Image

from portal import made

if TYPE_CHECKING:
    import httpx
    from playwright.sync_api import Locator

    from portal.conftest import Portal

FIELD = "l=id=a;c=field;v=t"
FLAT = "at=10,20,1,flat"
LISBON = "p=id=1;n=Lisbon;at=-8,38"


def geometry(kind: str, coordinates: Any, probe: str = "1", name: str = "") -> str:
    """A probe of a shape, as an address has it."""
    shape = quote(json.dumps({"type": kind, "coordinates": coordinates}, separators=(",", ":")), safe="")
    return f"p={quote(f'id={probe};n={name};g={shape}', safe='=;')}"


BOX = [[[-10, 36], [10, 36], [10, 52], [-10, 52], [-10, 36]]]


def show(portal: Portal, *parts: str) -> Locator:
    """The probe panel of a view."""
    portal.open("&".join([FLAT, *parts, "panel=probe"]))
    return portal.page.get_by_role("region", name="Probe", exact=True)


def card(panel: Locator, title: str) -> Locator:
    found = panel.locator("section.card").filter(has=panel.page.get_by_role("heading", name=title))
    found.first.wait_for()
    return found.first


def taken(portal: Portal, chart: Locator, what: str) -> tuple[str, bytes]:
    """The name and the content of a file of a chart."""
    chart.get_by_role("button", name="Download").click()
    with portal.page.expect_download() as waiting:
        chart.get_by_role("button", name=re.compile(what)).first.click()
    return waiting.value.suggested_filename, waiting.value.path().read_bytes()


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def value(chart: Locator) -> float:
    """What the legend says of the first line, in its unit."""
    said = chart.locator(".legend .value").first.inner_text().split()[0]
    return float(said.replace("\u2212", "-"))


def expected(lat: float, lon: float) -> list[float]:
    """`t` of the collection `field` at a cell, at all times."""
    row, column = int(np.argmin(abs(made.LAT - lat))), int(np.argmin(abs(made.LON - lon % 360)))
    return [float(made.field(hours)[row, column]) for hours in made.STEPS]


class TestSeries:
    def test_a_click_is_a_series_of_the_values_that_edr_has(self, portal: Portal, web: httpx.Client) -> None:
        portal.open(f"{FLAT}&{FIELD}&map=0").idle()
        portal.page.mouse.click(*portal.place(-8.3, 38.2))
        panel = portal.page.get_by_role("region", name="Probe", exact=True)
        chart = card(panel, "Air temperature")
        name, content = taken(portal, chart, "^CSV")
        assert re.fullmatch(r"terrella_field_t_[\w.-]+_2024-03-01_2024-03-09\.csv", name)
        query = {"coords": "POINT(-8.3 38.2)", "parameter-name": "t"}
        asked = web.get("/ogc/collections/field/position", params=query | {"f": "CSV"})
        assert content == asked.content
        numbers = [float(row["t"]) for row in rows(content)]
        assert numbers == pytest.approx(expected(38, -8), rel=1e-7)
        covered = web.get("/ogc/collections/field/position", params=query).json()
        assert covered["ranges"]["t"]["values"] == numbers
        assert value(chart) == pytest.approx(numbers[-1], rel=1e-5)

    def test_the_table_tells_every_time_and_value(self, portal: Portal) -> None:
        chart = card(show(portal, FIELD, LISBON), "Air temperature")
        chart.get_by_role("button", name="Table").click()
        cells = chart.locator("tbody tr")
        assert cells.count() == len(made.STEPS)
        found = [float(text) for text in chart.locator("tbody td").all_inner_texts()]
        assert found == pytest.approx(expected(38, -8), abs=6e-4)
        assert chart.locator("tbody th").first.inner_text() == "1 Mar 2024, 00:00 UTC"

    def test_a_click_in_the_chart_moves_the_map_in_time(self, portal: Portal) -> None:
        chart = card(show(portal, FIELD, LISBON), "Air temperature")
        chart.locator(".u-over").click(position={"x": 1, "y": 20})
        portal.settled(lambda: "t=2024-03-01T00:00:00Z" in portal.page.url)
        portal.page.mouse.move(5, 5)
        portal.settled(lambda: abs(value(chart) - expected(38, -8)[0]) < 1e-3)

    def test_keys_walk_along_the_values(self, portal: Portal) -> None:
        chart = card(show(portal, FIELD, LISBON, "t=2024-03-01T00:00:00Z"), "Air temperature")
        slider = chart.get_by_role("slider")
        slider.focus()
        for key in ("ArrowRight", "ArrowRight", "End", "Home", "ArrowRight"):
            portal.page.keyboard.press(key)
        assert slider.get_attribute("aria-valuenow") == "1"
        said = slider.get_attribute("aria-valuetext") or ""
        assert said.startswith("1 Mar 2024, 06:00 UTC")
        assert f"{expected(38, -8)[1]:.6g}" in said
        portal.page.keyboard.press("Enter")
        portal.settled(lambda: "t=2024-03-01T06:00:00Z" in portal.page.url)

    def test_places_and_layers_share_a_chart(self, portal: Portal) -> None:
        rain = "l=id=b;c=field;v=rain"
        panel = show(portal, FIELD, rain, LISBON, "p=id=2;n=Turin;at=8,45")
        chart = card(panel, "Air temperature and Rain")
        names = chart.locator(".legend .name").all_inner_texts()
        assert names == [
            "Air temperature, Lisbon",
            "Rain, Lisbon",
            "Air temperature, Turin",
            "Rain, Turin",
        ]
        _, content = taken(portal, chart, "^CSV")
        found = rows(content)
        assert len(found) == 4 * len(made.STEPS)
        turin = [float(row["value"]) for row in found if row["place"] == "Turin" and row["variable"] == "t"]
        assert turin == pytest.approx(expected(46, 8), rel=1e-7) or turin == pytest.approx(expected(44, 8), rel=1e-7)
        assert {row["unit"] for row in found} == {"K", "mm"}

    def test_another_unit_is_shown_and_the_files_keep_their_own(self, portal: Portal) -> None:
        chart = card(show(portal, f"{FIELD};u=%C2%B0C", LISBON), "Air temperature")
        assert value(chart) == pytest.approx(expected(38, -8)[-1] - 273.15, abs=1e-3)
        _, content = taken(portal, chart, "^CSV")
        assert float(rows(content)[0]["t"]) == pytest.approx(expected(38, -8)[0], rel=1e-7)

    def test_anomalies_are_values_less_the_mean_of_their_month(self, portal: Portal) -> None:
        panel = show(portal, "l=id=a;c=long", "p=id=1;at=21,11")
        card(panel, "T")
        panel.get_by_label("Values", exact=True).select_option("own")
        chart = card(panel, "anomaly")
        _, content = taken(portal, chart, "^CSV")
        found = [float(row["value"]) for row in rows(content)]
        hours = np.arange(made.LONG, dtype="f8")
        months = np.array([int(row["time"][5:7]) for row in rows(content)])
        means = {month: hours[months == month].mean() for month in set(months.tolist())}
        assert found == pytest.approx(
            [hour - means[month] for hour, month in zip(hours, months, strict=True)], abs=1e-6
        )

    def test_ten_thousand_steps_do_not_stop_the_page(self, portal: Portal) -> None:
        panel = show(portal, "l=id=a;c=long", "p=id=1;at=21,11", "p=id=2;at=22,12")
        chart = card(panel, "T")
        assert value(chart) == made.LONG - 1
        box = chart.locator(".u-over").bounding_box()
        assert box
        script = """() => new Promise(done => { const from = performance.now();
            requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - from))) })"""
        for step in range(12):
            portal.page.mouse.move(box["x"] + 10 + step * 12, box["y"] + 30)
        assert portal.page.evaluate(script) < 1000

    def test_members_are_thin_lines_with_mean_and_spread(self, portal: Portal, web: httpx.Client) -> None:
        chart = card(show(portal, "l=id=a;c=members", "p=id=1;at=10,45"), "Temperature")
        names = chart.locator(".legend .name").all_inner_texts()
        assert names == ["member 1, on the map", "mean of 3, \u00b1 1 standard deviation"]
        _, content = taken(portal, chart, "^CSV")
        query = {"coords": "POINT(10 45)", "parameter-name": "t", "z": "500", "f": "CSV"}
        assert rows(content) == rows(web.get("/ogc/collections/members/position", params=query).content)
        last = [float(row["t"]) for row in rows(content) if row["time"].startswith("2024-03-01T12")]
        said = chart.locator(".legend .value").nth(1).inner_text().split()
        assert float(said[0]) == pytest.approx(np.mean(last), rel=1e-5)
        assert float(said[2]) == pytest.approx(np.mean(last) - np.std(last), rel=1e-5)

    def test_profiles_stand_pressure_downwards_and_choose_levels(self, portal: Portal) -> None:
        panel = show(portal, "l=id=a;c=members", "p=id=1;at=10,45", geometry("Polygon", BOX, "2", "Box"))
        chart = card(panel, "Profile")
        chart.get_by_role("button", name="Table").click()
        assert chart.locator("tbody th").all_inner_texts() == ["500 hPa", "850 hPa", "1000 hPa"]
        chart.get_by_role("button", name="Table").click()
        box = chart.locator(".u-over").bounding_box()
        assert box
        chart.locator(".u-over").click(position={"x": 20, "y": box["height"] - 2})
        portal.settled(lambda: "=1000" in portal.page.url)


class TestShapes:
    def test_a_drawn_line_is_a_section_and_distance_against_time(self, portal: Portal) -> None:
        portal.open(f"{FLAT}&{FIELD}&map=0&panel=probe").idle()
        panel = portal.page.get_by_role("region", name="Probe", exact=True)
        panel.get_by_role("button", name="Line").click()
        portal.page.mouse.click(*portal.place(-20, 10))
        portal.page.wait_for_timeout(450)  # two clicks at once would end it
        portal.page.mouse.click(*portal.place(20, 10))
        panel.get_by_role("button", name="Finish").click()
        section = card(panel, "Along Line 1")
        _, content = taken(portal, section, "^CSV")
        found = rows(content)
        assert float(found[0]["distance"]) == 0
        last = made.field(made.STEPS[-1])
        row = int(np.argmin(abs(made.LAT - 10)))
        ends = [float(last[row, int(np.argmin(abs(made.LON - lon)))]) for lon in (340, 20)]
        assert [float(found[0]["value"]), float(found[-1]["value"])] == pytest.approx(ends, rel=1e-6)
        plot = card(panel, "over time")
        assert plot.locator("canvas").count() == 1
        plot.get_by_role("slider").focus()
        portal.page.keyboard.press("ArrowUp")
        portal.page.keyboard.press("Enter")
        portal.settled(lambda: "t=2024-03-09T12:00:00Z" in portal.page.url)

    def test_statistics_of_an_area_weigh_cells_by_area(self, portal: Portal) -> None:
        panel = show(portal, FIELD, geometry("Polygon", BOX, "1", "Iberia"))
        chart = card(panel, "Air temperature, Iberia, 9 Mar 2024")
        said = dict(zip(chart.locator("dt").all_inner_texts(), chart.locator("dd").all_inner_texts(), strict=True))
        lat, lon = np.meshgrid(made.LAT, (made.LON + 180) % 360 - 180, indexing="ij")
        inside = (lat > 36) & (lat < 52) & (abs(lon) < 10)
        edge = (lat >= 36) & (lat <= 52) & (abs(lon) <= 10)
        values = made.field(made.STEPS[-1])
        count = int(said["Cells with values"])
        assert inside.sum() <= count <= edge.sum()
        mean = float(said["Mean"].split()[0])
        ends = sorted(np.average(values[one], weights=np.cos(np.radians(lat[one]))) for one in (inside, edge))
        assert ends[0] - 0.3 < mean < ends[1] + 0.3
        assert "by its area on the sphere" in chart.inner_text()
        series = card(panel, "Air temperature, Iberia")
        assert value(series) == pytest.approx(mean, rel=1e-5)

    def test_a_country_is_found_by_name_and_drawn(self, portal: Portal) -> None:
        panel = show(portal, FIELD)
        panel.get_by_role("button", name="Country").click()
        panel.get_by_label("Country or region").fill("portug")
        panel.get_by_role("button", name="Portugal").click()
        portal.settled(lambda: "region=Portugal" in portal.page.url)
        card(panel, "Air temperature, Portugal, 9 Mar 2024")

    def test_a_place_that_is_dragged_takes_its_series_along(self, portal: Portal) -> None:
        panel = show(portal, FIELD, LISBON)
        portal.idle()
        chart = card(panel, "Air temperature")
        before = value(chart)
        portal.page.mouse.move(*portal.place(-8, 38))
        portal.page.mouse.down()
        portal.page.mouse.move(*portal.place(8, 46), steps=5)
        portal.page.mouse.up()
        portal.settled(lambda: value(chart) != before)
        assert any(value(chart) == pytest.approx(expected(lat, 8)[-1], rel=1e-5) for lat in (44, 46, 48))


class TestFiles:
    def test_pictures_say_where_they_come_from(self, portal: Portal) -> None:
        chart = card(show(portal, FIELD, LISBON), "Air temperature")
        name, svg = taken(portal, chart, "^SVG")
        assert name.endswith(".svg")
        text = " ".join(ET.fromstring(svg).itertext())
        assert "Air temperature, Lisbon" in text
        assert "Source: Nobody. Licence: CC-BY-4.0." in text
        assert re.search(r"field, version \w+, request \w+", text)
        name, png = taken(portal, chart, "^PNG")
        picture = Image.open(io.BytesIO(png)).convert("RGB")
        assert picture.width == 1800
        assert len(picture.getcolors(1 << 24) or []) > 10

    def test_netcdf_is_the_server_s(self, portal: Portal) -> None:
        chart = card(show(portal, FIELD, LISBON), "Air temperature")
        name, content = taken(portal, chart, "^NetCDF")
        assert name.endswith(".nc")
        with netCDF4.Dataset("memory", memory=content) as file:
            assert np.asarray(file["t"][:]).ravel().tolist() == pytest.approx(expected(38, -8))

    def test_names_that_are_markup_stay_names(self, portal: Portal) -> None:
        panel = show(portal, "l=id=a;c=markup", geometry("Polygon", BOX, "1", quote("<b>/../x</b>")))
        chart = card(panel, made.MARKUP)
        name, svg = taken(portal, chart, "^SVG")
        assert re.fullmatch(r"[\w.-]+\.svg", name)
        assert ET.fromstring(svg) is not None
        assert portal.page.evaluate("window.hacked") is None


class TestStates:
    def test_nothing_there_is_said_with_what_the_data_cover(self, portal: Portal) -> None:
        panel = show(portal, FIELD, "p=id=1;n=Nowhere;at=110,-30")
        said = panel.get_by_text("no values at Nowhere")
        said.wait_for()
        assert "The data cover" in said.inner_text()

    def test_one_layer_fails_and_the_other_is_drawn(self, portal: Portal) -> None:
        portal.expects("400")
        panel = show(portal, FIELD, "l=id=b;c=pacific", LISBON)
        card(panel, "Air temperature")
        panel.get_by_text("outside the area").or_(panel.get_by_text("lies outside")).first.wait_for()

    def test_single_times_are_values(self, portal: Portal) -> None:
        panel = show(portal, "l=id=a;c=cell", "p=id=1;n=Here;at=11,47")
        panel.get_by_text("281.5 K").first.wait_for()

    def test_what_is_not_wanted_any_more_is_let_go(self, portal: Portal) -> None:
        panel = show(portal, FIELD, LISBON)
        card(panel, "Air temperature")
        panel.get_by_role("button", name="Remove Lisbon").click()
        portal.settled(lambda: panel.locator("section.card").count() == 0)
        panel.get_by_text("Click on the map").wait_for()

    def test_a_warm_place_is_drawn_at_once(self, portal: Portal) -> None:
        """From the map's word that a place was picked (a click is one when no second follows) to the drawn chart."""
        show(portal, FIELD, LISBON)
        portal.idle()
        portal.on_map("map => { map.on('pick', () => (window.picked = performance.now())); return true }")
        times = []
        for lon in (0, 10, -20, 30):
            portal.page.evaluate("performance.clearMarks('terrella:chart')")
            portal.page.mouse.click(*portal.place(lon, 20))
            portal.settled(lambda: portal.page.evaluate("performance.getEntriesByName('terrella:chart').length"))
            drawn = "performance.getEntriesByName('terrella:chart')[0].startTime - window.picked"
            times.append(portal.page.evaluate(drawn))
            portal.page.wait_for_timeout(400)  # what comes sooner is the second click of two
        assert min(times) < 100, times
