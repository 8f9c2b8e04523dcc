"""Shelves kept ready: documents are read again only when the source says that something changed."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from terrella.access.rules import grant_of
from terrella.catalog.cards import Card, card_of, mark_of
from terrella.catalog.shelves import Shelf, bits_of
from terrella.contracts.providers import Lists
from terrella.model.caller import OPERATOR
from terrella.model.conditions import condition_of, needs_now
from terrella.model.meeting import collection_meets
from terrella.model.search import CollectionSearch

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from terrella.contracts.providers import Searches
    from terrella.model.caller import Caller
    from terrella.settings import Rule

PAGE = 10_000
_MOST_ELSEWHERE = 1000
"""Collections of a source that cannot list them by id which are looked at for one question."""
_SHELVES = 16
_TIMED = 10_000_000
"""Microseconds for which an answer that depends on the time is good."""


@dataclass(frozen=True, eq=False)
class Stocked:
    """What one source has for a question: its shelf, the ids that match, and how many items these have."""

    shelf: Shelf
    items: dict[str, int | None]


@dataclass(frozen=True, eq=False)
class _Known:
    """What was made of a document; `met` are the texts of rules that it meets."""

    card: Card
    met: frozenset[str]


class Stock:
    """Safe for threads. The least recently asked for shelf goes first."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        texts = {grant_of(rule).collections for rule in rules}
        self._texts = sorted(text for text in texts if text)
        self._is_timed = any(needs_now(condition_of(text)) for text in self._texts)
        self._lock = threading.Lock()
        self._shelves: OrderedDict[Hashable, tuple[Hashable, Shelf]] = OrderedDict()
        self._cards: dict[str, dict[str, _Known]] = {}

    def of(self, name: str, provider: Searches, caller: Caller, query: CollectionSearch) -> Stocked:
        """What a source has for a caller. Raises as its search does."""
        if not isinstance(provider, Lists):
            return self._of_page(provider, caller, query)
        found = provider.matching(caller, query)
        kept = self._shelf(name, provider, caller, found.stamp)
        items = dict(found.found)
        if not items.keys() <= kept.place.keys():  # written between the two questions
            kept = self._shelf(name, provider, caller, None)
            items = {one: count for one, count in items.items() if one in kept.place}
        return Stocked(kept, items)

    def _of_page(self, provider: Searches, caller: Caller, query: CollectionSearch) -> Stocked:
        page = provider.collections(caller, replace(query, limit=_MOST_ELSEWHERE, token=None, sortby=()))
        made = _by_id(self._known(text) for text in page.documents)
        return Stocked(self._made(made, made), dict.fromkeys(made))

    def _shelf(self, name: str, provider: Searches, caller: Caller, stamp: Hashable) -> Shelf:
        """The shelf of a source as a caller sees it, made again where its stamp is another."""
        key, now = (name, caller.finds), (stamp, self._moment())
        with self._lock:
            kept = self._shelves.get(key)
            if kept is not None and kept[0] == now and stamp is not None:
                self._shelves.move_to_end(key)
                return kept[1]
            whole = self._read(name, provider, OPERATOR)
            mine = whole if caller.finds is None else self._read(name, provider, caller, whole)
            made = self._made(mine, whole)
            self._shelves[key] = (now, made)
            while len(self._shelves) > _SHELVES:
                self._shelves.popitem(last=False)
            return made

    def _read(
        self, name: str, provider: Searches, caller: Caller, known: dict[str, _Known] | None = None
    ) -> dict[str, _Known]:
        """Cards by id of all that a caller may find; documents that were read before are not parsed again."""
        before = known if known is not None else self._cards.get(name, {})
        found: dict[str, _Known] = {}
        query: CollectionSearch | None = CollectionSearch(limit=PAGE)
        marks = {one.card.mark: one for one in before.values()}
        while query is not None:
            page = provider.collections(caller, query)
            for text in page.documents:
                one = None if self._is_timed else marks.get(mark_of(text))
                one = one or self._known(text)
                found[one.card.id] = one
            query = CollectionSearch(limit=PAGE, token=page.next) if page.next else None
        if known is None:
            self._cards[name] = found
        return found

    def _known(self, text: bytes) -> _Known:
        card, document = card_of(text)
        now = time.time_ns() // 1000
        return _Known(card, frozenset(one for one in self._texts if collection_meets(one, document, now)))

    def _made(self, mine: dict[str, _Known], whole: dict[str, _Known]) -> Shelf:
        """What rules say is said of whole documents, which the caller may see less of."""
        cards = tuple(one.card for one in mine.values())
        met: dict[str, list[int]] = {text: [] for text in self._texts}
        for place, name in enumerate(mine):
            for text in whole[name].met if name in whole else ():
                met[text].append(place)
        return Shelf(cards, {text: bits_of(places, len(cards)) for text, places in met.items()})

    def _moment(self) -> int:
        return time.time_ns() // 1000 // _TIMED if self._is_timed else 0


def _by_id(known: Iterable[_Known]) -> dict[str, _Known]:
    return {one.card.id: one for one in known}
