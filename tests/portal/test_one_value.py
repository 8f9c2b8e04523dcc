"""One cell, asked everywhere: palette, legend, cursor, chart, table, CSV, EDR, Polytope and Zarr say the same number."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import httpx
import numpy as np
import pytest
import xarray as xr

from portal import made
from portal.conftest import Portal, colour, near

pytestmark = pytest.mark.server

LON, LAT, HOURS = 10.0, 40.0, 12
SPAN = (250.0, 310.0)
VIEW = f"at={LON},{LAT},3,flat&map=0&t={made.iso(HOURS)}&l=c=analysis;v=2t;r=250,310;cells=1"
ROW, COLUMN = int((90 - LAT) / 2), int(LON / 2)


def numbers(text: str) -> list[float]:
    """Every number in a text for people."""
    return [float(one.replace("−", "-")) for one in re.findall(r"[−-]?\d+(?:\.\d+)?", text.replace("\u202f", ""))]


@pytest.fixture
def exact() -> float:
    """The value of the cell, as the data hold it."""
    return float(made.analysed(HOURS)[ROW, COLUMN])


def test_pixel_legend_and_cursor(portal: Portal, web: httpx.Client, exact: float) -> None:
    step = web.get("/tiles/analysis").json()["variables"][0]["scale"]
    portal.open(VIEW).idle()
    x, y = portal.place(LON, LAT)
    assert near(portal.pixel_at(x, y), colour(exact, SPAN), 1)
    portal.page.mouse.move(x, y)
    said = portal.page.get_by_label("Values under the pointer").locator("dd")
    said.wait_for()
    assert said.inner_text().endswith("K")
    assert numbers(said.inner_text())[0] == pytest.approx(exact, abs=step / 2 + 0.005)  # told to two decimals
    marker, bar = (portal.page.locator(f".legend {name}").first.bounding_box() for name in (".marker", ".bar"))
    assert marker is not None
    assert bar is not None
    share = (marker["x"] + marker["width"] / 2 - bar["x"]) / bar["width"]
    assert SPAN[0] + share * (SPAN[1] - SPAN[0]) == pytest.approx(exact, abs=60 / bar["width"])


def test_chart_and_its_files(portal: Portal, tmp_path: Path, exact: float) -> None:
    portal.open(f"{VIEW}&panel=probe&p=id=1;n=Here;at={LON},{LAT}")
    page = portal.page
    slider = page.get_by_role("slider", name="Here")
    slider.wait_for()
    slider.focus()
    slider.press("Home")
    for _ in range(made.ANALYSIS_HOURS.index(HOURS)):
        slider.press("ArrowRight")
    assert f"{exact:.6g} K" in (slider.get_attribute("aria-valuetext") or "")
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").click()
    waiting.value.save_as(tmp_path / "series.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "series.csv").read_text())))
    (row,) = [row for row in rows if made.iso(HOURS) in row.values()]
    assert exact in [float(one) for one in row.values() if re.fullmatch(r"[\d.]+", one)]


def test_the_chart_asks_what_anybody_may_ask(web: httpx.Client, exact: float) -> None:
    asked = {"coords": f"POINT({LON} {LAT})", "parameter-name": "2t", "datetime": made.iso(HOURS), "f": "CoverageJSON"}
    said = web.get("/ogc/collections/analysis/position", params=asked).raise_for_status().json()
    assert said["ranges"]["2t"]["values"] == [exact]


def test_polytope(web: httpx.Client, exact: float) -> None:
    request = {
        "class": "ea",
        "stream": "oper",
        "type": "an",
        "levtype": "sfc",
        "param": 167,
        "date": "20240301",
        "time": f"{HOURS:02d}00",
        "feature": {"type": "timeseries", "points": [[LAT, LON]], "time_axis": "date"},
    }
    said = web.post("/api/v2/analysis/requests", json=request, follow_redirects=True).raise_for_status().json()
    assert [value for one in said["coverages"] for value in one["ranges"]["2t"]["values"]] == [exact]


def test_zarr(web: httpx.Client, exact: float) -> None:
    with xr.open_zarr(f"{web.base_url}/zarr/analysis") as dataset:
        cell = dataset["2t"].sel(lat=LAT, lon=LON)
        assert (
            float(cell.sel(time=np.datetime64(made.START.replace(tzinfo=None)) + np.timedelta64(HOURS, "h"))) == exact
        )
