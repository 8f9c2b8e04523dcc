"""Chunks of arrays: cutting what is stored whole, and turning file order into ours (axes first, then space)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from terrella.cubes.cf.tree import Layout
from terrella.model.scan import ChunkTable

CHUNK_BYTES = 1 << 20
"""What is stored in one run is read in pieces of about this size."""
MOST_CHUNKS = 20_000_000
"""Tables of more chunks than this are refused: 16 bytes each."""


def cut(shape: tuple[int, ...], itemsize: int, *, target: int = CHUNK_BYTES, first: int = 0) -> tuple[int, ...]:
    """Chunk shape for an array stored in one run: whole inner dimensions, a part of one, single outer ones.

    The first `first` dimensions are always cut singly.
    """
    chunks = list(shape)
    for place in range(len(shape)):
        inner = math.prod(shape[place + 1 :]) * itemsize
        if place < first:
            chunks[place] = min(1, shape[place])
        elif inner <= target:
            chunks[place] = min(shape[place], max(1, target // max(inner, 1)))
            break
        else:
            chunks[place] = min(1, shape[place])
    return tuple(max(1, size) for size in chunks)


def grid_of(shape: tuple[int, ...], chunks: tuple[int, ...]) -> tuple[int, ...]:
    """Number of chunks along each dimension."""
    return tuple(-(-size // chunk) for size, chunk in zip(shape, chunks, strict=True))


def run_table(shape: tuple[int, ...], chunks: tuple[int, ...], itemsize: int, start: int) -> ChunkTable:
    """Where the pieces that `cut` makes lie in a run of bytes from `start`."""
    grid = grid_of(shape, chunks)
    strides = [math.prod(shape[place + 1 :]) * itemsize for place in range(len(shape))]
    offsets = np.full(grid or (1,), start, dtype=np.int64)
    lengths = np.full(grid or (1,), itemsize, dtype=np.int64)
    for place, count in enumerate(grid):
        along = [1] * len(grid)
        along[place] = count
        begin = np.arange(count, dtype=np.int64) * chunks[place]
        offsets += (begin * strides[place]).reshape(along)
        lengths *= np.minimum(shape[place] - begin, chunks[place]).reshape(along)
    return ChunkTable(offsets.reshape(-1), lengths.reshape(-1))


def arrange(
    shape: tuple[int, ...], layout: Layout, order: tuple[int, ...], insert: tuple[int, ...]
) -> tuple[Layout, tuple[int, ...]]:
    """(layout, shape) with dimensions in our order and new ones of length 1 at `insert` (places in the result)."""
    codec = dict(layout.codec)
    is_turned = order != tuple(range(len(order)))
    if is_turned:
        codec["transpose"] = list(order)
    if insert:
        codec["insert"] = list(insert)
    table = layout.table
    if is_turned and table is not None:
        grid = grid_of(shape, layout.chunks)
        offsets = table.offsets.reshape(grid).transpose(order).reshape(-1)
        table = ChunkTable(offsets, table.lengths.reshape(grid).transpose(order).reshape(-1))
    chunks = _inserted([layout.chunks[place] for place in order], insert)
    return Layout(chunks, codec, table), _inserted([shape[place] for place in order], insert)


def _inserted(sizes: list[int], insert: tuple[int, ...]) -> tuple[int, ...]:
    made = list(sizes)
    for place in insert:
        made.insert(place, 1)
    return tuple(made)


def arranged(chunk: np.ndarray, codec: dict[str, Any]) -> np.ndarray:
    """A chunk in file order as `arrange` promised it."""
    if "transpose" in codec:
        chunk = chunk.transpose(codec["transpose"])
    return np.expand_dims(chunk, tuple(codec["insert"])) if "insert" in codec else chunk


def stored_index(index: tuple[int, ...], codec: dict[str, Any]) -> tuple[int, ...]:
    """The place of a chunk in the file's own chunk grid."""
    inserted = set(codec.get("insert", ()))
    kept = [one for place, one in enumerate(index) if place not in inserted]
    order = codec.get("transpose")
    if order is None:
        return tuple(kept)
    back = [0] * len(kept)
    for ours, theirs in enumerate(order):
        back[theirs] = kept[ours]
    return tuple(back)


def stored_sizes(sizes: tuple[int, ...], codec: dict[str, Any]) -> tuple[int, ...]:
    """A shape or chunk shape of ours in the file's order."""
    return stored_index(sizes, codec)


def flat(index: tuple[int, ...], grid: tuple[int, ...]) -> int:
    """Place of a chunk in a table."""
    number = 0
    for one, count in zip(index, grid, strict=True):
        number = number * count + one
    return number


def indices(grid: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Every chunk, C order."""
    return np.ndindex(*grid)


def cut_shape(index: tuple[int, ...], shape: tuple[int, ...], chunks: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of a chunk, short at the end of dimensions."""
    places = zip(index, shape, chunks, strict=True)
    return tuple(min(chunk, size - at * chunk) for at, size, chunk in places)
