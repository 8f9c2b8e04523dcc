"""Chunks of the two layouts, and the tiles in which they are written: bounded memory, whole chunks, a fixed order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

Region = tuple[slice, ...]

MAP_SIDE = 1024
"""Longest side of a chunk of a map that is cut."""
_MAP_VALUES = 1_100_000
"""A field of up to this many values is one chunk (0.25 degrees: 1,038,240)."""
_SERIES_VALUES = 1 << 20
"""Most of a chunk of series: smaller ones would be too many (a global year at nside 1024: 200,000 of these)."""
_LONGEST_SERIES = 8784
"""Hours of a leap year."""
_SHORTEST_SERIES = 128
_PASSES = 8
"""Series are cut in time rather than reading each field more often than this."""


def map_chunk(space: tuple[int, ...], *, is_aligned: bool = False) -> tuple[int, ...]:
    """Of a field, in space: all of it where that is not large, else parts of nearly equal size.

    Aligned parts have sides (or, for cells in one row, lengths) that are powers of 2 (of 4), as overviews need them.
    """
    if math.prod(space) <= _MAP_VALUES:
        return space
    if len(space) == 1:
        return (min(space[0], MAP_SIDE * MAP_SIDE),)
    if is_aligned:
        return tuple(min(size, MAP_SIDE) for size in space)
    return tuple(-(-size // -(-size // MAP_SIDE)) for size in space)


def series_chunk(long: Sequence[int], space: tuple[int, ...], budget: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(along the long axes, in space). `budget` is how many values fit into memory.

    Long axes are filled from the last. In space chunks are squares, or for cells in one row runs of a power of 4:
    those are squares too where cells are HEALPix in nested order.
    """
    most = min(_LONGEST_SERIES, max(_SHORTEST_SERIES, _PASSES * budget // math.prod(space)))
    along = []
    for size in reversed(long):
        take = max(1, min(size, most))
        along.append(take)
        most //= take
    length = math.prod(along)
    depth = max(0, int(math.log(max(1, _SERIES_VALUES // length), 4)))
    if len(space) == 1:
        return tuple(reversed(along)), (min(space[0], 4**depth),)
    return tuple(reversed(along)), tuple(min(size, 2**depth) for size in space)


def tile_shape(
    shape: tuple[int, ...], chunk: tuple[int, ...], order: Sequence[int], budget: int, unit: tuple[int, ...] = ()
) -> tuple[int, ...]:
    """Whole chunks that fit into the budget (values), grown along dimensions in this order. At least one `unit`."""
    unit = unit or chunk
    sizes = list(unit)
    for d in order:
        room = budget // math.prod(sizes)
        whole = -(-shape[d] // unit[d])
        factor = max(1, min(whole, room))
        sizes[d] = min(shape[d], unit[d] * factor)
        if factor < whole:
            break
    return tuple(sizes)


def count_tiles(shape: tuple[int, ...], tile: tuple[int, ...]) -> int:
    return math.prod(-(-size // step) for size, step in zip(shape, tile, strict=True))


def tiles(shape: tuple[int, ...], tile: tuple[int, ...], *, first: int = 0) -> Iterator[Region]:
    """Regions in C order, from number `first`."""
    lines = [
        [slice(start, min(start + step, size)) for start in range(0, size, step)]
        for size, step in zip(shape, tile, strict=True)
    ]
    return itertools.islice(itertools.product(*lines), first, None)
