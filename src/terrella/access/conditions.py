r"""Rules' conditions: from CQL2 text, as operators write it, to the one text that grants carry.

The `cql2` parser recurses without a limit and its validation takes exponential memory, so text is measured before it
is parsed, and what it says is checked by us.
"""

from __future__ import annotations

import re

from terrella.errors import Invalid
from terrella.model.conditions import canonical

_MOST_CHARACTERS = 10_000
_MOST_BRACKETS = 40
_MOST_WORDS = 500
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")
_WORD = re.compile(r"(?<![\w.])(?:and|or|not|like)(?![\w.])|[*/^%+-]", re.IGNORECASE)
_FIELDS = {
    "collections": "id, license, keywords, any other member of a collection or of its summaries",
    "items": "id, collection, datetime, any property of an item",
}


def parsed(text: str, field: str) -> str:
    """A condition as canonical CQL2 JSON; empty text stays so. `field` is 'collections' or 'items'.

    Raises Invalid with what is wrong and what can be written.
    """
    if not text.strip():
        return ""
    import cql2

    _measure(text, field)
    try:
        node = cql2.parse_text(text).to_json()
    except (cql2.ParseError, cql2.ValidationError, ValueError) as error:
        raise _wrong(text, field, f"it is no CQL2, {_explained(str(error))}") from None
    try:
        return canonical(node)
    except Invalid as error:
        raise _wrong(text, field, error.message.rstrip(".")) from None


def _measure(text: str, field: str) -> None:
    bare = _QUOTED.sub("''", text)
    depth = deepest = 0
    for sign in re.findall(r"[()]", bare):
        depth += 1 if sign == "(" else -1
        deepest = max(deepest, depth)
    if len(text) > _MOST_CHARACTERS or deepest > _MOST_BRACKETS or len(_WORD.findall(bare)) > _MOST_WORDS:
        raise _wrong(text, field, "it is too large: write several rules")


def _wrong(text: str, field: str, why: str) -> Invalid:
    return Invalid(
        f"{field} = {text[:100]!r}: {why}. Write CQL2 on {_FIELDS[field]}: = <> < <= > >= IN BETWEEN LIKE IS NULL, "
        "A_CONTAINS and its like, CASEI, ACCENTI, AND OR NOT, with text in '...', numbers, true, false, "
        "DATE('2026-01-01'), TIMESTAMP('2026-01-01T00:00:00Z') and now().",
        parameter="access.rules",
    )


def _explained(error: str) -> str:
    """Where the parser stopped, from its drawing of the place."""
    place = re.search(r"--> \d+:(\d+)", error)
    return f"reading stopped at character {place[1]}" if place else error.splitlines()[0][:120]
