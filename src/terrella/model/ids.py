"""Names of things, as types, so that one is never passed for another."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Container
from typing import NewType

from terrella.errors import Invalid

CollectionId = NewType("CollectionId", str)
ItemId = NewType("ItemId", str)

_LETTERS = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i"})
"""Latin letters that are no other letter with a mark."""
_HASH = 8
"""Hexadecimal digits that tell names apart whose letters cannot all be written."""
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,254}")


def collection_id(text: str) -> CollectionId:
    """A checked collection id: letters, digits and ``_.:@+-``, at most 255. Raises Invalid."""
    if not _ID.fullmatch(text) or ".." in text:
        raise Invalid(
            f"{text!r:.80} is no collection id: use letters, digits and _ . : @ + -, at most 255 of them.",
            parameter="collection",
        )
    return CollectionId(text)


def slug(text: str, *, most: int = 120) -> str:
    """Some text as an id: lower case, Latin letters without their marks, runs of anything else become one hyphen.

    Never empty. Where letters had to go, of other scripts or because there were more than `most`, a hash of all of them
    takes their place, so that different names stay different.
    """
    latin = _latin(text)
    made = re.sub(r"[^a-z0-9_.]+", "-", latin).strip("-._")
    made = re.sub(r"\.{2,}", ".", made)
    if len(made) <= most and not any(letter.isalnum() and not letter.isascii() for letter in latin):
        return made or "data"
    named = unicodedata.normalize("NFC", text.casefold()).encode("utf-8", "surrogatepass")
    known = hashlib.sha256(named).hexdigest()[:_HASH]
    return f"{made[: most - _HASH - 1].strip('-._')}-{known}".strip("-")


def _latin(text: str) -> str:
    """Lower case; 'Malmö' and 'Łódź' as 'malmo' and 'lodz'. Other scripts stay as they are."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    kept = [letter for letter in plain if not unicodedata.combining(letter)]
    return "".join(kept) if "".join(kept).isascii() else unicodedata.normalize("NFC", plain)


def distinct(name: str, taken: Container[str]) -> str:
    """The name, or with the first free number: `name-2`, `name-3` ..."""
    made, number = name, 2
    while made in taken:
        made, number = f"{name}-{number}", number + 1
    return made
