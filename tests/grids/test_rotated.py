"""Rotated grids against pyproj's ob_tran and the 2-D coordinates of a CORDEX file."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pyproj
import pytest

from grids.messages import sample_message
from terrella.errors import Invalid, Unsupported
from terrella.grids import RotatedGrid
from terrella.model.space import EARTH_RADIUS_M, Extent


@pytest.mark.parametrize(("lon", "lat", "turn"), [(-162, 39.25, 0), (0, 90, 0), (30, -20, 0), (190, 45, 35)])
def test_turns_like_proj(lon: float, lat: float, turn: float) -> None:
    grid = RotatedGrid.of(lon, lat, np.linspace(-60, 60, 9), np.linspace(-120, 120, 11), turn)
    rlon, rlat = np.meshgrid(np.linspace(-120, 120, 11), np.linspace(-60, 60, 9))
    back = grid.rotated(*grid.centres())
    np.testing.assert_allclose(back[1], rlat.ravel(), atol=1e-9)
    np.testing.assert_allclose(np.mod(back[0] - rlon.ravel() + 180, 360), 180, atol=1e-9)
    # Proj gives the rotated coordinates in radians.
    pipe = pyproj.Proj(f"+proj=ob_tran +o_proj=longlat +o_lat_p={lat} +o_lon_p={turn} +lon_0={180 + lon} +R=6371000")
    theirs = np.degrees(pipe(*grid.centres()))
    np.testing.assert_allclose(theirs[1], rlat.ravel(), atol=1e-6)
    np.testing.assert_allclose(np.mod(theirs[0] - rlon.ravel() + 180, 360), 180, atol=1e-6)


def test_is_the_grid_of_a_cordex_file(test_data: Path) -> None:
    with netCDF4.Dataset(test_data / "netcdf-climate" / "tas_rotated_grid_EUR11.nc") as file:
        pole = file["rotated_pole"]
        grid = RotatedGrid.of(
            float(pole.grid_north_pole_longitude),
            float(pole.grid_north_pole_latitude),
            file["rlat"][:].data,
            file["rlon"][:].data,
        )
        lon, lat = grid.centres()
        rlon, rlat = np.meshgrid(file["rlon"][:].data, file["rlat"][:].data)
        to = pyproj.Transformer.from_crs(
            pyproj.CRS.from_cf({name: pole.getncattr(name) for name in pole.ncattrs()}), 4326, always_xy=True
        )
        theirs = to.transform(rlon.astype(float).ravel(), rlat.astype(float).ravel())
        np.testing.assert_allclose((lon, lat), theirs, atol=1e-4)
        assert grid.resolution() == pytest.approx(12_230, rel=0.01)
        np.testing.assert_array_equal(grid.nearest(lon[::101], lat[::101]), np.arange(grid.size)[::101])
        box = grid.extent()
        assert (box.west, box.south, box.east, box.north) == pytest.approx((-44.7, 21.9, 65.2, 72.6), abs=0.1)


def test_from_the_south_pole_of_grib() -> None:
    lines = np.arange(5.0), np.arange(6.0)
    assert RotatedGrid.from_south_pole(18, -39.25, *lines) == RotatedGrid.of(198, 39.25, *lines)


def test_is_the_grid_that_eccodes_sees() -> None:
    keys = {
        "Ni": 8,
        "Nj": 6,
        "latitudeOfFirstGridPointInDegrees": 10.0,
        "longitudeOfFirstGridPointInDegrees": 0.0,
        "latitudeOfLastGridPointInDegrees": -15.0,
        "longitudeOfLastGridPointInDegrees": 35.0,
        "iDirectionIncrementInDegrees": 5.0,
        "jDirectionIncrementInDegrees": 5.0,
        "latitudeOfSouthernPoleInDegrees": -39.25,
        "longitudeOfSouthernPoleInDegrees": 18.0,
    }
    with sample_message("rotated_ll_sfc_grib2", keys, 48) as message:
        lon, lat = RotatedGrid.from_south_pole(18, -39.25, 10 - 5.0 * np.arange(6), 5.0 * np.arange(8)).centres()
        np.testing.assert_allclose(lat, message.array("latitudes"), atol=1e-5)
        np.testing.assert_allclose(np.mod(lon - message.array("longitudes") + 180, 360), 180, atol=1e-5)
    with pytest.raises(Unsupported, match="turned"):
        RotatedGrid.from_south_pole(18, -39.25, np.arange(3.0), np.arange(3.0), 20.0)


def test_the_crs_is_the_one_of_proj() -> None:
    grid = RotatedGrid.of(-162, 39.25, np.arange(-20.0, 20, 5), np.arange(-20.0, 20, 5))
    to = pyproj.Transformer.from_crs(grid.crs, 4326, always_xy=True)
    rlon, rlat = np.meshgrid(np.arange(-20.0, 20, 5), np.arange(-20.0, 20, 5))
    np.testing.assert_allclose(to.transform(rlon.ravel(), rlat.ravel()), grid.centres(), atol=1e-6)


def test_a_pole_inside_and_the_whole_sphere() -> None:
    over = RotatedGrid.of(0, 0, np.arange(-10.0, 11), np.arange(-10.0, 11))
    assert over.extent().north == 90 or over.extent().south == -90
    whole = RotatedGrid.of(10, 50, np.arange(-87.5, 90, 5), np.arange(-180.0, 180, 5))
    assert whole.extent() == Extent(-180, -90, 180, 90)
    assert whole.areas().sum() == pytest.approx(4 * np.pi * EARTH_RADIUS_M**2, rel=1e-12)


def test_impossible_poles_are_refused() -> None:
    with pytest.raises(Invalid):
        RotatedGrid.of(0, 91, np.arange(3.0), np.arange(3.0))
    with pytest.raises(Invalid):
        RotatedGrid.of(0, 45, np.arange(88.0, 95), np.arange(3.0))
