"""What is on offer in MARS words, against brute force over all combinations that there are."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.contracts.cubes import CubeIndex, CubeVariable, Piece
from terrella.errors import Invalid
from terrella.extraction.mars.choosing import Clock, Facets, Span, choices, facets, periods, step_text
from terrella.extraction.mars.matching import Identity
from terrella.extraction.mars.values import parse_values
from terrella.model.scan import ArrayScan, Axis

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY, HOUR = 86_400_000, 3_600_000
DAYS = ("20240228", "20240229", "20240301")
HOURS = ("0000", "0600", "1200")
STREAMS, LEVELS, STEPS = ("enfo", "oper"), ("500", "850"), ("0", "6")
NAMES = ("130", "131", "167")


@st.composite
def _variables(draw: st.DrawFn) -> list[tuple[Facets, set[tuple[str, ...]]]]:
    """Variables, each with the combinations (param, stream, level or '', step or '', day, hour) that it has."""
    made = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)):
        streams = draw(st.sets(st.sampled_from(STREAMS), min_size=1))
        levels = draw(st.sets(st.sampled_from(LEVELS)))
        steps = draw(st.sets(st.sampled_from(STEPS)))
        times = draw(st.sets(st.tuples(st.sampled_from(DAYS), st.sampled_from(HOURS)), min_size=1))
        words = {"param": {name}, "stream": streams, "levelist": levels, "step": steps}
        instants = np.array([_ms(day, hour) for day, hour in sorted(times)])
        identity = Identity("c", f"v{name}", {"stream": frozenset(streams)}, frozenset({name}), ())
        known = {key: frozenset(values) for key, values in words.items() if values}
        all_ = {(name, *rest, *when) for *rest, when in product(streams, levels or {""}, steps or {""}, times)}
        made.append((Facets(identity, known, Clock.of(instants)), all_))
    return made


KEYS = ("param", "stream", "levelist", "step", "date", "time")


def _ms(day: str, hour: str) -> int:
    at = np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}T{hour[:2]}:00", "ms")
    return int(at.astype(np.int64))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(_variables(), st.randoms(use_true_random=False))
def test_picks_of_offers_never_leave_nothing(variables: list[tuple[Facets, set[tuple[str, ...]]]], chance: Any) -> None:
    known = [one for one, _ in variables]
    everything = {combination for _, all_ in variables for combination in all_}
    picks: dict[str, str] = {}
    for _ in range(10):
        offers = choices(known, {key: parse_values(key, value) for key, value in picks.items()})
        assert offers == _expected(everything, picks)
        assert all(offers.values())
        key = chance.choice(sorted(offers))
        picks[key] = chance.choice(offers[key])  # also another value of a key that was picked before


def _expected(everything: set[tuple[str, ...]], picks: Mapping[str, str]) -> dict[str, list[str]]:
    found = {}
    for place, key in enumerate(KEYS):
        others = {KEYS.index(name): value for name, value in picks.items() if name != key}
        left = {one[place] for one in everything if all(one[at] == value for at, value in others.items())}
        if left - {""}:
            found[key] = sorted(left - {""}, key=int if key in ("levelist", "step") else str)
    return found


def _facet(times: list[tuple[str, str]], **words: set[str]) -> Facets:
    instants = np.array([_ms(*one) for one in times])
    identity = Identity("c", "v", {}, frozenset(words.get("param", {"v"})), ())
    return Facets(identity, {key: frozenset(one) for key, one in words.items()}, Clock.of(instants))


RAGGED = [("20240301", "0000"), ("20240301", "1200"), ("20240302", "0000"), ("20240304", "0000")]


@pytest.mark.parametrize(
    ("picks", "key", "expected"),
    [
        ({"time": "1200"}, "date", ["20240301"]),
        ({"time": "0/12"}, "date", ["20240301"]),
        ({"date": "20240302"}, "time", ["0000"]),
        ({"date": "20240301/to/20240304"}, "time", ["0000", "1200"]),
        ({"date": "20240301/20240304"}, "time", ["0000"]),
        ({"time": "0/to/12/by/12"}, "date", ["20240301", "20240302", "20240304"]),
        ({"step": "0/to/6"}, "param", ["130"]),
        ({"step": "6h"}, "levelist", ["850"]),
        ({"levelist": 850.0}, "step", ["0", "6"]),
        ({"param": "T"}, "step", ["0", "6"]),
        ({"param": "ALL", "number": 0}, "step", ["0", "6"]),
    ],
)
def test_lists_and_ranges(picks: dict[str, Any], key: str, expected: list[str]) -> None:
    known = [_facet(RAGGED, param={"130"}, levelist={"850"}, step={"0", "6"})]
    offers = choices(known, {name: parse_values(name, value) for name, value in picks.items()})
    assert offers[key] == expected


@pytest.mark.parametrize(
    ("picks", "text"),
    [
        ({"step": 12}, "There is no step=12 here. There are: 0, 6."),
        ({"levelist": "850", "param": "167"}, "param=167 here with levelist=850"),
        ({"date": "20240303"}, "There are: 20240301, 20240302, 20240304"),
        ({"date": "20240302", "time": "12"}, "time=12 here with date=20240302. There are: 0000"),
        ({"number": 7}, "These data have no number"),
        ({"param": "1/to/3"}, "list its values"),
    ],
)
def test_what_nothing_has(picks: dict[str, Any], text: str) -> None:
    known = [_facet(RAGGED, param={"130"}, levelist={"850"}, step={"0", "6"}), _facet(RAGGED, param={"167"})]
    with pytest.raises(Invalid, match=text):
        choices(known, {name: parse_values(name, value) for name, value in picks.items()})


def _array(dims: tuple[str, ...], shape: tuple[int, ...]) -> ArrayScan:
    return ArrayScan("t", dims, shape, shape, "<f4", {})


def test_facets_of_a_cube_are_what_its_pieces_fill() -> None:
    time = Axis("time", "time", np.arange(3) * 12 * HOUR + _ms("20240301", "0000"), calendar="standard")
    level = Axis("pressure", "vertical", np.array([50000.0, 85000.0]), units="Pa")
    dims = ("time", "pressure")
    piece = Piece("f", "grib", "i", _array(dims, (1, 2)), (np.array([2]), None))
    index = CubeIndex({}, (time, level), (CubeVariable("t", dims, (3, 2), "<f4", {}, (piece,)),))
    about = {"type": "data", "dimensions": list(dims), "mars:param": "130", "mars:class": "EA", "description": "T"}
    (found,) = facets({"id": "c", "cube:variables": {"t": about}}, index)
    assert found.words == {"class": {"ea"}, "param": {"130"}, "levelist": {"500", "850"}}
    assert choices([found], {})["date"] == ["20240302"]
    (plain,) = facets({"id": "c", "cube:variables": {"t": about}}, None)
    assert choices([plain], {}) == {"class": ["ea"], "param": ["130"]}


def test_days_of_another_calendar() -> None:
    clock = Clock.of(np.array([59 * DAY + 12 * HOUR]), "360_day")
    one = Facets(Identity("c", "v", {}, frozenset({"v"}), ()), {"param": frozenset({"v"})}, clock)
    assert choices([one], {})["date"] == ["19700230"]
    assert clock.fits(None, Span(np.array([12 * HOUR]), each=True))


def test_periods() -> None:
    assert periods([]) == []
    days = ["20240228", "20240229", "20240301", "20240303", "20250101"]
    assert periods(days) == [("20240228", "20240301"), ("20240303", "20240303"), ("20250101", "20250101")]


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0, "0"), (6 * HOUR, "6"), (90 * 60_000, "1h30m"), (600_000, "10m")]
)
def test_steps(milliseconds: int, text: str) -> None:
    assert step_text(milliseconds) == text
