"""Names of the data stores, against those that their catalogue really uses."""

from __future__ import annotations

import pytest

from terrella.extraction.cds.naming import long_name, product_type
from terrella.model.parameters import by_id

# paramId and the name of the variable in the data stores' reanalysis on single and on pressure levels
KNOWN = {
    167: "2m_temperature",
    168: "2m_dewpoint_temperature",
    165: "10m_u_component_of_wind",
    166: "10m_v_component_of_wind",
    228246: "100m_u_component_of_wind",
    151: "mean_sea_level_pressure",
    134: "surface_pressure",
    228: "total_precipitation",
    164: "total_cloud_cover",
    34: "sea_surface_temperature",
    235: "skin_temperature",
    130: "temperature",
    129: "geopotential",
    131: "u_component_of_wind",
    132: "v_component_of_wind",
    133: "specific_humidity",
    157: "relative_humidity",
    135: "vertical_velocity",
    138: "vorticity",
    59: "convective_available_potential_energy",
    159: "boundary_layer_height",
    141: "snow_depth",
    39: "volumetric_soil_water_layer_1",
    139: "soil_temperature_level_1",
}


@pytest.mark.parametrize("identity", sorted(KNOWN))
def test_names_out_of_titles(identity: int) -> None:
    parameter = by_id(identity)
    assert parameter is not None
    assert long_name(parameter.name) == KNOWN[identity]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"class": "ea", "stream": "oper", "type": "an"}, "reanalysis"),
        ({"class": "ea", "stream": "oper", "type": "fc"}, "reanalysis"),
        ({"class": "ea", "stream": "enda", "type": "an"}, "ensemble_members"),
        ({"class": "ea", "stream": "enda", "type": "em"}, "ensemble_mean"),
        ({"class": "ea", "stream": "enda", "type": "es"}, "ensemble_spread"),
        ({"class": "ea", "stream": "moda", "type": "an"}, "monthly_averaged_reanalysis"),
        ({"class": "ea", "stream": "mnth", "type": "an"}, "monthly_averaged_reanalysis_by_hour_of_day"),
        ({"class": "od", "stream": "oper", "type": "fc"}, "forecast"),
        ({"class": "od", "stream": "enfo", "type": "pf"}, "perturbed_forecast"),
        ({"class": "od", "stream": "enfo", "type": "cf"}, "control_forecast"),
        ({}, ""),
    ],
)
def test_products_out_of_mars_words(words: dict[str, str], expected: str) -> None:
    assert product_type({key: frozenset({value}) for key, value in words.items()}) == expected
