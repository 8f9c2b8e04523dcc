"""Stored numbers to values: CF packing, after cutting, so that only wanted numbers are touched."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from terrella.model.scan import Packing


def unpack(stored: np.ndarray, packing: Packing, dtype: np.dtype) -> np.ndarray:
    """Values as `dtype`; missing ones are NaN. Scaling is done in float64 (CF 1.11, 8.1), then rounded once."""
    if packing.is_plain:
        return stored.astype(dtype, copy=False)
    gone = missing_mask(stored, packing)
    values = stored
    if packing.scale != 1.0 or packing.offset != 0.0:
        values = stored.astype(np.float64)
        values *= packing.scale
        values += packing.offset
    values = values.astype(dtype, copy=gone is not None and values is stored)
    if gone is not None:
        values[gone] = np.nan
    return values


def missing_mask(stored: np.ndarray, packing: Packing) -> np.ndarray | None:
    """Which stored numbers mean that there is no value; None where none does."""
    gone: np.ndarray | None = None
    for number in _comparable(packing.missing, stored.dtype):
        here = stored == number
        gone = here if gone is None else gone | here
    if packing.valid_min is not None:
        below = stored < _python(packing.valid_min)
        gone = below if gone is None else gone | below
    if packing.valid_max is not None:
        above = stored > _python(packing.valid_max)
        gone = above if gone is None else gone | above
    return gone if gone is not None and gone.any() else None


def _python(number: float) -> float | int:
    return int(number) if float(number).is_integer() and abs(number) < 2**63 else float(number)


@lru_cache(maxsize=1024)
def _comparable(missing: tuple[float, ...], dtype: np.dtype) -> tuple[float | int | np.floating, ...]:
    """Missing numbers as `dtype` would hold them: 1e20 is written as the nearest float32."""
    real = [number for number in missing if not math.isnan(number)]
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return tuple(dtype.type(number) for number in real)
    whole = [_python(number) for number in real]
    return tuple(number for number in whole if isinstance(number, int))
