"""CQL2 JSON to SQL conditions. NULL (a property that an item lacks) is neither true nor false, as in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import shapely

from terrella.model.space import Extent
from terrella.providers.lake import schema
from terrella.providers.lake.expressions import (
    Expression,
    arguments,
    as_instant,
    as_type,
    literal,
    operation,
    scalar,
    span,
    wrong,
)
from terrella.providers.lake.footprints import SPATIAL, box_shape, geometry
from terrella.providers.lake.schema import Sql, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shapely.geometry.base import BaseGeometry

    from terrella.providers.lake.fields import Fields

_DEEPEST = 50
_MOST_PARTS = 5000
_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_TIMES = {
    "t_after": "{s1} > {e2}",
    "t_before": "{e1} < {s2}",
    "t_contains": "{s1} < {s2} and {e1} > {e2}",
    "t_disjoint": "({e1} < {s2} or {s1} > {e2})",
    "t_during": "{s1} > {s2} and {e1} < {e2}",
    "t_equals": "{s1} = {s2} and {e1} = {e2}",
    "t_finishedby": "{s1} < {s2} and {e1} = {e2}",
    "t_finishes": "{s1} > {s2} and {e1} = {e2}",
    "t_intersects": "{s1} <= {e2} and {e1} >= {s2}",
    "t_meets": "{e1} = {s2}",
    "t_metby": "{s1} = {e2}",
    "t_overlappedby": "{s1} > {s2} and {s1} < {e2} and {e1} > {e2}",
    "t_overlaps": "{s1} < {s2} and {e1} > {s2} and {e1} < {e2}",
    "t_startedby": "{s1} = {s2} and {e1} > {e2}",
    "t_starts": "{s1} = {s2} and {e1} < {e2}",
}
"""CQL2 (OGC 21-065r2), table of temporal operators; s and e are start and end of the first and second operand."""
_ARRAYS = frozenset({"a_contains", "a_containedby", "a_equals", "a_overlaps"})
_NOT_ALIKE = frozenset({"array", "object", "geometry"})
_SWAPPED = {"s_contains": "s_within", "s_within": "s_contains"}
_OPERATORS = ("and", "or", "not", "=", "<>", "<", "<=", ">", ">=", "like", "between", "in", "isNull")


class Filter:
    """Compiles one filter; `fields` says what names there are."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def conjuncts(self, node: Any) -> Iterator[Any]:
        """The parts that are ANDed at the top. Raises Invalid for a filter that is too deep or too large."""
        _check_size(node)
        yield from self._conjuncts(node)

    def place_of(self, node: Any) -> tuple[str, BaseGeometry] | None:
        """Operator and shape, when a part can hold only where an item's box meets that of the shape."""
        operator = str(node.get("op")).lower() if isinstance(node, dict) else ""
        if _spatial_name(operator) not in SPATIAL - {"s_disjoint"}:
            return None
        return self._place(_spatial_name(operator), operation(node)[1])

    def condition(self, node: Any) -> Sql:
        """One boolean expression. Raises Invalid."""
        if isinstance(node, bool):
            return schema.ALWAYS if node else schema.NEVER
        if isinstance(node, dict) and "op" not in node and "property" in node:
            return as_type(scalar(node, self._fields), "boolean")
        if not isinstance(node, dict):
            raise wrong(f"{node!r:.60} is neither true nor false.")
        operator, args = operation(node)
        word = operator.lower()
        if word in {"and", "or"}:
            return self._junction(word, args)
        if word == "not":
            inner = self.condition(arguments(word, args, 1)[0])
            return Sql(f"(not {inner.text})", inner.values, inner.dear)
        if word in _COMPARISONS:
            return self._comparison(_COMPARISONS[word], args)
        return self._predicate(operator, word, args)

    def _predicate(self, operator: str, word: str, args: list[Any]) -> Sql:
        if word == "like":
            return self._like(args)
        if word == "between":
            return self._between(args)
        if word == "in":
            return self._in(args)
        if word == "isnull":
            value = scalar(arguments(operator, args, 1)[0], self._fields).sql
            return Sql(f"({value.text} is null)", value.values, value.dear)
        if _spatial_name(word) in SPATIAL:
            operator, shape = self._place(_spatial_name(word), args)
            return schema.shape_relates(operator, shape.wkb)
        if word in _TIMES:
            return self._temporal(word, args)
        if word in _ARRAYS:
            return self._array(word, args)
        known = [*_OPERATORS, *sorted(SPATIAL), *sorted(_TIMES), *sorted(_ARRAYS)]
        raise wrong(f"{operator!r:.60} is no operator of CQL2 that is known here: {', '.join(known)}.")

    def _conjuncts(self, node: Any) -> Iterator[Any]:
        if isinstance(node, dict) and str(node.get("op")).lower() == "and":
            parts = operation(node)[1]
            if not parts:
                raise wrong("'and' needs arguments.")
            for part in parts:
                yield from self._conjuncts(part)
        else:
            yield node

    def _junction(self, word: str, args: list[Any]) -> Sql:
        if not args:
            raise wrong(f"{word!r} needs arguments.")
        return balanced(word, [self.condition(arg) for arg in args])

    def _comparison(self, sign: str, args: list[Any]) -> Sql:
        left, right = (scalar(arg, self._fields) for arg in arguments(sign, args, 2))
        a, b = alike(left, right)
        return Sql(f"({a.text} {sign} {b.text})", a.values + b.values, a.dear or b.dear)

    def _like(self, args: list[Any]) -> Sql:
        value, pattern = (scalar(arg, self._fields) for arg in arguments("like", args, 2))
        if not isinstance(pattern.literal, str):
            raise wrong("The pattern of 'like' must be text, with % for any characters and _ for one.")
        sql = as_type(value, "string")
        return schema.like(sql, pattern.literal)

    def _between(self, args: list[Any]) -> Sql:
        flat = [args[0], *args[1]] if len(args) == 2 and isinstance(args[1], list) else args
        value, low, high = (scalar(arg, self._fields) for arg in arguments("between", flat, 3))
        a, b = alike(value, low)
        c, d = alike(value, high)
        return Sql(
            f"({a.text} >= {b.text} and {c.text} <= {d.text})",
            a.values + b.values + c.values + d.values,
            a.dear or b.dear or d.dear,
        )

    def _in(self, args: list[Any]) -> Sql:
        value, listed = arguments("in", args, 2)
        if not isinstance(listed, list):
            raise wrong("'in' takes a property and a list.")
        if not listed:
            return schema.NEVER
        left = scalar(value, self._fields)
        pairs = [alike(left, scalar(one, self._fields)) for one in listed]
        if all(isinstance(one, str | int | float) for one in listed) and len({a for a, _ in pairs}) == 1:
            return schema.among(pairs[0][0], [b.values[0] for _, b in pairs])
        equal = [Sql(f"{a.text} = {b.text}", a.values + b.values, a.dear or b.dear) for a, b in pairs]
        return balanced("or", equal)

    def _place(self, operator: str, args: list[Any]) -> tuple[str, BaseGeometry]:
        left, right = arguments(operator, args, 2)
        if isinstance(right, dict) and "property" in right:
            left, right, operator = right, left, _SWAPPED.get(operator, operator)
        if not isinstance(left, dict) or "property" not in left:
            raise wrong(f"{operator!r} compares {{'property': 'geometry'}} with a GeoJSON geometry or a bbox.")
        if scalar(left, self._fields).types != {"geometry"}:
            raise wrong(f"{left['property']!r:.60} is no geometry: use {{'property': 'geometry'}}.")
        return operator, _shape(right)

    def _temporal(self, operator: str, args: list[Any]) -> Sql:
        (s1, e1), (s2, e2) = (span(arg, self._fields) for arg in arguments(operator, args, 2))
        return _filled(_TIMES[operator], {"s1": s1, "e1": e1, "s2": s2, "e2": e2})

    def _array(self, operator: str, args: list[Any]) -> Sql:
        left, right = arguments(operator, args, 2)
        if not isinstance(left, dict) or not isinstance(right, list):
            raise wrong(f"{operator!r} compares a property with a list.")
        value = scalar(left, self._fields)
        if value.types and not value.types & {"array", "object"}:
            raise wrong(f"{left.get('property')!r:.60} is no list but a {' or '.join(sorted(value.types))}.")
        for one in right:
            literal(one)
        text = orjson.dumps(right).decode()
        return Sql(f"lists(?, {value.sql.text}, ?)", (operator, *value.sql.values, text), value.sql.dear)


