"""The cards of one source as one caller sees them, with sets of them by the values of facets.

A set of cards is a whole number of as many bits: what two sets share, and how many, takes a microsecond.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.catalog.cards import RESOLUTIONS
from terrella.model.discovery import HAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from terrella.catalog.cards import Card

Bits = int


def bits_of(places: Iterable[int], size: int) -> Bits:
    """A set of places below `size`."""
    there = np.zeros(size, dtype=bool)
    there[np.fromiter(places, dtype=np.int64)] = True
    return int.from_bytes(np.packbits(there, bitorder="little").tobytes(), "little")


def places_in(bits: Bits, size: int) -> np.ndarray:
    """The places of a set, rising."""
    packed = np.frombuffer(bits.to_bytes((size + 7) // 8 or 1, "little"), dtype=np.uint8)
    return np.flatnonzero(np.unpackbits(packed, bitorder="little")[:size])


@dataclass(eq=False)
class Shelf:
    """`met` are the sets of cards whose documents meet a rule's condition on collections, by its text."""

    cards: tuple[Card, ...]
    met: Mapping[str, Bits]
    titles: dict[str, dict[str, str]] = field(default_factory=dict)
    _orders: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.cards)

    @property
    def all(self) -> Bits:
        return (1 << self.size) - 1

    @cached_property
    def place(self) -> dict[str, int]:
        """Of a card, by its id."""
        return {card.id: place for place, card in enumerate(self.cards)}

    @cached_property
    def sets(self) -> dict[str, dict[str, Bits]]:
        """Of each facet that follows from documents: the cards of each value. Fills `titles`."""
        found: dict[str, dict[str, list[int]]] = {}
        for place, card in enumerate(self.cards):
            for facet, value, title in _values(card):
                self.titles.setdefault(facet, {}).setdefault(value, title)
                found.setdefault(facet, {}).setdefault(value, []).append(place)
        return {
            facet: {value: bits_of(places, self.size) for value, places in values.items()}
            for facet, values in found.items()
        }

    def among(self, ids: Iterable[str]) -> Bits:
        """The set of the cards with these ids; others are left out."""
        known = self.place
        return bits_of([known[one] for one in ids if one in known], self.size)

    def ordered(self, sort: str, items: Mapping[str, int | None]) -> np.ndarray:
        """All places in an order; what has no value to sort by comes last, ties by title and id."""
        kept = None if sort.lstrip("-") == "items" else self._orders.get(sort)
        if kept is None:
            key = sort_key(sort, items)
            order = sorted(range(self.size), key=lambda place: key(self.cards[place]), reverse=sort.startswith("-"))
            kept = self._orders[sort] = np.array(order, dtype=np.int64)
        return kept

    @cached_property
    def span(self) -> tuple[str | None, str | None]:
        """From the first beginning to the last end that are told."""
        begins = [(card.begins, card.interval[0]) for card in self.cards if card.begins is not None]
        ends = [(card.ends, card.interval[1]) for card in self.cards if card.ends is not None]
        return min(begins, default=(0, None))[1], max(ends, default=(0, None))[1]


def sort_key(sort: str, items: Mapping[str, int | None]) -> Callable[[Card], tuple[Any, ...]]:
    """What two cards are compared by; to be turned round where the sort begins with a minus."""
    turned = sort.startswith("-")
    value = _VALUES.get(sort.lstrip("-"))

    def key(card: Card) -> tuple[Any, ...]:
        found = items.get(card.id) if sort.lstrip("-") == "items" else value(card) if value else ""
        none_last = (found is not None) if turned else (found is None)
        return none_last, 0 if found is None else found, card.title.casefold(), card.id

    return key


_VALUES: dict[str, Callable[[Card], Any]] = {
    "updated": lambda card: card.updated or None,
    "begin": lambda card: card.begins,
    "end": lambda card: card.ends,
    "resolution": lambda card: card.resolution,
}


def _values(card: Card) -> Iterator[tuple[str, str, str]]:
    """Facet, value, title."""
    for value, title in card.themes.items():
        yield "theme", value, title
    for one in {one.key: one for one in card.variables}.values():
        yield "variable", one.key, one.known_as
    for name in card.providers:
        yield "provider", name, name
    yield "license", card.licence, card.licence
    if (kind := card.resolution_class) is not None:
        yield "resolution", kind, RESOLUTIONS[kind][0]
    if card.has_cube:
        yield "has", "cube", HAS["cube"]
    if card.has_images:
        yield "has", "images", HAS["images"]
