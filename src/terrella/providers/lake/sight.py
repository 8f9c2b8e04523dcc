# ruff: noqa: S608 -- fragments are ours, what rules name is bound
"""What grants open of the lake: which collections, and of those that are not open whole, which items.

What takes long to find out (which collections meet a grant, whether all items of one do) is remembered until
something is written. What depends on the time of asking is remembered for ten seconds at most; the items that a
search finds are always those of that very moment.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import orjson

from terrella.model.conditions import condition_of, needs_now
from terrella.model.meeting import collection_meets
from terrella.providers.lake import properties, schema, tables
from terrella.providers.lake.granting import granted
from terrella.providers.lake.schema import Sql, joined, one_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping

    from terrella.model.caller import Grants

    type Opened = Mapping[str, tuple[str, ...]]
    """Collections, with the conditions of which an item must meet one; none where it is open whole."""
    type Look = Callable[[sqlite3.Connection], Sight]
    """What somebody sees on a connection."""

_REMEMBERED = 4096
_TIMED = 10_000_000
"""Microseconds for which an answer that depends on the time is good."""


class Memory:
    """The least recently asked for is forgotten first. Safe for threads."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[Any, Any] = OrderedDict()

    def get[T](self, key: Any, make: Callable[[], T]) -> T:
        """What is kept under a key, made if need be (perhaps twice, by two threads that need it at once)."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                kept: T = self._kept[key]
                return kept
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


@dataclass(frozen=True, slots=True)
class Sight:
    """What grants open, for one question on one connection; `grants` None opens everything."""

    connection: sqlite3.Connection
    grants: Grants
    memory: Memory
    now: int
    """Microseconds since 1970."""

    @classmethod
    def of(cls, connection: sqlite3.Connection, grants: Grants, memory: Memory) -> Sight:
        """At this moment."""
        return cls(connection, grants, memory, time.time_ns() // 1000)

    @property
    def is_all(self) -> bool:
        return self.grants is None

    def opened(self) -> Opened:
        """All collections that may be found, with the conditions on their items. Not to be asked where `is_all`."""
        grants = self.grants or ()
        key = ("opened", grants, tables.changed(self.connection)[0], self._moment(one.collections for one in grants))
        return self.memory.get(key, self._opened)

    def stamp(self) -> tuple[int, ...]:
        """Stays equal as long as the documents of collections stay as they are seen so."""
        collections, items = tables.changed(self.connection)
        if self.is_all:
            return (collections,)
        texts = [text for one in self.grants or () for text in (one.collections, one.items)]
        return collections, items, self._moment(texts)

    def names(self) -> list[str]:
        """Ids of the collections that may be found."""
        if not self.is_all:
            return list(self.opened())
        return [name for (name,) in self.connection.execute("select id from collections")]

    def holds(self, collection: str) -> bool:
        """Whether there is such a collection, and it may be found."""
        if not self.is_all:
            return collection in self.opened()
        return self.connection.execute("select 1 from collections where id = ?", (collection,)).fetchone() is not None

    def condition(self, collections: Iterable[str]) -> Sql | None:
        """What items of these collections, which may be found, must meet; None where all of them are open."""
        opened = self.opened()
        groups: dict[tuple[str, ...], list[str]] = {}
        for name in collections:
            groups.setdefault(opened[name], []).append(name)
        if set(groups) <= {()}:
            return None
        return joined("or", [self._group(names, texts) for texts, names in groups.items()])

    def is_whole(self, collection: str) -> bool:
        """Whether a collection that may be found has no hidden item."""
        texts = () if self.is_all else self.opened()[collection]
        if not texts:
            return True
        return self.memory.get(self._key("whole", collection, texts), lambda: not self._hides(collection, texts))

    def once[T](self, word: str, make: Callable[[], T], collection: str | None = None) -> T:
        """Something that stays so, for these grants, until anything is written: to a collection, or to any."""
        texts = [text for one in self.grants or () for text in (one.collections, one.items)]
        connection = self.connection
        written = tables.changed(connection) if collection is None else tables.changed_in(connection, collection)
        return self.memory.get((word, collection, self.grants, written, self._moment(texts)), make)

    def some(self, collection: str, condition: Sql) -> bool:
        """Whether an item of a collection may be found that meets a condition."""
        open_here = self.condition([collection]) or schema.ALWAYS
        return self._exists(collection, joined("and", [open_here, condition]))

    def property_names(self) -> set[str]:
        """Of items that may be found."""
        if self.is_all:
            return set(properties.names(self.connection))
        return self.once("names", lambda: set().union(*map(self.names_in, self.opened())))

    def property_types(self, name: str) -> set[str] | None:
        """JSON types of a property's values in items that may be found; empty where they are not told, None where no
        item has it.
        """
        if self.is_all:
            return properties.types_of(self.connection, name) or None
        return self.once(f"types {name}", lambda: self._types(name))

    def names_in(self, collection: str) -> set[str]:
        """Properties of items of one collection that may be found."""
        return self.once("names", lambda: self._names_in(collection), collection)

    def _opened(self) -> Opened:
        found: dict[str, tuple[str, ...]] = {}
        for name, text in self.connection.execute("select id, cast(doc as blob) from collections order by id"):
            document = orjson.loads(text)
            texts = [g.items for g in self.grants or () if collection_meets(g.collections, document, self.now)]
            if texts:
                found[name] = () if "" in texts else tuple(sorted(set(texts)))
        return found

    def _group(self, names: list[str], texts: tuple[str, ...]) -> Sql:
        inside = one_of("i.collection", names)
        if not texts:
            return Sql(f"({inside.text})", inside.values)
        return joined("and", [inside, joined("or", [granted(text, self.now) for text in texts])])

    def _hides(self, collection: str, texts: tuple[str, ...]) -> bool:
        met = joined("or", [granted(text, self.now) for text in texts])
        return self._exists(collection, Sql(f"not coalesce({met.text}, 0)", met.values, dear=True))

    def _exists(self, collection: str, condition: Sql) -> bool:
        row = self.connection.execute(
            f"select 1 from items i{schema.DOCUMENTS} where i.collection = ? and {condition.text} limit 1",
            (collection, *condition.values),
        )
        return row.fetchone() is not None

    def _names_in(self, collection: str) -> set[str]:
        known = set(properties.known(self.connection, [collection]))
        if self.is_whole(collection):
            return known
        return {name for name in known if self._has(collection, name)}

    def _has(self, collection: str, name: str) -> bool:
        absent = schema.json_absent(*schema.property_paths(name))
        return self.some(collection, Sql(f"not {absent.text}", absent.values, dear=True))

    def _types(self, name: str) -> set[str] | None:
        """Of whole collections what is known; where part of one has it, any type may occur."""
        having = properties.known_as(self.connection, name)
        opened = self.opened()
        whole = [one for one in having if one in opened and self.is_whole(one)]
        if any(one in opened and one not in whole and self._has(one, name) for one in having):
            return set()
        found = set[str]().union(*(having[one] for one in whole))
        return found or None

    def _key(self, word: str, collection: str, texts: tuple[str, ...]) -> tuple[Any, ...]:
        return word, collection, texts, tables.changed_in(self.connection, collection), self._moment(texts)

    def _moment(self, texts: Iterable[str]) -> int:
        return self.now // _TIMED if any(needs_now(condition_of(text)) for text in texts) else 0
