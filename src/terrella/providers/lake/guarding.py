"""What stands in the way of writing over what the writer cannot see, and of reading what a reader may not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from terrella.errors import Conflict, Denied
from terrella.providers.lake.registering import no_collection

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from terrella.model.stac import Document
    from terrella.providers.lake.sight import Look, Sight

    type Work[T] = Callable[[sqlite3.Connection], T]


def of_collection[T](look: Look, collection: Any, work: Work[T]) -> Work[T]:
    """Work on a collection, refused with Conflict where one of that id is hidden from the writer in whole or part."""

    def guarded(connection: sqlite3.Connection) -> T:
        sight = look(connection)
        if not sight.is_all:
            there = connection.execute("select 1 from collections where id = ?", (collection,)).fetchone()
            if there is not None and not (sight.holds(collection) and sight.is_whole(collection)):
                raise _taken(f"collection {collection!r:.80}")
        return work(connection)

    return guarded


def of_items[T](look: Look, items: Iterable[Document], work: Work[T]) -> Work[T]:
    """Work on items by collection and id, refused with Conflict where one is hidden, NotFound where its collection
    is.
    """
    named: dict[str, list[str]] = {}
    for item in items:
        named.setdefault(item["collection"], []).append(item["id"])

    def guarded(connection: sqlite3.Connection) -> T:
        sight = look(connection)
        if not sight.is_all:
            for collection, ids in named.items():
                _check(sight, collection, ids)
        return work(connection)

    return guarded


def of_removal[T](look: Look, collection: str, work: Work[T]) -> Work[T]:
    """Work that takes a collection away, refused where it is hidden (NotFound) or some of its items are (Conflict)."""

    def guarded(connection: sqlite3.Connection) -> T:
        sight = look(connection)
        if not sight.is_all:
            if not sight.holds(collection):
                raise no_collection(collection, sight.names())
            if not sight.is_whole(collection):
                raise _taken(f"collection {collection!r:.80}")
        return work(connection)

    return guarded


def check_readable(sight: Sight, collection: str) -> None:
    """Raises Denied unless all of a collection's items may be read."""
    if sight.is_all or (sight.holds(collection) and sight.is_whole(collection)):
        return
    raise Denied(
        f"Nothing can be cut out of {collection!r:.80} by you: that needs leave to read all of its items.",
        parameter="collection",
    )


def _check(sight: Sight, collection: str, ids: list[str]) -> None:
    if not sight.holds(collection):
        raise no_collection(collection, sight.names())
    condition = sight.condition([collection])
    if condition is None:
        return
    row = sight.connection.execute(
        "select i.id from items i cross join documents d on d.number = i.number where i.collection = ? "  # noqa: S608
        f"and i.id in (select value from json_each(?)) and not coalesce({condition.text}, 0) limit 1",
        (collection, json.dumps(ids), *condition.values),
    ).fetchone()
    if row is not None:
        raise _taken(f"item {row[0]!r:.80}")


def _taken(what: str) -> Conflict:
    """Writers are told: to write over what one cannot see would be worse than to learn that it is there."""
    return Conflict(f"The {what} is not yours to change: ask an administrator, or use another id.", parameter="id")
