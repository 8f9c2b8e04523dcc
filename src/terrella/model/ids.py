"""Names of things, as types, so that one is never passed for another."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import NewType

from terrella.errors import Invalid

CollectionId = NewType("CollectionId", str)
ItemId = NewType("ItemId", str)

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
    """Some text as an id: lower case, runs of anything else become one hyphen. Never empty."""
    made = re.sub(r"[^a-z0-9_.]+", "-", text.casefold()).strip("-._")
    made = re.sub(r"\.{2,}", ".", made)
    return made[:most].strip("-._") or "data"


def distinct(name: str, taken: Container[str]) -> str:
    """The name, or with the first free number: `name-2`, `name-3` ..."""
    made, number = name, 2
    while made in taken:
        made, number = f"{name}-{number}", number + 1
    return made
