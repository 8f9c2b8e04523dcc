"""The parameter table against ecCodes, and the ways of naming a parameter."""

from __future__ import annotations

import random
import subprocess
import sys

import pyproj  # noqa: F401 -- before ecCodes: libproj clash

# isort: split
import eccodes
import pytest

from terrella.model import parameters
from terrella.model.parameters import canonical_units, find, for_cf


@pytest.mark.parametrize(
    "name",
    [167, "167", "param=167", "167.128", "2t", "2T", "t2m", "tas", "2 metre temperature", "2 METRE TEMPERATURE"],
)
def test_every_name_of_2t_finds_it(name):
    assert find(name)[0].id == 167


def test_a_standard_name_finds_all_that_bear_it_without_losing_the_plain_one():
    found = {parameter.short_name for parameter in find("air_temperature")}
    assert {"t", "2t", "mx2t", "mn2t"} <= found


@pytest.mark.parametrize(
    ("name", "identity"), [("28.228", 228028), ("tp", 228), ("10u", 165), ("msl", 151), ("z", 129)]
)
def test_usual_names(name, identity):
    assert find(name)[0].id == identity


@pytest.mark.parametrize("name", ["", "nothing of the kind", "0", "999999999", -1, "167.", "2t "])
def test_what_is_no_name_finds_nothing_but_spaces_do_not_matter(name):
    assert (find(name) != ()) == (str(name).strip() == "2t")


def test_every_name_that_a_parameter_claims_leads_back_to_it():
    for parameter in parameters.all_parameters():
        assert parameter in find(parameter.id)
        assert parameter in find(parameter.short_name)


def test_names_are_not_empty_and_not_repeated():
    assert parameters.by_id(167).names == (
        "2t",
        "167",
        "t2m",
        "tas",
        "air_temperature",
        "2 metre temperature",
    )


def test_table_agrees_with_eccodes():
    chosen = random.Random(7).sample([each for each in parameters.all_parameters() if each.id < 400_000], 150)
    agreed = 0
    for parameter in chosen:
        for sample in ("GRIB2", "GRIB1"):
            handle = eccodes.codes_grib_new_from_samples(sample)
            try:
                eccodes.codes_set(handle, "paramId", parameter.id)
                short, name = (eccodes.codes_get_string(handle, key) for key in ("shortName", "name"))
                units = eccodes.codes_get_string(handle, "units")
            except eccodes.CodesInternalError:
                continue  # not of this edition, or only of some centre
            finally:
                eccodes.codes_release(handle)
            if eccodes_knows(short):
                assert (short, " ".join(name.split("<")[0].split())) == (parameter.short_name, parameter.name)
                assert canonical_units(units) == parameter.units
                agreed += 1
    assert agreed > 75


def eccodes_knows(short: str) -> bool:
    return short not in {"unknown", "~"}


@pytest.mark.parametrize(
    ("name", "units", "hints", "short"),
    [
        ("air_temperature", "K", {}, "t"),
        ("air_temperature", "degC", {"height": 2.0}, "2t"),
        ("air_temperature", "K", {"height": 2.0, "method": "maximum"}, "mx2t"),
        ("eastward_wind", "m/s", {"height": 10.0}, "10u"),
        ("eastward_wind", "m s**-1", {}, "u"),
        ("sea_surface_temperature", "celsius", {}, "sst"),
        ("precipitation_flux", "kg m-2 s-1", {}, "prate"),
        ("lwe_thickness_of_precipitation_amount", "m", {}, "tp"),
        ("geopotential", "m2 s-2", {}, "z"),
    ],
)
def test_for_cf(name, units, hints, short):
    assert for_cf(name, units, **hints).short_name == short


def test_for_cf_does_not_guess():
    assert for_cf("air_temperature", "m") is None
    assert for_cf("air_temperature", "K", height=1.5) is None
    assert for_cf("no_such_standard_name") is None


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("m s**-1", "m s-1"),
        ("m/s", "m s-1"),
        ("m.s^-1", "m s-1"),
        ("kg/m2/s", "kg m-2 s-1"),
        ("W/m^2", "W m-2"),
        ("(0 - 1)", "1"),
        ("degrees_C", "degC"),
        ("Kelvin", "K"),
        ("1/s", "s-1"),
        ("(Code table 4.201)", ""),
        ("", ""),
        ("1", "1"),
        ("1e-3", "1e-3"),
        ("days since 2000-01-01", "days since 2000-01-01"),
        ("mm/day", "mm day-1"),
    ],
)
def test_canonical_units(text, canonical):
    assert canonical_units(text) == canonical
    assert canonical_units(canonical) == canonical


def test_importing_it_is_light():
    code = "import sys, terrella.model.parameters; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
