# ruff: noqa: S608 -- fragments are ours, what users give is bound
"""Statements that change the tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from terrella.providers.lake.schema import box_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from terrella.providers.lake.rows import ItemRow

_PUT_COLLECTION = """
insert into collections (id, t_start, t_end, west, south, east, north, doc)
values (?, ?, ?, ?, ?, ?, ?, cast(? as text))
on conflict (id) do update set t_start = excluded.t_start, t_end = excluded.t_end, west = excluded.west,
    south = excluded.south, east = excluded.east, north = excluded.north, doc = excluded.doc
"""
_INSERT_ITEM = """
insert into items (number, collection, id, t, t_start, t_end, west, south, east, north, cloud)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_DOCUMENT = "insert into documents (number, doc, shape) values (?, cast(? as text), ?)"
_INSERT_BOX = "insert into boxes (box, west, east, south, north, first, last) values (?, ?, ?, ?, ?, ?, ?)"


def changed(connection: sqlite3.Connection) -> tuple[int, int]:
    """How often collections and items were written: equal as long as nothing changed."""
    found: tuple[int, int] = connection.execute("select collections, items from changes").fetchone()
    return found


def changed_in(connection: sqlite3.Connection, collection: str) -> tuple[int, int]:
    """The same of one collection's items, and of all collections' documents."""
    found: tuple[int, int] = connection.execute(
        "select c.changed, v.collections from collections c, changes v where c.id = ?", (collection,)
    ).fetchone()
    return found


def write_collection(connection: sqlite3.Connection, row: Sequence[Any]) -> None:
    """Create or replace a collection: id, t_start, t_end, box (four), document."""
    connection.execute("update changes set collections = collections + 1")
    _forget_words(connection, row[0])
    connection.execute(_PUT_COLLECTION, row)
    connection.execute(
        "insert into collection_text (rowid, words) select number, words from collection_words where number = "
        "(select number from collections where id = ?)",
        (row[0],),
    )


def delete_collection(connection: sqlite3.Connection, collection: str) -> None:
    """Take away a collection that has no items any more."""
    connection.execute("update changes set collections = collections + 1")
    _forget_words(connection, collection)
    connection.execute("delete from properties where collection = ?", (collection,))
    connection.execute("delete from collections where id = ?", (collection,))


def _forget_words(connection: sqlite3.Connection, collection: str) -> None:
    """The text index takes the words to forget from the row, so this comes before the row changes."""
    connection.execute(
        "delete from collection_text where rowid = (select number from collections where id = ?)", (collection,)
    )


def count_items(connection: sqlite3.Connection, collection: str, more: int, lead: int, lag: int) -> None:
    """Keep a collection's count, and how far its items reach around the time that they sort by."""
    connection.execute("update changes set items = items + 1")
    connection.execute(
        "update collections set items = items + ?, changed = changed + 1, lead = max(lead, ?), lag = max(lag, ?) "
        "where id = ?",
        (more, lead, lag, collection),
    )


def numbers_of(connection: sqlite3.Connection, collection: str, items: Iterable[str]) -> dict[str, int]:
    """Numbers of those of these items that are there."""
    rows = connection.execute(
        "select id, number from items where collection = ? and id in (select value from json_each(?))",
        (collection, json.dumps(list(items))),
    )
    return dict(rows.fetchall())


def next_number(connection: sqlite3.Connection) -> int:
    """A number above all items'."""
    found: int = connection.execute("select coalesce(max(number), 0) + 1 from items").fetchone()[0]
    return found


def delete_items(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Take items away, their words first: the text index takes those from the document."""
    if not numbers:
        return
    listed = json.dumps(list(numbers))
    boxes = json.dumps([2 * number + part for number in numbers for part in (0, 1)])
    among = "in (select value from json_each(?))"
    connection.execute(f"delete from item_text where rowid {among}", (listed,))
    connection.execute(f"delete from boxes where box {among}", (boxes,))
    connection.execute(f"delete from documents where number {among}", (listed,))
    connection.execute(f"delete from items where number {among}", (listed,))


def insert_items(connection: sqlite3.Connection, rows: Sequence[tuple[int, ItemRow]]) -> None:
    """Add items under numbers that are free."""
    connection.executemany(_INSERT_ITEM, (_columns(number, row) for number, row in rows))
    connection.executemany(
        _INSERT_DOCUMENT, ((number, row.doc, row.footprint and row.footprint.shape) for number, row in rows)
    )
    connection.executemany(_INSERT_BOX, (box for number, row in rows for box in _boxes(number, row)))
    connection.execute(
        "insert into item_text (rowid, words) select number, words from item_words "
        "where number in (select value from json_each(?))",
        (json.dumps([number for number, _ in rows]),),
    )


def _columns(number: int, row: ItemRow) -> tuple[Any, ...]:
    box = row.footprint.extent.bbox() if row.footprint else (None, None, None, None)
    return (number, row.collection, row.id, row.t, row.t_start, row.t_end, *box, row.cloud)


def _boxes(number: int, row: ItemRow) -> list[tuple[Any, ...]]:
    return box_rows(number, row.footprint.extent.parts(), row.t_start, row.t_end) if row.footprint else []
