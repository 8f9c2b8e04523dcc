"""Reductions and choices of cells over HTTP, in every format, against xarray on what went in."""

from __future__ import annotations

import io
import json

import httpx
import numpy as np
import pandas as pd
import pytest
import xarray as xr

AREA = "POLYGON((-5 5,55 5,55 45,-5 45,-5 5))"


def ask(edr: httpx.Client, path: str, **params: str) -> httpx.Response:
    return edr.get(f"/collections/{path}", params={name.replace("_", "-"): value for name, value in params.items()})


def weights(lat: xr.DataArray) -> xr.DataArray:
    """Areas of cells of 10 degrees, exact."""
    half = np.radians(5)
    return np.sin(np.radians(lat) + half) - np.sin(np.radians(lat) - half)


def test_a_zonal_mean_is_one_number_a_time(edr, truth):
    found = ask(edr, "weather/area", coords=AREA, parameter_name="t2m", reduce="mean:space")
    assert found.status_code == 200, found.text
    coverage = found.json()
    assert coverage["domain"]["domainType"] == "PolygonSeries"
    inside = truth.t2m.sel(lat=slice(40, 10), lon=slice(0, 50)).astype("f8")
    expected = inside.weighted(weights(inside.lat)).mean(["lat", "lon"])
    np.testing.assert_allclose(coverage["ranges"]["t2m"]["values"], expected.values)
    assert coverage["terrella:receipt"]["reduced"] == ["mean:space"]
    assert "area of each cell" in coverage["terrella:receipt"]["weights_over_space"]
    assert int(found.headers["Terrella-Plan"].split("values=")[1].split(",")[0]) == truth.time.size


def test_daily_maxima_of_a_box_are_maps_with_bounds(edr, truth):
    found = ask(edr, "weather/cube", bbox="0,10,50,40", parameter_name="t2m", reduce="max:time:day")
    axes = found.json()["domain"]["axes"]
    assert axes["t"] == {
        "values": ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"],
        "bounds": ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"],
    }
    expected = truth.t2m.sel(lat=slice(40, 10), lon=slice(0, 50)).resample(time="D").max()
    values = np.array(found.json()["ranges"]["t2m"]["values"]).reshape(2, 4, 6)
    order = 1 if axes["y"]["values"][0] == 40 else -1
    np.testing.assert_allclose(values[:, ::order], expected.values)


def test_ensemble_percentiles_and_probabilities(edr, members):
    here = members.t.sel(lat=50, lon=10).astype("f8")
    found = ask(edr, "ensemble/position", coords="POINT(10 50)", z="850", reduce="quantile(0.9):number")
    np.testing.assert_allclose(
        found.json()["ranges"]["t"]["values"], here.sel(pressure=850).quantile(0.9, "number").values
    )
    limit = float(here[1, 2, 1])
    found = ask(edr, "ensemble/position", coords="POINT(10 50)", z="850", reduce=f"exceedance({limit - 1}):number")
    expected = (here.sel(pressure=850) > limit - 1).mean("number").to_numpy()
    np.testing.assert_allclose(found.json()["ranges"]["t"]["values"], expected)
    units = found.json()["parameters"]["t"]["unit"]["symbol"]
    assert units in ("1", {"value": "1", "type": "http://www.opengis.net/def/uom/UCUM/"})


@pytest.mark.parametrize("f", ["covjson", "netcdf", "csv", "parquet", "geojson"])
def test_every_format_holds_a_reduced_answer(edr, truth, f):
    found = ask(edr, "weather/cube", bbox="0,10,50,40", parameter_name="t2m", reduce="mean:space,mean:time:day", f=f)
    assert found.status_code == 200, found.text
    inside = truth.t2m.sel(lat=slice(40, 10), lon=slice(0, 50)).astype("f8")
    expected = inside.weighted(weights(inside.lat)).mean(["lat", "lon"]).resample(time="D").mean().to_numpy()
    np.testing.assert_allclose(values_in(f, found.content), expected)


def values_in(f, content):
    if f == "covjson":
        return json.loads(content)["ranges"]["t2m"]["values"]
    if f == "csv":
        return pd.read_csv(io.BytesIO(content)).t2m.to_numpy()
    if f == "parquet":
        return pd.read_parquet(io.BytesIO(content)).t2m.to_numpy()
    if f == "geojson":
        return [one["properties"]["t2m"] for one in json.loads(content)["features"]]
    import netCDF4

    with netCDF4.Dataset("answer.nc", memory=content) as file:
        assert file["t2m"].cell_methods == "time: mean (interval: 3 hours) area: mean time: mean"
        assert file["time"].bounds == "time_bounds"
        assert file["time_bounds"].shape == (2, 2)
        return np.asarray(file["t2m"][:])


def test_a_map_of_means_is_a_geotiff(edr, truth):
    import rasterio

    found = ask(edr, "weather/cube", bbox="0,10,50,40", parameter_name="t2m", reduce="mean:time", f="geotiff")
    with rasterio.open(io.BytesIO(found.content)) as raster:
        expected = truth.t2m.sel(lat=slice(40, 10), lon=slice(0, 50)).astype("f8").mean("time")
        np.testing.assert_allclose(raster.read(1), expected.values, rtol=1e-6)


def test_between_centres(edr, truth):
    found = ask(edr, "weather/position", coords="POINT(13.4 52.5)", parameter_name="t2m", cells="bilinear")
    expected = truth.t2m.astype("f8").interp(lat=52.5, lon=13.4)
    np.testing.assert_allclose(found.json()["ranges"]["t2m"]["values"], expected.values, rtol=1e-9)
    assert found.json()["domain"]["axes"]["x"]["values"] == [13.4]


def test_shares_of_cells(edr):
    area = "POLYGON((0 0,10 0,10 5,0 5,0 0))"
    found = ask(edr, "weather/area", coords=area, parameter_name="t2m", reduce="count:space", cells="overlap")
    np.testing.assert_allclose(found.json()["ranges"]["t2m"]["values"], 0.5)
    cells = ask(edr, "weather/area", coords=area, parameter_name="t2m", cells="overlap", f="csv")
    table = pd.read_csv(io.BytesIO(cells.content))
    np.testing.assert_allclose(table[table.time == table.time[0]].weight.sum(), 0.5)


def test_the_body_takes_them_too(edr):
    body = {"coords": AREA, "parameter-name": "t2m", "reduce": ["mean:space", "max:time"]}
    found = edr.post("/collections/weather/area", json=body)
    assert found.json()["domain"]["domainType"] == "Polygon", found.text


@pytest.mark.parametrize(
    ("params", "parameter", "text"),
    [
        ({"reduce": "mode:space"}, "reduce", "There are: mean, sum"),
        ({"reduce": "quantile(1.5):time"}, "reduce", "0..1"),
        ({"reduce": "mean:space,max:space"}, "reduce", "twice"),
        ({"reduce": "mean:number"}, "reduce", "'space'"),
        ({"reduce": "mean:time:area"}, "reduce", "mean nothing"),
        ({"reduce": ","}, "reduce", "is no reduction"),
        ({"cells": "bilinear"}, "cells", "centre, touched, overlap"),
        ({"cells": "cubic"}, "cells", "cubic"),
    ],
)
def test_what_is_wrong_is_named(edr, params, parameter, text):
    found = ask(edr, "weather/area", coords=AREA, parameter_name="t2m", **params)
    assert found.status_code == 400
    assert found.json()["parameter"] == parameter
    assert text in found.json()["detail"]
