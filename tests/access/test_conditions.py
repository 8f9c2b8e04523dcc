"""One condition, two compilers: what SQL finds in the lake is what Python says of the documents."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.model.caller import OPERATOR, Caller, Grant
from terrella.model.conditions import canonical
from terrella.model.meeting import collection_meets, item_meets
from terrella.model.search import Search
from terrella.providers.lake import Lake

NOW = time.time_ns() // 1000
NAMES = ["a", "b:c", "embargo", "nested.inner", "dotted.name", "größe", "title", "eo:cloud_cover", "restricted"]
COLUMNS = ["id", "collection", "datetime"]
WORDS = ["", "x", "X", "é", "E\u0301", "x%_\\y", "[a]*?", "日本", "😀", "\u0000", "1", "true", "2020-01-01", "a.b"]
TIMES = ["1999-12-31T23:59:59Z", "2020-01-01", "2020-01-01T00:00:00+02:00", "2199", "no time", "2020-13-01"]

words = st.sampled_from(WORDS + TIMES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
numbers = (
    st.integers(-3, 3)
    | st.sampled_from([0.5, -0.0, 1.0, 1e300, 2**53, 2**62, 2**63 - 1, -(2**63)])
    | st.integers(-(2**62), 2**62)
)
scalars = words | numbers | st.booleans()
lists = st.lists(st.sampled_from(["x", "é", 1, 1.0, True, False, None, {"k": 1}, [1]]), max_size=4)
values = st.none() | scalars | lists | st.dictionaries(st.sampled_from(["inner", "x"]), scalars, max_size=2)


@st.composite
def items(draw: st.DrawFn) -> dict[str, Any]:
    properties = draw(st.dictionaries(st.sampled_from([*NAMES, "nested", "dotted"]), values, max_size=6))
    at = draw(st.sampled_from(["1999-12-31T23:59:59Z", "2020-01-01T00:00:00Z", "2199-01-01T00:00:00Z"]))
    if draw(st.booleans()):
        properties["datetime"] = at
    else:
        properties |= {"datetime": None, "start_datetime": at, "end_datetime": "2200-01-01T00:00:00Z"}
    return properties


names = st.sampled_from(NAMES + COLUMNS)
instants = st.sampled_from(["2020-01-01T00:00:00Z", "2150-06-01T00:00:00Z"]).map(lambda text: {"timestamp": text})
constants = scalars | instants | st.just({"op": "now"}) | st.just({"date": "2020-01-01"})
folds = st.sampled_from(["casei", "accenti"])


@st.composite
def comparisons(draw: st.DrawFn) -> Any:
    name, kind = draw(names), draw(st.sampled_from(["compare", "in", "between", "like", "isNull", "list", "fold"]))
    subject: Any = {"property": name}
    if name == "datetime" and kind not in {"isNull", "list"}:
        times = instants | st.just({"op": "now"}) | st.just("2020-01-01")
        return {"op": draw(st.sampled_from(["=", "<", ">="])), "args": [subject, draw(times)]}
    if kind == "compare":
        sides = [subject, draw(constants)]
        return {
            "op": draw(st.sampled_from(["=", "<>", "<", "<=", ">", ">="])),
            "args": sides[:: draw(st.sampled_from([1, -1]))],
        }
    if kind == "in":
        return {"op": "in", "args": [subject, draw(st.lists(constants, min_size=1, max_size=4))]}
    if kind == "between":
        return {"op": "between", "args": [subject, draw(constants), draw(constants)]}
    if kind == "like":
        return {"op": "like", "args": [subject, draw(words)]}
    if kind == "fold":
        fold = draw(folds)
        return {"op": "=", "args": [{"op": fold, "args": [subject]}, {"op": fold, "args": [draw(words)]}]}
    if kind == "list":
        operator = draw(st.sampled_from(["a_contains", "a_containedby", "a_equals", "a_overlaps"]))
        return {"op": operator, "args": [subject, draw(st.lists(st.sampled_from(["x", 1, True, "é"]), max_size=3))]}
    return {"op": "isNull", "args": [subject]}


conditions = st.recursive(
    comparisons() | st.booleans() | st.just({"property": "restricted"}),
    lambda inner: (
        st.builds(
            lambda word, parts: {"op": word, "args": parts},
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=1, max_size=3),
        )
        | inner.map(lambda part: {"op": "not", "args": [part]})
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Lake(tmp_path_factory.mktemp("lake")) as made:
        yield made


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.lists(items(), min_size=1, max_size=8), st.lists(conditions, min_size=1, max_size=6))
def test_sql_finds_what_python_says(lake: Lake, properties: list[dict[str, Any]], nodes: list[Any]) -> None:
    for name in ("x", "other"):
        lake.put_collection(OPERATOR, {"type": "Collection", "id": name, "license": name})
    documents = [
        {"type": "Feature", "id": f"i{n}", "collection": ("x", "other")[n % 2], "geometry": None, "properties": one}
        for n, one in enumerate(properties)
    ]
    old = {
        name: [orjson.loads(one)["id"] for one in lake.search(OPERATOR, Search((name,), limit=99)).documents]
        for name in ("x", "other")
    }
    for name, ids in old.items():
        lake.remove_items(OPERATOR, name, ids)
    lake.put_items(OPERATOR, documents)
    stored = [orjson.loads(one) for one in lake.search(OPERATOR, Search(limit=99)).documents]
    for node in nodes:
        text = canonical(node)
        for grant in (Grant("", text), Grant('{"args":[{"property":"license"},"x"],"op":"="}', text)):
            caller = Caller("someone", finds=(grant,))
            found = {orjson.loads(one)["id"] for one in lake.search(caller, Search(limit=99)).documents}
            license_of = {name: {"id": name, "license": name} for name in ("x", "other")}
            assert found == {
                one["id"]
                for one in stored
                if item_meets(text, one, NOW)
                and collection_meets(grant.collections, license_of[one["collection"]], NOW)
            }
            assert lake.count(caller, Search()) == len(found)
            both = {one["id"]: lake_has(lake, caller, one) for one in stored}
            assert {name for name, has in both.items() if has} == found


def lake_has(lake: Lake, caller: Caller, document: dict[str, Any]) -> bool:
    from terrella.errors import NotFound

    try:
        lake.item(caller, document["collection"], document["id"])
    except NotFound:
        return False
    return True
