"""A real server over files made here: a global field, a small one, awkward ones, scenes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import netCDF4
import numpy as np
import pytest

from api.conftest import serving
from grib_files import write_grib
from scene_files import numbers, write_scene
from terrella.site import Site

LAT, LON = 90.0 - 2.0 * np.arange(91), 2.0 * np.arange(180)


def field(hour: int, level: float = 0.0) -> np.ndarray:
    """Kelvin; differs in every cell."""
    return (
        280 + 20 * np.cos(np.radians(LAT))[:, None] + 5 * np.sin(np.radians(LON))[None, :] + hour + level / 100
    ).astype("f4")


def write(
    path: Path, variables: dict[str, np.ndarray], *, lat=LAT, lon=LON, hours=1, levels=(), units="K", **attrs
) -> Path:
    """Arrays of (time, [level,] lat, lon)."""
    with netCDF4.Dataset(path, "w") as file:
        for dim, size in (
            ("time", hours),
            *((("level", len(levels)),) if levels else ()),
            ("lat", len(lat)),
            ("lon", len(lon)),
        ):
            file.createDimension(dim, size)
        time = file.createVariable("time", "i4", ("time",))
        time.setncatts({"units": "hours since 2024-01-01", "calendar": "standard", "standard_name": "time"})
        time[:] = np.arange(hours)
        for dim, points, unit in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
            made = file.createVariable(dim, "f8", (dim,))
            made.units = unit
            made[:] = points
        if levels:
            made = file.createVariable("level", "f8", ("level",))
            made.setncatts({"units": "hPa", "positive": "down", "standard_name": "air_pressure"})
            made[:] = levels
        for name, values in variables.items():
            dims = ("time", "level", "lat", "lon") if levels else ("time", "lat", "lon")
            chunks = (*(1,) * (len(dims) - 2), *values.shape[-2:])
            made = file.createVariable(
                name,
                values.dtype,
                dims,
                zlib=True,
                fill_value=np.nan if values.dtype.kind == "f" else None,
                chunksizes=chunks,
            )
            made.setncatts({"units": units, **attrs})
            made[:] = values
    return path


def make_files(folder: Path) -> dict[str, Path]:
    found = {
        "global": write(
            folder / "global.nc",
            {"t": np.stack([[field(hour, level) for level in (500.0, 850.0)] for hour in range(3)])},
            hours=3,
            levels=(500.0, 850.0),
        )
    }
    missing = np.full((1, 91, 180), np.nan, dtype="f4")
    tiny = (np.arange(91 * 180).reshape(1, 91, 180) / (91 * 180) * 1e-30).astype("f8")
    constant = np.full((1, 91, 180), 7.25, dtype="f4")
    holes = field(0)[None].copy()
    holes[:, ::3] = np.nan
    found["odd"] = write(folder / "odd.nc", {"missing": missing, "tiny": tiny, "constant": constant, "holes": holes})
    found["cell"] = write(folder / "cell.nc", {"t": np.array([[[281.5]]], dtype="f4")}, lat=[47.0], lon=[11.0])
    long = np.arange(10_000, dtype="f4")[:, None, None] + np.zeros((1, 3, 4), dtype="f4")
    found["long"] = write(folder / "long.nc", {"t": long}, lat=[10.0, 11, 12], lon=[20.0, 21, 22, 23], hours=10_000)
    found["markup"] = write(folder / "markup.nc", {"t": field(0)[None]}, long_name="<script>alert(1)</script>")
    found["classes"] = write(
        folder / "classes.nc",
        {"land": (np.arange(91 * 180).reshape(1, 91, 180) % 5).astype("i1")},
        units="1",
        flag_values=np.arange(5, dtype="i1"),
        flag_meanings="a b c d e",
    )
    with netCDF4.Dataset(folder / "packed.nc", "w") as file:
        file.createDimension("lat", 91)
        file.createDimension("lon", 180)
        for dim, points, unit in (("lat", LAT, "degrees_north"), ("lon", LON, "degrees_east")):
            made = file.createVariable(dim, "f8", (dim,))
            made.units = unit
            made[:] = points
        made = file.createVariable("sst", "i2", ("lat", "lon"), fill_value=-32768)
        made.setncatts({"scale_factor": 0.01, "add_offset": 280.0, "units": "K"})
        made.set_auto_maskandscale(False)
        made[:] = np.random.default_rng(2).integers(-32768, 32767, (91, 180))
    found["packed"] = folder / "packed.nc"
    found["run"] = write_grib(folder / "run.grib2", step=5.0, times=(0, 12), steps=(0, 6, 12))
    scenes = folder / "scenes"
    scenes.mkdir()
    for number, crs in enumerate(("EPSG:32633", "EPSG:32632")):
        write_scene(
            scenes / f"s{number}.tif",
            {"red": numbers(number, (600, 640), holes=0.02)},
            crs=crs,
            corner=(600000.0, 5200000.0),
            taken=f"2023:06:0{number + 1} 10:30:00",
            overviews=(2, 4, 8),
            block=128,
        )
    found["scenes"], found["image"] = scenes, scenes / "s1.tif"
    return found


@pytest.fixture(scope="package")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_files(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="package")
def site(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = Site.open(tmp_path_factory.mktemp("site"))
    for name, path in files.items():
        report = made.add(path, collection=name)
        assert not report.failures, report.failures
    return made


@pytest.fixture(scope="package")
def address(site: Site) -> Iterator[str]:
    with serving(site) as found:
        yield found


@pytest.fixture(scope="package")
def web(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client
