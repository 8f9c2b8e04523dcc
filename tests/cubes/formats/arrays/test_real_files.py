"""Every staged NetCDF file and Zarr store: values, times and places against netCDF4, cftime and zarr."""

from __future__ import annotations

import warnings
from pathlib import Path

import cftime
import netCDF4
import numpy as np
import pytest
import zarr

from terrella.grids import grid_from_json

# file: (variables expected, name of time variable or None, latitude and longitude variables or None)
FILES = {
    "netcdf-climate/20170605120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc": (2, "time", ("lat", "lon")),
    "netcdf-climate/20170606120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc": (2, "time", ("lat", "lon")),
    "netcdf-climate/A1B_north_america.nc": (1, "time", ("latitude", "longitude")),
    "netcdf-climate/basin_mask.nc": (1, None, ("Y", "X")),
    "netcdf-climate/bcsd_obs_1999.nc": (2, "time", ("latitude", "longitude")),
    "netcdf-climate/coads_sst.nc": (4, "TIME", ("COADSY", "COADSX")),
    "netcdf-climate/daily_surface_cancities_1990-1993.nc": (24, "time", ("lat", "lon")),
    "netcdf-climate/era5_1995-07-14T12.nc": (7, "time", ("latitude", "longitude")),
    "netcdf-climate/era5_2t_monthly_2000_2p5deg.nc": (1, "time", ("lat", "lon")),
    "netcdf-climate/eraint_uvz.nc": (3, None, ("latitude", "longitude")),
    "netcdf-climate/ersstv5_sst_monthly_2010-2020.nc": (1, "time", ("lat", "lon")),
    "netcdf-climate/nemo_1m_20150101-20150201_grid-T.nc": (1, "time_centered", ("nav_lat", "nav_lon")),
    "netcdf-climate/ostia_monthly.nc": (1, "time", ("latitude", "longitude")),
    "netcdf-climate/tas_Amon_CanESM2_rcp85_r1i1p1_200701-200712.nc": (1, "time", ("lat", "lon")),
    "netcdf-climate/tas_rotated_grid_EUR11.nc": (1, "time", None),
    "netcdf-climate/tmmx_20190121.nc": (1, "day", ("lat", "lon")),
    "netcdf-climate/triangular_grid_ICON.nc": (2, None, ("clat", "clon")),
    "destine-healpix/tas-healpix2.nc": (1, "time", ("lat", "lon")),
    "imagery/OR_ABI-L2-LSTM2-M6_G16_s20211381700538_e20211381700595_c20211381701211.nc": (2, "t", None),
}


@pytest.mark.parametrize("name", FILES, ids=lambda name: name.rsplit("/", 1)[-1][:30])
def test_as_netcdf4_reads_it(test_data: Path, scan, values, arrays, name: str) -> None:
    path = test_data / name
    found = scan(path)
    count, time, places = FILES[name]
    named = arrays(found)
    assert len(named) == count, found.notes
    with netCDF4.Dataset(path) as dataset:
        for key, (part, array) in named.items():
            expected = _filled(dataset[key])
            got = _in_file_order(values(path, array), array)
            np.testing.assert_allclose(got, expected.reshape(got.shape), rtol=2e-6, atol=1e-9, err_msg=key)
            if time and "time" in array.dims:
                _same_times(part, dataset[time])
            if places:
                _same_places(part, dataset, places)


def _filled(variable: netCDF4.Variable) -> np.ndarray:
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # _FillValue of integers is NaN in one file: netCDF4 does not use it and says so
        masked = np.ma.asarray(variable[...])
    return np.ma.filled(masked.astype(np.float64), np.nan)


def _in_file_order(values: np.ndarray, array) -> np.ndarray:
    plain = values.squeeze(axis=tuple(array.codec.get("insert", ())))
    order = array.codec.get("transpose")
    return plain if order is None else plain.transpose(np.argsort(order))


def _same_times(part, variable: netCDF4.Variable) -> None:
    axis = next(one for one in part.axes if one.name == "time")
    expected = np.atleast_1d(cftime.num2date(variable[...], variable.units, getattr(variable, "calendar", "standard")))
    got = cftime.num2date(axis.values, "milliseconds since 1970-01-01", axis.calendar)
    for one, other in zip(got, expected, strict=True):
        assert (
            abs(
                (
                    one - cftime.datetime(*other.timetuple()[:6], other.microsecond, calendar=axis.calendar)
                ).total_seconds()
            )
            < 0.001
        )


def _same_places(part, dataset: netCDF4.Dataset, names: tuple[str, str]) -> None:
    lat, lon = (np.ma.filled(np.ma.asarray(dataset[name][...], dtype=np.float64), np.nan) for name in names)
    if getattr(dataset[names[0]], "units", "").startswith("rad"):
        lat, lon = np.degrees(lat), np.degrees(lon)
    if dataset[names[0]].dimensions != dataset[names[1]].dimensions:
        lat, lon = np.meshgrid(lat, lon, indexing="ij")
    got_lon, got_lat = grid_from_json(part.grid).centres()
    has_place = np.isfinite(got_lat)
    assert has_place.mean() > 0.5
    np.testing.assert_allclose(got_lat[has_place], lat.ravel()[has_place], atol=2e-5)
    off = (got_lon - lon.ravel() + 180.0) % 360.0 - 180.0
    away = np.abs(off[has_place & (np.abs(lat.ravel()) < 89.9)])
    assert away.max() < 5e-5


