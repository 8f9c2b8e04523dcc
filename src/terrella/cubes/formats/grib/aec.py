"""The entropy decoder of CCSDS 121.0-B-3, from the libaec that ecCodes itself is linked with.

Numbers come in reference sample intervals (`how.interval` blocks of `how.block` numbers): each can be decoded alone
when the bit at which it starts is known. Releases of libaec from 1.1 on tell these bits while they decode.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyproj  # noqa: F401 -- before ecCodes: libproj clash

# isort: split
import eccodes

from terrella.errors import Internal, Unreadable

_MSB, _PREPROCESS, _THREE_BYTES = 4, 8, 2
_FLUSH = 1
_NAMES = {"darwin": ("libaec.0.dylib", "libaec.dylib"), "win32": ("aec.dll", "libaec.dll")}
_NEEDED = (
    "aec_decode_init",
    "aec_decode_enable_offsets",
    "aec_decode_count_offsets",
    "aec_decode_get_offsets",
    "aec_buffer_seek",
    "aec_decode",
    "aec_decode_end",
)
_PROBE = bytes.fromhex("390492492009249259092492")
"""200 to 207, 0 to 7, 100 to 107: differences of 8 bits in three intervals of one block, at bits 0, 32 and 63."""


class Packed(NamedTuple):
    """How numbers are packed: bits of each, libaec's flags, numbers in a block, blocks in an interval."""

    bits: int
    flags: int
    block: int
    interval: int

    @property
    def numbers(self) -> int:
        """Numbers in an interval."""
        return self.block * self.interval

    @property
    def dtype(self) -> np.dtype:
        return np.dtype("u1" if self.bits <= 8 else "u2" if self.bits <= 16 else "u4")


class _Stream(ctypes.Structure):
    """`struct aec_stream` of libaec.h, the same in all releases of its major version 0."""

    _fields_ = [
        ("next_in", ctypes.c_void_p),
        ("avail_in", ctypes.c_size_t),
        ("total_in", ctypes.c_size_t),
        ("next_out", ctypes.c_void_p),
        ("avail_out", ctypes.c_size_t),
        ("total_out", ctypes.c_size_t),
        ("bits_per_sample", ctypes.c_uint),
        ("block_size", ctypes.c_uint),
        ("rsi", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("state", ctypes.c_void_p),
    ]


def is_here() -> bool:
    """Whether there is a libaec that tells where intervals start, and that decodes a known message rightly."""
    return _library() is not None


@cache
def _library() -> ctypes.CDLL | None:
    for path in _places():
        try:
            found = ctypes.CDLL(path)
            for name in _NEEDED:
                getattr(found, name).restype = ctypes.c_int
        except (OSError, AttributeError):
            continue
        if _is_right(found):
            return found
    return None


def _places() -> list[str]:
    """Beside ecCodes' own library, then where the system has it."""
    beside = Path(str(eccodes.codes_get_library_path())).parent
    names = _NAMES.get(sys.platform, ("libaec.so.0", "libaec.so"))
    system = ctypes.util.find_library("aec")
    return [str(beside / name) for name in names if (beside / name).is_file()] + ([system] if system else [])


def _is_right(library: ctypes.CDLL) -> bool:
    """Whether it decodes known numbers, tells where their intervals start, and decodes one of these alone."""
    how = Packed(8, _PREPROCESS, 8, 1)
    try:
        numbers, bits = _decode(library, _PROBE, 0, 24, how, wants_bits=True)
        last, _ = _decode(library, _PROBE[7:], 7, 8, how)
    except Unreadable:
        return False
    known = [*range(200, 208), *range(8), *range(100, 108)]
    return [*numbers, *bits[:3], *last] == [*known, 0, 32, 63, *known[16:]]


def decode(data: bytes, count: int, how: Packed) -> tuple[np.ndarray, np.ndarray]:
    """All `count` numbers, and the bit at which each interval starts. Raises Unreadable where the data do not fit."""
    return _decode(_found(), data, 0, count, how, wants_bits=True)


def decode_from(data: bytes, bit: int, count: int, how: Packed) -> np.ndarray:
    """The first `count` numbers of the interval that starts at this bit. Raises Unreadable."""
    return _decode(_found(), data, bit, count, how)[0]


def _found() -> ctypes.CDLL:
    library = _library()
    if library is None:
        raise Internal("There is no libaec that tells where intervals start.")
    return library


def _decode(
    library: ctypes.CDLL, data: bytes, bit: int, count: int, how: Packed, *, wants_bits: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    out = np.empty(count, how.dtype)
    held = ctypes.c_char_p(data)
    flags = how.flags & ~(_THREE_BYTES | _MSB) | (_MSB if sys.byteorder == "big" else 0)
    stream = _Stream(ctypes.cast(held, ctypes.c_void_p), len(data), 0, out.ctypes.data, out.nbytes, 0)
    stream.bits_per_sample, stream.block_size, stream.rsi, stream.flags = how.bits, how.block, how.interval, flags
    at = ctypes.byref(stream)
    if library.aec_decode_init(at):
        raise Unreadable("A message says that it is packed in a way that there is not.")
    try:
        wrong = library.aec_decode_enable_offsets(at) if wants_bits else 0
        wrong = wrong or (library.aec_buffer_seek(at, ctypes.c_size_t(bit)) if bit else 0)
        wrong = wrong or library.aec_decode(at, _FLUSH)
        if wrong or stream.avail_out:
            raise Unreadable(
                f"Packed values are damaged: {count} were to come, {stream.total_out // out.itemsize} did."
            )
        return out, _starts(library, stream, -(-count // how.numbers)) if wants_bits else np.zeros(0, np.int64)
    finally:
        library.aec_decode_end(at)


def _starts(library: ctypes.CDLL, stream: _Stream, count: int) -> np.ndarray:
    """Of `count` intervals; libaec may add where the last one ends."""
    told, at = ctypes.c_size_t(), ctypes.byref(stream)
    wrong = library.aec_decode_count_offsets(at, ctypes.byref(told))
    found = (ctypes.c_size_t * told.value)()
    if wrong or library.aec_decode_get_offsets(at, found, told) or told.value < count:
        raise Unreadable("Packed values are damaged: nobody knows where their blocks start.")
    return np.array(found[:count], dtype=np.int64)
