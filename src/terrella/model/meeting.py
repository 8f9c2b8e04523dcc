"""Conditions tried on documents, in the three-valued logic that databases have: None is unknown."""

from __future__ import annotations

import json
import operator
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from terrella.model.conditions import (
    FOLDS,
    Absence,
    Always,
    Comparison,
    Condition,
    Junction,
    Kind,
    Listed,
    Membership,
    Negation,
    Pattern,
    Property,
    Value,
    condition_of,
)
from terrella.model.microseconds import instant_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from terrella.model.stac import Document

    type Lookup = Callable[[Document, str], Any]

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def item_meets(text: str, item: Document, now: int) -> bool:
    """Whether an item meets a grant's text at a time (microseconds since 1970)."""
    return _met(condition_of(text), item, item_member, now) is True


def collection_meets(text: str, collection: Document, now: int) -> bool:
    """Whether a collection meets a grant's text at a time."""
    return _met(condition_of(text), collection, collection_member, now) is True


def item_member(item: Document, name: str) -> Any:
    """A field of an item: id, collection, datetime (or else start_datetime, or end_datetime), or a property.

    A dot is part of a name, or leads into an object: 'a.b' is tried as one name first.
    """
    if name in ("id", "collection"):
        return item.get(name)
    properties = item.get("properties")
    if not isinstance(properties, dict):
        return None
    if name == "datetime":
        times = (properties.get(key) for key in ("datetime", "start_datetime", "end_datetime"))
        return next((one for one in times if one is not None), None)
    return _within(properties, name)


def collection_member(collection: Document, name: str) -> Any:
    """A field of a collection: a member at its top, or else one of its summaries, or of its properties."""
    if name == "collection":
        return collection.get("id")
    places = (collection, collection.get("summaries"), collection.get("properties"))
    found = (_within(place, name) for place in places if isinstance(place, dict))
    return next((one for one in found if one is not None), None)


def _within(members: Document, name: str) -> Any:
    found = members.get(name)
    if found is not None or "." not in name:
        return found
    inner: Any = members
    for step in name.split("."):
        inner = inner.get(step) if isinstance(inner, dict) else None
    return inner


def _met(condition: Condition, document: Document, lookup: Lookup, now: int) -> bool | None:
    match condition:
        case Always(holds=holds):
            return holds
        case Junction(word=word, parts=parts):
            return _joined(word, (_met(part, document, lookup, now) for part in parts))
        case Negation(part=part):
            met = _met(part, document, lookup, now)
            return None if met is None else not met
        case Absence(property=subject):
            return lookup(document, subject.name) is None
        case _:
            return _compared(condition, lookup(document, condition.property.name), now)


def _joined(word: str, parts: Iterable[bool | None]) -> bool | None:
    """Kleene's: one part that settles it settles it, else an unknown one leaves it unknown."""
    settles = word == "or"
    unknown = False
    for part in parts:
        if part is settles:
            return settles
        unknown = unknown or part is None
    return None if unknown else not settles


def _compared(condition: Comparison | Membership | Pattern | Listed, value: Any, now: int) -> bool | None:
    if isinstance(condition, Listed):
        return lists_meet(condition.operator, value, condition.values) if isinstance(value, list) else None
    kind: Kind = "text" if isinstance(condition, Pattern) else condition.kind
    mine = _of_kind(kind, _folded(condition.property, value))
    if mine is None:
        return None
    if isinstance(condition, Pattern):
        return expression_of(condition.pattern).fullmatch(str(mine)) is not None
    if isinstance(condition, Membership):
        return mine in {now if one is None else one for one in condition.values}
    return _COMPARED[condition.sign](mine, now if condition.value is None else condition.value)


def _folded(subject: Property, value: Any) -> Any:
    for fold in subject.folds:
        value = FOLDS[fold](value)
    return value


def _of_kind(kind: Kind, value: Any) -> Value:
    """A value where it is of a kind, else None."""
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind == "text":
        return value if isinstance(value, str) else None
    if kind == "instant":
        return instant_or_none(value) if isinstance(value, str) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -(2**63) <= value < 2**63 else float(value)


@lru_cache(maxsize=1024)
def expression_of(pattern: str) -> re.Pattern[str]:
    """CQL2's LIKE as a regular expression."""
    made, escaped = [], False
    for character in pattern:
        if escaped or character not in "%_\\":
            made.append(re.escape(character))
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            made.append(".*" if character == "%" else ".")
    return re.compile("".join(made), re.DOTALL)


def lists_meet(operator: str, mine: list[Any], theirs: Iterable[Value]) -> bool:
    """How a list relates to a list of constants; 1 and 1.0 are one number, and true is none."""
    have, wanted = [_key(one) for one in mine], [_key(one) for one in theirs]
    if operator == "a_equals":
        return have == wanted
    if operator == "a_overlaps":
        return not set(have).isdisjoint(wanted)
    return set(have) >= set(wanted) if operator == "a_contains" else set(have) <= set(wanted)


def _key(value: Any) -> tuple[str, Any]:
    if isinstance(value, dict | list):
        return "json", json.dumps(value, sort_keys=True)
    return ("boolean", value) if isinstance(value, bool) else ("", value)
