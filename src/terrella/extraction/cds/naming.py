"""Names of variables and products as the data stores write them: 2m_temperature, reanalysis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from terrella.model.parameters import find

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terrella.extraction.mars import Identity

_HEIGHT = re.compile(r"\b(\d+) ?met(?:re|er)s?\b")
_WIND = re.compile(r"\b([uv])[- ](?:component of )?(?:wind|neutral wind)(?: component)?\b")
_RADIATION = (("short-wave (solar)", "solar"), ("long-wave (thermal)", "thermal"))
_OTHERWISE = {
    "sea_ice_area_fraction": "sea_ice_cover",
    "total_column_vertically_integrated_water_vapour": "total_column_water_vapour",
    "maximum_temperature_at_2m_since_previous_post_processing": "maximum_2m_temperature_since_previous_post_processing",
    "minimum_temperature_at_2m_since_previous_post_processing": "minimum_2m_temperature_since_previous_post_processing",
}
"""Where the stores' name is not the title of the parameter."""

_REANALYSES = frozenset({"ea", "ei", "e2", "e4", "em", "l5", "rr", "uerra", "mc", "cr"})
"""MARS classes of reanalyses."""
_OF_STREAM = {
    "enda": "ensemble_members",
    "moda": "monthly_averaged_reanalysis",
    "mnth": "monthly_averaged_reanalysis_by_hour_of_day",
    "edmo": "monthly_averaged_ensemble_members",
}
_OF_TYPE = {
    "an": "analysis",
    "fc": "forecast",
    "cf": "control_forecast",
    "pf": "perturbed_forecast",
    "em": "ensemble_mean",
    "es": "ensemble_spread",
}


def long_name(title: str) -> str:
    """A title as one word: '10 metre U wind component' is 10m_u_component_of_wind."""
    text = title.lower()
    for said, meant in _RADIATION:
        text = text.replace(said, meant)
    text = re.sub(r"\([^)]*\)", " ", text)
    text = _WIND.sub(r"\1_component_of_wind", _HEIGHT.sub(r"\1m", text))
    word = re.sub(r"[^a-z0-9]+", "_", text).strip("_")
    return _OTHERWISE.get(word, word)


def names_of(one: Identity, about: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    """The usual name of a variable, and every name that it answers to, in lower case."""
    tabled = [known for text in _said(about) for known in find(text)]
    titles = [known.name for known in tabled[:1]]
    titles += [str(about[key]) for key in ("long_name", "description", "standard_name") if about.get(key)]
    words = [word for title in titles if (word := long_name(title))]
    usual = words[0] if words and tabled else long_name(one.variable) or one.variable
    return usual, one.names | {usual, one.variable.lower(), *words}


def _said(about: Mapping[str, Any]) -> list[str]:
    return [str(about[key]) for key in ("mars:param", "grib:shortName") if key in about][:1]


def product_type(words: Mapping[str, frozenset[str]]) -> str:
    """What the stores call data of these MARS words; '' where nothing is known of them."""
    for stream in words.get("stream", ()):
        if stream in _OF_STREAM and not words.get("type", frozenset()) & {"em", "es"}:
            return _OF_STREAM[stream]
    kinds = words.get("type", frozenset())
    if kinds & {"an", "fc"} and words.get("class", frozenset()) & _REANALYSES:
        return "reanalysis"
    return next((_OF_TYPE[kind] for kind in sorted(kinds) if kind in _OF_TYPE), "")
