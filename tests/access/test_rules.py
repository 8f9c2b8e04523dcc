"""Rules: who is granted what, and how a wrong one is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from terrella.access.rules import check_rules, grants_of, is_open, may_read, readers, wanted
from terrella.errors import Invalid
from terrella.model.caller import Caller, Grant
from terrella.settings import Access, Rule
from terrella.site.site import Site

TWIN = Rule(name="twin", roles=("upgraded",), collections="id LIKE 'destine-%'")
KNOWN = Rule(name="known", allow="find", collections="id LIKE 'destine-%'")
EMBARGO = Rule(name="old enough", items="embargo <= now()", collections="license = 'CC-BY-4.0'")
NOW = 1_700_000_000_000_000


def test_a_new_site_is_open() -> None:
    assert grants_of(Access().rules, []) == (None, None)


def test_nothing_is_open_that_no_rule_opens() -> None:
    assert grants_of([], ["user"]) == ((), ())
    assert grants_of([TWIN], ["user"]) == ((), ())
    assert grants_of([TWIN], ["administrator"]) == (None, None)


def test_reading_includes_finding_and_finding_no_reading() -> None:
    twin = Grant('{"args":[{"property":"id"},"destine-%"],"op":"like"}')
    assert grants_of([TWIN, KNOWN], ["upgraded"]) == ((twin,), (twin,))
    assert grants_of([TWIN, KNOWN], []) == ((twin,), ())


def test_rules_that_say_the_same_are_one_grant() -> None:
    again = Rule(name="again", collections="license = 'CC-BY-4.0'", items="(embargo)  <=  NOW()")
    assert len(grants_of([EMBARGO, again], [])[0] or ()) == 1
    whole = Rule(name="whole", collections="license='CC-BY-4.0'")
    assert grants_of([EMBARGO, whole], []) == ((Grant('{"args":[{"property":"license"},"CC-BY-4.0"],"op":"="}'),),) * 2


def test_groups_are_roles_of_their_own_kind() -> None:
    rule = Rule(name="group", roles=("group:hydrology",))
    assert grants_of([rule], ["hydrology"]) == ((), ())
    assert grants_of([rule], ["group:hydrology"]) == (None, None)


def _item(**properties: Any) -> dict[str, Any]:
    return {"id": "i", "collection": "c", "properties": properties}


def test_an_embargo_ends_by_itself() -> None:
    finds, _ = grants_of([EMBARGO], [])
    collection = {"id": "c", "license": "CC-BY-4.0"}
    assert is_open(finds, collection, _item(embargo="2023-11-14T00:00:00Z"), NOW)
    assert not is_open(finds, collection, _item(embargo="2023-11-15T00:00:00Z"), NOW)
    assert not is_open(finds, collection, _item(), NOW)
    assert not is_open(finds, {"id": "c", "license": "other"}, _item(embargo="2000-01-01T00:00:00Z"), NOW)
    assert is_open(finds, collection, None, NOW)


@pytest.mark.parametrize(
    ("text", "collection", "open_"),
    [
        ("A_CONTAINS(keywords, ('public'))", {"keywords": ["public", "x"]}, True),
        ("A_CONTAINS(keywords, ('public'))", {}, False),
        ("NOT A_CONTAINS(keywords, ('secret'))", {}, False),
        ("\"access:level\" = 'open'", {"access:level": "open"}, True),
        ("A_OVERLAPS(platform, ('sat-a'))", {"summaries": {"platform": ["sat-a"]}}, True),
        ("summaries.gsd.minimum >= 10", {"summaries": {"gsd": {"minimum": 10}}}, True),
        ("title IS NULL", {}, True),
    ],
)
def test_rules_speak_of_any_field_of_a_collection(text: str, collection: dict[str, Any], open_: bool) -> None:
    finds, _ = grants_of([Rule(name="r", collections=text)], [])
    assert is_open(finds, {"id": "c", **collection}, None, NOW) is open_


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ("embargo <<= 3", "character 10"),
        ("S_INTERSECTS(geometry, POINT(1 2))", "s_intersects"),
        ("a = b", "two properties"),
        ("upper(a) = 'X'", "no property"),
        ("datetime > 3", "compared with a time"),
        ("a LIKE 3", "like"),
        ("datetime < 'yesterday'", "no time"),
        ("a + 1 = 2", "no property"),
        ("(" * 50 + "a = 1" + ")" * 50, "too large"),
        (" AND ".join(["a = 1"] * 600), "too large"),
        ("a = 1 AND", "CQL2"),
        ("'a' = 'b'", "no property"),
    ],
)
def test_a_wrong_rule_says_which_and_what_there_is(items: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        check_rules([Rule(name="my rule", items=items)])
    assert "'my rule'" in refused.value.message
    assert said in refused.value.message
    assert "IN BETWEEN LIKE" in refused.value.message
    with pytest.raises(Invalid, match="my rule"):
        Site.open(tmp_path / "site", access={"rules": [{"name": "my rule", "items": items}]})


def test_two_rules_have_two_names() -> None:
    with pytest.raises(Invalid, match="Two rules are called 'twin'"):
        check_rules([TWIN, TWIN])


def test_whom_to_ask_is_said() -> None:
    item = _item()
    assert readers([TWIN, KNOWN, EMBARGO], {"id": "destine-x"}, item) == ("upgraded",)
    assert "upgraded" in wanted(("upgraded",))
    assert "No rule" in wanted(())
    caller = Caller("x", finds=None, reads=grants_of([TWIN], ["upgraded"])[1])
    assert may_read(caller, {"id": "destine-x"}, item)
    assert not may_read(caller, {"id": "other"}, item)
