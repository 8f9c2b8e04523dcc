"""The shape of the view's chunks: along the borders of the stored ones, neither tiny nor huge. Pure, so stable."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from terrella.cubes.placing import Layout

MIB = 1 << 20
LEAST, AIM, MOST = MIB // 2, MIB, 4 * MIB
"""Bytes of a chunk's numbers: below `LEAST` it grows to `AIM` at most, above `MOST` it is cut."""
_SAMPLED = 256


def natural_chunks(layout: Layout) -> tuple[int, ...]:
    """The commonest size of stored chunks along each dimension; the whole length where nothing is stored."""
    shape = layout.variable.shape
    pieces = layout.pieces[:: max(1, len(layout.pieces) // _SAMPLED)]
    sizes = []
    for d, length in enumerate(shape):
        found = Counter(min(one.chunks[d], one.places[d].size) for one in pieces)
        size = max(found, key=lambda size: (found[size], size)) if found else length
        sizes.append(max(1, min(size, length)))
    return tuple(sizes)


def chunk_shape(
    shape: Sequence[int], natural: Sequence[int], itemsize: int, *, spatial: int, time: int | None = None
) -> tuple[int, ...]:
    """Chunks of the view for an array of this shape whose stored chunks are `natural`.

    What is too large is halved: first along axes, then along rows, so that pieces of a stored chunk stay whole where
    its length has a divisor. What is too small takes in several stored chunks: along `time` first, then along the
    other axes from the last, then in space. `spatial` is the number of dimensions in space, the last ones.
    """
    made = [max(1, min(size, length)) for size, length in zip(natural, shape, strict=True)]
    dims = range(len(made))
    for d in dims:
        made[d] = _cut(made[d], math.prod(made) * itemsize / MOST)
    if math.prod(made) * itemsize >= LEAST:
        return tuple(made)
    axes = len(made) - spatial
    order = [d for d in (time,) if d is not None] + [d for d in reversed(range(axes)) if d != time]
    for d in order:
        made[d] = _grown(made[d], shape[d], AIM // (math.prod(made) * itemsize))
    while spatial and 2 * math.prod(made) * itemsize <= AIM:
        short = [d for d in range(axes, len(made)) if made[d] < shape[d]]
        if not short:
            break
        least = min(short, key=lambda d: made[d])
        made[least] = min(shape[least], 2 * made[least])
    return tuple(made)


def _grown(size: int, length: int, room: int) -> int:
    """Up to `room` stored chunks in one, so that all of the view's chunks are about as long."""
    if room <= 1 or size >= length:
        return size
    count = -(-length // (size * room))
    stored = -(-length // (size * count))
    return min(length, size * stored)


def _cut(size: int, factor: float) -> int:
    """At most `size / factor`: the largest divisor where one is near, so that borders fall together."""
    if factor <= 1 or size <= 1:
        return size
    most = max(1, int(size / factor))
    divisors = [n for n in range(most, most // 2, -1) if size % n == 0]
    return divisors[0] if divisors else -(-size // math.ceil(factor))


def windows(shape: Sequence[int], chunks: Sequence[int], index: Sequence[int]) -> tuple[slice, ...] | None:
    """What a chunk covers; None where there is no such chunk."""
    counts = [max(1, -(-length // size)) for length, size in zip(shape, chunks, strict=True)]
    if len(index) != len(counts) or any(not 0 <= at < count for at, count in zip(index, counts, strict=True)):
        return None
    return tuple(
        slice(at * size, min((at + 1) * size, length)) for at, size, length in zip(index, chunks, shape, strict=True)
    )
