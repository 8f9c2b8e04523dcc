"""Values between centres against scipy, astropy-healpix, ECMWF's MIR, and brute force."""

import eccodes
import numpy as np
import pyproj
import pytest
from astropy import units
from astropy_healpix import HEALPix
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator
from scipy.spatial import ConvexHull

from memory_format import ORIGIN, MemoryFormat, hours, one_piece, regular
from terrella.cubes.cubes import Cubes
from terrella.errors import Invalid, TooLarge, Unsupported
from terrella.extraction.extract import Extractor
from terrella.extraction.interpolating import bilinear, inverse_distance
from terrella.extraction.limits import Limits
from terrella.grids import (
    CurvilinearGrid,
    HealpixGrid,
    PointsGrid,
    ProjectedGrid,
    RectilinearGrid,
    ReducedGaussianGrid,
    RegularGrid,
    RotatedGrid,
    gaussian_latitudes,
    octahedral_pl,
)
from terrella.model.caller import OPERATOR
from terrella.model.extraction import Circle, Extraction, Points, Trajectory
from terrella.model.ids import CollectionId
from terrella.model.reduction import CellChoice, parse_cells, parse_reduce
from terrella.model.space import EARTH_RADIUS_M, LonLat
from terrella.model.time import parse_instant

PROPERTY = settings(derandomize=True, deadline=None, max_examples=30)
lons, lats = st.floats(-360, 360, allow_nan=False), st.floats(-90, 90, allow_nan=False)


def blended(found, values):
    return (values[found.cells] * found.weights).sum(axis=1)


@PROPERTY
@given(st.lists(st.tuples(lons, lats), min_size=1, max_size=6), st.sampled_from([0.0, -180.0, 7.5]), st.booleans())
def test_a_global_grid_is_periodic_and_linear(places, lon0, downward):
    lat = np.linspace(90, -90, 19) if downward else np.linspace(-90, 90, 19)
    grid = RegularGrid(lat[0], lat[1] - lat[0], 19, lon0, 15, 24)
    values = np.random.default_rng(1).normal(size=(19, 24))
    values[[0, -1]] = values[[0, -1], :1]
    wide = np.concatenate([values, values[:, :1]], axis=1)
    order = np.argsort(lat)
    oracle = RegularGridInterpolator((lat[order], lon0 + 15.0 * np.arange(25)), wide[order])
    lon, at = np.array(places).T
    expected = oracle(np.column_stack([at, np.clip(lon0 + np.mod(lon - lon0, 360), lon0, lon0 + 360)]))
    found = bilinear(grid, lon, at)
    np.testing.assert_allclose(blended(found, values.ravel()), expected, atol=1e-9)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1)
    assert (found.weights >= 0).all()


@PROPERTY
@given(st.floats(-9.9, 29.9), st.floats(35.1, 59.9))
def test_a_region_is_linear_inside(lon, lat):
    rows, columns = np.array([35.0, 36, 40, 47, 48, 60]), np.array([-10.0, -9, 0, 3, 20, 30])
    values = np.random.default_rng(2).normal(size=(6, 6))
    oracle = RegularGridInterpolator((rows, columns), values)
    grid = RectilinearGrid.of(rows, columns)
    np.testing.assert_allclose(
        blended(bilinear(grid, np.array([lon]), np.array([lat])), values.ravel()), oracle([[lat, lon]]), atol=1e-9
    )


def test_beyond_the_outermost_centres_of_a_region_these_count():
    grid = RegularGrid(50, -1, 3, 350, 1, 12)
    values = np.arange(36.0)
    found = bilinear(grid, np.array([-10.4, 1.4, 0.5, -10.4]), np.array([49, 48, 50.4, 47.6]))
    np.testing.assert_allclose(blended(found, values), [12, 35, 10.5, 24])


def test_over_a_pole_that_no_row_reaches_the_other_side_counts():
    grid = RectilinearGrid.of(gaussian_latitudes(16), np.arange(0, 360, 5.625))
    lat = gaussian_latitudes(16)
    field = np.broadcast_to(np.cos(np.radians(np.arange(0, 360, 5.625))), (32, 64)).ravel()
    found = bilinear(grid, np.array([0.0, 0.0, 180.0]), np.array([90.0, (90 + lat[0]) / 2, -90.0]))
    np.testing.assert_allclose(blended(found, field), [0, 0.5, 0], atol=1e-12)


@pytest.mark.parametrize("order", ["nested", "ring"])
def test_healpix_is_that_of_astropy(order):
    """At random places: astropy divides by zero exactly on rings. Polar caps, where it takes all four, left out."""
    grid = HealpixGrid(16, order)
    rng = np.random.default_rng(3)
    values, lon, lat = rng.normal(size=grid.size), rng.uniform(0, 360, 2000), rng.uniform(-86, 86, 2000)
    expected = HEALPix(16, order=order).interpolate_bilinear_lonlat(lon * units.deg, lat * units.deg, values)
    np.testing.assert_allclose(blended(bilinear(grid, lon, lat), values), expected, atol=1e-9)


