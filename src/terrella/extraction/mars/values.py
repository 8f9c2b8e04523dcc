"""Values of one MARS key: a list `a/b/c`, a range `a/to/b` or `a/to/b/by/c` with both ends, or ALL.

The language: ECMWF, "MARS user documentation", section "Syntax of a request".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from terrella.errors import Invalid, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_VALUES = 100_000
"""Values that one key may list."""


@dataclass(frozen=True, slots=True)
class Listed:
    """These values, in this order, each once."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranged:
    """From `start` to `stop`, both included; without `by` whatever lies there."""

    start: str
    stop: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Every:
    """ALL that there is."""


Wanted = Listed | Ranged | Every


def parse_values(key: str, given: object) -> Wanted:
    """What a key asks for: text in the language, a number, or a list of these. Raises Invalid, TooLarge."""
    words = [word for one in _flat(key, given) for word in _split(one)]
    if not words or not all(words):
        raise Invalid(f"{key} has an empty value: write {key}=value or {key}=a/b/c.", parameter=key)
    if len(words) > MOST_VALUES:
        raise TooLarge(
            f"{key} lists {len(words):,} values; at most {MOST_VALUES:,} are taken. Write a range: a/to/b/by/c.",
            parameter=key,
            details={"limit": MOST_VALUES},
        )
    lower = [word.lower() for word in words]
    if lower == ["all"]:
        return Every()
    if "to" in lower or "by" in lower:
        return _range(key, words, lower)
    return Listed(tuple(dict.fromkeys(words)))


def counted(key: str, wanted: Wanted) -> Wanted:
    """For keys that are no axis: a range as the list of its whole numbers. Raises Invalid, TooLarge."""
    if not isinstance(wanted, Ranged):
        return wanted
    parts = (wanted.start, wanted.stop, wanted.by or "1")
    if not all(part.isascii() and part.isdigit() and len(part) <= 12 for part in parts) or not int(parts[2]):
        raise Invalid(f"{key} takes a list a/b/c, or a range of whole numbers.", parameter=key)
    found = range(int(parts[0]), int(parts[1]) + 1, int(parts[2]))
    if not found:
        raise Invalid(f"{key}: the range ends before it begins.", parameter=key)
    if len(found) > MOST_VALUES:
        raise TooLarge(f"{key} counts {len(found):,} values; at most {MOST_VALUES:,} are taken.", parameter=key)
    return Listed(tuple(map(str, found)))


def _flat(key: str, given: object) -> Iterable[str]:
    if isinstance(given, Sequence) and not isinstance(given, str | bytes):
        if len(given) > MOST_VALUES:
            raise TooLarge(f"{key} lists {len(given):,} values; at most {MOST_VALUES:,} are taken.", parameter=key)
        return [_text(key, one) for one in given]
    return [_text(key, given)]


def _text(key: str, one: object) -> str:
    """A number as MARS would have it written: YAML and JSON turn some words into numbers."""
    if isinstance(one, bool) or one is None or not isinstance(one, str | int | float):
        raise Invalid(f"{key}: {one!r:.60} is no text and no number.", parameter=key)
    if isinstance(one, float):
        return f"{one:.15g}"
    return str(one)


def _split(text: str) -> list[str]:
    # a quoted value is one word, whatever is in it
    stripped = text.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'":
        return [stripped[1:-1].strip()]
    return [word.strip() for word in stripped.split("/")]


def _range(key: str, words: list[str], lower: list[str]) -> Ranged:
    shapes = {3: ("to",), 5: ("to", "by")}
    if tuple(lower[1::2]) != shapes.get(len(words)) or {"to", "by"} & set(lower[::2]):
        raise Invalid(f"{key}: a range is a/to/b or a/to/b/by/c, not {'/'.join(words)!r:.80}.", parameter=key)
    return Ranged(words[0], words[2], words[4] if len(words) == 5 else None)
