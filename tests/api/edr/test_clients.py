"""The clients that people have: OWSLib, GDAL, xarray, pandas, rasterio."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import xarray as xr
from owslib.ogcapi.edr import EnvironmentalDataRetrieval

NOON = "2024-01-01T12:00:00Z"


@pytest.fixture(scope="module")
def owslib(server):
    return EnvironmentalDataRetrieval(f"{server}/ogc/")


def test_owslib_finds_the_collections(owslib) -> None:
    assert set(owslib.data()) == {"weather", "ensemble", "stations"}
    assert owslib.collection("weather")["id"] == "weather"
    assert owslib.conformance()["conformsTo"]
    assert "paths" in owslib.api()


def test_owslib_reads_a_series(owslib, truth) -> None:
    answer = owslib.query_data(
        "weather",
        "position",
        coords="POINT(13.4 52.5)",
        parameter_names=["t2m"],
        datetime_=f"2024-01-01T00:00:00Z/{NOON}",
    )
    document = answer if isinstance(answer, dict) else json.load(answer)
    found = document["ranges"]["t2m"]["values"]
    np.testing.assert_array_equal(np.array(found, "f4"), truth.t2m.sel(lat=50, lon=10).to_numpy()[:5])


def test_owslib_reads_a_cube(owslib, truth) -> None:
    answer = owslib.query_data("weather", "cube", bbox=[170, -10, -170, 10], parameter_names=["t2m"], datetime_=NOON)
    document = answer if isinstance(answer, dict) else json.load(answer)
    assert document["ranges"]["t2m"]["shape"] == [1, 3, 3]
    wanted = truth.t2m.sel(lat=[10, 0, -10], lon=[170, 180, 190]).to_numpy()[4]
    np.testing.assert_array_equal(np.array(document["ranges"]["t2m"]["values"], "f4"), wanted.ravel())


def test_gdal_reads_geojson_and_csv(server, truth) -> None:
    url = f"{server}/ogc/collections/weather/area?coords=POLYGON((-25 -25,25 -25,25 25,-25 25,-25 -25))&parameter-name=t2m&datetime={NOON}"
    frame = pyogrio.read_dataframe(f"/vsicurl_streaming/{url}&f=geojson".replace(" ", "%20"))
    assert len(frame) == 25
    for row in frame.itertuples():
        assert np.float32(row.t2m) == truth.t2m.sel(lat=row.geometry.y, lon=row.geometry.x % 360).to_numpy()[4]


def test_xarray_opens_netcdf(edr, truth, tmp_path: Path) -> None:
    answer = edr.get("/collections/weather/cube?bbox=0,-30,50,30&f=netcdf&parameter-name=t2m")
    (tmp_path / "a.nc").write_bytes(answer.content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = xr.load_dataset(tmp_path / "a.nc", engine="netcdf4")
    wanted = truth.t2m.sel(lat=slice(30, -30), lon=slice(0, 50))
    np.testing.assert_array_equal(found.t2m.to_numpy(), wanted.to_numpy())
    np.testing.assert_array_equal(found.time.to_numpy(), truth.time.to_numpy())
    assert found.attrs["license"] == "CC-BY-4.0"


def test_pandas_reads_parquet(edr, truth) -> None:
    answer = edr.get("/collections/weather/position?coords=POINT(30 30)&f=parquet&parameter-name=t2m")
    frame = pd.read_parquet(io.BytesIO(answer.content))
    np.testing.assert_array_equal(frame.t2m.to_numpy(), truth.t2m.sel(lat=30, lon=30).to_numpy())
    assert str(frame.time.dtype).endswith("UTC]")


def test_rasterio_reads_a_box_over_the_antimeridian(edr, truth) -> None:
    answer = edr.get(f"/collections/weather/cube?bbox=170,-10,-170,10&f=geotiff&parameter-name=t2m&datetime={NOON}")
    with rasterio.MemoryFile(answer.content) as memory, memory.open() as found:
        assert tuple(found.bounds) == (165, -15, 195, 15)
        np.testing.assert_array_equal(found.read(1), truth.t2m.sel(lat=[10, 0, -10], lon=[170, 180, 190]).to_numpy()[4])
