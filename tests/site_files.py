"""Small files for tests of the whole road."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np


def write_netcdf(
    path: Path,
    *,
    hours: range = range(4),
    name: str = "t2m",
    start: str = "2024-01-01",
    lon0: float = 0.0,
    offset: float = 0.0,
    title: str = "A test",
) -> np.ndarray:
    """A small field on 1 degree, value = hour * 10000 + row * 100 + column + offset; returns the values."""
    lat, lon = np.arange(50.0, 40.0, -1), lon0 + np.arange(12.0)
    values = np.array(hours)[:, None, None] * 10000.0 + np.arange(10)[:, None] * 100 + np.arange(12) + offset
    with netCDF4.Dataset(path, "w") as file:
        for dim, size in (("time", None), ("lat", 10), ("lon", 12)):
            file.createDimension(dim, size)
        time = file.createVariable("time", "i4", ("time",))
        time.setncatts({"units": f"hours since {start}", "calendar": "standard", "standard_name": "time"})
        time[:] = list(hours)
        for dim, points, units in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
            variable = file.createVariable(dim, "f8", (dim,))
            variable.units = units
            variable[:] = points
        data = file.createVariable(name, "f4", ("time", "lat", "lon"), zlib=True, chunksizes=(1, 10, 12))
        data.setncatts({"units": "K", "standard_name": "air_temperature", "long_name": "temperature"})
        data[:] = values
        file.title = title
        file.institution = "Nowhere"
    return values.astype("f4")
