"""Which copy to read: for each variable the one from which the fewest stored bytes must come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from terrella.contracts.cubes import Cube, CubeVariable
from terrella.cubes.cubes import Cubes
from terrella.cubes.selecting import Selection


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
        found = cubes.plan(cubes.cut(cube, {name: selection}))
        return found.bytes_read, found.chunks

    return min(having, key=cost).variables[name]
