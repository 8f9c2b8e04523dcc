"""The slow and plain answer to a catalogue search, to compare a provider's with: Python lists, shapely, datetime.

None is the third truth value, as in SQL and CQL2: neither true nor false.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cmp_to_key
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any

import shapely

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from terrella.model.search import Search, SortKey
    from terrella.model.stac import Document
    from terrella.model.time import Instant

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


def found(items: Iterable[Document], query: Search) -> list[Document]:
    """All items that match, in order."""
    return ordered([item for item in items if matches(item, query)], query.sortby)


def matches(item: Document, query: Search) -> bool:
    """Whether one item matches; text is not looked at."""
    if query.collections and item["collection"] not in query.collections:
        return False
    if query.ids and item["id"] not in query.ids:
        return False
    if query.bbox is not None:
        boxes = [shapely.box(part.west, part.south, part.east, part.north) for part in query.bbox.parts()]
        if not any(_meets(item, box) for box in boxes):
            return False
    if query.intersects is not None and not _meets(item, shapely.geometry.shape(query.intersects)):
        return False
    if query.interval is not None:
        start, end = span(item)
        if query.interval.start is not None and end < _at(query.interval.start):
            return False
        if query.interval.end is not None and start > _at(query.interval.end):
            return False
    return query.filter is None or holds(query.filter, item) is True


def ordered(items: Sequence[Document], keys: Sequence[SortKey]) -> list[Document]:
    """Newest first then by id, or by the keys then by id; what lacks a property comes last."""

    def compare(one: Document, other: Document) -> int:
        for field, descending in wanted:
            a, b = _sorted_by(one, field), _sorted_by(other, field)
            if a != b:
                if a is None or b is None:
                    return 1 if a is None else -1
                return -1 if (a < b) is not descending else 1
        return 0

    wanted = [(key.field, key.descending) for key in keys] or [("datetime", True)]
    wanted += [("id", False), ("collection", False)]
    return sorted(items, key=cmp_to_key(compare))


def span(item: Document) -> tuple[datetime, datetime]:
    """From when to when an item is."""
    properties = item["properties"]
    at = _time(properties.get("datetime"))
    start, end = _time(properties.get("start_datetime")) or at, _time(properties.get("end_datetime")) or at
    when = at or start
    assert when is not None
    return min(start or _EARLIEST, when), max(end or _LATEST, when)


def holds(node: Any, item: Document) -> bool | None:
    """CQL2 JSON, for the operators that the suite asks with."""
    operator, args = node["op"], node["args"]
    if operator in {"and", "or"}:
        return _junction([holds(arg, item) for arg in args], decisive=operator == "or")
    if operator == "not":
        inner = holds(args[0], item)
        return None if inner is None else not inner
    if operator.startswith("s_"):
        return _relation(operator, args, item)
    if operator == "t_intersects":
        start, end = span(item)
        low, high = (_time(text) for text in args[1]["interval"])
        return start <= (high or _LATEST) and end >= (low or _EARLIEST)
    value = _value(args[0], item)
    if operator == "isNull":
        return value is None
    return None if value is None else _predicate(operator, value, args)


def _predicate(operator: str, value: Any, args: Sequence[Any]) -> bool | None:
    if operator in _COMPARE:
        other = _literal(args[1])
        return _COMPARE[operator](value, other)
    if operator == "between":
        return bool(args[1] <= value <= args[2])
    if operator == "in":
        return value in args[1]
    assert operator == "like", operator
    pattern = "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in args[1])
    return re.fullmatch(pattern, value, re.DOTALL) is not None


def _junction(parts: Sequence[bool | None], *, decisive: bool) -> bool | None:
    if any(part is decisive for part in parts):
        return decisive
    return None if None in parts else not decisive


def _relation(operator: str, args: Sequence[Any], item: Document) -> bool | None:
    if item["geometry"] is None:
        return None
    relate = getattr(shapely, operator.removeprefix("s_"))
    return bool(relate(shapely.geometry.shape(item["geometry"]), shapely.geometry.shape(args[1])))


def _value(node: Document, item: Document) -> Any:
    name = node["property"]
    if name in {"id", "collection"}:
        return item[name]
    if name == "datetime":
        return _sorted_by(item, "datetime")[1]
    return item["properties"].get(name)


def _literal(node: Any) -> Any:
    return _time(node["timestamp"]) if isinstance(node, dict) else node


def _sorted_by(item: Document, field: str) -> Any:
    """A value that can be compared with any other: numbers (true and false too) before text."""
    if field in {"id", "collection"}:
        return (1, item[field])
    if field == "datetime":
        properties = item["properties"]
        return (0, _time(properties.get("datetime")) or _time(properties.get("start_datetime")))
    value = item["properties"].get(field)
    return None if value is None else (isinstance(value, str), value)


def _meets(item: Document, shape: Any) -> bool:
    return item["geometry"] is not None and bool(shapely.intersects(shapely.geometry.shape(item["geometry"]), shape))


def _time(text: str | None) -> datetime | None:
    return None if text in {None, ".."} else datetime.fromisoformat(str(text)).astimezone(UTC)


def _at(instant: Instant) -> datetime:
    return instant.as_datetime()