def test_part_of_a_healpix_sphere_lacks_cells():
    grid = HealpixGrid(16, "nested", np.arange(100))
    lon, lat = grid.centres(np.array([5]))
    found = bilinear(grid, lon, lat)
    assert found.there is None or (found.weights[found.cells < 0] < 1e-9).all()
    edge = bilinear(grid, np.array([45.0]), np.array([-5.0]))
    assert edge.there is not None


def test_gaussian_triangles_are_those_of_the_convex_hull():
    grid = ReducedGaussianGrid(32, octahedral_pl(32))
    lon, lat = grid.centres()
    field = np.random.default_rng(3).normal(size=grid.size)
    np.testing.assert_allclose(blended(bilinear(grid, lon, lat), field), field, atol=1e-6)
    places = np.random.default_rng(4).uniform([-180, -87], [180, 87], (60, 2)).T
    found = bilinear(grid, *places)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0)
    vectors = unit_vectors(lon, lat)
    faces = ConvexHull(vectors).simplices
    middles = vectors[faces].mean(axis=1)
    apart = []
    for number, place in enumerate(unit_vectors(*places)):
        near = faces[np.argsort(-(middles @ place))[:40]]
        shares = [np.linalg.solve(vectors[face].T, place) for face in near]
        held = [
            (share / share.sum()) @ field[face] for face, share in zip(near, shares, strict=True) if share.min() > -1e-9
        ]
        made = found.weights[number] @ field[found.cells[number]]
        apart.append(min(abs(made - one) for one in held))
    assert np.mean(np.array(apart) < 1e-6) > 0.95  # where two diagonals are as good, the hull may take the other


def unit_vectors(lon, lat):
    lam, phi = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def test_mir_gives_the_same(test_data):
    folder = test_data / "reference" / "regrid"

    def read(name):
        return np.load(folder / f"{name}.npz")["arr_0"]

    lat, lon = np.repeat(np.arange(90, -91, -10.0), 36), np.tile(np.arange(0, 360, 10.0), 19)
    regular_grid = RegularGrid(90, -5, 37, 0, 5, 72)
    found = blended(bilinear(regular_grid, lon, lat), read("in_5x5"))
    np.testing.assert_allclose(found, read("out_5x5_10x10_linear"), atol=1e-9)
    octahedral = ReducedGaussianGrid(32, octahedral_pl(32))
    handle = eccodes.codes_grib_new_from_samples("reduced_gg_pl_32_grib2")
    classic = ReducedGaussianGrid(32, eccodes.codes_get_array(handle, "pl"))
    eccodes.codes_release(handle)
    inner = slice(36, -36)  # at the poles MIR takes one triangle of the first row, whatever the longitude
    # rows of N32 have as many points as the next: there either diagonal is right, and MIR takes its own
    for name, grid, most, mean in (("O32", octahedral, 0, 1e-9), ("N32", classic, 150, 0.006)):
        values = read(f"in_{name}")
        apart = np.abs(blended(bilinear(grid, lon, lat), values) - read(f"out_{name}_10x10_linear")) / values.std()
        assert (apart[inner] > 1e-9).sum() <= most
        assert apart[inner].mean() < mean
        assert apart.mean() < 0.03
    for name, grid in (("5x5", regular_grid), ("O32", octahedral)):
        near = read(f"in_{name}")[grid.nearest(lon, lat)]
        np.testing.assert_array_equal(near[inner], read(f"out_{name}_10x10_nearest-neighbour")[inner])


def test_projected_and_rotated_grids_are_linear_in_their_own_plane():
    x, y = np.arange(300_000.0, 700_000, 10_000), np.arange(5_900_000.0, 5_500_000, -10_000)
    grid = ProjectedGrid.from_coordinates("EPSG:32633", x, y)
    to_plane = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:32633", always_xy=True)
    lon, lat = np.random.default_rng(5).uniform([13, 51], [16, 52.5], (40, 2)).T
    east, north = to_plane.transform(lon, lat)
    field = (x[None, :] / 1e3 + 2 * y[:, None] / 1e3).ravel()
    np.testing.assert_allclose(blended(bilinear(grid, lon, lat), field), (east + 2 * north) / 1e3, rtol=1e-9)
    turned = RotatedGrid.of(-162.0, 39.25, np.arange(-20.0, 21), np.arange(-25.0, 20))
    rlon, rlat = turned.rotated(lon, lat)
    field = (np.arange(-25.0, 20)[None, :] + 3 * np.arange(-20.0, 21)[:, None]).ravel()
    np.testing.assert_allclose(blended(bilinear(turned, lon, lat), field), rlon + 3 * rlat, rtol=1e-9)


