"""Tiles as a client reads them: nothing here is Terrella's."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

if TYPE_CHECKING:
    import httpx


def values_in(answer: httpx.Response, said: dict[str, Any], width: int = 258) -> np.ndarray:
    """float64 of a tile of values; NaN for no data."""
    assert answer.headers["content-type"] == "application/vnd.terrella.values"
    rows = np.frombuffer(answer.content, dtype="<u2").reshape(-1, width)
    numbers = np.cumsum(rows, axis=1, dtype=np.uint16)
    return np.where(numbers == 0, np.nan, numbers * said["scale"] + said["offset"])


def rgba(data: bytes) -> np.ndarray:
    """A PNG as GDAL reads it, (rows, columns, 4)."""
    with warnings.catch_warnings(), MemoryFile(data) as memory:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open() as image:
            if image.count == 4:
                return np.moveaxis(image.read(), 0, -1)
            assert image.count == 1
            table = image.colormap(1)
            return np.array([table[i] for i in range(256)], dtype=np.uint8)[image.read(1)]
