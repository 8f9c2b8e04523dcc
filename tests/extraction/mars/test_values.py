"""Lists, ranges and ALL, as ECMWF's user documentation of MARS writes them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.errors import Invalid, TooLarge
from terrella.extraction.mars.asking import parse_request
from terrella.extraction.mars.values import MOST_VALUES, Every, Listed, Ranged, parse_values


@pytest.mark.parametrize(
    ("given_value", "meant"),
    [
        ("2t", Listed(("2t",))),
        ("2t/msl", Listed(("2t", "msl"))),
        (" 2t / msl ", Listed(("2t", "msl"))),
        (167, Listed(("167",))),
        (["167", 151], Listed(("167", "151"))),
        (["0000", "1200"], Listed(("0000", "1200"))),
        ("0000", Listed(("0000",))),
        (0.5, Listed(("0.5",))),
        ("1/1/2", Listed(("1", "2"))),
        ("0/to/10/by/2", Ranged("0", "10", "2")),
        ("0/TO/10/By/2", Ranged("0", "10", "2")),
        ("20240101/to/20240105", Ranged("20240101", "20240105")),
        (["0", "to", "10"], Ranged("0", "10")),
        ("ALL", Every()),
        ("all", Every()),
        ("'a b'", Listed(("a b",))),
        (-1, Listed(("-1",))),
    ],
)
def test_what_values_mean(given_value: object, meant: object) -> None:
    assert parse_values("key", given_value) == meant


@pytest.mark.parametrize(
    "given_value",
    [
        "",
        "a//b",
        "a/to",
        "to/b",
        "a/by/2",
        "a/to/b/by",
        "a/to/b/to/c",
        "a/to/b/by/c/by/d",
        None,
        True,
        {"a": 1},
        [[1]],
        [],
    ],
)
def test_what_is_no_value_is_named(given_value: object) -> None:
    with pytest.raises(Invalid) as caught:
        parse_values("step", given_value)
    assert caught.value.parameter == "step"
    assert "step" in caught.value.message


def test_a_list_of_a_million_values_is_refused_before_it_is_looked_at() -> None:
    with pytest.raises(TooLarge, match=f"{MOST_VALUES:,}"):
        parse_values("number", list(range(1_000_000)))
    with pytest.raises(TooLarge, match="range"):
        parse_values("number", "/".join(map(str, range(1_000_000))))


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_understood_or_refused(text: str) -> None:
    with suppress(Invalid):
        assert isinstance(parse_values("param", text), Listed | Ranged | Every)


def test_keys_are_known_in_any_case_and_by_their_other_spellings() -> None:
    request = parse_request({"CLASS": "od", "levellist": 500, "Param": "t/z", "format": "covjson"})
    assert request.what == {"class": Listed(("od",))}
    assert request.where == {"levelist": Listed(("500",)), "param": Listed(("t", "z"))}
    assert request.made == {"format": "covjson"}
    assert request.params == ("t", "z")


def test_an_unknown_key_is_refused_with_the_nearest() -> None:
    with pytest.raises(Invalid, match="levelist"):
        parse_request({"levlist": 500})
    with pytest.raises(Invalid, match="twice"):
        parse_request({"step": 0, "STEP": 6})


def test_ranges_of_what_is_no_axis_are_lists() -> None:
    assert parse_request({"param": "165/to/167"}).params == ("165", "166", "167")
    assert parse_request({"param": "1/to/6/by/2"}).params == ("1", "3", "5")
    assert parse_request({"realization": "1/to/2"}).what["realization"] == Listed(("1", "2"))
    for wrong in ("2t/to/10u", "5/to/1", "1/to/2/by/0", "0/to/1000000000", "1/to/1e9", "-1/to/3"):
        with pytest.raises(Invalid):
            parse_request({"param": wrong})
