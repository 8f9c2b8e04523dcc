"""A card: what is shown of a collection in a list, and what it is sifted by; made of its document alone."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from terrella.catalog.themes import themes_of
from terrella.model import parameters
from terrella.model.microseconds import instant_or_none

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terrella.model.stac import Document

SHORT = 280
"""Characters of a description on a card."""
_MOST_VARIABLES, _MOST_WORDS = 200, 40
_WORD = re.compile(r"\w+")
_IMAGES = ("image/tiff", "image/jp2", "image/png", "image/jpeg")
RESOLUTIONS = {
    "under-100m": ("Finer than 100 m", 0.0, 100.0),
    "100m-1km": ("100 m to 1 km", 100.0, 1_000.0),
    "1km-10km": ("1 to 10 km", 1_000.0, 10_000.0),
    "10km-50km": ("10 to 50 km", 10_000.0, 50_000.0),
    "over-50km": ("Coarser than 50 km", 50_000.0, math.inf),
}
"""Classes of cell sizes in metres: from the first number on, below the second."""


@dataclass(frozen=True, slots=True)
class CardVariable:
    """`key` is its CF standard name, else the short name that everybody knows it by, else its own name."""

    name: str
    title: str
    units: str
    key: str
    known_as: str
    """The title of the key."""


@dataclass(frozen=True, slots=True)
class Card:
    """One collection; times as RFC 3339 texts and, to compare, as microseconds since 1970."""

    id: str
    mark: str
    """Changes with the document."""
    title: str
    description: str
    bbox: tuple[float, float, float, float] | None
    interval: tuple[str | None, str | None]
    begins: int | None
    ends: int | None
    variables: tuple[CardVariable, ...]
    resolution: float | None
    grid: str
    licence: str
    providers: tuple[str, ...]
    keywords: tuple[str, ...]
    themes: dict[str, str]
    has_cube: bool
    has_images: bool
    updated: str
    words: frozenset[str] = field(repr=False, default=frozenset())
    """Of the title, folded: a text that has them means this collection most of all."""

    @property
    def resolution_class(self) -> str | None:
        """Of `RESOLUTIONS`; None where the size of cells is not known."""
        if self.resolution is None:
            return None
        return next((name for name, (_, low, high) in RESOLUTIONS.items() if low <= self.resolution < high), None)


def mark_of(text: bytes) -> str:
    """What stands for one state of a document."""
    return hashlib.sha256(text).hexdigest()[:16]


def card_of(text: bytes) -> tuple[Card, Document]:
    """Of a collection's document as JSON; and the document. What is of a wrong type in it is left out."""
    document: Document = orjson.loads(text)
    title = _text(document.get("title")) or str(document["id"])
    variables = tuple(_variables(document))
    images = _has_images(document)
    cube = bool(_members(document, "cube:variables"))
    begin, end = _interval(document)
    grid = _members(document, "terrella:grid")
    made = Card(
        id=str(document["id"]),
        mark=mark_of(text),
        title=title,
        description=_short(_text(document.get("description"))),
        bbox=_box(document),
        interval=(begin, end),
        begins=instant_or_none(begin) if begin else None,
        ends=instant_or_none(end) if end else None,
        variables=variables,
        resolution=_resolution(document, grid),
        grid=_text(grid.get("kind")),
        licence=_text(document.get("license")) or "other",
        providers=_providers(document),
        keywords=tuple(one for one in _listed(document, "keywords") if isinstance(one, str))[:_MOST_WORDS],
        themes=themes_of(document, (one.key for one in variables), has_images=images),
        has_cube=cube,
        has_images=images,
        updated=_text(document.get("updated")),
        words=frozenset(words_in(title)),
    )
    return made, document


