r"""CQL2 filters, text and JSON, checked before the catalogue sees them.

The `cql2` parser recurses without a limit, and its schema validation takes exponential memory on nested functions:
hostile text would end the process. So text is measured before it is parsed, and the check of the JSON is ours,
which also says what is wrong in words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import cql2

from terrella.errors import Invalid, TooLarge, nearest_names
from terrella.model.space import Extent
from terrella.model.stac import Document
from terrella.model.time import parse_instant

Geometry = Callable[[Any, str], Document]
"""Checks a GeoJSON geometry; the second argument names the parameter."""

MOST_CHARACTERS = 1 << 16
MOST_OPERATORS = 1000
MOST_NESTED = 50

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")
_OPERATOR = re.compile(r"(?<![\w.])(?:and|or|not|like|div)(?![\w.])|[*/^%+]|-(?![0-9.])|(?<=[\w)])\s*-", re.IGNORECASE)

_LOGIC = {"and", "or", "not"}
_COMPARISONS = {"=", "<>", "<", "<=", ">", ">="}
_SPATIAL = {
    f"s_{name}" for name in ("intersects", "equals", "disjoint", "touches", "within", "overlaps", "crosses", "contains")
}
_TEMPORAL = {
    f"t_{name}"
    for name in (
        "after", "before", "contains", "disjoint", "during", "equals", "finishedby", "finishes", "intersects", "meets",
        "metby", "overlappedby", "overlaps", "startedby", "starts",
    )
}  # fmt: skip
_ARRAYS = {"a_equals", "a_contains", "a_containedby", "a_overlaps"}
_ARITHMETIC = {"+", "-", "*", "/", "^", "%", "div"}
_PREDICATES = _LOGIC | _COMPARISONS | _SPATIAL | _TEMPORAL | _ARRAYS | {"like", "between", "in", "isNull"}
_ARGUMENTS = {"not": 1, "isNull": 1, "between": 3, "casei": 1, "accenti": 1}
"""How many there are where it is not two."""


def filter_from_text(text: str, geometry: Geometry) -> Document:
    """CQL2 text as checked CQL2 JSON. Raises Invalid, pointing at the character where reading stopped."""
    _measure(text)
    try:
        document = cql2.parse_text(text).to_json()
    except (cql2.ParseError, cql2.ValidationError, ValueError) as error:
        raise Invalid(f"This is no CQL2: {_explained(str(error))}", parameter="filter") from None
    return filter_from_json(document, geometry)


def filter_from_json(document: Any, geometry: Geometry) -> Document:
    """Checked CQL2 JSON: known operators with as many arguments as they take, `properties.` taken off names."""
    made = _Checker(geometry).predicate(document, 0)
    return made if isinstance(made, dict) and "op" in made else {"op": "=", "args": [made, True]}


def _measure(text: str) -> None:
    bare = _QUOTED.sub("''", text)
    depth = deepest = 0
    for sign in re.findall(r"[()]", bare):
        depth += 1 if sign == "(" else -1
        deepest = max(deepest, depth)
    if len(text) > MOST_CHARACTERS or deepest > MOST_NESTED or len(_OPERATOR.findall(bare)) > MOST_OPERATORS:
        raise TooLarge(
            f"The filter is too large: at most {MOST_CHARACTERS} characters, {MOST_OPERATORS} operators and "
            f"{MOST_NESTED} brackets in one another. Make several requests.",
            parameter="filter",
        )


def _explained(error: str) -> str:
    """One line from the parser's drawing of the place."""
    place = re.search(r"--> (\d+):(\d+)", error)
    expected = re.search(r"= (expected .*)", error, re.DOTALL)
    if not place:
        return error.splitlines()[0][:200] + "."
    where = f"line {place[1]}, character {place[2]}" if place[1] != "1" else f"character {place[2]}"
    return f"stopped at {where}" + (f", {expected[1].strip()[:200]}." if expected else ".")


def _wrong(message: str) -> Invalid:
    return Invalid(message, parameter="filter")


