"""Adding data, the whole road: find, scan in processes, group, describe, register; beside what others do to open them.

    python -m benchmarks.adding --files 1000

744 GRIB messages in one file, beside xarray with cfgrib (without an index kept from before); and many small NetCDF-4
files, beside VirtualiZarr: one virtual dataset a file, concatenated along time, committed to a new Icechunk. Each way
starts in a fresh process. Two times are taken of it: of the process from start to end, and inside it, after imports.
At the end both must have found every message and every hour.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.serving import clean_environment, module_command

Row = dict[str, Any]
HOURS = 744


# --- the ways: each gives seconds after imports, and how many hours the result has ---


def terrella(paths: list[str], scratch: Path) -> tuple[float, int]:
    import pyproj  # noqa: F401 -- before ecCodes

    from terrella.cubes.scanning import formats
    from terrella.site.site import Site

    formats()  # imports their libraries
    began = time.perf_counter()
    with Site.open(scratch / "home") as site:
        report = site.add(*paths)
        if report.failures:
            raise RuntimeError(str(report.failures))
    return time.perf_counter() - began, sum(one.dimensions["time"] for one in report.collections)


def cfgrib(paths: list[str], scratch: Path) -> tuple[float, int]:
    del scratch
    import pyproj  # noqa: F401, I001 -- before ecCodes
    import cfgrib.xarray_plugin  # noqa: F401
    import xarray as xr

    began = time.perf_counter()
    with xr.open_dataset(paths[0], engine="cfgrib", backend_kwargs={"indexpath": ""}) as dataset:
        return time.perf_counter() - began, dataset.sizes["time"]


def virtualizarr(paths: list[str], scratch: Path) -> tuple[float, int]:
    import icechunk
    import xarray as xr
    from obspec_utils.registry import ObjectStoreRegistry
    from obstore.store import LocalStore
    from virtualizarr import open_virtual_dataset
    from virtualizarr.parsers import HDFParser

    began = time.perf_counter()
    files = sorted(str(path) for path in Path(paths[0]).iterdir())
    registry, parser = ObjectStoreRegistry({"file://": LocalStore()}), HDFParser()
    opened = [
        open_virtual_dataset(url=f"file://{path}", registry=registry, parser=parser, loadable_variables=["time"])
        for path in files
    ]
    whole = xr.concat(opened, "time", data_vars="minimal", coords="minimal", compat="override", join="override")
    config = icechunk.RepositoryConfig.default()
    place = icechunk.VirtualChunkContainer(f"file://{paths[0]}/", icechunk.local_filesystem_store(paths[0]))
    config.set_virtual_chunk_container(place)
    repository = icechunk.Repository.create(icechunk.local_filesystem_storage(str(scratch / "store")), config)
    session = repository.writable_session("main")
    whole.vz.to_icechunk(session.store)
    session.commit("add")
    return time.perf_counter() - began, whole.sizes["time"]


WAYS: dict[str, Callable[[list[str], Path], tuple[float, int]]] = {
    "terrella": terrella,
    "cfgrib": cfgrib,
    "virtualizarr": virtualizarr,
}


# --- measuring ---


def once(way: str, path: Path, hours: int, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds of the process, and inside it after imports. Raises RuntimeError when it fails or finds too little."""
    with tempfile.TemporaryDirectory() as scratch:
        began = time.perf_counter()
        command = module_command("benchmarks.adding", "--way", way, "--scratch", scratch, path)
        made = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        whole = time.perf_counter() - began
    if made.returncode:
        raise RuntimeError(f"{way}: {made.stderr.strip()[-300:]}")
    inside, found = made.stdout.split()[-2:]
    if int(found) != hours:
        raise RuntimeError(f"{way} found {found} hours of {hours}.")
    return whole, float(inside)


def beside(what: str, peer: str, path: Path, hours: int, rounds: int) -> list[Row]:
    """Rows for the process and for what is inside; the best of rounds in turn."""
    best = {way: (float("inf"), float("inf")) for way in ("terrella", peer)}
    if find_spec(peer) is None:
        return [{"what": what, "not_measured": f"{peer} is not installed (scripts/setup bench)"}]
    with tempfile.TemporaryDirectory() as bytecode:
        environment = clean_environment(Path(bytecode))
        for way in best:
            once(way, path, hours, environment)  # which compiles modules
        for _ in range(rounds):
            for way, (whole, inside) in best.items():
                taken = once(way, path, hours, environment)
                best[way] = min(whole, taken[0]), min(inside, taken[1])
    return [_row(f"{what}, {part}", peer, best, place) for place, part in enumerate(("fresh process", "after imports"))]


def _row(what: str, peer: str, best: dict[str, tuple[float, float]], place: int) -> Row:
    mine, other = best["terrella"][place], best[peer][place]
    return {
        "what": what,
        "terrella_s": round(mine, 2),
        f"{peer}_s": round(other, 2),
        "ratio": round(other / mine, 2),
        "bar": 1.0,
    }


def run(files: int = 1000, *, rounds: int = 3) -> list[Row]:
    """Rows: seconds of ours and theirs, and how many times faster we are."""
    import pyproj  # noqa: F401 -- before ecCodes

    from benchmarks import indexing_grib, indexing_netcdf

    with tempfile.TemporaryDirectory() as folder:
        grib, many = Path(folder) / "grib" / "hourly.grib", Path(folder) / "netcdf"
        grib.parent.mkdir()
        many.mkdir()
        data = Path(os.environ.get("TERRELLA_TEST_DATA", "../shared/data"), indexing_grib.HOURLY)
        if data.exists():
            shutil.copy(data, grib)
        else:
            indexing_grib.write(grib, indexing_grib.hourly())
        indexing_netcdf.write(many, files)
        return [
            *beside(f"adding {HOURS} GRIB messages, whole road", "cfgrib", grib, HOURS, rounds),
            *beside(f"adding {files:,} small NetCDF-4 files, whole road", "virtualizarr", many, files, rounds),
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=sorted(WAYS))
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("paths", nargs="*")
    given = parser.parse_args()
    if given.way:
        print(*WAYS[given.way](given.paths, given.scratch))
        sys.stdout.flush()
        return
    for row in run(given.files, rounds=given.rounds):
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
