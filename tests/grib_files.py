"""GRIB files whose values follow a formula, so that a test knows what must come out of them."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj  # noqa: F401 -- before ecCodes: both bundle libproj

# isort: split
import eccodes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BITS = 24
"""Of each packed number: the formula comes back to about 1e-5."""


def latitudes(step: float) -> np.ndarray:
    """From north to south."""
    return 90.0 - step * np.arange(round(180 / step) + 1)


def longitudes(step: float) -> np.ndarray:
    """0 .. 360, eastwards."""
    return step * np.arange(round(360 / step))


def value(lat: Any, lon: Any, *, hours: float = 0.0, level: float = 0.0, member: int = 0) -> np.ndarray:
    """Differs everywhere, also across the date line; `hours` since the first time of the file."""
    lam, phi = np.radians(lon), np.radians(lat)
    return np.asarray(280 + 10 * np.sin(phi) + 5 * np.cos(phi) * np.cos(lam + 0.3) + hours / 8 + level / 64 + member)


def write_grib(
    path: Path,
    *,
    step: float = 2.0,
    keys: dict[str, Any] | None = None,
    param: int = 167,
    date: int = 20240301,
    times: Sequence[int] = (0,),
    steps: Sequence[int] = (0,),
    levels: Sequence[int] = (0,),
    members: Sequence[int] = (),
) -> Path:
    """A global field on regular latitudes and longitudes for every combination; appended to what is there.

    `times` are hours of the day; `keys` are further GRIB keys, such as marsClass and marsStream.
    """
    lat, lon = latitudes(step), longitudes(step)
    mesh_lat, mesh_lon = np.meshgrid(lat, lon, indexing="ij")
    with path.open("ab") as file:
        for time, ahead, level, member in product(times, steps, levels, members or (None,)):
            handle = eccodes.codes_grib_new_from_samples("regular_ll_pl_grib2" if level else "regular_ll_sfc_grib2")
            about = {
                "Ni": lon.size,
                "Nj": lat.size,
                "latitudeOfFirstGridPointInDegrees": 90.0,
                "latitudeOfLastGridPointInDegrees": -90.0,
                "longitudeOfFirstGridPointInDegrees": 0.0,
                "longitudeOfLastGridPointInDegrees": float(lon[-1]),
                "iDirectionIncrementInDegrees": step,
                "jDirectionIncrementInDegrees": step,
            }
            if member is not None:
                about |= {"productDefinitionTemplateNumber": 1, "perturbationNumber": member}
            about |= {"setLocalDefinition": 1, "localDefinitionNumber": 1} if keys else {}
            about |= {"dataDate": date, "dataTime": time * 100, "centre": 98, **(keys or {})}
            about |= {"paramId": param, "step": ahead} | ({"level": level} if level else {})
            for key, wanted in about.items():
                eccodes.codes_set(handle, key, wanted)
            eccodes.codes_set(handle, "bitsPerValue", BITS)
            numbers = value(mesh_lat, mesh_lon, hours=time + ahead, level=level, member=member or 0)
            eccodes.codes_set_values(handle, numbers.ravel())
            eccodes.codes_write(handle, file)
            eccodes.codes_release(handle)
    return path


_TOLD = ("shortName", "date", "time", "step", "level", "number")


def read_grib(path: Path) -> list[dict[str, Any]]:
    """Keys, places and values of each message of a file, by ecCodes alone."""
    found = []
    with path.open("rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            one = {key: eccodes.codes_get(handle, key) for key in _TOLD if eccodes.codes_is_defined(handle, key)}
            one["lat"], one["lon"], one["values"] = (
                eccodes.codes_get_array(handle, key) for key in ("latitudes", "longitudes", "values")
            )
            found.append(one)
            eccodes.codes_release(handle)
    return found
