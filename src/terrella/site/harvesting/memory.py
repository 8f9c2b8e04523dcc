"""What a site remembers of its sources: a fingerprint of every item, where a pass stands, what was copied."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from terrella.storage.database import Database

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FILE = "harvest.sqlite"
MIGRATIONS = (
    """
create table pass (
    source text not null, -- key of what is wanted
    collection text not null, -- as the source calls it
    id text not null, -- of the pass that is under way; '' between two
    cursor text not null default '', -- the next page, as JSON
    full_at text not null default '', -- when the last pass over everything ended
    updated text not null default '', -- the newest time of change that an item has
    primary key (source, collection)
) without rowid;
create table item (
    source text not null,
    collection text not null,
    item text not null,
    fingerprint text not null, -- '' once it is gone
    href text not null default '',
    seen text not null, -- the pass that saw it last
    copies text not null default '{}', -- asset to [address, checksum there, path here]
    primary key (source, collection, item)
) without rowid;
create index item_by_href on item (source, href);
""",
)


@dataclass(frozen=True, slots=True)
class Pass:
    """One walk over one collection; `cursor` is where an interrupted one stood."""

    id: str
    cursor: Any
    full_at: str
    updated: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One item as it was taken in."""

    item: str
    fingerprint: str
    href: str
    copies: dict[str, list[str]]


class Memory:
    """Of one source; safe for processes, though two runs over one source do the work twice."""

    def __init__(self, home: Path, source: str) -> None:
        self._database = Database(home / FILE, MIGRATIONS)
        self._source = source

    def close(self) -> None:
        self._database.close()

    def begin(self, collection: str) -> Pass:
        """The pass that was interrupted, or a new one."""
        row = self._row("select id, cursor, full_at, updated from pass where source = ? and collection = ?", collection)
        if row is None or not row[0]:
            fresh = str(uuid.uuid4())
            self._database.write(lambda c: _begin(c, self._source, collection, fresh))
            return Pass(fresh, None, row[2] if row else "", row[3] if row else "")
        return Pass(row[0], json.loads(row[1]) if row[1] else None, row[2], row[3])

    def restart(self, collection: str) -> Pass:
        """Another pass instead of the one under way: where that stood is not there any more."""
        self._database.write(lambda c: _end(c, self._source, collection))
        return self.begin(collection)

    def known(self, collection: str, items: Sequence[str]) -> dict[str, Seen]:
        """Those of these items that were taken in before."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "select item, fingerprint, href, copies from item where source = ? and collection = ? "
                "and item in (select value from json_each(?))",
                (self._source, collection, json.dumps(list(items))),
            ).fetchall()
        return {row[0]: Seen(row[0], row[1], row[2], json.loads(row[3])) for row in rows}

    def hrefs_seen(self, one: Pass, hrefs: Sequence[str]) -> set[str]:
        """Those of these addresses whose item this very pass has taken in."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "select href from item where source = ? and seen = ? and href in (select value from json_each(?))",
                (self._source, one.id, json.dumps(list(hrefs))),
            )
            return {href for (href,) in rows}

    def note(self, collection: str, one: Pass, seen: Iterable[Seen], cursor: Any, updated: str) -> None:
        """A page is in the catalogue: its items, and where the next begins."""
        rows = [(self._source, collection, s.item, s.fingerprint, s.href, one.id, json.dumps(s.copies)) for s in seen]
        text = json.dumps(cursor) if cursor is not None else ""
        self._database.write(lambda c: _note(c, self._source, collection, rows, text, updated))

    def touch(self, collection: str, one: Pass, items: Sequence[str], hrefs: Sequence[str]) -> None:
        """Items that are there, but could not be read or brought this time: they are not gone."""
        known = (one.id, self._source, collection, json.dumps(list(items)), json.dumps(list(hrefs)))
        self._database.write(
            lambda c: c.execute(
                "update item set seen = ? where source = ? and collection = ? and (item in "
                "(select value from json_each(?)) or (href <> '' and href in (select value from json_each(?))))",
                known,
            )
        )

    def gone(self, collection: str, one: Pass) -> list[str]:
        """Items that a pass over everything did not see."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "select item from item where source = ? and collection = ? and seen <> ? and fingerprint <> ''",
                (self._source, collection, one.id),
            )
            return [item for (item,) in rows]

    def forget(self, collection: str, items: Sequence[str]) -> None:
        """They are marked as gone: when seen again they are new."""
        names = json.dumps(list(items))
        self._database.write(
            lambda c: c.execute(
                "update item set fingerprint = '' where source = ? and collection = ? "
                "and item in (select value from json_each(?))",
                (self._source, collection, names),
            )
        )

    def end(self, collection: str, *, full_at: str = "") -> None:
        """The pass is over; `full_at` where it looked at everything."""
        self._database.write(lambda c: _end(c, self._source, collection, full_at))

    def copies(self, collection: str) -> dict[str, str]:
        """Every file that was copied, and its item."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "select item, copies from item where source = ? and collection = ? and copies <> '{}'",
                (self._source, collection),
            ).fetchall()
        return {path: item for item, copies in rows for _, _, path in json.loads(copies).values()}

    def collections(self) -> list[str]:
        """Those that were walked over before."""
        with self._database.reading() as connection:
            rows = connection.execute("select collection from pass where source = ? order by 1", (self._source,))
            return [name for (name,) in rows]

    def _row(self, query: str, collection: str) -> Any:
        with self._database.reading() as connection:
            return connection.execute(query, (self._source, collection)).fetchone()


def _begin(connection: sqlite3.Connection, source: str, collection: str, fresh: str) -> None:
    connection.execute(
        "insert into pass (source, collection, id) values (?, ?, ?) "
        "on conflict (source, collection) do update set id = excluded.id, cursor = ''",
        (source, collection, fresh),
    )


def _end(connection: sqlite3.Connection, source: str, collection: str, full_at: str = "") -> None:
    connection.execute(
        "update pass set id = '', cursor = '', full_at = case when ? = '' then full_at else ? end "
        "where source = ? and collection = ?",
        (full_at, full_at, source, collection),
    )


def _note(
    connection: sqlite3.Connection, source: str, collection: str, rows: list[Any], cursor: str, updated: str
) -> None:
    connection.executemany(
        "insert into item (source, collection, item, fingerprint, href, seen, copies) values (?, ?, ?, ?, ?, ?, ?) "
        "on conflict (source, collection, item) do update set fingerprint = excluded.fingerprint, "
        "href = excluded.href, seen = excluded.seen, copies = excluded.copies",
        rows,
    )
    connection.execute(
        "update pass set cursor = ?, updated = max(updated, ?) where source = ? and collection = ?",
        (cursor, updated, source, collection),
    )
