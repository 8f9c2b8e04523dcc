"""What optimising gains: ratios of whole fields at a stated largest error, and one year of hours at one cell.

    python -m benchmarks.optimising

Ratios are of float32 to the stored bytes of the layout for maps, overviews not counted; the bound is 0.1 % of the range
of the values, or of their mean (as others state it, but of the mean error). Ratios have bars where fields are like
temperatures. The largest error of every value is checked while writing; a row says which part of the bound it used.

The series lies in a part of a HEALPix grid, nside 1024: ours, chosen among three layouts, nothing in memory, beside
zarr on obstore reading the same chunks of the same arrays copied to plain files, decoded but not scaled.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from terrella import Site  # before ecCodes, which brings an old SQLite

# isort: split
from terrella.cubes.optimising.choosing import cheapest
from terrella.cubes.optimising.records import OptimisedCopies
from terrella.cubes.selecting import Selection
from terrella.model.caller import OPERATOR
from terrella.site.optimising import optimise

Row = dict[str, Any]
LEAST_RATIO = 13.0
MOST_TIMES = 2.0
CELL = 777
HOURS, CELLS, NSIDE = 8760, 1024, 1024
FIELDS = {
    "grib/CMC_glb_TMP_TGL_2_latlon.15x.15_2020081000_P000.grib2": "GEM 0.15°",
    "netcdf-climate/20170605120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc": "OSTIA 0.25°",
    "grib/era5_moda_2t_201808_0p25.grb": "ERA5 anomaly 0.25°",
    "grib/ecmwf-ifs-oper-surface.grib2": "IFS 0.25°",
}
LIKE_TEMPERATURE = {("GEM 0.15°", "2t"), ("OSTIA 0.25°", "analysed_sst")}
"""Absolute temperatures; an anomaly is rougher for its range, and clouds and snow are nothing like it."""


def ratios(data: Path) -> Iterator[Row]:
    """One row a field and bound."""
    for name, title in FIELDS.items():
        if not (data / name).exists():
            yield {"what": f"{title}: ratio at 0.1 %", "not_measured": f"{name} is not there"}
            continue
        with tempfile.TemporaryDirectory() as folder, Site.open(Path(folder, "site")) as site:
            site.add(data / name)
            for one in site.collections():
                yield from _ratios(site, one["id"], title)


def _ratios(site: Site, collection: str, title: str) -> Iterator[Row]:
    cube = site.extractor.cube(OPERATOR, collection)
    for name, variable in cube.variables.items():
        if np.dtype(variable.dtype).kind != "f":
            continue
        is_like = (title, name) in LIKE_TEMPERATURE
        bounds = {"0.1 % of the range": "0.1%"}
        if is_like:
            mean = float(np.nanmean(cube.dataset[name].values.astype("f8")))
            bounds["0.1 % of the mean"] = f"{abs(mean) / 1000}"
        for said, bound in bounds.items():
            report = optimise(
                site.cubes, cube, site.settings.home, purpose="maps", max_errors={name: bound}, variables=[name]
            )
            (made,) = report.arrays
            allowed = made.max_error_allowed
            row: Row = {
                "what": f"{title} {name}: float32 to stored bytes, no value off by more than {said}",
                "s": round(made.seconds, 2),
                "ratio": round(made.ratio, 1),
                "bound": f"{allowed:.4g}",
                "largest_error_of_bound": f"{made.max_error / allowed:.4f}" if allowed else "0",
                "mean_error_of_bound": f"{made.mean_error / allowed:.2f}" if allowed else "0",
            }
            yield row | ({"bar": LEAST_RATIO} if is_like else {})


def write_year(path: Path, hours: int) -> np.ndarray:
    """Hours of weather at a few neighbouring cells, each file chunk a day of all of them; returns the values."""
    import netCDF4

    rng = np.random.default_rng(1)
    time_of = np.arange(hours)[:, None]
    base = 283 + 9 * np.sin(2 * np.pi * time_of / 8766) + 4 * np.sin(2 * np.pi * time_of / 24)
    weather = np.cumsum(rng.normal(0, 0.2, (hours, 1)), axis=0)
    values = (base + weather + rng.normal(0, 0.3, (hours, CELLS))).astype("f4")
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("time", hours)
        file.createDimension("cell", CELLS)
        at = file.createVariable("time", "i4", ("time",))
        at.setncatts({"units": "hours since 2023-01-01", "standard_name": "time"})
        at[:] = np.arange(hours)
        mapping = file.createVariable("crs", "i4")
        mapping.setncatts({"grid_mapping_name": "healpix", "healpix_nside": NSIDE, "healpix_order": "nested"})
        file.createVariable("cell_ids", "i8", ("cell",))[:] = 5 * CELLS + np.arange(CELLS)
        data = file.createVariable("t2m", "f4", ("time", "cell"), zlib=True, chunksizes=(24, CELLS))
        data.setncatts({"units": "K", "standard_name": "air_temperature", "grid_mapping": "crs"})
        data[:] = values
    return values


def plain_files(place: Path, target: Path) -> None:
    """The keys of an Icechunk repository as a folder."""
    import icechunk
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync

    store = icechunk.Repository.open(icechunk.local_filesystem_storage(str(place))).readonly_session("main").store

    async def keys() -> list[str]:
        return [key async for key in store.list()]

    for key in sync(keys()):
        file = target / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(sync(store.get(key, default_buffer_prototype())).to_bytes())


def best(way: Callable[[], object], rounds: int) -> float:
    """Least seconds of some rounds."""
    least = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        way()
        least = min(least, time.perf_counter() - start)
    return least


def series(hours: int, rounds: int) -> Row:
    """One cell, all hours."""
    import zarr
    from obstore.store import LocalStore
    from zarr.storage import ObjectStore

    with tempfile.TemporaryDirectory() as folder, Site.open(Path(folder, "site")) as site:
        values = write_year(Path(folder, "year.nc"), hours)
        site.add(Path(folder, "year.nc"))
        (collection,) = (one["id"] for one in site.collections())
        cube = site.extractor.cube(OPERATOR, collection)
        report = optimise(site.cubes, cube, site.settings.home, max_errors={"t2m": "0.05"}, variables=["t2m"])
        plain_files(Path(report.place), Path(folder, "zarr"))
        copies = [cube, *OptimisedCopies(site.settings.home).of(cube)]
        wanted = {"t2m": Selection(cells=np.array([CELL]))}

        def ours() -> np.ndarray:
            site.cubes.forget()
            chosen = cheapest(site.cubes, copies, wanted)
            return site.cubes.read(site.cubes.cut(chosen, wanted))["t2m"][:, 0]

        array = zarr.open_array(ObjectStore(LocalStore(Path(folder, "zarr"))), path="series/t2m", mode="r")

        def theirs() -> object:
            return array[:, CELL]

        worst = float(np.abs(ours().astype("f8") - values[:, CELL]).max())
        assert worst <= 0.05, worst
        mine, other = best(ours, rounds), best(theirs, rounds)
    return {
        "what": f"{hours} hours at one HEALPix cell (nside {NSIDE}), series layout, beside the same chunks alone",
        "terrella_s": round(mine, 5),
        "zarr_on_obstore_s": round(other, 5),
        "ratio": round(other / mine, 2),
        "bar": 1 / MOST_TIMES,
        "chunks": "x".join(map(str, report.arrays[0].chunks)),
        "series_ratio_to_float32": round(report.arrays[0].ratio, 1),
    }


def run(*, hours: int = HOURS, rounds: int = 30) -> list[Row]:
    """Rows: ratios of fields, then the series."""
    data = Path(os.environ.get("TERRELLA_TEST_DATA", "../shared/data"))
    return [*ratios(data), series(hours, rounds)]


if __name__ == "__main__":
    for each in run():
        print(each)
