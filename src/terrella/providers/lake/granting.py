"""What a grant says of items, as SQL: equal to `terrella.model.meeting`, which says it of documents.

Unlike filters of users, which know what kinds of value a property has, a condition here never fails: what it
compares is taken for the kind of the constant beside it, and is NULL where it is of another.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from terrella.model.conditions import (
    Absence,
    Always,
    Comparison,
    Condition,
    Junction,
    Kind,
    Membership,
    Negation,
    Pattern,
    Property,
    condition_of,
)
from terrella.model.meeting import lists_meet
from terrella.providers.lake import schema
from terrella.providers.lake.filters import balanced
from terrella.providers.lake.schema import Sql

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLUMNS = {"id": "i.id", "collection": "i.collection", "datetime": "i.t"}


class _Now:
    """Stands for the time of asking among bound values."""


_NOW = _Now()


def granted(text: str, now: int) -> Sql:
    """A grant's text as a condition on items at a time (microseconds): 1 where met; 0 or NULL where not."""
    made = _compiled(text)
    return replace(made, values=tuple(now if value is _NOW else value for value in made.values))


def holds_list(operator: str, stored: Any, wanted: str) -> int | None:
    """SQL function: how an item's list relates to constants, both as JSON text."""
    if not isinstance(stored, str):
        return None
    return int(lists_meet(operator, orjson.loads(stored), json.loads(wanted)))


@lru_cache(maxsize=1024)
def _compiled(text: str) -> Sql:
    return _sql(condition_of(text))


def _sql(condition: Condition) -> Sql:
    match condition:
        case Always(holds=holds):
            return schema.ALWAYS if holds else schema.NEVER
        case Junction(word=word, parts=parts):
            return balanced(word, [_sql(part) for part in parts])
        case Negation(part=part):
            inner = _sql(part)
            return Sql(f"(not {inner.text})", inner.values, inner.dear)
        case Absence(property=subject):
            return _absent(subject.name)
        case Pattern(property=subject, pattern=pattern):
            return schema.like(_value(subject, "text"), pattern)
        case Comparison(property=subject, sign=sign, kind=kind, value=value):
            mine = _value(subject, kind)
            return Sql(f"({mine.text} {sign} ?)", (*mine.values, _NOW if value is None else value), mine.dear)
        case Membership(property=subject, kind=kind, values=wanted):
            return _among(_value(subject, kind), wanted)
        case _:
            array = schema.json_array(*schema.property_paths(condition.property.name))
            values = (condition.operator, *array.values, json.dumps(condition.values))
            return Sql(f"holds_list(?, {array.text}, ?)", values, dear=True)


def _among(mine: Sql, wanted: Iterable[Any]) -> Sql:
    values = [_NOW if value is None else value for value in wanted]
    return Sql(f"({mine.text} in ({', '.join('?' * len(values))}))", (*mine.values, *values), mine.dear)


def _absent(name: str) -> Sql:
    if name in _COLUMNS:
        return Sql(f"({_COLUMNS[name]} is null)")
    return schema.json_absent(*schema.property_paths(name))


def _value(subject: Property, kind: Kind) -> Sql:
    """A property's value where it is of a kind, else NULL."""
    made = _of_kind(subject.name, kind)
    for fold in subject.folds:
        made = Sql(f"{fold}({made.text})", made.values, made.dear)
    return made


def _of_kind(name: str, kind: Kind) -> Sql:
    column = _COLUMNS.get(name)
    if column is not None:
        fits = kind == ("instant" if name == "datetime" else "text")
        if kind == "instant" and not fits:
            return Sql(f"instant({column})")
        return Sql(column) if fits else Sql("null")
    if kind == "instant":
        text = schema.json_value("text", *schema.property_paths(name))
        return Sql(f"instant({text.text})", text.values, dear=True)
    return schema.json_value(kind, *schema.property_paths(name))
