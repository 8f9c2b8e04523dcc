"""Point series over EDR: Terrella, xpublish-edr and pygeoapi on one Zarr, each its own server, four clients.

    python -m benchmarks.edr

The Zarr is 0.25 degrees and hourly (240 x 720 x 1440 float32, chunks 24 x 180 x 180): one series touches ten chunks.
Rounds alternate between the servers, so that a machine that is busy with other work is unfair to all of them alike.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from terrella.settings import cache_for, memory

Row = dict[str, Any]
SHAPE, CHUNKS = (240, 720, 1440), (24, 180, 180)
CLIENTS = 4
BAR = 8.0
HOST = "127.0.0.1"
FIRST_PORT = 18_701


def write_zarr(path: Path) -> None:
    """Smooth weather rounded to 0.01 K, as packed archives hold it."""
    import xarray as xr
    import zarr

    lat, lon = 89.875 - 0.25 * np.arange(SHAPE[1]), -179.875 + 0.25 * np.arange(SHAPE[2])
    times = np.arange("2024-01-01T00", "2024-01-11T00", dtype="M8[h]").astype("M8[ns]")
    coords = {
        "time": ("time", times, {"axis": "T", "standard_name": "time"}),
        "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude", "axis": "Y"}),
        "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude", "axis": "X"}),
    }
    xr.Dataset(coords=coords, attrs={"Conventions": "CF-1.8"}).to_zarr(path, consolidated=False)
    array = zarr.open_group(path).create_array(
        "t2m",
        shape=SHAPE,
        chunks=CHUNKS,
        dtype="f4",
        dimension_names=("time", "lat", "lon"),
        attributes={"units": "K", "standard_name": "air_temperature", "long_name": "2 metre temperature"},
        fill_value=np.nan,
    )
    rng = np.random.default_rng(1)
    base = (288 - np.abs(lat)[:, None] / 2 + 5 * np.sin(np.radians(lon))[None, :]).astype("f4")
    for start in range(0, SHAPE[0], CHUNKS[0]):
        noise = rng.normal(0, 1, (CHUNKS[0], *SHAPE[1:])).astype("f4")
        array[start : start + CHUNKS[0]] = np.round(base + noise, 2)
    zarr.consolidate_metadata(path)


# --- the servers ---


def serve_terrella(data: str, port: int, cache_bytes: str) -> None:
    import pyproj  # noqa: F401 -- before ecCodes

    from terrella.api.app import create_app
    from terrella.api.server import serve
    from terrella.site.site import Site

    serve(lambda: create_app(Site.open(data, reading={"cache_bytes": int(cache_bytes)})), HOST, port)


def serve_xpublish(data: str, port: int) -> None:
    import uvicorn
    import xarray as xr
    import xpublish

    rest = xpublish.Rest({"bench": xr.open_zarr(data, chunks=None)})
    uvicorn.run(rest.app, host=HOST, port=port, log_level="warning")


def serve_pygeoapi(data: str, port: int) -> None:
    import yaml

    folder = Path(tempfile.mkdtemp())
    config, openapi = folder / "config.yml", folder / "openapi.yml"
    config.write_text(yaml.safe_dump(_pygeoapi_config(data, port)))
    os.environ |= {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(openapi)}
    from pygeoapi.openapi import generate_openapi_document

    openapi.write_text(generate_openapi_document(config, "yaml", fail_on_invalid_collection=False))
    import uvicorn
    from pygeoapi.starlette_app import APP

    uvicorn.run(APP, host=HOST, port=port, log_level="warning")


def _pygeoapi_config(data: str, port: int) -> Row:
    """The least that pygeoapi wants to be told."""
    here = f"http://{HOST}:{port}"
    provider = {"type": "edr", "name": "xarray-edr", "data": data, "x_field": "lon", "y_field": "lat"}
    provider |= {"time_field": "time", "format": {"name": "zarr", "mimetype": "application/zip"}}
    spatial = {"bbox": [-180, -90, 180, 90], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
    said = {"title": "bench", "description": "bench", "keywords": ["x"]}
    resource = {"type": "collection", **said, "links": [], "providers": [provider]}
    resource["extents"] = {"spatial": spatial, "temporal": {"begin": None, "end": None}}
    server = {"bind": {"host": HOST, "port": port}, "url": here, "mimetype": "application/json", "encoding": "utf-8"}
    server |= {"languages": ["en-US"], "limits": {"default_items": 10, "max_items": 50}, "gzip": False}
    server["map"] = {"url": "", "attribution": ""}
    metadata = {
        "identification": {**said, "keywords_type": "theme", "terms_of_service": "none", "url": here},
        "license": {"name": "none", "url": here},
        "provider": {"name": "bench", "url": here},
        "contact": {"name": "bench"},
    }
    logging = {"level": "ERROR"}
    return {"server": server, "logging": logging, "metadata": metadata, "resources": {"bench": resource}}


SERVERS: dict[str, Callable[..., None]] = {
    "terrella": serve_terrella,
    "xpublish": serve_xpublish,
    "pygeoapi": serve_pygeoapi,
}


@contextmanager
def running(kind: str, port: int, *words: str) -> Iterator[None]:
    """A server in a process of its own, ready."""
    command = [sys.executable, "-m", "benchmarks.edr", "--serve", kind, *words, "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise RuntimeError(f"{kind} ended with status {process.returncode}")
            try:
                link = http.client.HTTPConnection(HOST, port, timeout=5)
                link.request("GET", "/")
                link.getresponse().read()
                break
            except OSError:
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


# --- the clients ---


def fire(port: int, path: str, seconds: float, seed: int) -> tuple[float, float]:
    """Requests a second by all clients together, and the median in ms. Raises RuntimeError for any answer but 200."""
    times: list[float] = []
    wrong: list[str] = []
    until = time.perf_counter() + seconds

    def client(number: int) -> None:
        rng = random.Random(seed * 100 + number)
        link = http.client.HTTPConnection(HOST, port, timeout=120)
        while time.perf_counter() < until and not wrong:
            place = quote(f"POINT({rng.uniform(-179, 179):.3f} {rng.uniform(-85, 85):.3f})")
            began = time.perf_counter()
            link.request("GET", path.format(coords=place))
            answer = link.getresponse()
            body = answer.read()
            times.append(time.perf_counter() - began)
            if answer.status != 200 or len(json.loads(body)["ranges"]["t2m"]["values"]) != SHAPE[0]:
                wrong.append(body[:300].decode(errors="replace"))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(wrong[0])
    return len(times) / (time.perf_counter() - began), statistics.median(times) * 1000


def run(seconds: float = 8, rounds: int = 2, folder: Path | None = None) -> list[Row]:
    """Rows: requests a second of Terrella and of a peer, and their ratio, also without Terrella's chunk cache."""
    with tempfile.TemporaryDirectory() as scratch:
        home, data = _prepared(folder or Path(scratch))
        query = "position?coords={coords}&parameter-name=t2m"
        own = f"/ogc/collections/{_collection(home)}/{query}"
        servers = {
            "terrella": (own, ("terrella", str(home), str(cache_for(memory())))),
            "uncached": (own, ("terrella", str(home), "0")),
            "xpublish-edr": (f"/datasets/bench/edr/{query}", ("xpublish", str(data))),
            "pygeoapi": (f"/collections/bench/{query}&f=json", ("pygeoapi", str(data))),
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
        for number in range(rounds):
            for place, (name, (path, words)) in enumerate(servers.items()):
                port = FIRST_PORT + place
                with running(words[0], port, *words[1:]):
                    fire(port, path, seconds / 2, 1000 + number)  # warm up
                    found[name].append(fire(port, path, seconds, number))
    rates = {name: statistics.mean(rate for rate, _ in measured) for name, measured in found.items()}
    return [_row(peer, rates, found) for peer in ("xpublish-edr", "pygeoapi")]


def _row(peer: str, rates: dict[str, float], found: dict[str, list[tuple[float, float]]]) -> Row:
    return {
        "what": f"EDR point series, {CLIENTS} clients, beside {peer}",
        "terrella_per_s": round(rates["terrella"], 1),
        f"{peer}_per_s": round(rates[peer], 1),
        "ratio": round(rates["terrella"] / rates[peer], 2),
        "bar": BAR,
        "ratio_without_chunk_cache": round(rates["uncached"] / rates[peer], 2),
        "terrella_median_ms": round(statistics.mean(ms for _, ms in found["terrella"]), 1),
        f"{peer}_median_ms": round(statistics.mean(ms for _, ms in found[peer]), 1),
    }


def _prepared(place: Path) -> tuple[Path, Path]:
    from terrella.site.site import Site

    data, home = place / "bench.zarr", place / "home"
    if not data.exists():
        write_zarr(data)
    with Site.open(home) as site:
        report = site.add(data)
        if report.failures:
            raise RuntimeError(str(report.failures))
    return home, data


def _collection(home: Path) -> str:
    from terrella.site.site import Site

    with Site.open(home) as site:
        return str(site.collections()[0]["id"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", nargs="+")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="keep the Zarr here, and use it again when it is there")
    given = parser.parse_args()
    if given.serve:
        kind, data, *more = given.serve
        SERVERS[kind](data, given.port, *more)
        return
    for row in run(given.seconds, given.rounds, given.folder):
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
