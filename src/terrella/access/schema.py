"""The tables of `access.sqlite`: who there is, and what they may prove it with. Times are seconds since 1970."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terrella.storage.database import Database

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

FILE_NAME = "access.sqlite"

_FIRST = """
create table users (
  name text primary key,
  password text,
  roles text not null default '[]',
  groups text not null default '[]',
  email text not null default '',
  issuer text,
  subject text,
  disabled integer not null default 0,
  created real not null,
  unique (issuer, subject)
) without rowid;

create table keys (
  id text primary key,
  digest blob not null unique,
  owner text not null references users (name) on delete cascade,
  name text not null,
  kind text not null check (kind in ('key', 'session')),
  scopes text not null,
  made_with text not null default '',
  created real not null,
  expires real,
  revoked real,
  used real
) without rowid;

create index keys_by_owner on keys (owner, created);
create index keys_by_maker on keys (made_with) where made_with <> '';
"""

_PROFILES = """
create table accepted (
  owner text not null references users (name) on delete cascade,
  terms text not null,
  revision integer not null,
  at real not null,
  primary key (owner, terms)
) without rowid;

create table marked (
  owner text not null references users (name) on delete cascade,
  collection text not null,
  primary key (owner, collection)
) without rowid;
"""

MIGRATIONS = (_FIRST, _PROFILES)


def open_database(home: Path) -> Database:
    """The database of accounts in a site's home, readable by its owner only. What was written survives a power cut."""
    path = home / FILE_NAME
    home.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # SQLite gives its side files the same mode
    return Database(path, MIGRATIONS, prepare=_durable)


def _durable(connection: sqlite3.Connection) -> None:
    connection.execute("pragma synchronous = full")
    connection.execute("pragma secure_delete = on")
