"""Optimising a collection: the words of the shell and of Python become a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terrella.cubes.optimising.bounds import error_bounds
from terrella.cubes.optimising.planning import LAYOUTS
from terrella.cubes.optimising.running import MIB, Run
from terrella.errors import Invalid
from terrella.extraction.variables import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from terrella.contracts.cubes import Cube
    from terrella.cubes.cubes import Cubes
    from terrella.cubes.optimising.running import Optimised, Step


def _say_nothing(_: Step) -> None:
    pass


def optimise(
    cubes: Cubes,
    cube: Cube,
    home: Path,
    *,
    purpose: str = "both",
    max_errors: Iterable[str] | Mapping[str, str | float] = (),
    variables: Sequence[str] = (),
    effort: int = 9,
    memory: int = 256 * MIB,
    commit_seconds: float = 15.0,
    tell: Callable[[Step], None] = _say_nothing,
) -> Optimised:
    """Write a copy of a cube laid out for 'series', 'maps' or 'both' under ``home/objects/optimised``.

    `max_errors` are texts like '2t=0.05' or '2t=0.1%', or a mapping of these; variables without one are stored without
    loss. Names may be any that the parameter table knows; no `variables` means all. What is there already for this
    version of the data is kept. Raises Invalid, Conflict while another process does the same.
    """
    if purpose not in LAYOUTS:
        raise Invalid(f"A cube is optimised for {', '.join(LAYOUTS)}, not {purpose!r:.40}.", parameter="for")
    bounds = {name: bound for given, bound in error_bounds(max_errors).items() for name in _names(cube, (given,))}
    chosen = _names(cube, tuple(variables)) if variables else []
    return Run(
        cubes,
        cube,
        home,
        purpose,
        bounds,
        chosen,
        effort=effort,
        memory=memory,
        commit_seconds=commit_seconds,
        tell=tell,
    ).run()


def _names(cube: Cube, given: tuple[str, ...]) -> list[str]:
    return [one.name for one in resolve(cube, given)]
