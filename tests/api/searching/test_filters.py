"""CQL2 in text and JSON: what passes, what is refused, and that hostile text cannot end the process."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.api.searching.filters import filter_from_json, filter_from_text
from terrella.api.searching.parsing import geometry_of
from terrella.errors import Invalid, TooLarge


def text(given: str) -> Any:
    return filter_from_text(given, geometry_of)


def checked(given: Any) -> Any:
    return filter_from_json(given, geometry_of)


def test_text_becomes_json() -> None:
    assert text("properties.eo:cloud_cover < 10 AND NOT platform LIKE 'sat-%'") == {
        "op": "and",
        "args": [
            {"op": "<", "args": [{"property": "eo:cloud_cover"}, 10.0]},
            {"op": "not", "args": [{"op": "like", "args": [{"property": "platform"}, "sat-%"]}]},
        ],
    }


@pytest.mark.parametrize(
    "given",
    [
        "a = 'it''s'", "a IS NULL", "a IS NOT NULL", "a IN (1,2)", "a NOT IN ('x')", "a BETWEEN 1 AND 2",
        "casei(a) = casei('X')", "datetime > TIMESTAMP('2020-01-01T00:00:00Z')", "datetime > DATE('2020-01-01')",
        "t_intersects(datetime, INTERVAL('2020-01-01','..'))",
        "t_during(INTERVAL(start_datetime, end_datetime), INTERVAL('2020-01-01T00:00:00Z','..'))",
        "a_contains(tags, ('x','y'))", "s_intersects(geometry, POINT(1 2))", "s_within(geometry, BBOX(170,2,-170,4))",
        "a + 1 > 2 * b", "a = b", "a = TRUE", "TRUE", "flag",
    ],
)  # fmt: skip
def test_what_passes(given: str) -> None:
    assert text(given)["op"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("a <", "stopped at character"),
        ("", "stopped at character 1"),
        ("a = 1 OR", "stopped at"),
        ("foo(a)", "no operator 'foo'"),
        ("s_intersects(geometry, POLYGON((0 0,0 1,1 1)))", "last is its first"),
        ("s_intersects(geometry, POINT(1 95))", "longitude comes first"),
        ("datetime > TIMESTAMP('noon')", "no time"),
        ("datetime > TIMESTAMP('2020-02-30T00:00:00Z')", "no date"),
        ("a = 1e999", "too large"),
        ("t_after(datetime, 3)", "A time is"),
    ],
)
def test_what_is_refused(given: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        text(given)
    assert refused.value.parameter == "filter"


@pytest.mark.parametrize(
    "given",
    [
        {}, [], None, 3, "x", {"op": "="}, {"op": 3, "args": []}, {"op": "=", "args": [1]}, {"op": "not", "args": []},
        {"op": "and", "args": []}, {"op": "and", "args": [3]}, {"op": "in", "args": [{"property": "a"}, 3]},
        {"op": "!=", "args": [{"property": "a"}, 3]}, {"op": "=", "args": [{"property": 3}, 3]},
        {"op": "=", "args": [{"property": ""}, 3]}, {"op": "=", "args": [{"property": "a"}, None]},
        {"op": "=", "args": [{"property": "a"}, {"timestamp": 3}]}, {"op": "=", "args": [{"property": "a"}, {"x": 3}]},
        {"op": "t_after", "args": [{"property": "a"}, {"interval": ["x"]}]},
        {"op": "t_after", "args": [{"property": "a"}, {"interval": [3, 4]}]},
        {"op": "s_within", "args": [{"property": "a"}, {"bbox": [1, 2, 3]}]},
        {"op": "s_within", "args": [{"property": "a"}, 3]},
    ],
)  # fmt: skip
def test_wrong_json(given: Any) -> None:
    with pytest.raises(Invalid) as refused:
        checked(given)
    assert refused.value.parameter == "filter"


def test_near_names_of_operators() -> None:
    with pytest.raises(Invalid, match="Did you mean 's_intersects'"):
        checked({"op": "s_intersect", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [1, 2]}]})


def test_drafts_wrote_between_with_a_list() -> None:
    made = checked({"op": "between", "args": [{"property": "a"}, [1, 2]]})
    assert made == {"op": "between", "args": [{"property": "a"}, 1, 2]}


def test_boxes_may_cross_the_antimeridian() -> None:
    made = checked({"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [170, -5, -170, 5]}]})
    assert made["args"][1]["type"] == "MultiPolygon"
    assert len(made["args"][1]["coordinates"]) == 2


HOSTILE = {
    "brackets": "(" * 20_000 + "a=1" + ")" * 20_000,
    "not": "NOT " * 15_000 + "a=1",
    "minus": "a=" + "-" * 30_000 + "1",
    "spaced minus": "a=" + "- " * 30_000 + "b",
    "plus": "a=" + "+".join(["1"] * 30_000),
    "power": "a=" + "^".join(["1"] * 30_000),
    "and": " AND ".join(["a=1"] * 8_000),
    "or": " or ".join(["a=1"] * 8_000),
    "functions": "a=" + "f(" * 20_000 + "1" + ")" * 20_000,
    "like": "a LIKE " * 8_000 + "'x'",
    "long": "a='" + "x" * 70_000 + "'",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused_before_it_is_parsed(name: str) -> None:
    with pytest.raises(TooLarge) as refused:
        text(HOSTILE[name])
    assert refused.value.parameter == "filter"


def test_hostile_json_is_refused() -> None:
    nested: Any = {"op": "=", "args": [{"property": "a"}, 1]}
    for _ in range(400):
        nested = {"op": "not", "args": [nested]}
    with pytest.raises(TooLarge):
        checked(nested)
    deep: Any = 1
    for _ in range(400):
        deep = {"op": "casei", "args": [deep]}
    with pytest.raises(TooLarge):
        checked({"op": "=", "args": [{"property": "a"}, deep]})


LARGEST = [
    "(" * 50 + "a=1" + ")" * 50,
    "NOT " * 1000 + "a=1",
    "a=" + "-" * 1000 + "1",
    "a=" + "- " * 1000 + "b",
    "a=" + "+".join(["1"] * 1000),
    "a=" + "^".join(["1"] * 1000),
    " AND ".join(["a=1"] * 1000),
    "a=" + "f(" * 50 + "1" + ")" * 50,
    "a LIKE " * 1000 + "'x'",
    "a='" + "''" * 30_000 + "'",
    "a IN (" + ",".join(["1"] * 30_000) + ")",
    "s_intersects(geometry, LINESTRING(" + ",".join(f"{n / 1000} -1.5" for n in range(5000)) + "))",
    "s_intersects(geometry, POLYGON((" + ",".join(["-1 -2"] * 5000) + ")))",
]


def test_what_is_just_allowed_ends_no_process() -> None:
    """In another process and on a thread, as requests are: a crash of the parser would be one of ours."""
    script = """
