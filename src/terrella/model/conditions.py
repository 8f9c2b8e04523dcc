"""What a grant says of documents, as a tree: the part of CQL2 in which rules are written.

A condition is met, not met, or unknown: a property that a document lacks, or that holds a value of another type than
it is compared with, makes it unknown, and so does NOT of that; only what is met opens anything.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from terrella.errors import Invalid, nearest_names
from terrella.model.folding import accenti, casei
from terrella.model.microseconds import microseconds

type Kind = Literal["text", "number", "boolean", "instant"]
type Value = str | int | float | bool | None
type Condition = Always | Junction | Negation | Comparison | Membership | Pattern | Absence | Listed

SIGNS = ("=", "<>", "<", "<=", ">", ">=")
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
LISTS = ("a_contains", "a_containedby", "a_equals", "a_overlaps")
FOLDS = {"casei": casei, "accenti": accenti}
OPERATORS = ("and", "or", "not", *SIGNS, "like", "between", "in", "isNull", *LISTS)
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Always:
    """True, or false, of everything."""

    holds: bool


@dataclass(frozen=True, slots=True)
class Junction:
    """`and` or `or` of parts."""

    word: Literal["and", "or"]
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """Not met where the part is met; unknown where that is."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Property:
    """A property by name; `folds` are applied to its text, the innermost first."""

    name: str
    folds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """A property beside a constant of one kind. An instant is in microseconds; None is the time of asking."""

    property: Property
    sign: str
    kind: Kind
    value: Value


@dataclass(frozen=True, slots=True)
class Membership:
    """A property is one of several constants of one kind."""

    property: Property
    kind: Kind
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text like a pattern: % any characters, _ one, a backslash takes the next as it is."""

    property: Property
    pattern: str


@dataclass(frozen=True, slots=True)
class Absence:
    """A property is missing or null: always known."""

    property: Property


@dataclass(frozen=True, slots=True)
class Listed:
    """How a property that is a list relates to a list of constants; their order counts for `a_equals` alone."""

    property: Property
    operator: str
    values: tuple[Value, ...]


@lru_cache(maxsize=1024)
def condition_of(text: str) -> Condition:
    """The tree of a grant's text, which is CQL2 JSON; empty text is met by everything. Raises Invalid."""
    return _condition(json.loads(text), 0) if text else Always(holds=True)


