"""Accounts: what a key in the request costs a read that is answered from memory.

    python -m benchmarks.accounts

The same small cut-out again and again over one connection, with a key and without, in turns.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import terrella
from benchmarks.serving import free_port, running

Row = dict[str, Any]
COMMAND = str(Path(sys.executable).with_name("terrella"))
PATH = "/ogc/collections/field/area?coords=POLYGON((2%2044,12%2044,12%2052,2%2052,2%2044))&f=covjson"
_BAR = 1 / 1.05
_TOGETHER = 20
"""Reads of one kind before those of the other."""


def _file(folder: Path) -> Path:
    lat, lon = np.arange(60.0, 39.75, -0.25), np.arange(0.0, 20.25, 0.25)
    values = (280 + np.add.outer(lat / 10, lon / 100)).astype("float32")[None].repeat(4, axis=0)
    made = xr.Dataset(
        {"t2m": (("time", "lat", "lon"), values, {"units": "K"})},
        {
            "time": np.arange(4).astype("datetime64[h]"),
            "lat": ("lat", lat, {"units": "degrees_north"}),
            "lon": ("lon", lon, {"units": "degrees_east"}),
        },
    )
    made.to_netcdf(folder / "field.nc")
    return folder / "field.nc"


def _read(connection: HTTPConnection, headers: dict[str, str]) -> float:
    """Milliseconds of one read."""
    began = time.perf_counter()
    connection.request("GET", PATH, headers=headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} instead of an answer")
    return (time.perf_counter() - began) * 1000


def run(reads: int = 2000) -> list[Row]:
    """Medians of so many reads of each kind."""
    with tempfile.TemporaryDirectory(prefix="bench-accounts-") as name:
        home = Path(name) / "home"
        subprocess.run([COMMAND, "add", str(_file(Path(name))), "--home", str(home)], check=True, capture_output=True)
        with terrella.Site.open(home) as site:
            made = site.access.first_key()
        key = {"Authorization": f"Bearer {made.text if made else ''}"}
        port = free_port()
        command = [COMMAND, "up", "--home", str(home), "--port", str(port)]
        with running(command, port, path="/health", TERRELLA_JOBS__WORKERS="0"):
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            taken: dict[bool, list[float]] = {True: [], False: []}
            for turn in range(2 + 2 * reads // _TOGETHER):
                for _ in range(_TOGETHER):
                    taken[bool(turn % 2)].append(_read(connection, key if turn % 2 else {}))
            connection.close()
    plain, keyed = (statistics.median(taken[one][_TOGETHER:]) for one in (False, True))
    what = "a cached cut-out, with a key"
    return [
        {
            "what": what,
            "terrella_median_ms": keyed,
            "without a key_median_ms": plain,
            "ratio": plain / keyed,
            "bar": _BAR,
        }
    ]


if __name__ == "__main__":
    for row in run():
        print(row)
