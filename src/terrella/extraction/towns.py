"""Towns by name, by time zone, by place: those of GeoNames (CC BY 4.0) with more than 15,000 people.

The table is made by `scripts/build_towns.py` and read when first asked for.
"""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.errors import NotFound, nearest_names
from terrella.grids.sphere import unit
from terrella.model.space import EARTH_RADIUS_M

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = "Towns: GeoNames (geonames.org), CC BY 4.0. Countries: Natural Earth, public domain."
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "æ": "ae", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "œ": "oe", "\u2019": "'"}
)
_BETWEEN = re.compile(r"[^\w']+")
_LAST = "\U0010ffff"
_OWN, _WORD, _OTHER = range(3)


@dataclass(frozen=True, slots=True)
class Town:
    """Degrees; `people` in thousands; `zone` as the tz database calls it."""

    name: str
    country: str
    lon: float
    lat: float
    people: int
    zone: str
    others: str
    """Other names, folded, a bar between."""


def folded(text: str) -> str:
    """Without case and accents, words one space apart."""
    plain = text.casefold()
    if not plain.isascii():
        parts = unicodedata.normalize("NFD", plain.translate(_PLAIN))
        plain = "".join(part for part in parts if not unicodedata.combining(part))
    return _spaced(plain)


def _spaced(plain: str) -> str:
    return plain if plain.isalnum() else " ".join(_BETWEEN.sub(" ", plain).split())


def towns_named(text: str, limit: int) -> list[Town]:
    """Towns whose name, or a word of it, begins so; after a comma a country may stand, or its two letters.

    Those of just that name come first, then those whose own name begins so, then words, then other names; each by
    people.
    """
    name, _, country = text.partition(",")
    wanted, where = folded(name), folded(country)
    if not wanted:
        return []
    keys, numbers = _index()
    low, high = bisect_left(keys, wanted), bisect_left(keys, wanted + _LAST)
    known = _towns()
    ranks: dict[int, tuple[int, int]] = {}
    for place in range(low, high):
        number, kind = numbers[place]
        rank = 0 if kind != _WORD and keys[place] == wanted else 1 + kind
        if number not in ranks or rank < ranks[number][0]:
            ranks[number] = rank, number
    found = [number for number in ranks if not where or _is_in(known[number], where)]
    return [known[number] for number in sorted(found, key=ranks.__getitem__)[:limit]]


def towns_in_zone(zone: str, limit: int) -> list[Town]:
    """Towns of a time zone by any of its names: the one that it is named after first, then by people.

    Raises NotFound for a zone that has no town, with names that look like it.
    """
    own = folded(zone.rpartition("/")[2])
    links = _tables()["zones"]
    meant = links.get(zone, zone)
    exact = [town for town in _towns() if town.zone == zone]
    found = exact or [town for town in _towns() if links.get(town.zone, town.zone) == meant]
    if not found:
        known = {town.zone for town in _towns()}
        raise NotFound(
            f"No town lies in the time zone {zone[:60]!r}. {nearest_names(zone[:60], known)}", parameter="tz"
        )
    named = [town for town in found if own in (folded(town.name), *town.others.split("|"))]
    rest = [town for town in found if town not in named[:1]]
    return [*named[:1], *rest][:limit]


def towns_near(lon: float, lat: float, limit: int) -> list[tuple[Town, float]]:
    """The nearest towns with their distances in metres, on the sphere."""
    apart = 1.0 - np.clip(_units() @ unit(np.array([lon]), np.array([lat]))[0], -1.0, 1.0)
    nearest = np.argpartition(apart, min(limit, apart.size - 1))[:limit]
    ordered = nearest[np.argsort(apart[nearest])]
    metres = EARTH_RADIUS_M * 2 * np.arcsin(np.sqrt(np.maximum(apart[ordered], 0.0) / 2))
    known = _towns()
    return [(known[int(number)], float(away)) for number, away in zip(ordered, metres, strict=True)]


def country_name(code: str) -> str:
    """Of its two letters; these where they are not known."""
    return str(_tables()["countries"].get(code, code))


def _is_in(town: Town, where: str) -> bool:
    return town.country.casefold() == where or folded(country_name(town.country)).startswith(where)


@cache
def _towns() -> tuple[Town, ...]:
    """All, the largest first."""
    packed = files("terrella.extraction").joinpath("data/towns.tsv.gz").read_bytes()
    return tuple(_town(row) for row in gzip.decompress(packed).decode().splitlines())


def _town(row: str) -> Town:
    name, country, lon, lat, people, zone, others = row.split("\t")
    return Town(name, country, float(lon), float(lat), int(people), zone, others)


@cache
def _tables() -> dict[str, dict[str, str]]:
    packed = files("terrella.extraction").joinpath("data/zones.json.gz").read_bytes()
    found: dict[str, Any] = json.loads(gzip.decompress(packed))
    return found


@cache
def _index() -> tuple[list[str], list[tuple[int, int]]]:
    """Folded beginnings, sorted; the number of the town of each, and what begins there."""
    rows = sorted((key, number, kind) for number, town in enumerate(_towns()) for key, kind in _keys(town))
    return [key for key, _, _ in rows], [(number, kind) for _, number, kind in rows]


def _keys(town: Town) -> Iterator[tuple[str, int]]:
    name = folded(town.name)
    yield name, _OWN
    for place, character in enumerate(name):
        if character == " ":
            yield name[place + 1 :], _WORD
    for other in filter(None, town.others.split("|")):
        yield _spaced(other), _OTHER


@cache
def _units() -> np.ndarray:
    lon, lat = np.array([(town.lon, town.lat) for town in _towns()]).T
    return unit(lon, lat)
