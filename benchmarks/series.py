"""A year of hours at one cell of a global HEALPix grid: Terrella beside zarrs on obstore reading the same chunks.

    python -m benchmarks.series

A Zarr laid out for series: 8760 hours x 12,582,912 cells (nside 1024, nested; 441 GB as float32, of which only the
chunks around the cell are there), chunks 876 x 256, zstd. Ours is `Site.extract` at a place, with no chunk in memory:
it finds the cell, plans, reads, and makes a dataset with coordinates. Theirs knows the cell, has the array open, and
reads it with zarr-python on obstore, decoded by zarrs or by zarr-python's own codecs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from terrella import Site  # before ecCodes, which brings an old SQLite

# isort: split
from terrella.grids import HealpixGrid

Row = dict[str, Any]
NSIDE = 1024
HOURS, CELLS = 8760, 12 * NSIDE * NSIDE
CHUNKS = (876, 256)
PLACE = (2.35, 48.86)
MOST_TIMES = 2.0
_NAME = "t2m"


def cell_of(lon: float, lat: float) -> int:
    """Number of the nested cell."""
    return int(np.asarray(HealpixGrid(NSIDE, "nested").nearest(np.array([lon]), np.array([lat])))[0])


def write(path: Path, cell: int, hours: int) -> np.ndarray:
    """The store, with the chunks of a cell and of those beside it; returns the cell's values."""
    import xarray as xr
    import zarr

    times = (np.datetime64("2023-01-01T00", "h") + np.arange(hours)).astype("M8[ns]")
    mapping = ((), 0, {"grid_mapping_name": "healpix", "healpix_nside": NSIDE, "healpix_order": "nested"})
    coords = {"time": ("time", times, {"axis": "T", "standard_name": "time"})}
    xr.Dataset({"crs": mapping}, coords=coords, attrs={"Conventions": "CF-1.8"}).to_zarr(
        path, consolidated=False, zarr_format=3
    )
    array = zarr.open_group(path).create_array(
        _NAME,
        shape=(hours, CELLS),
        chunks=(min(CHUNKS[0], hours), CHUNKS[1]),
        dtype="f4",
        compressors=zarr.codecs.ZstdCodec(level=3),
        dimension_names=("time", "cell"),
        attributes={"units": "K", "standard_name": "air_temperature", "grid_mapping": "crs"},
        fill_value=np.nan,
    )
    first = cell // CHUNKS[1] * CHUNKS[1]
    values = weather(hours)
    array[:, first : first + CHUNKS[1]] = values
    return values[:, cell - first]


def weather(hours: int) -> np.ndarray:
    """Seasons, days and weather, alike at all cells, and a little noise; rounded to 0.01 K."""
    rng = np.random.default_rng(1)
    hour = np.arange(hours)[:, None]
    base = 283 + 9 * np.sin(2 * np.pi * hour / 8766) + 4 * np.sin(2 * np.pi * hour / 24)
    storms = np.cumsum(rng.normal(0, 0.2, (hours, 1)), axis=0)
    return np.round(base + storms + rng.normal(0, 0.3, (hours, CHUNKS[1])), 2).astype("f4")


def reader(path: Path, cell: int, pipeline: str) -> Callable[[], np.ndarray]:
    """Reads the cell's chunks with zarr-python on obstore, decoded by a pipeline of codecs."""
    import zarr
    from obstore.store import LocalStore
    from zarr.storage import ObjectStore

    with zarr.config.set({"codec_pipeline.path": pipeline}):
        array = zarr.open_array(ObjectStore(LocalStore(path)), path=_NAME, mode="r")

    def read() -> np.ndarray:
        return np.asarray(array[:, cell : cell + 1])[:, 0]

    return read


def best(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Least seconds of each, in rounds that alternate."""
    least = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            least[name] = min(least[name], time.perf_counter() - began)
    return least


_PIPELINES = {"zarrs": "zarrs.ZarrsCodecPipeline", "zarr_python": "zarr.core.codec_pipeline.BatchedCodecPipeline"}


def run(*, hours: int = HOURS, rounds: int = 40) -> list[Row]:
    """Rows: beside zarrs, and beside zarr-python's own codecs."""
    cell = cell_of(*PLACE)
    with tempfile.TemporaryDirectory() as folder, Site.open(Path(folder, "site")) as site:
        path = Path(folder, "year.zarr")
        values = write(path, cell, hours)
        report = site.add(path)
        collection = report.collections[0].id

        def ours() -> np.ndarray:
            site.cubes.forget()
            return np.asarray(site.extract(collection, point=PLACE)[_NAME].values).ravel()

        here = [name for name in _PIPELINES if name != "zarrs" or find_spec("zarrs") is not None]
        ways = {"terrella": ours} | {name: reader(path, cell, _PIPELINES[name]) for name in here}
        for name, way in ways.items():
            np.testing.assert_array_equal(way(), values, err_msg=name)
        found = best(ways, rounds)
    return [_row(name, hours, found) if name in found else _absent(name) for name in _PIPELINES]


def _row(peer: str, hours: int, found: dict[str, float]) -> Row:
    return {
        "what": f"{hours} hours at one cell of a HEALPix grid (nside {NSIDE}, {CELLS:,} cells), nothing in memory",
        "terrella_s": round(found["terrella"], 5),
        f"{peer}_on_obstore_s": round(found[peer], 5),
        "ratio": round(found[peer] / found["terrella"], 2),
        "bar": 1 / MOST_TIMES,
        "chunks": f"{-(-hours // CHUNKS[0])} of {'x'.join(map(str, CHUNKS))}",
    }


def _absent(peer: str) -> Row:
    return {"what": f"a year of hours at one cell beside {peer}", "not_measured": f"{peer} not installed"}


if __name__ == "__main__":
    for each in run():
        print(each)
