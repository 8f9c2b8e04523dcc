"""Arithmetic with bands against numpy and Python's own evaluation."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.cubes.scenes.expressions import is_expression, parse_expression
from terrella.errors import Invalid

RED = np.array([0.1, 0.2, 0.0, np.nan, 5.0], "f4")
NIR = np.array([0.5, 0.1, 0.0, 1.0, np.nan], "f4")
BANDS = {"red": RED, "nir": NIR}


def test_ndvi() -> None:
    made = parse_expression("ndvi = (nir-red)/(nir+red)")
    assert (made.name, made.bands) == ("ndvi", ("nir", "red"))
    found = made.of(BANDS)
    assert found.dtype == np.float64
    r, n = RED.astype("f8"), NIR.astype("f8")
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(found, (n - r) / (n + r))
    assert np.isnan(found[2])  # 0/0


def test_numbers_that_are_none_are_missing() -> None:
    assert np.isnan(parse_expression("1/(red-red)").of(BANDS)).all()
    assert np.isnan(parse_expression("sqrt(0-red)").of({"red": np.array([4.0])})).all()
    assert np.isnan(parse_expression("-red/0*0").of(BANDS)).all()


def test_what_is_missing_stays_missing() -> None:
    found = parse_expression("where(red > 0.15, 1, 0) + 0*nir").of(BANDS)
    np.testing.assert_array_equal(found, [0, 1, 0, np.nan, np.nan])


def test_masks() -> None:
    scl = np.array([4.0, 5.0, 9.0, 4.0, 8.0])
    found = parse_expression("v=where(SCL==4 or not (SCL < 9), red, nan)").of({"SCL": scl, "red": RED})
    np.testing.assert_array_equal(found, np.array([0.1, np.nan, 0.0, np.nan, np.nan], "f4").astype("f8"))


def test_functions() -> None:
    red, nir = (band[:3].astype("f8") for band in (RED, NIR))
    values = {"red": red, "nir": nir}
    np.testing.assert_array_equal(parse_expression("min(red, nir)").of(values), np.minimum(red, nir))
    np.testing.assert_array_equal(parse_expression("max(red, 0.15)").of(values), np.maximum(red, 0.15))
    np.testing.assert_array_equal(parse_expression("abs(red - nir)").of(values), np.abs(red - nir))
    np.testing.assert_array_equal(parse_expression("sqrt(+red)").of(values), np.sqrt(red))


def test_names_in_quotes() -> None:
    made = parse_expression("'nir-1' * 2")
    assert made.bands == ("nir-1",)
    assert made.of({"nir-1": np.array([2.0])}).tolist() == [4.0]


def test_a_variable_that_is_not_named() -> None:
    assert parse_expression("nir-red").name == "expression"
    assert parse_expression("nir-red", name="x").name == "x"


@pytest.mark.parametrize(
    ("text", "words", "position"),
    [
        ("(nir-red", "never closed", 1),
        ("nir ** 2", "operation", 1),
        ("nir % 2", "operation", 1),
        ("nir.dtype", "a dot", 1),
        ("1 + red[0]", "an index", 5),
        ("__import__('os').system('true')", "no function", 1),
        ("exp(red)", "no function 'exp'", 1),
        ("(lambda: red)()", "no function", 1),
        ("red + open('x')", "no function 'open'", 7),
        ("min(red)", "takes 2 values", 1),
        ("sqrt(red, x=2)", "takes 1 value", 1),
        ("min(*red)", "takes 2 values", 1),
        ("max(red, *nir)", "not allowed", 10),
        ("red > nir", "a comparison is not allowed", 1),
        ("where(red, 1, 2)", "no condition", 7),
        ("where(0 < red < 1, 1, 2)", "no condition", 7),
        ("red + 1j", "this constant", 7),
        ("red + True", "this constant", 7),
        ("red + b'x'", "this constant", 7),
        ("red if nir else red", "an if", 1),
        ("[red for red in nir]", "not allowed", 1),
        ("red := 2", "invalid syntax", 5),
        ("f'{red}'", "not allowed", 1),
        ("~red", "this sign", 1),
        ("", "invalid syntax", 1),
        ("red +", "invalid syntax", 6),
        ("1 + 2", "names no band", None),
        ("red + 1" + "0" * 400, "too large", 7),
        ("red" + "+red" * 400, "at most 1000", None),
        ("-" * 200 + "red", "nested", None),
        ("(" * 300 + "red" + ")" * 300, "", None),
        ("red + \x00", "", None),
    ],
)
def test_what_is_refused(text: str, words: str, position: int | None) -> None:
    with pytest.raises(Invalid) as caught:
        parse_expression(text)
    assert words in caught.value.message
    assert caught.value.parameter == "expression"
    if position is not None:
        assert caught.value.details["position"] == position
        assert "Allowed are" in caught.value.message


def test_which_names_are_expressions() -> None:
    assert all(map(is_expression, ("a=b", "(b)", "a/b", "ndvi=nir", "x < y")))
    assert not any(map(is_expression, ("B04", "nir", "scene-class", "air temperature", "a==b")))


leaves = st.sampled_from(["red", "nir", "1.5", "2", "(-3)", "0.25"])
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda one: f"-{one}"),
        st.tuples(inner, inner).map(lambda t: f"max({t[0]}, {t[1]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"where({t[0]} < {t[1]}, {t[2]}, {t[0]})"),
    ),
    max_leaves=12,
)


@given(trees)
@settings(derandomize=True, deadline=None, max_examples=150)
def test_like_python(tree: str) -> None:
    text = f"red*0 + nir*0 + {tree}"
    values = {"red": np.linspace(-2, 2, 7), "nir": np.linspace(3, -1, 7)}
    names = {"max": np.maximum, "where": np.where, **values}
    with np.errstate(all="ignore"):
        # numbers as arrays, so that Python's own division by zero does not raise
        expected = eval(re.sub(r"\d+\.?\d*", lambda one: f"np.float64({one[0]})", text), {"np": np}, names)
    found = parse_expression(text).of(values)
    expected = np.where(np.isfinite(expected), expected, np.nan)
    np.testing.assert_array_equal(found, expected)
