"""Passwords as argon2id hashes. One check takes 64 MiB and a third of a second: few run at once, others are refused."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import OrderedDict
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from terrella.access.guesses import Guesses
from terrella.errors import Invalid, QuotaExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from argon2 import PasswordHasher

SHORTEST, LONGEST = 8, 1024
"""Characters of a password."""

_AT_ONCE = 2
_WAITING = 8
"""Checks that may wait for their turn; each keeps a thread of the server."""
_REMEMBERED = 1000


class Passwords:
    """Hashes and checks passwords; remembers in memory which it found right, so that each request need not pay."""

    def __init__(self, at_once: int = _AT_ONCE, waiting: int = _WAITING) -> None:
        self._running = threading.BoundedSemaphore(at_once)
        self._admitted = threading.BoundedSemaphore(at_once + waiting)
        self._secret = secrets.token_bytes(32)
        self._guesses = Guesses()
        self._right: OrderedDict[bytes, None] = OrderedDict()

    def hashed(self, password: str) -> str:
        """A salted argon2id hash in its usual text form. Raises Invalid for one too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise Invalid(f"A password has {SHORTEST} to {LONGEST} characters.", parameter="password")
        with self._turn():
            return _hasher().hash(_utf8(password))

    def is_right(self, encoded: str | None, password: str, name: str = "") -> bool:
        """Whether this is the password of that hash; None takes as long and is never right.

        Raises QuotaExceeded when too many wait, or when wrong ones for this name were too many.
        """
        if len(password) > LONGEST:
            return False
        mark = hmac.digest(self._secret, f"{encoded}\0".encode() + _utf8(password), "sha256")
        if mark in self._right:
            return True
        self._guesses.check(name)
        with self._turn():
            right = _matches(encoded or _nobodys(), password) and encoded is not None
        if not right:
            self._guesses.note(name)
        else:
            self._right[mark] = None
            while len(self._right) > _REMEMBERED:
                self._right.popitem(last=False)
        return right

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._admitted.acquire(blocking=False):
            raise QuotaExceeded(
                "Too many people are signing in just now: try again in a few seconds, or use a key instead of a "
                "password.",
                details={"retry_after": 3},
            )
        try:
            with self._running:
                yield
        finally:
            self._admitted.release()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_hex(16))


def _matches(encoded: str, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(encoded, _utf8(password))
    except (VerificationError, InvalidHashError):
        return False
