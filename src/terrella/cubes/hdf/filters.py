"""HDF5 filter pipelines undone without the HDF5 library, so that chunks are read by range and in parallel.

Filter numbers: HDF5 registered filters (The HDF Group). What is not here is read through h5py.
"""

from __future__ import annotations

import bz2
import zlib
from typing import Any

import h5py
import numpy as np
from numcodecs import blosc, zstd
from numcodecs.fletcher32 import Fletcher32
from numcodecs.shuffle import Shuffle

from terrella.errors import Unreadable

_NAMES = {1: "deflate", 2: "shuffle", 3: "fletcher32", 307: "bzip2", 32001: "blosc", 32015: "zstd"}


def pipeline(plist: h5py.h5p.PropDCID) -> list[list[Any]] | None:
    """Filters in the order in which writing applied them, as JSON; None where one is not known here."""
    found: list[list[Any]] = []
    for place in range(plist.get_nfilters()):
        number, _, values, _ = plist.get_filter(place)
        if number not in _NAMES:
            return None
        found.append([_NAMES[number], *(values[:1] if number == 2 else ())])
    return found


def unavailable(plist: h5py.h5p.PropDCID) -> str:
    """The name of a filter that h5py cannot undo either; '' where there is none."""
    for place in range(plist.get_nfilters()):
        number, _, _, name = plist.get_filter(place)
        if number not in _NAMES and not h5py.h5z.filter_avail(number):
            return name.decode("utf-8", "replace").split(";")[0].strip("\0 ") or f"filter {number}"
    return ""


class Undo:
    """Decodes the chunks of one dataset. `masks` gives, for chunks that skipped filters, a bit for each
    skipped; `size` is that of a plain chunk, and what inflates to more is cut off.
    """

    def __init__(self, codec: dict[str, Any], size: int) -> None:
        self._most = size + 1024
        self._steps = [(1 << place, name, args) for place, (name, *args) in enumerate(codec.get("filters", ()))]
        self._steps.reverse()
        self._masks = {int(number): mask for number, mask in codec.get("masks", {}).items()}

    def __call__(self, raw: bytes, number: int) -> bytes | np.ndarray:
        mask = self._masks.get(number, 0)
        data: Any = raw
        for bit, name, args in self._steps:
            if not mask & bit:
                data = _undone(name, args, data, self._most)
        return data  # type: ignore[no-any-return]


def _undone(name: str, args: list[Any], data: Any, most: int) -> Any:
    try:
        if name == "deflate":
            return zlib.decompressobj().decompress(data, most)
        if name == "shuffle":
            return Shuffle(args[0]).decode(data) if args and args[0] > 1 else data
        if name == "fletcher32":
            return Fletcher32().decode(data)
        if name == "bzip2":
            return bz2.decompress(data)
        if name == "blosc":
            return blosc.decompress(data)
        return zstd.decompress(data)
    except (zlib.error, RuntimeError, OSError, ValueError) as error:
        raise Unreadable(f"A chunk is damaged ({name}: {error}).") from error
