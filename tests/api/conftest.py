"""A small site with synthetic items, in a real server on a free port of loopback."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from terrella.api.app import create_app
from terrella.api.server import listening_socket
from terrella.model.caller import OPERATOR
from terrella.providers.lake import Lake
from terrella.site import Site

ITEMS = 240
START = datetime(2023, 1, 1, tzinfo=UTC)


class NotingSite(Site):
    """A real site that says how often it was closed."""

    closings = 0

    def close(self) -> None:
        self.closings += 1
        super().close()


def collection(name: str, bbox: list[float], **more: Any) -> dict[str, Any]:
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": name,
        "title": name.title(),
        "description": f"Synthetic {name}.",
        "license": "CC-BY-4.0",
        "extent": {
            "spatial": {"bbox": [bbox]},
            "temporal": {"interval": [["2023-01-01T00:00:00Z", "2023-08-28T00:00:00Z"]]},
        },
        "links": [{"rel": "license", "href": "https://creativecommons.org/licenses/by/4.0/", "type": "text/html"}],
        **more,
    }


def item(name: str, number: int, west: float, south: float, size: float = 1.0) -> dict[str, Any]:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    at = START + timedelta(days=number)
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": f"{name}-{number:04d}",
        "collection": name,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [west, south, east, north],
        "properties": {
            "datetime": at.isoformat().replace("+00:00", "Z"),
            "title": "Autumn leaves" if number % 7 == 0 else "Bare fields",
            "eo:cloud_cover": float(number % 101),
            "platform": f"sat-{'abc'[number % 3]}",
            "gsd": 10 + number % 2,
        },
        "assets": {
            "data": {"href": f"https://example.com/{name}/{number}.tif", "type": "image/tiff; application=geotiff"}
        },
        "links": [],
    }


def fill(lake: Lake) -> None:
    lake.put_collection(OPERATOR, collection("optical", [-10.0, 35.0, 30.0, 60.0]))
    lake.put_items(OPERATOR, [item("optical", n, -10 + n % 40, 35 + (n // 40) * 4) for n in range(ITEMS)])
    lake.put_collection(OPERATOR, collection("pacific", [179.0, -2.0, -178.0, 2.0]))
    lake.put_items(OPERATOR, [item("pacific", n, 178.0, -1.0, 1.5) for n in range(3)])
    cube = {
        "cube:dimensions": {"time": {"type": "temporal", "extent": ["2023-01-01T00:00:00Z", None]}},
        "cube:variables": {
            "t2m": {"dimensions": ["time"], "type": "data", "unit": "K", "description": "2 m <b>air</b>"}
        },
    }
    lake.put_collection(
        OPERATOR, collection("climate", [-180.0, -90.0, 180.0, 90.0], title="<script>alert(1)</script> & co", **cube)
    )
    lake.put_items(OPERATOR, [item("climate", 0, 100.0, 0.0)])


def make_site(home: Path, *, filled: bool = True, **settings: Any) -> NotingSite:
    """A site in a folder; with the made collections, which are written once a run and copied."""
    if filled:
        shutil.copyfile(_filled(), home / "catalog.sqlite")
    return NotingSite.open(home, title="Test <site>", **settings)


@cache
def _filled() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="terrella-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with closing(Lake(folder)) as lake:
        fill(lake)
    return folder / "catalog.sqlite"


@contextmanager
def serving(site: NotingSite, port: int = 0) -> Iterator[str]:
    """The address of a real server for a site, in a thread of this process."""
    socket = listening_socket("127.0.0.1", port)
    config = uvicorn.Config(
        create_app(site), http="httptools", loop="uvloop", ws="none", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=partial(server.run, sockets=[socket]), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{socket.getsockname()[1]}"
    try:
        for _ in range(500):
            if server.started:
                break
            thread.join(0.02)
        yield address
    finally:
        server.should_exit = True
        thread.join(10)
        socket.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(make_site(tmp_path_factory.mktemp("site"))) as address:
        yield address


@pytest.fixture(scope="module")
def writable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site that takes transactions."""
    with serving(
        make_site(tmp_path_factory.mktemp("site"), api={"transactions": True}, access={"anonymous_roles": ["editor"]})
    ) as address:
        yield address


@pytest.fixture
def web(server: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server) as client:
        yield client


@pytest.fixture
def writer(writable: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=writable) as client:
        yield client
