"""One SQLite file: group commit, failures that stay alone, two owners, versions, and what is no database."""

from __future__ import annotations

import gc
import sqlite3
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from terrella.errors import Internal, Invalid, ProviderUnavailable, TooLarge, Unreadable, Unsupported
from terrella.storage import database as module
from terrella.storage.database import Database, statements

MIGRATIONS = ("create table notes (id integer primary key, text not null);",)


@contextmanager
def _opened(
    folder: Path, *, migrations: tuple[str, ...] = MIGRATIONS, read_seconds: float = 30.0
) -> Iterator[Database]:
    database = Database(folder / "a.sqlite", migrations, read_seconds=read_seconds)
    try:
        yield database
    finally:
        database.close()


def _texts(database: Database) -> list[str]:
    with database.reading() as connection:
        return [text for (text,) in connection.execute("select text from notes order by id")]


def _note(text: str):
    return lambda connection: connection.execute("insert into notes (text) values (?)", (text,)).lastrowid


def test_writes_are_read_and_return_what_the_work_returns(tmp_path: Path) -> None:
    with _opened(tmp_path) as database:
        assert database.write(_note("one")) == 1
        assert database.write(_note("two")) == 2
        assert _texts(database) == ["one", "two"]


def test_a_failing_write_changes_nothing_and_keeps_its_own_error(tmp_path: Path) -> None:
    def fails(connection: sqlite3.Connection) -> None:
        connection.execute("insert into notes (text) values ('half')")
        raise Invalid("no")

    with _opened(tmp_path) as database:
        with pytest.raises(Invalid, match="no"):
            database.write(fails)
        database.write(_note("after"))
        assert _texts(database) == ["after"]


def test_writes_that_wait_are_committed_together_and_fail_alone(tmp_path: Path) -> None:
    """One slow write holds the turn while twenty queue up: they need one more commit, and one of them fails."""
    started, go = threading.Event(), threading.Event()
    commits: list[str] = []

    def slow(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "commit" else None)
        started.set()
        go.wait(10)

    def wrong(connection: sqlite3.Connection) -> None:
        connection.execute("insert into notes (text) values ('wrong')")
        raise ValueError("mine")

    errors: list[Exception] = []

    def write(work) -> None:
        try:
            database.write(work)
        except ValueError as error:
            errors.append(error)

    with _opened(tmp_path) as database:
        first = threading.Thread(target=write, args=(slow,))
        first.start()
        started.wait(10)
        others = [threading.Thread(target=write, args=(wrong if n == 7 else _note(str(n)),)) for n in range(20)]
        for thread in others:
            thread.start()
        while len(database._waiting) < 20:
            time.sleep(0.001)
        go.set()
        for thread in (first, *others):
            thread.join()
        assert sorted(_texts(database), key=int) == [str(n) for n in range(20) if n != 7]
        assert [str(error) for error in errors] == ["mine"]
        assert len(commits) == 2


def test_an_interrupted_leader_leaves_the_others_to_themselves(tmp_path: Path) -> None:
    started, go = threading.Event(), threading.Event()

    def interrupted(connection: sqlite3.Connection) -> None:
        started.set()
        go.wait(10)
        raise KeyboardInterrupt

    caught: list[BaseException] = []

    def lead() -> None:
        try:
            database.write(interrupted)
        except KeyboardInterrupt as error:
            caught.append(error)

    with _opened(tmp_path) as database:
        threads = [threading.Thread(target=lead)]
        threads[0].start()
        started.wait(10)
        threads.append(threading.Thread(target=lambda: database.write(_note("kept"))))
        threads[1].start()
        go.set()
        for thread in threads:
            thread.join()
        assert len(caught) == 1
        assert _texts(database) == ["kept"]


def test_a_statement_that_cannot_be_fails_alone(tmp_path: Path) -> None:
    with _opened(tmp_path) as database:
        with pytest.raises(Internal, match="no such table"):
            database.write(lambda connection: connection.execute("insert into nowhere values (1)"))
        database.write(_note("fine"))
        assert _texts(database) == ["fine"]


def test_two_owners_of_one_file_see_each_other(tmp_path: Path) -> None:
    with _opened(tmp_path) as one, _opened(tmp_path) as other:
        for n in range(10):
            (one if n % 2 else other).write(_note(str(n)))
        assert _texts(one) == _texts(other) == [str(n) for n in range(10)]


def test_readers_are_not_held_up_by_a_writer(tmp_path: Path) -> None:
    with _opened(tmp_path) as database:
        database.write(_note("before"))
        seen: list[list[str]] = []

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("insert into notes (text) values ('during')")
            seen.append(_texts(database))

        database.write(work)
        assert seen == [["before"]]


def test_a_file_held_by_another_process_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.05)
    with _opened(tmp_path) as database:
        other = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
        other.execute("begin immediate")
        with pytest.raises(ProviderUnavailable, match="Another process"):
            database.write(_note("x"))
        other.execute("rollback")
        other.close()
        database.write(_note("y"))
        assert _texts(database) == ["y"]


def test_reading_for_too_long_is_stopped(tmp_path: Path) -> None:
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    with _opened(tmp_path, read_seconds=0.05) as database:
        with pytest.raises(TooLarge, match=r"0\.05 s"), database.reading() as connection:
            connection.execute(endless).fetchone()
        assert _texts(database) == []


def test_migrations_run_once_and_a_newer_file_is_refused(tmp_path: Path) -> None:
    with _opened(tmp_path) as database:
        database.write(_note("kept"))
    more = (*MIGRATIONS, "alter table notes add column colour text;\ncreate index by_colour on notes (colour);")
    with _opened(tmp_path, migrations=more) as database:
        assert _texts(database) == ["kept"]
        with database.reading() as connection:
            assert connection.execute("select colour from notes").fetchall() == [(None,)]
    with pytest.raises(Unsupported, match="upgrade Terrella"), _opened(tmp_path):
        pass


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    with _opened(tmp_path) as database:
        database.write(_note("kept"))
    broken = (*MIGRATIONS, "create table more (id);\ninsert into nowhere values (1);")
    with pytest.raises(sqlite3.OperationalError), _opened(tmp_path, migrations=broken):
        pass
    with _opened(tmp_path) as database, database.reading() as connection:
        assert [name for (name,) in connection.execute("select name from sqlite_master")] == ["notes"]


def test_many_open_a_new_file_at_once(tmp_path: Path) -> None:
    opened: list[Database] = []

    def work() -> None:
        opened.append(Database(tmp_path / "a.sqlite", MIGRATIONS))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 6
    for database in opened:
        database.close()


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"this is a text and no database at all, " * 50)
    with pytest.raises(Unreadable, match=r"a\.sqlite is no database"), _opened(tmp_path):
        pass


def test_closing_leaves_nothing_open(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        with _opened(tmp_path) as database:
            threads = [threading.Thread(target=_texts, args=(database,)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            with database.reading() as connection:
                database.close()
                assert connection.execute("select 1").fetchone() == (1,)
            with pytest.raises(sqlite3.ProgrammingError):
                connection.execute("select 1")
            with pytest.raises(Internal, match="closed"):
                database.write(_note("x"))
            with pytest.raises(Internal, match="closed"), database.reading():
                pass
        gc.collect()


def test_scripts_are_cut_into_statements() -> None:
    script = "create table a (b text default ';'); -- one; two\ncreate trigger t after insert on a\nbegin\n"
    script += "  update a set b = 1;\nend;\nselect 1;"
    assert [one.split()[0] for one in statements(script)] == ["create", "create", "select"]
