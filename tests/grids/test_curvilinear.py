"""Curvilinear grids: a NEMO file, seams, cells without a place."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pytest
import shapely

from terrella.errors import Invalid
from terrella.grids import CurvilinearGrid
from terrella.model.space import EARTH_RADIUS_M


def nemo(test_data: Path) -> CurvilinearGrid:
    with netCDF4.Dataset(test_data / "netcdf-climate" / "nemo_1m_20150101-20150201_grid-T.nc") as file:
        lon = next(file[name][:] for name in ("nav_lon", "nav_lon_grid_T") if name in file.variables)
        lat = next(file[name][:] for name in ("nav_lat", "nav_lat_grid_T") if name in file.variables)
        return CurvilinearGrid(np.ma.filled(lon, np.nan), np.ma.filled(lat, np.nan))


def test_a_tripolar_ocean(test_data: Path) -> None:
    grid = nemo(test_data)
    lon, lat = grid.centres()
    real = np.flatnonzero(np.isfinite(lon))
    found = grid.nearest(lon[real], lat[real])
    np.testing.assert_allclose(np.abs(np.mod(lon[found] - lon[real] + 180, 360) - 180), 0, atol=1e-9)
    np.testing.assert_allclose(lat[found], lat[real], atol=1e-9)
    draws = np.random.default_rng(3)
    anywhere = draws.uniform(-180, 180, 2000), np.degrees(np.arcsin(draws.uniform(-0.9, 1, 2000)))
    assert (grid.nearest(*anywhere) >= 0).mean() > 0.97
    assert grid.extent().width == 360
    assert grid.areas(found[:100]).min() > 0


def test_a_jump_and_holes() -> None:
    lon, lat = np.meshgrid(np.arange(170.0, 190.0), np.arange(-5.0, 6.0))
    lon = np.where(lon > 180, lon - 360, lon)
    lon[3, 4] = np.nan
    grid = CurvilinearGrid(lon, lat)
    assert grid.nearest(np.array([174.0]), np.array([-2.0]))[0] != 3 * 20 + 4
    assert grid.extent().crosses_antimeridian
    assert shapely.geometry.shape(grid.footprint()).geom_type == "MultiPolygon"
    assert grid.within(shapely.box(178, -1, 183, 1)).size == 3 * 6
    assert grid.nearest(np.array([160.0, 180.0]), np.array([0.0, 20.0])).tolist() == [-1, -1]


def test_places_repeated_as_fill_do_not_match() -> None:
    lon, lat = np.meshgrid(np.arange(20.0, 40.0), np.arange(30.0, 45.0))
    lon[:, :3], lat[:, :3] = -1.0, -1.0
    grid = CurvilinearGrid(lon, lat)
    assert grid.nearest(np.array([-1.0]), np.array([-1.0])).tolist() == [-1]
    assert np.isnan(grid.centres()[0].reshape(15, 20)[:, :3]).all()
    assert grid.extent().west > 20


def test_a_repeated_column_gives_the_lower_number() -> None:
    lon, lat = np.meshgrid(np.append(np.arange(0.0, 360, 10), [0.0, 10.0]), np.arange(-80.0, 81, 10))
    grid = CurvilinearGrid(lon, lat)
    assert grid.nearest(np.array([0.0, 370.0]), np.array([-80.0, -80.0])).tolist() == [0, 1]
    assert grid.extent().width == 360


def test_areas_of_a_plain_grid_are_those_of_boxes() -> None:
    lon, lat = np.meshgrid(np.arange(0.0, 20), np.arange(40.0, 60))
    grid = CurvilinearGrid(lon, lat)
    exact = EARTH_RADIUS_M**2 * np.radians(1) * 2 * np.cos(np.radians(lat)) * np.sin(np.radians(0.5))
    np.testing.assert_allclose(grid.areas(), exact.ravel(), rtol=2e-3)
    assert grid.resolution() == pytest.approx(np.radians(1) * EARTH_RADIUS_M, rel=0.4)


def test_arrays_must_fit() -> None:
    with pytest.raises(Invalid):
        CurvilinearGrid(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(Invalid):
        CurvilinearGrid(np.zeros(3), np.zeros(3))
    lost = CurvilinearGrid(np.full((2, 2), np.nan), np.zeros((2, 2)))
    assert lost.nearest(np.zeros(1), np.zeros(1)).tolist() == [-1]
    with pytest.raises(Invalid, match="place"):
        lost.extent()
