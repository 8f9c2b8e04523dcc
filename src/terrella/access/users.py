"""The people and machines that have an account here."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from terrella.access.names import ADMINISTRATOR, checked_roles, checked_user_name
from terrella.errors import Conflict, Invalid, NotFound, nearest_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from terrella.storage.database import Database

_COLUMNS = "name, password, roles, groups, email, issuer, subject, disabled, created"


@dataclass(frozen=True, slots=True)
class User:
    """One account. `password` is its argon2id hash, None for those who sign in elsewhere or by key only."""

    name: str
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    email: str = ""
    issuer: str = ""
    """Address of the OpenID issuer that vouches for this user; empty for a local one."""
    subject: str = ""
    """What the issuer calls them."""
    is_disabled: bool = False
    created: float = 0.0
    password: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "roles": sorted(self.roles),
            "groups": sorted(self.groups),
            "email": self.email,
            "issuer": self.issuer or None,
            "disabled": self.is_disabled,
            "created": stamp(self.created),
            "password": self.password is not None,
        }


def stamp(seconds: float | None) -> str | None:
    """A time as RFC 3339 text."""
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Users:
    """Reads and changes accounts; says to `changed` after each change. Who may do so is decided by `Access`."""

    def __init__(self, database: Database, changed: Callable[[], None]) -> None:
        self._database = database
        self._changed = changed

    def add(self, user: User) -> User:
        """A new account. Raises Conflict when the name is taken."""
        checked_user_name(user.name)
        checked_roles(user.roles)
        checked_roles(user.groups)
        try:
            self._database.write(lambda connection: insert(connection, user))
        except sqlite3.IntegrityError:
            raise Conflict(f"There is a user {user.name!r} already.", parameter="name") from None
        return self.get(user.name)

    def get(self, name: str) -> User:
        """Raises NotFound with the nearest names."""
        found = self.find(name)
        if found is None:
            names = [user.name for user in self.all()]
            raise NotFound(f"There is no user {name!r:.80}. {nearest_names(name, names)}", parameter="name")
        return found

    def find(self, name: str) -> User | None:
        return self._one("name = ?", (name,))

    def of_issuer(self, issuer: str, subject: str) -> User | None:
        """The account of somebody whom an issuer vouches for."""
        return self._one("issuer = ? and subject = ?", (issuer, subject))

    def all(self) -> list[User]:
        """By name."""
        with self._database.reading() as connection:
            rows = connection.execute(f"select {_COLUMNS} from users order by name").fetchall()  # noqa: S608
        return [_user(row) for row in rows]

    def change(
        self,
        name: str,
        *,
        roles: Iterable[str] | None = None,
        groups: Iterable[str] | None = None,
        is_disabled: bool | None = None,
        password: str | None = None,
    ) -> User:
        """All at once; None stays, `password` is a hash. Raises Invalid when it would leave no administrator."""
        given = {
            "roles": None if roles is None else _words(checked_roles(roles)),
            "groups": None if groups is None else _words(checked_roles(groups)),
            "disabled": None if is_disabled is None else int(is_disabled),
            "password": password,
        }
        self.get(name)
        self._database.write(lambda connection: _update(connection, name, given))
        self._changed()
        return self.get(name)

    def renew(self, user: User) -> None:
        """What an issuer says of somebody today."""
        work = (_words(user.roles), _words(user.groups), user.email, user.name)
        self._database.write(
            lambda connection: connection.execute(
                "update users set roles = ?, groups = ?, email = ? where name = ?", work
            )
        )
        self._changed()

    def _one(self, condition: str, values: tuple[str, ...]) -> User | None:
        with self._database.reading() as connection:
            row = connection.execute(f"select {_COLUMNS} from users where {condition}", values).fetchone()  # noqa: S608
        return _user(row) if row else None


def insert(connection: sqlite3.Connection, user: User) -> None:
    """One row. Raises sqlite3.IntegrityError when the name or the issuer's subject is taken."""
    connection.execute(
        f"insert into users ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (
            user.name,
            user.password,
            _words(user.roles),
            _words(user.groups),
            user.email,
            user.issuer or None,
            user.subject or None,
            int(user.is_disabled),
            user.created or time.time(),
        ),
    )


def has_administrator(connection: sqlite3.Connection, name: str) -> bool:
    """Whether somebody administers the site, disabled or not, or has this name."""
    found = connection.execute(
        "select 1 from users where name = ? or exists (select 1 from json_each(roles) where value = ?) limit 1",
        (name, ADMINISTRATOR),
    )
    return found.fetchone() is not None


def _update(connection: sqlite3.Connection, name: str, given: dict[str, str | int | None]) -> None:
    changes = {column: value for column, value in given.items() if value is not None}
    if not changes:
        return
    governed = _is_governed(connection)
    columns = ", ".join(f"{column} = ?" for column in changes)
    connection.execute(f"update users set {columns} where name = ?", (*changes.values(), name))  # noqa: S608
    if governed and not _is_governed(connection):
        raise Invalid(
            f"{name!r} is the last administrator: make another one first (`terrella user role NAME administrator`)."
        )


def _is_governed(connection: sqlite3.Connection) -> bool:
    """Whether anybody could still administer the site over HTTP."""
    found = connection.execute(
        "select 1 from users, json_each(users.roles) where not disabled and json_each.value = ? limit 1",
        (ADMINISTRATOR,),
    )
    return found.fetchone() is not None


def _words(values: Iterable[str]) -> str:
    return orjson.dumps(sorted(values)).decode()


def _user(row: tuple[Any, ...]) -> User:
    name, password, roles, groups, email, issuer, subject, disabled, created = row
    return User(
        name,
        frozenset(orjson.loads(roles)),
        frozenset(orjson.loads(groups)),
        email,
        issuer or "",
        subject or "",
        bool(disabled),
        created,
        password,
    )
