"""Attributes of HDF5 objects as plain values; technical ones are left away."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from terrella.cubes.cf.attributes import decoded

_TECHNICAL_WORDS = """
    CLASS NAME DIMENSION_LIST REFERENCE_LIST DIMENSION_LABELS
    _Netcdf4Dimid _Netcdf4Coordinates _nc3_strict _NCProperties _NCCOPY
"""
_TECHNICAL = frozenset(_TECHNICAL_WORDS.split())


def attributes(thing: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    """Values as numpy scalars, arrays or text. An attribute that the library cannot read is passed over."""
    found: dict[str, Any] = {}
    for number in range(h5py.h5a.get_num_attrs(thing.id)):
        try:
            one = h5py.h5a.open(thing.id, index=number)
            name = decoded(one.name)
            if name not in _TECHNICAL:
                found[name] = _value(thing, one, name)
        except (OSError, TypeError, ValueError, KeyError, RuntimeError, UnicodeError):
            continue
    return {name: value for name, value in found.items() if value is not None}


def _value(thing: h5py.Group | h5py.Dataset, one: h5py.h5a.AttrID, name: str) -> Any:
    """Numbers are read straight; text of any kind the long way round."""
    dtype = one.dtype
    if dtype.kind in "iuf" and dtype.metadata is None:
        raw = np.empty(one.shape, dtype=dtype)
        one.read(raw)
        return raw.reshape(-1)[0] if raw.size == 1 else raw if raw.size else None
    value = thing.attrs[name]
    if isinstance(value, h5py.Empty):
        return ""
    if isinstance(value, np.ndarray):
        return _list(value)
    return _text(value)


def _list(value: np.ndarray) -> Any:
    if value.dtype.kind in "iufb":
        return value.reshape(-1)[0] if value.size == 1 else value
    words = [_text(one) for one in value.reshape(-1).tolist()]
    if not all(isinstance(word, str) for word in words):
        return None
    return words[0] if len(words) == 1 else ", ".join(words)


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return decoded(value)
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:  # bytes that are no UTF-8, smuggled in as surrogates
            return decoded(value.encode("utf-8", "surrogateescape"))
        return value
    return value if isinstance(value, int | float | np.generic) else None
