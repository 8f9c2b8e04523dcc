"""The tables of jobs in PostgreSQL, behind the same few calls as the SQLite file."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from terrella.errors import Internal, Invalid, ProviderUnavailable, Unsupported
from terrella.storage.database import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_LOCK = 0x7E22E11A
"""Key of the advisory lock that one migrating process holds."""


class _Connection:
    """A psycopg connection that takes `?` for parameters."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        return self.raw.execute(statement.replace("?", "%s"), parameters)


class Postgres:
    """Connects to the database, and creates its tables in the schema `terrella_jobs`.

    Raises Invalid without the driver, ProviderUnavailable when it cannot be reached, Unsupported for newer tables.
    """

    row_lock = "for update skip locked"
    """End of the statement that chooses a job: workers pass over what another is taking."""

    def __init__(self, url: str, migrations: Sequence[str]) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise Invalid(
                "jobs.database is PostgreSQL, which needs its driver: pip install 'psycopg[binary]'.",
                parameter="jobs.database",
            ) from error
        self._psycopg = psycopg
        self._url = url
        self._idle: deque[_Connection] = deque()
        self._closed = threading.Event()
        with self._lent() as connection, connection.raw.transaction():
            _migrate(connection, migrations)

    @contextmanager
    def reading(self) -> Iterator[_Connection]:
        """A connection for reading, lent for the block. Raises ProviderUnavailable when the server is away."""
        with self._lent() as connection:
            yield connection

    def stamp(self) -> None:
        """Only looking can tell."""

    def write[T](self, work: Callable[[Any], T]) -> T:
        """What `work` returns, once it is committed; all of it or, when it raises, none."""
        with self._lent() as connection, connection.raw.transaction():
            return work(connection)

    def close(self) -> None:
        """Close every connection; one that is lent closes when it comes back."""
        self._closed.set()
        while self._idle:
            self._idle.pop().raw.close()

    @contextmanager
    def _lent(self) -> Iterator[_Connection]:
        if self._closed.is_set():
            raise Internal("The database is closed.")
        connection = self._borrow()
        try:
            yield connection
        except self._psycopg.OperationalError as error:
            connection.raw.close()
            raise ProviderUnavailable(f"The database of jobs does not answer: {_first_line(error)}.") from error
        except BaseException:
            self._give_back(connection)
            raise
        self._give_back(connection)

    def _borrow(self) -> _Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _connect(self) -> _Connection:
        try:
            raw = self._psycopg.connect(self._url, autocommit=True, connect_timeout=10)
            raw.execute("set search_path to terrella_jobs")
        except self._psycopg.Error as error:
            raise ProviderUnavailable(f"The database of jobs cannot be reached: {_first_line(error)}.") from error
        return _Connection(raw)

    def _give_back(self, connection: _Connection) -> None:
        if self._closed.is_set() or connection.raw.closed:
            connection.raw.close()
        else:
            self._idle.append(connection)


def _migrate(connection: _Connection, migrations: Sequence[str]) -> None:
    """Bring the tables to the newest version; another process that does the same waits."""
    connection.execute("select pg_advisory_xact_lock(?)", (_LOCK,))
    connection.execute("create schema if not exists terrella_jobs")
    connection.execute("create table if not exists layout (version integer not null)")
    found = connection.execute("select max(version) from layout").fetchone()[0] or 0
    if found > len(migrations):
        raise Unsupported(
            f"The database of jobs was written by a newer Terrella (layout {found}, this one knows {len(migrations)})."
        )
    for script in migrations[found:]:
        for statement in statements(script):
            connection.execute(statement)
    if found < len(migrations):
        connection.execute("insert into layout values (?)", (len(migrations),))


def _first_line(error: Exception) -> str:
    """Without the address, which may hold a password."""
    return str(error).strip().split("\n", 1)[0].split("://", 1)[0][:200]
