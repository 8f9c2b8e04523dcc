"""Arrays inside JSON, and the short key of a grid."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numcodecs.zstd import compress, decompress

from terrella.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from terrella.model.stac import Document

Floats = np.ndarray[Any, np.dtype[np.float64]]
Cells = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


def pack(values: np.ndarray, dtype: str = "<f8") -> Document:
    """A table as `{"dtype", "shape", "zstd"}`: base64 of zstd of its little-endian bytes, C order.

    Negative zero and the payloads of NaN are made plain first, so that equal tables give equal JSON.
    """
    plain = np.array(values, dtype=dtype, order="C")
    if plain.dtype.kind == "f":
        plain += 0.0
        plain[np.isnan(plain)] = np.nan
    squeezed = compress(plain.tobytes(), 9)
    return {"dtype": dtype, "shape": list(plain.shape), "zstd": base64.b64encode(squeezed).decode("ascii")}


def unpack(table: Document) -> np.ndarray:
    """The table that `pack` wrote. Raises Invalid for anything else."""
    try:
        dtype, shape = np.dtype(table["dtype"]), tuple(int(n) for n in table["shape"])
        raw = decompress(base64.b64decode(table["zstd"], validate=True))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise Invalid(
            f"A grid's table is damaged: {error}. It needs dtype, shape and zstd.", parameter="grid"
        ) from None
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise Invalid("A grid's table has another length than its shape says.", parameter="grid")
    return np.frombuffer(raw, dtype=dtype).reshape(shape).astype(dtype.newbyteorder("="))


def canonical(document: Document) -> str:
    """One text for one JSON object: sorted keys, no blanks."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def grid_key(document: Document) -> str:
    """Sixteen hex digits that stand for a grid: equal JSON gives the same key (start of its SHA-256)."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()[:16]


def frozen(values: Sequence[float] | np.ndarray, dtype: type = np.float64) -> Any:
    """A read-only copy as float64 (or `dtype`), C order."""
    copy: np.ndarray = np.array(values, dtype=dtype, order="C")
    copy.setflags(write=False)
    return copy
