"""Countries by name: Natural Earth's at 1:50 million, which is in the public domain (`scripts/build_regions.py`)."""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import shapely
import shapely.geometry

from terrella.errors import Invalid, nearest_names

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_WORDS = {
    "rep": "republic",
    "is": "islands",
    "isl": "island",
    "i": "island",
    "herz": "herzegovina",
    "barb": "barbuda",
    "fr": "french",
    "br": "british",
    "st": "saint",
    "vin": "vincent",
    "gren": "the grenadines",
    "eq": "equatorial",
    "dem": "democratic",
    "ter": "territory",
    "geo": "georgia",
    "s": "south",
    "n": "northern",
    "w": "western",
    "us": "united states",
}
"""What Natural Earth cuts short."""
_ALSO = {
    "usa": "United States of America",
    "united states": "United States of America",
    "uk": "United Kingdom",
    "great britain": "United Kingdom",
    "czech republic": "Czechia",
    "dr congo": "Dem. Rep. Congo",
    "democratic republic of the congo": "Dem. Rep. Congo",
    "south korea": "South Korea",
    "faroe islands": "Faeroe Is.",
    "swaziland": "eSwatini",
    "north macedonia": "Macedonia",
    "turkiye": "Turkey",
    "türkiye": "Turkey",
    "ivory coast": "Côte d'Ivoire",
}
"""Other names in everyday use."""


@cache
def _table() -> dict[str, tuple[str, Any]]:
    """Code and multi-polygon coordinates by name."""
    packed = files("terrella.extraction").joinpath("data/countries.json.gz").read_bytes()
    return {name: (code, coordinates) for name, code, coordinates in json.loads(gzip.decompress(packed))}


@cache
def _names() -> dict[str, str]:
    """Names by all that one may call them, folded."""
    found: dict[str, str] = {}
    for name, (code, _) in _table().items():
        found.setdefault(_folded(name), name)
        if code:
            found.setdefault(code, name)
            found.setdefault(code.lstrip("0"), name)
    return found | {_folded(other): name for other, name in _ALSO.items() if name in _table()}


def _folded(name: str) -> str:
    words = re.findall(r"\w+", name.casefold().replace(".", " ").replace("u s ", "us "))
    return " ".join(_WORDS.get(word, word) for word in words)


def region_names() -> tuple[str, ...]:
    """Every name in the table, sorted."""
    return tuple(_table())


def country(name: str) -> tuple[str, str]:
    """The name in the table, and the ISO 3166-1 number, of a country by any of its names.

    Raises Invalid with names that look like it.
    """
    known = _names().get(_folded(name[:200]))
    if known is None:
        raise Invalid(f"There is no region {name[:60]!r}. {nearest_names(name[:60], _table())}", parameter="region")
    return known, _table()[known][0]


def region(name: str) -> BaseGeometry:
    """A country as a multi-polygon, longitude first, cut at the antimeridian, prepared.

    Takes its English name, in any case, or its ISO 3166-1 number. Raises Invalid with names that look like it.
    """
    return _outline(country(name)[0])


@cache
def _outline(known: str) -> BaseGeometry:
    made = shapely.geometry.shape({"type": "MultiPolygon", "coordinates": _table()[known][1]})
    shapely.prepare(made)
    return made
