"""Cells touched by polygons, and their shares, against shapely over every cell of the grid."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.affinity import translate

from memory_format import ORIGIN, MemoryFormat, hours, one_piece, regular
from terrella.cubes.cubes import Cubes
from terrella.errors import Invalid, Unsupported
from terrella.extraction.extract import Extractor
from terrella.extraction.limits import Limits
from terrella.extraction.overlapping import overlap
from terrella.grids import (
    CurvilinearGrid,
    HealpixGrid,
    PointsGrid,
    ProjectedGrid,
    ReducedGaussianGrid,
    RegularGrid,
    RotatedGrid,
    octahedral_pl,
)
from terrella.model.caller import OPERATOR
from terrella.model.extraction import Area, Box, Extraction
from terrella.model.ids import CollectionId
from terrella.model.reduction import parse_cells, parse_reduce
from terrella.model.space import Extent

PROPERTY = settings(derandomize=True, deadline=None, max_examples=30)


@st.composite
def polygons(draw):
    """Any triangle to octagon, perhaps with a hole, perhaps over the antimeridian."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    corners = rng.uniform([-40, -30], [40, 30], (draw(st.integers(3, 8)), 2))
    made = shapely.convex_hull(shapely.MultiPoint(corners))
    if draw(st.booleans()):
        made = shapely.difference(made, made.centroid.buffer(draw(st.floats(0.5, 6))))
    return translate(made, draw(st.floats(-200, 200)), draw(st.floats(-60, 60)))


def clipped(polygon):
    return shapely.intersection(polygon, shapely.box(-1000, -90, 1000, 90))


@PROPERTY
@given(polygons(), st.sampled_from([(2.5, 2.5, 0.0), (7.3, 4.1, -180.0), (0.9, 1.7, 12.0)]))
def test_shares_are_those_of_shapely_cell_by_cell(polygon, grid_of):
    dlon, dlat, lon0 = grid_of
    polygon = clipped(polygon)
    if polygon.area < 1e-3:
        return
    nlon = min(int(360 / dlon), 90)
    grid = RegularGrid(80, -dlat, int(160 / dlat), lon0, dlon, nlon)
    lat = 80 - dlat * np.arange(grid.nlat)
    lon = lon0 + dlon * np.arange(nlon)
    boxes = shapely.box(
        *(lon[None, :] - dlon / 2, np.maximum(lat[:, None] - dlat / 2, -90)),
        *(lon[None, :] + dlon / 2, np.minimum(lat[:, None] + dlat / 2, 90)),
    ).ravel()
    expected = np.zeros(boxes.size)
    for turn in (-720, -360, 0, 360, 720):
        expected += shapely.area(shapely.intersection(translate(polygon, turn), boxes)) / shapely.area(boxes)
    found, share = overlap(grid, polygon)
    np.testing.assert_array_equal(found, np.flatnonzero(expected > 1e-12))
    np.testing.assert_allclose(share, np.minimum(expected[found], 1), atol=1e-9)


GRIDS = {
    "healpix": HealpixGrid(16),
    "gaussian": ReducedGaussianGrid(16, octahedral_pl(16)),
    "rotated": RotatedGrid.of(-162.0, 39.25, np.arange(-20.0, 21), np.arange(-25.0, 20)),
    "projected": ProjectedGrid.from_transform("EPSG:3035", (50_000, 0, 2_500_000, 0, -50_000, 5_500_000), 80, 80),
}


@settings(PROPERTY, max_examples=24)
@given(polygons(), st.sampled_from(["healpix", "gaussian"]))
def test_cells_all_over_the_sphere_add_up_to_the_polygon(polygon, kind):
    polygon = clipped(polygon)
    if polygon.area < 1e-3:
        return
    grid = GRIDS[kind]
    found, share = overlap(grid, polygon)
    inside = grid.within(polygon)
    assert np.isin(inside, found).all()
    # areas in the plane of longitude and latitude: those of the cells times their shares are that of the polygon
    assert ((share > 0) & (share <= 1)).all()
    np.testing.assert_allclose((planar_areas(kind, found) * share).sum(), polygon.area, rtol=1e-6)


def planar_areas(kind, cells):
    """By the shoelace formula, of the corners that the grids themselves give."""
    from terrella.extraction.overlapping import corners
    from terrella.grids.sphere import wrapped

    lon, lat = corners(GRIDS[kind], cells)
    lon = lon[:, :1] + wrapped(lon - lon[:, :1])
    x, y = np.roll(lon, -1, axis=1), np.roll(lat, -1, axis=1)
    return np.abs((lon * y - x * lat).sum(axis=1)) / 2


@pytest.mark.parametrize("kind", ["rotated", "projected"])
def test_cells_of_regional_grids_add_up_too(kind):
    polygon = shapely.Polygon([(2, 45), (12, 46), (14, 52), (6, 53)], [[(7, 48), (9, 48), (8, 50)]])
    grid = GRIDS[kind]
    found, share = overlap(grid, polygon)
    assert np.isin(grid.within(polygon), found).all()
    np.testing.assert_allclose((planar_areas(kind, found) * share).sum(), polygon.area, rtol=1e-6)


