"""One SQLite file: many readers, one writer at a time, several small writes committed together.

Two processes may use one file (a server that serves while a command adds). Readers never wait for the writer (WAL);
writers of all processes take turns.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from terrella.errors import Internal, Invalid, ProviderUnavailable, TooLarge, Unreadable, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_BUSY_SECONDS = 60.0
_TOGETHER = 256
"""Most writes in one commit: the first of them waits for the last."""
_TICK_NS = 50_000_000
_STEPS = 200_000
"""SQLite's own instructions between two looks at the clock (a few milliseconds)."""

# `normal`: a crash of the process loses nothing; a power cut may lose the last commits but never breaks the file.
# Pages come from the memory map, so that the cache of each connection can stay small.
_TUNING = """
pragma synchronous = normal;
pragma foreign_keys = on;
pragma secure_delete = off;
pragma temp_store = memory;
pragma cache_size = -16000;
pragma mmap_size = 2000000000;
pragma journal_size_limit = 67108864;
"""

_WRITER_CACHE = -131_072
"""kB (negative says so): a bulk load touches many pages, and each should reach the log once."""


_OLDEST = (3, 38)
"""Of SQLite: the first with JSON operators."""


def _check_library() -> None:
    if sqlite3.sqlite_version_info < _OLDEST:
        raise Unsupported(
            f"SQLite {sqlite3.sqlite_version} is in use, {'.'.join(map(str, _OLDEST))} is needed. If ecCodes was "
            "imported first, it has put its own old SQLite in place: import terrella (or sqlite3) before eccodes."
        )


class _Write:
    """One caller's work on the writer connection, and what became of it."""

    def __init__(self, work: Callable[[sqlite3.Connection], Any]) -> None:
        self.work = work
        self.done = False
        self.result: Any = None
        self.error: Exception | None = None


class Database:
    """Opens, or creates, the file; `migrations` are SQL scripts, one a version, never edited once released.

    `prepare` is called with each new connection (to declare SQL functions). `read_seconds` is the longest that one
    block of reading may take. Raises Unsupported for a file of a newer version, Unreadable for what is no database.
    """

    def __init__(
        self,
        path: Path,
        migrations: Sequence[str],
        *,
        prepare: Callable[[sqlite3.Connection], None] | None = None,
        read_seconds: float = 30.0,
    ) -> None:
        self.path = path
        self._log = path.with_name(path.name + "-wal")
        self._prepare = prepare
        self._read_seconds = read_seconds
        self._idle: deque[sqlite3.Connection] = deque()
        self._waiting: deque[_Write] = deque()
        self._turn = threading.Lock()
        self._closed = False
        _check_library()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = self._connect()
        try:
            self._writer.execute(f"pragma cache_size = {_WRITER_CACHE}")
            _migrate(self._writer, migrations, path)
        except BaseException:
            self._writer.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading, lent for the block. Raises TooLarge when it takes long, Invalid for broken text."""
        connection = self._borrow()
        last = time.monotonic() + self._read_seconds
        connection.set_progress_handler(lambda: time.monotonic() > last, _STEPS)
        try:
            yield connection
        except sqlite3.OperationalError as error:
            raise _translated(error, self._read_seconds) from error
        except UnicodeEncodeError:
            raise Invalid("A text in this question has half a character in it (a lone surrogate).") from None
        finally:
            self._give_back(connection)

    def write[T](self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, once it is committed; all of it or, when it raises, none.

        Whoever gets the turn commits for all who wait, so `work` may run on another caller's thread: it must not lean
        on its own, and does all that is slow before. Raises ProviderUnavailable when another process holds the file.
        """
        mine = _Write(work)
        self._waiting.append(mine)
        with self._turn:
            if not mine.done:
                self._lead(mine)
        if mine.error is not None:
            raise mine.error
        result: T = mine.result
        return result

    def stamp(self) -> tuple[int, int] | None:
        """Another one after every commit of any process, for the price of looking at a file; None: nobody knows."""
        try:
            found = self._log.stat()
        except OSError:
            return None
        # two commits may fall into one tick of the file system's clock
        return None if abs(time.time_ns() - found.st_mtime_ns) < _TICK_NS else (found.st_mtime_ns, found.st_size)

    def close(self) -> None:
        """Close every connection; one that is lent closes when it comes back."""
        with self._turn:
            self._closed = True
            while self._idle:
                self._idle.pop().close()
            self._writer.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        try:
            _use_wal(connection)
            connection.executescript(_TUNING)
            if self._prepare:
                self._prepare(connection)
        except sqlite3.DatabaseError as error:
            connection.close()
            raise _unopened(error, self.path) from error
        return connection

    def _borrow(self) -> sqlite3.Connection:
        if self._closed:
            raise Internal("The database is closed.")
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        self._idle.append(connection)
        if self._closed:
            while self._idle:
                self._idle.pop().close()

    def _gather(self, mine: _Write) -> list[_Write]:
        """Mine and those that wait behind it."""
        group = [mine]
        while self._waiting and len(group) < _TOGETHER:
            other = self._waiting.popleft()
            if other is not mine and not other.done:
                group.append(other)
        return group

    def _lead(self, mine: _Write) -> None:
        group = self._gather(mine)
        try:
            self._commit(group)
        except sqlite3.OperationalError as error:
            if len(group) == 1 or _is_busy(error):
                raise _translated(error, _BUSY_SECONDS) from error
            self._alone(mine)  # the fault may be another's, whose own thread will find out

    def _alone(self, mine: _Write) -> None:
        try:
            self._commit([mine])
        except sqlite3.OperationalError as error:
            raise _translated(error, _BUSY_SECONDS) from error

    def _commit(self, group: list[_Write]) -> None:
        """Run a group in one transaction. What is not done when this raises is done by its own caller's thread."""
        if self._closed:
            raise Internal("The database is closed.")
        try:
            self._writer.execute("begin immediate")
            for write in group:
                _run(self._writer, write)
            self._writer.execute("commit")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("rollback")
            for write in group:
                write.result = write.error = None
            raise
        for write in group:
            write.done = True