import json, sys, threading
from terrella.api.searching.filters import filter_from_text
from terrella.api.searching.parsing import geometry_of
from terrella.errors import TerrellaError
def work():
    for text in json.load(sys.stdin):
        try:
            filter_from_text(text, geometry_of)
        except TerrellaError:
            pass
    print("alive")
thread = threading.Thread(target=work); thread.start(); thread.join()
"""
    run = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(LARGEST), capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "alive", run.stderr


WORDS = st.sampled_from(
    ["a", "1", "'x'", "=", "<", "AND", "OR", "NOT", "(", ")", ",", "LIKE", "IN", "BETWEEN", "IS", "NULL", "-", "+", "casei(",
     "s_intersects(", "POINT(1 2)", "TIMESTAMP('2020-01-01T00:00:00Z')", "geometry", '"', "'", "POLYGON((", "..", "é", "\0"]
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_any_words_are_taken_or_refused(given: str) -> None:
    try:
        text(given)
    except Invalid as error:
        assert error.parameter == "filter"  # noqa: PT017


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.fixed_dictionaries({"op": st.sampled_from(["and", "=", "in", "like", "s_within", "t_after"]), "args": st.lists(inner, max_size=3)})
    | st.dictionaries(st.sampled_from(["property", "timestamp", "interval", "bbox", "type", "coordinates"]), inner, max_size=2),
    max_leaves=8,
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=500)
@given(VALUES)
def test_any_json_is_taken_or_refused(given: Any) -> None:
    try:
        checked(given)
    except Invalid as error:
        assert error.parameter == "filter"  # noqa: PT017
