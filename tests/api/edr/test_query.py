from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.api.edr.query import Query, levels, listed, number, positive, whole
from terrella.errors import Invalid
from terrella.model.extraction import Span


def test_taking() -> None:
    query = Query([("a", " 1 "), ("b", "2")])
    assert query.take("a") == "1"
    assert query.take("c") is None
    assert query.rest() == {"b": "2"}


@pytest.mark.parametrize("pairs", [[("a", "1"), ("a", "2")], [("a", "1"), ("a", "1")]])
def test_twice_is_refused(pairs) -> None:
    with pytest.raises(Invalid, match="twice") as error:
        Query(pairs)
    assert error.value.parameter == "a"


def test_empty_is_refused() -> None:
    with pytest.raises(Invalid, match="empty"):
        Query([("a", " ")]).take("a")


def test_missing_shows_an_example() -> None:
    with pytest.raises(Invalid, match=r"bbox=1,2,3,4"):
        Query([]).need("bbox", "1,2,3,4")


def test_unknown_gets_the_nearest_name() -> None:
    query = Query([("datetme", "2024")])
    query.take("datetime")
    with pytest.raises(Invalid, match="Did you mean 'datetime'"):
        query.finish()


def test_axes_are_known() -> None:
    assert Query([("number", "0,1")]).finish(["number"]) == {"number": ("0", "1")}


def test_synonyms_exclude_each_other() -> None:
    with pytest.raises(Invalid, match="mean the same"):
        Query([("a", "1"), ("b", "2")]).take("a", "b")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("850", (850.0,)),
        ("850,500", (850.0, 500.0)),
        ("500/1000", Span(500, 1000)),
        ("../500", Span(None, 500)),
        ("500/", Span(500, None)),
        ("R3/100/50", (100.0, 150.0, 200.0)),
        ("-10.5", (-10.5,)),
    ],
)
def test_levels(text, found) -> None:
    assert levels(text) == found


@pytest.mark.parametrize(
    "text", ["", "a", "1000/500", "1/2/3", "R0/1/1", "R5/1/0", "R9999/1/1", "nan", "inf", "1,,2", "R/1/2", "1e999"]
)
def test_bad_levels(text) -> None:
    with pytest.raises(Invalid) as error:
        levels(text)
    assert error.value.parameter == "z"


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "", "1_000", "0x10", "1e999", "١", "1,5", "--1"])
def test_no_numbers(text) -> None:
    with pytest.raises(Invalid):
        number(text, "within")


@settings(derandomize=True, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e99, max_value=1e99))
def test_numbers_come_back(value: float) -> None:
    assert number(repr(value), "x") == value


def test_bounds() -> None:
    assert positive("2", "x") == 2
    assert whole(None, "limit", low=1, high=5, default=3) == 3
    for wrong in ("0", "-1", "6", "x", "1.5", "9" * 50):
        with pytest.raises(Invalid):
            whole(wrong, "limit", low=1, high=5, default=3)
    with pytest.raises(Invalid):
        positive("0", "x")


def test_lists() -> None:
    assert listed("a, b,a", "x") == ["a", "b"]
    with pytest.raises(Invalid, match="at most"):
        listed(",".join("a" * 2000), "x")
