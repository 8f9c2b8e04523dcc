"""Tiles cover everything once, in whole chunks, within the budget."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.cubes.optimising.tiling import count_tiles, map_chunk, series_chunk, tile_shape, tiles

PROPERTY = settings(derandomize=True, deadline=None, max_examples=200)


@PROPERTY
@given(st.data())
def test_tiles_cover_each_value_once_in_whole_chunks(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 12), min_size=1, max_size=4)))
    chunk = tuple(data.draw(st.integers(1, size)) for size in shape)
    budget = data.draw(st.integers(1, 2000))
    order = data.draw(st.permutations(range(len(shape))))
    tile = tile_shape(shape, chunk, order, budget)
    assert math.prod(tile) <= max(budget, math.prod(chunk))
    assert all(t == s or t % c == 0 for t, s, c in zip(tile, shape, chunk, strict=True))
    seen = np.zeros(shape, dtype=int)
    found = list(tiles(shape, tile))
    for region in found:
        seen[region] += 1
    assert (seen == 1).all()
    assert len(found) == count_tiles(shape, tile)
    assert list(tiles(shape, tile, first=2)) == found[2:]


def test_a_field_is_one_chunk_unless_it_is_large() -> None:
    assert map_chunk((721, 1440)) == (721, 1440)
    assert map_chunk((1201, 2400)) == (601, 800)
    assert map_chunk((3600, 7200), is_aligned=True) == (1024, 1024)
    assert map_chunk((12 * 1024**2,)) == (1024**2,)


def test_series_are_long_in_time_and_small_in_space() -> None:
    assert series_chunk([8760], (60, 80), 10_000_000) == ((8760,), (8, 8))
    assert series_chunk([8760], (12 * 64**2,), 10_000_000) == ((1627,), (256,))
    assert series_chunk([8760], (721, 1440), 10_000_000) == ((128,), (64, 64))
    assert series_chunk([4, 240], (10, 12), 10_000_000) == ((4, 240), (10, 12))
    assert series_chunk([], (721, 1440), 10_000_000) == ((), (721, 1024))
