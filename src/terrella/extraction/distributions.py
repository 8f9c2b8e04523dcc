"""How values are distributed over the cells of a shape: what they are on average, how they spread, their histogram.

All shares are of area where cells have one. Values are read block by block, as reductions over space read them.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.encodings.calendars import iso
from terrella.errors import Invalid, TooLarge
from terrella.extraction.reducers import Step, quantiles
from terrella.extraction.reducing import SPACE
from terrella.extraction.streaming import pieces, reduced, split
from terrella.model.reduction import Reduce

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terrella.contracts.cubes import CubeVariable
    from terrella.extraction.reducing import Reductions
    from terrella.extraction.streaming import Read
    from terrella.model.extraction import Plan, Receipt
    from terrella.model.scan import Axis

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_BINS, USUAL_BINS = 1000, 32
MOST_ENTRIES = 1000
"""Steps of all axes together of which each variable is described."""
OVER_SPACE = (Reduce(SPACE, "median"),)
"""The reduction that reads, weighs and holds what a description does."""
_NAMES = {0.05: "p5", 0.25: "p25", 0.5: "median", 0.75: "p75", 0.95: "p95"}


@dataclass(frozen=True, slots=True)
class Bins:
    """Those of histograms: `count` of equal width, over a range, or over what there is. Raises Invalid."""

    count: int = USUAL_BINS
    range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST_BINS:
            raise Invalid(f"bins are 1..{MOST_BINS}, not {self.count}.", parameter="bins")
        if self.range is not None and not (all(map(math.isfinite, self.range)) and self.range[0] < self.range[1]):
            raise Invalid("range is LOW,HIGH with LOW below HIGH.", parameter="range")


@dataclass(frozen=True, eq=False)
class Described:
    """`entries` of each variable, one for each step of its axes, with the values of these."""

    variables: dict[str, CubeVariable]
    entries: dict[str, list[dict[str, Any]]]
    weights: str
    """In words: what each cell counts."""
    cells: int
    plan: Plan
    receipt: Receipt


def over_space(reduce: tuple[Reduce, ...]) -> tuple[Reduce, ...]:
    """These reductions and then one that reads, weighs and holds as a description does. Raises Invalid."""
    if any(one.over == SPACE for one in reduce):
        raise Invalid("Statistics are over space already: reduce over other axes only.", parameter="reduce")
    return (*reduce, *OVER_SPACE)


def check_steps(made: Reductions) -> None:
    """Raises TooLarge where there are too many steps."""
    for one in made.prepared.variables:
        sizes = dict(zip(made.dims(one), made.shape(one), strict=True))
        if (count := math.prod(sizes.values())) > MOST_ENTRIES:
            longest = max(sizes, key=lambda dim: sizes[dim])
            word = "datetime" if longest in ("time", "reference_time") else longest
            raise TooLarge(
                f"{one.name} has {count:,} steps of {', '.join(sizes)}; at most {MOST_ENTRIES:,} are described: "
                f"give {word}, or reduce over it: reduce=mean:{longest}.",
                parameter=word,
                details={"steps": count, "limit": MOST_ENTRIES},
            )


def described(made: Reductions, variable: CubeVariable, bins: Bins, read: Read) -> list[dict[str, Any]]:
    """Every step of the axes of a variable that are left, in order."""
    weights = made.steps[variable.name][-1].weights
    dims = made.dims(variable)
    found: dict[tuple[int, ...], dict[str, Any]] = {}
    for starts, values in _values(made, variable, read):
        for place in np.ndindex(values.shape[:-1]):
            at = tuple(start + step for start, step in zip(starts, place, strict=True))
            found[at] = _described(values[place], weights, bins)
    words = [_words(made, dim) for dim in dims]
    asked = (at for at in itertools.product(*(range(len(one)) for one in words)) if _is_asked(made, dims, at))
    return [
        dict(zip(dims, (one[step] for one, step in zip(words, at, strict=True)), strict=True)) | found[at]
        for at in asked
    ]


def _values(made: Reductions, variable: CubeVariable, read: Read) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Values with all cells as the last dimension, and the step of each axis at which they begin."""
    steps = made.steps[variable.name][:-1]
    if not steps:
        return pieces(made, variable, split(made, variable), read)
    before = replace(made, steps={variable.name: steps})
    found = reduced(before, variable, split(before, variable), read)
    return iter([((0,) * (found.ndim - 1), found)])


