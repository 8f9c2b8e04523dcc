"""A throw-away PostgreSQL with pgstac: made in a temporary folder, on loopback, gone afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.serving import HOST, free_port

DATABASE = USER = "postgres"

# Memory for machines as this runs on; without just-in-time compilation, which costs short queries half their speed;
# nothing here has to last.
_SETTINGS = {
    "listen_addresses": f"'{HOST}'",
    "unix_socket_directories": "''",
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "512MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_wal_size": "8GB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


class Absent(Exception):
    """What a peer needs is not on this machine."""


def programs() -> Path:
    """The folder with `initdb`. Raises Absent where PostgreSQL or PostGIS is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        raise Absent("PostgreSQL is not installed (Debian: apt-get install postgresql-15 postgresql-15-postgis-3)")
    folder = found[-1].parent if found else Path(str(on_path)).resolve().parent
    shared = subprocess.run([folder / "pg_config", "--sharedir"], capture_output=True, text=True, check=True)
    if not (Path(shared.stdout.strip()) / "extension/postgis.control").exists():
        raise Absent("PostGIS is not installed (Debian: apt-get install postgresql-15-postgis-3)")
    return folder


def version() -> str:
    """The text of `postgres --version`. Raises Absent."""
    told = subprocess.run([programs() / "postgres", "--version"], capture_output=True, text=True, check=True)
    return told.stdout.strip()


@contextmanager
def cluster() -> Iterator[dict[str, str]]:
    """The environment variables that lead to a running server: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE."""
    bin_folder, port, password = programs(), free_port(), secrets.token_hex(16)
    who: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="bench-postgres-"))
    data, secret = folder / "data", folder / "password"
    try:
        secret.write_text(password)
        if who:
            for path in (folder, secret):
                shutil.chown(path, "postgres", "postgres")
        how = ["--auth=scram-sha-256", "--username", USER, f"--pwfile={secret}", "--encoding=UTF8", "--locale=C"]
        _run([bin_folder / "initdb", "-D", data, *how, "--no-sync"], folder, who)
        lines = "".join(f"{name} = {value}\n" for name, value in _SETTINGS.items())
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(f"{lines}port = {port}\n")
        with _served(bin_folder, data, folder, who):
            yield {
                "PGHOST": HOST,
                "PGPORT": str(port),
                "PGUSER": USER,
                "PGPASSWORD": password,
                "PGDATABASE": DATABASE,
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[Any], folder: Path, who: dict[str, Any]) -> None:
    words = [str(word) for word in command]
    made = subprocess.run(words, check=False, cwd=folder, capture_output=True, text=True, **who)
    if made.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {made.stderr[-500:]}")


@contextmanager
def _served(bin_folder: Path, data: Path, folder: Path, who: dict[str, Any]) -> Iterator[None]:
    control = [bin_folder / "pg_ctl", "-D", data, "-w", "-t", "60"]
    _run([*control, "-l", folder / "log", "start"], folder, who)
    try:
        yield
    finally:
        with suppress(RuntimeError):
            _run([*control, "-m", "immediate", "stop"], folder, who)


def load(
    address: dict[str, str], collections: Iterable[dict[str, Any]], batches: Iterable[list[dict[str, Any]]]
) -> float:
    """Fill pgstac through its own loader, then vacuum and analyse; returns seconds spent on the items' loading."""
    import psycopg
    from pypgstac.db import PgstacDB
    from pypgstac.load import Loader, Methods
    from pypgstac.migrate import Migrate

    dsn = "postgresql://{PGUSER}:{PGPASSWORD}@{PGHOST}:{PGPORT}/{PGDATABASE}".format(**address)
    spent = 0.0
    with PgstacDB(dsn=dsn) as database:
        Migrate(database).run_migration()
        loader = Loader(database)
        loader.load_collections(iter(collections), Methods.insert)
        for batch in batches:
            began = time.perf_counter()
            loader.load_items(iter(batch), Methods.insert)
            spent += time.perf_counter() - began
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze")
    return spent
