"""Cubes in memory, optimised into a folder of the test, and read again by stock xarray."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import icechunk
import numpy as np
import pytest
import xarray as xr

from memory_format import ORIGIN, MemoryFormat, hours, one_piece, regular
from terrella.contracts.cubes import Cube
from terrella.cubes.cubes import Cubes
from terrella.cubes.optimising.bounds import error_bounds
from terrella.cubes.optimising.places import folder_of
from terrella.cubes.optimising.running import Optimised, Run


@dataclass
class Lab:
    """A home folder, and formats that know the arrays in memory."""

    home: Path
    cubes: Cubes
    memory: MemoryFormat

    def cube(
        self, values: np.ndarray, *, grid: dict[str, Any] | None = None, chunks: tuple[int, ...] = (), **more: Any
    ) -> Cube:
        """(time, *space) in one file; `more` goes to `one_piece`."""
        space = values.shape[1:]
        grid = grid or regular(*space)
        dims = ("time", "lat", "lon") if len(space) == 2 else ("time", "cell")
        index = one_piece(self.memory, values, dims, chunks or (1, *space), grid, [hours(len(values))], **more)
        return self.cubes.open(index, ORIGIN)

    def optimise(self, cube: Cube, *errors: str, **more: Any) -> Optimised:
        return Run(self.cubes, cube, self.home, bounds=error_bounds(errors), **more).run()

    def read(self, group: str) -> xr.Dataset:
        """As anybody would."""
        storage = icechunk.local_filesystem_storage(str(folder_of(self.home, ORIGIN.collection)))
        store = icechunk.Repository.open(storage).readonly_session("main").store
        return xr.open_zarr(store, group=group, consolidated=False)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    from terrella.cubes.formats.icechunk import Icechunk

    memory = MemoryFormat()
    cubes = Cubes(threads=2, formats={"memory": memory, "icechunk": Icechunk()})
    yield Lab(tmp_path, cubes, memory)
    cubes.close()


@pytest.fixture
def weather() -> Callable[..., np.ndarray]:
    def make(*shape: int, missing: float = 0.1, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        values = (280 + 15 * np.sin(np.arange(np.prod(shape)) / 50).reshape(shape) + rng.normal(0, 1, shape)).astype(
            "f4"
        )
        values[rng.random(shape) < missing] = np.nan
        return values

    return make
