"""The portal in a browser: from navigation to the first field, and what a change of colours or playing costs.

    python -m benchmarks.portal

Chromium with software WebGL (SwiftShader) at 800 x 600, a profile of its own for each run, so that nothing is cached
in it; the server has answered before. The field is global at 1 degree, 32 times, and the map a globe with land, coasts
and borders (Natural Earth, 110m). The first field is there when the page marks it: all tiles in sight are drawn.
A stall is a moment in which play waits for a tile after it has begun.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.serving import HOST, free_port, module_command, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Row = dict[str, Any]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
BAR_SECONDS, BAR_JAVASCRIPT, STEPS = 2.0, 450_000, 32
_VIEW = "explore?at=10,25,1.2,globe&t=2024-03-01T00:00:00Z&l=c=bench;v=t"
_FIRST_FIELD = "performance.getEntriesByName('terrella:first-field')[0]?.startTime ?? 0"
_PATIENCE = 60.0


def write_field(path: Path) -> None:
    """A field of 1 degree and 32 six-hourly times, one chunk a time."""
    import numpy as np
    import pandas as pd
    import xarray as xr

    lat, lon = np.arange(90.0, -91, -1), np.arange(0.0, 360)
    lam, phi = np.radians(lon)[None, :], np.radians(lat)[:, None]
    shape = 280 + 20 * np.sin(2 * phi) + 10 * np.cos(phi) * np.cos(3 * lam)
    values = np.stack([shape + 5 * np.sin(lam + step / 3) for step in range(STEPS)]).astype("f4")
    times = pd.date_range("2024-03-01", periods=STEPS, freq="6h")
    field = xr.DataArray(values, coords={"time": times, "lat": lat, "lon": lon}, dims=("time", "lat", "lon"))
    field.attrs = {"units": "K", "standard_name": "air_temperature"}
    field.lat.attrs, field.lon.attrs = {"units": "degrees_north"}, {"units": "degrees_east"}
    field.to_dataset(name="t").to_netcdf(path, encoding={"t": {"zlib": True, "chunksizes": (1, *shape.shape)}})


def run(runs: int = 5) -> list[Row]:
    """Rows: seconds, requests, stalls, bytes."""
    size = _row_of_javascript()
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None or find_spec("playwright") is None:
        why = "there is no Chromium on the PATH, or playwright is not installed"
        return [size, {"what": "first field drawn", "not_measured": why}]
    with tempfile.TemporaryDirectory() as scratch:
        home = _home(Path(scratch))
        port = free_port()
        command = module_command("benchmarks.tiles", "--serve", home, "--port", str(port))
        with running(command, port, path="/health"), _browser(program) as browser:
            return [*_rows(browser, f"http://{HOST}:{port}", runs), size]


def _home(scratch: Path) -> Path:
    import terrella.site.site  # noqa: F401 -- before netCDF4 and ecCodes, as the package says
    from terrella.site.site import Site

    write_field(scratch / "bench.nc")
    with Site.open(scratch / "home") as site:
        report = site.add(scratch / "bench.nc", collection="bench")
        if report.failures:
            raise RuntimeError(str(report.failures))
    return scratch / "home"


@contextmanager
def _browser(program: str) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, headless=True, args=list(FLAGS))
        yield opened
        opened.close()


@contextmanager
def _window(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 800, "height": 600})
    yield context.new_page()
    context.close()


def _rows(browser: Browser, site: str, runs: int) -> list[Row]:
    cold = _first_field(browser, site)
    warm = [_first_field(browser, site) for _ in range(runs)]
    requests, stalls = _in_use(browser, site)
    return [
        {"what": "first field drawn, 800 x 600, the first time after the server started", "terrella_s": round(cold, 2)},
        {
            "what": f"first field drawn, 800 x 600, median of {runs}",
            "terrella_s": round(statistics.median(warm), 2),
            "bar_s": BAR_SECONDS,
        },
        {"what": "requests when palette and range change", "terrella_count": requests, "bar_most": 0},
        {"what": f"stalls while {STEPS} steps play, 4 a second", "terrella_count": stalls, "bar_most": 0},
    ]


def _first_field(browser: Browser, site: str) -> float:
    """Seconds from navigation."""
    with _window(browser) as page:
        page.goto(f"{site}/{_VIEW}")
        _until(page, lambda: page.evaluate(_FIRST_FIELD))
        return float(page.evaluate(_FIRST_FIELD)) / 1000


def _in_use(browser: Browser, site: str) -> tuple[int, int]:
    """Requests when colours change; stalls while all steps play."""
    with _window(browser) as page:
        page.goto(f"{site}/{_VIEW}&panel=layers")
        _until(page, lambda: page.evaluate(_FIRST_FIELD))
        page.wait_for_load_state("networkidle")
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url))
        _change_colours(page)
        requests = len(asked)
        return requests, _played(page)


def _change_colours(page: Page) -> None:
    page.locator("section.layers li button.name").first.click()
    page.get_by_text("magma", exact=True).first.click()
    page.get_by_label("Reversed").check()
    for name, value in (("from", "250"), ("to", "300")):
        field = page.get_by_role("textbox", name=name, exact=True).first
        field.fill(value)
        field.press("Enter")
    _until(page, lambda: "r=250,300" in page.url and "pal=magma_r" in page.url)


_WATCH = """() => {
    window.stalls = 0; window.days = new Set();
    let before = "";
    const look = () => {
        const says = document.querySelector(".now small")?.textContent ?? "";
        if (says && says !== before && days.size > 2) stalls++;
        before = says;
        days.add(document.querySelector(".now strong")?.textContent ?? "");
        requestAnimationFrame(look);
    };
    look();
}"""


def _played(page: Page) -> int:
    page.get_by_role("button", name="Options of time").click()
    page.get_by_label("Speed").select_option("4")
    page.get_by_label("Blend between steps").uncheck()
    page.evaluate(_WATCH)
    page.get_by_role("button", name="Play").click()
    _until(page, lambda: page.evaluate("days.size") >= STEPS)
    return int(page.evaluate("stalls"))


def _until(page: Page, true: Callable[[], object]) -> None:
    """Raises RuntimeError."""
    last = time.monotonic() + _PATIENCE
    while not true():
        if time.monotonic() > last:
            raise RuntimeError(f"the page does not get on: {page.url}")
        page.wait_for_timeout(20)


def _row_of_javascript() -> Row:
    import terrella

    files = (Path(terrella.__file__).parent / "portal").glob("*.js")
    total = sum(len(gzip.compress(one.read_bytes(), 9)) for one in files)
    return {"what": "all JavaScript of the portal, bytes as gzip", "terrella_count": total, "bar_most": BAR_JAVASCRIPT}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    for row in run(given.runs):
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
