"""Signed links: an address that opens one thing, for a time, without any other credential."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from terrella.errors import Invalid, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from terrella.model.caller import Caller

FILE_NAME = "access.secret"
LONGEST = 4096
"""Characters of a token."""
MOST_SECONDS = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class LinkClaims:
    """What a signed link says: what it opens, in whose name, made with which key, until when (seconds since 1970)."""

    what: str
    owner: str
    key: str
    expires: float


class Links:
    """Signs and checks links. `check_owner` raises Unauthenticated when the owner or the key are good no more."""

    def __init__(self, secret: bytes, check_owner: Callable[[str, str], None]) -> None:
        self._secret = secret
        self._check_owner = check_owner

    def sign(self, caller: Caller, what: str, seconds: float) -> str:
        """A token, safe in a path, that opens `what` (a path, or a job's output) for so long. Raises Invalid."""
        if not 0 < seconds <= MOST_SECONDS:
            raise Invalid("A link is good for more than no time and for a year at most.", parameter="seconds")
        owner = caller.name
        payload = orjson.dumps([what, owner, caller.key, round(time.time() + seconds, 3)])
        token = f"{_text(payload)}.{_text(self._signature(payload))}"
        if len(token) > LONGEST:
            raise Invalid("What this link would open has too long a name.", parameter="what")
        return token

    def verify(self, token: str, what: str | None = None) -> LinkClaims:
        """What a token claims, once that is proved true, and that it opens `what` where given.

        Raises Unauthenticated, whatever is wrong with it.
        """
        payload = self._proved(token)
        opened, owner, key, expires = orjson.loads(payload)
        if what is not None and not hmac.compare_digest(opened.encode(), what.encode("utf-8", "surrogatepass")):
            raise Unauthenticated("This link was made for something else.")
        if time.time() >= expires:
            raise Unauthenticated("This link is no longer valid: ask for the result again to get a new one.")
        self._check_owner(owner, key)
        return LinkClaims(opened, owner, key, expires)

    def signed(self, text: str, purpose: str) -> str:
        """Any short text, signed for one purpose (a cookie, say)."""
        payload = text.encode()
        return f"{_text(payload)}.{_text(self._signature(payload, purpose))}"

    def unsigned(self, token: str, purpose: str) -> str:
        """The text again. Raises Unauthenticated when it was not signed here for this purpose."""
        return self._proved(token, purpose).decode()

    def _proved(self, token: str, purpose: str = "link") -> bytes:
        body, _, signature = token[: LONGEST + 1].partition(".")
        try:
            payload, given = _bytes(body), _bytes(signature)
        except (binascii.Error, ValueError):
            payload = given = b""
        # the text itself must match too: base64 has several texts for the same bytes
        whole = hmac.compare_digest(token.encode("utf-8", "replace"), f"{_text(payload)}.{_text(given)}".encode())
        if not (hmac.compare_digest(given, self._signature(payload, purpose)) and whole):
            raise Unauthenticated("This link was not made here, or was changed since.")
        return payload

    def _signature(self, payload: bytes, purpose: str = "link") -> bytes:
        return hmac.digest(self._secret, purpose.encode() + b"\0" + payload, "sha256")


def read_secret(home: Path) -> bytes:
    """The site's own secret, made on first use, readable by the owner of the files only."""
    path = home / FILE_NAME
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    fresh = path.with_name(f".{FILE_NAME}.{secrets.token_hex(6)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_hex(32).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)  # whichever process comes first wins, and no reader sees half of it
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return _read(path)


def _read(path: Path) -> bytes:
    text = path.read_bytes().strip()
    if len(text) < 64:
        raise Invalid(f"{path} holds no secret: remove it and a new one is made; links signed before then end.")
    return text


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
