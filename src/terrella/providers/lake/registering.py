"""Writing collections and items: work for one transaction, alone or joined with other work."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from terrella.encodings.blocks import pack
from terrella.errors import NotFound, nearest_names
from terrella.providers.lake import properties, sources, tables
from terrella.providers.lake.rows import collection_row, item_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from terrella.contracts.providers import Registration
    from terrella.model.stac import Document
    from terrella.providers.lake.properties import Facts
    from terrella.providers.lake.rows import ItemRow

    type Write[T] = Callable[[sqlite3.Connection], T]


def collection_write(collection: Document) -> Write[None]:
    """Work that creates or replaces a collection; its items stay. Raises Invalid before anything is written."""
    row = collection_row(collection)
    box = row.extent.bbox() if row.extent else [None] * 4
    return lambda connection: tables.write_collection(connection, (row.id, row.t_start, row.t_end, *box, row.doc))


def items_write(items: Iterable[Document]) -> Write[int]:
    """Work that creates or replaces items and gives their number; of several with one id, the last stays.

    All is prepared in memory, so whoever has millions sends them by the ten thousand. Raises Invalid before
    anything is written; the work raises NotFound for a collection.
    """
    documents = list({(item.get("collection"), item.get("id")): item for item in items}.values())
    rows = item_rows(documents)
    facts = properties.observed(documents)
    return lambda connection: _store(connection, rows, facts)


def items_removal(collection: str, items: Iterable[str]) -> Write[int]:
    """Work that takes items away and gives how many there were."""
    wanted = list(items)
    return lambda connection: _remove(connection, collection, wanted)


def collection_removal(collection: str) -> Write[None]:
    """Work that takes a collection and its items away; it raises NotFound."""
    return lambda connection: _remove_collection(connection, collection)


def registration_write(registration: Registration) -> Write[None]:
    """Work that keeps all that adding files to one collection changes. Raises Invalid before anything is written."""
    collection = collection_write(registration.collection)
    items = items_write(registration.items) if registration.items else None
    block = pack(registration.index) if registration.index is not None else None

    def work(connection: sqlite3.Connection) -> None:
        collection(connection)
        if items is not None:
            items(connection)
        sources.register(connection, registration, block)

    return work


def _store(connection: sqlite3.Connection, rows: Sequence[ItemRow], facts: dict[str, dict[str, Facts]]) -> int:
    groups: dict[str, list[ItemRow]] = defaultdict(list)
    for row in rows:
        groups[row.collection].append(row)
    _check_collections(connection, groups)
    for collection, group in groups.items():
        old = tables.numbers_of(connection, collection, [row.id for row in group])
        tables.delete_items(connection, list(old.values()))
        tables.insert_items(connection, _numbered(connection, group, old))
        lead = max(row.t - row.t_start for row in group)
        lag = max(row.t_end - row.t for row in group)
        tables.count_items(connection, collection, len(group) - len(old), lead, lag)
        properties.merge(connection, collection, facts[collection])
    return len(rows)


def _numbered(
    connection: sqlite3.Connection, group: Sequence[ItemRow], old: dict[str, int]
) -> list[tuple[int, ItemRow]]:
    """A replaced item keeps its number."""
    free = max([tables.next_number(connection), *(number + 1 for number in old.values())])  # old are out already
    made = []
    for row in group:
        number = old.get(row.id)
        if number is None:
            number, free = free, free + 1
        made.append((number, row))
    return made


def _check_collections(connection: sqlite3.Connection, wanted: Iterable[str]) -> None:
    known = {name for (name,) in connection.execute("select id from collections")}
    for name in wanted:
        if name not in known:
            raise no_collection(name, known)


def no_collection(name: str, known: Iterable[str]) -> NotFound:
    """The error for a collection that is not there."""
    return NotFound(f"No collection {name!r:.80}. {nearest_names(name, known)}", parameter="collection")


def _remove(connection: sqlite3.Connection, collection: str, items: Sequence[str]) -> int:
    old = tables.numbers_of(connection, collection, items)
    tables.delete_items(connection, list(old.values()))
    tables.count_items(connection, collection, -len(old), 0, 0)
    return len(old)


def _remove_collection(connection: sqlite3.Connection, collection: str) -> None:
    _check_collections(connection, [collection])
    numbers: list[Any] = [
        number for (number,) in connection.execute("select number from items where collection = ?", (collection,))
    ]
    tables.delete_items(connection, numbers)
    tables.delete_collection(connection, collection)
