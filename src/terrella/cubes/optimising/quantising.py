"""Values as whole numbers of steps, such that each decodes to within a stated error: CF packing (CF 1.11, 8.1).

The rounding trap: a step of exactly twice the bound breaks it when a reader rounds to float32. The step is therefore
taken smaller by what decoding may add (`_margin`), and every value is decoded again and compared while writing: in
float64; in float64 rounded to float32; and, where float32 can hold the bound at all, in float32 arithmetic alone, as
some readers do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from terrella.cubes.optimising.summaries import Summary
from terrella.errors import Internal
from terrella.model.scan import Packing

_LARGEST = {"<i2": 2**15 - 1, "<i4": 2**31 - 1}
"""The number below the lowest of these stands for missing."""
_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Storage:
    """How values are stored: as they are (`scale` 0), or as whole numbers of steps.

    `bound` is the largest allowed error in the variable's units, 0 for none. `single` says that float32 arithmetic
    holds it too.
    """

    dtype: str
    bound: float = 0.0
    scale: float = 0.0
    offset: float = 0.0
    single: bool = False

    @property
    def is_packed(self) -> bool:
        return self.scale > 0

    @property
    def fill(self) -> float:
        """The stored number of what is missing."""
        return -_LARGEST[self.dtype] - 1 if self.is_packed else (math.nan if "f" in self.dtype else 0)

    @property
    def packing(self) -> Packing:
        """As our reader undoes it."""
        return Packing(self.scale, self.offset, (self.fill,)) if self.is_packed else Packing()

    @property
    def attributes(self) -> dict[str, Any]:
        """CF attributes by which any reader undoes it, and what is promised."""
        if not self.is_packed:
            return {"max_absolute_error": 0.0}
        return {
            "scale_factor": self.scale,
            "add_offset": self.offset,
            "_FillValue": int(self.fill),
            "max_absolute_error": self.bound,
            "max_absolute_error_comment": (
                "No decoded value differs from its original by more than max_absolute_error: values were rounded to "
                "whole steps of scale_factor, and each was decoded and compared while it was written, in "
                + ("float64 and float32." if self.single else "float64. Decode in float64.")
            ),
        }


@dataclass(frozen=True, slots=True)
class Errors:
    """Of what was written: the largest error, and the sum over `count` values."""

    largest: float = 0.0
    total: float = 0.0
    count: int = 0

    def __add__(self, other: Errors) -> Errors:
        return Errors(max(self.largest, other.largest), self.total + other.total, self.count + other.count)

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0


def storage_for(dtype: np.dtype[Any], summary: Summary, bound: float) -> Storage:
    """The smallest way to store values of this range within the bound; as they are where no packing keeps it."""
    plain = Storage(dtype.newbyteorder("<").str)
    if bound <= 0 or dtype.kind != "f" or not summary.is_finite:
        return plain
    if summary.is_empty:
        return Storage("<i2", bound, 1.0, 0.0, single=True)
    largest = max(abs(summary.low), abs(summary.high))
    for single in (True, False):
        if not single and dtype.itemsize == 4:
            break  # such values are read as float32
        step = _step(bound, largest, single=single)
        found = _packed(summary, bound, step, single=single) if step > 0 else None
        if found is not None:
            return found
    return plain


def _margin(largest: float, *, single: bool) -> float:
    """What decoding may add to the error: two roundings of a product and a sum, of numbers up to twice the largest."""
    kind = np.float32 if single else np.float64
    with np.errstate(over="ignore"):
        held = kind(2 * largest)
    return 2 * float(np.spacing(held)) if np.isfinite(held) else math.inf


def _step(bound: float, largest: float, *, single: bool) -> float:
    """At most twice what is left of the bound; where float32 is used, a number that float32 holds. 0 for none."""
    left = bound - _margin(largest, single=single)
    if not left > bound / 2:
        return 0.0
    if not single:
        return 2 * left if math.isfinite(2 * left) else 0.0
    with np.errstate(over="ignore"):
        held = np.float32(2 * left)
    if not np.isfinite(held):
        held = np.finfo(np.float32).max
    if float(held) > 2 * left:
        held = np.nextafter(held, np.float32(0))
    return float(held) if held >= np.finfo(np.float32).tiny else 0.0


def _packed(summary: Summary, bound: float, step: float, *, single: bool) -> Storage | None:
    """16 bits where they reach, else 32; zero stays zero where that costs nothing."""
    largest = max(abs(summary.low), abs(summary.high))
    middle = summary.low / 2 + summary.high / 2
    if single:
        middle = float(np.float32(middle))
    half = max(summary.high - middle, middle - summary.low)
    highest = float(np.finfo(np.float32 if single else np.float64).max)
    for dtype, most in _LARGEST.items():
        # readers decode what is missing too before they mask it: that must not overflow
        held = min(step, float(np.float32(highest / most / 4)) if single else highest / most / 4)
        if summary.low <= 0 <= summary.high and largest / held < most - 1:
            return Storage(dtype, bound, held, 0.0, single)
        if half / held < most - 1:
            return Storage(dtype, bound, held, middle, single)
    return None


def stored(values: np.ndarray, storage: Storage) -> tuple[np.ndarray, Errors]:
    """What to write, and the errors that a reader will meet. Raises Internal where one is beyond the bound."""
    count = values.size
    if not storage.is_packed:
        return values, Errors(count=count)
    made = np.empty(values.shape, dtype=storage.dtype)
    source, target = values.reshape(-1), made.reshape(-1)
    errors = Errors()
    for start in range(0, count, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        target[part] = _rounded(source[part], storage)
        errors += _errors(source[part], target[part], storage)
    if errors.largest > storage.bound:
        raise Internal(f"An error of {errors.largest:g} is beyond the bound of {storage.bound:g}.")
    return made, errors


def _rounded(values: np.ndarray, storage: Storage) -> np.ndarray:
    steps = values.astype(np.float64)
    steps -= storage.offset
    steps /= storage.scale
    np.rint(steps, out=steps)
    return np.where(np.isnan(steps), storage.fill, steps).astype(storage.dtype)


def _errors(values: np.ndarray, numbers: np.ndarray, storage: Storage) -> Errors:
    there = ~np.isnan(values)
    if not np.array_equal(there, numbers != storage.fill):
        raise Internal("A missing value did not stay missing.")
    wanted = values[there].astype(np.float64)
    if not wanted.size:
        return Errors()
    given = numbers[there]
    exact = np.abs(given.astype(np.float64) * storage.scale + storage.offset - wanted)
    largest = float(exact.max())
    for decoded in _decoded(given, storage):
        largest = max(largest, float(np.abs(decoded.astype(np.float64) - wanted).max()))
    return Errors(largest, float(exact.sum()), wanted.size)


def _decoded(numbers: np.ndarray, storage: Storage) -> list[np.ndarray]:
    """As readers with float32 do: rounding at the end, or all the way."""
    if not storage.single:
        return []
    at_the_end = (numbers.astype(np.float64) * storage.scale + storage.offset).astype(np.float32)
    all_the_way = numbers.astype(np.float32) * np.float32(storage.scale) + np.float32(storage.offset)
    return [at_the_end, all_the_way]
