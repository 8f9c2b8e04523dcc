"""What somebody shows to prove who they are, whichever header it came in."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from terrella.access.keys import looks_like_key
from terrella.errors import Unauthenticated
from terrella.model.caller import ANONYMOUS

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 16_384
"""Characters of one credential header; the longest known tokens have a fourth of it."""

_ALLOWED = "Use 'Bearer KEY', 'Basic' with the key as password, or 'EmailKey MAIL:KEY'."


@dataclass(frozen=True, slots=True)
class Credentials:
    """Everything that was shown; one that is right is enough. `mark` names them in memory without telling them."""

    tokens: tuple[str, ...] = ()
    """Keys, and tokens of issuers."""
    passwords: tuple[tuple[str, str], ...] = ()
    """User names and passwords."""
    mark: bytes = b""

    def __repr__(self) -> str:
        return f"Credentials({len(self.tokens)} tokens, {len(self.passwords)} passwords)"

    def __bool__(self) -> bool:
        return bool(self.tokens or self.passwords)


def mark_of(values: Iterable[bytes]) -> bytes:
    """A fingerprint of header values."""
    return hashlib.sha256(b"\0".join(values)).digest()


def credentials_from(authorizations: Iterable[bytes], tokens: Iterable[bytes] = (), mark: bytes = b"") -> Credentials:
    """From the values of Authorization headers (each may list several, with commas) and of headers that hold a token.

    The name `anonymous`, as a key or as a user with any password, shows nothing: for clients that must have something
    to show. Raises Unauthenticated for what is none of these.
    """
    found: list[str] = []
    passwords: list[tuple[str, str]] = []
    for value in authorizations:
        for part in _text(value).split(","):
            _take(part.strip(), found, passwords)
    found += [_text(value).strip() for value in tokens]
    if not all(found):
        raise Unauthenticated(f"The credentials are empty. {_ALLOWED}")
    keys = tuple(one for one in found if one != ANONYMOUS.name)
    return Credentials(keys, tuple(pair for pair in passwords if pair[0] != ANONYMOUS.name), mark)


def _text(value: bytes) -> str:
    if len(value) > LONGEST:
        raise Unauthenticated(f"A header with credentials has at most {LONGEST} bytes.")
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Unauthenticated("Credentials are text in UTF-8.") from None


def _take(part: str, tokens: list[str], passwords: list[tuple[str, str]]) -> None:
    scheme, _, rest = part.partition(" ")
    rest = rest.strip()
    match scheme.lower():
        case "bearer":
            tokens.append(rest)
        case "basic":
            _take_basic(rest, tokens, passwords)
        case "emailkey":
            tokens.append(rest.rpartition(":")[2])
        case "":
            raise Unauthenticated(f"The Authorization header is empty. {_ALLOWED}")
        case _:
            raise Unauthenticated(f"Credentials of this kind are not taken here. {_ALLOWED}")


def _take_basic(encoded: str, tokens: list[str], passwords: list[tuple[str, str]]) -> None:
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise Unauthenticated("Basic credentials are base64 of NAME:PASSWORD in UTF-8.") from None
    if looks_like_key(password):
        tokens.append(password)
    elif looks_like_key(name):
        tokens.append(name)
    elif not colon or not name:
        raise Unauthenticated("Basic credentials are base64 of NAME:PASSWORD; the password may be a key.")
    else:
        passwords.append((name, password))
