"""What each cell counts in a reduction over space: its area on the sphere, the share of it that lies in the shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from terrella.errors import Invalid
from terrella.model.extraction import Points, Trajectory
from terrella.model.reduction import PARAMETER

if TYPE_CHECKING:
    from terrella.contracts.cubes import Cube
    from terrella.cubes.selecting import Indices
    from terrella.extraction.cells import Cells
    from terrella.model.extraction import Extraction
    from terrella.model.reduction import Reduce


@dataclass(frozen=True, eq=False)
class Weighing:
    """Weights of the cells of one answer."""

    cube: Cube
    cells: Cells
    request: Extraction

    @cached_property
    def areas(self) -> np.ndarray | None:
        """Square metres of each cell, 0 where it has none; None where the grid gives none, and for places."""
        if isinstance(self.request.shape, Points | Trajectory):
            return None
        found = self.cube.grid.areas(self._numbers())
        known = np.isfinite(found)
        return np.where(known, found, 0.0) if known.any() else None

    def _numbers(self) -> np.ndarray | None:
        """Flat numbers of the cells; None for all."""
        if self.cells.flat is not None:
            return self.cells.flat
        grid = self.cube.grid
        if self.cells.lines is None or (self.cells.shape == grid.shape and all(map(_is_whole, self.cells.lines))):
            return None
        lines = [_array(line) for line in self.cells.lines]
        return np.ravel_multi_index(np.ix_(*lines), grid.shape).ravel()

    def of(self, reduce: Reduce) -> np.ndarray | None:
        """The weights of a reduction over space; None: all alike. Raises Invalid where areas are asked of places."""
        share = self.cells.share
        if reduce.how in ("min", "max"):
            return None
        if reduce.weights == "area" and self.areas is None:
            raise Invalid(
                "There are no areas to weigh by: places have none, and this grid gives none. Leave the weights out.",
                parameter=PARAMETER,
            )
        if not self._by_area(reduce) or self.areas is None:
            return share
        return self.areas if share is None else self.areas * share

    def _by_area(self, reduce: Reduce) -> bool:
        usual = "equal" if reduce.how in ("sum", "count") else "area"
        return (reduce.weights or usual) == "area"

    def said(self, reduce: Reduce) -> str:
        """In words, for the attributes of the result."""
        inside = " times the share of it inside the shape" if self.cells.share is not None else ""
        if reduce.how in ("min", "max"):
            return "none"
        if reduce.how in ("sum", "count") and not self._by_area(reduce):
            return f"each cell{inside}" if inside else "each cell alike"
        if not self._by_area(reduce):
            return f"equal{inside}"
        if self.areas is not None:
            return f"area of each cell on the sphere in m2{inside}"
        if isinstance(self.request.shape, Points | Trajectory):
            return "equal: places have no area"
        return f"equal, for this grid gives no areas{inside}"


def _is_whole(line: Indices) -> bool:
    return isinstance(line, slice) and line.start == 0


def _array(line: Indices) -> np.ndarray:
    return np.arange(line.start, line.stop) if isinstance(line, slice) else line