class _Checker:
    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry

    def predicate(self, node: Any, depth: int) -> Any:
        """Something that is true or false."""
        if depth > MOST_NESTED + MOST_OPERATORS // 10:
            raise TooLarge(f"The filter is nested too deeply: at most {MOST_NESTED}.", parameter="filter")
        if isinstance(node, bool):
            return node
        if isinstance(node, dict) and set(node) == {"property"}:
            return self._property(node)
        operator, arguments = self._operation(node)
        if operator not in _PREDICATES:
            raise _wrong(
                f"There is no operator {operator!r:.40} for a condition. {nearest_names(operator, _PREDICATES)}"
            )
        return {"op": operator, "args": self._arguments(operator, arguments, depth + 1)}

    def _operation(self, node: Any) -> tuple[str, list[Any]]:
        if not isinstance(node, dict) or not isinstance(node.get("op"), str) or not isinstance(node.get("args"), list):
            raise _wrong(f'A condition looks like {{"op": "<", "args": [...]}}, not {node!r:.60}.')
        operator, arguments = node["op"], node["args"]
        if operator == "between" and len(arguments) == 2 and isinstance(arguments[1], list):
            arguments = [arguments[0], *arguments[1]]  # as drafts of CQL2 had it, and clients still have
        wanted = _ARGUMENTS.get(operator, 2)
        if (operator in {"and", "or"} and not arguments) or (
            operator not in {"and", "or"} and operator in _PREDICATES | _ARITHMETIC and len(arguments) != wanted
        ):
            raise _wrong(f"{operator} takes {wanted if operator not in {'and', 'or'} else 'at least one'} arguments.")
        return operator, arguments

    def _arguments(self, operator: str, arguments: list[Any], depth: int) -> list[Any]:
        if operator in _LOGIC:
            return [self.predicate(argument, depth) for argument in arguments]
        if operator in _SPATIAL:
            return [self._place(argument) for argument in arguments]
        if operator in _TEMPORAL:
            return [self._time(argument) for argument in arguments]
        if operator == "in":
            if not isinstance(arguments[1], list):
                raise _wrong("The second argument of in is a list.")
            return [self.value(arguments[0], depth), [self.value(one, depth) for one in arguments[1]]]
        if operator in _ARRAYS:
            return [self._values(argument, depth) for argument in arguments]
        return [self.value(argument, depth) for argument in arguments]

    def _values(self, node: Any, depth: int) -> Any:
        return [self.value(one, depth) for one in node] if isinstance(node, list) else self.value(node, depth)

    def value(self, node: Any, depth: int) -> Any:
        """Something to compare: a property, a literal, or a function of them."""
        if depth > MOST_NESTED + MOST_OPERATORS // 10:
            raise TooLarge(f"The filter is nested too deeply: at most {MOST_NESTED}.", parameter="filter")
        if isinstance(node, float) and not math.isfinite(node):
            raise _wrong("A number of the filter is too large, or none.")
        if isinstance(node, bool | int | float | str):
            return node
        if isinstance(node, dict):
            if set(node) == {"property"}:
                return self._property(node)
            if set(node) & {"date", "timestamp"}:
                return self._instant(node)
            if isinstance(node.get("op"), str) and isinstance(node.get("args"), list):
                return {"op": node["op"], "args": [self._values(one, depth + 1) for one in self._operation(node)[1]]}
        raise _wrong(f"A property, number, text or time is wanted, not {node!r:.60}.")

    @staticmethod
    def _property(node: Document) -> Document:
        if not isinstance(node["property"], str) or not node["property"]:
            raise _wrong(f"A property is named by a text, not {node['property']!r:.40}.")
        return {"property": node["property"].removeprefix("properties.")}

    @staticmethod
    def _instant(node: Document) -> Document:
        kind = "timestamp" if "timestamp" in node else "date"
        if not isinstance(node[kind], str):
            raise _wrong(f"A {kind} is a text, as 2024-07-01T12:00:00Z.")
        _check_time(node[kind])
        return {kind: node[kind]}

    def _time(self, node: Any) -> Any:
        if isinstance(node, dict) and set(node) == {"property"}:
            return self._property(node)
        if isinstance(node, dict) and set(node) & {"date", "timestamp"}:
            return self._instant(node)
        ends = node.get("interval") if isinstance(node, dict) else None
        if not isinstance(ends, list) or len(ends) != 2:
            raise _wrong(f"A time is a property, date, timestamp or interval, not {node!r:.60}.")
        return {"interval": [self._end(end) for end in ends]}

    def _end(self, end: Any) -> Any:
        if isinstance(end, dict):
            return self._property(end) if set(end) == {"property"} else next(iter(self._instant(end).values()))
        if not isinstance(end, str):
            raise _wrong("An interval has two texts, one of which may be '..'.")
        if end not in {"", ".."}:
            _check_time(end)
        return end

    def _place(self, node: Any) -> Any:
        if isinstance(node, dict) and set(node) == {"property"}:
            return self._property(node)
        box = node.get("bbox") if isinstance(node, dict) else None
        if box is None:
            return self.geometry(node, "filter")
        if not isinstance(box, list) or len(box) != 4 or not all(isinstance(one, int | float) for one in box):
            raise _wrong("A bbox has four numbers: west, south, east, north.")
        parts = Extent.of(*box, parameter="filter").parts()
        return self.geometry({"type": "MultiPolygon", "coordinates": [[_ring(part)] for part in parts]}, "filter")


def _check_time(text: str) -> None:
    try:
        parse_instant(text).as_datetime()
    except Invalid as error:
        raise _wrong(error.message) from None


def _ring(box: Extent) -> list[list[float]]:
    west, south, east, north = box.bbox()
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]
