from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from covjson_pydantic.coverage import Coverage, CoverageCollection
from jsonschema import Draft7Validator

from terrella.encodings.coveragejson import CoverageJson
from terrella.encodings.layout import layouts

DOMAINS = {
    "point": "Point",
    "series": "PointSeries",
    "several_series": "PointSeries",
    "profile": "VerticalProfile",
    "series_of_profiles": "PointSeries",
    "grid": "Grid",
    "one_time_grid": "Grid",
    "ensemble_grid": "Grid",
    "projected": "Grid",
    "mesh": "MultiPointSeries",
    "cells": "MultiPointSeries",
    "one_time_cells": "MultiPoint",
    "levels_of_cells": "MultiPointSeries",
    "trajectory": "Trajectory",
    "trajectory_at_times": "Trajectory",
    "forecast": "PointSeries",
    "odd_calendar": "PointSeries",
    "unlike_levels": "PointSeries",
}


@pytest.fixture
def written(extracted):
    return lambda dataset: json.loads(CoverageJson().encode(extracted(dataset)), parse_constant=pytest.fail)


def coverages(document: dict) -> list[dict]:
    return document.get("coverages", [document])


def test_pydantic_takes_it_strictly(shape: str, dataset: xr.Dataset, extracted) -> None:
    text = CoverageJson().encode(extracted(dataset))
    document = json.loads(text)
    if shape == "odd_calendar":
        pytest.skip("the models know no calendar with a 30 February")
    model = CoverageCollection if document["type"] == "CoverageCollection" else Coverage
    model.model_validate_json(text)


def test_schema_takes_it(dataset: xr.Dataset, test_data: Path, written) -> None:
    schema = json.loads((test_data / "reference/covjson-schema/coveragejson.json").read_text())
    schema.pop("$id")
    Draft7Validator(schema).validate(written(dataset))


def test_domain_fits_the_shape(shape: str, dataset: xr.Dataset, written) -> None:
    kinds = {coverage["domain"]["domainType"] for coverage in coverages(written(dataset))}
    assert kinds == {DOMAINS[shape]}


def test_values_are_all_there(dataset: xr.Dataset, written) -> None:
    found = [
        value
        for coverage in coverages(written(dataset))
        for value in coverage["ranges"].get(next(iter(dataset)), {"values": ()})["values"]
    ]
    given = dataset[next(iter(dataset))].values.ravel()
    assert len(found) == given.size
    assert sum(value is None for value in found) == np.isnan(given).sum()
    got = np.sort(np.array([value for value in found if value is not None], "f4"))
    np.testing.assert_array_equal(got, np.sort(given[~np.isnan(given)]))


def test_short_floats(shapes, extracted) -> None:
    assert b'"values":[283.15]' in CoverageJson().encode(extracted(shapes["point"]()))


def test_grid_order_and_axes(written, shapes) -> None:
    given = shapes["grid"]()
    document = written(given)
    values = document["ranges"]["t2m"]
    assert values["axisNames"] == ["t", "y", "x"]
    assert values["shape"] == [3, 4, 5]
    assert values["values"][values["shape"][1] * 5 + 7] == pytest.approx(float(given.t2m.values[1, 1, 2]))
    assert document["domain"]["axes"]["t"]["values"][1] == "2019-03-01T01:00:00Z"
    assert document["domain"]["axes"]["y"]["values"][0] == 50.0


def test_static_variable_is_repeated_along_time(written, shapes) -> None:
    cover = written(shapes["grid"]())["ranges"]["cover"]
    assert cover["shape"] == [3, 4, 5]
    assert cover["dataType"] == "integer"
    assert cover["values"][:20] == cover["values"][20:40]


def test_flags_are_categories(written, shapes) -> None:
    cover = written(shapes["grid"]())["parameters"]["cover"]
    assert cover["categoryEncoding"] == {"0": 0, "1": 1, "2": 2}
    assert cover["observedProperty"]["categories"][1] == {"id": "1", "label": {"en": "land"}}
    assert "unit" not in cover


def test_parameter_names_its_quantity(written, shapes) -> None:
    made = written(shapes["point"]())["parameters"]["t2m"]
    assert made["observedProperty"]["id"].endswith("/standard_name/air_temperature/")
    assert made["unit"] == {
        "label": {"en": "K"},
        "symbol": {"value": "K", "type": "http://www.opengis.net/def/uom/UCUM/"},
    }


def test_other_axes_split_into_coverages(written, shapes) -> None:
    document = written(shapes["forecast"]())
    assert len(document["coverages"]) == 4
    labels = [coverage["terrella:axes"] for coverage in document["coverages"]]
    assert labels[3] == {"reference_time": "2026-03-10T12:00:00Z", "number": 1}
    assert document["coverages"][2]["domain"]["axes"]["t"]["values"][1] == "2026-03-10T18:00:00Z"


def test_projected_grid_names_its_system(written, shapes) -> None:
    system = written(shapes["projected"]())["domain"]["referencing"][0]["system"]
    assert system == {"type": "ProjectedCRS", "id": "http://www.opengis.net/def/crs/EPSG/0/3035"}


def test_odd_calendar_keeps_its_days(written, shapes) -> None:
    document = written(shapes["odd_calendar"]())
    assert document["domain"]["axes"]["t"]["values"][1] == "2001-02-30T00:00:00Z"
    system = document["domain"]["referencing"][1]["system"]
    assert system["calendar"].endswith("360_day")


def test_receipt_travels(written, shapes) -> None:
    made = written(shapes["cells"]())["terrella:receipt"]
    assert (made["licence"], made["attribution"], made["items"]) == ("CC-BY-4.0", "Somebody 2026", ["item-1"])


def test_nothing_to_write_is_said(shapes, extracted) -> None:
    empty = shapes["cells"]().isel(cell=slice(0, 0))
    assert CoverageJson().accepts(extracted(empty))
    assert CoverageJson().accepts(extracted(shapes["cells"]())) is None


def test_single_time_as_a_scalar(written, shapes) -> None:
    document = written(shapes["series"]().isel(time=0))
    assert document["domain"]["domainType"] == "Point"
    assert document["domain"]["axes"]["t"]["values"] == ["2019-03-01T00:00:00Z"]


def test_there_and_back_is_one_position(written) -> None:
    at = {"longitude": ("vertex", [1.0, 2.0, 1.0]), "latitude": ("vertex", [1.0, 2.0, 1.0])}
    line = xr.Dataset({"a": ("vertex", np.arange(3.0))}, {"time": np.datetime64("2020-01-01", "ns"), **at})
    assert len(written(line)["domain"]["axes"]["composite"]["values"]) == 2


def test_layout_of_a_forecast(shapes) -> None:
    (layout,) = layouts(shapes["forecast"]())
    assert layout.time == "step"
    assert layout.values("t2m").shape == (4, 1, 3, 1)
