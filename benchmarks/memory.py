"""How much memory cutting takes beside what the plan says, out of a cube of 10 GB.

    python -m benchmarks.memory

640 hours x 2000 x 2000 float32, one chunk of 16 MB an hour (all are one file of values, by links). Each request runs in
a process of its own, after a small one that imports what is needed; measured is by how much its peak grows. The cache
of chunks has 256 MiB, as on a small machine. The bars: at most 1.5 times what the plan says, and at most 1 GB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from terrella import Site  # before ecCodes, which brings an old SQLite

# isort: split
from benchmarks.serving import module_command

Row = dict[str, Any]
TIMES, SIDE = 640, 2000
MOST_TIMES = 1.5
MOST_BYTES = 1e9
_MIB = 1 << 20
CACHE = 256 * _MIB
"""The cache of chunks as it is by default on a machine of 2 GiB; larger machines have a larger one."""
REQUESTS: dict[str, dict[str, Any]] = {
    "one cell, all hours": {"point": [10.0, 50.0]},
    "a box of 1.4 million cells, 60 hours": {
        "bbox": [2, 42, 14, 54],
        "time": "2024-01-01T00:00:00Z/2024-01-03T11:00:00Z",
    },
    "the mean over all cells, hour by hour": {"mean": "space"},
    "the mean over all hours of 100,000 cells": {"bbox": [2, 42, 5, 45.3], "mean": "time"},
}
"""Words of `Site.extract`."""


def write(path: Path) -> None:
    """The cube: every chunk is a link to the first."""
    import zarr

    group = zarr.open_group(path, mode="w")
    array = group.create_array(
        "t",
        shape=(TIMES, SIDE, SIDE),
        chunks=(1, SIDE, SIDE),
        dtype="f4",
        dimension_names=("time", "lat", "lon"),
        attributes={"units": "K"},
        compressors=None,
    )
    lines = {
        "time": (TIMES, 0, 1, "hours since 2024-01-01"),
        "lat": (SIDE, 60, -0.01, "degrees_north"),
        "lon": (SIDE, 0, 0.01, "degrees_east"),
    }
    for name, (size, start, step, units) in lines.items():
        line = group.create_array(name, shape=(size,), dtype="f8", dimension_names=(name,), attributes={"units": units})
        line[:] = start + step * np.arange(size)
    array[0] = np.random.default_rng(1).normal(280, 10, (SIDE, SIDE)).astype("f4")
    first = path / "t" / "c" / "0" / "0" / "0"
    for number in range(1, TIMES):
        there = path / "t" / "c" / str(number) / "0"
        there.mkdir(parents=True)
        os.link(first, there / "0")


def measured(home: Path, wanted: dict[str, Any]) -> dict[str, int]:
    """What a request took in a fresh process: bytes that it grew by, bytes of the plan."""
    made = subprocess.run(
        module_command("benchmarks.memory", "--cut", home, json.dumps(wanted)), check=True, capture_output=True
    )
    found: dict[str, int] = json.loads(made.stdout.splitlines()[-1])
    return found


def cut(home: str, wanted: str) -> None:
    """In the fresh process: print what `measured` returns."""
    from terrella.model.caller import OPERATOR
    from terrella.site.requests import extraction_from

    request = json.loads(wanted)
    request = {name: tuple(value) if isinstance(value, list) else value for name, value in request.items()}
    limits = dict.fromkeys(("values", "bytes_read", "cells"), 1 << 50)
    with Site.open(home, limits=limits, reading={"cache_bytes": CACHE}) as site:
        (collection,) = (one["id"] for one in site.collections())
        first = request | {"time": "2024-01-01T00:00:00Z"}
        site.extract(collection, **(first | {"bbox": (2, 52, 2.1, 52.1)} if "bbox" in first else first))
        before = peak()
        plan = site.extractor.plan(OPERATOR, extraction_from(collection, request))
        site.extract(collection, **request)
        print(json.dumps({"grown": peak() - before, "planned": plan.memory, "chunks": plan.chunks}))


def peak() -> int:
    """Most bytes that this process had in memory so far."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run(*, requests: int = len(REQUESTS)) -> list[Row]:
    """Rows, two for each request: beside the plan, and beside 1 GB."""
    with tempfile.TemporaryDirectory() as folder:
        home, store = Path(folder, "home"), Path(folder, "cube.zarr")
        write(store)
        with Site.open(home) as site:
            report = site.add(store)
            if report.failures:
                raise RuntimeError(str(report.failures))
        found = {what: measured(home, wanted) for what, wanted in list(REQUESTS.items())[:requests]}
    return [row for what, one in found.items() for row in _rows(what, one)]


def _rows(what: str, found: dict[str, int]) -> list[Row]:
    """A ratio above 1 says that the bar is kept."""
    grown = max(found["grown"], 1)
    chunks = f"{found['chunks']} chunks of {SIDE * SIDE * 4 / _MIB:.0f} MiB"
    said = f"{what}, {chunks}: {grown / _MIB:,.0f} MiB"
    beside = f"{said} beside {MOST_TIMES:g} times the {found['planned'] / _MIB:,.0f} MiB of the plan"
    return [
        {"what": beside, "ratio": round(min(MOST_TIMES * found["planned"] / grown, 999), 2), "bar": 1.0},
        {"what": f"{said} beside 1 GB", "ratio": round(min(MOST_BYTES / grown, 999), 2), "bar": 1.0},
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--cut"]:
        cut(*sys.argv[2:4])
    else:
        for each in run():
            print(each)
