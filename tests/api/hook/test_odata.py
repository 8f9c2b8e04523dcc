"""Queries of OData against plain Python over the same rows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.api.hook.odata import MOST_CHARACTERS, MOST_ROWS, parse_query
from terrella.errors import Invalid

FIELDS = ("Id", "Name", "Status", "Size")
ROWS: list[dict[str, Any]] = [
    {
        "Id": n,
        "Name": f"it's {chr(97 + n % 5)}",
        "Status": ("queued", "completed")[n % 2],
        "Size": n / 2 if n % 3 else None,
    }
    for n in range(12)
]


def found(text: str, **more: str) -> list[int]:
    given = [("$filter", text), *((f"${name}", value) for name, value in more.items())]
    return [row["Id"] for row in parse_query(given, FIELDS).page(ROWS)["value"]]


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("Id eq 3", lambda r: r["Id"] == 3),
        ("id eq 3", lambda r: r["Id"] == 3),
        ("(Status eq 'queued')", lambda r: r["Status"] == "queued"),
        ("Name eq 'it''s a'", lambda r: r["Name"] == "it's a"),
        ("Id gt 3 and Id le 7", lambda r: 3 < r["Id"] <= 7),
        ("Id lt 2 or Id ge 10", lambda r: r["Id"] < 2 or r["Id"] >= 10),
        ("not (Id lt 2 or Status eq 'queued')", lambda r: not (r["Id"] < 2 or r["Status"] == "queued")),
        ("Id lt 2 or Id eq 5 and Status eq 'queued'", lambda r: r["Id"] < 2),
        ("contains(Name, 's b')", lambda r: "s b" in r["Name"]),
        (
            "startswith(Status,'comp') and endswith(Name,'c')",
            lambda r: r["Status"] == "completed" and r["Name"][-1] == "c",
        ),
        ("Size eq null", lambda r: r["Size"] is None),
        ("Size ne null", lambda r: r["Size"] is not None),
        ("Size gt 2.5", lambda r: r["Size"] is not None and r["Size"] > 2.5),
        ("Size gt 'text'", lambda r: False),
    ],
)
def test_filters(text: str, test: Any) -> None:
    assert found(text) == [row["Id"] for row in ROWS if test(row)]


def test_order_pages_and_counts() -> None:
    asked = [("$orderby", "Status desc, Id asc"), ("$top", "3"), ("$skip", "1"), ("$count", "true"), ("$select", "Id")]
    assert parse_query(asked, FIELDS).page(ROWS) == {"@odata.count": 12, "value": [{"Id": 2}, {"Id": 4}, {"Id": 6}]}


def test_members_are_shown_where_they_are_asked_for() -> None:
    rows = [{"Id": 1, "Options": [1]}]
    assert parse_query([], ("Id",), ("Options",)).page(rows, expandable=("Options",))["value"] == [{"Id": 1}]
    asked = parse_query([("$expand", "Options")], ("Id",), ("Options",))
    assert asked.page(rows, expandable=("Options",))["value"] == rows


def test_the_id_alone_is_seen() -> None:
    assert parse_query([("$filter", "(id eq 7)")], FIELDS).only_id == 7
    assert parse_query([("$filter", "id gt 7")], FIELDS).only_id is None
    assert parse_query([("$filter", "id eq 7 or id eq 8")], FIELDS).only_id is None


@pytest.mark.parametrize(
    "query",
    [
        ("$filter", "Nme eq 1"),
        ("$filter", "Id is 1"),
        ("$filter", "Id eq"),
        ("$filter", "Id"),
        ("$filter", "(Id eq 1"),
        ("$filter", "Id eq 1 2"),
        ("$filter", "Id eq 'open"),
        ("$filter", "contains(Name)"),
        ("$filter", "contains(Name, 1)"),
        ("$filter", "(" * 50 + "Id eq 1" + ")" * 50),
        ("$filter", "not " * 50 + "Id eq 1"),
        ("$filter", " or ".join(["Id eq 1"] * MOST_CHARACTERS)),
        ("$orderby", "Id up"),
        ("$orderby", "Nme"),
        ("$top", "-1"),
        ("$top", "x"),
        ("$count", "maybe"),
        ("$expand", "Secrets"),
        ("$select", "Secrets"),
        ("$search", "x"),
    ],
)
def test_what_is_wrong_is_named(query: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        parse_query([query], FIELDS, ("WorkflowOptions",))
    assert caught.value.parameter == query[0]


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text("Id eqandornot()'1,.contains ", max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    try:
        query = parse_query([("$filter", text)], FIELDS)
    except Invalid:
        return
    assert len(query.page(ROWS)["value"]) <= MOST_ROWS