def _described(values: np.ndarray, weights: np.ndarray | None, bins: Bins) -> dict[str, Any]:
    """Of all cells at one step. What there is none of is None."""
    there = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(values.shape, dtype=bool)
    counted = there if weights is None else there & (weights > 0)
    made: dict[str, Any] = {"count": int(counted.sum()), "missing": int((~there).sum())}
    if weights is not None:
        made |= {"weight": float(weights[there].sum()), "weight_missing": float(weights[~there].sum())}
    for how in ("mean", "std", "min", "max"):
        made[how] = _number(Step(SPACE, Reduce(SPACE, how), _weights(how, weights)).apply(values, 0))
    shares = quantiles(values, weights, QUANTILES) if made["count"] else [math.nan] * len(QUANTILES)
    made |= {_NAMES[share]: _number(one) for share, one in zip(QUANTILES, shares, strict=True)}
    return made | {"histogram": _histogram(values[counted], None if weights is None else weights[counted], bins)}


def _weights(how: str, weights: np.ndarray | None) -> np.ndarray | None:
    return None if how in ("min", "max") else weights


def _number(value: Any) -> float | None:
    found = float(value)
    return None if math.isnan(found) else found


def _histogram(values: np.ndarray, weights: np.ndarray | None, bins: Bins) -> dict[str, Any] | None:
    """Edges, and of each bin how many cells and what share of the weight; the last bin holds its upper edge too.

    `below` and `above` are the shares outside of the range. None of no values.
    """
    finite = np.isfinite(values)
    numbers = values[finite].astype(np.float64)
    if not numbers.size:
        return None
    low, high = bins.range or _room(float(numbers.min()), float(numbers.max()))
    edges = np.linspace(low, high, bins.count + 1)
    edges[[0, -1]] = low, high
    share = np.ones(values.size) if weights is None else weights
    total = share.sum()
    count, _ = np.histogram(numbers, edges)
    part, _ = np.histogram(numbers, edges, weights=share[finite])
    return {
        "edges": edges.tolist(),
        "count": count.tolist(),
        "share": (part / total).tolist(),
        "below": float(share[values < low].sum() / total),
        "above": float(share[values > high].sum() / total),
    }


def _room(low: float, high: float) -> tuple[float, float]:
    """A range with room around a single value."""
    if low < high and high - low > 1e-12 * max(abs(low), abs(high)):
        return low, high
    room = max(abs(low), abs(high)) * 0.01 or 1.0
    return low - room, high + room


def _is_asked(made: Reductions, dims: tuple[str, ...], at: tuple[int, ...]) -> bool:
    """Whether its reference time plus step is one of the times asked for."""
    pairs, steps = made.prepared.pairs, dict(zip(dims, at, strict=True))
    if pairs is None or not {"reference_time", "step"} <= steps.keys():
        return True
    return bool(pairs[steps["reference_time"], steps["step"]])


def _words(made: Reductions, dim: str) -> list[Any]:
    """The values of an axis that are described, as requests name them."""
    axis: Axis = next(axis for axis in made.prepared.cube.axes if axis.name == dim)
    if dim in made.periods:
        return list(iso(made.periods[dim].starts, axis.calendar))
    indices = made.prepared.axes.get(dim)
    values = axis.values if indices is None else axis.values[indices]
    if axis.kind in ("time", "reference_time"):
        return list(iso(values, axis.calendar))
    if axis.kind == "step":
        return [value / 3_600_000 for value in values.tolist()]
    return list(values.tolist())