def test_a_polygon_of_all_cells_and_the_pole_of_a_rotated_grid():
    world = shapely.box(-180, -90, 180, 90)
    for grid in (RegularGrid(90, -10, 19, 0, 10, 36), GRIDS["healpix"], GRIDS["gaussian"]):
        found, share = overlap(grid, world)
        assert found.size == grid.size
        np.testing.assert_allclose(share, 1, atol=1e-9)
    polar = RotatedGrid.of(0.0, 0.0, np.arange(-20.0, 21), np.arange(-20.0, 21))
    found, share = overlap(polar, shapely.box(-180, 70, 180, 90))
    pole = polar.nearest(np.zeros(1), np.array([90.0]))
    if pole[0] >= 0:
        assert share[found == pole[0]].tolist() == [1.0]


def test_grids_that_know_centres_only():
    x, y = np.meshgrid(np.arange(5.0), np.arange(5.0))
    for grid in (CurvilinearGrid(x, y), PointsGrid(x.ravel(), y.ravel())):
        with pytest.raises(Unsupported, match="cells=centre"):
            overlap(grid, shapely.box(0, 0, 2, 2))


def test_triangles_with_corners_have_shares():
    lon, lat = np.array([[0.0, 1, 0], [1, 1, 0]]), np.array([[0.0, 0, 1], [0, 1, 1]])
    grid = PointsGrid(lon.mean(axis=1), lat.mean(axis=1), None, lon, lat)
    found, share = overlap(grid, shapely.box(0, 0, 0.5, 0.5))
    assert found.tolist() == [0]
    np.testing.assert_allclose(share, [0.5])


class Held:
    def __init__(self, index):
        self.index = index

    def open(self, caller, collection):
        return self.index, ORIGIN


VALUES = np.random.default_rng(9).normal(size=(5, 37, 72))


def site():
    fmt = MemoryFormat()
    index = one_piece(fmt, VALUES, ("time", "lat", "lon"), (2, 10, 16), regular(37, 72), [hours(5)])
    return Extractor(Held(index), Cubes(formats={"memory": fmt}, threads=2), Limits())


SITE = site()
TRIANGLE = shapely.Polygon([(3, 3), (41, 7), (20, 33)])


def ask(shape, choice, **more):
    return SITE.extract(OPERATOR, Extraction(CollectionId("test"), shape, cells=parse_cells(choice), **more))


def test_overlaps_are_answered_with_their_weights():
    found = ask(Area(dict(TRIANGLE.__geo_interface__)), "overlap").dataset
    lon, lat = found.longitude.values, found.latitude.values
    boxes = shapely.box(lon - 2.5, lat - 2.5, lon + 2.5, lat + 2.5)
    np.testing.assert_allclose(found.weight, shapely.area(shapely.intersection(TRIANGLE, boxes)) / 25, atol=1e-12)
    touched = ask(Area(dict(TRIANGLE.__geo_interface__)), "touched").dataset
    assert "weight" not in touched.coords
    np.testing.assert_array_equal(touched.t.values, found.t.values)
    assert touched.sizes["cell"] > ask(Area(dict(TRIANGLE.__geo_interface__)), "centre").dataset.sizes["cell"]


@pytest.mark.parametrize("how", ["mean", "sum", "std", "count", "max"])
def test_reductions_use_the_weights(how):
    shape = Area(dict(TRIANGLE.__geo_interface__))
    cells = ask(shape, "overlap").dataset
    found = ask(shape, "overlap", reduce=(parse_reduce(f"{how}:space"),)).dataset
    share, lat = cells.weight.values, np.radians(cells.latitude.values)
    areas = share * (np.sin(lat + np.radians(2.5)) - np.sin(lat - np.radians(2.5)))
    values = cells.t.values
    mean = np.average(values, weights=areas, axis=1)
    expected = {
        "mean": mean,
        "sum": (values * share).sum(axis=1),
        "std": np.sqrt(np.average((values - mean[:, None]) ** 2, weights=areas, axis=1)),
        "count": np.full(5, share.sum()),
        "max": values.max(axis=1),
    }[how]
    np.testing.assert_allclose(found.t.values, expected)


def test_boxes_overlap_too():
    found = ask(Box(Extent.of(170, -4, -174, 4)), "overlap").dataset
    assert found.sizes["cell"] == 4 * 3
    np.testing.assert_allclose(found.weight.sum() * 25, 16 * 8)
    assert ask(Box(Extent.of(1, 1, 1.5, 1.5)), "touched").dataset.sizes["cell"] == 1
    with pytest.raises(Invalid, match="without an area"):
        ask(Box(Extent.of(1, 1, 1, 1.5)), "touched")


def test_zonal_counts_of_a_raster(test_data):
    """Polygons on a projected raster: cells by centre are 75 and 50 (rasterstats' own numbers)."""
    import geopandas
    import rasterio

    from terrella.grids import raster_grid

    folder = test_data / "reference" / "zonal"
    with rasterio.open(folder / "slope.tif") as raster:
        grid = raster_grid(raster.crs, raster.transform, raster.height, raster.width)
        frame = geopandas.read_file(folder / "polygons.shp").to_crs("OGC:CRS84")
        crs = raster.crs
    plane = geopandas.read_file(folder / "polygons.shp").to_crs(crs)
    for geometry, flat, count in zip(frame.geometry, plane.geometry, (75, 50), strict=True):
        assert grid.within(geometry).size == count
        found, share = overlap(grid, geometry)
        cell = abs(grid.transform[0] * grid.transform[4])
        np.testing.assert_allclose(share.sum() * cell, flat.area, rtol=1e-4)
        assert found.size > count
