"""The lake: a site's own catalogue, in one SQLite file of its home. The first of the providers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import orjson

from terrella.contracts.cubes import Origin
from terrella.model.credit import credit_of
from terrella.providers.lake import aggregating, guarding, holdings, queryables, registering, searching
from terrella.providers.lake.expressions import SQL_FUNCTIONS
from terrella.providers.lake.filters import lists
from terrella.providers.lake.footprints import exact
from terrella.providers.lake.granting import holds_list
from terrella.providers.lake.schema import MIGRATIONS
from terrella.providers.lake.sight import Memory, Sight
from terrella.providers.lake.sources import Sources
from terrella.storage.database import Database

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from terrella.contracts.cubes import CubeIndex
    from terrella.contracts.providers import Home, Matches, Registration, Source
    from terrella.model.caller import Caller
    from terrella.model.scan import FileScan
    from terrella.model.search import Aggregation, CollectionSearch, Page, Search
    from terrella.model.stac import Document
    from terrella.providers.lake.sight import Look


class Lake:
    """Searches and registers. Safe for threads; several processes may have the same folder open."""

    name = "lake"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database = Database(folder / "catalog.sqlite", MIGRATIONS, prepare=_declare)
        self._sources = Sources(self._database)
        self._memory = Memory()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def search(self, caller: Caller, query: Search) -> Page:
        """Items in order, one page; `matched` where it is cheap. Raises Invalid."""
        return searching.search(self._database, self._finding(caller), query)

    def count(self, caller: Caller, query: Search) -> int:
        """How many items match, exactly. Raises Invalid, TooLarge when counting takes too long."""
        return searching.count(self._database, self._finding(caller), query)

    def item(self, caller: Caller, collection: str, item: str) -> bytes:
        """One item's document. Raises NotFound."""
        return searching.item(self._database, self._finding(caller), collection, item)

    def collections(self, caller: Caller, query: CollectionSearch) -> Page:
        """Collections in order, one page. Raises Invalid."""
        return holdings.collections(self._database, self._finding(caller), query)

    def matching(self, caller: Caller, query: CollectionSearch) -> Matches:
        """Which collections match, without their documents. Raises Invalid."""
        return holdings.matching(self._database, self._finding(caller), query)

    def collection(self, caller: Caller, collection: str) -> bytes:
        """One collection's document. Raises NotFound with the nearest names."""
        return holdings.collection(self._database, self._finding(caller), collection)

    def queryables(self, caller: Caller, collections: Sequence[str]) -> Document:
        """JSON Schema of the properties to filter by. Raises NotFound for a collection."""
        return queryables.queryables(self._database, self._finding(caller), collections)

    def aggregate(self, caller: Caller, query: Search, names: Sequence[str]) -> tuple[Aggregation, ...]:
        """STAC API aggregations over what matches. Raises Invalid for an unknown name."""
        return aggregating.aggregate(self._database, self._finding(caller), query, names)

    def put_collection(self, caller: Caller, collection: Document) -> None:
        """Create or replace a collection; its items stay. Raises Invalid, Conflict for one that is hidden."""
        work = registering.collection_write(collection)
        self._database.write(guarding.of_collection(self._finding(caller), collection.get("id"), work))

    def put_items(self, caller: Caller, items: Iterable[Document]) -> int:
        """Create or replace items in one transaction; returns how many.

        Raises Invalid, NotFound for a collection, Conflict for an item that is hidden.
        """
        documents = list(items)
        work = registering.items_write(documents)
        return self._database.write(guarding.of_items(self._finding(caller), documents, work))

    def remove_items(self, caller: Caller, collection: str, items: Iterable[str]) -> int:
        """Take items away; returns how many there were. Raises NotFound, Conflict as `put_items`."""
        named = [{"collection": collection, "id": item} for item in items]
        work = registering.items_removal(collection, [one["id"] for one in named])
        return self._database.write(guarding.of_items(self._finding(caller), named, work))

    def remove_collection(self, caller: Caller, collection: str) -> None:
        """Take a collection and its items away. Raises NotFound; Conflict where it has hidden items."""
        work = registering.collection_removal(collection)
        self._database.write(guarding.of_removal(self._finding(caller), collection, work))

    def open(self, caller: Caller, collection: str) -> tuple[CubeIndex, Origin]:
        """A collection's block index. Raises NotFound; Denied unless all its items may be read; Unsupported where they
        form no cube.
        """
        document = orjson.loads(self.collection(caller, collection))
        index, version, items = self._sources.index(collection)
        with self._database.reading() as connection:
            guarding.check_readable(self._reading(caller)(connection), collection)
        licence, attribution = str(document.get("license", "")), str(document.get("attribution", ""))
        names, counts = tuple(items), tuple(items.values())
        credit = credit_of(document)
        return index, Origin(self.name, collection, version, names, licence, attribution, counts, credit)

    def _finding(self, caller: Caller) -> Look:
        """What a caller may know of."""
        return partial(Sight.of, grants=caller.finds, memory=self._memory)

    def _reading(self, caller: Caller) -> Look:
        """What a caller may read."""
        return partial(Sight.of, grants=caller.reads, memory=self._memory)

    def sources(self) -> dict[str, Source]:
        """Every known file, by href."""
        return self._sources.all()

    def root(self, collection: str, item: str, path: str) -> str | None:
        """What was added as this item and has a file; None where nothing was."""
        return self._sources.root(collection, item, path)

    def scans(self, hrefs: Iterable[str]) -> list[FileScan]:
        """What scanning these files gave."""
        return self._sources.scans(hrefs)

    def keep_scan(self, scan: FileScan) -> None:
        """Remember a scanned file before it is registered."""
        self._sources.keep(scan)

    def homes(self) -> dict[str, Home]:
        """Collections made from files, by id."""
        return self._sources.homes()

    def register(self, caller: Caller, registration: Registration) -> None:
        """Keep a collection, its items and its index in one transaction. Raises Invalid; Conflict as `put_items`."""
        work = registering.registration_write(registration)
        self._database.write(guarding.of_collection(self._finding(caller), registration.collection.get("id"), work))

    def forget(self, hrefs: Iterable[str]) -> None:
        """Drop files from memory: when seen again they are new."""
        self._sources.forget(hrefs)


def _declare(connection: sqlite3.Connection) -> None:
    """Our SQL functions, on a new connection."""
    connection.create_function("relates", 7, exact, deterministic=True)
    connection.create_function("lists", 3, lists, deterministic=True)
    connection.create_function("holds_list", 3, holds_list, deterministic=True)
    for name, function in SQL_FUNCTIONS.items():
        connection.create_function(name, 1, function, deterministic=True)


__all__ = ["Lake"]
