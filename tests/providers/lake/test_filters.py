"""CQL2 JSON: what each operator finds among ten known items."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from terrella.errors import Invalid
from terrella.model.caller import OPERATOR
from terrella.model.search import CollectionSearch, Search
from terrella.providers.lake import Lake
from terrella.providers.lake.filters import lists
from terrella.testing.catalog import names


def _found(lake: Lake, node: Any) -> str:
    page = lake.search(OPERATOR, Search(filter=node, limit=100))
    return "".join(sorted(name[1:] for _, name in names(page.documents)))


def _op(operator: str, *args: Any) -> dict[str, Any]:
    return {"op": operator, "args": list(args)}


def _p(name: str) -> dict[str, str]:
    return {"property": name}


CLOUD, WHEN, WHERE = _p("eo:cloud_cover"), _p("datetime"), _p("geometry")
MARCH = {"interval": ["2020-03-01T00:00:00Z", "2020-03-31T23:59:59Z"]}
BOX = {"bbox": [15, -5, 35, 5]}


@pytest.mark.parametrize(
    ("node", "wanted"),
    [
        # comparisons, also with the literal first, and between two properties
        (_op("<", CLOUD, 30), "012"),
        (_op("<", 30, CLOUD), "456789"),
        (_op("<>", CLOUD, 30), "012456789"),
        (_op("=", _p("properties.eo:cloud_cover"), 30.0), "3"),
        (_op("=", _p("flag"), True), "02468"),
        (_p("flag"), "02468"),
        (_op("not", _p("flag")), "13579"),
        (_op("=", _p("view:angles.sun.azimuth"), 4), "4"),
        (_op("=", _p("dotted.name"), 5), "5"),
        (_op("=", _p("dotted.name"), _op("/", CLOUD, 10)), "0123456789"),
        (_op("between", CLOUD, 10, 30), "123"),
        (_op("between", CLOUD, [10, 30]), "123"),
        (_op("in", CLOUD, [10, 30, 35]), "13"),
        (_op("in", CLOUD, [_op("+", 5, 5), 30]), "13"),
        (_op("in", _p("platform"), ["satellite-1"]), "147"),
        (_op("in", CLOUD, []), ""),
        (_op("isNull", _p("gsd")), "0123456789"),
        (_op("not", _op("=", _p("gsd"), 1)), ""),
        # arithmetic
        (_op("=", _op("%", CLOUD, 30), 0), "0369"),
        (_op("=", _op("div", CLOUD, 30), 2), "678"),
        (_op("=", _op("/", CLOUD, 20), 1.5), "3"),
        (_op(">", _op("^", CLOUD, 2), 6399), "89"),
        (_op("=", _op("-", CLOUD, 1), 9), "1"),
        (_op("=", _op("*", CLOUD, 2), 40), "2"),
        (_op(">", _op("/", CLOUD, 0), 1), ""),
        # text
        (_op("like", _p("platform"), "satellite-_"), "0123456789"),
        (_op("like", _p("platform"), "%-2"), "258"),
        (_op("like", _p("platform"), "SAT%"), ""),
        (_op("like", _op("casei", _p("platform")), _op("casei", "SAT%2")), "258"),
        (_op("=", _op("casei", _p("title")), _op("casei", "STRASSE NR. 3")), "3"),
        (_op("like", _op("accenti", _p("title")), _op("accenti", "Straß%4")), "4"),
        (_op("like", _p("platform"), "satellite\\_%"), ""),
        # times
        (_op("=", WHEN, {"timestamp": "2020-03-15T12:00:00Z"}), "2"),
        (_op("<", WHEN, "2020-03-15T12:00:00Z"), "01"),
        (_op(">=", WHEN, {"date": "2020-09-15"}), "89"),
        (_op("between", WHEN, {"timestamp": "2020-02-01T00:00:00Z"}, {"timestamp": "2020-04-01T00:00:00Z"}), "12"),
        (_op("<", _p("created"), {"timestamp": "2021-01-03T00:00:00Z"}), "012"),
        (_op("t_before", _p("created"), {"timestamp": "2021-01-02T00:00:00Z"}), "01"),
        (_op("t_after", WHEN, {"timestamp": "2020-08-15T12:00:00Z"}), "89"),
        (_op("t_before", WHEN, MARCH), "01"),
        (_op("t_during", WHEN, MARCH), "2"),
        (_op("t_intersects", WHEN, MARCH), "2"),
        (_op("t_intersects", WHEN, {"date": "2020-03-15"}), "2"),
        (_op("t_intersects", WHEN, {"interval": ["..", "2020-03-15T12:00:00Z"]}), "012"),
        (_op("t_disjoint", WHEN, MARCH), "013456789"),
        (_op("t_equals", WHEN, {"timestamp": "2020-03-15T12:00:00Z"}), "2"),
        (_op("t_starts", WHEN, {"interval": ["2020-03-15T12:00:00Z", ".."]}), "2"),
        (_op("t_finishes", WHEN, {"interval": ["..", "2020-03-15T12:00:00Z"]}), "2"),
        (_op("t_metBy", WHEN, {"interval": ["..", "2020-03-15T12:00:00Z"]}), "2"),
        (_op("t_meets", WHEN, {"interval": ["2020-03-15T12:00:00Z", ".."]}), "2"),
        (_op("t_contains", {"interval": [_p("datetime"), ".."]}, {"timestamp": "2020-09-30T00:00:00Z"}), "012345678"),
        # places
        (_op("s_intersects", WHERE, BOX), "23"),
        (_op("s_intersects", BOX, WHERE), "23"),
        (_op("s_within", WHERE, BOX), "23"),
        (_op("s_contains", BOX, WHERE), "23"),
        (_op("s_contains", WHERE, {"type": "Point", "coordinates": [20, 0]}), "2"),
        (_op("s_equals", WHERE, {"type": "Point", "coordinates": [20, 0]}), "2"),
        (_op("s_disjoint", WHERE, BOX), "01456789"),
        (_op("s_touches", WHERE, {"type": "LineString", "coordinates": [[20, 0], [20, 9]]}), "2"),
        (_op("s_crosses", WHERE, BOX), ""),
        (_op("s_overlaps", WHERE, BOX), ""),
        (_op("s_intersects", WHERE, {"bbox": [85, -1, -100, 1]}), "9"),
        (
            _op(
                "s_intersects", WHERE, {"type": "Polygon", "coordinates": [[[370, -1], [391, -1], [380, 1], [370, -1]]]}
            ),
            "2",
        ),
        (_op("or", _op("s_intersects", WHERE, BOX), _op("=", CLOUD, 0)), "023"),
        # lists
        (_op("a_contains", _p("keywords"), ["a"]), "13579"),
        (_op("a_containedBy", _p("keywords"), ["a", "b", "d"]), "13579"),
        (_op("a_equals", _p("keywords"), ["b", "c"]), "02468"),
        (_op("a_overlaps", _p("keywords"), ["a", "c"]), "0123456789"),
        # look-ups that a filter implies
        (_op("and", _op("=", _p("collection"), "other"), _op("in", _p("id"), ["i1", "i8"])), "8"),
        (_op("and", _op("=", _p("id"), "i1"), _op("=", _p("id"), "i8")), ""),
        (_op("and", _op(">", WHEN, {"date": "2020-06-01"}), _op("<", WHEN, {"date": "2020-05-01"})), ""),
        (_op("or", _op("=", _p("id"), "i1"), _op("=", _p("collection"), "other")), "1789"),
        # constants
        (True, "0123456789"),
        (_op("and", True, False), ""),
        (_op("=", 1, 1), "0123456789"),
    ],
)
def test_operators(filled: Lake, node: Any, wanted: str) -> None:
    assert _found(filled, node) == wanted


@pytest.mark.parametrize(
    ("node", "why"),
    [
        (_op("=", CLOUD, True), "boolean"),
        (_op("=", _p("platform"), 7), "number"),
        (_op("=", _p("keywords"), "a"), "a_"),
        (_op("like", _p("platform"), _p("title")), "pattern"),
        (_op("+", CLOUD, 1), "no operator"),
        (_op("=", _op("avg", CLOUD), 1), "'avg' gives no value"),
        (_op("=", _p("platform"), "x" * 20_000), "10,000"),
        (
            _op("s_intersects", WHERE, {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}),
            "valid",
        ),
        (_op("s_intersects", WHERE, {"bbox": [0, 50, 1, 40]}), "Latitudes"),
        (_op("s_intersects", WHERE, WHERE), "geometry"),
        (_op("=", {"timestamp": "2020"}, CLOUD), "time cannot be compared with a number"),
        (_op("<", WHEN, {"timestamp": "2020-13-01"}), "2020-13-01"),
        (_op("<", WHEN, {"timestamp": 2020}), "A time is text"),
        (_op("a_contains", _p("keywords"), [{"a": 1}]), "cannot be compared"),
    ],
)
def test_what_cannot_be_says_why(filled: Lake, node: Any, why: str) -> None:
    with pytest.raises(Invalid, match=why) as caught:
        _found(filled, node)
    assert caught.value.parameter == "filter"


def test_names_never_reach_sql(filled: Lake) -> None:
    for name in ("x') or 1=1 --", 'a"b', "a.b[0]", "$", "", "properties.", 'eo:cloud_cover" = 1 or "', "\0"):
        with pytest.raises(Invalid):
            _found(filled, _op("=", _p(name), 1))


def test_a_property_of_two_types_is_compared_by_type(lake: Lake) -> None:
    from terrella.testing.catalog import plain_item

    lake.put_items(OPERATOR, [plain_item("i1", size=5), plain_item("i2", size="large"), plain_item("i3", size=50)])
    assert _found(lake, _op(">", _p("size"), 10)) == "3"
    assert _found(lake, _op("=", _p("size"), "large")) == "2"


def test_collections_are_filtered_too(lake: Lake) -> None:
    def found(node: Any) -> list[str]:
        page = lake.collections(OPERATOR, CollectionSearch(filter=node))
        return [orjson.loads(document)["id"] for document in page.documents]

    assert found(_op("like", _p("title"), "Plain%")) == ["plain"]
    assert found(_op("a_contains", _p("keywords"), ["sea"])) == ["plain"]
    assert found(_op("t_intersects", WHEN, MARCH)) == ["other", "plain"]
    with pytest.raises(Invalid, match=r"no property 'titel'.*'title'"):
        found(_op("=", _p("titel"), "x"))


def test_lists_of_no_list_are_unknown() -> None:
    assert lists("a_contains", None, "[1]") is None
    assert lists("a_contains", "text", "[1]") is None
    assert lists("a_contains", "7", "[1]") is None