def test_sentinel2_bands_with_a_latin1_attribute(test_data: Path, scan, values, arrays) -> None:
    from scipy.io import netcdf_file

    for name in ("blue", "green", "nir", "red", "swir1", "swir2"):
        path = test_data / "imagery" / "sentinel2-bands" / f"{name}_band.nc"
        (part, array) = arrays(scan(path))[f"{name}_band"]
        assert part.grid["crs"] == "EPSG:32719"
        with netcdf_file(path, mmap=False) as file:
            np.testing.assert_array_equal(values(path, array), file.variables["__xarray_dataarray_variable__"][:])
            grid = grid_from_json(part.grid)
            np.testing.assert_allclose(grid.coordinates()["x"], file.variables["x"][:])
            np.testing.assert_allclose(grid.coordinates()["y"], file.variables["y"][:])


def test_zarr_folder(test_data: Path, scan, values, arrays) -> None:
    path = test_data / "netcdf-climate" / "analysed_sst.zarr"
    store = zarr.open_group(path, mode="r")
    named = arrays(scan(path))
    assert set(named) == {"analysed_sst", "analysis_error", "mask", "sea_ice_fraction"}
    for name, (_, array) in named.items():
        raw = np.asarray(store[name][:]).astype(np.float64)
        _same_as_cf(raw, store[name], values(path, array))


def test_zarr_zip(test_data: Path, scan, values, arrays) -> None:
    path = test_data / "netcdf-climate" / "sic_daily_sample.zarr.zip"
    with zarr.storage.ZipStore(path, mode="r") as zipped:
        store = zarr.open_group(zipped, path="sic_daily_sample.zarr", mode="r")
        (part, array) = arrays(scan(path))["siconc"]
        _same_as_cf(np.asarray(store["siconc"][:]).astype(np.float64), store["siconc"], values(path, array))
        lat = grid_from_json(part.grid).coordinates()["lat"]
        np.testing.assert_allclose(lat, np.asarray(store["latitude"][:]), atol=2e-5)


def _same_as_cf(raw: np.ndarray, array: zarr.Array, got: np.ndarray) -> None:
    attrs = array.attrs
    gone = (raw == array.fill_value) | (raw < attrs["valid_min"]) | (raw > attrs["valid_max"])
    expected = np.where(gone, np.nan, raw * attrs.get("scale_factor", 1.0) + attrs.get("add_offset", 0.0))
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_what_these_grids_are(test_data: Path, scan) -> None:
    kinds = {
        "destine-healpix/tas-healpix2.nc": "healpix",
        "netcdf-climate/tas_rotated_grid_EUR11.nc": "rotated",
        "netcdf-climate/nemo_1m_20150101-20150201_grid-T.nc": "curvilinear",
        "netcdf-climate/triangular_grid_ICON.nc": "points",
        "netcdf-climate/tas_Amon_CanESM2_rcp85_r1i1p1_200701-200712.nc": "rectilinear",
        "netcdf-climate/eraint_uvz.nc": "regular",
        "imagery/OR_ABI-L2-LSTM2-M6_G16_s20211381700538_e20211381700595_c20211381701211.nc": "projected",
    }
    for name, kind in kinds.items():
        assert scan(test_data / name).parts[0].grid["kind"] == kind, name
    pixels = scan(test_data / "destine-healpix/tas-healpix2.nc").parts[0].grid
    assert (pixels["nside"], pixels["order"]) == (32, "nested")


def test_goes_lies_where_it_says(test_data: Path, scan) -> None:
    name = "OR_ABI-L2-LSTM2-M6_G16_s20211381700538_e20211381700595_c20211381701211.nc"
    extent = grid_from_json(scan(test_data / "imagery" / name).parts[0].grid).extent()
    with netCDF4.Dataset(test_data / "imagery" / name) as dataset:
        said = dataset["geospatial_lat_lon_extent"]
        assert abs(extent.west - float(said.geospatial_westbound_longitude)) < 0.1
        assert abs(extent.north - float(said.geospatial_northbound_latitude)) < 0.1
        assert abs(extent.south - float(said.geospatial_southbound_latitude)) < 0.1


def test_odd_times(test_data: Path, scan) -> None:
    icon = {axis.name: axis for axis in scan(test_data / "netcdf-climate/triangular_grid_ICON.nc").parts[0].axes}
    assert str(icon["time"].values.astype("M8[ms]")[0])[:10] == "2098-11-18"
    eraint = {axis.name: axis for axis in scan(test_data / "netcdf-climate/eraint_uvz.nc").parts[0].axes}
    assert eraint["level"].kind == "vertical"
    assert eraint["level"].units == "millibars"
    assert eraint["level"].values.tolist() == [200, 500, 850]
    assert eraint["month"].values.tolist() == [1, 7]
    cities = scan(test_data / "netcdf-climate/daily_surface_cancities_1990-1993.nc")
    assert "Montréal" in cities.attrs["place_names"]
