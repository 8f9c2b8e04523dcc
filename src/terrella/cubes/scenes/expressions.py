"""Arithmetic with bands, as users write it: `ndvi=(nir-red)/(nir+red)`. Parsed here, never evaluated by Python."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from terrella.errors import Invalid

PARAMETER = "expression"
ALLOWED = (
    "numbers, names of bands (in quotes where they are no words), + - * / and parentheses, min(a, b), max(a, b), "
    "abs(a), sqrt(a), nan, where(condition, a, b) with conditions of < <= > >= == != and or not"
)
_MOST_CHARACTERS = 1000
_DEEPEST = 50
_MOST_NAMES = 1000
_QUOTES = ("'", '"')
_NAMED = re.compile(r"\s*([A-Za-z_]\w{0,63})\s*=(?!=)", flags=re.ASCII)

Value = Any
"""A number, or an array of float64 or bool."""
_Combine = Callable[..., Value]

_ARITHMETIC: dict[type, _Combine] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
}
_COMPARISONS: dict[type, _Combine] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_FUNCTIONS: dict[str, tuple[int, _Combine]] = {
    "min": (2, np.minimum),
    "max": (2, np.maximum),
    "abs": (1, np.abs),
    "sqrt": (1, np.sqrt),
}
_WHERE = "where"
_MISSING = "nan"


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression: `name` is the variable that it makes, `bands` the names in it, each once, in order."""

    name: str
    text: str
    bands: tuple[str, ...]

    def of(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """What it makes of the bands' values, float64. NaN where any band is NaN, and where there is no number:

        division by zero, root of a negative number.
        """
        with np.errstate(all="ignore"):
            found = np.asarray(_number(_parsed(self.text), values), dtype=np.float64)
        made = np.broadcast_to(found, np.broadcast_shapes(*(one.shape for one in values.values()), found.shape)).copy()
        for one in values.values():
            made[np.isnan(one)] = np.nan
        made[~np.isfinite(made)] = np.nan
        return made


def is_expression(text: str) -> bool:
    """Whether a name of a variable is really an expression that makes one."""
    return bool(_NAMED.match(text)) or any(sign in text for sign in "()*/+<>")


def listed_names(text: str, parameter: str) -> tuple[str, ...]:
    """The entries of a comma list of names and expressions, each once: commas in parentheses or quotes divide nothing.

    Raises Invalid for empty entries and too many.
    """
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote or letter in _QUOTES:
            quote = "" if letter == quote else quote or letter
        else:
            depth += (letter == "(") - (letter == ")")
        if letter == "," and not quote and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    entries = [one.strip() for one in parts]
    if not all(entries):
        raise Invalid(f"{parameter} has an empty entry: {text[:60]!r}.", parameter=parameter)
    if len(entries) > _MOST_NAMES:
        raise Invalid(f"{parameter} lists at most {_MOST_NAMES} names.", parameter=parameter)
    return tuple(dict.fromkeys(entries))


def parse_expression(text: str, name: str = "") -> Expression:
    """`name=...`, or the right side of it alone: then the variable is called `name`, else 'expression'.

    Raises Invalid with the place of the fault and what is allowed.
    """
    if len(text) > _MOST_CHARACTERS:
        raise Invalid(f"An expression has at most {_MOST_CHARACTERS} characters.", parameter=PARAMETER)
    found = _NAMED.match(text)
    body = text[found.end() :] if found else text
    checked = _Check(body.strip())
    checked.number(_parsed(body.strip()), 0)
    if not checked.bands:
        raise Invalid(f"The expression {text!r:.80} names no band.", parameter=PARAMETER)
    return Expression(found[1] if found else name or "expression", body.strip(), tuple(checked.bands))


def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise _wrong(text, (error.offset or len(text) + 1) - 1, error.msg) from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise _wrong(text, 0, f"it cannot be read ({error})") from None


def _wrong(text: str, place: int, why: str) -> Invalid:
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    return Invalid(
        f"The expression {shown!r} is wrong at character {place + 1}: {why}. Allowed are {ALLOWED}.",
        parameter=PARAMETER,
        details={"position": place + 1},
    )


class _Check:
    """Walks a tree once: numbers and conditions are two grammars, everything else is refused."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.bands: dict[str, None] = {}

    def number(self, node: ast.expr, depth: int) -> None:
        self._check_depth(node, depth)
        match node:
            case ast.Name(id=name):
                if name != _MISSING:
                    self.bands.setdefault(name)
            case ast.Constant(value=str() as word) if word.strip():
                self.bands.setdefault(word)
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                self._check_size(node, value)
            case ast.BinOp() if type(node.op) in _ARITHMETIC:
                self.number(node.left, depth + 1)
                self.number(node.right, depth + 1)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                self.number(node.operand, depth + 1)
            case ast.Call():
                self._call(node, depth)
            case _:
                raise _wrong(self.text, node.col_offset, f"{_words(node)} is not allowed here")

    def _call(self, node: ast.Call, depth: int) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        wanted = 3 if name == _WHERE else _FUNCTIONS[name][0] if name in _FUNCTIONS else -1
        if wanted < 0:
            raise _wrong(self.text, node.col_offset, f"there is no function {name or 'of this kind'!r}")
        if len(node.args) != wanted or node.keywords:
            raise _wrong(self.text, node.col_offset, f"{name} takes {wanted} value{'s' if wanted > 1 else ''}")
        args = node.args
        if name == _WHERE:
            self.condition(args[0], depth + 1)
            args = args[1:]
        for one in args:
            self.number(one, depth + 1)

    def condition(self, node: ast.expr, depth: int) -> None:
        self._check_depth(node, depth)
        match node:
            case ast.Compare(ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
                self.number(node.left, depth + 1)
                self.number(right, depth + 1)
            case ast.BoolOp():
                for one in node.values:
                    self.condition(one, depth + 1)
            case ast.UnaryOp(op=ast.Not()):
                self.condition(node.operand, depth + 1)
            case _:
                raise _wrong(self.text, node.col_offset, f"{_words(node)} is no condition")

    def _check_depth(self, node: ast.expr, depth: int) -> None:
        if depth > _DEEPEST:
            raise _wrong(self.text, node.col_offset, f"it is nested more than {_DEEPEST} deep")

    def _check_size(self, node: ast.expr, value: float) -> None:
        try:
            fits = math.isfinite(float(value))
        except OverflowError:
            fits = False
        if not fits:
            raise _wrong(self.text, node.col_offset, "that number is too large")


def _words(node: ast.expr) -> str:
    """What a part of the tree is, for people."""
    known = {
        ast.Compare: "a comparison",
        ast.BoolOp: "a condition",
        ast.Attribute: "a dot",
        ast.Subscript: "an index",
        ast.Lambda: "a function",
        ast.Constant: "this constant",
        ast.IfExp: "an if",
        ast.BinOp: "this operation",
        ast.UnaryOp: "this sign",
    }
    return known.get(type(node), "this")


def _number(node: ast.expr, values: Mapping[str, np.ndarray]) -> Value:
    """The value of a checked tree."""
    match node:
        case ast.Name(id=name):
            return np.nan if name == _MISSING else values[name].astype(np.float64, copy=False)
        case ast.Constant(value=str() as word):
            return values[word].astype(np.float64, copy=False)
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.BinOp():
            return _ARITHMETIC[type(node.op)](_number(node.left, values), _number(node.right, values))
        case ast.UnaryOp():
            inner = _number(node.operand, values)
            return np.negative(inner) if isinstance(node.op, ast.USub) else inner
        case ast.Call(func=ast.Name(id=name)):
            if name == _WHERE:
                chosen = (_number(one, values) for one in node.args[1:])
                return np.where(_condition(node.args[0], values), *chosen)
            return _FUNCTIONS[name][1](*(_number(one, values) for one in node.args))
    raise AssertionError(ast.dump(node))


def _condition(node: ast.expr, values: Mapping[str, np.ndarray]) -> Value:
    match node:
        case ast.Compare(ops=[op], comparators=[right]):
            return _COMPARISONS[type(op)](_number(node.left, values), _number(right, values))
        case ast.BoolOp():
            combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            made = _condition(node.values[0], values)
            for one in node.values[1:]:
                made = combine(made, _condition(one, values))
            return made
        case ast.UnaryOp():
            return np.logical_not(_condition(node.operand, values))
    raise AssertionError(ast.dump(node))
