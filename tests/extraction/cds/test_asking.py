"""Requests of the data stores in MARS words. The documents are written by hand as the catalogue writes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from terrella.errors import Invalid, TooLarge
from terrella.extraction.cds.asking import asked
from terrella.extraction.cds.offers import Calendar, Offer, offers

HOURS = np.array([f"{hour:02d}:00" for hour in range(24)])
DAYS = np.array(["2024-02-28", "2024-02-29", "2024-03-01"])
WHOLE = Calendar(DAYS, HOURS, np.ones((3, 24), bool))


def of(param: str, kind: str, stream: str = "oper", **more: str) -> dict[str, Any]:
    words = {"class": "ea", "stream": stream, "type": kind, "param": param, **more}
    return {"type": "data", "dimensions": [], "grib:gridType": "x"} | {f"mars:{k}": v for k, v in words.items()}


ERA: dict[str, Any] = {
    "id": "era5",
    "cube:dimensions": {"time": {}, "pressure": {}, "lat": {}, "lon": {}},
    "cube:variables": {
        "2t": of("167", "an"),
        "10u": of("165", "an"),
        "2t_2": of("167", "em", "enda"),
        "tp": of("228", "fc"),
    },
}
PLAIN: dict[str, Any] = {
    "id": "plain",
    "cube:variables": {"tas": {"type": "data", "dimensions": [], "long_name": "Near-Surface Air Temperature"}},
}


def known(document: dict[str, Any]) -> list[Offer]:
    """As the catalogue knows them, each with these days."""
    return [
        Offer(o.variable, o.name, o.names, o.product_type, o.mars, o.axes, WHOLE, o.title)
        for o in offers(document, None)
    ]


def ask(document: dict[str, Any] = ERA, /, **given: Any) -> dict[str, Any]:
    return asked(document, known(document), given).words


def test_the_product_type_chooses_among_variables_of_one_name() -> None:
    request = {"variable": "2m_temperature", "year": "2024"}
    assert ask(**request, product_type="reanalysis") == {
        "param": ["2t"],
        "class": ["ea"],
        "stream": ["oper"],
        "type": ["an"],
        "year": "2024",
        "format": "grib",
    }
    assert ask(**request, product_type=["ensemble_mean"])["param"] == ["2t_2"]
    assert ask(**request)["param"] == ["2t", "2t_2"]
    assert ask(**request, product_type=["ensemble_mean", "reanalysis"])["param"] == ["2t", "2t_2"]
    assert ask(variable=["total_precipitation", "10m_u_component_of_wind"])["param"] == ["tp", "10u"]
    assert ask(product_type="reanalysis")["param"] == ["2t", "10u", "tp"]


@pytest.mark.parametrize(
    "name", ["tas", "near_surface_air_temperature", "Near-Surface Air Temperature", "NEAR_SURFACE_AIR_TEMPERATURE"]
)
def test_variables_of_other_files_by_name(name: str) -> None:
    assert ask(PLAIN, variable=[name], year=2024) == {"param": ["tas"], "year": 2024, "format": "netcdf"}


def test_dates() -> None:
    assert ask(date="2024-02-28/2024-03-01")["date"] == "2024-02-28/to/2024-03-01"
    assert ask(date=["2024-02-28", "2024-02-29/2024-03-01"])["date"] == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert ask(date="2024-02-29")["date"] == ["2024-02-29"]
    assert ask(month="2", day=[str(day) for day in range(1, 32)])["month"] == "2"


def test_words_of_mars_beside() -> None:
    made = ask(param="167", stream="oper", time="00/to/23/by/6", date="2024-02-28")
    assert made["param"] == ["2t", "2t_2"]
    assert made["stream"] == "oper"
    assert made["time"] == "00/to/23/by/6"


@pytest.mark.parametrize(
    ("given", "expected", "is_zipped"),
    [
        ({}, "grib", False),
        ({"data_format": "netcdf"}, "netcdf", False),
        ({"format": ["netcdf"]}, "netcdf", False),
        ({"data_format": "netcdf_legacy", "download_format": "zip"}, "netcdf", True),
        ({"format": "zip"}, "grib", True),
    ],
)
def test_formats(given: dict[str, Any], expected: str, is_zipped: bool) -> None:
    found = asked(ERA, known(ERA), given)
    assert (found.words["format"], found.is_zipped) == (expected, is_zipped)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"variabel": "2t"}, "Did you mean 'variable'"),
        ({"variable": "2m_temperatur"}, "Did you mean '2m_temperature'"),
        ({"variable": ["2t", "x" * 1000]}, "There is no variable"),
        ({"variable": {"a": 1}}, "no text and no number"),
        ({"variable": []}, "empty value"),
        ({"variable": "2t", "param": "167"}, "either variable or param"),
        ({"product_type": "forecast"}, "ensemble_mean, reanalysis"),
        ({"year": ["2023"]}, "There are: 2024"),
        ({"month": "thirteen"}, "no number"),
        ({"day": ["31"], "month": ["02"]}, "There are: 28, 29"),
        ({"time": "24:00"}, "no time of day"),
        ({"time": "00:30"}, "no time '00:30'"),
        ({"date": ["2024-02-28", "2024-06-01"]}, "no date '2024-06-01'"),
        ({"pressure_level": "850"}, "Leave it out"),
        ({"data_format": "tiff"}, "There are: grib, netcdf"),
        ({"download_format": "tgz"}, "There are: unarchived, zip"),
        ({"data_format": 1}, "is one word"),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(Invalid, match=expected.replace("(", r"\(")):
        ask(**given)


def test_lists_without_end() -> None:
    with pytest.raises(TooLarge):
        ask(day=["1"] * 1_000_000)
    with pytest.raises(TooLarge):
        ask(date=["2024-02-28/9000-01-01", "2024-02-28"])


def test_a_collection_without_a_cube() -> None:
    with pytest.raises(Invalid, match="take its files"):
        asked({"id": "files"}, [], {"variable": "2t"})
