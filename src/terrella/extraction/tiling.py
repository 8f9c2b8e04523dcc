"""Maps: the cell nearest to each pixel, read through the same plan, cache, policy and limits as extractions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from terrella.cubes.optimising.overviews import OVERVIEW
from terrella.cubes.optimising.records import Coarse
from terrella.cubes.scenes.expressions import is_expression
from terrella.cubes.scenes.lattice import DEGREE_M
from terrella.cubes.scenes.rasters import FORMATS
from terrella.cubes.selecting import Selection
from terrella.encodings.calendars import iso
from terrella.errors import Invalid, NotFound, TooLarge, Unsupported
from terrella.extraction.planning import indices
from terrella.extraction.scaling import Legend, legend
from terrella.grids.matrices import MATRIX_SETS
from terrella.grids.pixels import Sampling, sampling
from terrella.model.extraction import Box, Everything, Extraction, Span
from terrella.model.ids import ItemId
from terrella.model.search import Search
from terrella.model.space import Extent
from terrella.model.stated import StatedGrid
from terrella.model.time import Interval, parse_instant

if TYPE_CHECKING:
    from terrella.contracts.cubes import Cube, CubeVariable
    from terrella.contracts.grids import Grid
    from terrella.cubes.cubes import Cubes
    from terrella.extraction.extract import Extractor
    from terrella.grids.pixels import Pixels
    from terrella.model.caller import Caller
    from terrella.model.ids import CollectionId
    from terrella.model.search import Page
    from terrella.model.time import Instant

MIB = 1 << 20
_KEPT_SAMPLINGS = 96 * MIB
_KEPT_LEGENDS, _KEPT_STEPS = 4096, 4096
_LAST = ("time", "reference_time")
"""Axes of which the last value is shown where none is asked for; of others it is the first."""
_AFAR = 2.0
"""Pixels so many times as large as the cells of an image are taken of its overviews."""
_ALIKE = 0.01
"""Sizes that differ by such a share count as equal: cells of a cube are as large as they are on average."""
_ELSEWHERE = ("coords", "datetime")
"""What is wrong with a request that meets no scene."""
_COARSE = 64
"""Pixels along each side of a look at a scene, to learn what its values are."""


@dataclass(frozen=True, slots=True)
class View:
    """What a map shows: one variable (the first where it is ''), at one step of each of its axes."""

    collection: CollectionId
    variable: str = ""
    interval: Interval | None = None
    vertical: tuple[float, ...] | Span | None = None
    select: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    """Other axes by name, as `Extraction.select` has them."""

    def request(self, **more: Any) -> Extraction:
        names = (self.variable,) if self.variable else ()
        select: dict[str, tuple[Any, ...]] = dict(self.select)
        return Extraction(
            self.collection, more.pop("shape", Everything()), names, self.interval, self.vertical, select, **more
        )


@dataclass(frozen=True, eq=False)
class Shown:
    """A view understood: the variable of a cube, and the index along each of its axes."""

    cube: Cube
    variable: CubeVariable
    steps: Mapping[str, int]
    is_scenes: bool = False
    full: Shown | None = None
    """Of what is shown by overviews: the same in all detail."""
    level: int = 0
    """Of a cube: which overview, each half as fine as the one before; 0 for none."""

    @property
    def method(self) -> str:
        """How the values of an overview were made; '' for none."""
        return str(self.variable.attrs.get(OVERVIEW, "")) if self.level else ""

    @property
    def version(self) -> str:
        """Of the data."""
        return self.cube.origin.version


@dataclass(frozen=True, eq=False)
class Painted:
    """Numbers that were read for a map (missing is NaN where they are floats), and how they go over its pixels."""

    numbers: np.ndarray
    sampling: Sampling
    bytes_read: int = 0


@dataclass(eq=False)
class _Kept[V]:
    """What was worked out, the least recently used forgotten first; safe for threads."""

    limit: int
    cost: Callable[[V], int] = lambda _: 1
    size: int = 0
    found: OrderedDict[Hashable, V] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        with self.lock:
            if key in self.found:
                self.found.move_to_end(key)
                return self.found[key]
        made = make()
        with self.lock:
            if key not in self.found:
                self.found[key] = made
                self.size += self.cost(made)
            while self.size > self.limit and len(self.found) > 1:
                self.size -= self.cost(self.found.popitem(last=False)[1])
        return made


class Tiler:
    """Safe for threads."""

    def __init__(
        self,
        extractor: Extractor,
        cubes: Cubes,
        search: Callable[[Caller, Search], Page],
        overviews: Callable[[Cube], Coarse] = lambda _: Coarse(),
    ) -> None:
        self._extractor = extractor
        self._overviews = overviews
        self._cubes = cubes
        self._search = search
        self._samplings: _Kept[Sampling] = _Kept(_KEPT_SAMPLINGS, lambda one: 500 + one.nbytes)
        self._legends: _Kept[Legend] = _Kept(_KEPT_LEGENDS)
        self._steps: _Kept[Shown] = _Kept(_KEPT_STEPS)

    def own_cube(self, caller: Caller, collection: CollectionId) -> Cube | None:
        """The collection's own cube; None where it may be one of scenes. Raises NotFound, Denied."""
        try:
            return self._extractor.cube(caller, collection)
        except Unsupported:
            return None

    def shown(self, caller: Caller, view: View, pixels: Pixels) -> Shown | None:
        """What a view means where these pixels are; None where no scene lies there then.

        Raises Invalid for a variable, time or level that is not there, with what is; NotFound, Denied, Unsupported.
        """
        cube = self.own_cube(caller, view.collection)
        if cube is None or (is_expression(view.variable) and view.variable not in cube.variables):
            return self._of_scenes(caller, view, pixels)
        key = (cube.origin.provider, cube.origin.collection, cube.origin.version, view)
        shown = self._steps.get(key, lambda: _shown(cube, view))
        if _is_image(shown.variable) and pixels.size > _AFAR * _cell(cube.grid):
            return self._from_afar(caller, shown, view, pixels) or shown
        return self.from_afar(shown, pixels.size)

    def from_afar(self, shown: Shown, size: float) -> Shown:
        """The same by the coarsest overview whose cells are no larger than pixels of this size, in degrees."""
        name = shown.variable.name
        found = shown
        for level, cube in enumerate(self._overviews(shown.cube).levels, 1):
            if name in cube.variables and _cell(cube.grid) <= size * (1 + _ALIKE):
                found = Shown(cube, cube.variables[name], shown.steps, full=shown, level=level)
        return found

    def mark(self, cube: Cube) -> str:
        """What tells the overviews of a collection's own cube from others; '' where it has none."""
        return self._overviews(cube).mark

    def shown_by_overviews(self, cube: Cube, name: str) -> tuple[str, dict[str, int]] | None:
        """How overviews of a variable were made, and by matrix set the greatest zoom that shows one; None for none."""
        cubes = [one for one in self._overviews(cube).levels if name in one.variables]
        if not cubes:
            return None
        least = _cell(cubes[0].grid) / (1 + _ALIKE)
        zooms = {
            key: max(
                (zoom for zoom in range(one.zooms) if one.tile(zoom, (1 << zoom) // 2, 0).size >= least), default=-1
            )
            for key, one in MATRIX_SETS.items()
        }
        return str(cubes[0].variables[name].attrs[OVERVIEW]), zooms

    def _from_afar(self, caller: Caller, shown: Shown, view: View, pixels: Pixels) -> Shown | None:
        """Images by their overviews; None where they cannot be had so."""
        at = _instant(shown)
        wanted = replace(view, variable=shown.variable.name, interval=Interval(at, at) if at else None, select=())
        try:
            found = self._of_scenes(caller, replace(wanted, vertical=None), pixels)
        except (Invalid, NotFound, Unsupported, TooLarge):
            return None
        if found is None or found.variable.name != shown.variable.name:
            return None
        return replace(found, full=shown)

    def _of_scenes(self, caller: Caller, view: View, pixels: Pixels) -> Shown | None:
        grid = StatedGrid(pixels.crs, pixels.resolution, pixels.anchor, "nearest")
        request = view.request(shape=Box(pixels.extent), grid=grid)
        try:
            found = self._extractor.open(caller, request)
        except Invalid as error:
            if error.parameter in _ELSEWHERE:
                return None
            raise
        cube = self._cubes.open(found.index, found.origin)
        names, left = found.asked.variables, replace(view, interval=found.asked.interval)
        return replace(_shown(cube, replace(left, variable=names[0] if names else "")), is_scenes=True)

    def painted(self, caller: Caller, shown: Shown, pixels: Pixels) -> Painted:
        """The nearest cell's value of each pixel. Raises TooLarge, QuotaExceeded before reading; Unreadable."""
        found = self.sampling(shown.cube.grid, pixels)
        if found.is_empty:
            nothing = np.zeros((0,) * (2 if found.lines is not None else 1), dtype=np.dtype(shown.variable.dtype))
            return Painted(nothing, replace(found, lines=None, cells=None, places=_nowhere(pixels)))
        axes = {name: np.array([at]) for name, at in shown.steps.items()}
        selection = Selection(axes, lines=found.lines, cells=found.cells)
        numbers, bytes_read = self._extractor.numbers(caller, shown.cube, shown.variable.name, selection)
        space = numbers.shape[len(axes) :]
        return Painted(numbers.reshape(space), found, bytes_read)

    def sampling(self, grid: Grid, pixels: Pixels) -> Sampling:
        """Which cell each pixel shows."""
        return self._samplings.get((getattr(grid, "key", id(grid)), pixels.key), lambda: sampling(grid, pixels))

    def legend_of(self, caller: Caller, view: View, shown: Shown) -> Legend | None:
        """How what is shown is written and drawn."""
        if shown.full is not None:
            return self.legend(shown.full.cube, shown.full.variable)
        return self.legend_of_scenes(caller, view) if shown.is_scenes else self.legend(shown.cube, shown.variable)

    def legend(self, cube: Cube, variable: CubeVariable) -> Legend:
        """How a variable of a collection's own cube is written and drawn: alike in all maps of this version."""
        origin = cube.origin
        key = (origin.provider, origin.collection, origin.version, variable.name)
        return self._legends.get(key, lambda: legend(self._cubes, cube, variable))

    def legend_of_scenes(self, caller: Caller, view: View) -> Legend | None:
        """The same of scenes: by the newest that the caller sees; None where there is none, or it lacks the variable.

        Raises Unsupported, NotFound.
        """
        look = self._newest(caller, view)
        if look is None:
            return None
        key = (look.cube.origin.provider, look.cube.origin.collection, look.version, look.variable.name)
        return self._legends.get(key, lambda: legend(self._cubes, look.cube, look.variable))

    def _newest(self, caller: Caller, view: View) -> Shown | None:
        """A coarse look at the newest scene."""
        page = self._search(caller, Search((view.collection,), limit=1))
        if not page.documents:
            return None
        item = orjson.loads(page.documents[0])
        west, south, east, north = _flat(item["bbox"])
        extent = Extent.of(west, south, east if east >= west else east + 360, north)
        size = max(extent.width / _COARSE, (extent.north - extent.south) / _COARSE, 1e-9)
        grid = StatedGrid("EPSG:4326", (size, size), None, "nearest")
        request = replace(view, interval=None).request(shape=Box(extent), grid=grid, items=(ItemId(item["id"]),))
        try:
            found = self._extractor.open(caller, request)
        except Invalid as error:
            if error.parameter in _ELSEWHERE:
                return None
            raise
        cube = self._cubes.open(found.index, found.origin)
        names = found.asked.variables
        return _shown(cube, View(view.collection, names[0] if names else ""))


def _flat(bbox: Sequence[float]) -> tuple[float, float, float, float]:
    """A box without heights."""
    half = len(bbox) // 2
    return bbox[0], bbox[1], bbox[half], bbox[half + 1]


def _is_image(variable: CubeVariable) -> bool:
    return bool(variable.pieces) and variable.pieces[0].format in FORMATS


def _cell(grid: Grid) -> float:
    """Typical size of a cell, in degrees of latitude."""
    return grid.resolution() / DEGREE_M


def _instant(shown: Shown) -> Instant | None:
    """The time that is shown; None where there is none."""
    axis = next((axis for axis in shown.cube.axes if axis.name == "time" and "time" in shown.steps), None)
    if axis is None:
        return None
    at = shown.steps["time"]
    return parse_instant(iso(axis.values[at : at + 1], axis.calendar)[0])


def _nowhere(pixels: Pixels) -> np.ndarray:
    return np.full(pixels.shape, -1, dtype=np.int32)


def _shown(cube: Cube, view: View) -> Shown:
    """Raises Invalid where several steps of an axis are asked for at once."""
    return understood(cube, view)[0]


def understood(cube: Cube, view: View, free: str = "") -> tuple[Shown, np.ndarray]:
    """What a view shows of a cube, and the steps that it names along the axis `free`, which `steps` then lack.

    Raises Invalid for a variable, time or level that is not there, and for several steps of another axis.
    """
    variable, chosen, pairs = indices(cube, view.request())
    names = variable.dims[: len(variable.dims) - len(cube.grid.shape)]
    sizes = dict(zip(names, variable.shape, strict=False))
    if pairs is not None:
        chosen = dict(chosen) | _latest_run(chosen, pairs, free)
    steps = {name: _one_step(cube, chosen, name, sizes[name]) for name in names if name != free}
    along = chosen.get(free, np.arange(sizes.get(free, 0)))
    return Shown(cube, variable, steps), along


def _one_step(cube: Cube, chosen: Mapping[str, np.ndarray], name: str, size: int) -> int:
    found = chosen.get(name)
    if found is None:
        return size - 1 if name in _LAST else 0
    if found.size == 1 or cube.origin.provider == "scenes":
        return int(found[-1])
    if name in ("reference_time", "step") and {"reference_time", "step"} <= chosen.keys():
        return int(found[-1] if name == "reference_time" else found[0])
    raise Invalid(f"A map shows one step of {name}, and that names {found.size} of them: give one.", parameter=name)


def _latest_run(chosen: Mapping[str, np.ndarray], pairs: np.ndarray, free: str) -> dict[str, np.ndarray]:
    """Of forecasts for one time by several runs that of the latest; with `free` steps all of it."""
    row = int(np.flatnonzero(pairs.any(axis=1))[-1])
    columns = np.flatnonzero(pairs[row])
    kept = columns if free == "step" else columns[:1]
    return {"reference_time": chosen["reference_time"][[row]], "step": chosen["step"][kept]}
