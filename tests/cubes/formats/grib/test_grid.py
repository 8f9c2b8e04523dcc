"""Grids and orders of values against ecCodes' own iterators."""

from __future__ import annotations

import pyproj

# isort: split
import eccodes
import numpy as np
import pytest

from terrella.errors import Unsupported
from terrella.grids import grid_from_json

from .conftest import loaded, make_message, only_array

KINDS = {
    "regular_ll_sfc_grib1": "regular",
    "regular_ll_pl_grib2": "regular",
    "rotated_ll_sfc_grib1": "rotated",
    "rotated_ll_pl_grib2": "rotated",
    "regular_gg_sfc_grib1": "rectilinear",
    "regular_gg_pl_grib2": "rectilinear",
    "reduced_gg_pl_32_grib1": "reduced_gaussian",
    "reduced_gg_pl_48_grib2": "reduced_gaussian",
    "reduced_ll_sfc_grib1": "points",
    "reduced_ll_sfc_grib2": "points",
    "reduced_rotated_gg_pl_32_grib2": "points",
    "rotated_gg_sfc_grib2": "points",
}


def iterated(message: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(lon, lat, value) of each cell, sorted by place, from ecCodes' iterator."""
    handle = eccodes.codes_new_from_message(message)
    rows = eccodes.codes_grib_get_data(handle)
    eccodes.codes_release(handle)
    return ordered(*(np.array([row[key] for row in rows]) for key in ("lon", "lat", "value")))


def ordered(lon, lat, value):
    lon = np.round((np.asarray(lon) + 180) % 360 - 180, 2)
    lon[lon == 180] = -180
    lat = np.round(lat, 2)
    order = np.lexsort([lon, lat])
    return lon[order], lat[order], np.asarray(value)[order]


@pytest.mark.parametrize("sample", KINDS)
def test_cells_lie_where_eccodes_says(scanned, sample):
    message = make_message(sample)
    handle = eccodes.codes_new_from_message(message)
    lats, lons = (eccodes.codes_get_array(handle, key) for key in ("latitudes", "longitudes"))
    eccodes.codes_release(handle)
    found = scanned(message)
    grid = grid_from_json(found.parts[0].grid)
    assert grid.kind == KINDS[sample]
    assert only_array(found).dims[-len(grid.dims) :] == grid.dims
    lon, lat = grid.centres()
    assert lon.size == lons.size
    # Edition 1 rounds to a thousandth of a degree.
    np.testing.assert_allclose(lat, lats, atol=2e-3)
    aside = (lon - lons + 180) % 360 - 180
    assert np.abs(aside * np.cos(np.radians(lats))).max() < 2e-3


@pytest.mark.parametrize("turning", [0, 1])
@pytest.mark.parametrize("columns", [0, 1])
@pytest.mark.parametrize("upward", [0, 1])
@pytest.mark.parametrize("westward", [0, 1])
def test_every_scanning_mode(scanned, westward, upward, columns, turning):
    ends = (50, 20) if not upward else (20, 50)
    sides = (10, 50) if not westward else (50, 10)
    values = np.random.default_rng(3).permutation(20).astype(float)
    message = make_message(
        "regular_ll_pl_grib2",
        values,
        Ni=5,
        Nj=4,
        iScansNegatively=westward,
        jScansPositively=upward,
        jPointsAreConsecutive=columns,
        alternativeRowScanning=turning,
        latitudeOfFirstGridPointInDegrees=ends[0],
        latitudeOfLastGridPointInDegrees=ends[1],
        longitudeOfFirstGridPointInDegrees=sides[0],
        longitudeOfLastGridPointInDegrees=sides[1],
        iDirectionIncrementInDegrees=10,
        jDirectionIncrementInDegrees=10,
    )
    found = scanned(message)
    array = only_array(found)
    assert array.shape[-2:] == (4, 5)
    chunk = loaded(found, array, (0,) * (len(array.dims) - 2))
    ours = ordered(*grid_from_json(found.parts[0].grid).centres(), chunk.ravel())
    for mine, theirs in zip(ours, expected(ends, sides, values, columns, turning), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=0.01)


def expected(ends, sides, values, columns, turning):
    """The WMO rules (flag table 3.4), point by point."""
    lats, lons = np.linspace(*ends, 4), np.linspace(*sides, 5)
    outer, inner = (lons, lats) if columns else (lats, lons)
    places = []
    for at, first in enumerate(outer):
        line = inner[::-1] if turning and at % 2 else inner
        places += [(first, second) if columns else (second, first) for second in line]
    lon, lat = np.array(places).T
    return ordered(lon, lat, values)


def test_order_without_turning_is_also_eccodes_own(scanned):
    message = make_message("regular_ll_pl_grib2", np.arange(496.0), jScansPositively=0)
    found = scanned(message)
    array = only_array(found)
    chunk = loaded(found, array, (0,) * (len(array.dims) - 2))
    ours = ordered(*grid_from_json(found.parts[0].grid).centres(), chunk.ravel())
    for mine, theirs in zip(ours, iterated(message), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=0.01)


@pytest.mark.parametrize("order", ["ring", "nested"])
def test_healpix(scanned, order):
    message = make_message(
        "GRIB2",
        np.arange(192.0),
        gridType="healpix",
        Nside=4,
        orderingConvention=order,
        longitudeOfFirstGridPointInDegrees=45,
    )
    handle = eccodes.codes_new_from_message(message)
    lats, lons = (eccodes.codes_get_array(handle, key) for key in ("latitudes", "longitudes"))
    eccodes.codes_release(handle)
    found = scanned(message)
    grid = grid_from_json(found.parts[0].grid)
    assert (grid.nside, grid.order) == (4, order)
    lon, lat = grid.centres()
    np.testing.assert_allclose(lat, lats, atol=1e-6)
    np.testing.assert_allclose(np.abs((lon - lons + 180) % 360 - 180) * (np.abs(lats) < 90), 0, atol=1e-6)


def test_a_turned_healpix_is_refused(scanned):
    message = make_message(
        "GRIB2",
        np.arange(192.0),
        gridType="healpix",
        Nside=4,
        orderingConvention="ring",
        longitudeOfFirstGridPointInDegrees=10,
    )
    with pytest.raises(Unsupported, match="turned: it begins at longitude 10"):
        scanned(message)


PROJECTIONS = [
    ("lambert", {"LaDInDegrees": 50, "LoVInDegrees": 8, "Latin1InDegrees": 50, "Latin2InDegrees": 50}),
    ("lambert", {"LaDInDegrees": 30, "LoVInDegrees": 8, "Latin1InDegrees": 30, "Latin2InDegrees": 60}),
    ("mercator", {"LaDInDegrees": 20, "latitudeOfLastGridPointInDegrees": 60, "longitudeOfLastGridPointInDegrees": 9}),
    ("lambert_azimuthal_equal_area", {"standardParallelInDegrees": 52, "centralLongitudeInDegrees": 10}),
    ("polar_stereographic", {"LaDInDegrees": 60, "orientationOfTheGridInDegrees": 10}),
]


def projected(kind: str, keys: dict[str, float], **more: float) -> bytes:
    sides = ("Di", "Dj") if kind == "mercator" else ("Dx", "Dy")
    return make_message(
        "GRIB2",
        np.arange(35.0),
        gridType=kind,
        Nx=7,
        Ny=5,
        longitudeOfFirstGridPointInDegrees=5,
        **{f"{side}InMetres": 20000 for side in sides},
        **{"latitudeOfFirstGridPointInDegrees": 48, **keys, **more},
    )


@pytest.mark.parametrize(("kind", "keys"), PROJECTIONS)
def test_map_projections(scanned, kind, keys):
    message = projected(kind, keys, jScansPositively=1)
    handle = eccodes.codes_new_from_message(message)
    lats, lons = (eccodes.codes_get_array(handle, key) for key in ("latitudes", "longitudes"))
    eccodes.codes_release(handle)
    grid = grid_from_json(scanned(message).parts[0].grid)
    lon, lat = grid.centres()
    assert grid.kind == "projected"
    np.testing.assert_allclose(lat, lats, atol=1e-3)
    np.testing.assert_allclose((lon - lons + 180) % 360 - 180, 0, atol=1e-3)


def test_polar_stereographic_on_an_ellipsoid(scanned):
    """ecCodes cannot place it: PROJ is asked alone. Points lie 20 km apart where the scale is true."""
    keys = {"LaDInDegrees": 60, "orientationOfTheGridInDegrees": 5, "shapeOfTheEarth": 5}
    message = projected("polar_stereographic", keys, latitudeOfFirstGridPointInDegrees=60, jScansPositively=1)
    grid = grid_from_json(scanned(message).parts[0].grid)
    lon, lat = grid.centres()
    assert (lon[0], lat[0]) == pytest.approx((5, 60), abs=1e-6)
    distance = pyproj.Geod(ellps="WGS84").inv(lon[0], lat[0], lon[7], lat[7])[2]
    assert distance == pytest.approx(20_000, rel=2e-3)


@pytest.mark.parametrize("mode", [{"iScansNegatively": 1, "jScansPositively": 1}, {"jScansPositively": 0}])
def test_projected_grids_begin_at_their_first_point(scanned, mode):
    """As the standard says; ecCodes lays the grid the other way round and turns the values."""
    grid = grid_from_json(scanned(projected(*PROJECTIONS[0], **mode)).parts[0].grid)
    lon, lat = (places.reshape(5, 7) for places in grid.centres())
    assert (lon[0, 0], lat[0, 0]) == pytest.approx((5, 48), abs=1e-6)
    assert (lon[0, 1] < lon[0, 0]) == ("iScansNegatively" in mode)
    assert (lat[1, 0] < lat[0, 0]) == ("iScansNegatively" not in mode)


def test_part_of_a_reduced_gaussian_grid_becomes_points(scanned):
    handle = eccodes.codes_new_from_message(make_message("reduced_gg_pl_32_grib2"))
    lats = np.unique(eccodes.codes_get_array(handle, "latitudes"))[::-1]
    pl = eccodes.codes_get_array(handle, "pl")[10:20]
    eccodes.codes_set_array(handle, "pl", pl)
    eccodes.codes_set(handle, "Nj", 10)
    eccodes.codes_set(handle, "latitudeOfFirstGridPointInDegrees", lats[10])
    eccodes.codes_set(handle, "latitudeOfLastGridPointInDegrees", lats[19])
    eccodes.codes_set_values(handle, np.arange(float(pl.sum())))
    message = eccodes.codes_get_message(handle)
    eccodes.codes_release(handle)
    found = scanned(message)
    grid = grid_from_json(found.parts[0].grid)
    assert (grid.kind, grid.size) == ("points", pl.sum())
    np.testing.assert_allclose(np.unique(grid.centres()[1])[::-1], lats[10:20], atol=1e-5)


def test_a_grid_whose_places_lie_elsewhere_is_named(scanned):
    message = make_message("GRIB2", np.zeros(20), gridType="unstructured_grid", numberOfDataPoints=20)
    with pytest.raises(Unsupported, match="unstructured grid"):
        scanned(message)