def words_in(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _variables(document: Document) -> Iterator[CardVariable]:
    known = _members(document, "cube:variables") or dict(_bands(document))
    for name, said in list(known.items())[:_MOST_VARIABLES]:
        if isinstance(said, dict) and said.get("type", "data") == "data":
            yield _variable(str(name), said)


def _variable(name: str, said: Document) -> CardVariable:
    description, standard = _text(said.get("description")), _text(said.get("standard_name"))
    key, known_as = _known(name, said, standard, description)
    return _shared(name, description or known_as, _text(said.get("unit")), key, known_as)


@lru_cache(maxsize=16_384)
def _shared(*parts: str) -> CardVariable:
    """Many collections have the same variables: one of each is kept."""
    return CardVariable(*parts)


def _known(name: str, said: Document, standard: str, description: str) -> tuple[str, str]:
    if standard:
        return standard, _spaced(standard)
    for word in ("mars:param", "grib:shortName", "grib:paramId"):
        found = parameters.find(str(said[word])) if said.get(word) else ()
        if found:
            one = found[0]
            return (
                (one.cf_standard_name, _spaced(one.cf_standard_name))
                if one.cf_standard_name
                else (
                    one.short_name,
                    one.name,
                )
            )
    return name.casefold(), description or _spaced(name)


def _spaced(name: str) -> str:
    plain = name.replace("_", " ").strip()
    return plain[:1].upper() + plain[1:]


def _bands(document: Document) -> Iterator[tuple[str, Document]]:
    """Of images: bands that the collection names, by name."""
    summaries = _members(document, "summaries")
    places = [document.get("bands"), summaries.get("bands"), summaries.get("eo:bands")]
    for asset in _members(document, "item_assets").values():
        if isinstance(asset, dict):
            places += [asset.get("bands"), asset.get("eo:bands")]
    for bands in places:
        for band in bands if isinstance(bands, list) else ():
            if isinstance(band, dict) and isinstance(band.get("name"), str):
                common = band.get("eo:common_name") or band.get("common_name")
                yield band["name"], {"description": band.get("description") or common, "unit": band.get("unit")}


def _has_images(document: Document) -> bool:
    """Whether its files are pictures of the Earth, of which no cube is made before one is asked for."""
    assets = [one for one in _members(document, "item_assets").values() if isinstance(one, dict)]
    return any(
        str(one.get("type", "")).startswith(_IMAGES) and "thumbnail" not in str(one.get("roles")) for one in assets
    )


def _resolution(document: Document, grid: Document) -> float | None:
    """Metres: of the grid; of images the finest sampling distance that is told."""
    found = grid.get("resolution_m")
    if not _is_number(found):
        told = _members(document, "summaries").get("gsd")
        told = told if isinstance(told, list) else list(told.values()) if isinstance(told, dict) else [told]
        found = min((one for one in told if _is_number(one)), default=None)
    return float(found) if found is not None and _is_number(found) and found > 0 else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _box(document: Document) -> tuple[float, float, float, float] | None:
    boxes = _listed(_members(_members(document, "extent"), "spatial"), "bbox")
    first = boxes[0] if boxes and isinstance(boxes[0], list) else []
    if len(first) not in {4, 6} or not all(map(_is_number, first)):
        return None
    half = len(first) // 2
    return first[0], first[1], first[half], first[half + 1]


def _interval(document: Document) -> tuple[str | None, str | None]:
    intervals = _listed(_members(_members(document, "extent"), "temporal"), "interval")
    first = intervals[0] if intervals and isinstance(intervals[0], list) else []
    begin, end = first if len(first) == 2 else (None, None)
    return _text(begin) or None, _text(end) or None


def _providers(document: Document) -> tuple[str, ...]:
    named = [_text(one.get("name")) for one in _listed(document, "providers") if isinstance(one, dict)]
    return tuple(dict.fromkeys(name for name in named if name))


def _short(text: str) -> str:
    """The beginning of a text, in one line, cut between words."""
    plain = " ".join(text.split())
    if len(plain) <= SHORT:
        return plain
    return plain[: SHORT + 1].rpartition(" ")[0].rstrip(",;.:") + " \u2026"


def _members(document: Document, name: str) -> Document:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _listed(document: Document, name: str) -> list[Any]:
    found = document.get(name)
    return found if isinstance(found, list) else []


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
