"""The query extension, `{"eo:cloud_cover": {"lt": 10}}`, as CQL2 JSON: the catalogue knows one filter language only."""

from __future__ import annotations

from typing import Any

from terrella.errors import Invalid, nearest_names
from terrella.model.stac import Document

_COMPARISONS = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_PATTERNS = {"startsWith": "{}%", "endsWith": "%{}", "contains": "%{}%"}
_OPERATORS = (*_COMPARISONS, *_PATTERNS, "in")


def condition_of(query: Any) -> Document | None:
    """One CQL2 JSON expression for all conditions of a query; None where there are none. Raises Invalid."""
    if not isinstance(query, dict):
        raise Invalid('A query is an object of properties, as {"eo:cloud_cover": {"lt": 10}}.', parameter="query")
    parts = [_condition(name, operator, value) for name, operator, value in _triples(query)]
    return {"op": "and", "args": parts} if len(parts) > 1 else next(iter(parts), None)


def _triples(query: Document) -> list[tuple[str, str, Any]]:
    found = []
    for name, conditions in query.items():
        if not isinstance(conditions, dict) or not conditions:
            raise Invalid(
                f'Conditions on {name!r:.60} are an object, as {{"lt": 10}}; there are: {", ".join(_OPERATORS)}.',
                parameter="query",
            )
        found += [(name, operator, value) for operator, value in conditions.items()]
    return found


def _condition(name: str, operator: str, value: Any) -> Document:
    column = {"property": name.removeprefix("properties.")}
    if operator in _COMPARISONS:
        if value is not None and not isinstance(value, str | int | float | bool):
            raise Invalid(f"{operator} of {name!r:.60} needs a number, a text or true or false.", parameter="query")
        return _comparison(_COMPARISONS[operator], column, value)
    if operator in _PATTERNS:
        if not isinstance(value, str):
            raise Invalid(f"{operator} of {name!r:.60} needs a text.", parameter="query")
        return {"op": "like", "args": [column, _PATTERNS[operator].format(_escaped(value))]}
    if operator == "in":
        if not isinstance(value, list) or not all(isinstance(one, str | int | float | bool) for one in value):
            raise Invalid(f"in of {name!r:.60} needs a list of numbers or texts.", parameter="query")
        return {"op": "in", "args": [column, value]}
    raise Invalid(f"There is no operator {operator!r:.40}. {nearest_names(operator, _OPERATORS)}", parameter="query")


def _comparison(operator: str, column: Document, value: Any) -> Document:
    if value is not None:
        return {"op": operator, "args": [column, value]}
    empty = {"op": "isNull", "args": [column]}
    return empty if operator == "=" else {"op": "not", "args": [empty]}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
