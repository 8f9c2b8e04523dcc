"""Ids: what may be one, and how text becomes one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.errors import Invalid
from terrella.model.ids import collection_id, distinct, slug


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=300))
def test_a_slug_is_always_an_id(text: str) -> None:
    assert collection_id(slug(text))


@pytest.mark.parametrize("text", ["", "../x", "a/b", "a b", ".hidden", "a..b", "x" * 300, "\x00", "%2e%2e"])
def test_path_tricks_are_no_ids(text: str) -> None:
    with pytest.raises(Invalid):
        collection_id(text)


def test_names_are_told_apart() -> None:
    assert distinct("a", {"a", "a-2"}) == "a-3"
    assert distinct("a", set()) == "a"
