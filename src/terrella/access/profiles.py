"""What people have said of themselves: terms of data that they accepted, collections that they marked."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terrella.storage.database import Database


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Terms that somebody accepted; `at` in seconds since 1970."""

    terms: str
    revision: int
    at: float


class Profiles:
    """By user name. Whoever has no account is remembered by nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(self, owner: str, terms: str, revision: int) -> None:
        """Once or again; the latest revision counts."""
        row = (owner, terms, revision, time.time())
        self._database.write(
            lambda c: c.execute("insert or replace into accepted (owner, terms, revision, at) values (?, ?, ?, ?)", row)
        )

    def accepted(self, owner: str) -> list[Acceptance]:
        """By name of the terms."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "select terms, revision, at from accepted where owner = ? order by terms", (owner,)
            ).fetchall()
        return [Acceptance(*row) for row in rows]

    def mark(self, owner: str, collection: str) -> None:
        """Put a collection on the list."""
        row = (owner, collection)
        self._database.write(lambda c: c.execute("insert or ignore into marked (owner, collection) values (?, ?)", row))

    def unmark(self, owner: str, collection: str) -> None:
        """Take it off again."""
        row = (owner, collection)
        self._database.write(lambda c: c.execute("delete from marked where owner = ? and collection = ?", row))

    def marked(self, owner: str) -> list[str]:
        """By name."""
        with self._database.reading() as connection:
            rows = connection.execute("select collection from marked where owner = ? order by 1", (owner,)).fetchall()
        return [row[0] for row in rows]
