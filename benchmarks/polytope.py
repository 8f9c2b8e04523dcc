"""A polygon out of a global cube: Terrella beside polytope-python on the same array, in process and over HTTP.

    python -m benchmarks.polytope

A polygon of 40 vertices about as large as France, 24 hours at 0.25 degrees (24 x 721 x 1440 float32). polytope-python
has the array in memory, latitudes rising, and takes all steps of a place at once: of its settings the fastest here.
Ours lies in a Zarr on disk, chunks 24 x 180 x 180, which are in the cache of chunks. The polygon is another one each
time, so that every answer is computed; one row asks for the same one again. Over HTTP answers are CoverageJSON, and the
ratio is to polytope-python in its own process, without any server. Cells and values are compared first.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from terrella import Site  # before ecCodes, which brings an old SQLite

# isort: split
from benchmarks.serving import HOST, free_port, get, module_command, running

if TYPE_CHECKING:
    import xarray as xr

Row = dict[str, Any]
Series = dict[tuple[float, float], np.ndarray]
"""Values of all hours by longitude and latitude."""
Question = Callable[[list[list[float]]], object]

SHAPE, CHUNKS = (24, 721, 1440), (24, 180, 180)
VERTICES = 40
BAR, BAR_HTTP, BAR_MS = 100.0, 20.0, 50.0
POLYGONS = 200
"""Different ones that are asked for over HTTP."""
_NAME = "t2m"


def ring(number: int) -> list[list[float]]:
    """The polygon's vertices, longitude first, not closed; each number moves it by some metres."""
    turn = np.linspace(0, 2 * np.pi, VERTICES, endpoint=False)
    wide = 1 + 0.1 * np.sin(5 * turn)
    lon = 2.4 + 1e-4 * number + 5.1 * np.cos(turn) * wide
    return np.column_stack([lon, 46.6 + 4.2 * np.sin(turn) * wide]).tolist()


def array() -> xr.DataArray:
    """Weather rounded to 0.01 K."""
    import xarray as xr

    lat, lon = -90 + 0.25 * np.arange(SHAPE[1]), -180 + 0.25 * np.arange(SHAPE[2])
    times = np.arange("2024-01-01T00", "2024-01-02T00", dtype="M8[h]").astype("M8[ns]")
    noise = np.random.default_rng(1).normal(0, 1, SHAPE)
    values = np.round(288 - np.abs(lat)[:, None] / 2 + noise, 2).astype("f4")
    coords = {
        "time": ("time", times, {"axis": "T", "standard_name": "time"}),
        "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude", "axis": "Y"}),
        "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude", "axis": "X"}),
    }
    attrs = {"units": "K", "standard_name": "air_temperature"}
    return xr.DataArray(values, dims=("time", "lat", "lon"), coords=coords, attrs=attrs, name=_NAME)


def prepared(place: Path, data: xr.DataArray) -> tuple[Path, str]:
    """A site that holds the array, and the collection's id."""
    home, store = place / "home", place / "bench.zarr"
    data.to_dataset().assign_attrs(Conventions="CF-1.8").to_zarr(
        store, consolidated=False, zarr_format=3, encoding={_NAME: {"chunks": CHUNKS}}
    )
    with Site.open(home) as site:
        report = site.add(store)
        if report.failures:
            raise RuntimeError(str(report.failures))
        return home, report.collections[0].id


# --- in process ---


def ours(site: Site, collection: str, vertices: list[list[float]]) -> xr.Dataset:
    polygon = {"type": "Polygon", "coordinates": [[*vertices, vertices[0]]]}
    return site.extract(collection, polygon=polygon)


def theirs(data: xr.DataArray, vertices: list[list[float]]) -> Any:
    """The index tree of polytope-python, values in its leaves; `data` is opened anew, which takes it 0.005 s."""
    from polytope_feature.polytope import Polytope, Request
    from polytope_feature.shapes import Polygon, Span

    cube = Polytope(datacube=data, options={"compressed_axes_config": ["time", "lat", "lon"]})
    times = data.time.values
    return cube.retrieve(Request(Polygon(["lon", "lat"], vertices), Span("time", times[0], times[-1])))


def series_of_ours(found: xr.Dataset) -> Series:
    places = zip(found.longitude.values.tolist(), found.latitude.values.tolist(), strict=True)
    return dict(zip(places, found[_NAME].values.T, strict=True))


def series_of_theirs(tree: Any) -> Series:
    found: Series = {}
    for leaf in tree.leaves:
        path = leaf.flatten()
        found[(float(path["lon"][0]), float(path["lat"][0]))] = np.asarray(leaf.result[1]).ravel()
    return found


def series_of_coverage(body: bytes) -> Series:
    document = json.loads(body)
    places = [tuple(one) for one in document["domain"]["axes"]["composite"]["values"]]
    values = np.array(document["ranges"][_NAME]["values"], dtype="f4").reshape(document["ranges"][_NAME]["shape"])
    return dict(zip(places, values.T, strict=True))


