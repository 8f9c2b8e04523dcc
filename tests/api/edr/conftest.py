"""A real site with files made here, served by a real server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import numpy as np
import pandas as pd
import pytest
import uvicorn
import xarray as xr

from terrella.api.app import create_app
from terrella.api.server import listening_socket
from terrella.site.site import Site

TIMES = np.arange("2024-01-01T00", "2024-01-03T00", 3, dtype="M8[h]").astype("M8[ns]")
MEMBERS = np.arange(3)
LEVELS = np.array([1000.0, 850.0, 500.0])


def weather() -> xr.Dataset:
    """Global, 10 degrees, 0..350; each value tells its place and time."""
    lat, lon = np.arange(90.0, -91, -10), np.arange(0.0, 360, 10)
    hours = np.arange(TIMES.size) * 3.0
    values = 200 + hours[:, None, None] + lat[None, :, None] / 4 + lon[None, None, :] / 1000
    values = values.astype("f4")
    values[:, 0, :5] = np.nan
    attrs = {
        "units": "K",
        "standard_name": "air_temperature",
        "long_name": "2 metre temperature",
        "cell_methods": "time: mean (interval: 3 hours)",
    }
    land = xr.Variable(
        ("lat", "lon"),
        (values[0] > 205).astype("i1"),
        {"flag_values": np.array([0, 1], "i1"), "flag_meanings": "sea land"},
    )
    return xr.Dataset(
        {"t2m": (("time", "lat", "lon"), values, attrs), "mask": land},
        {
            "time": TIMES,
            "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
        },
        {"Conventions": "CF-1.8", "title": "Weather made by a formula", "license": "CC-BY-4.0"},
    )


def ensemble() -> xr.Dataset:
    """Members and levels over Europe, 2.5 degrees."""
    lat, lon = np.arange(60.0, 39, -2.5), np.arange(-10.0, 21, 2.5)
    shape = (MEMBERS.size, 4, LEVELS.size, lat.size, lon.size)
    values = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    return xr.Dataset(
        {
            "t": (
                ("number", "time", "pressure", "lat", "lon"),
                values,
                {"units": "K", "standard_name": "air_temperature"},
            )
        },
        {
            "number": ("number", MEMBERS, {"standard_name": "realization", "units": "1"}),
            "time": TIMES[:4],
            "pressure": ("pressure", LEVELS, {"units": "hPa", "standard_name": "air_pressure", "positive": "down"}),
            "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
        },
    )


def stations() -> pd.DataFrame:
    rows = [
        {"station": name, "longitude": lon, "latitude": lat, "time": str(at) + "Z", "temperature": 10.0 + n + k}
        for n, (name, lon, lat) in enumerate([("Berlin", 13.4, 52.5), ("Paris", 2.35, 48.86), ("Suva", 178.4, -18.1)])
        for k, at in enumerate(TIMES[:3].astype("M8[s]"))
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Its collections: weather (grid), ensemble (members, levels), stations (points)."""
    folder = tmp_path_factory.mktemp("edr")
    weather().to_netcdf(folder / "weather.nc", engine="netcdf4")
    ensemble().to_netcdf(folder / "ensemble.nc", engine="netcdf4")
    stations().to_csv(folder / "stations.csv", index=False)
    with Site.open(folder / "home") as made:
        report = made.add(*(folder / name for name in ("weather.nc", "ensemble.nc", "stations.csv")))
        assert not report.failures, report
        yield made


@contextmanager
def served(site: Site) -> Iterator[str]:
    """Address of a running server, no slash at its end."""
    socket = listening_socket("127.0.0.1", 0)
    config = uvicorn.Config(create_app(site), log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        socket.close()


@pytest.fixture(scope="session")
def server(site: Site) -> Iterator[str]:
    with served(site) as address:
        yield address


@pytest.fixture(scope="session")
def edr(server: str) -> Iterator[httpx.Client]:
    """A client whose paths start at /ogc."""
    with httpx.Client(base_url=f"{server}/ogc", timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def truth() -> xr.Dataset:
    """What the weather collection holds, never seen by us."""
    return weather()


@pytest.fixture(scope="session")
def members() -> xr.Dataset:
    return ensemble()


@pytest.fixture(scope="session")
def serving():
    """`served`, for tests that have a site of their own."""
    return served
