"""Projected grids against pyproj, ecCodes, rasterio and brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
import shapely

from grids.messages import assert_same_nearest, first_message
from terrella.errors import Invalid, TooLarge
from terrella.grids import ProjectedGrid, RegularGrid, crs_text, raster_grid
from terrella.model.space import Extent
from terrella.testing.grids import brute_within

GEOSTATIONARY = "+proj=geos +h=35786023 +lon_0=-75 +sweep=x +ellps=GRS80"
SINUSOIDAL = "+proj=sinu +R=6371007.181"
UTM_TILE = ProjectedGrid.from_transform(32633, (10, 0, 4e5, 0, -10, 5.8e6), 36000, 36000)


def disc(side: int) -> ProjectedGrid:
    """A full-disc view of a geostationary satellite."""
    edge = np.linspace(-5_434_894.9, 5_434_894.9, side)
    return ProjectedGrid.from_coordinates(GEOSTATIONARY, edge, edge[::-1])


def test_centres_are_those_of_pyproj() -> None:
    grid = ProjectedGrid.from_transform("EPSG:3035", (1000, 0, 4e6, 0, -1000, 3e6), 20, 30)
    x, y = np.meshgrid(4e6 + 1000 * (np.arange(30) + 0.5), 3e6 - 1000 * (np.arange(20) + 0.5))
    lon, lat = pyproj.Transformer.from_crs(3035, 4326, always_xy=True).transform(x.ravel(), y.ravel())
    np.testing.assert_allclose(grid.centres(), (lon, lat), atol=1e-12)
    np.testing.assert_allclose(grid.coordinates()["x"], x[0])
    assert grid.transform == pytest.approx((1000, 0, 4e6, 0, -1000, 3e6))


def test_is_the_grid_that_eccodes_sees(test_data: Path) -> None:
    with first_message(test_data / "grib" / "lambert_grid.grib") as message:
        crs = message.get("projString")
        first = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform(
            message.get("longitudeOfFirstGridPointInDegrees"), message.get("latitudeOfFirstGridPointInDegrees")
        )
        x = first[0] + message.get("DxInMetres") * np.arange(message.get("Nx"))
        y = first[1] + message.get("DyInMetres") * np.arange(message.get("Ny"))
        grid = ProjectedGrid.from_coordinates(crs, x, y)
        lon, lat = grid.centres()
        np.testing.assert_allclose(lat, message.array("latitudes"), atol=1e-6)
        np.testing.assert_allclose(np.mod(lon - message.array("longitudes") + 180, 360), 180, atol=1e-6)
        assert_same_nearest(grid, message, count=12)


@pytest.mark.parametrize("name", ["cog.tif", "cog_dateline.tif", "TCI.tif"])
def test_centres_of_real_rasters_are_those_of_rasterio(test_data: Path, name: str) -> None:
    with rasterio.open(test_data / "imagery" / name) as raster:
        grid = raster_grid(raster.crs, raster.transform, raster.height, raster.width)
        rows, columns = np.meshgrid([0, raster.height // 2, raster.height - 1], [0, raster.width - 1])
        x, y = rasterio.transform.xy(raster.transform, rows.ravel(), columns.ravel())
        theirs = pyproj.Transformer.from_crs(raster.crs, 4326, always_xy=True).transform(x, y)
        lon, lat = grid.centres(rows.ravel() * raster.width + columns.ravel())
        np.testing.assert_allclose(np.mod(lon - theirs[0] + 180, 360), 180, atol=1e-9)
        np.testing.assert_allclose(lat, theirs[1], atol=1e-9)
        found = grid.nearest(lon, lat)
        np.testing.assert_array_equal(found, rows.ravel() * raster.width + columns.ravel())


def test_a_footprint_over_the_antimeridian(test_data: Path) -> None:
    with rasterio.open(test_data / "imagery" / "cog_dateline.tif") as raster:
        grid = raster_grid(raster.crs, raster.transform, raster.height, raster.width)
    assert grid.extent().crosses_antimeridian
    footprint = shapely.geometry.shape(grid.footprint())
    assert footprint.geom_type == "MultiPolygon"
    lon, lat = grid.centres(np.arange(0, grid.size, 997))
    assert shapely.intersects_xy(footprint.buffer(1e-3), lon, lat).all()


def test_a_polygon_on_a_huge_raster_equals_brute_force() -> None:
    area = shapely.Point(15.0, 51.9).buffer(0.02)
    found = UTM_TILE.within(area)
    rows, columns = np.divmod(found, 36000)
    window = np.add.outer(
        np.arange(rows.min() - 20, rows.max() + 21) * 36000, np.arange(columns.min() - 20, columns.max() + 21)
    ).ravel()
    lon, lat = UTM_TILE.centres(window)
    np.testing.assert_array_equal(found, window[shapely.intersects_xy(area, lon, lat)])
    assert found.size > 50_000


def test_a_big_polygon_tests_only_the_rim() -> None:
    grid = ProjectedGrid.from_transform(32633, (100, 0, 3e5, 0, -100, 5.8e6), 1500, 1500)
    area = shapely.Point(13.5, 51.3).buffer(0.6)
    lon, lat = grid.centres()
    np.testing.assert_array_equal(grid.within(area), np.flatnonzero(shapely.intersects_xy(area, lon, lat)))
    with pytest.raises(TooLarge):
        UTM_TILE.in_extent(Extent(0, 40, 30, 60))


@pytest.mark.parametrize("geometry", [shapely.box(-80, 25, -70, 36), shapely.box(-160, 60, 10, 85)])
def test_the_disc_of_a_geostationary_satellite(geometry: shapely.Geometry) -> None:
    grid = disc(301)
    lon, lat = grid.centres()
    assert 0.70 < np.isfinite(lon).mean() < 0.79  # pi / 4 of the square
    inside, near = brute_within(grid, geometry)
    assert set(inside) <= set(grid.within(geometry).tolist()) <= set(near)
    assert grid.nearest(np.array([-75.0, 105.0, 10.0]), np.zeros(3)).tolist() == [150 * 301 + 150, -1, -1]
    box = grid.extent()
    assert (box.west, box.east) == pytest.approx((-156, 6), abs=1.5)
    footprint = shapely.geometry.shape(grid.footprint())
    seen = np.isfinite(lon)
    assert shapely.intersects_xy(footprint.buffer(1), lon[seen], lat[seen]).mean() > 0.99


def test_corners_of_a_sinusoidal_map_are_not_the_earth() -> None:
    grid = ProjectedGrid.from_coordinates(SINUSOIDAL, np.linspace(-2e7, 2e7, 81), np.linspace(1e7, -1e7, 41))
    lon, _ = grid.centres()
    assert np.isnan(lon[0])
    assert np.isnan(grid.areas()).any()
    assert np.isfinite(lon).mean() == pytest.approx(2 / np.pi, abs=0.03)
    assert grid.extent().width == 360
    sheared = np.array([170.0]), np.array([60.0])
    near = grid.nearest(*sheared)
    assert near[0] >= 0


@pytest.mark.parametrize(("crs", "sign"), [("EPSG:3413", 1), ("EPSG:3031", -1)])
def test_a_pole_inside(crs: str, sign: int) -> None:
    edge = np.linspace(-2.5e6, 2.5e6, 51)
    grid = ProjectedGrid.from_coordinates(crs, edge, edge)
    box = grid.extent()
    assert (box.west, box.east) == (-180, 180)
    assert (box.north if sign > 0 else box.south) == sign * 90
    assert grid.nearest(np.array([77.0]), np.array([sign * 90.0])).tolist() == [25 * 51 + 25]
    lon, lat = grid.centres()
    assert shapely.intersects_xy(shapely.geometry.shape(grid.footprint()).buffer(0.2), lon, lat).all()
    cap = shapely.box(-180, min(sign * 85, sign * 90), 180, max(sign * 85, sign * 90))
    np.testing.assert_array_equal(grid.within(cap), np.flatnonzero(sign * lat >= 85))


def test_areas_are_those_on_the_ellipsoid_to_one_percent() -> None:
    grid = ProjectedGrid.from_transform("EPSG:6933", (25_000, 0, 0, 0, -25_000, 3e6), 40, 40)
    np.testing.assert_allclose(grid.areas(), 25_000.0**2, rtol=0.01)
    fine = ProjectedGrid.from_transform("EPSG:32633", (10, 0, 5e5, 0, -10, 5.6e6), 4, 4)
    np.testing.assert_allclose(fine.areas(), 100.0, rtol=0.01)
    assert fine.resolution() == pytest.approx(10, rel=0.01)


def test_a_turned_raster() -> None:
    grid = ProjectedGrid.from_transform("EPSG:32633", (7, 7, 5e5, 7, -7, 5.6e6), 30, 40)
    lon, lat = grid.centres()
    np.testing.assert_array_equal(grid.nearest(lon, lat), np.arange(1200))
    assert grid.coordinates() == {}
    assert shapely.geometry.shape(grid.footprint()).buffer(1e-6).covers(shapely.MultiPoint(np.c_[lon, lat]))


def test_a_geographic_raster_is_regular() -> None:
    grid = raster_grid(4326, (0.5, 0, 10, 0, -0.5, 60), 4, 6)
    assert grid == RegularGrid(59.75, -0.5, 4, 10.25, 0.5, 6)
    assert raster_grid(4258, (0.5, 0, 10, 0, -0.5, 60), 4, 6).crs == "EPSG:4258"
    assert raster_grid(4326, (0.5, 0.1, 10, 0, -0.5, 60), 4, 6).kind == "projected"
    assert raster_grid(32633, (10, 0, 5e5, 0, -10, 5.6e6), 4, 6).kind == "projected"


def test_one_text_for_one_system() -> None:
    wkt = pyproj.CRS(32633).to_wkt()
    assert crs_text(wkt) == crs_text(32633) == crs_text("epsg:32633") == crs_text(pyproj.CRS(32633)) == "EPSG:32633"
    assert crs_text(SINUSOIDAL).startswith("PROJCRS")
    assert crs_text("EPSG:32633+5773") == "EPSG:32633"


@pytest.mark.parametrize("transform", [(0, 0, 0, 0, 0, 0), (1, 1, 0, 1, 1, 0), (np.nan, 0, 0, 0, 1, 0)])
def test_a_flat_transform_is_refused(transform: tuple[float, ...]) -> None:
    with pytest.raises(Invalid, match="transform"):
        ProjectedGrid.from_transform(32633, transform, 3, 3)


def test_coordinates_that_turn_back_are_refused() -> None:
    with pytest.raises(Invalid, match="rise or fall"):
        ProjectedGrid.from_coordinates(32633, np.array([0.0, 1.0, 0.5]), np.arange(3.0))
    with pytest.raises(Invalid, match="reference system"):
        ProjectedGrid.from_coordinates("EPSG:1", np.arange(3.0), np.arange(3.0))
