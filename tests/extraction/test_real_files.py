"""Extractions from real files against ecCodes, netCDF4, astropy-healpix and rasterio."""

import eccodes
import netCDF4
import numpy as np
import pyproj  # noqa: F401 -- before ecCodes
import pytest
import shapely
import shapely.geometry
from astropy import units
from astropy_healpix import HEALPix

from terrella.contracts.cubes import Origin
from terrella.contracts.loading import load
from terrella.cubes.assembling import assemble
from terrella.cubes.cubes import Cubes
from terrella.extraction.extract import Extractor
from terrella.extraction.limits import Limits
from terrella.model.caller import OPERATOR
from terrella.model.extraction import Area, Box, Circle, Everything, Extraction, Points
from terrella.model.ids import CollectionId
from terrella.model.space import EARTH_RADIUS_M, Extent, LonLat
from terrella.model.time import parse_interval


class Files:
    """A catalogue of one collection, made of whole files."""

    def __init__(self, fmt, *hrefs):
        made = load("formats", fmt)()
        scans = [(str(href), scan) for href in hrefs for scan in made.scan(str(href))]
        self.index = assemble((href, part, href, fmt) for href, scan in scans for part in scan.parts)
        self.origin = Origin("lake", str(hrefs[0]), "1")
        self.site = Extractor(self, Cubes(threads=2), Limits())

    def open(self, caller, collection):
        return self.index, self.origin

    def ask(self, shape, **more):
        return self.site.extract(OPERATOR, Extraction(CollectionId("test"), shape, **more))


def test_a_month_of_hourly_grib_at_a_town(test_data):
    path = test_data / "grib" / "era5-2mt-2019-03-uk.grib"
    expected = []
    with path.open("rb") as file:
        while (message := eccodes.codes_grib_new_from_file(file)) is not None:
            (near,) = eccodes.codes_grib_find_nearest(message, 51.5, -0.1)
            expected.append(near.value)
            eccodes.codes_release(message)
    files = Files("grib", path)
    found = files.ask(Points((LonLat(-0.1, 51.5),)), variables=("167",))
    np.testing.assert_array_equal(found.dataset["2t"].values[:, 0], np.array(expected, dtype="f4"))
    assert (float(found.dataset.longitude[0]), float(found.dataset.latitude[0])) == (near.lon, near.lat)
    assert len(expected) == found.dataset.time.size == 744
    assert 0 < found.receipt.bytes_read <= path.stat().st_size
    day = files.ask(Points((LonLat(-0.1, 51.5),)), interval=parse_interval("2019-03-05")).dataset
    np.testing.assert_array_equal(day["2t"].values[:, 0], np.array(expected[96:120], dtype="f4"))


def test_a_polygon_of_a_nested_healpix_field(test_data):
    path = test_data / "destine-healpix" / "tas-healpix2.nc"
    with netCDF4.Dataset(path) as file:
        expected = np.ma.filled(file["tas"][:].astype("f4"), np.nan)
    area = shapely.geometry.Polygon(
        [(-9, 36), (3, 42), (16, 38), (25, 36), (30, 60), (5, 62), (-9, 36)], [[(10, 45), (15, 45), (12, 50), (10, 45)]]
    )
    lon, lat = HEALPix(nside=32, order="nested").healpix_to_lonlat(np.arange(12 * 32 * 32))
    lon = np.asarray(lon.wrap_at(180 * units.deg).to_value(units.deg))
    lat = np.asarray(lat.to_value(units.deg))
    inside = np.flatnonzero(shapely.contains_xy(area, lon, lat))
    assert 100 < inside.size < 1000
    found = Files("netcdf3", path).ask(Area(dict(shapely.geometry.mapping(area)))).dataset
    np.testing.assert_array_equal(found.tas.values, expected[:, inside])
    np.testing.assert_allclose(found.longitude.values, lon[inside], atol=1e-9)
    np.testing.assert_allclose(found.latitude.values, lat[inside], atol=1e-9)


