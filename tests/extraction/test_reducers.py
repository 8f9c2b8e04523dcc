"""Every reducer against numpy, in blocks, by groups, weighted, with gaps."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.extraction.reducers import Step
from terrella.model.reduction import HOWS, Reduce

PROPERTY = settings(derandomize=True, deadline=None, max_examples=120)


def truth(reduce, values, weights):
    """One group along the last axis, one row at a time: slow and plain."""
    return np.apply_along_axis(lambda row: _row(reduce, row, weights), -1, values)


def _row(reduce, row, weights):
    there = ~np.isnan(row)
    if not reduce.skipna and not there.all():
        return np.nan
    kept, w = row[there], np.ones(there.sum()) if weights is None else weights[there]
    if reduce.how == "count":
        return w.sum()
    if not kept.size:
        return np.nan
    if reduce.how in ("median", "quantile"):
        q = 0.5 if reduce.how == "median" else reduce.amount
        return np.quantile(kept, q) if weights is None else np.quantile(kept, q, weights=w, method="inverted_cdf")
    if reduce.how == "exceedance":
        hit = kept > reduce.amount if reduce.direction == "above" else kept < reduce.amount
        return np.average(hit, weights=w)
    if reduce.how == "std":
        return np.sqrt(np.average((kept - np.average(kept, weights=w)) ** 2, weights=w))
    made = {
        "mean": lambda: np.average(kept, weights=w),
        "sum": (kept * w).sum,
        "min": kept.min,
        "max": kept.max,
    }
    return made[reduce.how]()


@st.composite
def cases(draw):
    how = draw(st.sampled_from(HOWS))
    amount = {"quantile": draw(st.sampled_from([0, 0.25, 0.5, 0.9, 1])), "exceedance": 0.25}.get(how)
    direction = draw(st.sampled_from(["above", "below"])) if how == "exceedance" else "above"
    reduce = Reduce("x", how, amount=amount, direction=direction, skipna=how == "count" or draw(st.booleans()))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = draw(st.sampled_from([(7,), (3, 5), (2, 4, 6), (1, 1), (4, 1, 3)]))
    axis = draw(st.integers(0, len(shape) - 1))
    values = np.round(rng.normal(size=shape) * 3, 1).astype(draw(st.sampled_from(["f4", "f8"])))
    values[rng.random(shape) < draw(st.sampled_from([0, 0.3, 0.95]))] = np.nan
    weights = rng.random(shape[axis]) + 0.1 if draw(st.booleans()) and how not in ("min", "max") else None
    number = rng.integers(0, 3, shape[axis]) if draw(st.booleans()) else None
    if number is not None and draw(st.booleans()):
        number = np.sort(number)
    cut = draw(st.integers(1, shape[axis]))
    return reduce, values, axis, weights, number, cut


@PROPERTY
@given(cases())
def test_reducers_agree_with_numpy_row_by_row(case):
    reduce, values, axis, weights, number, cut = case
    if number is not None:
        names, number = np.unique(number, return_inverse=True)
    groups = 1 if number is None else names.size
    step = Step("x", reduce, weights, number, groups)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reducer = step.begin()
        for start in range(0, values.shape[axis], cut):
            part = slice(start, min(start + cut, values.shape[axis]))
            reducer.add(values.take(range(*part.indices(10**6)), axis=axis), axis, part)
        found = reducer.result()
    last = np.moveaxis(values.astype("f8"), axis, -1)
    if number is None:
        expected = truth(reduce, last, weights)
    else:
        rows = [np.flatnonzero(number == g) for g in range(groups)]
        made = [truth(reduce, last[..., r], None if weights is None else weights[r]) for r in rows]
        expected = np.moveaxis(np.stack(made, -1), -1, axis)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert found.dtype == step.dtype(values.dtype)


@pytest.mark.parametrize("how", HOWS)
def test_whole_numbers_have_no_gaps(how):
    amount = {"quantile": 0.5, "exceedance": 4}.get(how)
    values = np.arange(12).reshape(3, 4)
    step = Step("x", Reduce("x", how, amount=amount), None, np.array([0, 0, 1, 1]), 2)
    found = step.apply(values, 1)
    expected = np.stack(
        [truth(step.reduce, values[:, :2].astype("f8"), None), truth(step.reduce, values[:, 2:] * 1.0, None)], 1
    )
    np.testing.assert_allclose(found, expected)
    assert found.dtype == step.dtype(values.dtype)


def test_a_million_close_values_keep_their_spread():
    values = 1e6 + np.random.default_rng(1).normal(size=(1, 10**6))
    reducer = Step("x", Reduce("x", "std")).begin()
    for start in range(0, 10**6, 10**5):
        reducer.add(values[:, start : start + 10**5], 1, slice(start, start + 10**5))
    np.testing.assert_allclose(reducer.result(), values.std(axis=1), rtol=1e-10)
