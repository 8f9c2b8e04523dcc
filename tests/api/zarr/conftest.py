"""A real site with files of several formats made here, served by a real server on loopback that notes its requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import netCDF4
import numpy as np
import obstore.store
import pytest
import uvicorn
import xarray as xr
from zarr.storage import ObjectStore

from api.zarr.files import write_calendar, write_forecasts, write_gaps, write_grib, write_packed, write_projected
from terrella.api.app import create_app
from terrella.api.server import listening_socket
from terrella.cubes.scanning import Scanners
from terrella.site.site import Site


@dataclass
class Served:
    """A running server: its address, and the paths asked for."""

    address: str
    asked: list[str] = field(default_factory=list)

    def store(self, collection: str) -> ObjectStore:
        url = f"{self.address}/zarr/{collection}"
        client = obstore.store.HTTPStore.from_url(url, client_options={"allow_http": True})
        return ObjectStore(client, read_only=True)

    def open(self, collection: str) -> xr.Dataset:
        return xr.open_dataset(self.store(collection), engine="zarr", chunks=None, consolidated=True)


@contextmanager
def served(site: Site) -> Iterator[Served]:
    app = create_app(site)
    socket = listening_socket("127.0.0.1", 0)
    made = Served(f"http://127.0.0.1:{socket.getsockname()[1]}")

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            made.asked.append(scope["path"])
        await app(scope, receive, send)

    server = uvicorn.Server(uvicorn.Config(noting, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join(10)
        socket.close()


@pytest.fixture(scope="session")
def scanning() -> Iterator[Scanners]:
    made = Scanners(processes=1)
    yield made
    made.close()


@pytest.fixture(scope="session")
def opening(scanning: Scanners) -> Callable[..., Any]:
    """Makes a site in a folder out of files, all scanned by one process."""

    @contextmanager
    def make(home: Path, *files: Path, **settings: Any) -> Iterator[Site]:
        with Site.open(home, **settings) as site:
            site.scanners.close()
            site.scanners = scanning
            for file in files:
                report = site.add(file)
                assert not report.failures, report
            yield site
            site.scanners = Scanners(processes=1)

    return make


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with one file a collection, named as it."""
    folder = tmp_path_factory.mktemp("zarr-files")
    write_packed(folder / "packed.nc")
    write_gaps(folder / "gaps.nc")
    write_calendar(folder / "calendar.nc")
    write_forecasts(folder / "forecasts.nc")
    write_grib(folder / "messages.grib")
    write_projected(folder / "projected.tif")
    return folder


@pytest.fixture(scope="session")
def site(files: Path, tmp_path_factory: pytest.TempPathFactory, opening: Callable[..., Any]) -> Iterator[Site]:
    """Its collections: packed, gaps, calendar, forecasts, messages, projected."""
    with opening(tmp_path_factory.mktemp("zarr") / "home", *sorted(files.iterdir())) as made:
        yield made


@pytest.fixture(scope="session")
def server(site: Site) -> Iterator[Served]:
    with served(site) as running:
        yield running


@pytest.fixture(scope="session")
def web(server: Served) -> Iterator[httpx.Client]:
    """A client whose paths start at /zarr."""
    with httpx.Client(base_url=f"{server.address}/zarr", timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def serving() -> Callable[[Site], Any]:
    """`served`, for tests that have a site of their own."""
    return served


@pytest.fixture
def truth(files: Path) -> Callable[[str, str], np.ndarray]:
    """Values of a variable in a NetCDF file, read by the NetCDF library; missing is NaN."""

    def read(collection: str, name: str) -> np.ndarray:
        with netCDF4.Dataset(files / f"{collection}.nc") as file:
            values = file[name][:]
        return np.ma.filled(values.astype("f8"), np.nan)

    return read