def _spatial_name(word: str) -> str:
    """Operators were once written without s_."""
    return word if word.startswith("s_") else f"s_{word}"


def alike(left: Expression, right: Expression) -> tuple[Sql, Sql]:
    """Two sides of a comparison as values of one type. Raises Invalid where they cannot be."""
    if "instant" in left.types or "instant" in right.types:
        return as_instant(left), as_instant(right)
    for one in (right, left):
        if one.types and one.types <= _NOT_ALIKE:
            raise wrong(f"{' or '.join(sorted(one.types))}: compare lists with a_..., geometries with s_...")
    for one in (right, left):
        if len(one.types) == 1:
            kind = next(iter(one.types))
            return as_type(left, kind), as_type(right, kind)
    return left.sql, right.sql


def balanced(word: str, parts: list[Sql]) -> Sql:
    """Many parts joined as a tree: SQLite limits how deep an expression may go."""
    while len(parts) > 20:
        parts = [joined(word, parts[at : at + 20]) for at in range(0, len(parts), 20)]
    return joined(word, parts)


def lists(operator: str, stored: Any, wanted: str) -> int | None:
    """SQL function: how an item's list relates to a list, both as JSON text."""
    try:
        mine = {orjson.dumps(one) for one in _listed(orjson.loads(stored))}
    except (ValueError, TypeError):
        return None
    theirs = {orjson.dumps(one) for one in orjson.loads(wanted)}
    if operator == "a_equals":
        return int([*map(orjson.dumps, _listed(orjson.loads(stored)))] == [*map(orjson.dumps, orjson.loads(wanted))])
    if operator == "a_overlaps":
        return int(bool(mine & theirs))
    return int(mine >= theirs if operator == "a_contains" else mine <= theirs)


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _filled(pattern: str, parts: dict[str, Sql]) -> Sql:
    """A pattern with fragments for its names, their values in the order in which they occur."""
    order = [piece.split("}")[0] for piece in pattern.split("{")[1:]]
    values = tuple(value for name in order for value in parts[name].values)
    text = pattern.format(**{name: part.text for name, part in parts.items()})
    return Sql(f"({text})", values, any(part.dear for part in parts.values()))


