"""Discovery over all sources: which collections match, and for every facet how many would with each of its values."""

from __future__ import annotations

import base64
import binascii
import hashlib
import heapq
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import orjson

from terrella.access.rules import grants_of
from terrella.catalog.cards import RESOLUTIONS, words_in
from terrella.catalog.shelves import places_in, sort_key
from terrella.catalog.stocking import Stock
from terrella.errors import Invalid
from terrella.model import parameters
from terrella.model.discovery import ACCESS, FACETS, HAS, Counted
from terrella.model.search import CollectionSearch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from terrella.catalog.cards import Card
    from terrella.catalog.catalog import Catalog
    from terrella.catalog.shelves import Bits, Shelf
    from terrella.catalog.stocking import Stocked
    from terrella.model.caller import Caller, Grants
    from terrella.model.discovery import Discovering
    from terrella.model.search import Outcome
    from terrella.settings import Rule

MOST_VALUES = 100
"""Values of a facet that are told: those that most collections have, and those that were asked for."""
_FIXED: dict[str, dict[str, str]] = {
    "resolution": {name: title for name, (title, _, _) in RESOLUTIONS.items()},
    "access": ACCESS,
    "has": HAS,
}
"""Facets whose values are known beforehand, and are told in this order."""


@dataclass(frozen=True, slots=True)
class Found:
    """One collection on a page."""

    card: Card
    provider: str
    items: int | None
    """None where it is not told."""
    access: str
    """Of `ACCESS`."""
    is_part: bool
    """Whether some of its items may be hidden or closed."""


@dataclass(frozen=True, eq=False)
class Discovered:
    """One page. `facets` is empty on all pages but the first; `span` the times of all collections there are."""

    matched: int
    page: tuple[Found, ...]
    facets: Mapping[str, tuple[Counted, ...]]
    left_out: Mapping[str, int]
    """How many more values facets have than are told."""
    next: str | None
    sources: tuple[tuple[Outcome, int], ...]
    """How each source did, and how many of the matches it has."""
    span: tuple[str | None, str | None]


@dataclass(eq=False)
class _Part:
    """What one source has: sets by facet, and those that match everything but facets."""

    name: str
    shelf: Shelf
    items: Mapping[str, int | None]
    sets: dict[str, dict[str, Bits]]
    partly: Bits
    base: Bits
    matching: Bits = 0
    chosen: dict[str, Bits] = field(default_factory=dict)

    def but(self, facet: str | None = None) -> Bits:
        """Those that match, where one facet does not count."""
        found = self.base
        for name, bits in self.chosen.items():
            found &= bits if name != facet else found
        return found


class Discovery:
    """Safe for threads. `rules` are those of the site, from which what callers may comes."""

    def __init__(self, catalog: Catalog, rules: Sequence[Rule]) -> None:
        self._catalog = catalog
        self._stock = Stock(rules)
        self._with_account = grants_of(rules, {"user"})[1]

    def discover(self, caller: Caller, asked: Discovering) -> Discovered:
        """One page. Raises Invalid for an unknown value of a facet that has fixed ones, a wrong text or token."""
        check(asked)
        query = CollectionSearch(asked.bbox, asked.interval, text=asked.text, limit=1)
        answers, outcomes = self._catalog.asked(lambda name, one: self._stock.of(name, one, caller, query))
        parts = [self._part(name, answers[name], caller) for name in answers]
        _without_twins(parts)
        for part in parts:
            part.chosen = {facet: _any(part, facet, values) for facet, values in asked.facets.items() if values}
            part.matching = part.but()
        page, following = _page(parts, asked)
        facets, left_out = _facets(parts, asked) if asked.token is None else ({}, {})
        counts = {part.name: part.matching.bit_count() for part in parts}
        return Discovered(
            sum(counts.values()),
            page,
            facets,
            left_out,
            following,
            tuple((one, counts.get(one.provider, 0)) for one in outcomes),
            _span(parts),
        )

    def _part(self, name: str, stocked: Stocked, caller: Caller) -> _Part:
        shelf, items = stocked.shelf, stocked.items
        whole, partly = _opened(shelf, caller.reads)
        later, _ = _opened(shelf, self._with_account if caller.is_anonymous else ())
        mine = whole | partly
        access = {"open": mine, "account": later & ~mine, "request": shelf.all & ~(later | mine)}
        has = {**shelf.sets.get("has", {}), "items": shelf.among(one for one, count in items.items() if count != 0)}
        base = shelf.among(items) if len(items) < shelf.size else shelf.all
        return _Part(name, shelf, items, {**shelf.sets, "access": access, "has": has}, partly & ~whole, base)


def check(asked: Discovering) -> None:
    """Raises Invalid for values of facets that there cannot be."""
    for facet, values in asked.facets.items():
        known = _FIXED.get(facet)
        for value in values if known else ():
            if known and value not in known:
                raise Invalid(f"{facet} is one of {', '.join(known)}, not {value[:60]!r}.", parameter=facet)


def _opened(shelf: Shelf, grants: Grants) -> tuple[Bits, Bits]:
    """Cards of which these grants open everything, and those of which they may open some items."""
    if grants is None:
        return shelf.all, 0
    whole = partly = 0
    for grant in grants:
        bits = shelf.met.get(grant.collections, 0) if grant.collections else shelf.all
        whole, partly = (whole, partly | bits) if grant.items else (whole | bits, partly)
    return whole, partly


def _without_twins(parts: Sequence[_Part]) -> None:
    """Of a collection that two sources have, the first one's is shown."""
    seen: set[str] = set()
    for number, part in enumerate(parts):
        if number:
            part.base &= ~part.shelf.among(seen)
        if number < len(parts) - 1:
            seen.update(part.items)


