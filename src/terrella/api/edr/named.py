"""Areas without coordinates: regions by name, cells by id, frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terrella.api.edr.query import number
from terrella.errors import Invalid
from terrella.extraction.cell_ids import cell
from terrella.model.extraction import Frame, Region
from terrella.model.space import Extent

if TYPE_CHECKING:
    from terrella.api.edr.query import Query
    from terrella.model.extraction import Shape

WORDS = ("region", "cell", "frame")
_MOST_NAME = 200


def named(query: Query) -> Shape | None:
    """The shape of `region`, `cell` or `frame`; None where coordinates are given or nothing is. Raises Invalid."""
    given = {name: value for name in WORDS if (value := query.take(name)) is not None}
    if not given:
        return None
    words = [*given, *(["coords"] if query.has("coords") else [])]
    if len(words) > 1:
        raise Invalid(f"Give one shape, not {' and '.join(words)}.", parameter=words[1])
    name, value = next(iter(given.items()))
    if name == "region":
        return _region(value)
    return cell(value) if name == "cell" else _frame(value)


def _region(text: str) -> Region:
    if len(text) > _MOST_NAME or not text.isprintable():
        raise Invalid(
            f"A region has a name of at most {_MOST_NAME} letters, such as France or nuts:FR10.", parameter="region"
        )
    return Region(text)


def _frame(text: str) -> Frame:
    """West, south, east, north of the outer box, then of the inner one."""
    numbers = [number(part, "frame") for part in text.split(",")]
    if len(numbers) != 8:
        raise Invalid(
            f"frame has 8 numbers: west,south,east,north of the outer box, then of the inner one, not {len(numbers)}.",
            parameter="frame",
        )
    outer, inner = (Extent.of(*part, parameter="frame") for part in (numbers[:4], numbers[4:]))
    if not (outer.south <= inner.south and inner.north <= outer.north and _holds(outer, inner)):
        raise Invalid("The inner box of a frame lies inside of the outer one.", parameter="frame")
    return Frame(outer, inner)


def _holds(outer: Extent, inner: Extent) -> bool:
    """Whether the longitudes of one box lie within those of another, on the circle."""
    if outer.width >= 360.0:
        return True
    return (inner.west - outer.west) % 360.0 + inner.width <= outer.width + 1e-9