def _run(connection: sqlite3.Connection, write: _Write) -> None:
    """One write inside the group's transaction: its failure undoes it alone."""
    connection.execute("savepoint one")
    try:
        write.result = write.work(connection)
    except sqlite3.OperationalError:
        raise  # the disk is full, or the like: the whole transaction is gone
    except Exception as error:  # noqa: BLE001 -- handed to the caller whose work it is
        write.error = error
        connection.execute("rollback to one")
    connection.execute("release one")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn to write-ahead logging. Another process may be doing the same: the busy timeout does not cover this."""
    last = time.monotonic() + 10.0
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError:
            if time.monotonic() > last:
                raise
            time.sleep(0.01)
        else:
            return


def _migrate(connection: sqlite3.Connection, migrations: Sequence[str], path: Path) -> None:
    """Bring the file to the newest version. Another process may be doing the same: look again inside."""
    if _version(connection, migrations, path) == len(migrations):
        return
    connection.execute("begin immediate")
    try:
        done = _version(connection, migrations, path)
        for script in migrations[done:]:
            for statement in statements(script):
                connection.execute(statement)
        connection.execute(f"pragma user_version = {len(migrations)}")
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _version(connection: sqlite3.Connection, migrations: Sequence[str], path: Path) -> int:
    found: int = connection.execute("pragma user_version").fetchone()[0]
    if found > len(migrations):
        raise Unsupported(
            f"{path} was written by a newer Terrella (layout {found}, this one knows {len(migrations)}): "
            "upgrade Terrella, or use another home."
        )
    return found


def statements(script: str) -> list[str]:
    """The statements of an SQL script. (`executescript` would commit the transaction that it runs in.)"""
    made: list[str] = []
    start = ""
    for line in script.splitlines(keepends=True):
        start += line
        if sqlite3.complete_statement(start):
            made.append(start.strip())
            start = ""
    return made


def _unopened(error: sqlite3.DatabaseError, path: Path) -> Exception:
    if isinstance(error, sqlite3.OperationalError):
        return ProviderUnavailable(f"Cannot open {path}: {error}.")
    return Unreadable(f"{path} is no database of Terrella ({error}). Move it away, or use another home.")


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return str(getattr(error, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _translated(error: sqlite3.OperationalError, seconds: float) -> Exception:
    name = str(getattr(error, "sqlite_errorname", ""))
    if name == "SQLITE_INTERRUPT":
        return TooLarge(
            f"This question takes more than {seconds:g} s of reading: add a box, a time interval or a collection."
        )
    if _is_busy(error):
        return ProviderUnavailable(f"Another process has been writing for {seconds:g} s: try again later.")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY")):
        return ProviderUnavailable(f"The database cannot be written: {error}.")
    return Internal(f"The database refused a statement: {error}.")
