"""Points: stations, an ICON mesh, vertices."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pytest
import shapely

from terrella.errors import Invalid
from terrella.grids import HealpixGrid, PointsGrid
from terrella.model.space import EARTH_RADIUS_M, Extent


def test_a_triangular_mesh(test_data: Path) -> None:
    with netCDF4.Dataset(test_data / "netcdf-climate" / "triangular_grid_ICON.nc") as file:
        names = [name for name in file.variables if name in {"clon", "clat", "clon_vertices", "clat_vertices"}]
        lon, lat = (np.ma.filled(file[name][:], np.nan) for name in sorted(names)[::-1] if "vert" not in name)
        corners = [np.ma.filled(file[name][:], np.nan) for name in sorted(names)[::-1] if "vert" in name]
        factor = np.degrees(1) if np.nanmax(np.abs(lon)) < 7 else 1.0
    lon, lat = lon * factor, lat * factor
    plain = PointsGrid(lon, lat)
    draws = np.random.default_rng(4)
    places = draws.uniform(-180, 180, 3000), np.degrees(np.arcsin(draws.uniform(-1, 1, 3000)))
    assert plain.size > 1000
    np.testing.assert_array_equal(plain.nearest(lon, lat), np.arange(lon.size))
    assert (plain.nearest(*places) >= 0).all()
    assert plain.extent() == Extent(-180, -90, 180, 90)
    if corners:
        meshed = PointsGrid(lon, lat, None, corners[0] * factor, corners[1] * factor)
        assert meshed.areas().sum() == pytest.approx(4 * np.pi * EARTH_RADIUS_M**2, rel=1e-3)
        assert (meshed.nearest(*places) >= 0).all()


def test_vertices_give_areas_and_edges() -> None:
    whole = HealpixGrid(8, "ring")
    lon, lat = whole.centres()
    corners = whole.vertices(np.arange(whole.size))
    grid = PointsGrid(lon, lat, None, *corners)
    np.testing.assert_allclose(grid.areas().sum(), 4 * np.pi * EARTH_RADIUS_M**2, rtol=1e-3)
    assert (grid.nearest(np.linspace(-180, 540, 500), np.linspace(-90, 90, 500)) >= 0).all()
    assert grid.extent().width == 360


def test_missing_corners_leave_a_triangle() -> None:
    grid = PointsGrid([0.5], [0.5], None, [[0.0, 1.0, 0.0, np.nan]], [[0.0, 0.0, 1.0, np.nan]])
    triangle = 0.5 * (np.radians(1) * EARTH_RADIUS_M) ** 2
    assert grid.areas()[0] == pytest.approx(triangle, rel=1e-3)
    assert grid.extent() == Extent(0, 0, 1, 1)


def test_stations_match_within_ten_kilometres() -> None:
    cities = PointsGrid([-73.6, -79.4, -123.1], [45.5, 43.7, 49.2])
    found = cities.nearest(np.array([-73.55, -73.0, 236.9, 0.0]), np.array([45.5, 45.5, 49.2, 0.0]))
    assert found.tolist() == [0, -1, 2, -1]
    assert cities.footprint()["type"] == "MultiPoint"
    assert np.isnan(cities.areas()).all()
    lone = PointsGrid([10.0], [50.0])
    assert lone.footprint() == {"type": "Point", "coordinates": [10.0, 50.0]}
    assert lone.extent() == Extent(10, 50, 10, 50)


def test_a_place_that_comes_often_is_its_first_cell() -> None:
    grid = PointsGrid(np.repeat([5.0, 365.0, 6.0], 50), np.repeat([50.0, 50.0, 51.0], 50))
    assert grid.nearest(np.array([5.0, 6.0]), np.array([50.0, 51.0])).tolist() == [0, 100]
    assert grid.within(shapely.box(4.9, 49, 5.1, 51)).size == 100


def test_given_areas_are_kept() -> None:
    grid = PointsGrid([0.0, 1.0], [0.0, 0.0], [7.0, 9.0])
    assert grid.areas(np.array([1])).tolist() == [9.0]


def test_arrays_must_fit() -> None:
    for wrong in (([0.0], [0.0, 1.0]), ([], []), ([0.0], [0.0], [1.0, 2.0]), ([0.0], [0.0], None, [[1.0]], None)):
        with pytest.raises(Invalid):
            PointsGrid(*wrong)
