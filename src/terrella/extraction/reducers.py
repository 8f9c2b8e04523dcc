"""Reducers over one dimension of an array, fed block by block: missing-aware, weighted, by groups."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from terrella.model.reduction import Reduce


@dataclass(frozen=True, eq=False)
class Step:
    """One reduction of one dimension.

    Along the dimension: `weights` (None: all alike) and `number`, the group of each index out of `groups` (None: one
    group, and the dimension goes).
    """

    dim: str
    reduce: Reduce
    weights: np.ndarray | None = None
    number: np.ndarray | None = None
    groups: int = 1

    @property
    def keeps(self) -> bool:
        """Whether the dimension stays, one index a group."""
        return self.number is not None

    @property
    def is_held(self) -> bool:
        """Whether all values must be there at once: no running sum gives a quantile."""
        return self.reduce.how in ("median", "quantile")

    def dtype(self, given: np.dtype) -> np.dtype:
        """Of the result: float64, but whole numbers for counts and the values' own kind for extremes."""
        if self.reduce.how in ("min", "max"):
            return given
        return np.dtype(np.int64 if self.reduce.how == "count" and self.weights is None else np.float64)

    def begin(self) -> Reducer:
        """A reducer that has seen nothing."""
        return _REDUCERS[self.reduce.how](self)

    def apply(self, values: np.ndarray, axis: int) -> np.ndarray:
        """The whole reduction at once."""
        reducer = self.begin()
        reducer.add(values, axis, slice(0, values.shape[axis]))
        return reducer.result()