def _shape(node: Any) -> BaseGeometry:
    if isinstance(node, dict) and "bbox" in node:
        box = node["bbox"]
        if not isinstance(box, list) or len(box) not in {4, 6} or not all(type(n) in {int, float} for n in box):
            raise wrong("A bbox is a list of 4 (or 6) numbers.")
        half = len(box) // 2
        extent = Extent.of(*box[:2], *box[half : half + 2], parameter="filter")
        return shapely.union_all([box_shape(part) for part in extent.parts()])
    if not isinstance(node, dict) or "type" not in node:
        raise wrong("A spatial operator needs a GeoJSON geometry or a bbox.")
    return geometry(node, parameter="filter")


def _check_size(node: Any) -> None:
    """Breadth first, so that depth never costs our own stack."""
    level, count = [node], 0
    for _ in range(_DEEPEST):
        count += len(level)
        if count > _MOST_PARTS:
            raise wrong(f"The filter has more than {_MOST_PARTS:,} parts: make it simpler.")
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise wrong(f"The filter is nested more than {_DEEPEST} deep: make it flatter.")


def _children(node: Any) -> Iterable[Any]:
    """Only of operators: geometries and literals are checked where they are used."""
    args = node.get("args") if isinstance(node, dict) else None
    if not isinstance(args, list):
        return ()
    return [part for arg in args for part in (arg if isinstance(arg, list) else (arg,)) if isinstance(part, dict)]
