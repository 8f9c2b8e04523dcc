"""The portal in a real browser: Chromium, driven from Python, against a real server on loopback with made data.

    .venv/bin/python -m pytest tests/portal -q                            the committed files in src/terrella/portal
    TERRELLA_API__PORTAL_FILES=/tmp/xyz .venv/bin/python -m pytest tests/portal -q        those of another build,
                                               made by: cd portal && npx vite build --outDir /tmp/xyz --emptyOutDir

Needed are the package `playwright` and a Chromium on the PATH (chromium, chromium-browser or google-chrome); without
them these tests are skipped, and say why. Node is not needed.

A test asks for `portal`, which has the window, and fails the test on what nobody expected: a request to another host, a
fault in the console, an uncaught error, a violation of the page's security policy, an answer of the server above 499.

    def test_the_field_has_its_colour(portal: Portal) -> None:
        portal.open("at=0,0,0,flat&map=0&l=c=field;v=t;r=240,320;cells=1")    # the query of a view, or a page: "discover"
        portal.idle()                                                         # every tile is here and drawn
        assert portal.pixel(10, 40) == portal.colour(made.smooth(40, 10), (240, 320))

Lines that a test wants to see fail it announces: `portal.expects("403")` (a part of the fault's text). What the made
collections hold is told in `portal/made.py`; where a place lies on the screen, computed without the portal's own code,
in `portal/screens.py`. `portal.page` is Playwright's page, for all else. Windows are 1000 x 700 unless a test has the
mark `pytest.mark.window(width, height, dark=True, reduced=True, touch=True)`.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image

from portal import made, screens
from terrella.catalog.describing import Wishes
from terrella.encodings.palettes import palette
from terrella.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
"""Software WebGL, the same on every machine, and a browser that talks to nobody of its own accord."""
PATIENCE = 45.0
"""Seconds after which something will not come true any more."""
NAME, PASSWORD = "ada", "a long password of hers"
_FILES = Path(__file__).parents[2] / "src" / "terrella" / "portal"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "window(width, height, dark, reduced, touch): the window of a portal test")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Last, for Playwright keeps an event loop running in the thread of the tests, in which no other test could run one
    of its own. Each process of tests has one server and one browser.
    """
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.is_relative_to(here))


@dataclass(frozen=True)
class Served:
    """A running site: where it is, its administrator's key, the key of `ada`, and what it has printed."""

    url: str
    admin: str
    key: str
    home: Path
    log: Path


@pytest.fixture(scope="session")
def portal_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with every made collection in it, that nobody serves: `copied` makes one to serve."""
    folder = tmp_path_factory.mktemp("portal")
    (folder / "files").mkdir()
    with Site.open(folder / "home", title="A portal to try") as site:
        for name, path in made.make(folder / "files").items():
            title = f"Names like {made.MARKUP}" if name == "markup" else f"The {name} data"
            report = site.add(path, collection=name, wishes=Wishes(title, licence="CC-BY-4.0", attribution="Nobody"))
            assert not report.failures, report.failures
    return folder / "home"


def copied(home: Path, name: str) -> Path:
    """The same home once more; data stay where they lie."""
    return Path(shutil.copytree(home, home.with_name(name)))


@pytest.fixture(scope="session")
def portal_site(portal_home: Path) -> Iterator[Served]:
    """`terrella up` on such a home, for all tests."""
    home, log = copied(portal_home, "served"), portal_home.with_name("server.log")
    with serving(home, log) as (url, key):
        account = {"name": NAME, "password": PASSWORD}
        made_user = httpx.post(
            f"{url}/account/users", json=account, headers={"Authorization": f"Bearer {key}"}, timeout=60
        )
        assert made_user.is_success, made_user.text
        own = httpx.post(f"{url}/account/login", json=account, timeout=60).json()["key"]
        yield Served(url, key, own, home, log)


@contextmanager
def serving(home: Path, log: Path, port: int = 0, **settings: str) -> Iterator[tuple[str, str]]:
    """A real server process: its address, and the first administrator's key on the first start."""
    process, url, key = start(home, log, port, **settings)
    try:
        yield url, key
    finally:
        stop(process)


