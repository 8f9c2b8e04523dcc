"""Which part of a file a request wants, after RFC 9110."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.api.ranges import decide

AT = datetime(2026, 3, 1, 12, 0, 0, 500, tzinfo=UTC)
TAG = '"abc"'


def answer(size: int = 1000, **headers: str) -> tuple[int, tuple[tuple[int, int], ...]]:
    made = decide({name.replace("_", "-"): value for name, value in headers.items()}, size, TAG, AT)
    return made.status, made.ranges


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=0-499", (206, ((0, 500),))),
        ("bytes=500-", (206, ((500, 1000),))),
        ("bytes=-500", (206, ((500, 1000),))),
        ("bytes=-5000", (206, ((0, 1000),))),
        ("bytes=999-5000", (206, ((999, 1000),))),
        ("Bytes = 0-0 , 2-2", (206, ((0, 1), (2, 3)))),
        ("bytes=2-2,0-0", (206, ((2, 3), (0, 1)))),
        ("bytes=0-10,5-20", (206, ((0, 21),))),
        ("bytes=0-0,5000-", (206, ((0, 1),))),
        ("bytes=1000-", (416, ())),
        ("bytes=-0", (416, ())),
        ("bytes=5-1", (200, ())),
        ("bytes=a-b", (200, ())),
        ("bytes=-", (200, ())),
        ("lines=0-5", (200, ())),
        ("bytes=" + ",".join("0-0" for _ in range(65)), (200, ())),
    ],
)
def test_ranges(text: str, expected: tuple[int, tuple[tuple[int, int], ...]]) -> None:
    assert answer(range=text) == expected


def test_an_empty_file_has_no_ranges() -> None:
    assert answer(0, range="bytes=0-0") == (416, ())
    assert answer(0) == (200, ())


LATER, EARLIER, SAME = "Sun, 01 Mar 2026 13:00:00 GMT", "Sun, 01 Mar 2026 11:00:00 GMT", "Sun, 01 Mar 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": TAG}, 304),
        ({"if_none_match": 'W/"abc"'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"x", "y"'}, 200),
        ({"if_none_match": '"x"', "if_modified_since": LATER}, 200),
        ({"if_modified_since": SAME}, 304),
        ({"if_modified_since": EARLIER}, 200),
        ({"if_modified_since": "yesterday"}, 200),
        ({"if_match": TAG}, 200),
        ({"if_match": '"x"'}, 412),
        ({"if_match": 'W/"abc"'}, 412),
        ({"if_unmodified_since": EARLIER}, 412),
        ({"if_unmodified_since": SAME}, 200),
        ({"range": "bytes=0-1", "if_range": TAG}, 206),
        ({"range": "bytes=0-1", "if_range": '"x"'}, 200),
        ({"range": "bytes=0-1", "if_range": 'W/"abc"'}, 200),
        ({"range": "bytes=0-1", "if_range": SAME}, 206),
        ({"range": "bytes=0-1", "if_range": EARLIER}, 200),
        ({"range": "bytes=0-1", "if_none_match": TAG}, 304),
    ],
)
def test_conditions(headers: dict[str, str], status: int) -> None:
    assert answer(**headers)[0] == status


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 120)), min_size=1, max_size=6), st.integers(1, 100))
def test_what_is_sent_is_what_was_asked(pairs: list[tuple[int, int]], size: int) -> None:
    asked = [(min(pair), max(pair)) for pair in pairs]
    status, ranges = answer(size, range="bytes=" + ",".join(f"{a}-{b}" for a, b in asked))
    wanted = {place for a, b in asked for place in range(a, b + 1) if place < size}
    sent = [place for a, b in ranges for place in range(a, b)]
    assert status == (206 if wanted else 416)
    assert set(sent) == wanted
    assert len(sent) == len(wanted)  # no byte twice


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(max_size=30))
def test_nonsense_is_no_error(text: str) -> None:
    assert decide({"range": text, "if-range": text, "if-match": "*", "if-none-match": text}, 10, TAG, AT).status in (
        200,
        206,
        304,
        416,
    )