def test_a_box_of_sea_surface_temperature_over_the_date_line(test_data):
    path = test_data / "netcdf-climate" / "ersstv5_sst_monthly_2010-2020.nc"
    with netCDF4.Dataset(path) as file:
        expected = np.ma.filled(file["sst"][:].astype("f8"), np.nan)
        lat, lon = file["lat"][:].data, file["lon"][:].data
    rows = np.flatnonzero(np.abs(lat) <= 11)
    cols = np.flatnonzero((lon >= 170) & (lon <= 200))
    files = Files("hdf5", path)
    for longitudes in ((-180.0, 180.0), (0.0, 360.0)):
        shape = Box(Extent.of(170, -11, -160, 11))
        found = files.ask(shape, longitudes=longitudes, interval=parse_interval("2015")).dataset
        assert found.sizes == {"time": 12, "lat": 11, "lon": 16}
        np.testing.assert_array_equal(found.lon.values, lon[cols])
        np.testing.assert_allclose(found.sst.values, expected[60:72, rows][..., cols], rtol=1e-6)
    east = files.ask(Everything(), interval=parse_interval("2015-01")).dataset
    assert (east.lon.values[0], east.lon.values[-1]) == (-180, 178)
    np.testing.assert_allclose(east.sst.values[0], np.roll(expected[60], 90, axis=-1), rtol=1e-6)


def test_a_circle_on_a_tripolar_ocean_grid(test_data):
    path = test_data / "netcdf-climate" / "nemo_1m_20150101-20150201_grid-T.nc"
    with netCDF4.Dataset(path) as file:
        expected = np.ma.filled(file["tos"][:].astype("f8"), np.nan).ravel()
        lon, lat = np.radians(file["nav_lon"][:].data.ravel()), np.radians(file["nav_lat"][:].data.ravel())
    here = np.radians(-30.0), np.radians(45.0)
    a = np.sin((lat - here[1]) / 2) ** 2 + np.cos(here[1]) * np.cos(lat) * np.sin((lon - here[0]) / 2) ** 2
    inside = np.flatnonzero(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(a)) <= 700_000)
    found = Files("hdf5", path).ask(Circle(LonLat(-30, 45), 700_000)).dataset
    np.testing.assert_allclose(found.tos.values.ravel(), expected[inside], rtol=1e-6)


def test_two_days_in_two_files_are_one_cube(test_data):
    paths = sorted((test_data / "netcdf-climate").glob("*OSTIA*.nc"))
    expected = []
    for path in paths:
        with netCDF4.Dataset(path) as file:
            expected.append(np.ma.filled(file["analysed_sst"][0, 200:220, 300:320].astype("f8"), np.nan))
            lat, lon = file["lat"][:].data, file["lon"][:].data
    files = Files("netcdf3", *paths)
    extent = Extent.of(float(lon[300]), float(lat[200:220].min()), float(lon[319]), float(lat[200:220].max()))
    found = files.ask(Box(extent), variables=("analysed_sst",)).dataset
    assert found.sizes == {"time": 2, "lat": 20, "lon": 20}
    np.testing.assert_allclose(found.analysed_sst.values, np.array(expected), rtol=1e-6)


@pytest.mark.filterwarnings("ignore:.*_FillValue:UserWarning", "ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(
    ("fmt", "name"),
    [
        ("hdf5", "netcdf-climate/tas_Amon_CanESM2_rcp85_r1i1p1_200701-200712.nc"),
        ("hdf5", "netcdf-climate/A1B_north_america.nc"),
        ("netcdf3", "netcdf-climate/tas_rotated_grid_EUR11.nc"),
        ("netcdf3", "netcdf-climate/eraint_uvz.nc"),
        ("netcdf3", "netcdf-climate/triangular_grid_ICON.nc"),
    ],
)
def test_everything_equals_what_netcdf4_reads(test_data, fmt, name):
    files = Files(fmt, test_data / name)
    found = files.ask(Everything()).dataset
    with netCDF4.Dataset(test_data / name) as file:
        for one in found:
            expected = np.ma.filled(file[one][:].astype("f8"), np.nan)
            values = found[one].values
            np.testing.assert_allclose(np.sort(values.ravel()), np.sort(expected.ravel()), rtol=1e-6)
