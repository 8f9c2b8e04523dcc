"""Requests in MARS words against a site: formats, coverages by the schema, what is refused before it is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np
import pytest
from jsonschema import Draft7Validator

from grib_files import value, write_grib
from terrella.errors import Invalid, NotFound, TooLarge, Unsupported
from terrella.model.caller import OPERATOR
from terrella.site import Site
from terrella.site.mars import priced, retrieved, understood
from terrella.site.mars.retrieving import checked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POINT = {"type": "position", "points": [[50, 10]]}
WORDS: dict[str, Any] = {
    "class": "od",
    "type": "pf",
    "param": "t",
    "date": "20240301",
    "time": "0000",
    "levelist": "850/500",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("mars")
    keys = {"marsClass": "od", "marsStream": "enfo", "marsType": "pf"}
    path = folder / "ensemble.grib"
    write_grib(path, step=10, param=130, steps=(0, 6), levels=(850, 500), members=(1, 2), keys=keys)
    write_grib(path, step=10, param=167, steps=(0, 6), members=(1, 2), keys=keys)
    with Site.open(folder / "home", jobs={"values": 4000}) as site:
        site.add(path)
        yield site


def ask(site: Site, **words: Any) -> bytes:
    return retrieved(site, OPERATOR, understood(site, OPERATOR, WORDS | words))


@pytest.mark.parametrize(
    "feature",
    [
        {"type": "timeseries", "points": [[50, 10], [0, 0]], "time_axis": "step", "range": {"start": 0, "end": 6}},
        {"type": "verticalprofile", "points": [[50, 10]]},
        {"type": "boundingbox", "points": [[0, 0], [30, 30]]},
        {"type": "circle", "center": [[0, 0]], "radius": 15},
        {"type": "trajectory", "points": [[0, 0, 850], [30, 30, 500]], "inflation": [6, 6, 200]},
    ],
    ids=lambda one: str(one["type"]),
)
def test_coverages_fit_the_schema(site: Site, test_data: Path, feature: dict[str, Any]) -> None:
    words = {
        key: one
        for key, one in WORDS.items()
        if not (key == "levelist" and len(feature["points" if "points" in feature else "center"][0]) == 3)
    }
    document = json.loads(retrieved(site, OPERATOR, understood(site, OPERATOR, words | {"feature": feature})))
    schema = json.loads((test_data / "reference/covjson-schema/coveragejson.json").read_text())
    schema.pop("$id")
    Draft7Validator(schema).validate(document)
    for coverage in document["coverages"]:
        about = coverage["mars:metadata"]
        assert about["class"] == "od"
        assert about["number"] in (1, 2)
        assert about["Forecast date"] == "2024-03-01T00:00:00Z"


def test_netcdf_instead(site: Site) -> None:
    content = ask(site, feature=POINT, format="netcdf", number=2, step=6)
    with netCDF4.Dataset("memory", memory=content) as file:
        found = np.sort(np.ravel(file["t"][:]))
    expected = np.sort([float(value(50, 10, hours=6, level=level, member=2)) for level in (850, 500)])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_surface_and_levels_in_one_request(site: Site) -> None:
    """levelist is no matter of 2t: two extractions, of which GRIB can hold both."""
    retrieval = understood(site, OPERATOR, WORDS | {"param": "t/2t", "number": 1, "step": 0})
    assert [one.variables for one in retrieval.extractions] == [("t",), ("2t",)]
    assert retrieved(site, OPERATOR, retrieval).count(b"GRIB") == 3
    with pytest.raises(Unsupported, match="one after the other"):
        ask(site, param="t/2t", number=1, step=0, feature=POINT)


def test_a_price_for_all_parts(site: Site) -> None:
    retrieval = understood(site, OPERATOR, WORDS | {"param": "t/2t", "number": 1, "step": 0})
    plan = priced(site, OPERATOR, retrieval)
    assert plan.values == 3 * 19 * 36
    assert len(retrieved(site, OPERATOR, retrieval)) == plan.bytes_read


def test_too_much_is_refused_with_what_would_pass(site: Site) -> None:
    retrieval = understood(
        site, OPERATOR, WORDS | {"feature": {"type": "boundingbox", "points": [[-90, -180], [90, 180]]}}
    )
    with pytest.raises(TooLarge) as caught:
        checked(site, OPERATOR, retrieval)
    assert caught.value.details["suggestion"]


@pytest.mark.parametrize(
    ("words", "error", "text"),
    [
        ({"format": "covjson"}, Invalid, "feature"),
        ({"format": "grib", "feature": POINT}, Invalid, "whole fields"),
        ({"format": "png"}, Invalid, "covjson"),
        ({"grid": "1/1"}, Unsupported, "grid"),
        ({"interpolation": "bilinear"}, Unsupported, "interpolation"),
        ({"area": "1/2/3"}, Invalid, "north/west/south/east"),
        ({"levelist": "700"}, Invalid, "500"),
        ({"number": 3}, Invalid, "1, 2"),
        ({"class": "ea"}, Invalid, "od"),
        ({"feature": {"type": "timeseries", "points": [[0, 0]], "time_axis": "step"}}, Invalid, "step"),
    ],
)
def test_what_is_wrong_is_said(site: Site, words: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        checked(site, OPERATOR, understood(site, OPERATOR, WORDS | words))


def test_an_unknown_collection(site: Site) -> None:
    with pytest.raises(NotFound, match="ensemble"):
        understood(site, OPERATOR, WORDS, "ensembel")
