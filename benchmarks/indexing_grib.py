"""How fast GRIB messages are indexed: our scan beside cfgrib's index of the same files, in one run.

    python -m benchmarks.indexing_grib

Two files: 744 hours of one parameter, and 2000 messages that differ in everything (parameters x levels x steps), so
that nothing learnt from one message helps with the next. Ours also reads the grid and the sha-256 of the file;
cfgrib's index is made in memory, not read from or written to disk. One thread, rounds in turn, best of three.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyproj  # noqa: F401 -- before ecCodes: libproj clash

# isort: split
import eccodes
import numpy as np

from terrella.cubes.formats.grib import Grib

Row = dict[str, Any]
HOURLY = "grib/era5-2mt-2019-03-uk.grib"


def hourly() -> Iterator[dict[str, Any]]:
    """Keys of 744 hours of one parameter."""
    start = datetime(2019, 3, 1, tzinfo=UTC)
    for hour in range(744):
        at = start + timedelta(hours=hour)
        yield {"indicatorOfParameter": 167, "dataDate": int(f"{at:%Y%m%d}"), "dataTime": at.hour * 100}


def varied() -> Iterator[dict[str, Any]]:
    """Keys of 2000 messages: 5 parameters, 20 levels, 20 steps."""
    for parameter in (129, 130, 131, 132, 133):
        for level in range(50, 1050, 50):
            for step in range(0, 120, 6):
                yield {"indicatorOfParameter": parameter, "level": level, "P1": step}


def write(path: Path, fields: Iterator[dict[str, Any]]) -> Path:
    """Small fields, as cut-outs have them: 33 x 49 points."""
    handle = eccodes.codes_grib_new_from_samples("regular_ll_pl_grib1")
    for key, value in {"Ni": 49, "Nj": 33, "bitsPerValue": 16}.items():
        eccodes.codes_set(handle, key, value)
    eccodes.codes_set_values(handle, np.linspace(270, 290, 33 * 49))
    with path.open("wb") as file:
        for keys in fields:
            for key, value in keys.items():
                eccodes.codes_set(handle, key, value)
            eccodes.codes_write(handle, file)
    eccodes.codes_release(handle)
    return path


def ours(path: Path) -> int:
    """Messages found."""
    (scan,) = Grib().scan(str(path))
    return sum(
        int((array.table.lengths > 0).sum()) for part in scan.parts for array in part.arrays if array.table is not None
    )


def theirs(path: Path) -> int:
    """Messages found by cfgrib, without its cache on disk."""
    from cfgrib import dataset, messages

    index = dataset.open_fileindex(messages.FileStream(str(path)), indexpath="")
    return sum(len(found) for _, found in index.field_ids_index)


def compare(path: Path, rounds: int = 3) -> tuple[float, float, int]:
    """(our seconds, cfgrib's seconds, messages): best of some rounds in turn, after one that does not count."""
    best: dict[Callable[[Path], int], float] = {ours: float("inf"), theirs: float("inf")}
    counts = {way(path) for way in best}
    assert len(counts) == 1, counts
    for _ in range(rounds):
        for way, least in best.items():
            start = time.perf_counter()
            way(path)
            best[way] = min(least, time.perf_counter() - start)
    return best[ours], best[theirs], counts.pop()


def run() -> list[Row]:
    """Rows: what, seconds of ours and theirs, and how many times faster we are."""
    data = Path(os.environ.get("TERRELLA_TEST_DATA", "../shared/data"), HOURLY)
    with tempfile.TemporaryDirectory() as folder:
        first = data if data.exists() else write(Path(folder, "hourly.grib"), hourly())
        second = write(Path(folder, "varied.grib"), varied())
        return [row("of one parameter", first), row("that differ in everything", second)]


def row(what: str, path: Path) -> Row:
    mine, other, count = compare(path)
    return {
        "what": f"indexing {count} GRIB messages {what}",
        "terrella_s": round(mine, 3),
        "cfgrib_s": round(other, 3),
        "ratio": round(other / mine, 2),
        "bar": 1.0,
    }


if __name__ == "__main__":
    for each in run():
        print(each)
