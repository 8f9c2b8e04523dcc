"""Reductions of real files: ensembles in GRIB, HEALPix, a 360-day calendar, missing land; against numpy and xarray."""

import warnings

import netCDF4
import numpy as np
import pytest
import xarray as xr

from terrella.contracts.cubes import Origin
from terrella.contracts.loading import load
from terrella.cubes.assembling import assemble
from terrella.cubes.cubes import Cubes
from terrella.extraction import streaming
from terrella.extraction.extract import Extractor
from terrella.extraction.limits import Limits
from terrella.model.caller import OPERATOR
from terrella.model.extraction import Everything, Extraction, Region
from terrella.model.ids import CollectionId
from terrella.model.reduction import parse_cells, parse_reductions


class Files:
    """A catalogue of one collection, made of one file."""

    def __init__(self, fmt, href):
        made = load("formats", fmt)()
        self.index = assemble((str(href), part, str(href), fmt) for scan in made.scan(str(href)) for part in scan.parts)
        self.origin = Origin("lake", str(href), "1")
        self.site = Extractor(self, Cubes(threads=2), Limits())

    def open(self, caller, collection):
        return self.index, self.origin

    def ask(self, reduce, shape=None, **more):
        request = Extraction(CollectionId("test"), shape or Everything(), reduce=parse_reductions(reduce), **more)
        return self.site.extract(OPERATOR, request).dataset


@pytest.fixture(params=[4_000_000, 20_000])
def block(request, monkeypatch):
    monkeypatch.setattr(streaming, "BLOCK", request.param)


def netcdf(path):
    """Which of both formats that are called NetCDF."""
    return "netcdf3" if path.read_bytes()[:3] == b"CDF" else "hdf5"


def sphere_weights(lat, half):
    lat = np.asarray(lat, dtype=np.float64)
    south, north = np.clip(lat - half, -90, 90), np.clip(lat + half, -90, 90)
    return np.sin(np.radians(north)) - np.sin(np.radians(south))


def test_the_warming_of_a_year_is_known(test_data, block):
    """ERA5 2000: global monthly means of 2 m temperature are 285.2 K in January, 289.2 K in July."""
    path = test_data / "netcdf-climate" / "era5_2t_monthly_2000_2p5deg.nc"
    found = Files(netcdf(path), path).ask("mean:space")
    (name,) = found.data_vars
    months = found[name].values.ravel()
    assert abs(months[0] - 285.2) < 0.1
    assert abs(months[6] - 289.2) < 0.1


def test_years_of_360_days(test_data, block):
    path = test_data / "netcdf-climate" / "A1B_north_america.nc"
    found = Files(netcdf(path), path).ask("mean:time:year,mean:space:equal")
    (name,) = found.data_vars
    with netCDF4.Dataset(path) as file:
        values = np.ma.filled(file[name][:].astype("f8"), np.nan)
    np.testing.assert_allclose(found[name].values.squeeze(), values.reshape(len(values), -1).mean(axis=1), rtol=1e-6)
    assert {at.calendar for at in found.time.values} == {"360_day"}
    assert all((at.month, at.day) == (1, 1) for at in found.time.values)


def test_sea_temperatures_leave_land_out(test_data, block):
    path = test_data / "netcdf-climate" / "ersstv5_sst_monthly_2010-2020.nc"
    files = Files(netcdf(path), path)
    with xr.open_dataset(path, engine="netcdf4") as data:
        sst = data.sst.astype("f8").load()
    found = files.ask("mean:space", variables=("sst",))
    expected = sst.weighted(xr.DataArray(sphere_weights(sst.lat, 1), dims="lat")).mean(["lat", "lon"])
    np.testing.assert_allclose(found.sst.values.squeeze(), expected.values.squeeze(), rtol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        monthly = (
            sst.groupby("time.month")
            .mean()
            .weighted(xr.DataArray(sphere_weights(sst.lat, 1), dims="lat"))
            .mean(["lat", "lon"])
        )
    found = files.ask("mean:time:climatology-month,mean:space", variables=("sst",))
    np.testing.assert_allclose(found.sst.values.squeeze(), monthly.values.squeeze(), rtol=1e-6)


def test_members_of_an_ensemble(test_data, block):
    path = test_data / "grib" / "era5-levels-members.grib"
    files = Files("grib", path)
    whole = files.site.extract(OPERATOR, Extraction(CollectionId("test"), Everything(), ("t",))).dataset.t.astype("f8")
    axis = whole.dims.index("number")
    for text, expected in (
        ("quantile(0.9):number", np.quantile(whole.values, 0.9, axis=axis)),
        ("std:number", whole.values.std(axis=axis)),
        ("exceedance(280):number", (whole.values > 280).mean(axis=axis)),
    ):
        found = files.ask(text, variables=("t",)).t
        np.testing.assert_allclose(found.values, expected, rtol=1e-6)
        assert "number" not in found.dims


def test_healpix_pixels_are_equal(test_data, block):
    path = test_data / "destine-healpix" / "tas-healpix2.nc"
    files = Files(netcdf(path), path)
    with netCDF4.Dataset(path) as file:
        values = np.asarray(file["tas"][:], dtype="f8").reshape(12, -1)
    np.testing.assert_allclose(files.ask("mean:space").tas.values, values.mean(axis=1))
    np.testing.assert_allclose(files.ask("median:space:equal").tas.values, np.median(values, axis=1))
    brazil = files.ask("count:space", Region("Brazil"), cells=parse_cells("overlap")).tas.values
    pixel = 510_072_000 / (12 * 32**2)
    assert abs(brazil[0] * pixel / 8_516_000 - 1) < 0.03  # shares of pixels add up to the country, in km2
