"""The room's door: open a cube from its index, say what a selection would read, read it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from terrella.contracts.cubes import Cube, CubeIndex, CubeVariable, Origin
from terrella.contracts.formats import Format
from terrella.contracts.grids import Grid
from terrella.cubes.arrays import Take
from terrella.cubes.caching import ReadTally
from terrella.cubes.calibrating import Calibration
from terrella.cubes.costs import Cost
from terrella.cubes.cutting import Cuts, Cutter, VariableCuts
from terrella.cubes.opening import credited, open_index
from terrella.cubes.placing import Layout
from terrella.cubes.reading import Reader
from terrella.cubes.selecting import Indices, Selection
from terrella.errors import Invalid, nearest_names
from terrella.model.space import Extent

_KEPT = 256
"""Cubes kept open: their coordinates and layouts, not their numbers."""

MIB = 1 << 20


class Cubes:
    """Safe for threads. `formats` replaces the plug-ins of `terrella.formats`, for those that it names.

    In `folder` formats may keep what they learn of files, such as where compressed messages have their blocks.
    """

    def __init__(
        self,
        *,
        cache_bytes: int = 512 * MIB,
        threads: int = 4,
        formats: Mapping[str, Format] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.cache_bytes = cache_bytes
        self.threads = threads
        self._reader = Reader(cache_bytes=cache_bytes, threads=threads, formats=formats, folder=folder)
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[str, str, str], Cube] = OrderedDict()
        self._layouts: WeakKeyDictionary[CubeVariable, Layout] = WeakKeyDictionary()

    def close(self) -> None:
        """Stop the threads and forget all chunks."""
        self._reader.close()
        self._open.clear()

    def forget(self) -> None:
        """Drop all chunks from memory."""
        self._reader.cache.clear()

    def open(self, index: CubeIndex, origin: Origin) -> Cube:
        """The cube of an index; the same object for the same origin."""
        key = (origin.provider, origin.collection, origin.version)
        with self._lock:
            if key in self._open:
                self._open.move_to_end(key)
                self._open[key] = credited(self._open[key], origin)
                return self._open[key]
        cube = open_index(index, origin, self._taking)
        with self._lock:
            kept = self._open.setdefault(key, cube)
            while len(self._open) > _KEPT:
                self._open.popitem(last=False)
        return kept

    def opened(self, provider: str, collection: str, version: str) -> Cube | None:
        """A cube that is open already."""
        with self._lock:
            return self._open.get((provider, collection, version))

    def cut(self, cube: Cube, wanted: Mapping[str, Selection], items: Iterable[str] = ()) -> Cuts:
        """Which chunks hold these selections (by variable), only of `items` where any are given; shapes alone.

        Raises Invalid for a variable that the cube has not.
        """
        only = frozenset(items)
        made = {}
        for name, selection in wanted.items():
            if name not in cube.variables:
                raise Invalid(
                    f"The cube has no variable {name!r}. {nearest_names(name, cube.variables)}", parameter="variable"
                )
            layout = self._layout(cube.variables[name], cube.grid)
            cutter = Cutter(layout, selection, cube.grid.shape)
            made[name] = VariableCuts(layout, cutter.shape, tuple(cutter.pieces(only)))
        return made

    def plan(self, cuts: Cuts) -> Cost:
        """What reading these cuts would touch; reads no data."""
        return self._reader.cost(cuts)

    def seconds(self, cost: Cost) -> float:
        """How long reading that will take, by what earlier reads took here; nothing of it being in memory."""
        return self._reader.calibration.seconds(cost.works)

    @property
    def calibration(self) -> Calibration:
        """What has been learnt of how long reading takes; may be replaced by one that was kept."""
        return self._reader.calibration

    @calibration.setter
    def calibration(self, kept: Calibration) -> None:
        self._reader.calibration = kept

    def read(self, cuts: Cuts, tally: ReadTally | None = None) -> dict[str, np.ndarray]:
        """Values by variable: dims of axes, then of the grid or, for single cells, one. `tally` counts what was read.

        Raises Unreadable, naming the file, where one is broken or gone.
        """
        return self._reader.read(cuts, ReadTally() if tally is None else tally)

    def messages(self, cuts: Cuts, area: Extent | None = None) -> Iterator[bytes]:
        """The stored messages that hold these cuts, of the cells in `area` alone where one is given.

        Raises Unsupported where something is not stored in messages, Unreadable.
        """
        return self._reader.messages(cuts, area)

    def _layout(self, variable: CubeVariable, grid: Grid) -> Layout:
        found = self._layouts.get(variable)
        if found is None:
            made = Layout(variable, len(grid.shape))
            with self._lock:
                found = self._layouts.setdefault(variable, made)
        return found

    def _taking(self, variable: CubeVariable, grid: Grid) -> Take:
        """For lazy arrays: crossed indices of one variable."""
        axes = len(variable.dims) - len(grid.shape)

        def take(wanted: tuple[Indices, ...]) -> np.ndarray:
            selection = Selection(dict(zip(variable.dims[:axes], wanted[:axes], strict=True)), lines=wanted[axes:])
            layout = self._layout(variable, grid)
            cutter = Cutter(layout, selection, grid.shape)
            cuts = {variable.name: VariableCuts(layout, cutter.shape, tuple(cutter.pieces()))}
            return self.read(cuts)[variable.name]

        return take
