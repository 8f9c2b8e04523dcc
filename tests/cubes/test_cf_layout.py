"""Cutting, tables and turning of chunks, against plain numpy."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.cubes.cf.layout import (
    arrange,
    arranged,
    cut,
    cut_shape,
    flat,
    grid_of,
    indices,
    run_table,
    stored_index,
    stored_sizes,
)
from terrella.cubes.cf.tree import Layout


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.integers(1, 9), min_size=0, max_size=4), st.integers(1, 300), st.data())
def test_pieces_of_a_run_hold_the_array(shape: list[int], target: int, data: st.DataObject) -> None:
    array = np.arange(int(np.prod(shape)), dtype="<i2").reshape(shape)
    raw = b"head" + array.tobytes()
    chunks = cut(array.shape, 2, target=target)
    table = run_table(array.shape, chunks, 2, 4)
    order = tuple(data.draw(st.permutations(range(array.ndim))))
    insert = (0,) if data.draw(st.booleans()) else ()
    layout, ours = arrange(array.shape, Layout(chunks, {"cut": True}, table), order, insert)
    made = np.full(ours, -1)
    grid = grid_of(ours, layout.chunks)
    for index in indices(grid):
        number = flat(index, grid)
        shape_here = cut_shape(
            stored_index(index, layout.codec),
            stored_sizes(ours, layout.codec),
            stored_sizes(layout.chunks, layout.codec),
        )
        start, length = int(layout.table.offsets[number]), int(layout.table.lengths[number])
        chunk = arranged(np.frombuffer(raw[start : start + length], "<i2").reshape(shape_here), layout.codec)
        where = tuple(
            slice(at * size, at * size + n) for at, size, n in zip(index, layout.chunks, chunk.shape, strict=True)
        )
        made[where] = chunk
    expected = array.transpose(order)
    np.testing.assert_array_equal(made, expected[None] if insert else expected)


def test_cut_is_about_the_size_asked_for() -> None:
    assert cut((744, 721, 1440), 4) == (1, 182, 1440)
    assert cut((100, 10), 4) == (100, 10)
    assert cut((5, 3), 4, first=1) == (1, 3)
    assert cut((), 8) == ()
