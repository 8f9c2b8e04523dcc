"""Pages of several sources as one: a merge by sort key whose token remembers where each source stands.

A source's own token leads to the start of a page, of which the merged page may have used only a part. So the
merged token keeps that start, and the key of the last document given: what comes again up to that key is dropped.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any, Self, cast

import orjson

from terrella.errors import Invalid
from terrella.model.search import Aggregation, CollectionSearch, Page, Search, SortKey
from terrella.model.time import parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from terrella.model.search import Outcome
    from terrella.model.stac import Document

_NEWEST_FIRST = (SortKey("datetime", descending=True), SortKey("id"), SortKey("collection"))
_BY_ID = (SortKey("id"),)
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a source stands: the token of its page, and how many of it were given already."""

    token: str | None
    given: int


class Merge:
    """One page to be made from several sources."""

    def __init__(self, query: Search | CollectionSearch, order: tuple[SortKey, ...], sources: Iterable[str]) -> None:
        self._limit = query.limit
        self._order = order
        self._last, self._stands = _read(query.token, list(sources), len(order))
        self.questions: dict[str, Any] = {
            name: replace(query, token=stand.token, limit=query.limit + stand.given)
            for name, stand in self._stands.items()
        }

    @classmethod
    def of_items(cls, query: Search, sources: Iterable[str]) -> Self:
        there = {key.field.removeprefix("properties.") for key in query.sortby}
        order = (*query.sortby, *(key for key in _NEWEST_FIRST[1:] if key.field not in there))
        return cls(query, order if query.sortby else _NEWEST_FIRST, sources)

    @classmethod
    def of_collections(cls, query: CollectionSearch, sources: Iterable[str]) -> Self:
        return cls(query, (*query.sortby, *_BY_ID), sources)

    def page(self, pages: Mapping[str, Page], outcomes: tuple[Outcome, ...]) -> Page:
        """The merged page. A source that has no page now keeps its stand for the next."""
        queues = {name: self._fresh(page) for name, page in pages.items()}
        taken = dict.fromkeys(queues, 0)
        given: list[bytes] = []
        seen: set[Key] = set()
        last = self._last
        while len(given) < self._limit:
            name = self._next(queues, taken, pages)
            if name is None:
                break
            key, document = queues[name][taken[name]]
            taken[name] += 1
            if key[-1] not in seen:
                seen.add(key[-1])
                given.append(document)
                last = key[0]
        stands = self._stands_after(queues, taken, pages)
        matched = [page.matched for page in pages.values()]
        return Page(
            tuple(given),
            next=_write(last, stands) if stands and last is not None and any(n in pages for n in stands) else None,
            matched=sum(cast("list[int]", matched)) if None not in matched else None,
            outcomes=outcomes,
        )

    def _fresh(self, page: Page) -> list[tuple[tuple[Key, Key], bytes]]:
        """Keyed documents of a page, without those up to the last key given."""
        keyed = [(self._key(orjson.loads(document)), document) for document in page.documents]
        if self._last is None:
            return keyed
        return [(key, document) for key, document in keyed if self._compare(key[0], self._last) > 0]

    def _next(
        self, queues: Mapping[str, Sequence[Any]], taken: Mapping[str, int], pages: Mapping[str, Page]
    ) -> str | None:
        """The source whose turn it is; none when one ran out that has more: its next may come before the others'."""
        heads = []
        for name, queue in queues.items():
            if taken[name] < len(queue):
                heads.append(name)
            elif pages[name].next is not None:
                return None
        by_key = cmp_to_key(self._compare)
        return min(heads, key=lambda name: by_key(queues[name][taken[name]][0][0]), default=None)

    def _stands_after(
        self, queues: Mapping[str, Sequence[Any]], taken: Mapping[str, int], pages: Mapping[str, Page]
    ) -> dict[str, Stand]:
        made = {name: stand for name, stand in self._stands.items() if name not in pages}
        for name, queue in queues.items():
            page = pages[name]
            if taken[name] < len(queue):
                used = len(page.documents) - len(queue) + taken[name]
                made[name] = Stand(self._stands[name].token, used)
            elif page.next is not None:
                made[name] = Stand(page.next, 0)
        return made

    def _key(self, document: Document) -> tuple[Key, Key]:
        """Values to sort by, and what tells one document from all others."""
        values = tuple(_value(document, key.field.removeprefix("properties.")) for key in self._order)
        return values, (document.get("collection"), document.get("id"))

    def _compare(self, one: Key, other: Key) -> int:
        for key, mine, theirs in zip(self._order, one, other, strict=True):
            if mine != theirs:
                if mine is None or theirs is None:
                    return 1 if mine is None else -1
                less = _rank(mine) < _rank(theirs)
                return -1 if less is not key.descending else 1
        return 0


def _rank(value: Any) -> tuple[int, Any]:
    """Numbers come before texts."""
    return (1, value) if isinstance(value, str) else (0, value)


def _value(document: Document, field: str) -> Any:
    if field in {"id", "collection"}:
        return document.get(field)
    properties = document.get("properties")
    members = document if properties is None else properties
    if field == "datetime":
        text = members.get("datetime") or members.get("start_datetime") or members.get("end_datetime")
        return _seconds(text) if isinstance(text, str) else None
    value = members.get(field)
    for name in field.split(".") if value is None else ():
        members = members.get(name) if isinstance(members, dict) else None
        value = members
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value


def _seconds(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = parse_instant(text).as_datetime()
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _write(last: Key, stands: Mapping[str, Stand]) -> str:
    body = [list(last), {name: [stand.token, stand.given] for name, stand in stands.items()}]
    return base64.urlsafe_b64encode(orjson.dumps(body)).decode().rstrip("=")


def _read(token: str | None, sources: list[str], width: int) -> tuple[Key | None, dict[str, Stand]]:
    """Raises Invalid for what is no token of ours."""
    if token is None:
        return None, {name: Stand(None, 0) for name in sources}
    try:
        body = orjson.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        last, stands = body
        found = {name: Stand(_text(text), _whole(given)) for name, (text, given) in stands.items() if name in sources}
        if len(last) == width:
            return tuple(last), found
    except (binascii.Error, ValueError, TypeError, AttributeError):
        pass
    raise Invalid(
        "That page token is not one of this search: take it from the links of the page before.", parameter="token"
    )


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 10_000:
        raise TypeError
    return value


def merged_queryables(documents: Sequence[Document]) -> Document:
    """Properties of any of them."""
    properties = {name: schema for document in reversed(documents) for name, schema in document["properties"].items()}
    return {**documents[0], "properties": properties}


def merged_aggregations(answers: Iterable[Sequence[Aggregation]]) -> tuple[Aggregation, ...]:
    """Counts are added, earliest and latest taken over all."""
    made: dict[str, Aggregation] = {}
    for answer in answers:
        for one in answer:
            made[one.name] = _joined(made[one.name], one) if one.name in made else one
    return tuple(made.values())


def _joined(one: Aggregation, other: Aggregation) -> Aggregation:
    if one.value is None or other.value is None:
        value = one.value if other.value is None else other.value
    elif one.name.endswith("_min"):
        value = min(one.value, other.value)
    else:
        value = max(one.value, other.value) if one.name.endswith("_max") else one.value + other.value
    buckets: dict[Any, Document] = {}
    for bucket in (*one.buckets, *other.buckets):
        have = buckets.get(bucket["key"])
        buckets[bucket["key"]] = {**bucket, "frequency": bucket["frequency"] + have["frequency"]} if have else bucket
    return replace(one, value=value, buckets=tuple(buckets.values()))
