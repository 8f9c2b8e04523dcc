"""Estimates beside what was measured: bytes read, bytes out, peak memory and seconds of a fixed set of requests.

    python -m benchmarks.estimates

The requests stand in `estimates.json`; their files are made here. Each is asked in a process of its own, forked from
one that has loaded the libraries, nothing being in memory. Seconds are those that the plan expects after the same file
was read a few times, as on a site that has been up for a while.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOW, HIGH = 0.8, 3.0
"""An estimate lies within these times of what was measured."""
SMALL = 48 << 20
"""Bytes of memory below which a process measures itself: threads and allocators keep that much."""
REQUESTS = Path(__file__).with_name("estimates.json")
_FORMATS = {".nc": "hdf5", ".zarr": "zarr", ".grib": "grib"}

_LIBRARIES = (
    "terrella.site.site",
    "terrella.site.requests",
    "terrella.extraction.extract",
    "dask.array",
    "netCDF4",
    "h5py",
    "zarr",
    "eccodes",
    "cftime",
    "pandas",
    "pyarrow.parquet",
    "rasterio",
    "healpix_geo",
)

Row = dict[str, Any]
Measured = dict[str, float]


def requests() -> list[Row]:
    """The published set: what, file, request, format."""
    found: list[Row] = json.loads(REQUESTS.read_text())
    return found


def packed_netcdf(path: Path) -> None:
    """Packed and compressed: 100 times of 1 degree."""
    import netCDF4
    import numpy as np

    with netCDF4.Dataset(path, "w") as file:
        sizes = {"time": 100, "lat": 181, "lon": 360}
        for dim, size in sizes.items():
            file.createDimension(dim, size)
        for dim, values, units in (
            ("time", np.arange(100), "hours since 2024-01-01"),
            ("lat", 90.0 - np.arange(181), "degrees_north"),
            ("lon", np.arange(360.0), "degrees_east"),
        ):
            line = file.createVariable(dim, "f8", (dim,))
            line.units = units
            line[:] = values
        data = file.createVariable("t2m", "i2", tuple(sizes), zlib=True, complevel=1, chunksizes=(50, 91, 180))
        data.setncatts({"scale_factor": 0.01, "add_offset": 280.0, "units": "K"})
        data.set_auto_maskandscale(False)
        data[:] = (np.arange(100)[:, None, None] + np.arange(181)[:, None] + np.arange(360)).astype("i2")


def healpix_zarr(path: Path) -> None:
    """Nested, nside 512: 3 million cells at two times; what compresses to nothing is quick to make."""
    import zarr

    group = zarr.open_group(path, mode="w", zarr_format=3)
    count = 12 * 512 * 512
    about = {"units": "K", "grid_mapping": "crs"}
    data = group.create_array(
        "t", shape=(2, count), chunks=(1, 1 << 18), dtype="f4", dimension_names=("time", "cell"), attributes=about
    )
    data[:] = 280.0
    times = {"units": "hours since 2024-01-01"}
    group.create_array("time", shape=(2,), dtype="i4", dimension_names=("time",), attributes=times)[:] = [0, 1]
    mapping = {"grid_mapping_name": "healpix", "refinement_level": 9, "indexing_scheme": "nested"}
    group.create_array("crs", shape=(), dtype="i4", attributes=mapping)


def hourly_grib(path: Path) -> None:
    """Twelve hours of a quarter of a degree in 16 bits, packed by CCSDS."""
    import eccodes
    import numpy as np

    handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
    keys: dict[str, Any] = {"Ni": 1440, "Nj": 721, "latitudeOfFirstGridPointInDegrees": 90}
    keys |= {"longitudeOfFirstGridPointInDegrees": 0, "latitudeOfLastGridPointInDegrees": -90}
    keys |= {"longitudeOfLastGridPointInDegrees": 359.75, "iDirectionIncrementInDegrees": 0.25}
    keys |= {"jDirectionIncrementInDegrees": 0.25, "bitsPerValue": 16, "shortName": "2t", "dataDate": 20240101}
    for key, value in keys.items():
        eccodes.codes_set(handle, key, value)
    eccodes.codes_set(handle, "packingType", "grid_ccsds")
    field = np.add.outer(np.arange(721.0), np.arange(1440.0) / 100).ravel()
    with path.open("wb") as file:
        for hour in range(12):
            eccodes.codes_set(handle, "dataTime", 100 * hour)
            eccodes.codes_set_values(handle, field + hour)
            eccodes.codes_write(handle, file)
    eccodes.codes_release(handle)


_MADE = {"packed.nc": packed_netcdf, "healpix.zarr": healpix_zarr, "hours.grib": hourly_grib}


def make(folder: Path) -> None:
    """The files of the set."""
    for name, maker in _MADE.items():
        maker(folder / name)


def measure(folder: Path, rounds: int = 3) -> dict[str, dict[str, Measured]]:
    """What was `planned` and what was `measured` of each request, by what it is; in processes of their own."""
    command = [sys.executable, str(Path(__file__).resolve()), str(folder), str(rounds)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return {name: found for line in done.stdout.splitlines() for name, found in json.loads(line).items()}


def measure_here(folder: Path, rounds: int) -> None:
    """Print a line of JSON for each request."""
    _load()
    for one in requests():
        child = os.fork()
        if not child:
            try:
                print(json.dumps({one["what"]: asked(folder, one, rounds)}), flush=True)
            except BaseException as error:  # told by whoever reads the line
                print(json.dumps({one["what"]: {"error": repr(error)}}), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


def _load() -> None:
    """What all requests need, once: children find it loaded."""
    import pyproj  # noqa: F401 -- before ecCodes

    from terrella.contracts.loading import load
    from terrella.extraction.regions import region

    for room, names in (("formats", _FORMATS.values()), ("encodings", {one["format"] for one in requests()} - {""})):
        for name in names:
            load(room, name)()
    for library in _LIBRARIES:
        importlib.import_module(library)
    region("Brazil")


def asked(folder: Path, one: Mapping[str, Any], rounds: int) -> dict[str, Measured]:
    """Ask one request in this process."""
    from terrella.contracts.loading import load
    from terrella.encodings.memory import memory
    from terrella.model.caller import OPERATOR
    from terrella.model.extraction import Extraction, Points
    from terrella.model.ids import CollectionId
    from terrella.model.space import LonLat
    from terrella.site.requests import extraction_from

    cubes, site = _site(folder / one["file"])
    form = one["format"]
    encoding = load("encodings", form)() if form else None
    request = extraction_from("test", one["request"])
    taken = []
    for _ in range(1 + rounds):  # the site learns how fast it reads
        cubes.forget()
        start = time.perf_counter()
        site.extract(OPERATOR, request if taken else Extraction(CollectionId("test"), Points((LonLat(10.0, 50.0),))))
        taken.append(time.perf_counter() - start)
    place = site.extract(OPERATOR, Extraction(CollectionId("test"), Points((LonLat(10.0, 50.0),))))
    if encoding and encoding.accepts(place) is None:
        encoding.encode(place)
    _settle(cubes)
    plan = site.plan(OPERATOR, request)
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    found = site.extract(OPERATOR, request)
    if encoding:
        encoding.encode(found)
    grown = _status("VmHWM") - before
    at_work = memory(form, plan.cells, plan.values) if form else 0
    nbytes = sum(variable.nbytes for variable in found.dataset.data_vars.values())
    planned = {"bytes_read": plan.bytes_read, "bytes_out": plan.bytes_out, "memory": plan.memory + at_work}
    measured = {"bytes_read": found.receipt.bytes_read, "bytes_out": nbytes, "memory": grown}
    return {
        "planned": planned | {"seconds": plan.seconds},
        "measured": measured | {"seconds": statistics.median(taken[1:] or taken)},
    }


def _site(path: Path) -> tuple[Any, Any]:
    """(cubes, extractor) of one file."""
    from terrella.contracts.cubes import Origin
    from terrella.contracts.loading import load
    from terrella.cubes.assembling import assemble
    from terrella.cubes.cubes import Cubes
    from terrella.extraction.extract import Extractor
    from terrella.extraction.limits import Limits

    name = _FORMATS[path.suffix]
    scans = load("formats", name)().scan(str(path))
    index = assemble(("a", part, str(path), name) for scan in scans for part in scan.parts)

    class Held:
        def open(self, *_: object) -> Any:
            return index, Origin("lake", "test", "1")

    cubes = Cubes(cache_bytes=256 << 20, threads=4)
    return cubes, Extractor(Held(), cubes, Limits())


def _settle(cubes: Any) -> None:
    """Give freed memory back, so that what is taken next is seen."""
    import ctypes

    cubes.forget()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def _status(name: str) -> int:
    (line,) = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024


def run() -> list[Row]:
    """A row for each request: how many times what was measured each estimate is."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        make(folder)
        return [_row(what, found) for what, found in measure(folder).items()]


def _row(what: str, found: dict[str, Measured]) -> Row:
    ratios = {name: found["planned"][name] / max(found["measured"][name], 1e-9) for name in found["planned"]}
    judged = [ratio for name, ratio in ratios.items() if name != "memory" or found["measured"]["memory"] > SMALL]
    said = ", ".join(f"{name.replace('_', ' ')} {ratio:.2f}" for name, ratio in ratios.items())
    within = min(min(ratio / LOW, HIGH / ratio) for ratio in judged)
    return {"what": f"{what}: estimated / measured: {said}", "ratio": round(within, 2), "bar": 1.0}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure_here(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        for row in run():
            print(row)
