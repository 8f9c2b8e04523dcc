"""What to filter by is learned from items."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from terrella.errors import NotFound
from terrella.model.caller import OPERATOR
from terrella.model.search import Search
from terrella.providers.lake import Lake
from terrella.testing.catalog import plain_item


def test_types_ranges_and_values(filled: Lake) -> None:
    found = filled.queryables(OPERATOR, ["plain"])
    Draft202012Validator.check_schema(found)
    properties = found["properties"]
    assert properties["eo:cloud_cover"] == {"title": "Eo: cloud cover", "type": "number", "minimum": 0, "maximum": 60}
    assert properties["platform"]["enum"] == ["satellite-0", "satellite-1", "satellite-2"]
    assert properties["created"]["format"] == "date-time"
    assert properties["view:angles.sun.azimuth"]["type"] == "number"
    assert properties["keywords"]["type"] == "array"
    assert {"id", "collection", "geometry", "datetime"} <= properties.keys()


def test_of_several_collections_only_what_all_have(filled: Lake) -> None:
    filled.put_items(OPERATOR, [plain_item("more", "other", only="here", **{"eo:cloud_cover": 99.5})])
    both = filled.queryables(OPERATOR, ["plain", "other"])["properties"]
    assert "only" not in both
    assert both["eo:cloud_cover"]["maximum"] == 99.5
    assert "only" in filled.queryables(OPERATOR, [])["properties"]
    assert filled.queryables(OPERATOR, ["other"])["properties"]["only"]["enum"] == ["here"]
    with pytest.raises(NotFound, match="'other'"):
        filled.queryables(OPERATOR, ["othr"])


def test_many_values_are_not_listed_and_facts_add_up_over_batches(lake: Lake) -> None:
    for n in range(30):
        lake.put_items(OPERATOR, [plain_item(f"i{n}", name=f"name {n}", size=n, mixed=n if n % 2 else "odd")])
    found = lake.queryables(OPERATOR, ["plain"])["properties"]
    assert found["name"] == {"title": "Name", "type": "string"}
    assert (found["size"]["minimum"], found["size"]["maximum"]) == (0, 29)
    assert found["mixed"]["type"] == ["number", "string"]
    lake.remove_collection(OPERATOR, "plain")
    assert "name" not in lake.queryables(OPERATOR, [])["properties"]


def test_ten_thousand_names_do_no_harm(lake: Lake) -> None:
    lake.put_items(OPERATOR, [plain_item("a", **{f"name-{n}": n for n in range(10_000)})])
    lake.put_items(OPERATOR, [plain_item("b", **{f"more-{n}": n for n in range(10_000)})])
    assert len(lake.queryables(OPERATOR, ["plain"])["properties"]) < 1100
    assert lake.count(OPERATOR, Search()) == 2
