"""A cube of 10 GB is cut, a third of its chunks being read: the process may not grow by more than the plan says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr

TIMES, SIDE = 640, 2000

CUT = """
import resource, sys
from functools import partial
import numpy as np
from terrella.contracts.cubes import CubeIndex, CubeVariable, Origin, Piece
from terrella.cubes.caching import ReadTally
from terrella.cubes.cubes import Cubes
from terrella.cubes.formats.zarr import Zarr
from terrella.cubes.selecting import Selection

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

(scan,) = Zarr().scan(sys.argv[1])
(part,) = scan.parts
(array,) = part.arrays
pieces = (Piece(scan.href, "zarr", "a", array, (None,) * 3),)
variable = CubeVariable("t", array.dims, array.shape, "<f4", {}, pieces)
cubes = Cubes(cache_bytes=int(sys.argv[2]), threads=4)
cube = cubes.open(CubeIndex(part.grid, part.axes, (variable,)), Origin("lake", "a", "1"))
cells = np.arange(0, array.shape[1] * array.shape[2], 4001)
cubes.read(cubes.cut(cube, {"t": Selection({"time": slice(0, 1)}, cells=cells)}))
before = peak()
cuts = cubes.cut(cube, {"t": Selection({"time": slice(0, 200)}, cells=cells)})
cost = cubes.plan(cuts)
tally = ReadTally()
found = cubes.read(cuts, tally)["t"]
assert (found == 1.5).all() and found.shape == (200, cells.size) and array.shape[0] * array.shape[1] * array.shape[2] * 4 > 10e9
assert tally.bytes_read <= cost.bytes_read
decoded = cost.chunks * cost.largest
planned = cost.bytes_out + min(decoded, cubes.cache_bytes) + min(decoded, 2 * cubes.threads * cost.largest)
print(peak() - before, planned, decoded)
"""


@pytest.fixture
def huge(tmp_path: Path) -> Path:
    """640 chunks of 16 MB that are one small file."""
    path = tmp_path / "huge.zarr"
    group = zarr.open_group(path, mode="w")
    chunks = (1, SIDE, SIDE)
    array = group.create_array(
        "t",
        shape=(TIMES, SIDE, SIDE),
        chunks=chunks,
        dtype="f4",
        dimension_names=("time", "lat", "lon"),
        compressors=None,
    )
    for name, size, start, step, units in (
        ("time", TIMES, 0, 1, "hours since 2024-01-01"),
        ("lat", SIDE, 60, -0.01, "degrees_north"),
        ("lon", SIDE, 0, 0.01, "degrees_east"),
    ):
        line = group.create_array(name, shape=(size,), dtype="f8", dimension_names=(name,))
        line[:] = start + step * np.arange(size)
        line.attrs["units"] = units
    array[0] = 1.5
    first = path / "t" / "c" / "0"
    for number in range(1, TIMES):
        (first.parent / str(number) / "0").mkdir(parents=True)
        os.link(first / "0" / "0", first.parent / str(number) / "0" / "0")
    return path


def test_a_cube_of_ten_gigabytes_is_cut_within_the_planned_memory(huge: Path) -> None:
    command = [sys.executable, "-c", CUT, str(huge), str(300 << 20)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    grown, planned, decoded = json.loads(f"[{done.stdout.replace(' ', ',')}]")
    assert decoded > 3e9
    assert grown < 1e9
    assert grown <= 1.5 * planned, (grown, planned)