class Reducer(ABC):
    """Sees blocks of values along its dimension, then says the result."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.axis = 0
        self._lost: np.ndarray | None = None

    def add(self, values: np.ndarray, axis: int, part: slice) -> None:
        """Values of the indices `part` of the dimension, which is the array's `axis`."""
        self.axis = axis
        step = self.step
        weights = None if step.weights is None else step.weights[part]
        number = None if step.number is None else step.number[part]
        if not step.reduce.skipna:
            found = np.isnan(values)
            self._lost = self._joined(self._lost, _grouped(np.logical_or, found, axis, number), number, np.logical_or)
        self._take(values, weights, number)

    def result(self) -> np.ndarray:
        """The dimension is gone, or has one index a group. Missing where there was nothing."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found = self._result()
        if self._lost is not None:
            found = np.where(self._lost, np.nan, found)
        return found if self.step.keeps else found.squeeze(axis=self.axis)

    @abstractmethod
    def _take(self, values: np.ndarray, weights: np.ndarray | None, number: np.ndarray | None) -> None: ...

    @abstractmethod
    def _result(self) -> np.ndarray: ...

    def _joined(
        self, held: np.ndarray | None, new: np.ndarray, number: np.ndarray | None, join: np.ufunc
    ) -> np.ndarray:
        """What is held for all groups, joined with what a block says of some; `join` of nothing is `new`."""
        if number is None:
            return new if held is None else np.asarray(join(held, new))
        if held is None:
            shape = (*new.shape[: self.axis], self.step.groups, *new.shape[self.axis + 1 :])
            held = np.full(shape, _neutral(join, new.dtype), dtype=new.dtype)
        where = (slice(None),) * self.axis + (np.unique(number),)
        held[where] = join(held[where], new)
        return held

    def _along(self, values: np.ndarray, ndim: int) -> np.ndarray:
        """Values of the dimension, to stand against arrays."""
        return values.reshape((-1,) + (1,) * (ndim - self.axis - 1))


def _neutral(join: np.ufunc, dtype: np.dtype) -> Any:
    """What joined with anything gives that thing."""
    if join not in (np.fmin, np.fmax):
        return 0
    if dtype.kind == "f":
        return np.nan
    info = np.iinfo(dtype)
    return info.max if join is np.fmin else info.min


def _grouped(ufunc: np.ufunc, values: np.ndarray, axis: int, number: np.ndarray | None) -> np.ndarray:
    """Reduced along an axis, which stays: length 1, or one index for each group that occurs, rising."""
    if number is None:
        return np.asarray(ufunc.reduce(values, axis=axis, keepdims=True))
    if (np.diff(number) < 0).any():
        order = np.argsort(number, kind="stable")
        values, number = values.take(order, axis=axis), number[order]
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    return np.asarray(ufunc.reduceat(values, starts, axis=axis))


def _summed(values: np.ndarray, axis: int, weights: np.ndarray | None, number: np.ndarray | None) -> np.ndarray:
    """Weighted sums in float64; values have no gaps."""
    if weights is None:
        if number is None:
            return np.asarray(values.sum(axis=axis, keepdims=True, dtype=np.float64))
        return _grouped(np.add, values.astype(np.float64, copy=False), axis, number)
    if number is None:
        return np.expand_dims(np.tensordot(values.astype(np.float64, copy=False), weights, axes=(axis, 0)), axis)
    return _grouped(np.add, values * weights.reshape((-1,) + (1,) * (values.ndim - axis - 1)), axis, number)


class _Totals(Reducer):
    """Mean, sum, count and exceedance: sums of weights and of weighted values."""

    _weight: np.ndarray | None = None
    _total: np.ndarray | None = None

    def _take(self, values: np.ndarray, weights: np.ndarray | None, number: np.ndarray | None) -> None:
        there = None
        if values.dtype.kind == "f" and (missing := np.isnan(values)).any():
            there = ~missing
            values = np.where(there, values, values.dtype.type(0))
        self._weight = self._joined(self._weight, self._weigh(values, there, weights, number), number, np.add)
        how = self.step.reduce.how
        if how == "count":
            return
        if how == "exceedance":
            values = self._beyond(values) if there is None else self._beyond(values) & there
        self._total = self._joined(self._total, _summed(values, self.axis, weights, number), number, np.add)

    def _weigh(
        self, values: np.ndarray, there: np.ndarray | None, weights: np.ndarray | None, number: np.ndarray | None
    ) -> np.ndarray:
        """The weight of all values that are there; where all are, that is one number a group."""
        if there is not None:
            return _summed(there, self.axis, weights, number)
        line = _line_weights(values.shape[self.axis], weights, number)
        shape = (*values.shape[: self.axis], line.size, *values.shape[self.axis + 1 :])
        return np.broadcast_to(self._along(line, values.ndim), shape)

    def _beyond(self, values: np.ndarray) -> np.ndarray:
        reduce = self.step.reduce
        return np.asarray(values > reduce.amount if reduce.direction == "above" else values < reduce.amount)

    def _result(self) -> np.ndarray:
        assert self._weight is not None
        if self.step.reduce.how == "count":
            return self._weight if self.step.weights is not None else np.rint(self._weight).astype(np.int64)
        assert self._total is not None
        if self.step.reduce.how == "sum":
            return np.where(self._weight > 0, self._total, np.nan)
        return np.where(self._weight > 0, self._total / self._weight, np.nan)


def _line_weights(size: int, weights: np.ndarray | None, number: np.ndarray | None) -> np.ndarray:
    """The weight of each group that occurs, where nothing is missing."""
    if number is None:
        return np.array([float(size) if weights is None else weights.sum()])
    counts = np.bincount(number, weights)
    return np.asarray(counts[np.unique(number)], dtype=np.float64)


class _Spread(Reducer):
    """Standard deviation of the population: sums of squares about the mean, blocks joined as Chan et al. 1979 do."""

    _weight: np.ndarray | float = 0.0
    _mean: np.ndarray | float = 0.0
    _squares: np.ndarray | float = 0.0

    def _take(self, values: np.ndarray, weights: np.ndarray | None, number: np.ndarray | None) -> None:
        values = values.astype(np.float64)
        missing = np.isnan(values)
        there = (~missing).astype(np.float64)
        if weights is not None:
            there *= self._along(weights, values.ndim)
        values[missing] = 0.0
        weight = _grouped(np.add, there, self.axis, number)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(weight > 0, _grouped(np.add, values * there, self.axis, number) / weight, 0.0)
        values -= mean if number is None else mean.take(np.unique(number, return_inverse=True)[1], axis=self.axis)
        squares = _grouped(np.add, there * values**2, self.axis, number)
        self._merge(weight, mean, squares, number)

    def _merge(self, weight: np.ndarray, mean: np.ndarray, squares: np.ndarray, number: np.ndarray | None) -> None:
        if isinstance(self._weight, float):
            shape = (*weight.shape[: self.axis], self.step.groups, *weight.shape[self.axis + 1 :])
            self._weight, self._mean, self._squares = (np.zeros(shape) for _ in range(3))
        assert isinstance(self._mean, np.ndarray)
        assert isinstance(self._squares, np.ndarray)
        where = (slice(None),) * self.axis + (slice(None) if number is None else np.unique(number),)
        held, apart = self._weight[where], mean - self._mean[where]
        both = held + weight
        share = np.divide(weight, both, out=np.zeros_like(both), where=both > 0)
        self._mean[where] += apart * share
        self._squares[where] += squares + apart**2 * held * share
        self._weight[where] = both

    def _result(self) -> np.ndarray:
        weight = np.asarray(self._weight)
        return np.where(weight > 0, np.sqrt(np.asarray(self._squares) / weight), np.nan)


class _Extremes(Reducer):
    """The least or the greatest of the values that are there."""

    _best: np.ndarray | None = None

    def _take(self, values: np.ndarray, weights: np.ndarray | None, number: np.ndarray | None) -> None:
        del weights
        better = np.fmin if self.step.reduce.how == "min" else np.fmax
        self._best = self._joined(self._best, _grouped(better, values, self.axis, number), number, better)

    def _result(self) -> np.ndarray:
        assert self._best is not None
        return self._best


class _Quantile(Reducer):
    """The median and other quantiles: everything is kept until the end.

    Of equal weights linear between order statistics (Hyndman and Fan 1996, type 7); else the lowest value that reaches
    that share of the weight.
    """

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self._blocks: list[np.ndarray] = []

    def _take(self, values: np.ndarray, weights: np.ndarray | None, number: np.ndarray | None) -> None:
        del weights, number  # those of the step are for all blocks together
        self._blocks.append(values)

    def _result(self) -> np.ndarray:
        values = np.concatenate(self._blocks, axis=self.axis) if len(self._blocks) > 1 else self._blocks[0]
        weights, number = self.step.weights, self.step.number
        if number is None:
            return self._of(values, weights)
        made = []
        for group in range(self.step.groups):
            here = np.flatnonzero(number == group)
            part = None if weights is None else weights[here]
            made.append(self._of(values.take(here, axis=self.axis), part))
        return np.concatenate(made, axis=self.axis)

    def _of(self, values: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        """One group; the axis stays with length 1."""
        share = 0.5 if self.step.reduce.amount is None else self.step.reduce.amount
        (found,) = quantiles(np.moveaxis(values, self.axis, -1), weights, (share,))
        return np.expand_dims(found, self.axis)


def quantiles(values: np.ndarray, weights: np.ndarray | None, shares: Sequence[float]) -> list[np.ndarray]:
    """Several of them along the last axis, NaN left out, as `_Quantile` has them: values are sorted once."""
    if weights is None:
        ranked = np.sort(values, axis=-1)
        return [_equal_quantile(ranked, share) for share in shares]
    order = np.argsort(values, axis=-1, kind="stable")
    ranked = np.take_along_axis(values, order, axis=-1).astype(np.float64)
    return [_weighted_quantile(ranked, weights[order], share) for share in shares]


def _equal_quantile(ranked: np.ndarray, share: float) -> np.ndarray:
    """Along the last axis, which rises, NaN last."""
    count = (~np.isnan(ranked)).sum(axis=-1, keepdims=True) if ranked.dtype.kind == "f" else None
    last = np.full((*ranked.shape[:-1], 1), ranked.shape[-1] - 1) if count is None else np.maximum(count - 1, 0)
    place = share * last
    low = np.floor(place).astype(np.int64)
    below = np.take_along_axis(ranked, low, axis=-1).astype(np.float64)
    above = np.take_along_axis(ranked, np.minimum(low + 1, last), axis=-1).astype(np.float64)
    between = place - low
    # infinite neighbours have no middle: without a part of it the upper one must not count
    found = np.where(between > 0, below + (above - below) * between, below)
    return np.asarray(found[..., 0])


def _weighted_quantile(ranked: np.ndarray, weights: np.ndarray, share: float) -> np.ndarray:
    """Along the last axis, which rises, NaN last: the inverse of the weighted distribution function."""
    there = ~np.isnan(ranked)
    reached = np.cumsum(np.where(there, weights, 0.0), axis=-1)
    wanted = share * reached[..., -1:] * (1 - 1e-14)
    at = np.argmax((reached >= wanted) & (reached > 0), axis=-1)[..., None]
    return np.asarray(np.take_along_axis(np.where(there, ranked, np.nan), at, axis=-1)[..., 0])


_REDUCERS: dict[str, type[Reducer]] = {
    "mean": _Totals,
    "sum": _Totals,
    "count": _Totals,
    "exceedance": _Totals,
    "std": _Spread,
    "min": _Extremes,
    "max": _Extremes,
    "median": _Quantile,
    "quantile": _Quantile,
}
