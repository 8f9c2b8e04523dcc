"""A provider: a source of collections. It has whichever of these capabilities it can do.

Entry-point group: `terrella.providers`. Our own lake is the first of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from terrella.contracts.cubes import CubeIndex, Origin
    from terrella.model.caller import Caller
    from terrella.model.scan import FileScan
    from terrella.model.search import Aggregation, CollectionSearch, Page, Search
    from terrella.model.stac import Document


@runtime_checkable
class Searches(Protocol):
    """Finds items and collections."""

    name: str

    def search(self, caller: Caller, query: Search) -> Page:
        """Items in order, one page. Raises Invalid for an unknown token, filter property or sort key."""
        ...

    def collections(self, caller: Caller, query: CollectionSearch) -> Page:
        """Collections in order, one page."""
        ...

    def collection(self, caller: Caller, collection: str) -> bytes:
        """One collection's document. Raises NotFound with the nearest names."""
        ...

    def item(self, caller: Caller, collection: str, item: str) -> bytes:
        """One item's document. Raises NotFound."""
        ...

    def count(self, caller: Caller, query: Search) -> int:
        """How many items match; `limit` and `token` are ignored."""
        ...

    def queryables(self, caller: Caller, collections: Sequence[str]) -> Document:
        """JSON Schema of the properties to filter by: those seen in items of all these collections (none: of all)."""
        ...

    def aggregate(self, caller: Caller, query: Search, names: Sequence[str]) -> tuple[Aggregation, ...]:
        """STAC API aggregations over what matches. Raises Invalid for an unknown name."""
        ...


@dataclass(frozen=True, slots=True)
class Matches:
    """Which collections match, without their documents: for whoever has read those already."""

    stamp: Hashable
    """Stays equal as long as every document stays as it is that the same caller would be shown."""
    found: tuple[tuple[str, int | None], ...]
    """Ids, with the number of items; None where there are some that are not to be counted."""


@runtime_checkable
class Lists(Protocol):
    """Says quickly which collections match."""

    def matching(self, caller: Caller, query: CollectionSearch) -> Matches:
        """All that match, in no order; `limit`, `token` and `sortby` are ignored. Raises Invalid."""
        ...


@runtime_checkable
class Registers(Protocol):
    """Takes new items and collections. Every call is one transaction: all of it is kept, or none."""

    def put_collection(self, caller: Caller, collection: Document) -> None:
        """Create or replace a collection; its items stay."""
        ...

    def put_items(self, caller: Caller, items: Iterable[Document]) -> int:
        """Create or replace items (by collection and id); returns how many. Raises NotFound for a collection."""
        ...

    def remove_items(self, caller: Caller, collection: str, items: Iterable[str]) -> int:
        """Take items away; returns how many there were."""
        ...

    def remove_collection(self, caller: Caller, collection: str) -> None:
        """Take a collection and all that belongs to it away. Raises NotFound."""
        ...


@runtime_checkable
class Opens(Protocol):
    """Opens a collection's cube."""

    def open(self, caller: Caller, collection: str) -> tuple[CubeIndex, Origin]:
        """The block index of the collection's cube. Raises NotFound; Unsupported where its items form no cube."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """A file that a provider knows, as it was when it was scanned."""

    href: str
    format: str
    modified: str
    collections: tuple[str, ...]
    """Where it was registered; empty while it is only scanned."""
    is_missing: bool = False


@dataclass(frozen=True, eq=False)
class Home:
    """A collection made from files: the key of its bundle, and each file's item and version."""

    key: str
    members: dict[str, tuple[str, int]]


@dataclass(frozen=True, eq=False)
class Registration:
    """Everything that adding files to one collection changes, to be kept in one transaction."""

    collection: Document
    items: tuple[Document, ...]
    """New and changed items."""
    key: str
    """Of the bundle; empty for STAC documents."""
    index: CubeIndex | None
    members: dict[str, tuple[str, int]]
    """All files of the collection: href to item and its version."""
    missing: tuple[str, ...] = ()
    """Files (href) that are gone."""


@runtime_checkable
class Keeps(Protocol):
    """Remembers scanned files, so that none is scanned twice, and the block index of each cube."""

    def sources(self) -> dict[str, Source]:
        """Every known file, by href."""
        ...

    def root(self, collection: str, item: str, path: str) -> str | None:
        """What was added to a collection as this item (of no name: any), and has a file.

        That very file, a folder above it, or the folder of the STAC document that names it. None where nothing was:
        then the file is not for anybody to fetch.
        """
        ...

    def scans(self, hrefs: Iterable[str]) -> list[FileScan]:
        """What scanning these files gave; unknown ones are left out."""
        ...

    def keep_scan(self, scan: FileScan) -> None:
        """Remember a scanned file before it is registered, so that an interrupted run goes on where it stopped."""
        ...

    def homes(self) -> dict[str, Home]:
        """Collections made from files, by id."""
        ...

    def register(self, caller: Caller, registration: Registration) -> None:
        """Keep all of it, or nothing."""
        ...

    def forget(self, hrefs: Iterable[str]) -> None:
        """Drop files from memory: when seen again they are new."""
        ...


class Stores(Searches, Lists, Registers, Opens, Keeps, Protocol):
    """All that a lake can do: the provider that files are added to."""
