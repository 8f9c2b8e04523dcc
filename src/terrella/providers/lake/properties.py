"""What is known of the items' properties: names, types, ranges and values, kept while items are written.

Facts only grow: taking an item away leaves them, taking its collection away takes them too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from terrella.model.stac import Document

_MOST_VALUES = 24
"""Texts with more different values than this are not listed."""
_MOST_NAMES = 1000
"""Of a collection: further names are stored in the documents, but not known here."""
_LONGEST = 80
_DEEPEST = 3


@dataclass(slots=True)
class Facts:
    """What the values of one property are like. `values` is None when there are too many."""

    types: set[str] = field(default_factory=set)
    low: float | None = None
    high: float | None = None
    values: set[str] | None = field(default_factory=set)

    def to_json(self) -> str:
        values = None if self.values is None else sorted(self.values)
        made = {"types": sorted(self.types), "low": self.low, "high": self.high, "values": values}
        return orjson.dumps(made).decode()

    @classmethod
    def from_json(cls, text: str) -> Facts:
        found = orjson.loads(text)
        values = found["values"]
        return cls(set(found["types"]), found["low"], found["high"], None if values is None else set(values))

    def join(self, other: Facts) -> None:
        """Take in what another knows."""
        self.types |= other.types
        for bound in (other.low, other.high):
            if bound is not None:
                self._reach(bound)
        if self.values is not None:
            self.values = None if other.values is None else self.values | other.values
            self._forget_many()

    def see(self, value: Any) -> None:
        """Take in one value."""
        if isinstance(value, str):
            self.types.add("string")
            self._list(value)
        elif isinstance(value, bool):
            self.types.add("boolean")
        elif isinstance(value, int | float):
            self.types.add("number")
            self._reach(value)
        elif isinstance(value, list):
            self.types.add("array")
        elif isinstance(value, dict):
            self.types.add("object")

    def _list(self, value: str) -> None:
        if self.values is not None and value not in self.values:
            self.values.add(value)
            if len(value) > _LONGEST:
                self.values = None
            else:
                self._forget_many()

    def _forget_many(self) -> None:
        if self.values is not None and len(self.values) > _MOST_VALUES:
            self.values = None

    def _reach(self, value: float) -> None:
        if value == value:  # noqa: PLR0124 -- not NaN
            self.low = value if self.low is None or value < self.low else self.low
            self.high = value if self.high is None or value > self.high else self.high


def observed(items: Iterable[Document]) -> dict[str, dict[str, Facts]]:
    """Facts of a batch of items, by collection and name; members of objects are named with dots between."""
    found: dict[str, dict[str, Facts]] = {}
    for item in items:
        facts = found.setdefault(item["collection"], {})
        _observe(item["properties"], "", facts, 1)
    return found


def _observe(members: Document, prefix: str, facts: dict[str, Facts], depth: int) -> None:
    for key, value in members.items():
        if value is None:
            continue
        name = prefix + key
        fact = facts.get(name)
        if fact is None:
            if len(facts) >= _MOST_NAMES:
                continue
            fact = facts[name] = Facts()
        fact.see(value)
        if isinstance(value, dict) and depth < _DEEPEST:
            _observe(value, name + ".", facts, depth + 1)


def merge(connection: sqlite3.Connection, collection: str, seen: dict[str, Facts]) -> None:
    """Join a batch's facts to the stored ones; writes only those that changed."""
    stored = dict(connection.execute("select name, facts from properties where collection = ?", (collection,)))
    changed: list[tuple[str, str, str]] = []
    for name, fact in seen.items():
        if name not in stored and len(stored) + len(changed) >= _MOST_NAMES:
            continue
        old = stored.get(name)
        if old is not None:
            fact.join(Facts.from_json(old))
        text = fact.to_json()
        if text != old:
            changed.append((collection, name, text))
    connection.executemany("insert or replace into properties (collection, name, facts) values (?, ?, ?)", changed)


def known(connection: sqlite3.Connection, collections: Iterable[str] = ()) -> dict[str, list[Facts]]:
    """Facts of every property by name, one entry a collection that has it; of these collections, or of all."""
    found: dict[str, list[Facts]] = {}
    wanted = set(collections)
    for collection, name, text in connection.execute("select collection, name, facts from properties"):
        if not wanted or collection in wanted:
            found.setdefault(name, []).append(Facts.from_json(text))
    return found


def types_of(connection: sqlite3.Connection, name: str) -> set[str]:
    """JSON types of a property's values anywhere, without null; empty when no item has it."""
    rows = connection.execute("select distinct facts ->> '$.types' from properties where name = ?", (name,))
    return {kind for (types,) in rows for kind in orjson.loads(types)}


def known_as(connection: sqlite3.Connection, name: str) -> dict[str, set[str]]:
    """Collections that have a property, with the JSON types of its values there."""
    rows = connection.execute("select collection, facts ->> '$.types' from properties where name = ?", (name,))
    return {collection: set(orjson.loads(types)) for collection, types in rows}


def names(connection: sqlite3.Connection) -> list[str]:
    """Of all properties anywhere."""
    return [name for (name,) in connection.execute("select distinct name from properties")]
