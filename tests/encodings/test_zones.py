"""Numbers reduced over space in all encodings: with the polygon that they are of, read by readers of others."""

import io
import json

import cf_xarray
import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from covjson_pydantic.coverage import Coverage, CoverageCollection
from jsonschema import Draft7Validator

from terrella.encodings.coveragejson import CoverageJson
from terrella.encodings.csv import Csv
from terrella.encodings.geojson import GeoJson
from terrella.encodings.netcdf import NetCdf
from terrella.encodings.parquet import Parquet

T2M = {"units": "K", "standard_name": "air_temperature", "long_name": "2 metre temperature"}
HOLED = shapely.Polygon(
    [(5, 45), (15, 45), (15, 55), (5, 55), (5, 45)], [[(8, 48), (8, 50), (10, 50), (10, 48), (8, 48)]]
)
TWO = shapely.MultiPolygon([HOLED, shapely.box(20, 40, 25, 44)])
POLYGONS = {"one": shapely.box(5, 45, 15, 55), "holed": HOLED, "two": TWO}
TIMES = np.array(["2019-03-01T00:00", "2019-03-01T01:00", "2019-03-01T02:00"], "M8[ns]")


def answer(polygon, times=3, levels=0):
    dims, shape = (("time",), (times,)) if times else ((), ())
    coords = {"longitude": 10.0, "latitude": 50.0, "geometry": polygon.wkt}
    if times:
        coords["time"] = TIMES[:times]
    if levels:
        dims, shape = (*dims, "pressure"), (*shape, levels)
        coords["pressure"] = ("pressure", 1000.0 - 150 * np.arange(levels), {"units": "hPa", "positive": "down"})
    values = 280 + np.arange(max(times, 1) * max(levels, 1), dtype="f4").reshape(shape)
    return xr.Dataset({"t2m": (dims, values, T2M)}, coords)


CASES = [(name, times, levels) for name in POLYGONS for times in (0, 1, 3) for levels in (0, 2)]


@pytest.mark.parametrize(("name", "times", "levels"), CASES)
def test_coveragejson(name, times, levels, extracted, test_data):
    dataset = answer(POLYGONS[name], times, levels)
    text = CoverageJson().encode(extracted(dataset))
    document = json.loads(text)
    schema = json.loads((test_data / "reference/covjson-schema/coveragejson.json").read_text())
    schema.pop("$id")
    Draft7Validator(schema).validate(document)
    if name != "two":  # the models know no MultiPolygon
        (CoverageCollection if levels > 1 else Coverage).model_validate_json(text)
    coverages = document.get("coverages", [document])
    assert len(coverages) == max(levels, 1)
    for level, coverage in enumerate(coverages):
        kind = ("Multi" if name == "two" else "") + "Polygon" + ("Series" if times > 1 else "")
        assert coverage["domain"]["domainType"] == kind
        axis = coverage["domain"]["axes"]["composite"]
        assert (axis["dataType"], axis["coordinates"]) == ("polygon", ["x", "y"])
        told = shapely.MultiPolygon([shapely.Polygon(rings[0], rings[1:]) for rings in axis["values"]])
        assert shapely.equals(told, POLYGONS[name])
        ranged = coverage["ranges"]["t2m"]
        values = np.array(ranged["values"]).reshape(ranged["shape"])
        assert ranged["axisNames"] == (["t", "composite"] if times else ["composite"])
        expected = dataset.t2m.to_numpy()[..., level] if levels else dataset.t2m.to_numpy()
        np.testing.assert_array_equal(
            values, np.repeat(np.atleast_1d(expected)[:, None], len(told.geoms), axis=1).reshape(values.shape)
        )
        assert ("terrella:note" in coverage) == (name == "two")


@pytest.mark.parametrize("name", POLYGONS)
def test_netcdf_is_a_geometry_of_cf(name, extracted, tmp_path):
    dataset = answer(POLYGONS[name])
    (tmp_path / "a.nc").write_bytes(NetCdf().encode(extracted(dataset)))
    with xr.open_dataset(tmp_path / "a.nc") as made:
        np.testing.assert_array_equal(made.t2m.values, dataset.t2m.values)
        container = made.t2m.attrs.get("geometry") or made.t2m.encoding["geometry"]
        (geometry,) = cf_xarray.geometry.cf_to_shapely(made, container=container).to_numpy().tolist()
        assert shapely.equals(geometry, POLYGONS[name])
        assert shapely.equals(shapely.from_wkt(made[container].attrs["geometry_wkt"]), POLYGONS[name])
        rings = [ring for part in shapely.get_parts(geometry) for ring in (part.exterior, *part.interiors)]
        assert made.sizes["node"] == sum(len(ring.coords) for ring in rings)


@pytest.mark.parametrize("name", POLYGONS)
def test_geojson_csv_and_parquet(name, extracted):
    given = extracted(answer(POLYGONS[name]))
    frame = geopandas.read_file(io.BytesIO(GeoJson().encode(given)), engine="pyogrio")
    assert len(frame) == 3
    assert all(shapely.equals(one, POLYGONS[name]) for one in frame.geometry)
    np.testing.assert_array_equal(frame.t2m, [280, 281, 282])
    for table in (
        pd.read_csv(io.BytesIO(Csv().encode(given))),
        pd.read_parquet(io.BytesIO(Parquet().encode(given))),
    ):
        assert all(shapely.equals(one, POLYGONS[name]) for one in shapely.from_wkt(table["geometry"].astype(str)))
        np.testing.assert_array_equal(table["t2m"], [280, 281, 282])


def test_geojson_is_cut_at_the_antimeridian(extracted):
    (feature,) = json.loads(GeoJson().encode(extracted(answer(shapely.box(170, -5, 190, 5), 1))))["features"]
    assert shapely.equals(
        shapely.geometry.shape(feature["geometry"]),
        shapely.MultiPolygon([shapely.box(170, -5, 180, 5), shapely.box(-180, -5, -170, 5)]),
    )


def test_a_long_polygon_is_not_repeated_in_very_many_rows(extracted, monkeypatch):
    monkeypatch.setattr("terrella.encodings.tables._MOST_WKT", 100)
    assert "geometry" not in Csv().encode(extracted(answer(HOLED))).decode().splitlines()[0]


def test_netcdf_of_many_nodes_has_no_text_of_them(extracted, tmp_path):
    (tmp_path / "a.nc").write_bytes(NetCdf().encode(extracted(answer(shapely.Point(0, 0).buffer(10, 500)))))
    with xr.open_dataset(tmp_path / "a.nc") as made:
        assert made.sizes["node"] == 2001
        assert "geometry_wkt" not in made.geometry_container.attrs
