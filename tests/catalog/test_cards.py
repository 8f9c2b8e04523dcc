"""Cards: what lists show of a collection, whatever its document says."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.catalog.cards import SHORT, card_of
from terrella.catalog.themes import theme_of
from terrella.model import parameters


def made(**more: Any) -> Any:
    return card_of(orjson.dumps({"type": "Collection", "id": "c", **more}))[0]


def test_variables_are_keyed_by_standard_name_else_by_the_name_that_everybody_knows() -> None:
    bare = next(one for one in parameters.all_parameters() if not one.cf_standard_name and one.short_name.isalpha())
    variables = {
        "tas": {"type": "data", "standard_name": "air_temperature", "unit": "K", "description": "Warm"},
        "x": {"type": "data", "mars:param": str(bare.id)},
        "Own thing": {"type": "data"},
        "crs": {"type": "auxiliary"},
    }
    card = made(**{"cube:variables": variables})
    assert [one.key for one in card.variables] == ["air_temperature", bare.short_name, "own thing"]
    assert [one.title for one in card.variables] == ["Warm", bare.name, "Own thing"]
    assert card.variables[0].known_as == "Air temperature"
    assert card.has_cube


def test_of_images_the_bands_are_variables_and_the_finest_pixel_the_resolution() -> None:
    bands = [{"name": "B04", "eo:common_name": "red"}, {"name": "B08", "common_name": "nir"}]
    assets = {"data": {"type": "image/tiff; application=geotiff", "bands": bands}}
    card = made(item_assets=assets, summaries={"gsd": [60, 10.0]})
    assert [(one.name, one.title) for one in card.variables] == [("B04", "red"), ("B08", "nir")]
    assert (card.resolution, card.resolution_class, card.has_images, card.has_cube) == (10, "under-100m", True, False)
    assert card.themes == {"imagery": "Satellite images"}


@pytest.mark.parametrize(
    ("metres", "kind"),
    [(99.9, "under-100m"), (100, "100m-1km"), (1000, "1km-10km"), (10_000, "10km-50km"), (50_000, "over-50km")],
)
def test_classes_of_resolution_hold_their_lower_end(metres: float, kind: str) -> None:
    assert made(**{"terrella:grid": {"resolution_m": metres}}).resolution_class == kind


def test_themes_are_those_that_a_document_states_else_keywords_else_standard_names() -> None:
    variables = {"cube:variables": {"sst": {"type": "data", "standard_name": "sea_surface_temperature"}}}
    stated = [{"scheme": "x", "concepts": [{"id": "Hydrology"}, {"id": "q7", "title": "Seven"}]}]
    assert made(themes=stated, keywords=["ocean"], **variables).themes == {"water": "Fresh water", "q7": "Seven"}
    assert made(keywords=["Sea ice", "x"], **variables).themes == {"ice": "Snow and ice"}
    assert made(**variables).themes == {"ocean": "Ocean"}


@pytest.mark.parametrize(
    ("name", "theme"),
    [
        ("air_temperature", "atmosphere"),
        ("sea_ice_area_fraction", "ice"),
        ("sea_water_salinity", "ocean"),
        ("surface_downwelling_shortwave_flux_in_air", "radiation"),
        ("mole_fraction_of_ozone_in_air", "composition"),
        ("runoff_flux", "water"),
        ("air_pressure_at_mean_sea_level", "atmosphere"),
        ("surface_altitude", "land"),
        ("surface_bidirectional_reflectance", "imagery"),
        ("quux", None),
    ],
)
def test_standard_names_have_a_theme(name: str, theme: str | None) -> None:
    assert theme_of(name) == theme


def test_a_long_description_is_cut_between_words() -> None:
    card = made(description="word " * 200)
    assert len(card.description) <= SHORT + 2
    assert card.description.endswith("word \u2026")


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
_MEMBERS = (
    "title", "description", "extent", "license", "providers", "keywords", "themes", "summaries", "item_assets",
    "cube:variables", "terrella:grid", "updated", "bands",
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.dictionaries(st.sampled_from(_MEMBERS), _json, max_size=6))
def test_documents_of_other_catalogues_never_break_a_card(members: dict[str, Any]) -> None:
    assert made(**members).id == "c"
