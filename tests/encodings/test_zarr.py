"""Documents and chunks, read back by zarr-python."""

from __future__ import annotations

import asyncio
import json
import warnings

import numpy as np
import pytest
import zarr
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import MemoryStore

from terrella.encodings.zarr import array_document, encode, group_document, plain


def _stored(values: np.ndarray, chunks: tuple[int, ...]) -> zarr.Array:
    """An array of zarr-python over our documents and chunks."""
    dims = tuple(f"d{d}" for d in range(values.ndim))
    document = array_document(values.shape, chunks, values.dtype, dims, {"units": "K"})
    keys = {"zarr.json": group_document({}, {"a": document}), "a/zarr.json": document}
    bodies = {key: json.dumps(body, allow_nan=False).encode() for key, body in keys.items()}
    for index in np.ndindex(*(-(-size // chunk) for size, chunk in zip(values.shape, chunks, strict=True))):
        window = tuple(slice(at * chunk, (at + 1) * chunk) for at, chunk in zip(index, chunks, strict=True))
        bodies["/".join(["a/c", *map(str, index)])] = encode(values[window], chunks)
    store = MemoryStore()
    prototype = default_buffer_prototype()
    for key, body in bodies.items():
        asyncio.run(store.set(key, prototype.buffer.from_bytes(body)))
    array = zarr.open_group(store, mode="r")["a"]
    assert isinstance(array, zarr.Array)
    return array


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">u2", "<i4", "<u4", "<i8", "<u8", "<f4", ">f4", "<f8", "?"])
@pytest.mark.parametrize(("shape", "chunks"), [((), ()), ((7,), (3,)), ((5, 4), (2, 4)), ((2, 3, 5), (2, 2, 2))])
def test_numbers_come_back(dtype: str, shape: tuple[int, ...], chunks: tuple[int, ...]) -> None:
    values = (np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2).astype(dtype)
    array = _stored(values, chunks)
    np.testing.assert_array_equal(array[...], values)
    assert array.dtype == values.dtype.newbyteorder("=")
    assert array.chunks == chunks


def test_missing_floats_stay_missing() -> None:
    values = np.array([np.nan, -0.0, np.inf, 1e-300], dtype="f8")
    array = _stored(values, (3,))
    assert np.asarray(array[...]).tobytes()[8:] == values.tobytes()[8:]
    assert np.isnan(array.fill_value)


def test_text() -> None:
    values = np.array(["", "B04", "Ångström", "字"], dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that text is no part of the core specification
        array = _stored(values, (3,))
        assert list(array[...]) == list(values)


def test_the_same_bytes_every_time() -> None:
    values = np.random.default_rng(1).normal(size=(40, 50)).astype("f4")
    assert encode(values, (40, 64)) == encode(values.copy(order="F"), (40, 64))


def test_attributes_are_json() -> None:
    given = {"a": np.float32(0.5), "b": np.array([1, 2], "i2"), "c": float("nan"), "d": b"x", "e": (1, None), "f": 1j}
    made = plain(given)
    assert made == {"a": 0.5, "b": [1, 2], "c": "NaN", "d": "x", "e": [1, None], "f": "1j"}
    json.dumps(made, allow_nan=False)
