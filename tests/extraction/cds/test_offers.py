"""What goes together, against brute force over every combination."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.errors import Invalid
from terrella.extraction.cds.offers import Calendar, Offer, check, combinations, dates_of, picks_of, valid_values

DAYS = [(date(2023, 12, 30) + timedelta(days=ahead)).isoformat() for ahead in range(5)]
TIMES = ["00:00", "06:00", "12:00"]


@st.composite
def offers_of(draw: st.DrawFn) -> list[Offer]:
    made = []
    for number in range(draw(st.integers(1, 3))):
        has = np.array(draw(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=5, max_size=5)))
        if not has.any():
            has[0, 0] = True
        levels = draw(st.sets(st.sampled_from(["500", "850", "1000"])))
        axes = {"pressure_level": frozenset(levels)} if levels else {}
        name = f"v{number}"
        product_type = draw(st.sampled_from(["analysis", "forecast"]))
        calendar = Calendar(np.array(DAYS), np.array(TIMES), has)
        made.append(Offer(name, name, frozenset({name}), product_type, {}, axes, calendar))
    return made


def fields_of(known: list[Offer]) -> list[dict[str, str]]:
    """Every field that there is, by its words."""
    found = []
    for one in known:
        assert one.calendar is not None
        for (d, day), (t, time), level in product(
            enumerate(DAYS), enumerate(TIMES), sorted(one.axes.get("pressure_level", {""}))
        ):
            if one.calendar.has[d, t]:
                year, month, number = day.split("-")
                field = {"variable": one.name, "product_type": one.product_type, "time": time}
                field |= {"year": year, "month": month, "day": number}
                found.append(field | ({"pressure_level": level} if level else {}))
    return found


PICKS = st.fixed_dictionaries(
    {},
    optional={
        "variable": st.sets(st.sampled_from(["v0", "v1", "v2"]), min_size=1),
        "product_type": st.sets(st.sampled_from(["analysis", "forecast"]), min_size=1),
        "pressure_level": st.sets(st.sampled_from(["500", "850", "1000"]), min_size=1),
        "year": st.sets(st.sampled_from(["2023", "2024"]), min_size=1),
        "day": st.sets(st.sampled_from(["30", "31", "01", "02"]), min_size=1),
        "time": st.sets(st.sampled_from(TIMES), min_size=1),
    },
)


def fits(field: dict[str, str], picks: dict[str, set[str]]) -> bool:
    return all(field.get(key) in values for key, values in picks.items())


@settings(derandomize=True, deadline=None, max_examples=150)
@given(offers_of(), PICKS)
def test_what_remains_valid(known: list[Offer], picks: dict[str, set[str]]) -> None:
    found = valid_values(known, {key: frozenset(values) for key, values in picks.items()})
    for key in ("variable", "product_type", "year", "month", "day", "time"):
        others = {name: values for name, values in picks.items() if name != key}
        expected = {field[key] for field in fields_of(known) if fits(field, others)}
        assert set(found[key]) == expected, key
        assert found[key] == sorted(found[key])


@settings(derandomize=True, deadline=None, max_examples=100)
@given(offers_of())
def test_combinations_are_all_fields_and_no_other(known: list[Offer]) -> None:
    listed = []
    for one in combinations(known):
        keys = list(one)
        listed += [dict(zip(keys, values, strict=True)) for values in product(*one.values())]
    shown = sorted(tuple(sorted(field.items())) for field in listed)
    assert shown == sorted(tuple(sorted(field.items())) for field in fields_of(known))


def test_dates_as_ranges() -> None:
    calendar = Calendar(np.array([*DAYS, "2024-02-01"]), np.array(TIMES), np.ones((6, 3), bool))
    known = [Offer("v", "v", frozenset({"v"}), "", {}, {}, calendar)]
    assert valid_values(known, {})["date"] == ["2023-12-30/2024-01-03", "2024-02-01/2024-02-01"]
    assert valid_values(known, {"month": frozenset({"12"})})["date"] == ["2023-12-30/2023-12-31"]
    odd = Calendar(np.array(["2024-02-29", "2024-02-30"]), np.array(TIMES), np.ones((2, 3), bool))
    found = valid_values([Offer("v", "v", frozenset({"v"}), "", {}, {}, odd)], {})
    assert found["day"] == ["29", "30"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-03-01", ["2024-03-01"]),
        (20240301, ["2024-03-01"]),
        ("2024-03-01/2024-03-31", ["2024-03-01/2024-03-31"]),
        ("20240301/to/20240331", ["2024-03-01/2024-03-31"]),
        (["2024-03-01", "2024-04-01/2024-04-02"], ["2024-03-01", "2024-04-01/2024-04-02"]),
        ("2024-03-01/2024-03-05/2024-03-09", ["2024-03-01", "2024-03-05", "2024-03-09"]),
    ],
)
def test_dates(value: object, expected: list[str]) -> None:
    assert dates_of(value) == expected


@pytest.mark.parametrize("value", ["yesterday", "2024-13-01", None, {"a": 1}, "2024-03-02/2024-03-01", ""])
def test_no_dates(value: object) -> None:
    with pytest.raises(Invalid):
        dates_of(value)


def test_values_in_any_spelling() -> None:
    calendar = Calendar(np.array(DAYS), np.array(TIMES), np.ones((5, 3), bool))
    axes = {"pressure_level": frozenset({"850"}), "leadtime_hour": frozenset({"6"})}
    known = [Offer("v", "v", frozenset({"v"}), "", {}, axes, calendar)]
    given = {"year": 2024, "month": "1", "day": ["1", "02"], "time": ["0", "6:00", 12], "levelist": 850.0, "step": "6h"}
    picks = picks_of(known, given)
    assert picks["year"] == {"2024"}
    assert picks["month"] == {"01"}
    assert picks["day"] == {"01", "02"}
    assert picks["time"] == {"00:00", "06:00", "12:00"}
    assert picks["pressure_level"] == {"850"}
    assert picks["leadtime_hour"] == {"6"}
    check(known, picks)
    with pytest.raises(Invalid, match="no pressure_level '500'"):
        check(known, picks | {"pressure_level": frozenset({"850", "500"})})
    check(known, picks | {"day": frozenset({"01", "28"})})  # a list of days fits the longest month
    with pytest.raises(Invalid, match="no day '28'"):
        check(known, picks | {"day": frozenset({"28"})})
