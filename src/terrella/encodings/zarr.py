"""Zarr v3, as every reader of it knows it: metadata documents, and chunks as little-endian numbers under zstd.

The documents follow the Zarr v3 core specification with inline consolidated metadata, as zarr-python writes it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numcodecs.vlen import VLenUTF8
from numcodecs.zstd import VERSION_NUMBER, compress

if TYPE_CHECKING:
    from collections.abc import Mapping

CHUNK_MEDIA_TYPE = "application/octet-stream"
_LEVEL = 1
"""Of zstd: floats hardly get smaller with more, and somebody is waiting."""
ENCODING = f"zarr3-zstd{_LEVEL}-{VERSION_NUMBER}"
"""Names how chunks are written: equal values and equal names give equal bytes."""
_KINDS = {"i": "int", "u": "uint", "f": "float"}


def is_text(dtype: np.dtype) -> bool:
    return dtype.kind in "OUT"


def fill_value(dtype: np.dtype) -> float | int | bool | str:
    """What stands where no chunk is: NaN, 0, False or the empty text."""
    if is_text(dtype):
        return ""
    if dtype.kind == "b":
        return False
    return math.nan if dtype.kind == "f" else 0


def array_document(
    shape: tuple[int, ...], chunks: tuple[int, ...], dtype: np.dtype, dims: tuple[str, ...], attrs: Mapping[str, Any]
) -> dict[str, Any]:
    """The `zarr.json` of an array."""
    fill = fill_value(dtype)
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": _data_type(dtype),
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunks)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": "NaN" if isinstance(fill, float) else fill,
        "codecs": [_serializer(dtype), {"name": "zstd", "configuration": {"level": _LEVEL, "checksum": False}}],
        "attributes": plain(attrs),
        "dimension_names": list(dims),
        "storage_transformers": [],
    }


def group_document(attrs: Mapping[str, Any], arrays: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The `zarr.json` of a group, with those of its arrays inside."""
    return {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": plain(attrs),
        "consolidated_metadata": {"kind": "inline", "must_understand": False, "metadata": dict(arrays)},
    }


def encode(values: np.ndarray, chunks: tuple[int, ...]) -> bytes:
    """A chunk; what lies beyond the array's end is filled up, as the specification wants it."""
    if values.shape != chunks:
        whole = np.full(chunks, fill_value(values.dtype), dtype=object if is_text(values.dtype) else values.dtype)
        whole[tuple(slice(0, size) for size in values.shape)] = values
        values = whole
    if is_text(values.dtype):
        raw = bytes(VLenUTF8().encode(np.asarray(values, dtype=object).ravel()))
    else:
        raw = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes()
    return bytes(compress(raw, _LEVEL))


def plain(value: Any) -> Any:
    """An attribute as JSON can hold it; NaN and infinities become text, as CF readers of Zarr expect."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "items"):
        return {str(key): plain(one) for key, one in value.items()}
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _data_type(dtype: np.dtype) -> str:
    if is_text(dtype):
        return "string"
    if dtype.kind == "b":
        return "bool"
    return f"{_KINDS[dtype.kind]}{dtype.itemsize * 8}"


def _serializer(dtype: np.dtype) -> dict[str, Any]:
    if is_text(dtype):
        return {"name": "vlen-utf8"}
    if dtype.itemsize == 1:
        return {"name": "bytes"}
    return {"name": "bytes", "configuration": {"endian": "little"}}
