"""Zarr codecs undone: each pipeline becomes a list of functions from bytes towards an array."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable
from typing import Any

import google_crc32c
import numcodecs
import numpy as np
from numcodecs import blosc, zstd
from numcodecs.abc import Codec

from terrella.errors import Unreadable

Step = Callable[[Any], Any]


class NotDecodable(Exception):
    """A codec or type that is left to the zarr library."""


_TYPES = {"bool": "|b1", "int8": "|i1", "uint8": "|u1"}
_KINDS = {"int": "i", "uint": "u", "float": "f", "complex": "c"}
_UNITS_OF_TIME = {"numpy.datetime64": "M8", "numpy.timedelta64": "m8"}


def dtype_of(document: dict[str, Any]) -> np.dtype[Any] | None:
    """Of an array's metadata, with byte order; object for text; None for what has no numbers."""
    if document.get("zarr_format") == 2:
        return _second_dtype(document.get("dtype"))
    return _third_dtype(document.get("data_type"), _endian(document.get("codecs") or []))


def _second_dtype(name: Any) -> np.dtype[Any] | None:
    if not isinstance(name, str):
        return None
    try:
        return np.dtype(name)
    except TypeError:
        return None


def _third_dtype(name: Any, order: str) -> np.dtype[Any] | None:
    settings = name.get("configuration", {}) if isinstance(name, dict) else {}
    plain = name.get("name") if isinstance(name, dict) else name
    if not isinstance(plain, str):
        return None
    if plain in _TYPES:
        return np.dtype(_TYPES[plain])
    if plain in {
        "string",
        "variable_length_utf8",
        "fixed_length_utf32",
        "null_terminated_bytes",
        "variable_length_bytes",
    }:
        return np.dtype(object)
    if plain in _UNITS_OF_TIME:
        step = int(settings.get("scale_factor", 1))
        return np.dtype(f"{order}{_UNITS_OF_TIME[plain]}[{step if step != 1 else ''}{settings.get('unit', 's')}]")
    word = plain.rstrip("0123456789")
    bits = plain[len(word) :]
    if word not in _KINDS or bits not in {"16", "32", "64", "128"}:
        return None
    return np.dtype(f"{order}{_KINDS[word]}{int(bits) // 8}")


def _endian(codecs: list[Any]) -> str:
    for codec in codecs:
        if not isinstance(codec, dict):
            continue
        settings = codec.get("configuration") or {}
        if codec.get("name") == "bytes":
            return ">" if settings.get("endian") == "big" else "<"
        if codec.get("name") == "sharding_indexed":
            return _endian(settings.get("codecs") or [])
    return "<"


def fill_of(document: dict[str, Any], dtype: np.dtype[Any]) -> Any:
    """The fill value as numpy has it; None for none."""
    value = document.get("fill_value")
    if value is None or dtype.kind not in "biuf":
        return None
    if isinstance(value, str):
        if value.startswith("0x"):
            return np.frombuffer(bytes.fromhex(value[2:]), dtype=dtype.newbyteorder(">"))[0]
        words = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
        if value not in words:
            return None
        value = words[value]
    try:
        return np.array(value).astype(dtype.newbyteorder("="))[()]
    except (ValueError, TypeError, OverflowError):
        return None


def second_steps(document: dict[str, Any], dtype: np.dtype[Any], shape: tuple[int, ...]) -> list[Step]:
    """Of a Zarr v2 array. Raises NotDecodable."""
    steps: list[Step] = []
    compressor, filters = document.get("compressor"), document.get("filters") or []
    if compressor:
        steps.append(_numcodec(compressor))
    steps += [_numcodec(one) for one in reversed(filters)]
    order = "F" if document.get("order") == "F" else "C"
    return [*steps, lambda data: _array(data, dtype, shape, order)]


def third_steps(codecs: list[dict[str, Any]], dtype: np.dtype[Any], shape: tuple[int, ...]) -> list[Step]:
    """Of a chain of Zarr v3 codecs without sharding. Raises NotDecodable."""
    forward = [_third_step(codec) for codec in codecs]
    turns = [settings for name, settings in forward if name == "transpose"]
    for order in turns:
        shape = tuple(shape[axis] for axis in order)
    steps = [settings for name, settings in reversed(forward) if name == "bytes-to-bytes"]
    steps.append(lambda data: _array(data, dtype, shape, "C"))
    steps += [settings for name, settings in reversed(forward) if name == "array-to-array"]
    steps += [_turned_back(order) for order in reversed(turns)]
    if turns and any(name == "array-to-array" for name, _ in forward):
        raise NotDecodable("transpose together with other filters")
    return steps


def _third_step(codec: dict[str, Any]) -> tuple[str, Any]:
    name, settings = codec.get("name"), codec.get("configuration") or {}
    if name == "bytes":
        return "bytes", None
    if name == "transpose" and isinstance(settings.get("order"), list):
        return "transpose", tuple(settings["order"])
    known: dict[Any, Step] = {
        "blosc": blosc.decompress,
        "zstd": zstd.decompress,
        "gzip": _gunzip,
        "crc32c": without_crc,
    }
    if name in known:
        return "bytes-to-bytes", known[name]
    if isinstance(name, str) and name.startswith("numcodecs."):
        step = _numcodec({"id": name.removeprefix("numcodecs."), **settings})
        filters = {"delta", "fixedscaleoffset", "quantize", "bitround", "astype", "packbits"}
        return "array-to-array" if name.removeprefix("numcodecs.") in filters else "bytes-to-bytes", step
    raise NotDecodable(f"codec {name!r}")


def _turned_back(order: tuple[int, ...]) -> Step:
    back = tuple(int(place) for place in np.argsort(order))
    return lambda data: data.transpose(back)


def _gunzip(data: Any) -> bytes:
    return zlib.decompress(data, 31)


def without_crc(data: Any) -> bytes:
    """Bytes before their CRC-32C. Raises Unreadable where it does not fit."""
    body, check = bytes(data[:-4]), bytes(data[-4:])
    if google_crc32c.value(body) != struct.unpack("<I", check)[0]:
        raise Unreadable("A chunk is damaged: its checksum does not fit.")
    return body


def _numcodec(settings: dict[str, Any]) -> Step:
    try:
        made: Codec = numcodecs.get_codec(dict(settings))
    except (ValueError, TypeError, KeyError) as error:
        raise NotDecodable(str(error)) from error
    decode: Step = made.decode
    return decode


def _array(data: Any, dtype: np.dtype[Any], shape: tuple[int, ...], order: str) -> np.ndarray:
    found = np.asarray(data) if isinstance(data, np.ndarray) else np.frombuffer(data, dtype=np.uint8)
    found = np.ascontiguousarray(found).reshape(-1).view(np.uint8)
    expected = math.prod(shape) * dtype.itemsize
    if found.nbytes < expected:
        raise Unreadable(f"A chunk is too short: {found.nbytes} bytes where {expected} were expected.")
    return found[:expected].view(dtype).reshape(shape, order="F" if order == "F" else "C")