def check(first: Series, second: Series) -> None:
    """Raises AssertionError where cells or values differ."""
    assert first.keys() == second.keys(), f"{len(first)} cells and {len(second)} cells are not the same"
    for place, values in first.items():
        np.testing.assert_array_equal(values, second[place], err_msg=str(place))


def seconds(way: Question, numbers: range) -> list[float]:
    """How long each polygon takes."""
    taken = []
    for number in numbers:
        vertices = ring(number)
        began = time.perf_counter()
        way(vertices)
        taken.append(time.perf_counter() - began)
    return taken


# --- over HTTP ---


def serve(home: str, port: int) -> None:
    from terrella.api.app import create_app
    from terrella.api.server import serve as served

    served(lambda: create_app(Site.open(home)), HOST, port)


def path(collection: str, vertices: list[list[float]]) -> str:
    text = ",".join(f"{lon:.10f} {lat:.10f}" for lon, lat in [*vertices, vertices[0]])
    return f"/ogc/collections/{collection}/area?coords={quote(f'POLYGON(({text}))')}&parameter-name={_NAME}"


def over_http(
    home: Path, collection: str, expected: Series, other: Question | None, rounds: int
) -> tuple[Row, Row, float, float]:
    """Rows of the same polygon and of other ones; medians in seconds of these and of the peer, in rounds in turn."""
    port = free_port()
    command = module_command("benchmarks.polytope", "--serve", home, "--port", port)
    with running(command, port, path="/health"):
        same = path(collection, ring(0))
        check(expected, series_of_coverage(get(port, same)[1]))
        again = asked(port, [same] * POLYGONS)
        asked(port, [path(collection, ring(-number)) for number in range(1, POLYGONS // 4)])
        anew, theirs_took = [], []
        for first in range(1, POLYGONS + 1, -(-POLYGONS // rounds)):
            lot = range(first, min(first + -(-POLYGONS // rounds), POLYGONS + 1))
            anew += asked(port, [path(collection, ring(number)) for number in lot])
            theirs_took += seconds(other, lot[:1]) if other else [0.0]
    what = "polygon of 40 vertices, 24 steps at 0.25°, over HTTP as CoverageJSON"
    same_row, row = _timed(f"{what}, the same one again", again), _timed(f"{what}, another one each time", anew)
    return same_row, row, statistics.median(anew), statistics.median(theirs_took)


def asked(port: int, questions: list[str]) -> list[float]:
    """Seconds until each was answered, one after the other on a connection that stays open."""
    taken = []
    with closing(http.client.HTTPConnection(HOST, port, timeout=120)) as link:
        for question in questions:
            began = time.perf_counter()
            link.request("GET", question)
            answer = link.getresponse()
            body = answer.read()
            taken.append(time.perf_counter() - began)
            if answer.status != 200:
                raise RuntimeError(f"{answer.status}: {body[:300].decode(errors='replace')}")
    return taken


def _timed(what: str, taken: list[float]) -> Row:
    median, last = statistics.median(taken) * 1000, statistics.quantiles(taken, n=100)[-1] * 1000
    return {"what": what, "terrella_p50_ms": round(median, 2), "terrella_p99_ms": round(last, 2), "bar_ms": BAR_MS}


# --- together ---


def run(*, rounds: int = 5) -> list[Row]:
    """Rows: in process beside polytope-python, over HTTP, and both compared."""
    data = array()
    with tempfile.TemporaryDirectory() as folder:
        home, collection = prepared(Path(folder), data)
        with Site.open(home) as site:
            way = partial(ours, site, collection)
            expected = series_of_ours(way(ring(0)))
            mine, other = _in_turn(way, data, expected, rounds)
        peer = None if other is None else partial(theirs, data)
        again, anew, median, meanwhile = over_http(home, collection, expected, peer, rounds)
    if other is None:
        why = "polytope-python not installed (scripts/setup bench)"
        return [{"what": "polygon beside polytope-python", "not_measured": why}, again, anew]
    steps = f"polygon of 40 vertices, 24 steps at 0.25°, {len(expected):,} cells"
    return [
        _compared(f"{steps}, in process", mine, other, BAR),
        again,
        anew,
        _compared(f"{steps}, ours over HTTP beside polytope-python in process", median, meanwhile, BAR_HTTP),
    ]


def _in_turn(way: Question, data: xr.DataArray, expected: Series, rounds: int) -> tuple[float, float | None]:
    """Medians of seconds in rounds that alternate; None where polytope-python is not here."""
    is_here = find_spec("polytope_feature") is not None
    if is_here:
        check(expected, series_of_theirs(theirs(data, ring(0))))
    mine: list[float] = []
    other: list[float] = []
    for number in range(rounds):
        mine += seconds(way, range(100 * number, 100 * number + 50))
        if is_here:
            other += seconds(partial(theirs, data), range(100 * number, 100 * number + 1))
    return statistics.median(mine), statistics.median(other) if is_here else None


def _compared(what: str, mine: float, other: float, bar: float) -> Row:
    taken = {"terrella_s": round(mine, 5), "polytope_python_s": round(other, 3)}
    return {"what": what, **taken, "ratio": round(other / mine, 1), "bar": bar}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.port)
        return
    for row in run():
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