def _any(part: _Part, facet: str, values: Sequence[str]) -> Bits:
    sets, found = part.sets.get(facet, {}), 0
    for value in values:
        for one in _meant(facet, value, sets):
            found |= sets.get(one, 0)
    return found


def _meant(facet: str, value: str, sets: Mapping[str, Bits]) -> Sequence[str]:
    """Values that a word stands for: of variables also the names that everybody knows them by, such as 2t."""
    if facet != "variable" or value in sets:
        return (value,)
    known = parameters.find(value)
    return [word for one in known for word in (one.cf_standard_name, one.short_name) if word in sets] or (value,)


# --- facets ----------------------------------------------------------------------------------------------------------


def _facets(parts: Sequence[_Part], asked: Discovering) -> tuple[dict[str, tuple[Counted, ...]], dict[str, int]]:
    found: dict[str, tuple[Counted, ...]] = {}
    left: dict[str, int] = {}
    for facet in FACETS:
        counts, titles = _counts(parts, facet)
        chosen = asked.facets.get(facet, ())
        fixed = _FIXED.get(facet)
        if fixed:
            ranked = list(fixed)
        else:
            ranked = sorted(counts, key=lambda value: (-counts[value], titles[value].casefold(), value))
            told = [value for value in ranked[:MOST_VALUES] if counts[value] or value in chosen]
            ranked = [*told, *(value for value in chosen if value not in told)]
            if more := sum(1 for count in counts.values() if count) - sum(1 for one in ranked if counts.get(one)):
                left[facet] = more
        titles = titles | (fixed or {})
        found[facet] = tuple(
            Counted(value, titles.get(value, value), counts.get(value, 0), value in chosen) for value in ranked
        )
    return found, left


def _counts(parts: Sequence[_Part], facet: str) -> tuple[dict[str, int], dict[str, str]]:
    counts: dict[str, int] = {}
    titles: dict[str, str] = {}
    for part in parts:
        others = part.but(facet)
        titles = part.shelf.titles.get(facet, {}) | titles
        for value, bits in part.sets.get(facet, {}).items():
            counts[value] = counts.get(value, 0) + (bits & others).bit_count()
    return counts, titles


# --- pages -----------------------------------------------------------------------------------------------------------


def _page(parts: Sequence[_Part], asked: Discovering) -> tuple[tuple[Found, ...], str | None]:
    sort = asked.sort or ("relevance" if asked.text else "title")
    question = _question(asked, sort)
    start, last = (0, "") if asked.token is None else _read(asked.token, question)
    ordered = _ordered(parts, asked, sort)
    if start:
        ordered = _after(list(ordered), start, last)
    rows = list(islice(ordered, asked.limit + 1))
    page = tuple(_found(part, place) for part, place in rows[: asked.limit])
    more = len(rows) > asked.limit
    return page, _write(question, start + asked.limit, page[-1].card.id) if more else None


Row = tuple[_Part, int]


def _ordered(parts: Sequence[_Part], asked: Discovering, sort: str) -> Iterator[Row]:
    if sort == "relevance":
        wanted = frozenset(word for term in asked.text for word in words_in(term))
        by_title = _ordered(parts, asked, "title")
        return iter(sorted(by_title, key=lambda row: -len(wanted & row[0].shelf.cards[row[1]].words)))
    ways = [_walk(part, sort) for part in parts]
    if len(ways) == 1:
        return ways[0]
    items = {name: count for part in parts for name, count in part.items.items()}
    by = sort_key(sort, items)
    return heapq.merge(*ways, key=lambda row: by(row[0].shelf.cards[row[1]]), reverse=sort.startswith("-"))


def _walk(part: _Part, sort: str) -> Iterator[Row]:
    """Those that match, in order."""
    there = np.zeros(part.shelf.size, dtype=bool)
    there[places_in(part.matching, part.shelf.size)] = True
    order = part.shelf.ordered(sort, part.items)
    return ((part, place) for place in order[there[order]].tolist())


def _after(rows: list[Row], start: int, last: str) -> Iterator[Row]:
    """What comes after the last one that was given, wherever that stands now."""
    names = [part.shelf.cards[place].id for part, place in rows[max(0, start - 1) : start]]
    if names != [last]:
        start = next((n + 1 for n, (part, place) in enumerate(rows) if part.shelf.cards[place].id == last), start)
    return iter(rows[start:])


def _found(part: _Part, place: int) -> Found:
    card = part.shelf.cards[place]
    access = next(name for name, bits in part.sets["access"].items() if bits >> place & 1)
    return Found(card, part.name, part.items.get(card.id), access, bool(part.partly >> place & 1))


def _span(parts: Sequence[_Part]) -> tuple[str | None, str | None]:
    begins = [begin for part in parts if (begin := part.shelf.span[0])]
    ends = [end for part in parts if (end := part.shelf.span[1])]
    return min(begins, default=None), max(ends, default=None)


# --- tokens ----------------------------------------------------------------------------------------------------------


def _question(asked: Discovering, sort: str) -> str:
    facets = sorted((name, sorted(values)) for name, values in asked.facets.items() if values)
    return hashlib.sha256(repr((asked.bbox, asked.interval, asked.text, facets, sort)).encode()).hexdigest()[:12]


def _write(question: str, start: int, last: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([question, start, last])).decode().rstrip("=")


def _read(token: str, question: str) -> tuple[int, str]:
    try:
        body = orjson.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        asked, start, last = body
        if asked == question and type(start) is int and 0 < start < 1_000_000_000 and isinstance(last, str):
            return start, last
    except (binascii.Error, ValueError, TypeError):
        pass
    raise Invalid(
        "That page token is not one of this search: take it from `next` of the page before.", parameter="token"
    )
