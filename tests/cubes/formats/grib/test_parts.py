"""How fields become arrays, and arrays parts."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import loaded, make_message, only_array, small

HOUR = 3_600_000


def sizes(part) -> dict[str, int]:
    return {axis.name: axis.values.size for axis in part.axes}


def values_of(part, name: str) -> list:
    return next(axis.values.tolist() for axis in part.axes if axis.name == name)


def test_analyses_have_a_time_forecasts_a_reference_time_and_a_step(scanned):
    (analysis,) = scanned(small(dataDate=20200101, dataTime=600)).parts
    assert sizes(analysis) == {"time": 1, "pressure": 1}
    (forecast,) = scanned(small(marsType="fc", step=0)).parts
    assert sizes(forecast) == {"reference_time": 1, "step": 1, "pressure": 1}


def test_steps_count_to_the_end_of_their_interval(scanned):
    rain = small(1, table2Version=228, indicatorOfParameter=228, stepType="accum", stepRange="6-12", marsType="fc")
    (part,) = scanned(rain).parts
    assert values_of(part, "step") == [12 * HOUR]


@pytest.mark.parametrize(("coded", "minutes"), [("30m", 30), ("90m", 90), ("2h", 120)])
def test_steps_below_an_hour(scanned, coded, minutes):
    (part,) = scanned(small(marsType="fc", step=coded)).parts
    assert values_of(part, "step") == [minutes * 60_000]


def test_steps_in_months_follow_the_calendar(scanned):
    messages = [small(1, dataDate=date, marsType="fc", unitOfTimeRange=3, P1=1) for date in (20230101, 20230201)]
    (part,) = scanned(*messages).parts
    days = [31, 28]
    reference = values_of(part, "reference_time")
    steps = values_of(part, "step")
    array = part.arrays[0]
    for at, length in zip(np.ndindex(2, len(steps)), array.table.lengths.reshape(2, -1).ravel(), strict=True):
        assert bool(length) == (steps[at[1]] == days[at[0]] * 24 * HOUR)
    assert reference[1] - reference[0] == 31 * 24 * HOUR


def test_the_last_of_repeated_fields_wins_and_is_noted(scanned):
    found = scanned(small(values=np.zeros(12)), small(values=np.ones(12)))
    assert found.notes[0].startswith("1 fields repeat another")
    assert loaded(found, only_array(found), (0, 0)).max() == 1


def test_missing_fields_are_holes(scanned):
    messages = [
        small(shortName="t", level=level, dataDate=20200100 + day) for level, day in ((500, 1), (850, 1), (500, 2))
    ]
    found = scanned(*messages)
    array = only_array(found)
    assert array.shape[:2] == (2, 2)
    assert (array.table.lengths > 0).tolist() == [True, True, True, False]
    assert loaded(found, array, (1, 1)) is None


def test_variables_far_apart_do_not_share_axes(scanned):
    many = [small(shortName="t", dataDate=20200100 + day) for day in range(1, 11)]
    found = scanned(*many, *(small(shortName="z", dataDate=20200100 + day) for day in (1, 2)))
    assert {part.label for part in found.parts} == {"od-oper-an-pl-t", "od-oper-an-pl-z"}
    assert sorted(part.axes[0].values.size for part in found.parts) == [2, 10]


def test_variables_that_nearly_agree_share_axes(scanned):
    days = [small(shortName=name, dataDate=20200100 + day) for name in ("t", "u") for day in range(1, 5)]
    (part,) = scanned(*days[:-1]).parts
    assert sizes(part)["time"] == 4
    assert [int((array.table.lengths > 0).sum()) for array in part.arrays] == [4, 3]


def test_level_kinds_become_axes(scanned):
    kinds = {
        "isobaricInhPa": ("pressure", 500, [500.0]),
        "hybrid": ("model_level", 60, [60]),
        "heightAboveGround": ("height", 80, [80.0]),
        "heightAboveSea": ("altitude", 3000, [3000.0]),
        "theta": ("potential_temperature", 330, [330.0]),
        "potentialVorticity": ("potential_vorticity", 2000, [2e-6]),
        "depthBelowSea": ("depth", 10, [10.0]),
    }
    for kind, (name, level, expected) in kinds.items():
        (part,) = scanned(small(shortName="t", typeOfLevel=kind, level=level), name=f"{kind}.grib").parts
        axis = part.axes[-1]
        assert (axis.name, axis.values.tolist(), axis.kind) == (name, expected, "vertical")


def test_pressures_below_a_hectopascal_keep_their_fraction(scanned):
    """Read from the coded value: ecCodes' `level` cuts it off."""
    half = small(typeOfFirstFixedSurface=100, scaleFactorOfFirstFixedSurface=0, scaledValueOfFirstFixedSurface=50050)
    assert values_of(scanned(half).parts[0], "pressure") == [500.5]


