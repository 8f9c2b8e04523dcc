"""Small files of several formats, whose values tell their places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import eccodes
import netCDF4
import numpy as np
import rasterio
from rasterio.transform import from_origin


def _grid(file: netCDF4.Dataset, lat: np.ndarray, lon: np.ndarray) -> None:
    for name, values, units in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
        file.createDimension(name, values.size)
        variable = file.createVariable(name, "f8", (name,))
        variable.units = units
        variable[:] = values


def _time(file: netCDF4.Dataset, name: str, hours: Any, units: str, **attrs: str) -> None:
    file.createDimension(name, len(hours))
    variable = file.createVariable(name, "f8", (name,))
    variable.setncatts({"units": units, **attrs})
    variable[:] = hours


def write_packed(path: Path) -> None:
    """16-bit numbers with scale, offset and a missing value, one stored chunk a time; and a mask of whole numbers."""
    with netCDF4.Dataset(path, "w") as file:
        _grid(file, np.arange(45.0, -46, -3), np.arange(0.0, 360, 6))
        _time(file, "time", range(50), "hours since 2024-01-01", standard_name="time")
        data = file.createVariable(
            "t2m", "i2", ("time", "lat", "lon"), zlib=True, chunksizes=(1, 31, 60), fill_value=-32768
        )
        data.setncatts({"units": "K", "standard_name": "air_temperature", "scale_factor": 0.01, "add_offset": 273.15})
        numbers = 250 + np.arange(50)[:, None, None] + np.arange(31)[:, None] / 10 + np.arange(60) / 100
        data[:] = np.ma.masked_where(np.arange(60) % 7 + np.zeros_like(numbers) == 3, numbers)
        mask = file.createVariable("mask", "i1", ("lat", "lon"))
        mask.setncatts({"flag_values": np.array([0, 1], "i1"), "flag_meanings": "sea land"})
        mask[:] = np.indices((31, 60)).sum(axis=0) % 2
        file.title = "Packed"


def write_gaps(path: Path) -> None:
    """Three times of which the middle one was never stored; each is a chunk large enough to be one of the view."""
    with netCDF4.Dataset(path, "w") as file:
        _grid(file, np.linspace(60, 20, 400), np.linspace(-20, 20, 400))
        _time(file, "time", [0, 6, 12], "hours since 2020-02-28", calendar="standard")
        data = file.createVariable("tp", "f4", ("time", "lat", "lon"), zlib=True, chunksizes=(1, 400, 400))
        data.units = "m"
        for time in (0, 2):
            data[time] = np.arange(160_000, dtype="f4").reshape(400, 400) + time * 1e6


def write_calendar(path: Path) -> None:
    """Months of 30 days."""
    with netCDF4.Dataset(path, "w") as file:
        _grid(file, np.arange(10.0, 0, -1), np.arange(5.0))
        _time(file, "time", np.arange(36) * 30 + 15.5, "days since 1850-01-01", calendar="360_day")
        data = file.createVariable("tas", "f8", ("time", "lat", "lon"))
        data.setncatts({"units": "K", "standard_name": "air_temperature"})
        data[:] = np.arange(36 * 50).reshape(36, 10, 5) / 8


def write_forecasts(path: Path) -> None:
    """Reference times, steps, members and levels."""
    with netCDF4.Dataset(path, "w") as file:
        _grid(file, np.arange(60.0, 50, -2.5), np.arange(0.0, 10, 2.5))
        _time(
            file,
            "reference_time",
            [0, 12],
            "hours since 2024-03-01",
            standard_name="forecast_reference_time",
            calendar="standard",
        )
        _time(file, "step", [0, 1.5, 3], "hours", standard_name="forecast_period")
        for name, values, attrs in (
            ("number", [0, 1, 2], {"standard_name": "realization"}),
            ("plev", [85000.0, 50000.0], {"standard_name": "air_pressure", "units": "Pa", "positive": "down"}),
        ):
            file.createDimension(name, len(values))
            variable = file.createVariable(name, "i4" if name == "number" else "f8", (name,))
            variable.setncatts(attrs)
            variable[:] = values
        dims = ("reference_time", "step", "number", "plev", "lat", "lon")
        data = file.createVariable("ta", "f4", dims)
        data.setncatts({"units": "K", "standard_name": "air_temperature"})
        shape = (2, 3, 3, 2, 4, 4)
        data[:] = np.arange(np.prod(shape), dtype="f4").reshape(shape)


def write_grib(path: Path) -> None:
    """Hourly 2 m temperatures, simple packing, two of the values missing."""
    with path.open("wb") as out:
        for hour in range(30):
            message = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
            keys = {
                "Ni": 20,
                "Nj": 10,
                "latitudeOfFirstGridPointInDegrees": 50.0,
                "latitudeOfLastGridPointInDegrees": 41.0,
                "longitudeOfFirstGridPointInDegrees": 0.0,
                "longitudeOfLastGridPointInDegrees": 19.0,
                "iDirectionIncrementInDegrees": 1.0,
                "jDirectionIncrementInDegrees": 1.0,
                "dataDate": 20240101 + hour // 24,
                "dataTime": hour % 24 * 100,
                "paramId": 167,
                "bitsPerValue": 16,
                "bitmapPresent": 1,
                "missingValue": 9999.0,
            }
            for key, value in keys.items():
                eccodes.codes_set(message, key, value)
            values = 270.0 + hour + np.arange(200) / 7
            values[[5, 100]] = 9999.0
            eccodes.codes_set_values(message, values)
            eccodes.codes_write(message, out)
            eccodes.codes_release(message)


def grib_values(path: Path) -> np.ndarray:
    """(messages, 10, 20), as ecCodes decodes them; missing is NaN."""
    found = []
    with path.open("rb") as file:
        while (message := eccodes.codes_grib_new_from_file(file)) is not None:
            values = eccodes.codes_get_values(message)
            values[values == eccodes.codes_get(message, "missingValue")] = np.nan
            found.append(values.reshape(10, 20))
            eccodes.codes_release(message)
    return np.stack(found)


def write_projected(path: Path) -> None:
    """UTM 33 north, 30 m, tiles of 128, whole numbers of which 0 is missing."""
    values = (np.arange(300)[:, None] * 7 + np.arange(260)).astype("u2")
    where = from_origin(500_000, 5_800_000, 30, 30)
    profile = {"driver": "GTiff", "dtype": "uint16", "count": 1, "width": 260, "height": 300, "nodata": 0}
    with rasterio.open(
        path, "w", **profile, crs="EPSG:32633", transform=where, tiled=True, blockxsize=128, blockysize=128
    ) as out:
        out.write(values, 1)
