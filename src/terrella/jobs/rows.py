"""Where the tables of jobs lie: an SQLite file of this site, or a PostgreSQL database that several machines share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from terrella.errors import Invalid
from terrella.jobs.schema import MIGRATIONS
from terrella.storage.database import Database

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

FILE_NAME = "jobs.sqlite"


class Connection(Protocol):
    """What a statement needs; parameters are `?` in both databases."""

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Any:
        """A cursor: rows come as tuples, `rowcount` says how many changed."""
        ...


class Rows(Protocol):
    """Reading, and writing in transactions. See `terrella.storage.database.Database`."""

    def reading(self) -> AbstractContextManager[Any]:
        """A `Connection`, lent for the block."""
        ...

    def write[T](self, work: Callable[[Any], T]) -> T:
        """What `work` returns, once it is committed."""
        ...

    def stamp(self) -> object | None:
        """Something that differs after every commit of any process; None where only looking can tell."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


def open_rows(home: Path, url: str) -> Rows:
    """The tables, created when they are new. No `url` means an SQLite file in `home`. Raises Invalid."""
    if not url:
        return Database(home / FILE_NAME, MIGRATIONS, prepare=_durable)
    if url.startswith(("postgresql://", "postgres://")):
        from terrella.jobs.postgres import Postgres

        return Postgres(url, MIGRATIONS)
    raise Invalid(
        f"jobs.database takes postgresql://USER:PASSWORD@HOST/NAME, or nothing for a file in the site's home, "
        f"not {url.split('://', 1)[0]!r:.40}.",
        parameter="jobs.database",
    )


def _durable(connection: sqlite3.Connection) -> None:
    """What was acknowledged survives a power cut, too: a job is promised once its id is given out."""
    connection.execute("pragma synchronous = full")
    connection.execute("pragma cache_size = -4000")
