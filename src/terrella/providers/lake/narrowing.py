"""What a part of a filter implies for look-ups: collections, ids or times. The part itself is tested all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid
from terrella.model.microseconds import FOREVER, LONG_AGO, microseconds

if TYPE_CHECKING:
    from collections.abc import Collection

_DAY = 86_400_000_000
_SAME = frozenset({"=", "in"})
_AFTER = frozenset({">", ">=", "t_after"})
_BEFORE = frozenset({"<", "<=", "t_before"})
_DURING = frozenset({"=", "between", "t_intersects", "t_during", "t_equals", "t_starts", "t_finishes"})


def names_in(part: Any, field: str) -> tuple[str, ...] | None:
    """The values that a text field may have when this part holds; None when it says nothing of that."""
    operator, name, args = _read(part)
    if name != field or operator not in _SAME or len(args) != 1:
        return None
    listed = args[0] if operator == "in" else [args[0]]
    if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):
        return None
    return tuple(dict.fromkeys(listed))


def times_in(part: Any) -> tuple[int, int]:
    """First and last microsecond that an item must have some time between, when this part holds."""
    operator, name, args = _read(part)
    if name != "datetime" or operator not in _AFTER | _BEFORE | _DURING:
        return LONG_AGO, FOREVER
    ends = [_ends(arg) for one in args for arg in (one if isinstance(one, list) else [one])]
    if not ends or None in ends:
        return LONG_AGO, FOREVER
    first, last = min(end[0] for end in ends if end), max(end[1] for end in ends if end)
    return (LONG_AGO if operator in _BEFORE else first), (FOREVER if operator in _AFTER else last)


def common(one: Collection[str], other: Collection[str]) -> tuple[str, ...]:
    """Names in both; where one is empty it means all, and where none is in both, the first says enough."""
    if not one:
        return tuple(other)
    return tuple(name for name in one if name in set(other)) or tuple(one)


def _read(part: Any) -> tuple[str, str, list[Any]]:
    """Operator, property and the other arguments of a part that has its property first."""
    if not isinstance(part, dict) or not isinstance(part.get("args"), list) or not part["args"]:
        return "", "", []
    first, *others = part["args"]
    name = first.get("property") if isinstance(first, dict) else None
    return str(part.get("op")).lower(), str(name or "").removeprefix("properties."), others


def _ends(arg: Any) -> tuple[int, int] | None:
    """First and last microsecond of a literal; None for what is none (or is wrong, which others say)."""
    try:
        if isinstance(arg, str):
            return microseconds(arg), microseconds(arg)
        if "timestamp" in arg:
            return microseconds(arg["timestamp"]), microseconds(arg["timestamp"])
        if "date" in arg:
            midnight = microseconds(arg["date"])
            return midnight, midnight + _DAY - 1
        low, high = arg["interval"]
        return (LONG_AGO if low == ".." else microseconds(low)), (FOREVER if high == ".." else microseconds(high))
    except (Invalid, TypeError, KeyError, ValueError):
        return None