@pytest.mark.parametrize(
    ("unit", "count", "days"), [(3, 1, 29), (3, 12, 366), (4, 1, 366), (4, 2, 731), (2, 3, 3), (11, 2, 0.5)]
)
def test_units_of_steps(scanned, unit, count, days):
    """From 1 February 2024 on; units as code table 4.4 numbers them."""
    keys = {"dataDate": 20240201, "marsType": "fc"}
    edition1 = small(1, **keys, unitOfTimeRange=unit, P1=count)
    edition2 = small(2, **keys, indicatorOfUnitOfTimeRange=unit, forecastTime=count)
    for edition, message in enumerate((edition1, edition2)):
        (part,) = scanned(message, name=f"{edition}.grib").parts
        assert values_of(part, "step") == [days * 24 * HOUR]


@pytest.mark.parametrize("edition", [1, 2])
def test_soil_layers_have_depths_and_bounds(scanned, edition):
    if edition == 1:
        layers = [
            small(1, indicatorOfTypeOfLevel=112, topLevel=top, bottomLevel=bottom) for top, bottom in ((0, 7), (7, 28))
        ]
    else:
        layers = [
            small(
                typeOfFirstFixedSurface=106,
                scaleFactorOfFirstFixedSurface=2,
                scaledValueOfFirstFixedSurface=top,
                typeOfSecondFixedSurface=106,
                scaleFactorOfSecondFixedSurface=2,
                scaledValueOfSecondFixedSurface=bottom,
            )
            for top, bottom in ((0, 7), (7, 28))
        ]
    axis = scanned(*layers).parts[0].axes[-1]
    assert (axis.name, axis.units, axis.values.tolist()) == ("depth", "m", [0.0, 0.07])
    assert axis.bounds.tolist() == [[0.0, 0.07], [0.07, 0.28]]
    assert axis.attrs["positive"] == "down"


def test_heights_in_the_name_are_no_axis(scanned):
    (part,) = scanned(make_message("GRIB2", paramId=167, Ni=16, Nj=31)).parts
    (array,) = part.arrays
    assert (array.name, array.attrs["height"]) == ("2t", 2.0)
    assert "height" not in sizes(part)


def test_fields_at_several_single_places_keep_apart(scanned):
    """As GFS has them: one name at the surface, the tropopause, the freezing level."""
    kinds = ("surface", "tropopause", "isothermZero")
    found = scanned(*(small(shortName="t", typeOfLevel=kind) for kind in kinds))
    named = {(part.label, array.name): array for part in found.parts for array in part.arrays}
    assert len(named) == 3
    assert {array.attrs["grib:typeOfLevel"] for array in named.values()} == set(kinds)
    assert ("od-oper-an-sfc", "t_tropopause") in named


def test_control_and_perturbed_members_are_one_ensemble(scanned):
    members = [small(productDefinitionTemplateNumber=1, marsStream="enfo", marsType="cf", number=0)]
    members += [
        small(productDefinitionTemplateNumber=1, marsStream="enfo", marsType="pf", number=number) for number in (1, 2)
    ]
    (part,) = scanned(*members).parts
    assert values_of(part, "number") == [0, 1, 2]
    assert part.arrays[0].attrs["mars:type"] == "cf/pf"


def test_a_single_member_still_has_its_axis(scanned):
    (part,) = scanned(small(productDefinitionTemplateNumber=1, marsStream="enfo", marsType="pf", number=7)).parts
    assert values_of(part, "number") == [7]


def test_percentiles_and_means_of_an_ensemble_keep_apart(scanned):
    percentiles = [small(productDefinitionTemplateNumber=6, percentileValue=value, shortName="t") for value in (10, 90)]
    spread = small(productDefinitionTemplateNumber=2, derivedForecast=4, shortName="t")
    found = scanned(*percentiles, spread)
    names = {array.name for part in found.parts for array in part.arrays}
    assert names == {"t_percentile_10", "t_percentile_90", "t_spread"}


def test_different_runs_and_classes_have_different_labels(scanned):
    found = scanned(small(marsClass="od"), small(marsClass="ea"), small(marsClass="od", experimentVersionNumber="0078"))
    assert {part.label for part in found.parts} == {"od-oper-an-pl", "ea-oper-an-pl", "od-0078-oper-an-pl"}


def test_different_grids_have_different_labels(scanned):
    found = scanned(
        small(shortName="t"),
        small(shortName="u", longitudeOfFirstGridPointInDegrees=10, longitudeOfLastGridPointInDegrees=100),
    )
    assert {part.label for part in found.parts} == {"od-oper-an-pl-t", "od-oper-an-pl-u"}


def test_unknown_parameters_are_named_by_their_codes(scanned):
    (part,) = scanned(small(discipline=0, parameterCategory=191, parameterNumber=200)).parts
    assert part.arrays[0].name == "p0_191_200"


def test_editions_mix(scanned):
    found = scanned(small(1, shortName="t", level=500), small(2, shortName="t", level=850))
    assert values_of(found.parts[0], "pressure") == [500.0, 850.0]
    assert found.media_type == "application/wmo-GRIB2"
