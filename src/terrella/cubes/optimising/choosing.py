"""Which copy to read: for each variable the one from which the fewest stored bytes must come."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from terrella.contracts.cubes import Cube, CubeVariable
from terrella.cubes.cubes import Cubes
from terrella.cubes.optimising.records import is_copy
from terrella.cubes.selecting import Indices, Selection


def cheapest(cubes: Cubes, candidates: Sequence[Cube], wanted: Mapping[str, Selection]) -> Cube:
    """The first candidate, its wanted variables taken from whichever candidate costs least; ties go to the earlier.

    The first has all variables; the others are copies of it, on the same grid and axes, and may lack some. Bytes count
    first, then chunks. Reads no data.
    """
    first, *others = candidates
    if not others:
        return first
    chosen = {name: _cheapest(cubes, candidates, name, selection) for name, selection in wanted.items()}
    return replace(first, variables={**first.variables, **chosen})


def _cheapest(cubes: Cubes, candidates: Sequence[Cube], name: str, selection: Selection) -> CubeVariable:
    having = [one for one in candidates if name in one.variables]

    def cost(cube: Cube) -> tuple[int, int]:
        rough = _of_one_piece(cube.variables[name], selection, cube.grid.shape)
        if rough is not None:
            return rough
        found = cubes.plan(cubes.cut(cube, {name: selection}))
        return found.bytes_read, found.chunks

    return min(having, key=cost).variables[name]


def _of_one_piece(variable: CubeVariable, selection: Selection, space: tuple[int, ...]) -> tuple[int, int] | None:
    """(bytes, chunks) of a copy, by arithmetic: cutting thousands of maps only to see that a series is cheaper is slow.

    None for originals. Bytes are those of the average chunk.
    """
    if not is_copy(variable):
        return None
    array = variable.pieces[0].array
    assert array.table is not None
    axes = len(variable.dims) - len(space)
    counts = [
        _touched(selection.axes.get(dim, slice(None)), size, chunk)
        for dim, size, chunk in zip(variable.dims[:axes], array.shape[:axes], array.chunks[:axes], strict=True)
    ]
    chunks = math.prod(counts) * _in_space(selection, space, array.chunks[axes:])
    return chunks * int(array.table.lengths[0]), chunks


def _in_space(selection: Selection, space: tuple[int, ...], chunks: tuple[int, ...]) -> int:
    if selection.cells is None:
        lines = selection.lines or (slice(None),) * len(space)
        return math.prod(_touched(one, size, chunk) for one, size, chunk in zip(lines, space, chunks, strict=True))
    places = np.unravel_index(selection.cells, space)
    numbers = [place // chunk for place, chunk in zip(places, chunks, strict=True)]
    grid = tuple(-(-size // chunk) for size, chunk in zip(space, chunks, strict=True))
    return int(np.unique(np.ravel_multi_index(numbers, grid)).size)


def _touched(indices: Indices, size: int, chunk: int) -> int:
    """Chunks along one dimension."""
    if isinstance(indices, slice):
        start, stop, _ = indices.indices(size)
        return max(0, -(-stop // chunk) - start // chunk) if stop > start else 0
    return int(np.unique(np.asarray(indices) // chunk).size)
