"""Regular grids: edges, the seam, the poles, and ecCodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from grids.messages import assert_same_nearest, first_message
from terrella.errors import Invalid, TooLarge
from terrella.grids import RegularGrid, regular_or_rectilinear
from terrella.model.space import EARTH_RADIUS_M, Extent

GLOBAL = RegularGrid(90.0, -0.25, 721, 0.0, 0.25, 1440)
RASTER = RegularGrid(53.99995833, -1 / 12000, 36000, 9.00004167, 1 / 12000, 36000)


@pytest.mark.parametrize(
    "name",
    ["era5-2mt-2019-03-uk.grib", "era5-levels-members.grib", "pl_regular_ll.grib", "ens_50.grib", "ml_data.grib"],
)
def test_is_the_grid_that_eccodes_sees(test_data: Path, name: str) -> None:
    with first_message(test_data / "grib" / name) as message:
        shape = (message.get("Nj"), message.get("Ni"))
        lats, lons = (message.array(key).reshape(shape) for key in ("latitudes", "longitudes"))
        grid = regular_or_rectilinear(lats[:, 0], lons[0])
        assert isinstance(grid, RegularGrid)
        lon, lat = grid.centres()
        np.testing.assert_allclose(lat, lats.ravel(), atol=1e-9)
        np.testing.assert_allclose(np.mod(lon - lons.ravel() + 180, 360), 180, atol=1e-9)
        assert_same_nearest(grid, message)


def test_a_gaussian_grid_of_equal_rows_is_rectilinear(test_data: Path) -> None:
    with first_message(test_data / "grib" / "regular_gg_ml_g2.grib") as message:
        lats, lons = (message.array(key).reshape(160, 320) for key in ("latitudes", "longitudes"))
        grid = regular_or_rectilinear(lats[:, 0], lons[0])
        assert grid.kind == "rectilinear"
        assert grid.extent() == Extent(-180, -90, 180, 90)
        assert grid.areas().sum() == pytest.approx(4 * np.pi * EARTH_RADIUS_M**2, rel=1e-12)
        assert_same_nearest(grid, message)


def test_global_cells_sum_to_the_sphere() -> None:
    for first in (0.0, -180.0, -179.875):
        grid = RegularGrid(90.0, -0.25, 721, first, 0.25, 1440)
        assert grid.extent() == Extent(-180, -90, 180, 90)
        assert grid.areas().sum() == pytest.approx(4 * np.pi * EARTH_RADIUS_M**2, rel=1e-12)
    assert GLOBAL.areas(np.array([0]))[0] == pytest.approx(
        2 * np.pi * EARTH_RADIUS_M**2 * (1 - np.sin(np.radians(89.875))) / 1440, rel=1e-9
    )


def test_pole_rows_tie_to_the_first_cell() -> None:
    found = GLOBAL.nearest(np.array([123.4, 0.0, 359.0]), np.array([90.0, 89.99, -90.0]))
    assert found.tolist() == [0, 0, 720 * 1440]


def test_places_in_any_range_of_longitude() -> None:
    lon = np.array([-360.0, 0.0, 360.0, 720.0, 359.9])
    assert GLOBAL.nearest(lon, np.zeros(5)).tolist() == [360 * 1440] * 5
    assert GLOBAL.nearest(np.array([-0.2, 359.8]), np.zeros(2)).tolist() == [360 * 1440 + 1439] * 2


def test_on_a_border_the_lower_number_wins() -> None:
    grid = RegularGrid(0.0, 1.0, 3, 0.0, 1.0, 3)
    assert grid.nearest(np.array([0.5, 1.5, 0.0]), np.array([0.0, 0.0, 0.5])).tolist() == [0, 1, 0]


def test_outside_the_outer_borders_is_no_cell() -> None:
    grid = RegularGrid(10.0, -1.0, 3, 170.0, 1.0, 3)
    lon, lat = np.array([169.49, 169.51, 172.49, 172.51, -187.9, 171.0, 171.0]), np.array([9.0] * 5 + [10.51, 7.49])
    assert (grid.nearest(lon, lat) >= 0).tolist() == [False, True, True, False, True, False, False]


def test_extent_over_the_antimeridian() -> None:
    grid = RegularGrid(10.0, -1.0, 3, 175.0, 1.0, 10)
    assert grid.extent() == Extent(174.5, 7.5, -175.5, 10.5)
    footprint = shapely.geometry.shape(grid.footprint())
    assert footprint.geom_type == "MultiPolygon"
    assert footprint.equals(shapely.union(shapely.box(174.5, 7.5, 180, 10.5), shapely.box(-180, 7.5, -175.5, 10.5)))


@pytest.mark.parametrize(
    "geometry",
    [
        shapely.box(170, -5, 190, 5),
        shapely.box(-190, -5, -170, 5),
        shapely.union_all([shapely.box(170, -5, 180, 5), shapely.box(-180, -5, -170, 5)]),
    ],
)
def test_a_polygon_over_the_antimeridian_in_every_writing(geometry: shapely.Geometry) -> None:
    for first in (0.0, -180.0):
        grid = RegularGrid(90.0, -2.5, 73, first, 2.5, 144)
        found = grid.within(geometry)
        lon, lat = grid.centres(found)
        assert found.size == 5 * 9
        assert (np.abs(lat) <= 5).all()
        assert (np.abs(lon) >= 170).all()


def test_a_hole_at_the_pole() -> None:
    ring = shapely.box(-180, 60, 180, 90).difference(shapely.box(-180, 80, 180, 90))
    _, lat = GLOBAL.centres(GLOBAL.within(ring))
    assert lat.min() == 60
    assert lat.max() == 80
    assert GLOBAL.within(shapely.box(-180, 60, 180, 90)).size == 121 * 1440


def test_a_box_as_wide_as_the_earth() -> None:
    assert GLOBAL.in_extent(Extent(-180, -90, 180, 90)).size == GLOBAL.size
    assert GLOBAL.within(shapely.box(0, -90, 360, 90)).size == GLOBAL.size
    assert GLOBAL.in_extent(Extent.of(0, 0, 0, 0)).tolist() == [360 * 1440]


def test_lone_rows_columns_and_cells() -> None:
    row = regular_or_rectilinear(np.array([50.0]), np.arange(10.0))
    assert row.extent() == Extent(-0.5, 49.5, 9.5, 50.5)
    station = regular_or_rectilinear(np.array([50.0]), np.array([370.0]))
    assert station.nearest(np.array([10.05, 10.2]), np.array([50.05, 50.0])).tolist() == [0, -1]
    assert station.areas().shape == (1,)


def test_a_repeated_meridian_counts_half_and_half() -> None:
    grid = RegularGrid(90.0, -30.0, 7, 0.0, 30.0, 13)
    assert grid.areas().sum() == pytest.approx(4 * np.pi * EARTH_RADIUS_M**2, rel=1e-12)
    assert grid.nearest(np.array([0.0, 359.0]), np.zeros(2)).tolist() == [39, 39]
    assert grid.within(shapely.box(-1, -1, 1, 1)).tolist() == [39, 51]


def test_a_small_polygon_on_a_huge_raster() -> None:
    found = RASTER.within(shapely.box(10, 52, 10.01, 52.01))
    assert found.size == 120 * 120
    assert RASTER.in_circle(10.0, 52.0, 100.0).size > 100
    assert RASTER.nearest(np.array([10.0]), np.array([52.0]))[0] > 0


def test_a_selection_that_would_not_fit_is_refused_at_once() -> None:
    with pytest.raises(TooLarge, match="smaller"):
        RASTER.within(shapely.box(9, 51, 12, 54))


def test_a_country_on_a_global_grid_equals_shapely(test_data: Path) -> None:
    import json

    countries = json.loads((test_data / "destine-healpix" / "NUTS_RG_60M_2021_4326_LEVL_0.geojson").read_text())
    lon, lat = GLOBAL.centres()
    for feature in countries["features"][:40:5]:
        country = shapely.geometry.shape(feature["geometry"])
        shapely.prepare(country)
        np.testing.assert_array_equal(GLOBAL.within(country), np.flatnonzero(shapely.intersects_xy(country, lon, lat)))


@pytest.mark.parametrize(
    "wrong",
    [(91, 1, 3, 0, 1, 3), (0, 0, 3, 0, 1, 3), (0, 1, 0, 0, 1, 3), (np.nan, 1, 3, 0, 1, 3), (80, 1, 20, 0, 1, 3)],
)
def test_impossible_grids_are_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(Invalid):
        RegularGrid(*wrong)


def test_points_and_lines_are_no_area() -> None:
    with pytest.raises(Invalid, match="polygon"):
        GLOBAL.within(shapely.Point(0, 0))
    with pytest.raises(Invalid, match="radius"):
        GLOBAL.in_circle(0, 0, -1.0)
    assert GLOBAL.within(shapely.Polygon()).size == 0