def start(home: Path, log: Path, port: int = 0, **settings: str) -> tuple[subprocess.Popen[bytes], str, str]:
    """The process too, for tests that end it. Raises AssertionError where it does not start."""
    command = [sys.executable, "-m", "terrella", "up", "--home", str(home), "--port", str(port)]
    environment = os.environ | {"TERRELLA_JOBS__WORKERS": "1"} | settings
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    last = time.monotonic() + 240  # many servers may start at once
    while time.monotonic() < last and process.poll() is None:
        text = log.read_text()
        if found := re.search(r"Ready at (\S+)", text):
            key = re.search(r"\btk_\S+", text)
            return process, found[1], key[0] if key else ""
        time.sleep(0.05)
    process.kill()
    process.wait()
    raise AssertionError(log.read_text()[-2000:])


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def portal_files() -> Path:
    """The folder of the files under test."""
    return Path(os.environ.get("TERRELLA_API__PORTAL_FILES", _FILES))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this process."""
    sync = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed: scripts/setup")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser on the PATH: one of {', '.join(BROWSERS)}")
    if not (portal_files() / "index.html").exists():
        pytest.fail(f"the portal is not built ({portal_files()}): cd portal && npm ci && npm run build", pytrace=False)
    with sync.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, headless=True, args=list(FLAGS))
        try:
            yield opened
        finally:
            opened.close()


@dataclass
class Portal:
    """A window on the portal, and what went wrong in it."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """Every address that was asked for, in order."""
    _expected: list[str] = field(default_factory=list)
    _hosts: set[str] = field(default_factory=set)

    def open(self, query: str = "", page: str = "explore") -> Portal:
        """A view by its query, or a page by its name (`open("discover")`, `open("q=rain", "discover")`)."""
        if query and "=" not in query:
            query, page = "", query
        self.page.goto(f"{self.url}/{page}" + (f"?{query}" if query else ""))
        return self

    def idle(self, within: Locator | None = None, *, field: bool = True, seconds: float = PATIENCE) -> Portal:
        """Waits until the map (in an element, or the first) has every tile of what is to be seen, and has drawn it.

        Before that for the first field on this page, unless there is none to be seen (`field=False`).
        """
        if field:
            self.settled(lambda: self.page.evaluate(_FIRST_FIELD), seconds)
        self.on_map("map => map.idle()", within, seconds)
        return self

    def on_map(self, does: str, within: Locator | None = None, seconds: float = PATIENCE) -> Any:
        """What a JavaScript function of the MapView answers."""
        root = within or self.page.locator("body")
        # the function is put into the text: the page's policy forbids eval, and so Playwright's wait_for_function too
        return root.evaluate(_ON_MAP.replace("DOES", does), seconds * 1000, timeout=seconds * 1000 + 5000)

    def map_box(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of the map in the window, CSS pixels."""
        box = self.on_map(
            "map => new Promise(done => { const b = window.__container.getBoundingClientRect();"
            " done([b.x, b.y, b.width, b.height]) })"
        )
        return box[0], box[1], box[2], box[3]

    def place(self, lon: float, lat: float) -> tuple[float, float]:
        """Where a place lies in the window, by the camera that the address tells and formulas of our own."""
        left, top, width, height = self.map_box()
        x, y = screens.place(self.camera(), lon, lat, width, height)
        return left + x, top + y

    def camera(self) -> screens.Camera:
        """As the address tells it (which follows a movement within half a second)."""
        return screens.camera_of(self.page.url)

    def shot(self) -> np.ndarray:
        """The window as (row, column, RGB)."""
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))

    def pixel(self, lon: float, lat: float) -> tuple[int, int, int]:
        """The colour at a place."""
        x, y = self.place(lon, lat)
        return self.pixel_at(x, y)

    def pixels(self, places: list[tuple[float, float]]) -> list[tuple[int, int, int]]:
        """The colours at several places (lon, lat), of one picture."""
        picture, spots = self.shot(), [self.place(*one) for one in places]
        return [_rgb(picture[int(y), int(x)]) for x, y in spots]

    def pixel_at(self, x: float, y: float) -> tuple[int, int, int]:
        """The colour at CSS pixels of the window."""
        return _rgb(self.shot()[int(y), int(x)])

    @staticmethod
    def colour(value: Any, span: tuple[float, float], name: str = "viridis") -> tuple[int, int, int]:
        """What a palette says of a value, between two colours blended as a texture is."""
        return colour(float(value), span, name)

    def expects(self, *texts: str) -> None:
        """Faults that hold one of these texts are wanted."""
        self._expected += texts

    def allows_host(self, url: str) -> None:
        """Requests to this address too are as they should be."""
        self._hosts.add(urlsplit(url).netloc)

    def unexpected(self) -> list[str]:
        return [fault for fault in self.faults if not any(text in fault for text in self._expected)]

    def sign_in(self) -> Portal:
        """As `ada`, through the page for it."""
        self.page.goto(f"{self.url}/account/login")
        self.page.get_by_label("User name").fill(NAME)
        self.page.get_by_label("Password, or a key").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").first.click()
        self.page.wait_for_url(lambda url: "/login" not in url)
        return self

    def settled(self, true: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Waits until something is true."""
        until(true, self.page, seconds)

    @property
    def asked(self) -> list[str]:
        """Paths with queries that were asked of the server."""
        return [address.removeprefix(self.url) for address in self.requests if address.startswith(self.url)]

    def watch(self) -> None:
        self._hosts.add(urlsplit(self.url).netloc)
        self.page.on("request", lambda one: self._on_request(one.url))
        self.page.on("console", lambda one: self._on_console(one.type, one.text, one.location))
        self.page.on("pageerror", lambda one: self.faults.append(f"uncaught: {one}"))
        self.page.on("response", lambda one: self._on_response(one.status, one.url))

    def _on_request(self, url: str) -> None:
        self.requests.append(url)
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc not in self._hosts:
            self.faults.append(f"another host: {url}")

    def _on_console(self, kind: str, text: str, where: Any) -> None:
        if kind == "error" or text.startswith(_VIOLATION):
            self.faults.append(f"console: {text} ({where.get('url', '')})")

    def _on_response(self, status: int, url: str) -> None:
        if status >= 500:
            self.faults.append(f"answer {status}: {url}")


_VIOLATION = "security policy:"
_FIRST_FIELD = """() => {
    const stopped = document.querySelector(".wait [role=alert], .wait .failed");
    if (stopped) throw new Error("the page stopped: " + stopped.parentElement.innerText);
    return performance.getEntriesByName("terrella:first-field").length > 0;
}"""
_WATCH_POLICY = f"""addEventListener("securitypolicyviolation", event =>
    console.warn("{_VIOLATION} " + event.violatedDirective + " " + event.blockedURI))"""

_ON_MAP = """async (root, patience) => {
    const within = node => {
        if (node.terrellaMap) return node;
        for (const child of [...(node.shadowRoot?.children ?? []), ...node.children]) {
            const found = within(child);
            if (found) return found;
        }
        return null;
    };
    const last = performance.now() + patience;
    let element;
    while (!(element = within(root))) {
        if (performance.now() > last) throw new Error("there is no map on the page");
        await new Promise(done => setTimeout(done, 20));
    }
    window.__container = element;
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error("the map is not idle")), patience));
    return Promise.race([(DOES)(element.terrellaMap), late]);
}"""


def _rgb(pixel: np.ndarray) -> tuple[int, int, int]:
    return int(pixel[0]), int(pixel[1]), int(pixel[2])


def colour(value: float, span: tuple[float, float], name: str = "viridis") -> tuple[int, int, int]:
    """What a palette of 256 colours says of a value: the first colour for the low end, the last for the high one."""
    table = np.asarray(palette(name.removesuffix("_r")), dtype=float)[:, :3]
    table = table[::-1] if name.endswith("_r") else table
    at = min(1.0, max(0.0, (value - span[0]) / (span[1] - span[0]))) * 255
    red, green, blue = (np.interp(at, np.arange(256), table[:, band]) for band in range(3))
    return round(red), round(green), round(blue)


def until(true: Callable[[], object], page: Page, seconds: float = PATIENCE) -> None:
    """Waits while the page lives on. Raises AssertionError."""
    last = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < last, "it did not come true"
        page.wait_for_timeout(30)


def near(one: tuple[int, int, int], other: tuple[int, int, int], by: int = 2) -> bool:
    """Whether two colours differ by no more than that in any of their three numbers."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= by


@pytest.fixture
def window(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A fresh profile: nothing kept from another test."""
    wanted = request.node.get_closest_marker("window")
    asked = dict(zip(("width", "height"), wanted.args, strict=False)) | wanted.kwargs if wanted else {}
    context = browser.new_context(
        viewport={"width": asked.get("width", 1000), "height": asked.get("height", 700)},
        color_scheme="dark" if asked.get("dark") else "light",
        reduced_motion="reduce" if asked.get("reduced") else "no-preference",
        has_touch=bool(asked.get("touch")),
        accept_downloads=True,
        service_workers="block",
    )
    context.set_default_timeout(PATIENCE * 1000)
    context.add_init_script(_WATCH_POLICY)
    try:
        yield context
    finally:
        context.close()


@pytest.fixture
def portal(window: BrowserContext, portal_site: Served) -> Iterator[Portal]:
    """A window on the portal that nothing may go wrong in."""
    made_portal = Portal(window.new_page(), portal_site.url)
    made_portal.watch()
    yield made_portal
    assert not made_portal.unexpected()


@pytest.fixture
def web(portal_site: Served) -> Iterator[httpx.Client]:
    """The same site, asked by a program."""
    with httpx.Client(base_url=portal_site.url, timeout=60) as client:
        yield client
