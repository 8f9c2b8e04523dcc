"""API keys and browser sessions: long random texts of which only a SHA-256 is kept.

A hash without salt and without slowness is right here: 256 random bits can be neither guessed nor looked up.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from terrella.access.users import stamp
from terrella.errors import NotFound, ProviderUnavailable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from terrella.storage.database import Database

Kind = Literal["key", "session"]
PREFIXES: dict[Kind, str] = {"key": "tk_", "session": "ts_"}
"""So that a secret that leaked is known for what it is."""

_COLUMNS = "id, digest, owner, name, kind, scopes, made_with, created, expires, revoked, used"
_USED_EVERY = 300.0
"""Seconds between two notes that a key was used: a request that reads should not have to write."""
_KEPT = 30 * 86400.0
"""Seconds for which an ended session is still known."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; never the key itself. Times in seconds since 1970."""

    id: str
    owner: str
    name: str
    kind: Kind
    scopes: frozenset[str]
    made_with: str
    """Id of the key that made this one: when it is revoked, this is."""
    created: float
    expires: float | None
    revoked: float | None
    used: float | None

    def is_good(self, now: float) -> bool:
        return self.revoked is None and (self.expires is None or now < self.expires)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "owner": self.owner,
            "name": self.name,
            "scopes": sorted(self.scopes),
            "created": stamp(self.created),
            "expires": stamp(self.expires),
            "revoked": stamp(self.revoked),
            "used": stamp(self.used),
            "valid": self.is_good(time.time()),
        }


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: `text` is the secret, which nobody can show again."""

    text: str
    key: Key

    def __repr__(self) -> str:  # a log or a trace that shows this shows no secret
        return f"NewKey({self.key.id})"


def looks_like_key(text: str) -> bool:
    return text.startswith(tuple(PREFIXES.values()))


def digest_of(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class Keys:
    """Reads and changes keys; says to `changed` after each revocation. Who may do so is decided by `Access`."""

    def __init__(self, database: Database, changed: Callable[[], None]) -> None:
        self._database = database
        self._changed = changed
        self._noted: dict[str, float] = {}

    def make(
        self,
        owner: str,
        name: str,
        scopes: frozenset[str],
        *,
        seconds: float | None = None,
        kind: Kind = "key",
        made_with: str = "",
    ) -> NewKey:
        """A new key of a user, good for `seconds` or until it is revoked. Raises NotFound for an unknown owner."""
        new = fresh_key(owner, name, scopes, seconds=seconds, kind=kind, made_with=made_with)

        def work(connection: sqlite3.Connection) -> None:
            if connection.execute("select 1 from users where name = ?", (owner,)).fetchone() is None:
                raise NotFound(f"There is no user {owner!r:.80}.", parameter="owner")
            connection.execute(
                "delete from keys where kind = 'session' and coalesce(revoked, expires) < ?", (time.time() - _KEPT,)
            )
            insert(connection, new)

        self._database.write(work)
        return new

    def find(self, text: str) -> Key | None:
        """The key whose secret this is."""
        wanted = digest_of(text)
        found = self._one("digest = ?", wanted)
        return found[1] if found and hmac.compare_digest(found[0], wanted) else None

    def get(self, identifier: str) -> Key | None:
        found = self._one("id = ?", identifier)
        return found[1] if found else None

    def of(self, owner: str | None = None) -> list[Key]:
        """The keys of a user, or of all; newest first, without sessions."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"select {_COLUMNS} from keys where kind = 'key' and coalesce(owner = ?, true) "  # noqa: S608
                "order by created desc, id",
                (owner,),
            ).fetchall()
        return [_key(row) for row in rows]

    def revoke(self, identifier: str) -> None:
        """End a key, and the keys that were made with it, now."""
        now = time.time()
        self._database.write(
            lambda connection: connection.execute(
                "with recursive gone (id) as "
                "(select ? union select keys.id from keys, gone where made_with = gone.id) "
                "update keys set revoked = ? where revoked is null and id in (select id from gone)",
                (identifier, now),
            )
        )
        self._changed()

    def note_use(self, key: Key, now: float) -> None:
        """Write down that a key was used, seldom."""
        last = max(key.used or 0.0, self._noted.get(key.id, 0.0))
        if now - last < _USED_EVERY:
            return
        self._noted[key.id] = now
        try:
            self._database.write(
                lambda connection: connection.execute("update keys set used = ? where id = ?", (now, key.id))
            )
        except ProviderUnavailable:
            return  # the disk is full or busy: no reason to turn anybody away

    def _one(self, condition: str, value: object) -> tuple[bytes, Key] | None:
        with self._database.reading() as connection:
            row = connection.execute(f"select {_COLUMNS} from keys where {condition}", (value,)).fetchone()  # noqa: S608
        return (row[1], _key(row)) if row else None


def fresh_key(
    owner: str,
    name: str,
    scopes: frozenset[str],
    *,
    seconds: float | None = None,
    kind: Kind = "key",
    made_with: str = "",
) -> NewKey:
    """A key that is not stored yet."""
    now = time.time()
    expires = None if seconds is None else now + seconds
    key = Key(secrets.token_hex(6), owner, name, kind, scopes, made_with, now, expires, None, None)
    return NewKey(PREFIXES[kind] + secrets.token_urlsafe(32), key)


def insert(connection: sqlite3.Connection, new: NewKey) -> None:
    key = new.key
    scopes = " ".join(sorted(key.scopes))
    connection.execute(
        f"insert into keys ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, null, null)",  # noqa: S608
        (key.id, digest_of(new.text), key.owner, key.name, key.kind, scopes, key.made_with, key.created, key.expires),
    )


def _key(row: tuple[Any, ...]) -> Key:
    identifier, _, owner, name, kind, scopes, made_with, created, expires, revoked, used = row
    return Key(identifier, owner, name, kind, frozenset(scopes.split()), made_with, created, expires, revoked, used)
