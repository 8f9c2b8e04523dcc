"""Which coordinates are evenly spaced, and how they are written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.errors import Invalid
from terrella.grids import RectilinearGrid, RegularGrid, gaussian_latitudes, regular_or_rectilinear
from terrella.grids.lines import Line, even


@settings(derandomize=True, deadline=None)
@given(
    first=st.sampled_from([-180.0, 0.0, 89.875, -33.1, 12.3456]),
    step=st.sampled_from([0.25, -0.25, 0.1, 1 / 12, 2.8125, -0.703125, 0.11, 1.875]),
    count=st.integers(2, 1000),
)
def test_single_and_double_precision_give_one_grid(first: float, step: float, count: int) -> None:
    values = first + step * np.arange(count)
    double, single = even(values), even(values.astype(np.float32))
    assert double == pytest.approx((first, step), rel=1e-9)
    assert single == pytest.approx((first, step), rel=1e-4, abs=1e-4)
    assert even(values.astype(np.float32).astype(np.float64)) == single
    if abs(values).max() < 400 and step not in (1 / 12, 2.8125, -0.703125) and first != 12.3456:
        assert single == double


def test_gaussian_latitudes_are_uneven() -> None:
    for n in (16, 80, 320, 1280):
        assert even(gaussian_latitudes(n)) is None
        assert even(gaussian_latitudes(n).astype(np.float32)) is None


def test_kinds_of_grid() -> None:
    assert regular_or_rectilinear(np.arange(3.0), np.arange(4.0)) == RegularGrid(0, 1, 3, 0, 1, 4)
    falling = regular_or_rectilinear(np.arange(3.0)[::-1], np.arange(4) + 180)
    assert falling == RegularGrid(2, -1, 3, 180, 1, 4)
    assert isinstance(regular_or_rectilinear(np.array([0.0, 1, 3]), np.arange(4.0)), RectilinearGrid)
    seam = regular_or_rectilinear(np.arange(3.0), np.array([178.0, 179, -180, -179]))
    assert seam.kind == "rectilinear"
    assert seam.extent().crosses_antimeridian
    assert seam.nearest(np.array([180.2]), np.array([1.0])).tolist() == [6]


@pytest.mark.parametrize("wrong", [np.array([]), np.zeros((2, 2)), np.array([0.0, np.nan, 2.0])])
def test_no_coordinates(wrong: np.ndarray) -> None:
    with pytest.raises(Invalid, match="coordinates"):
        regular_or_rectilinear(wrong, np.arange(3.0))


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(0.01, 9.0), min_size=1, max_size=20), st.booleans(), st.floats(-3.0, 25.0))
def test_index_is_the_inverse_of_at(steps: list[float], falls: object, index: float) -> None:
    values = np.cumsum([1.0, *steps])
    line = Line.of(values[::-1] if falls else values)
    assert line.index(line.at(np.array([index])))[0] == pytest.approx(index, abs=1e-6)
    np.testing.assert_allclose(line.index(line.values), np.arange(line.count), atol=1e-6)
