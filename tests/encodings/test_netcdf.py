from __future__ import annotations

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import netCDF4
import numpy as np
import xarray as xr

from terrella.encodings.netcdf import NetCdf

FEATURES = {
    "point": "point",
    "series": "timeSeries",
    "several_series": "timeSeries",
    "profile": "timeSeriesProfile",
    "series_of_profiles": "timeSeriesProfile",
    "trajectory": "trajectory",
    "odd_calendar": "timeSeries",
}


def test_xarray_opens_it_clean(dataset, extracted, tmp_path: Path) -> None:
    (tmp_path / "a.nc").write_bytes(NetCdf().encode(extracted(dataset)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xr.open_dataset(tmp_path / "a.nc", engine="netcdf4") as found:
            for name in dataset.data_vars:
                given = dataset[name].transpose(*found[name].dims)
                np.testing.assert_array_equal(found[name].values, given.values)
            for name in dataset.coords:
                if dataset[name].dtype.kind != "m":
                    np.testing.assert_array_equal(found[name].values, dataset[name].values, err_msg=str(name))


def test_shape_is_named(shape, dataset, extracted) -> None:
    with netCDF4.Dataset("a", memory=NetCdf().encode(extracted(dataset))) as file:
        assert file.Conventions == "CF-1.11"
        assert getattr(file, "featureType", None) == FEATURES.get(shape)
        if shape in FEATURES and shape != "point":
            assert [name for name in file.variables if hasattr(file[name], "cf_role")]


def test_instances_come_first(shapes, extracted) -> None:
    with netCDF4.Dataset("a", memory=NetCdf().encode(extracted(shapes["several_series"]()))) as file:
        assert file["t2m"].dimensions == ("point", "time")
        assert set(file["t2m"].coordinates.split()) == {"longitude", "latitude", "timeseries"}
        assert file["t2m"].units == "K"


def test_receipt_and_licence(shapes, extracted) -> None:
    with netCDF4.Dataset("a", memory=NetCdf().encode(extracted(shapes["grid"]()))) as file:
        assert file.license == "CC-BY-4.0"
        assert json.loads(file.terrella_receipt)["request"] == "ab" * 32
        assert file["lat"].axis == "Y"


def test_projection_is_a_grid_mapping(shapes, extracted) -> None:
    with netCDF4.Dataset("a", memory=NetCdf().encode(extracted(shapes["projected"]()))) as file:
        assert file["height"].grid_mapping == "crs"
        assert file["crs"].grid_mapping_name == "lambert_azimuthal_equal_area"


def test_many_threads_at_once(shapes, extracted) -> None:
    answers = [extracted(shapes["grid"]()) for _ in range(40)]
    with ThreadPoolExecutor(8) as pool:
        sizes = {len(text) for text in pool.map(NetCdf().encode, answers)}
    assert len(sizes) == 1


def test_text_of_places(shapes, extracted, tmp_path: Path) -> None:
    dataset = shapes["several_series"]().assign_coords(station=("point", ["a", "bc", "déf"]))
    (tmp_path / "a.nc").write_bytes(NetCdf().encode(extracted(dataset)))
    with xr.open_dataset(tmp_path / "a.nc", engine="netcdf4") as found:
        assert found.station.values.tolist() == ["a", "bc", "déf"]