def canonical(node: Any) -> str:
    """One text for equal conditions, checked: names of operators, whole numbers and spaces as in no other. Raises
    Invalid.
    """
    made = _plain(node)
    _condition(made, 0)
    return json.dumps(made, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def names_in(condition: Condition) -> frozenset[str]:
    """Properties that a condition speaks of."""
    match condition:
        case Junction(parts=parts):
            return frozenset[str]().union(*(names_in(part) for part in parts))
        case Negation(part=part):
            return names_in(part)
        case Always():
            return frozenset()
        case _:
            return frozenset({condition.property.name})


def needs_now(condition: Condition) -> bool:
    """Whether it asks what time it is."""
    match condition:
        case Junction(parts=parts):
            return any(needs_now(part) for part in parts)
        case Negation(part=part):
            return needs_now(part)
        case Comparison(kind="instant", value=None):
            return True
        case Membership(kind="instant", values=values):
            return None in values
        case _:
            return False


def _plain(node: Any) -> Any:
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if isinstance(node, float) and node.is_integer() and abs(node) < 2**53:
        return int(node)
    if not isinstance(node, dict):
        return node
    if "op" not in node:
        return {name: _plain(value) for name, value in node.items()}
    operator = str(node["op"])
    known = next((one for one in (*OPERATORS, *FOLDS, "now") if one.lower() == operator.lower()), operator)
    args = node.get("args") or []
    return {"op": "now"} if known == "now" and not args else {"op": known, "args": _plain(args)}


def _condition(node: Any, depth: int) -> Condition:
    if depth > _DEEPEST:
        raise _wrong(f"it is nested more than {_DEEPEST} deep: make it flatter")
    if isinstance(node, bool):
        return Always(node)
    if isinstance(node, dict) and "property" in node:
        return Comparison(_property(node), "=", "boolean", value=True)
    operator, args = _operation(node)
    if operator in ("and", "or"):
        if not args:
            raise _wrong(f"{operator!r} needs arguments")
        return Junction(operator, tuple(_condition(arg, depth + 1) for arg in args))  # type: ignore[arg-type]
    if operator == "not":
        return Negation(_condition(_counted(operator, args, 1)[0], depth + 1))
    if operator in SIGNS:
        return _comparison(operator, *_counted(operator, args, 2))
    return _predicate(operator, args)


def _predicate(operator: str, args: list[Any]) -> Condition:
    if operator == "isNull":
        subject = _property(_counted(operator, args, 1)[0])
        return Absence(Property(subject.name))
    if operator == "between":
        subject, low, high = _counted(operator, args, 3)
        return Junction("and", (_comparison(">=", subject, low), _comparison("<=", subject, high)))
    if operator == "like":
        return _pattern(*_counted(operator, args, 2))
    if operator == "in":
        return _membership(*_counted(operator, args, 2))
    if operator in LISTS:
        return _listed(operator, *_counted(operator, args, 2))
    raise _wrong(f"{operator!r:.60} is no operator of rules. {nearest_names(operator, OPERATORS)}")


def _operation(node: Any) -> tuple[str, list[Any]]:
    operator, args = (node.get("op"), node.get("args", [])) if isinstance(node, dict) else (None, None)
    if not isinstance(operator, str) or not isinstance(args, list):
        raise _wrong(f"{_shown(node)} is neither true nor false")
    return operator, args


def _counted(operator: str, args: list[Any], count: int) -> list[Any]:
    if len(args) != count:
        raise _wrong(f"{operator!r} takes {count} argument{'s' if count > 1 else ''}, not {len(args)}")
    return args


def _is_property(node: Any) -> bool:
    if isinstance(node, dict) and node.get("op") in FOLDS and node.get("args"):
        return _is_property(node["args"][0])
    return isinstance(node, dict) and "property" in node


def _property(node: Any) -> Property:
    """A property, perhaps within folds."""
    if isinstance(node, dict) and node.get("op") in FOLDS:
        inner = _property(_counted(node["op"], node.get("args", []), 1)[0])
        return Property(inner.name, (*inner.folds, node["op"]))
    if not isinstance(node, dict) or not isinstance(node.get("property"), str):
        raise _wrong(f"{_shown(node)} is no property: compare a property with a constant")
    name = node["property"].removeprefix("properties.")
    if not name or any(mark in name for mark in '"\\') or not name.isprintable():
        raise _wrong(f"{name!r:.80} cannot be the name of a property in a rule")
    return Property(name)


def _constant(node: Any) -> tuple[Kind, Value]:
    """Kind and value of a constant, folded where it says so."""
    if isinstance(node, bool):
        return "boolean", node
    if isinstance(node, str):
        return "text", node
    if isinstance(node, int | float) and math.isfinite(node):
        return "number", node if isinstance(node, float) or -(2**63) <= node < 2**63 else float(node)
    if isinstance(node, dict):
        if node.get("op") == "now":
            return "instant", None
        if node.get("op") in FOLDS:
            kind, value = _constant(_counted(node["op"], node.get("args", []), 1)[0])
            if kind == "text":
                return "text", FOLDS[node["op"]](value)
        text = node.get("timestamp", node.get("date"))
        if isinstance(text, str):
            return "instant", microseconds(text)
    raise _wrong(f"{_shown(node)} is no constant: write text in '...', a number, true, false, a time, or now()")


def _typed(subject: Property, node: Any) -> tuple[Kind, Value]:
    """A constant beside a property; text beside 'datetime' is a time."""
    kind, value = _constant(node)
    if subject.name == "datetime":
        if kind == "text":
            return "instant", microseconds(str(value))
        if kind != "instant":
            raise _wrong(f"'datetime' is compared with a time, not with the {kind} {_shown(node)}")
    if subject.folds and kind != "text":
        raise _wrong(f"{subject.folds[-1]}({subject.name}) is compared with text, not with {_shown(node)}")
    return kind, value


def _comparison(sign: str, left: Any, right: Any) -> Comparison:
    if _is_property(right) and not _is_property(left):
        left, right, sign = right, left, _TURNED.get(sign, sign)
    elif _is_property(right):
        raise _wrong(f"{_shown(left)} {sign} {_shown(right)} compares two properties: compare one with a constant")
    subject = _property(left)
    return Comparison(subject, sign, *_typed(subject, right))


def _membership(left: Any, listed: Any) -> Condition:
    if not isinstance(listed, list) or not listed:
        raise _wrong("'in' takes a property and a list of constants")
    subject = _property(left)
    found: dict[Kind, list[Value]] = {}
    for one in listed:
        kind, value = _typed(subject, one)
        found.setdefault(kind, []).append(value)
    parts = tuple(Membership(subject, kind, tuple(values)) for kind, values in found.items())
    return parts[0] if len(parts) == 1 else Junction("or", parts)


def _pattern(left: Any, right: Any) -> Pattern:
    subject, (kind, value) = _property(left), _constant(right)
    if kind != "text" or subject.name == "datetime":
        raise _wrong("'like' takes a property that is text, and a pattern with % for any characters and _ for one")
    return Pattern(subject, str(value))


def _listed(operator: str, left: Any, right: Any) -> Listed:
    subject = _property(left)
    if not isinstance(right, list) or subject.folds:
        raise _wrong(f"{operator!r} takes a property that is a list, and a list of constants")
    constants = [_constant(one) for one in right]
    if any(kind == "instant" for kind, _ in constants):
        raise _wrong(f"{operator!r} compares with texts, numbers, true and false")
    return Listed(subject, operator, tuple(value for _, value in constants))


def _shown(node: Any) -> str:
    if isinstance(node, dict) and "property" in node:
        return repr(node["property"])[:60]
    return repr(node)[:60]


def _wrong(message: str) -> Invalid:
    return Invalid(f"{message[0].upper()}{message[1:]}.", parameter="rules")
