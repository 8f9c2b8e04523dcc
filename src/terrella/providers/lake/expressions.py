"""CQL2 scalar expressions to SQL: literals, properties, arithmetic, `casei`, `accenti`. Values are always bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid
from terrella.model.folding import accenti, casei
from terrella.model.microseconds import FOREVER, LONG_AGO, instant_or_none, microseconds
from terrella.providers.lake.schema import Sql

if TYPE_CHECKING:
    from terrella.model.stac import Document
    from terrella.providers.lake.fields import Field, Fields

_ARITHMETIC = {"+": "+", "-": "-", "*": "*", "/": "/", "%": "mod", "div": "div", "^": "pow"}
_FOLDS = frozenset({"casei", "accenti"})
LONGEST_TEXT = 10_000
_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Expression:
    """SQL with the kinds of value it may give ('number', 'string', 'boolean', 'instant', 'array', 'object',
    'geometry'; none: any). `literal` holds the value of one that is constant.
    """

    sql: Sql
    types: frozenset[str]
    field: Field | None = None
    literal: Any = None

    @property
    def is_literal(self) -> bool:
        return self.literal is not None


def wrong(message: str) -> Invalid:
    """The error for a filter that cannot be."""
    return Invalid(message, parameter="filter")


def scalar(node: Any, fields: Fields) -> Expression:
    """A scalar expression. Raises Invalid."""
    if not isinstance(node, dict):
        return literal(node)
    if "property" in node:
        return property_of(node, fields)
    if "timestamp" in node or "date" in node:
        at = instant_literal(node)
        return Expression(Sql("?", (at,)), frozenset({"instant"}), literal=at)
    operator, args = operation(node)
    if operator in _FOLDS:
        return _folded(operator, args, fields)
    if operator in _ARITHMETIC:
        return _arithmetic(operator, args, fields)
    raise wrong(
        f"{operator!r:.60} gives no value to compare: use a property, a literal, + - * / % div ^, casei, accenti."
    )


def operation(node: Document) -> tuple[str, list[Any]]:
    """Operator and arguments of a node. Raises Invalid."""
    operator, args = node.get("op"), node.get("args")
    if not isinstance(operator, str) or not isinstance(args, list):
        raise wrong('Each part of a CQL2 filter is {"op": ..., "args": [...]}, {"property": ...} or a literal.')
    return operator, args


def arguments(operator: str, args: list[Any], count: int) -> list[Any]:
    """Raises Invalid unless there are so many."""
    if len(args) != count:
        raise wrong(f"{operator!r} takes {count} argument{'s' if count > 1 else ''}, not {len(args)}.")
    return args


def property_of(node: Document, fields: Fields) -> Expression:
    """A property by name. Raises Invalid."""
    name = node["property"]
    if not isinstance(name, str):
        raise wrong(f"A property is named by text, not {name!r:.60}.")
    field = fields.field(name)
    return Expression(field.value, field.types, field)


def literal(value: Any) -> Expression:
    """A constant. Raises Invalid for what CQL2 cannot compare."""
    if isinstance(value, bool):
        return Expression(Sql("?", (int(value),)), frozenset({"boolean"}), literal=value)
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise wrong("Numbers in a filter must be finite.")
        bound = value if isinstance(value, float) or -(2**63) <= value < 2**63 else float(value)
        return Expression(Sql("?", (bound,)), frozenset({"number"}), literal=value)
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise wrong(f"Texts in a filter have at most {LONGEST_TEXT:,} characters.")
        return Expression(Sql("?", (value,)), frozenset({"string"}), literal=value)
    raise wrong(f"{value!r:.60} cannot be compared: use text, a number, true, false, a time or a property.")


def instant_literal(node: Document) -> int:
    """Microseconds of {"timestamp": ...} or {"date": ...} (its midnight). Raises Invalid."""
    text = node.get("timestamp", node.get("date"))
    return microseconds(text, parameter="filter")  # type: ignore[arg-type] # it says what is wrong with others


def as_type(expression: Expression, wanted: str) -> Sql:
    """The value where it is of one type, NULL where not. Raises Invalid when it never is."""
    types = expression.types
    if wanted == "instant":
        return as_instant(expression)
    if types and wanted not in types:
        raise wrong(f"A {wanted} cannot be compared with a {' or '.join(sorted(types))}.")
    if types == {wanted} or wanted == "boolean":
        return expression.sql
    guard = "typeof({0}) = 'text'" if wanted == "string" else "typeof({0}) in ('integer', 'real')"
    sql = expression.sql
    return Sql(f"(case when {guard.format(sql.text)} then {sql.text} end)", sql.values * 2, sql.dear)


def as_instant(expression: Expression) -> Sql:
    """A time in microseconds: of a time, or of text that is one. Raises Invalid."""
    if "instant" in expression.types:
        return expression.sql
    if expression.types and "string" not in expression.types:
        raise wrong(f"A time cannot be compared with a {' or '.join(sorted(expression.types))}.")
    if expression.is_literal:
        return Sql("?", (microseconds(expression.literal, parameter="filter"),))
    return Sql(f"instant({expression.sql.text})", expression.sql.values, expression.sql.dear)


def span(node: Any, fields: Fields) -> tuple[Sql, Sql]:
    """First and last microsecond of a temporal operand. Raises Invalid."""
    if isinstance(node, dict) and "interval" in node:
        ends = node["interval"]
        if not isinstance(ends, list) or len(ends) != 2:
            raise wrong('An interval is {"interval": [start, end]}, with ".." for an open end.')
        return _end(ends[0], LONG_AGO, fields), _end(ends[1], FOREVER, fields)
    if isinstance(node, dict) and "date" in node:
        midnight = instant_literal(node)
        return Sql("?", (midnight,)), Sql("?", (midnight + _DAY - 1,))
    expression = scalar(node, fields)
    if expression.field is not None and expression.field.span is not None:
        return expression.field.span
    at = as_instant(expression)
    return at, at


def _end(node: Any, open_end: int, fields: Fields) -> Sql:
    if node == "..":
        return Sql("?", (open_end,))
    return as_instant(scalar(node, fields))


def _folded(operator: str, args: list[Any], fields: Fields) -> Expression:
    inner = scalar(arguments(operator, args, 1)[0], fields)
    if isinstance(inner.literal, str):
        return literal(casei(inner.literal) if operator == "casei" else accenti(inner.literal))
    value = as_type(inner, "string")
    return Expression(Sql(f"{operator}({value.text})", value.values, value.dear), frozenset({"string"}))


def _arithmetic(operator: str, args: list[Any], fields: Fields) -> Expression:
    left, right = (as_type(scalar(arg, fields), "number") for arg in arguments(operator, args, 2))
    word = _ARITHMETIC[operator]
    # Whole numbers must not divide as whole numbers, except with `div`, which drops the rest.
    shapes = {
        "/": "(1.0 * {0} / {1})",
        "mod": "mod({0}, {1})",
        "pow": "pow({0}, {1})",
        "div": "trunc(1.0 * {0} / {1})",
    }
    shape = shapes.get(word, "({0} " + word + " {1})")
    sql = Sql(shape.format(left.text, right.text), left.values + right.values, left.dear or right.dear)
    return Expression(sql, frozenset({"number"}))


SQL_FUNCTIONS = {"casei": casei, "accenti": accenti, "instant": instant_or_none}
