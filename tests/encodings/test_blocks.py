"""The packed block index keeps what it is given, in few bytes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from terrella.encodings.blocks import pack, unpack
from terrella.errors import Unreadable
from terrella.model.scan import ArrayScan, Axis, ChunkTable, FileScan, Packing, Part

ARRAYS = st.one_of(
    hnp.arrays(np.int64, hnp.array_shapes(max_dims=2)),
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=2)),
    hnp.arrays(np.uint8, hnp.array_shapes(max_dims=1, min_side=0)),
    st.lists(st.text(max_size=5), min_size=1).map(lambda words: np.array(words, dtype=np.str_)),
)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if dataclasses.is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one)
        )
    if isinstance(one, tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def scan(values: np.ndarray, offsets: np.ndarray, attrs: dict[str, Any]) -> FileScan:
    table = ChunkTable(offsets, offsets % 7)
    array = ArrayScan(
        "t", ("time",), (2,), (1,), "<f4", {"a": [1, {"b": None}]}, table, Packing(missing=(1.0, 2.0)), attrs
    )
    part = Part({"kind": "x"}, (Axis("time", "time", values, "ms", "360_day"),), (array, array), "pl")
    return FileScan("/a", "grib", "application/x", 3, "1", "1220", (part,), ({"id": "c"},), (), attrs, ("note",))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    ARRAYS,
    hnp.arrays(np.int64, 5),
    st.dictionaries(st.text(max_size=5), st.one_of(st.text(), st.floats(allow_nan=False))),
)
def test_what_goes_in_comes_out(values: np.ndarray, offsets: np.ndarray, attrs: dict[str, Any]) -> None:
    made = scan(values, offsets, {key: value for key, value in attrs.items() if key not in ("@", "$")})
    assert same(unpack(pack(made)), made)


def test_a_field_costs_a_few_bytes() -> None:
    """744 messages of nearly equal length, one after another."""
    sizes = 3300 + np.random.default_rng(1).integers(0, 20, 10_000)
    table = ChunkTable(np.cumsum(sizes) - sizes, sizes)
    many = pack(table)
    few = pack(ChunkTable(table.offsets[:10], table.lengths[:10]))
    assert (len(many) - len(few)) / 10_000 < 4


def test_other_bytes_are_refused() -> None:
    with pytest.raises(Unreadable):
        unpack(b"hello, world")


def test_keys_that_look_like_marks_stay() -> None:
    """Files and documents name their attributes as they like."""
    value = {"$": [1], "@": "Part", "$@": {"$$": 2, "": 3}, "$schema": "x", "a": 1}
    assert unpack(pack(value)) == value
