"""What showing a key costs: a read that is answered from the cache, with a key and without, and with quotas.

    python -m benchmarks.keys

One connection to one server; blocks of requests alternate, so that both meet the same machine.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

import terrella
from benchmarks.serving import HOST, clean_environment, free_port, module_command, running
from terrella.model.caller import OPERATOR

Row = dict[str, Any]
READ = "/ogc/collections/fields/position?coords=POINT(3%2045)"
BLOCK = 50
_QUOTA = '[[access.quotas]]\nname = "much"\nrequests = 1000000000\nbytes_out = 1000000000000000\n'


def made_site(folder: Path, *, quotas: bool) -> str:
    """A site with one small cube; a key of its administrator."""
    with netCDF4.Dataset(folder / "fields.nc", "w") as file:
        for name, values, units in (
            ("time", np.arange(24), "hours since 2024-01-01"),
            ("lat", np.arange(40.0, 50.0), "degrees_north"),
            ("lon", np.arange(0.0, 10.0), "degrees_east"),
        ):
            file.createDimension(name, len(values))
            axis = file.createVariable(name, "f8", (name,))
            axis.units = units
            axis[:] = values
        field = file.createVariable("t2m", "f4", ("time", "lat", "lon"))
        field.units = "K"
        field[:] = 280.0
    home = folder / "home"
    home.mkdir()
    (home / "terrella.toml").write_text(_QUOTA if quotas else "")
    with terrella.Site.open(home) as site:
        site.add(folder / "fields.nc", collection="fields")
        site.access.first_user()
        site.access.accounts.add_user(OPERATOR, "ann")
        return site.access.accounts.make_key(OPERATOR, "bench", owner="ann").text


def block(link: http.client.HTTPConnection, headers: dict[str, str]) -> float:
    """Seconds of one request, the median of a block."""
    times = []
    for _ in range(BLOCK):
        began = time.perf_counter()
        link.request("GET", READ, headers=headers)
        answer = link.getresponse()
        answer.read()
        times.append(time.perf_counter() - began)
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} for {READ}")
    return statistics.median(times)


def run(rounds: int = 40, *, quotas: bool = False) -> Row:
    """One row."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        key, port = made_site(folder, quotas=quotas), free_port()
        command = module_command("terrella", "up", "--home", folder / "home", "--port", port)
        environment = clean_environment(folder / "code") | {"TERRELLA_JOBS__WORKERS": "0"}
        with running(command, port, path=READ, **environment):
            link = http.client.HTTPConnection(HOST, port, timeout=60)
            plain, shown = [], []
            for _ in range(rounds):
                plain.append(block(link, {}))
                shown.append(block(link, {"Authorization": f"Bearer {key}"}))
            link.close()
    without, with_key = (statistics.median(one) * 1000 for one in (plain, shown))
    what = "cached read with a key, and without" + (", with quotas" if quotas else "")
    ratio = statistics.median(a / b for a, b in zip(plain, shown, strict=True))
    return {
        "what": what,
        "terrella_p50_ms": round(with_key, 3),
        "anonymous_p50_ms": round(without, 3),
        "ratio": round(ratio, 3),
        "bar": 0.952,
    }


def main(rounds: int = 40) -> list[Row]:
    """Rows of both."""
    return [run(rounds), run(rounds, quotas=True)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    for row in main(parser.parse_args().rounds):
        print(row)
