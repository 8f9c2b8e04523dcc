"""Point series out of GRIB messages: ours beside xarray with cfgrib on the same file, in one run.

    python -m benchmarks.points_grib

744 hours of one parameter, one place. Ours is `Site.cut` on a file that was added, the chunk cache empty; cfgrib opens
the file and takes the nearest point, once without an index on disk and once with one that was written before. The last
row compares the bytes that the receipt names with 2 % of the file.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from terrella import Site  # before ecCodes, which brings an old SQLite

# isort: split
from benchmarks.indexing_grib import HOURLY, hourly, write

Row = dict[str, Any]
PLACE = (0.0, 52.0)
BAR = 50.0
SHARE = 0.02
ROUNDS = 50
"""Of ours, which takes milliseconds; so all of them together take as long as two of theirs."""


def ours(site: Site, collection: str) -> np.ndarray:
    """The series, nothing of it in memory."""
    site.cubes.forget()
    return np.asarray(site.extract(collection, point=PLACE)["2t"].values).ravel()


def theirs(path: Path, index: str) -> np.ndarray:
    """The series through cfgrib; `index` is its file, '' for none."""
    import xarray as xr

    with xr.open_dataset(path, engine="cfgrib", backend_kwargs={"indexpath": index}) as dataset:
        near = dataset["t2m"].sel(longitude=PLACE[0], latitude=PLACE[1], method="nearest")
        return np.asarray(near.values).ravel()


def best(way: Callable[[], object], rounds: int) -> float:
    """Least seconds of some rounds."""
    least = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        way()
        least = min(least, time.perf_counter() - start)
    return least


def run() -> list[Row]:
    """Rows: what, seconds of ours and theirs, and how many times faster we are; then the share of bytes read."""
    data = Path(os.environ.get("TERRELLA_TEST_DATA", "../shared/data"), HOURLY)
    with tempfile.TemporaryDirectory() as folder:
        path = data if data.exists() else write(Path(folder, "hourly.grib"), hourly())
        index = str(Path(folder, "cfgrib.idx"))
        with Site.open(Path(folder, "site")) as site:
            site.add(path)
            (collection,) = (one["id"] for one in site.collections())
            np.testing.assert_allclose(ours(site, collection), theirs(path, index), rtol=1e-6)
            mine = best(lambda: ours(site, collection), ROUNDS)
            bytes_read = site.cut(collection, point=PLACE).receipt.bytes_read
        rows = [
            compared("without its index", mine, best(lambda: theirs(path, ""), 2)),
            compared("with its index on disk", mine, best(lambda: theirs(path, index), 2)),
        ]
        share = bytes_read / path.stat().st_size
        what = f"bytes read for it: {bytes_read:,}, {share:.2%} of the file, beside {SHARE:.0%}"
        return [*rows, {"what": what, "ratio": round(SHARE / share, 2), "bar": 1.0}]


def compared(what: str, mine: float, other: float) -> Row:
    return {
        "what": f"744 GRIB messages at a point, cold, beside xarray and cfgrib {what}",
        "terrella_s": round(mine, 4),
        "cfgrib_s": round(other, 4),
        "ratio": round(other / mine, 1),
        "bar": BAR,
    }


if __name__ == "__main__":
    for each in run():
        print(each)
