"""Answers made by hand, one of each shape that an extraction gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from terrella.model.extraction import Everything, Extracted, Extraction, Plan, Receipt
from terrella.model.ids import CollectionId

TIMES = np.array(["2019-03-01T00:00", "2019-03-01T01:00", "2019-03-01T02:00"], "M8[ns]")
T2M = {"units": "K", "standard_name": "air_temperature", "long_name": "2 metre temperature"}


def _extracted(dataset: xr.Dataset) -> Extracted:
    request = Extraction(CollectionId("made-by-hand"), Everything())
    plan = Plan(1, 1, 1, 100, 100, 100)
    receipt = Receipt("ab" * 32, "made-by-hand", "v1", ("item-1",), 100, "terrella 0.1", "CC-BY-4.0", "Somebody 2026")
    return Extracted(dataset, request, plan, receipt)


def noise(*shape: int) -> np.ndarray:
    made = np.random.default_rng(1).normal(283, 5, shape).astype("f4")
    made.flat[0] = np.nan
    return made


def _places(count: int, dim: str) -> dict:
    return {"longitude": (dim, np.linspace(10, 20, count)), "latitude": (dim, np.linspace(40, 55, count))}


def point() -> xr.Dataset:
    return xr.Dataset({"t2m": ("point", np.array([283.15], "f4"), T2M)}, _places(1, "point"))


def series(points: int = 1) -> xr.Dataset:
    return xr.Dataset({"t2m": (("time", "point"), noise(3, points), T2M)}, {"time": TIMES, **_places(points, "point")})


def profile(times: int = 1, points: int = 1) -> xr.Dataset:
    levels = ("pressure", [1000.0, 850.0, 500.0], {"units": "hPa", "positive": "down"})
    return xr.Dataset(
        {"t": (("time", "pressure", "point"), noise(times, 3, points), T2M)},
        {"time": TIMES[:times], "pressure": levels, **_places(points, "point")},
    )


def grid(times: int = 3, members: int = 0) -> xr.Dataset:
    dims, shape = ("time", "lat", "lon"), (times, 4, 5)
    coords = {
        "time": TIMES[:times],
        "lat": ("lat", [50.0, 49.5, 49.0, 48.5], {"units": "degrees_north"}),
        "lon": ("lon", [10.0, 10.5, 11.0, 11.5, 12.0], {"units": "degrees_east"}),
    }
    coords |= {"latitude": ("lat", coords["lat"][1]), "longitude": ("lon", coords["lon"][1])}
    if members:
        dims, shape, coords = ("number", *dims), (members, *shape), coords | {"number": np.arange(members)}
    land = (
        ("lat", "lon"),
        np.arange(20, dtype="i2").reshape(4, 5) % 3,
        {"flag_values": [0, 1, 2], "flag_meanings": "sea land lake"},
    )
    return xr.Dataset({"t2m": (dims, noise(*shape), T2M), "cover": land}, coords)


def projected() -> xr.Dataset:
    x, y = 4_000_000.0 + 1000 * np.arange(5), 3_000_000.0 - 1000 * np.arange(4)
    lon, lat = np.meshgrid(np.linspace(9, 10, 5), np.linspace(50, 49, 4))
    coords = {"y": y, "x": x, "longitude": (("y", "x"), lon), "latitude": (("y", "x"), lat)}
    return xr.Dataset({"height": (("y", "x"), noise(4, 5), {"units": "m"})}, coords, {"crs": "EPSG:3035"})


def mesh() -> xr.Dataset:
    lon, lat = np.meshgrid(np.linspace(9, 10, 5), np.linspace(50, 49, 4))
    coords = {"time": TIMES, "longitude": (("y", "x"), lon + lat / 50), "latitude": (("y", "x"), lat)}
    return xr.Dataset({"tos": (("time", "y", "x"), noise(3, 4, 5), {"units": "degC"})}, coords)


def cells(times: int = 3) -> xr.Dataset:
    return xr.Dataset({"t2m": (("time", "cell"), noise(times, 7), T2M)}, {"time": TIMES[:times], **_places(7, "cell")})


def levels_of_cells() -> xr.Dataset:
    coords = {"time": TIMES, "depth": ("depth", [0.5, 10.0], {"units": "m", "positive": "down"}), **_places(4, "cell")}
    return xr.Dataset({"thetao": (("time", "depth", "cell"), noise(3, 2, 4), {"units": "degC"})}, coords)


def trajectory(*, own_times: bool = True) -> xr.Dataset:
    if own_times:
        coords = {"time": ("vertex", TIMES), **_places(3, "vertex")}
        return xr.Dataset({"t2m": ("vertex", noise(3), T2M)}, coords)
    return xr.Dataset({"t2m": (("time", "vertex"), noise(3, 4), T2M)}, {"time": TIMES, **_places(4, "vertex")})


def forecast() -> xr.Dataset:
    coords = {
        "reference_time": np.array(["2026-03-10T00", "2026-03-10T12"], "M8[ns]"),
        "step": ("step", np.array([0.0, 6.0, 12.0]), {"units": "hours"}),
        "number": [0, 1],
        **_places(1, "point"),
    }
    return xr.Dataset({"t2m": (("reference_time", "number", "step", "point"), noise(2, 2, 3, 1), T2M)}, coords)


def unlike_levels() -> xr.Dataset:
    coords = {
        "time": TIMES,
        "pressure": ("pressure", [1000.0, 500.0], {"units": "hPa", "positive": "down"}),
        "height": ("height", [2.0], {"units": "m"}),
        "height_10": ("height_10", [10.0], {"units": "m", "positive": "up"}),
        **_places(1, "point"),
    }
    return xr.Dataset(
        {
            "t2m": (("time", "height", "point"), noise(3, 1, 1), T2M),
            "t": (("time", "pressure", "point"), noise(3, 2, 1), T2M),
            "u10": (("time", "height_10", "point"), noise(3, 1, 1), {"units": "m s**-1"}),
        },
        coords,
    )


def odd_calendar() -> xr.Dataset:
    import cftime

    at = np.array([cftime.Datetime360Day(2001, month, 30) for month in (1, 2, 3)])
    return xr.Dataset({"t2m": (("time", "point"), noise(3, 1), T2M)}, {"time": at, **_places(1, "point")})


SHAPES = {
    "point": point,
    "series": series,
    "several_series": lambda: series(3),
    "profile": profile,
    "series_of_profiles": lambda: profile(3, 2),
    "grid": grid,
    "one_time_grid": lambda: grid(1),
    "ensemble_grid": lambda: grid(2, 2),
    "projected": projected,
    "mesh": mesh,
    "cells": cells,
    "one_time_cells": lambda: cells(1),
    "levels_of_cells": levels_of_cells,
    "trajectory": trajectory,
    "trajectory_at_times": lambda: trajectory(own_times=False),
    "forecast": forecast,
    "unlike_levels": unlike_levels,
    "odd_calendar": odd_calendar,
}


@pytest.fixture(params=sorted(SHAPES))
def shape(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def dataset(shape: str) -> xr.Dataset:
    return SHAPES[shape]()


@pytest.fixture
def shapes() -> dict[str, Callable[[], xr.Dataset]]:
    return SHAPES


@pytest.fixture
def extracted() -> Callable[[xr.Dataset], Extracted]:
    return _extracted
