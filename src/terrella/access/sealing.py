"""Secrets that somebody lends the site for one piece of work: sealed on disk, and gone when the work is.

Each is a file of its own, encrypted (JWE, A256GCM) with a key derived from the site's secret: a copy of the database,
of a log or of the folder alone opens nothing.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from typing import TYPE_CHECKING, Any

import orjson
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from terrella.access.links import read_secret
from terrella.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from terrella.model.stac import Document

_NAME = re.compile(r"[0-9a-f]{32}")
_HEADER = {"alg": "dir", "enc": "A256GCM"}


class Sealed:
    """The sealed secrets of a site, in ``home/sealed``; safe for threads and processes."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "sealed"
        self._key = OctKey.import_key(hmac.digest(read_secret(home), b"sealed", "sha256"))

    def keep(self, secret: Document) -> str:
        """Seal it; the name to ask for it by."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = secrets.token_hex(16)
        text = jwe.encrypt_compact(_HEADER, orjson.dumps(secret), self._key)
        with os.fdopen(os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        return name

    def open(self, name: str) -> dict[str, Any]:
        """What was sealed. Raises NotFound once it is forgotten."""
        if not _NAME.fullmatch(name):
            raise NotFound("There is no such secret.")
        try:
            text = (self._folder / name).read_text()
            found: dict[str, Any] = orjson.loads(jwe.decrypt_compact(text, self._key).plaintext or b"")
        except (OSError, JoseError, orjson.JSONDecodeError):
            raise NotFound("The secrets that were given for this are not kept any more: ask anew.") from None
        return found

    def forget(self, name: str) -> None:
        """Delete it, if it is there."""
        if _NAME.fullmatch(name):
            (self._folder / name).unlink(missing_ok=True)
