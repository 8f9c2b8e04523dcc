"""Cubes opened as Zarr over HTTP, held against the libraries of their formats and against the site's own cube."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import rasterio
import xarray as xr
from pyproj import CRS

from api.zarr.files import grib_values
from site_files import write_netcdf

pytestmark = pytest.mark.server
COLLECTIONS = ["packed", "gaps", "calendar", "forecasts", "messages", "projected"]


def assert_same(theirs: xr.Dataset, mine: xr.Dataset) -> None:
    """All of mine is there, coordinates as coordinates, with its dims, types, values and attributes."""
    assert set(mine.data_vars) == set(theirs.data_vars)
    assert set(mine.coords) <= set(theirs.coords)
    for name in mine.variables:
        one, other = mine[name].variable, theirs[name].variable
        assert (one.dims, one.shape, one.dtype) == (other.dims, other.shape, other.dtype), name
        np.testing.assert_array_equal(one.values, other.values, err_msg=str(name))
    for name in mine.data_vars:
        known = {key: value for key, value in theirs[name].attrs.items() if key != "grid_mapping"}
        assert set(known) <= set(mine[name].attrs)
        for key in ("units", "standard_name", "long_name"):
            assert known.get(key) == mine[name].attrs.get(key), (name, key)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_the_same_cube(server: Any, site: Any, collection: str) -> None:
    assert_same(server.open(collection), site.open_cube(collection))


def test_packed_numbers_are_unpacked(server: Any, truth: Any) -> None:
    found = server.open("packed")
    expected = truth("packed", "t2m")
    assert np.isnan(expected).any()
    np.testing.assert_allclose(found["t2m"].values, expected, rtol=1e-7)
    assert found["mask"].dtype == np.int8
    np.testing.assert_array_equal(found["mask"].values, truth("packed", "mask"))
    assert found["mask"].attrs["flag_meanings"] == "sea land"
    assert found["t2m"].attrs == {"units": "K", "standard_name": "air_temperature", "grid_mapping": "spatial_ref"}


def test_times_of_the_gregorian_calendar(server: Any) -> None:
    times = server.open("packed")["time"].values
    np.testing.assert_array_equal(times, np.datetime64("2024-01-01") + np.arange(50) * np.timedelta64(1, "h"))


def test_months_of_thirty_days(server: Any, files: Path, truth: Any) -> None:
    found = server.open("calendar")
    with netCDF4.Dataset(files / "calendar.nc") as file:
        time = file["time"]
        expected = netCDF4.num2date(time[:], time.units, time.calendar)
    assert list(found["time"].values) == list(expected)
    assert found["time"].encoding["calendar"] == "360_day"
    np.testing.assert_array_equal(found["tas"].values, truth("calendar", "tas"))


def test_steps_members_and_levels(server: Any, truth: Any) -> None:
    found = server.open("forecasts")
    vertical = next(dim for dim in found["ta"].dims if found[dim].attrs.get("axis") == "Z")
    turned = found["ta"].transpose("reference_time", "step", "number", vertical, "lat", "lon")
    np.testing.assert_array_equal(turned.values, truth("forecasts", "ta"))
    np.testing.assert_array_equal(found["step"].values, np.array([0, 90, 180], "m8[m]").astype("m8[ns]"))
    expected = found["reference_time"].values[:, None] + found["step"].values
    np.testing.assert_array_equal(found["valid_time"].values, expected)


def test_what_is_not_stored_is_missing(server: Any, truth: Any, web: Any) -> None:
    found = server.open("gaps")
    assert found["tp"].encoding["chunks"] == (1, 400, 400)
    assert web.get("/gaps/tp/c/0/0/0").status_code == 200
    assert web.get("/gaps/tp/c/1/0/0").status_code == 404
    values = found["tp"].values
    assert np.isnan(values[1]).all()
    np.testing.assert_array_equal(values[[0, 2]], truth("gaps", "tp")[[0, 2]])


def test_grib_bit_for_bit(server: Any, files: Path) -> None:
    found = server.open("messages")
    expected = grib_values(files / "messages.grib")
    (name,) = found.data_vars
    np.testing.assert_array_equal(found[name].values, expected)
    assert np.isnan(expected).sum() == 60


def test_projected(server: Any, files: Path) -> None:
    found = server.open("projected")
    (name,) = found.data_vars
    with rasterio.open(files / "projected.tif") as file:
        expected = file.read(1, masked=True).astype("f4").filled(np.nan)
        system, transform = file.crs, file.transform
    np.testing.assert_array_equal(found[name].values, expected)
    reference = found[found[name].attrs["grid_mapping"]]
    assert CRS.from_wkt(reference.attrs["crs_wkt"]).to_epsg() == system.to_epsg() == 32633
    assert tuple(map(float, reference.attrs["GeoTransform"].split())) == transform.to_gdal()
    assert found["x"].values[0] == 500_015
    assert found["y"].attrs["standard_name"] == "projection_y_coordinate"
    assert {"longitude", "latitude"} <= set(found.coords)
    assert not found["longitude"].variable._in_memory


@pytest.mark.parametrize(
    "path",
    [
        "destine-healpix/tas-healpix2.nc",
        "netcdf-climate/nemo_1m_20150101-20150201_grid-T.nc",
        "netcdf-climate/tas_rotated_grid_EUR11.nc",
        "netcdf-climate/analysed_sst.zarr",
        "grib/pl_regular_ll.grib",
        "grib/healpix_H8.grib2",
        "grib/lambert_grid.grib",
        "grib/t_n48.grib",
    ],
)
def test_real_files(test_data: Path, tmp_path: Path, opening: Any, serving: Any, path: str) -> None:
    with opening(tmp_path / "home", test_data / path) as site, serving(site) as server:
        (collection,) = [one["id"] for one in site.collections()]
        assert_same(server.open(collection), site.open_cube(collection))


def test_healpix_says_its_cells(test_data: Path, tmp_path: Path, opening: Any, serving: Any) -> None:
    file = test_data / "destine-healpix" / "tas-healpix2.nc"
    with opening(tmp_path / "home", file) as site, serving(site) as server:
        found = server.open("tas-healpix2").load()
    with netCDF4.Dataset(file) as source:
        np.testing.assert_array_equal(found["tas"].values, np.squeeze(source["tas"][:]))
    assert found["cell_ids"].attrs == {"grid_name": "healpix", "indexing_scheme": "nested", "level": 5}
    assert found["healpix_index"].attrs["standard_name"] == "healpix_index"
    np.testing.assert_array_equal(found["cell_ids"].values, np.arange(12 * 32 * 32))
    system = found[found["tas"].attrs["grid_mapping"]].attrs
    assert system == {"grid_mapping_name": "healpix", "indexing_scheme": "nested", "refinement_level": 5}


def test_a_point_reads_its_chunks_alone(server: Any, site: Any) -> None:
    opened = server.open("gaps")
    server.asked.clear()
    value = opened["tp"][2, 7, 9].values
    assert value == 2e6 + 7 * 400 + 9
    assert [path for path in server.asked if "/c/" in path] == ["/zarr/gaps/tp/c/2/0/0"]


def test_opening_reads_metadata_and_lines_alone(server: Any) -> None:
    server.asked.clear()
    server.open("projected")
    found = {path.removeprefix("/zarr/projected/") for path in server.asked}
    assert "zarr.json" in found
    assert {path for path in found if "/c/" in path} <= {"x/c/0", "y/c/0", "time/c/0"}


def test_many_files_of_unequal_length(tmp_path: Path, opening: Any, serving: Any) -> None:
    data = tmp_path / "data"
    data.mkdir()
    parts, start = [], 0
    for number, length in enumerate([31, 28, 31, 30, 7]):
        parts.append(write_netcdf(data / f"{number}.nc", hours=range(start, start + length)))
        start += length
    with opening(tmp_path / "home", data) as site, serving(site) as server:
        (collection,) = [one["id"] for one in site.collections()]
        found = server.open(collection)
        assert_same(found, site.open_cube(collection))
    np.testing.assert_array_equal(found["t2m"].values, np.concatenate(parts))


def test_tiles_side_by_side_with_a_hole(tmp_path: Path, opening: Any, serving: Any) -> None:
    data = tmp_path / "data"
    data.mkdir()
    values = np.arange(1, 1201, dtype="u2").reshape(30, 40)
    profile = {"driver": "GTiff", "dtype": "uint16", "count": 1, "width": 40, "height": 30, "nodata": 0}
    for name, column, add in (("tile_a", 0, 0), ("tile_b", 80, 5000)):
        where = rasterio.transform.from_origin(500_000 + column * 30, 5_800_000, 30, 30)
        with rasterio.open(data / f"{name}.tif", "w", transform=where, crs="EPSG:32633", **profile) as out:
            out.write(values + add, 1)
            out.set_band_description(1, "height")
    with opening(tmp_path / "home") as site, serving(site) as server:
        assert not site.add(data, collection="tiles").failures
        opened = server.open("tiles")
        (name,) = opened.data_vars
        found = opened[name].values
    assert found.shape[-2:] == (30, 120)
    np.testing.assert_array_equal(found[..., :40].squeeze(), values)
    np.testing.assert_array_equal(found[..., 80:].squeeze(), values + 5000)
    assert np.isnan(found[..., 40:80]).all()


def test_stations(tmp_path: Path, opening: Any, serving: Any) -> None:
    file = tmp_path / "stations.csv"
    rows = [
        f"{name},{lon},{lat},2024-01-0{day}T00:00:00Z,{10 * number + day}"
        for number, (name, lon, lat) in enumerate([("Berlin", 13.4, 52.5), ("Suva", 178.4, -18.1)])
        for day in (1, 2, 3)
    ]
    file.write_text("\n".join(["station,longitude,latitude,time,temperature", *rows]))
    with opening(tmp_path / "home", file) as site, serving(site) as server:
        found = server.open("stations").load()
        assert_same(found, site.open_cube("stations"))
    np.testing.assert_array_equal(found["temperature"].transpose("cell", "time"), [[1, 2, 3], [11, 12, 13]])
    np.testing.assert_allclose(found["longitude"], [13.4, 178.4])


def test_an_axis_of_text(tmp_path: Path, opening: Any, serving: Any) -> None:
    file = tmp_path / "scenarios.nc"
    names = np.array(["ssp126", "ssp585", "Ångström"], dtype=object)
    values = np.arange(3 * 10 * 12, dtype="f4").reshape(3, 10, 12)
    coords = {"scenario": names, "lat": np.arange(10.0), "lon": np.arange(12.0)}
    made = xr.Dataset({"tas": (("scenario", "lat", "lon"), values, {"units": "K"})}, coords)
    made["lat"].attrs["units"], made["lon"].attrs["units"] = "degrees_north", "degrees_east"
    made.to_netcdf(file, engine="netcdf4")
    with opening(tmp_path / "home", file) as site, serving(site) as server:
        found = server.open("scenarios").load()
    assert list(found["scenario"].values) == list(names)
    np.testing.assert_array_equal(found["tas"].sel(scenario="ssp585"), values[1])
