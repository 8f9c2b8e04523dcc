"""CF packing: attributes to `Packing`, and small variables to numbers."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from dataclasses import replace
from typing import Any

import numpy as np

from terrella.cubes.cf.attributes import numbers, text
from terrella.cubes.cf.tree import Variable
from terrella.model.scan import Packing

NETCDF_FILL = {
    "i1": -127,
    "u1": 255,
    "i2": -32767,
    "u2": 65535,
    "i4": -2147483647,
    "u4": 4294967295,
    "i8": -9223372036854775806,
    "u8": 18446744073709551614,
    "f4": 9.969209968386869e36,
    "f8": 9.969209968386869e36,
}
"""What the NetCDF library writes where nothing was written (netcdf.h, NC_FILL_*)."""


_LARGE = 1e30


def stored_dtype(variable: Variable) -> np.dtype[Any]:
    """Of decoded chunks: `_Unsigned` (NUG, appendix B) turns signed integers into unsigned ones, and back."""
    dtype = variable.dtype
    assert dtype is not None
    unsigned = text(variable.attrs.get("_Unsigned")).casefold()
    if dtype.kind == "b":
        return np.dtype("u1")
    if dtype.kind == "i" and unsigned == "true":
        return np.dtype(dtype.str.replace("i", "u"))
    if dtype.kind == "u" and unsigned == "false":
        return np.dtype(dtype.str.replace("u", "i"))
    return dtype


def packing(variable: Variable) -> Packing:
    """Scale, offset, and the stored numbers that mean missing. NaN needs no mention: it is missing by itself."""
    dtype = stored_dtype(variable)
    attrs = variable.attrs
    scale, offset = _first(attrs.get("scale_factor"), 1.0), _first(attrs.get("add_offset"), 0.0)
    low, high = _valid(attrs, dtype, scale, offset)
    return Packing(scale, offset, _missing(variable, dtype), low, high)


def _first(value: Any, default: float) -> float:
    found = numbers(value)
    return float(found[0]) if found and math.isfinite(found[0]) and len(found) == 1 else default


def _missing(variable: Variable, dtype: np.dtype[Any]) -> tuple[float, ...]:
    attrs = variable.attrs
    declared = [*_fill(attrs.get("_FillValue"), dtype), *numbers(attrs.get("missing_value"))]
    if "_FillValue" not in attrs and variable.unwritten is not None:
        declared.append(variable.unwritten)
    found = dict.fromkeys(one for value in declared for one in _as_stored(value, dtype))
    return tuple(found)


def _fill(value: Any, dtype: np.dtype[Any]) -> list[float | int]:
    """`_FillValue`; Zarr v3 stores write floats as base64 of little-endian doubles."""
    found = numbers(value)
    if found or not isinstance(value, str) or dtype.kind != "f":
        return found
    try:
        return [struct.unpack("<d", base64.standard_b64decode(value))[0]]
    except (struct.error, binascii.Error, ValueError):
        return []


def _as_stored(value: float, dtype: np.dtype[Any]) -> list[float]:
    """The number as the dtype holds it; [] where it cannot (NaN for an integer: nothing can be that)."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            held = float(np.array(value, dtype=np.float64).astype(dtype))
        return [held] if math.isfinite(held) else []
    if not math.isfinite(value) or value != int(value):
        return []
    info = np.iinfo(dtype)
    number = int(value)
    if number < info.min and dtype.kind == "u":
        number += 2 ** (8 * dtype.itemsize)  # written as the signed number with the same bits
    elif number > info.max and dtype.kind == "i" and number < 2 ** (8 * dtype.itemsize):
        number -= 2 ** (8 * dtype.itemsize)
    return [number] if info.min <= number <= info.max else []


def _valid(
    attrs: dict[str, Any], dtype: np.dtype[Any], scale: float, offset: float
) -> tuple[float | None, float | None]:
    """valid_range, or valid_min and valid_max, as stored numbers.

    A range written in floats beside packed integers is in unpacked units (NUG, appendix B).
    """
    low, high = _ends(attrs)
    is_packed = dtype.kind in "iu" and (scale, offset) != (1.0, 0.0)
    source = attrs.get("valid_range", attrs.get("valid_min", attrs.get("valid_max")))
    if is_packed and not isinstance(source, str | bytes) and np.asarray(source).dtype.kind == "f":
        low, high = _packed_end(low, scale, offset), _packed_end(high, scale, offset)
        low, high = (high, low) if scale < 0 else (low, high)
    if dtype.kind == "u":
        low, high = _unsigned(low, dtype), _unsigned(high, dtype)
    if low is not None and high is not None and low > high:
        return None, None  # nonsense would make everything missing
    return low, high


def _ends(attrs: dict[str, Any]) -> tuple[float | None, float | None]:
    span = numbers(attrs.get("valid_range"))
    if len(span) == 2:
        return _finite(span[0]), _finite(span[1])
    low, high = numbers(attrs.get("valid_min")), numbers(attrs.get("valid_max"))
    return _finite(low[0]) if len(low) == 1 else None, _finite(high[0]) if len(high) == 1 else None


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _packed_end(value: float | None, scale: float, offset: float) -> float | None:
    return None if value is None or scale == 0 else (value - offset) / scale


def _unsigned(value: float | None, dtype: np.dtype[Any]) -> float | None:
    return value + 2.0 ** (8 * dtype.itemsize) if value is not None and value < 0 else value


def coordinate(variable: Variable) -> np.ndarray:
    """All values of a small variable, unpacked: int64 where it is plain integers, else float64 with NaN for missing.

    Valid ranges are not applied: they are wrong on coordinates too often.
    """
    raw = np.asarray(variable.read())
    dtype = stored_dtype(variable)
    if raw.dtype.kind == "b" or (raw.dtype.kind in "iu" and raw.dtype.kind != dtype.kind):
        raw = raw.view(dtype.newbyteorder("=")) if raw.flags.c_contiguous else raw.astype(dtype)
    if variable.unwritten is not None and abs(variable.unwritten) < _LARGE:
        variable = replace(variable, unwritten=None)  # the 0 that Zarr 2 declares by itself is a good coordinate
    pack = packing(variable)
    gone = np.isin(raw, np.array(pack.missing, dtype=raw.dtype)) if pack.missing else np.zeros(raw.shape, dtype=bool)
    if raw.dtype.kind in "iu" and (pack.scale, pack.offset) == (1.0, 0.0) and not gone.any():
        return raw if raw.dtype == np.uint64 else raw.astype(np.int64)
    values = raw.astype(np.float64)
    if (pack.scale, pack.offset) != (1.0, 0.0):
        values = values * pack.scale + pack.offset
    return np.where(gone, np.nan, values)
