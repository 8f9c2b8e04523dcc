"""Boxes: over the antimeridian, in any range of longitudes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.errors import Invalid
from terrella.model.space import GLOBE, Extent, wrap180

LON = st.floats(-360, 360)


def inside(extent: Extent, lon: float) -> bool:
    lon = wrap180(lon)
    return any(part.west <= lon <= part.east or part.west <= lon + 360 <= part.east for part in extent.parts())


@settings(derandomize=True, deadline=None)
@given(LON, st.floats(0, 359), st.floats(0, 1))
def test_a_box_holds_the_longitudes_between_its_edges(west: float, width: float, share: float) -> None:
    west, width = round(west, 3), round(width, 3)
    if west + width > 360:
        west -= 360
    found = Extent.of(west, -10, west + width, 10)
    assert found.width == pytest.approx(width, abs=1e-6) or width == 0
    between = west + width * (0.01 + 0.98 * share)
    assert inside(found, between) or width < 1e-3


def test_all_around_is_the_globe() -> None:
    assert Extent.of(0, -90, 360, 90) == GLOBE
    assert Extent.of(-180, -90, 180, 90) == GLOBE
    assert Extent.of(170, 0, -170, 1).crosses_antimeridian
    assert Extent.of(170, 0, 190, 1) == Extent(170, 0, -170, 1)
    assert [part.bbox() for part in Extent(170, 0, -170, 1).parts()] == [[170, 0, 180, 1], [-180, 0, -170, 1]]


@pytest.mark.parametrize(
    "numbers", [(0, 10, 1, 0), (0, -91, 1, 0), (0, 0, 1, 91), (float("nan"), 0, 1, 1), (0, 0, float("inf"), 1), (500, 0, 501, 1)]
)  # fmt: skip
def test_nonsense_is_refused(numbers: tuple[float, float, float, float]) -> None:
    with pytest.raises(Invalid) as refused:
        Extent.of(*numbers)
    assert refused.value.parameter == "bbox"
