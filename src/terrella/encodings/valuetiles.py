"""Values of a map tile as 16-bit numbers: 0 is no data, ``value = number * scale + offset``, small on the wire.

The bytes are little-endian uint16, row by row from the north, each row as its first number and then the differences to
the number before (modulo 65536). A client undoes that with a running sum along each row.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numcodecs.zstd import compress

MEDIA_TYPE = "application/vnd.terrella.values"
FORMAT = 1
"""Of the bytes and of how scales are chosen: it is part of addresses that are kept for ever."""
CODES = 65535
"""Numbers that mean a value: 1 to 65535."""
_LEVEL = 3
CODINGS = ("zstd", "gzip", "deflate", "identity")
"""Content codings, the best first (RFC 9110, 8.4.1; RFC 8878)."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """How numbers become values."""

    scale: float
    offset: float

    @classmethod
    def between(cls, low: float, high: float) -> Scaling:
        """The finest that holds both ends: 1 means `low`, 65535 means `high`; of one value, it alone."""
        scale = high / (CODES - 1) - low / (CODES - 1)
        if not scale > 0:
            scale = max(abs(low), 1.0) / (CODES - 1)
        scale = max(scale, float(np.finfo(np.float64).tiny))
        return cls(scale, low - scale)

    @classmethod
    def stepped(cls, low: float, step: float) -> Scaling:
        """Values that are all `step` apart, from `low` on."""
        return cls(step, low - step)

    def numbers(self, values: np.ndarray) -> tuple[np.ndarray, int]:
        """uint16 of values (0 where they are not finite), and how many lay outside and became the nearest end."""
        with np.errstate(over="ignore", invalid="ignore"):
            made = (values.astype(np.float64) - self.offset) / self.scale
        np.rint(made, out=made)
        real = np.isfinite(values) if values.dtype.kind == "f" else None
        held = np.clip(made, 1, CODES)
        outside = int(np.count_nonzero(held != made)) if real is None else int(np.count_nonzero((held != made) & real))
        if real is not None:
            held[~real] = 0
        return held.astype(np.uint16), outside

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """float64 of uint16; NaN for no data."""
        return np.where(numbers == 0, np.nan, numbers * np.float64(self.scale) + self.offset)


def filtered(numbers: np.ndarray) -> bytes:
    """The bytes of uint16 numbers (rows, columns)."""
    made = numbers.astype("<u2", copy=True)
    made[:, 1:] -= numbers[:, :-1]
    return made.tobytes()


def blank(shape: tuple[int, int]) -> bytes:
    """No data anywhere."""
    return bytes(2 * shape[0] * shape[1])


def unfiltered(data: bytes, width: int) -> np.ndarray:
    """The numbers again, uint16 of (rows, `width`)."""
    rows = np.frombuffer(data, dtype="<u2").reshape(-1, width)
    return np.cumsum(rows, axis=1, dtype=np.uint16)


def coded(data: bytes, coding: str) -> bytes:
    """The bytes under a content coding."""
    if coding == "zstd":
        return bytes(compress(data, _LEVEL))
    if coding == "gzip":
        packer = zlib.compressobj(1, wbits=31)
        return packer.compress(data) + packer.flush()
    return zlib.compress(data, 1) if coding == "deflate" else data


def accepted(header: str | None) -> str:
    """The best content coding that a client takes, by its Accept-Encoding (RFC 9110, 12.5.3)."""
    if header is None:
        return "identity"
    weights = dict(_weighed(one) for one in header.split(",") if one.strip())
    rest = weights.get("*", 0.0)
    weights.setdefault("identity", weights.get("*", 1e-6))  # always there, unless it is refused
    best = max(CODINGS, key=lambda coding: weights.get(coding, rest))
    return best if weights.get(best, rest) > 0 else "identity"


def _weighed(one: str) -> tuple[str, float]:
    name, _, rest = one.strip().partition(";")
    text = rest.strip().removeprefix("q=").strip()
    try:
        weight = float(text) if text else 1.0
    except ValueError:
        weight = 0.0
    return name.strip().casefold(), weight
