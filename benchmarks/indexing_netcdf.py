"""How fast many small NetCDF files are indexed: our scan beside VirtualiZarr's, in one run on the same files.

    python -m benchmarks.indexing_netcdf --files 1000

Both read the header, the coordinates and the place of every chunk; ours also works out grid, axes and packing and the
sha-256 of the file, theirs gives a virtual xarray dataset. One thread, best of two rounds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from terrella.cubes.formats.hdf5 import Hdf5

Row = dict[str, Any]


def write(folder: Path, count: int) -> list[Path]:
    """Small files as services deliver them: one hour, two packed variables, deflated, 60 x 80 cells."""
    rng = np.random.default_rng(5)
    field = 280 + 10 * rng.standard_normal((1, 60, 80))
    made = []
    for number in range(count):
        path = folder / f"file-{number:05d}.nc"
        with netCDF4.Dataset(path, "w") as dataset:
            _fill(dataset, number, field)
        made.append(path)
    return made


def _fill(dataset: netCDF4.Dataset, number: int, field: np.ndarray) -> None:
    dataset.setncatts({"Conventions": "CF-1.11", "title": "benchmark", "institution": "nobody"})
    for name, values, units in (
        ("time", np.array([number]), "hours since 2000-01-01"),
        ("lat", np.linspace(50, 55.9, 60), "degrees_north"),
        ("lon", np.linspace(0, 7.9, 80), "degrees_east"),
    ):
        dataset.createDimension(name, None if name == "time" else values.size)
        made = dataset.createVariable(name, "f8" if name != "time" else "i4", (name,))
        made.units = units
        made[:] = values
    for name in ("t2m", "d2m"):
        made = dataset.createVariable(name, "i2", ("time", "lat", "lon"), compression="zlib", fill_value=-32767)
        made.setncatts({"units": "K", "standard_name": "air_temperature", "scale_factor": 0.01, "add_offset": 273.15})
        made[:] = field


def ours(paths: list[Path]) -> int:
    """Chunks found."""
    reader = Hdf5()
    scans = [scan for path in paths for scan in reader.scan(str(path))]
    return sum(
        len(array.table.offsets) for scan in scans for part in scan.parts for array in part.arrays if array.table
    )


def theirs(paths: list[Path]) -> int:
    """Virtual variables found."""
    from obspec_utils.registry import ObjectStoreRegistry
    from obstore.store import LocalStore
    from virtualizarr import open_virtual_dataset
    from virtualizarr.parsers import HDFParser

    registry = ObjectStoreRegistry({"file://": LocalStore()})
    found = 0
    for path in paths:
        with open_virtual_dataset(url=f"file://{path}", registry=registry, parser=HDFParser()) as dataset:
            found += len(dataset.data_vars)
    return found


def timed(way: Callable[[list[Path]], int], paths: list[Path], rounds: int = 2) -> float:
    """Best of some rounds, in seconds; a few files first, so that imports do not count."""
    way(paths[:3])
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        assert way(paths) >= len(paths)
        best = min(best, time.perf_counter() - start)
    return best


def run(files: int = 1000) -> list[Row]:
    """Rows: what, seconds of ours and theirs, and how many times faster we are."""
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder), files)
        mine, other = timed(ours, paths), timed(theirs, paths)
    return [
        {
            "what": f"indexing {files} small NetCDF-4 files",
            "terrella_s": round(mine, 3),
            "virtualizarr_s": round(other, 3),
            "ratio": round(other / mine, 2),
            "bar": 1.0,
        }
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    for row in run(parser.parse_args().files):
        print(row)
