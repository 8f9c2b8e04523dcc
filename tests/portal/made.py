"""The collections that the portal is tried on: each value follows a formula, so that a test knows every pixel.

`field(lat, lon, hours)` and its like give the values; `make(folder)` writes the files. What there is:

===========  ============================================================================================
`field`      global, 2 degrees, six-hourly from 1 March 2024 with a day left out: `t` (K, a hole), `rain`
`healpix`    HEALPix, nside 16, GRIB: 2t = `smooth(lat, lon)`
`gaussian`   reduced Gaussian N32, GRIB: 2t = `smooth(lat, lon)`
`curved`     curvilinear over Europe, NetCDF: `sst` = `smooth(lat, lon)`
`analysis`   GRIB with MARS keys, 2 degrees, four times: 2t, packed so that a tile holds each value exactly
`members`    GRIB: t of 3 members at 3 levels and 2 times = `grib_files.value`
`pacific`    regional, over the date line, 160 to 200 degrees east: `sst` = `smooth(lat, lon)`
`cell`       one cell at 11 E, 47 N: `t` = 281.5
`odd`        `missing` (nothing at all), `tiny` (0 to 1e-30), `constant` (7.25)
`markup`     names that are markup
`long`       10,000 hours of 3 x 4 cells: `t` = number of the hour
`picture`    a scene in UTM 33 with bands red, green and blue
===========  ============================================================================================
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np

from grib_files import write_grib
from scene_files import write_scene

import eccodes  # isort: skip -- after grib_files, which brings pyproj first

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2024, 3, 1, tzinfo=UTC)
STEPS = tuple(6 * step for step in range(36) if not 20 <= step < 24)
"""Hours since START of the 32 times of `field`; 6 March is left out."""
LAT, LON = 90.0 - 2.0 * np.arange(91), 2.0 * np.arange(180)
HOLE = (100.0, -40.0, 120.0, -20.0)
"""West, south, east, north of where `field` has no values."""
MARKUP = '<img src=x onerror="window.hacked=1">'
LONG = 10_000
PALETTE_RANGE = (240.0, 320.0)
"""A range that holds every value of `field` and of `smooth`."""


def iso(hours: float) -> str:
    """The time so many hours after START, as an address has it."""
    return (START + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


def smooth(lat: Any, lon: Any, hours: float = 0.0) -> np.ndarray:
    """Kelvin, 262 to 305; differs everywhere, also across the date line and at the poles."""
    lam, phi = np.radians(lon), np.radians(lat)
    return np.asarray(280 + 10 * np.sin(phi) + 8 * np.cos(phi) * np.cos(lam + 0.3) + hours / 30)


def field(hours: float) -> np.ndarray:
    """`t` of the collection `field`, (lat, lon) of float32; NaN in the hole."""
    lat, lon = np.meshgrid(LAT, LON, indexing="ij")
    values = smooth(lat, lon, hours)
    west, south, east, north = HOLE
    values[(lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)] = np.nan
    return values.astype("f4")


def rain(hours: float) -> np.ndarray:
    """`rain` of the collection `field`: 0 in one half of the world."""
    lat, lon = np.meshgrid(LAT, LON, indexing="ij")
    return np.maximum(0, 20 * np.cos(np.radians(lat)) * np.sin(np.radians(lon + 3 * hours))).astype("f4")


def make(folder: Path) -> dict[str, Path]:
    """Files by the collection that they belong into."""
    return {
        "field": make_field(folder / "field.nc"),
        "healpix": _grib(folder / "healpix.grib2", "GRIB2", _HEALPIX),
        "gaussian": _grib(folder / "gaussian.grib2", "reduced_gg_pl_32_grib2", {}),
        "analysis": _analysis(folder / "analysis.grib2"),
        "curved": _curved(folder / "curved.nc"),
        "members": write_grib(
            folder / "members.grib", step=5.0, param=130, times=(0, 12), levels=(1000, 850, 500), members=(1, 2, 3)
        ),
        "pacific": _pacific(folder / "pacific.nc"),
        "cell": write(
            folder / "cell.nc", {"t": np.array([[[281.5]]], dtype="f4")}, lat=np.array([47.0]), lon=np.array([11.0])
        ),
        "odd": _odd(folder / "odd.nc"),
        "markup": write(
            folder / "markup.nc", {"t": field(0)[None]}, units=f"K {MARKUP}", long_name=MARKUP, title=MARKUP
        ),
        "long": make_long(folder / "long.nc"),
        "picture": _picture(folder / "picture.tif"),
    }


def write(
    path: Path,
    variables: dict[str, np.ndarray],
    *,
    lat: np.ndarray = LAT,
    lon: np.ndarray = LON,
    hours: Any = (0,),
    units: str = "K",
    title: str = "",
    **attrs: Any,
) -> Path:
    """NetCDF of arrays (time, lat, lon), one chunk a time."""
    with netCDF4.Dataset(path, "w") as file:
        if title:
            file.title = title
        for dim, size in (("time", len(hours)), ("lat", len(lat)), ("lon", len(lon))):
            file.createDimension(dim, size)
        time = file.createVariable("time", "i4", ("time",))
        time.setncatts({"units": "hours since 2024-03-01", "calendar": "standard", "standard_name": "time"})
        time[:] = list(hours)
        for dim, points, unit in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
            made = file.createVariable(dim, "f8", (dim,))
            made.units = unit
            made[:] = points
        for name, values in variables.items():
            made = file.createVariable(
                name, values.dtype, ("time", "lat", "lon"), zlib=True, fill_value=np.nan, chunksizes=_chunk(values)
            )
            made.setncatts({"units": units, **attrs})
            made[:] = values
    return path


def _chunk(values: np.ndarray) -> tuple[int, ...]:
    """One field; of small ones a thousand."""
    return (min(1000, values.shape[0]) if values[0].size < 100 else 1, *values.shape[1:])


def make_field(path: Path) -> Path:
    made = {"t": np.stack([field(hours) for hours in STEPS]), "rain": np.stack([rain(hours) for hours in STEPS])}
    write(path, made, hours=STEPS, title="A made field")
    with netCDF4.Dataset(path, "a") as file:
        file["t"].setncatts({"standard_name": "air_temperature", "long_name": "air temperature"})
        file["rain"].setncatts({"units": "mm", "long_name": "rain"})
    return path


_HEALPIX = {
    "gridType": "healpix",
    "Nside": 16,
    "orderingConvention": "nested",
    "longitudeOfFirstGridPointInDegrees": 45,
}


def _grib(path: Path, sample: str, keys: dict[str, Any]) -> Path:
    """One message whose values are `smooth` at each of its points."""
    handle = eccodes.codes_grib_new_from_samples(sample)
    for key, value in keys.items():
        eccodes.codes_set(handle, key, value)
    if keys:
        eccodes.codes_set_values(handle, np.zeros(12 * int(keys["Nside"]) ** 2))
    for key, value in {"paramId": 167, "dataDate": 20240301, "dataTime": 0, "bitsPerValue": 24}.items():
        eccodes.codes_set(handle, key, value)
    lat, lon = (eccodes.codes_get_array(handle, key) for key in ("latitudes", "longitudes"))
    eccodes.codes_set_values(handle, smooth(lat, lon))
    with path.open("wb") as file:
        eccodes.codes_write(handle, file)
    eccodes.codes_release(handle)
    return path


ANALYSIS_HOURS = (0, 6, 12, 18)


def analysed(hours: float) -> np.ndarray:
    """2t of `analysis`, (lat, lon), in steps of 1/64 K."""
    lat, lon = np.meshgrid(LAT, LON, indexing="ij")
    return np.round(64 * smooth(lat, lon, hours)) / 64


def _analysis(path: Path) -> Path:
    about = {
        "Ni": 180,
        "Nj": 91,
        "latitudeOfFirstGridPointInDegrees": 90.0,
        "latitudeOfLastGridPointInDegrees": -90.0,
        "longitudeOfFirstGridPointInDegrees": 0.0,
        "longitudeOfLastGridPointInDegrees": 358.0,
        "iDirectionIncrementInDegrees": 2.0,
        "jDirectionIncrementInDegrees": 2.0,
        "setLocalDefinition": 1,
        "localDefinitionNumber": 1,
        "dataDate": 20240301,
        "centre": 98,
        "marsClass": "ea",
        "marsStream": "oper",
        "marsType": "an",
        "paramId": 167,
        "bitsPerValue": 12,
    }
    with path.open("wb") as file:
        for hours in ANALYSIS_HOURS:
            handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
            for key, value in about.items():
                eccodes.codes_set(handle, key, value)
            eccodes.codes_set(handle, "dataTime", hours * 100)
            eccodes.codes_set_values(handle, analysed(hours).ravel())
            eccodes.codes_write(handle, file)
            eccodes.codes_release(handle)
    return path


def curved_places() -> tuple[np.ndarray, np.ndarray]:
    """Latitudes and longitudes of `curved`, (40, 50): a slanted grid over Europe."""
    j, i = np.meshgrid(np.arange(40.0), np.arange(50.0), indexing="ij")
    return 35 + 0.5 * j + 0.1 * i, -10 + 0.7 * i - 0.15 * j


def _curved(path: Path) -> Path:
    lat, lon = curved_places()
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("y", 40)
        file.createDimension("x", 50)
        for name, points, units in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
            made = file.createVariable(name, "f8", ("y", "x"))
            made.setncatts({"units": units, "standard_name": "latitude" if name == "lat" else "longitude"})
            made[:] = points
        made = file.createVariable("sst", "f4", ("y", "x"))
        made.setncatts({"units": "K", "coordinates": "lat lon"})
        made[:] = smooth(lat, lon)
    return path


def _pacific(path: Path) -> Path:
    lat, lon = 20.0 - np.arange(41), 160.0 + np.arange(41)
    values = smooth(*np.meshgrid(lat, lon, indexing="ij")).astype("f4")
    return write(path, {"sst": values[None]}, lat=lat, lon=lon)


def _odd(path: Path) -> Path:
    missing = np.full((1, 91, 180), np.nan, dtype="f4")
    tiny = np.arange(91 * 180).reshape(1, 91, 180) / (91 * 180) * 1e-30
    constant = np.full((1, 91, 180), 7.25, dtype="f4")
    return write(path, {"missing": missing, "tiny": tiny, "constant": constant})


def make_long(path: Path) -> Path:
    values = np.arange(LONG, dtype="f4")[:, None, None] + np.zeros((1, 3, 4), dtype="f4")
    lat, lon = np.array([10.0, 11, 12]), np.array([20.0, 21, 22, 23])
    return write(path, {"t": values}, lat=lat, lon=lon, hours=range(LONG))


PICTURE_CORNER, PICTURE_SIZE = (400000.0, 5200000.0), 400
"""North-west corner (UTM 33, metres) and rows of `picture`, at 100 metres."""


def picture() -> dict[str, np.ndarray]:
    """Red grows eastwards, green southwards, blue is even; uint16 of 1 to 4000."""
    ramp = np.linspace(100, 4000, PICTURE_SIZE)
    flat = np.ones((PICTURE_SIZE, PICTURE_SIZE))
    bands = {"red": flat * ramp[None, :], "green": flat * ramp[:, None], "blue": flat * 2000}
    return {name: band.astype("u2") for name, band in bands.items()}


def _picture(path: Path) -> Path:
    return write_scene(
        path, picture(), crs="EPSG:32633", corner=PICTURE_CORNER, size=100.0, overviews=(2, 4), block=128
    )
