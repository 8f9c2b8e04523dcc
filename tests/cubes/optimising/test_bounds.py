"""What users write for the largest error."""

import pytest

from terrella.cubes.optimising.bounds import ErrorBound, error_bound, error_bounds
from terrella.errors import Invalid


def test_absolute_and_relative_bounds_are_told_apart() -> None:
    assert error_bounds(["2t=0.05", "tp = 0.1%"]) == {"2t": ErrorBound(0.05), "tp": ErrorBound(0.001, is_relative=True)}
    assert error_bounds({"2t": 0.05}) == {"2t": ErrorBound(0.05)}


def test_a_relative_bound_is_a_part_of_the_range() -> None:
    assert error_bound("0.1%").absolute(200, 300) == pytest.approx(0.1)
    assert error_bound("0.5").absolute(200, 300) == 0.5


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "x", "", "100%", "0%", "-1%"])
def test_what_is_no_bound_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="positive number"):
        error_bound(text)


@pytest.mark.parametrize("text", ["2t", "=0.1", " =1"])
def test_a_bound_names_its_variable(text: str) -> None:
    with pytest.raises(Invalid, match="VARIABLE=VALUE"):
        error_bounds([text])