@PROPERTY
@given(lons, lats, st.integers(1, 9), st.sampled_from(["regular", "healpix", "points"]))
def test_inverse_distance_takes_the_nearest_few_of_all(lon, lat, count, kind):
    rng = np.random.default_rng(6)
    grid = {
        "regular": RegularGrid(90, -10, 19, 0, 10, 36),
        "healpix": HealpixGrid(8),
        "points": PointsGrid(rng.uniform(-180, 180, 200), np.degrees(np.arcsin(rng.uniform(-1, 1, 200)))),
    }[kind]
    found = inverse_distance(grid, np.array([lon]), np.array([lat]), count)
    away = metres(lon, lat, *grid.centres())
    chosen = found.cells[0]
    assert len(set(chosen.tolist())) == count
    np.testing.assert_allclose(np.sort(away[chosen]), np.sort(away)[:count], atol=0.01)
    if away.min() > 1:
        np.testing.assert_allclose(found.weights[0], (1 / away[chosen]) / (1 / away[chosen]).sum(), rtol=1e-3)
    np.testing.assert_allclose(found.weights.sum(), 1)


def metres(lon, lat, lon2, lat2):
    lon, lat, lon2, lat2 = (np.radians(one) for one in (lon, lat, lon2, lat2))
    a = np.sin((lat2 - lat) / 2) ** 2 + np.cos(lat) * np.cos(lat2) * np.sin((lon2 - lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(a, 0, 1)))


def test_grids_without_rows_have_no_bilinear():
    x, y = np.meshgrid(np.arange(5.0), np.arange(5.0))
    for grid in (CurvilinearGrid(x, y), PointsGrid(x.ravel(), y.ravel())):
        with pytest.raises(Unsupported, match="cells=nearest or cells=idw"):
            bilinear(grid, np.array([1.0]), np.array([1.0]))
    with pytest.raises(TooLarge, match="at most 2,000"):
        inverse_distance(RegularGrid(90, -10, 19, 0, 10, 36), np.zeros(2001), np.zeros(2001), 4)


# --- through the whole extraction --------------------------------------------------------------------------------


class Held:
    def __init__(self, index):
        self.index = index

    def open(self, caller, collection):
        return self.index, ORIGIN


def site():
    lat, lon = np.linspace(90, -90, 37)[:, None], np.arange(72) * 5.0
    values = (lat + 0 * lon)[None] + np.arange(5)[:, None, None] * 100
    values[:, 10, 10] = np.nan
    fmt = MemoryFormat()
    index = one_piece(fmt, values, ("time", "lat", "lon"), (2, 10, 16), regular(37, 72), [hours(5)])
    return Extractor(Held(index), Cubes(formats={"memory": fmt}, threads=2), Limits())


SITE = site()


def ask(shape, choice, **more):
    return SITE.extract(OPERATOR, Extraction(CollectionId("test"), shape, cells=parse_cells(choice), **more))


def test_places_are_answered_where_they_were_asked():
    found = ask(Points((LonLat(12.3, 41.7), LonLat(-179.9, 89.9), LonLat(181.25, -0.5))), "bilinear").dataset
    np.testing.assert_allclose(found.t.values[0], [41.7, 89.9, -0.5])
    assert found.longitude.values.tolist() == [12.3, -179.9, -178.75]
    assert found.t.dims == ("time", "point")


def test_a_missing_corner_leaves_its_weight_to_the_others_as_long_as_it_is_small():
    found = ask(Points((LonLat(47, 38), LonLat(49.5, 39.5), LonLat(50, 40))), "bilinear").dataset
    near, over, on = found.t.values[0]
    assert 35 < near < 40
    assert np.isnan(over)
    assert np.isnan(on)


def test_a_path_with_its_own_times_is_blended_too():
    path = Trajectory(
        (LonLat(12.3, 41.7), LonLat(13, 42.4)),
        times=(parse_instant("1970-01-01T01:00:00Z"), parse_instant("1970-01-01T03:00:00Z")),
    )
    found = ask(path, "bilinear").dataset
    np.testing.assert_allclose(found.t.values, [141.7, 342.4])
    few = ask(path, "idw(1)").dataset
    np.testing.assert_allclose(few.t.values, [140, 340])


def test_blended_places_can_be_reduced():
    found = ask(Points((LonLat(1, 10), LonLat(1, 20.5))), "bilinear", reduce=(parse_reduce("mean:space"),))
    np.testing.assert_allclose(found.dataset.t.values[0], 15.25)
    assert found.plan.values == 5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cubic", "no choice of cells 'cubic'"),
        ("idw(0)", "Neighbours are 1..64"),
        ("idw(99)", "Neighbours are 1..64"),
        ("bilinear(4)", "is no choice of cells"),
        ("", "is no choice of cells.*overlap"),
    ],
)
def test_choices_that_do_not_exist(text, says):
    with pytest.raises(Invalid, match=says):
        parse_cells(text)


def test_choices_that_do_not_fit_the_shape():
    with pytest.raises(Invalid, match=r"does not fit places\. There are: nearest, bilinear, idw"):
        ask(Points((LonLat(0, 0),)), "overlap")
    with pytest.raises(Invalid, match="is for places, boxes and polygons"):
        ask(Circle(LonLat(0, 0), 1e6), "overlap")
    assert ask(Circle(LonLat(0, 0), 1e6), "center").plan.cells > 1
    assert parse_cells("idw(8)") == CellChoice("idw", 8)
    with pytest.raises(Invalid, match="no place"):
        ask(Points((LonLat(0, 91),)), "bilinear")
