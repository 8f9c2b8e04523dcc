"""What takes its time besides reading: finding cells and chunks, saying where cells are, reducing.

Planning is timed as it happens, as the extraction will plan again. The rest is learnt from extractions that were made.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from terrella.cubes.calibrating import CAUTION, Work

if TYPE_CHECKING:
    from terrella.cubes.calibrating import Calibration
    from terrella.extraction.planning import Prepared
    from terrella.extraction.reducing import Reductions
    from terrella.model.extraction import Plan


class Clock:
    """Seconds since it was made, and of a part of that time which counts elsewhere."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self.apart = 0.0

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start - self.apart


def planned(plan: Plan, clock: Clock) -> Plan:
    """The plan, as long as planning took later."""
    return replace(plan, seconds=plan.seconds + CAUTION * clock.seconds)


def placing(prepared: Prepared) -> dict[str, Work]:
    """Saying where the cells are."""
    cells = prepared.cells
    crossed = "crossed " if cells.lines is not None else ""
    return {f"places {crossed}{prepared.cube.grid.kind}": Work(1, cells.count)}


def reducing(made: Reductions) -> dict[str, Work]:
    """Making numbers fewer: each way to do so is learnt for itself."""
    name = " ".join(one.how for one in made.prepared.request.reduce)
    return {f"reducing {name}": Work(len(made.prepared.variables), made.numbers)}


def learn(calibration: Calibration, works: dict[str, Work], clock: Clock) -> None:
    """That this took as long as the clock says."""
    calibration.learn(works, clock.seconds)
