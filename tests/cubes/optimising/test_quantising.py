"""No decoded value is off by more than was promised, however readers decode."""

import math
from fractions import Fraction

import numpy as np
import xarray as xr
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from terrella.cubes.optimising.quantising import Storage, storage_for, stored
from terrella.cubes.optimising.summaries import Summary
from terrella.cubes.packing import unpack

PROPERTY = settings(derandomize=True, deadline=None, max_examples=200)


def fields(kind: str, width: int) -> st.SearchStrategy[np.ndarray]:
    """Huge and tiny ranges, constants, missing values."""
    numbers = st.floats(width=width, allow_nan=True, allow_infinity=False)
    near = st.builds(
        lambda base, noise: (base + noise).astype(kind),
        st.sampled_from([0.0, 273.15, -1e-30, 101325.0, 1e30]),
        hnp.arrays("f4", st.integers(1, 30), elements=st.floats(-100, 100, width=32) | st.just(math.nan)),
    )
    free = hnp.arrays(kind, st.integers(1, 30), elements=numbers)
    constant = st.builds(lambda value, size: np.full(size, value, dtype=kind), numbers, st.integers(1, 30))
    return st.one_of(near, free, constant)


bounds = st.one_of(st.floats(1e-40, 1e35), st.sampled_from([1e-3, 0.05, 0.28, 1.0, 100.0]))


def worst(decoded: np.ndarray, values: np.ndarray) -> Fraction:
    """In whole numbers, so that the comparison itself does not round."""
    pairs = zip(decoded.tolist(), values.tolist(), strict=True)
    return max((abs(Fraction(a) - Fraction(b)) for a, b in pairs if not math.isnan(b)), default=Fraction(0))


def xarray_decoded(numbers: np.ndarray, storage: Storage) -> np.ndarray:
    encoded = xr.Dataset({"v": ("x", numbers, storage.attributes)})
    return xr.decode_cf(encoded)["v"].values


def check(values: np.ndarray, bound: float) -> Storage:
    storage = storage_for(values.dtype, Summary().with_values(values), bound)
    numbers, errors = stored(values, storage)
    if not storage.is_packed:
        np.testing.assert_array_equal(numbers, values)
        return storage
    ours = unpack(numbers, storage.packing, values.dtype)
    for decoded in (ours, xarray_decoded(numbers, storage)):
        assert worst(decoded, values) <= Fraction(bound)
        np.testing.assert_array_equal(np.isnan(decoded), np.isnan(values))
    if storage.single:
        there = ~np.isnan(values)
        single = numbers[there].astype("f4") * np.float32(storage.scale) + np.float32(storage.offset)
        assert worst(single, values[there]) <= Fraction(bound)
    assert worst(ours, values) <= Fraction(errors.largest) * (1 + Fraction(1, 2**40))
    return storage


@PROPERTY
@given(fields("f4", 32), bounds)
@example(np.array([250.0, 310.0], dtype="f4"), 0.28)
@example(np.array([0.0, 1e-45], dtype="f4"), 1e-40)
@example(np.array([-3.4028235e38, 3.4028235e38], dtype="f4"), 1e35)
@example(np.full(3, np.nan, dtype="f4"), 1.0)
def test_the_bound_holds_for_every_single_value(values: np.ndarray, bound: float) -> None:
    check(values, bound)


@PROPERTY
@given(fields("f8", 64), bounds)
@example(np.array([-1.7976931348623157e308, 1.7976931348623157e308]), 1e35)
@example(np.array([1e16, 1e16 + 2]), 0.5)
def test_the_bound_holds_for_every_double_value(values: np.ndarray, bound: float) -> None:
    check(values, bound)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(1e-2, 0.3))
def test_the_bound_holds_on_many_values_of_a_field(seed: int, part: float) -> None:
    rng = np.random.default_rng(seed)
    values = (rng.uniform(150, 300) + rng.uniform(1, 120) * rng.random(1000)).astype("f4")
    assert check(values, part * float(np.ptp(values))).dtype == "<i2"


def test_sixteen_bits_where_they_reach_and_else_thirty_two() -> None:
    values = np.array([0.0, 1000.0])
    assert check(values, 0.1).dtype == "<i2"
    assert check(values, 0.001).dtype == "<i4"
    assert not check(values, 1e-14).is_packed


def test_zero_stays_zero_where_that_costs_nothing() -> None:
    values = np.array([0.0, 0.013, 7.5], dtype="f4")
    storage = check(values, 0.004)
    assert storage.offset == 0.0


def test_a_bound_below_what_single_precision_holds_is_kept_by_storing_values_as_they_are() -> None:
    assert not check(np.array([101325.0, 101325.25], dtype="f4"), 0.004).is_packed


def test_half_the_step_is_nearly_the_bound() -> None:
    storage = check(np.linspace(220, 320, 1000).astype("f4"), 0.28)
    assert 0.99 * 0.56 < storage.scale < 0.56


def test_whole_numbers_and_no_bound_are_stored_as_they_are() -> None:
    assert storage_for(np.dtype("<f4"), Summary(0.0, 1.0), 0.0) == Storage("<f4")
    assert storage_for(np.dtype("<i4"), Summary(0.0, 1.0), 0.5) == Storage("<i4")


def test_infinite_values_are_seen() -> None:
    assert not Summary().with_values(np.array([1.0, np.inf])).is_finite
    assert not Summary().with_values(np.array([np.nan, -np.inf])).is_finite
    assert Summary().with_values(np.array([np.nan])).is_empty
