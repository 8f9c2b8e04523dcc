"""Pages by number over a catalogue that gives tokens: it is remembered where each page began."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import astuple, replace
from typing import TYPE_CHECKING

import orjson

from terrella.model.search import Page

if TYPE_CHECKING:
    from terrella.catalog.catalog import Catalog
    from terrella.model.caller import Caller
    from terrella.model.search import Search

_REMEMBERED = 20_000
_STRIDE = 1000


class Offsets:
    """Safe for threads. What is forgotten, or was asked of another process, is walked to."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._tokens: OrderedDict[tuple[bytes, int], str] = OrderedDict()
        self._lock = threading.Lock()

    def page(self, caller: Caller, query: Search, start: int) -> tuple[Page, int]:
        """The page of `query.limit` items from the item `start`, counted from 0, and how many match in all."""
        if not start:
            page = self._fetched(caller, query, 0)
            return page, page.matched if page.matched is not None else self._catalog.count(caller, query)
        total = self._catalog.count(caller, query)
        return (self._fetched(caller, query, start) if start < total else Page(())), total

    def _fetched(self, caller: Caller, query: Search, start: int) -> Page:
        text = orjson.dumps(astuple(replace(query, limit=0, token=None)), default=str) + caller.name.encode()
        mark = hashlib.sha256(text).digest()
        place, token = self._nearest(mark, start)
        while place < start:
            page = self._catalog.search(caller, replace(query, limit=min(_STRIDE, start - place), token=token))
            place, token = place + len(page.documents), page.next
            if token is None:
                return replace(page, documents=())
            self._remember(mark, place, token)
        page = self._catalog.search(caller, replace(query, token=token))
        if page.next is not None:
            self._remember(mark, start + len(page.documents), page.next)
        return page

    def _nearest(self, mark: bytes, start: int) -> tuple[int, str | None]:
        """The last known place at or before `start`."""
        with self._lock:
            if (found := self._tokens.get((mark, start))) is not None:
                return start, found
            places = [place for known, place in self._tokens if known == mark and place <= start]
            return (max(places), self._tokens[mark, max(places)]) if places else (0, None)

    def _remember(self, mark: bytes, place: int, token: str) -> None:
        with self._lock:
            self._tokens[mark, place] = token
            self._tokens.move_to_end((mark, place))
            while len(self._tokens) > _REMEMBERED:
                self._tokens.popitem(last=False)
