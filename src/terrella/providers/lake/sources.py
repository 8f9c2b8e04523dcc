"""The files behind the lake: what scanning each gave, which collection it is in, and each cube's block index."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from terrella.contracts.providers import Home, Source
from terrella.encodings.blocks import pack, unpack
from terrella.errors import NotFound, Unsupported

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from terrella.contracts.cubes import CubeIndex
    from terrella.contracts.providers import Registration
    from terrella.model.scan import FileScan
    from terrella.storage.database import Database

_OPEN_INDEXES = 64

_ADDED = """select m.href from members m left join sources s on s.href = m.href
    where m.collection = :collection and :item in (m.item, '') and not coalesce(s.is_missing, 0)
    and m.href in (select value from json_each(:paths)) order by length(m.href) desc limit 1"""
_BESIDE = """select 1 from members m left join sources s on s.href = m.href
    where m.collection = :collection and m.href > :inside and m.href < :end and (m.item in (:item, '') or :item = '')
    and not coalesce(s.is_missing, 0) and instr(substr(m.href, length(:inside) + 1), '/') = 0 limit 1"""

type _Opened = tuple[CubeIndex, dict[str, str]]


class Sources:
    """`Keeps`, and the opening of block indexes, on the lake's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._opened: OrderedDict[tuple[str, str], _Opened] = OrderedDict()

    def all(self) -> dict[str, Source]:
        query = """select s.href, s.format, s.modified, s.is_missing, json_group_array(m.collection)
                   from sources s left join members m on m.href = s.href group by s.href"""
        with self._database.reading() as connection:
            rows = connection.execute(query).fetchall()
        return {
            href: Source(href, form, modified, tuple(one for one in json.loads(collections) if one), bool(missing))
            for href, form, modified, missing, collections in rows
        }

    def scans(self, hrefs: Iterable[str]) -> list[FileScan]:
        query = "select scan from sources where href in (select value from json_each(?)) order by href"
        with self._database.reading() as connection:
            rows = connection.execute(query, (json.dumps(list(hrefs)),)).fetchall()
        return [unpack(row[0]) for row in rows]

    def keep(self, scan: FileScan) -> None:
        block = pack(scan)
        self._database.write(lambda connection: _keep(connection, scan, block))

    def homes(self) -> dict[str, Home]:
        query = """select c.collection, c.key, m.href, m.item, m.version
                   from cubes c left join members m on m.collection = c.collection"""
        found: dict[str, Home] = {}
        with self._database.reading() as connection:
            for collection, key, href, item, number in connection.execute(query):
                home = found.setdefault(collection, Home(key, {}))
                if href is not None:
                    home.members[href] = (item, number)
        return found

    def root(self, collection: str, item: str, path: str) -> str | None:
        """What was added to a collection as this item (of no name: any), and has a file: that file, a folder above it,
        or the folder of the STAC document that names it; None where nothing was.
        """
        folders = [str(one) for one in Path(path).parents]
        asked = {"collection": collection, "item": item, "paths": json.dumps([path, *folders])}
        with self._database.reading() as connection:
            row = connection.execute(_ADDED, asked).fetchone()
            if row is not None:
                return str(row[0])
            for folder in folders:
                inside = folder.rstrip("/") + "/"
                end = inside[:-1] + chr(ord("/") + 1)
                if connection.execute(_BESIDE, asked | {"inside": inside, "end": end}).fetchone() is not None:
                    return folder
        return None

    def forget(self, hrefs: Iterable[str]) -> None:
        names = json.dumps(list(hrefs))

        def work(connection: sqlite3.Connection) -> None:
            for table in ("members", "sources"):
                connection.execute(f"delete from {table} where href in (select value from json_each(?))", (names,))  # noqa: S608

        self._database.write(work)

    def index(self, collection: str) -> tuple[CubeIndex, str, dict[str, str]]:
        """A collection's block index, its version, and its items with theirs.

        Raises NotFound; Unsupported where they form no cube.
        """
        with self._database.reading() as connection:
            row = connection.execute("select version from cubes where collection = ?", (collection,)).fetchone()
            if row is None:
                raise NotFound(f"The collection {collection!r} has no data here.", parameter="collection")
            key = (collection, str(row[0]))
            found = self._remembered(key)
            if found is None:
                found = _unpacked(connection, collection)
                self._remember(key, found)
        return found[0], key[1], found[1]

    def _remembered(self, key: tuple[str, str]) -> _Opened | None:
        with self._lock:
            if key in self._opened:
                self._opened.move_to_end(key)
            return self._opened.get(key)

    def _remember(self, key: tuple[str, str], index: _Opened) -> None:
        with self._lock:
            self._opened[key] = index
            while len(self._opened) > _OPEN_INDEXES:
                self._opened.popitem(last=False)


def _unpacked(connection: sqlite3.Connection, collection: str) -> _Opened:
    block = connection.execute("select block from cubes where collection = ?", (collection,)).fetchone()[0]
    if block is None:
        raise Unsupported(
            f"The items of {collection!r} form no single cube (scenes, or documents of other archives): "
            "search them as items and open their assets.",
            parameter="collection",
        )
    index: CubeIndex = unpack(block)
    counted = dict(connection.execute("select item, version from members where collection = ?", (collection,)))
    names = sorted({piece.item for variable in index.variables for piece in variable.pieces})
    return index, {name: str(counted.get(name, "")) for name in names}


def _keep(connection: sqlite3.Connection, scan: FileScan, block: bytes) -> None:
    connection.execute(
        "insert into sources (href, format, modified, scan) values (?, ?, ?, ?) on conflict (href) do update set "
        "format = excluded.format, modified = excluded.modified, scan = excluded.scan, is_missing = 0",
        (scan.href, scan.format, scan.modified, block),
    )


def register(connection: sqlite3.Connection, registration: Registration, block: bytes | None) -> None:
    """The part of a registration that concerns files and cubes; `block` is the packed index."""
    collection = registration.collection["id"]
    connection.execute("delete from members where collection = ?", (collection,))
    connection.executemany(
        "insert into members (collection, href, item, version) values (?, ?, ?, ?)",
        [(collection, href, item, number) for href, (item, number) in registration.members.items()],
    )
    connection.executemany("update sources set is_missing = 1 where href = ?", [(h,) for h in registration.missing])
    connection.execute(
        "insert into cubes (collection, key, version, block) values (?, ?, ?, ?) on conflict (collection) "
        "do update set key = excluded.key, version = excluded.version, block = excluded.block",
        (collection, registration.key, _version(registration, block), block),
    )


def _version(registration: Registration, block: bytes | None) -> str:
    """Of the data: changes with any byte that a reader of the cube could see."""
    digest = hashlib.sha256(block or b"")
    facts: list[Any] = [item["assets"] for item in registration.items]
    digest.update(json.dumps([facts, sorted(registration.members.items())], sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]
