"""Names of a cube's variables: as their files say, told apart where one name means several things."""

from __future__ import annotations

from collections.abc import Sequence

from terrella.model.ids import slug

Meant = tuple[str, str, tuple[str, ...], tuple[str, ...]]
"""Name, label, names of axes, kinds of these axes."""


def variable_names(meant: Sequence[Meant]) -> list[str]:
    """One distinct name for each, in the given order; the same set gives the same names in whatever order it comes.

    Of several with one name, the one without levels keeps it, else the one on pressure levels, else the first in the
    alphabet; the others get the name of their vertical axis (`t_model_level`), or their label, or their other axes.
    """
    names = [""] * len(meant)
    taken: set[str] = set()
    order = sorted(range(len(meant)), key=lambda i: (meant[i][0], _rank(meant[i]), meant[i][1], sorted(meant[i][2])))
    plain = {name for name, *_ in meant}
    for place in order:
        names[place] = _free(meant[place], taken, plain)
        taken.add(names[place])
    return names


def _vertical(meant: Meant) -> str:
    return next((name for name, kind in zip(meant[2], meant[3], strict=True) if kind == "vertical"), "")


def _rank(meant: Meant) -> tuple[int, str]:
    vertical = _vertical(meant)
    return (0, "") if not vertical else (1 if vertical == "pressure" else 2, vertical)


def _free(meant: Meant, taken: set[str], plain: set[str]) -> str:
    name, label, dims, _ = meant
    if name not in taken:
        return name
    endings = [_vertical(meant), slug(label).replace("-", "_") if label else "", "_".join(sorted(dims)) or "constant"]
    for ending in endings:
        made = f"{name}_{ending}"
        if ending and made not in taken | plain:
            return made
    number = 2
    while f"{name}_{number}" in taken | plain:
        number += 1
    return f"{name}_{number}"
