"""Names for dimensions that have none."""

from __future__ import annotations

from collections.abc import Callable


def guessed(
    dims: list[str | None], shape: tuple[int, ...], lines: dict[int, list[str]], phony: Callable[[int], str]
) -> tuple[str, ...]:
    """Names for unnamed dimensions: the only coordinate-like line of that length, else one name for each size.

    `lines` gives names of one-dimensional coordinates by length. Two dimensions of one array never share a name.
    """
    made: list[str] = []
    for name, size in zip(dims, shape, strict=True):
        chosen = name
        if chosen is None:
            fitting = [one for one in lines.get(size, []) if one not in made and one not in dims]
            chosen = fitting[0] if len(lines.get(size, [])) == 1 and fitting else phony(size)
        while chosen in made:
            chosen += "_"
        made.append(chosen)
    return tuple(made)
