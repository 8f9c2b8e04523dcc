"""Chunk shapes: bounded, on the borders of stored chunks, and covering everything once."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.api.zarr.chunking import AIM, LEAST, MOST, chunk_shape, windows

_SIZES = st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 3000)), min_size=1, max_size=4)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(sizes=_SIZES, itemsize=st.sampled_from([1, 2, 4, 8]), data=st.data())
def test_bounds(sizes: list[tuple[int, int]], itemsize: int, data: st.DataObject) -> None:
    shape = [length for length, _ in sizes]
    natural = [min(length, chunk) for length, chunk in sizes]
    spatial = data.draw(st.integers(1, len(sizes)))
    time = data.draw(st.sampled_from([None, *range(len(sizes) - spatial)]))
    made = chunk_shape(shape, natural, itemsize, spatial=spatial, time=time)
    size = math.prod(made) * itemsize
    assert all(1 <= one <= length for one, length in zip(made, shape, strict=True))
    assert size <= MOST
    stored = math.prod(natural) * itemsize
    if LEAST <= stored <= MOST:
        assert made == tuple(natural)
    if stored < LEAST:
        assert size <= AIM
        for one, chunk, length in zip(made, natural, shape, strict=True):
            assert one % chunk == 0 or one == length
    assert made == chunk_shape(shape, natural, itemsize, spatial=spatial, time=time)


@pytest.mark.parametrize(
    ("shape", "natural", "itemsize", "expected"),
    [
        ((744, 33, 49), (1, 33, 49), 8, (75, 33, 49)),
        ((8760, 721, 1440), (1, 721, 1440), 4, (1, 721, 1440)),
        ((8760, 721, 1440), (1, 721, 1440), 8, (1, 361, 1440)),
        ((24, 12 * 1024**2), (1, 12 * 1024**2), 4, (1, 1 << 20)),
        ((100, 720, 1440), (100, 720, 1440), 4, (1, 720, 1440)),
        ((4096, 4096), (256, 256), 1, (1024, 1024)),
        ((5, 3), (5, 3), 4, (5, 3)),
    ],
)
def test_shapes_of_known_data(shape, natural, itemsize, expected) -> None:  # type: ignore[no-untyped-def]
    spatial = 1 if len(shape) == 2 and shape[1] > 10**6 else 2
    time = 0 if len(shape) > spatial else None
    assert chunk_shape(shape, natural, itemsize, spatial=spatial, time=time) == expected


@settings(derandomize=True, deadline=None)
@given(sizes=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=3))
def test_windows_cover_all_once(sizes: list[tuple[int, int]]) -> None:
    shape, chunks = [length for length, _ in sizes], [min(length, chunk) for length, chunk in sizes]
    counts = [-(-length // chunk) for length, chunk in sizes]
    seen = np.zeros(shape, dtype=int)
    for index in itertools.product(*(range(count) for count in counts)):
        window = windows(shape, chunks, index)
        assert window is not None
        seen[window] += 1
    assert (seen == 1).all()
    assert windows(shape, chunks, (*counts, 0)) is None
    if sizes:
        assert windows(shape, chunks, counts) is None
        assert windows(shape, chunks, [-1] * len(sizes)) is None
