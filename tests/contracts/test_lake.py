"""The lake does what every catalogue must, and by every plan that it may choose."""

from __future__ import annotations

import pytest

from terrella.providers.lake import planning
from terrella.testing.catalog import CatalogSuite


class TestLake(CatalogSuite):
    provider = "terrella.providers.lake:Lake"


@pytest.mark.parametrize(("few", "scanned"), [(0, 0), (0, 250), (2, 250)])
def test_every_plan_gives_the_same(monkeypatch: pytest.MonkeyPatch, few: int, scanned: int) -> None:
    """With so few items only the plan for few would ever run: here none, or almost none, count as few."""
    monkeypatch.setattr(planning, "_FEW", few)
    monkeypatch.setattr(planning, "_SCANNED", scanned)
    suite = TestLake()
    suite.test_search_finds_what_brute_force_finds()
    suite.test_putting_again_replaces()
    suite.test_taking_away()
    suite.test_a_box_over_the_antimeridian_finds_an_item_once()
