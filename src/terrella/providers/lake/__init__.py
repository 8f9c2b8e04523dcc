"""The lake: a site's own catalogue, in one SQLite file of its home. The first of the providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from terrella.contracts.cubes import Origin
from terrella.providers.lake import aggregating, holdings, queryables, registering, searching
from terrella.providers.lake.expressions import SQL_FUNCTIONS
from terrella.providers.lake.filters import lists
from terrella.providers.lake.footprints import exact
from terrella.providers.lake.schema import MIGRATIONS
from terrella.providers.lake.sources import Sources
from terrella.storage.database import Database

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from terrella.contracts.cubes import CubeIndex
    from terrella.contracts.providers import Home, Registration, Source
    from terrella.model.caller import Caller
    from terrella.model.scan import FileScan
    from terrella.model.search import Aggregation, CollectionSearch, Page, Search
    from terrella.model.stac import Document


class Lake:
    """Searches and registers. Safe for threads; several processes may have the same folder open."""

    name = "lake"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database = Database(folder / "catalog.sqlite", MIGRATIONS, prepare=_declare)
        self._sources = Sources(self._database)

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
        return searching.search(self._database, caller, query)

    def count(self, caller: Caller, query: Search) -> int:
        """How many items match, exactly. Raises Invalid, TooLarge when counting takes too long."""
        return searching.count(self._database, caller, query)

    def item(self, caller: Caller, collection: str, item: str) -> bytes:
        """One item's document. Raises NotFound."""
        return searching.item(self._database, caller, collection, item)

    def collections(self, caller: Caller, query: CollectionSearch) -> Page:
        """Collections in order, one page. Raises Invalid."""
        return holdings.collections(self._database, caller, query)

    def collection(self, caller: Caller, collection: str) -> bytes:
        """One collection's document. Raises NotFound with the nearest names."""
        return holdings.collection(self._database, caller, collection)

    def queryables(self, caller: Caller, collections: Sequence[str]) -> Document:
        """JSON Schema of the properties to filter by. Raises NotFound for a collection."""
        return queryables.queryables(self._database, caller, collections)

    def aggregate(self, caller: Caller, query: Search, names: Sequence[str]) -> tuple[Aggregation, ...]:
        """STAC API aggregations over what matches. Raises Invalid for an unknown name."""
        return aggregating.aggregate(self._database, caller, query, names)

    def put_collection(self, caller: Caller, collection: Document) -> None:
        """Create or replace a collection; its items stay. Raises Invalid."""
        del caller  # whoever may write is decided before
        self._database.write(registering.collection_write(collection))

    def put_items(self, caller: Caller, items: Iterable[Document]) -> int:
        """Create or replace items in one transaction; returns how many. Raises Invalid, NotFound for a collection."""
        del caller
        return self._database.write(registering.items_write(items))

    def remove_items(self, caller: Caller, collection: str, items: Iterable[str]) -> int:
        """Take items away; returns how many there were."""
        del caller
        return self._database.write(registering.items_removal(collection, items))

    def remove_collection(self, caller: Caller, collection: str) -> None:
        """Take a collection and its items away. Raises NotFound."""
        del caller
        self._database.write(registering.collection_removal(collection))

    def open(self, caller: Caller, collection: str) -> tuple[CubeIndex, Origin]:
        """A collection's block index. Raises NotFound; Unsupported where its items form no cube."""
        document = orjson.loads(self.collection(caller, collection))
        index, version, items = self._sources.index(collection)
        licence, attribution = str(document.get("license", "")), str(document.get("attribution", ""))
        return index, Origin(self.name, collection, version, items, licence, attribution)

    def sources(self) -> dict[str, Source]:
        """Every known file, by href."""
        return self._sources.all()

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
        """Keep a collection, its items and its index in one transaction. Raises Invalid."""
        del caller
        self._database.write(registering.registration_write(registration))

    def forget(self, hrefs: Iterable[str]) -> None:
        """Drop files from memory: when seen again they are new."""
        self._sources.forget(hrefs)


def _declare(connection: sqlite3.Connection) -> None:
    """Our SQL functions, on a new connection."""
    connection.create_function("relates", 7, exact, deterministic=True)
    connection.create_function("lists", 3, lists, deterministic=True)
    for name, function in SQL_FUNCTIONS.items():
        connection.create_function(name, 1, function, deterministic=True)


__all__ = ["Lake"]
