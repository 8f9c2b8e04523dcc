"""From scenes to the index of a cube: which bands become which variables, on which grid, at which times."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from terrella.contracts.cubes import CubeIndex, CubeVariable, Piece
from terrella.cubes.scenes.choosing import Choice, choose
from terrella.cubes.scenes.expressions import Expression
from terrella.cubes.scenes.lattice import Bounds, Lattice, Window, raster_bounds
from terrella.cubes.scenes.rasters import RasterBand, all_names
from terrella.cubes.scenes.source import NAME, codec_of
from terrella.errors import Invalid, nearest_names
from terrella.grids import grid_from_json
from terrella.model.scan import ArrayScan, Axis, Packing
from terrella.model.space import Extent

BLOCK = 512
"""Rows and columns of the stated grid that are read at once."""
_MARGIN = 2
"""Cells around the request, so that places at its border have neighbours."""
_TAKEN = ("time", "x", "y", "lat", "lon", "longitude", "latitude", "cell", "point", "vertex", "spatial_ref")
"""Names of coordinates of an answer."""
_TURN = 360.0
_MS_AN_HOUR = 3_600_000
_MS_A_DAY = 24 * _MS_AN_HOUR


@dataclass(frozen=True, eq=False)
class Scene:
    """One item: its bands, when it was taken (None where nobody knows), the longitude of its middle."""

    item: str
    bands: tuple[RasterBand, ...]
    taken: datetime | None
    longitude: float

    @property
    def milliseconds(self) -> int:
        assert self.taken is not None
        return round(self.taken.timestamp() * 1000)

    @property
    def solar_day(self) -> int:
        """Days since 1970 by mean solar time at its middle: what one overpass of a satellite has in common."""
        return int((self.milliseconds + self.longitude / 15.0 * _MS_AN_HOUR) // _MS_A_DAY)

    def band(self, name: str) -> RasterBand | None:
        """The one of this name: spelled exactly before another case, the finest of several."""
        exact = [one for one in self.bands if one.name == name]
        found = exact or [one for one in self.bands if one.is_called(name)]
        return min(found, key=lambda one: one.size, default=None)


@dataclass(frozen=True, slots=True)
class Wish:
    """The stated grid, and what is wanted on it; None and () mean: what fits the scenes best, and all."""

    crs: str | None = None
    resolution: float | tuple[float, float] | None = None
    anchor: tuple[float, float] | None = None
    bands: tuple[str, ...] = ()
    expressions: tuple[Expression, ...] = ()
    group: str = "solar_day"
    resampling: str = "nearest"


@dataclass(eq=False)
class _Making:
    """Pieces by variable, while they are made; `lines` keeps equal positions as one array."""

    lattice: Lattice
    window: Window
    dims: tuple[str, ...]
    method: str
    lines: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    windows: dict[tuple[Any, ...], list[tuple[float, Window]]] = field(default_factory=dict)

    def line(self, start: int, count: int, whole: int) -> np.ndarray | None:
        if start == 0 and count == whole:
            return None
        return self.lines.setdefault((start, count), np.arange(start, start + count, dtype=np.int64))

    def places(self, band: RasterBand) -> list[tuple[float, Window]]:
        """Where a raster lies in the window: in degrees it may do so again a turn further (the turn comes along)."""
        key = (band.crs, band.transform, band.height, band.width)
        if key not in self.windows:
            self.windows[key] = _places(band, self.lattice, self.window)
        return self.windows[key]


def _places(band: RasterBand, lattice: Lattice, window: Window) -> list[tuple[float, Window]]:
    bounds = raster_bounds(band.transform, band.height, band.width, band.crs, lattice.crs)
    if bounds is None:
        return []
    found = []
    for turn in (-2 * _TURN, -_TURN, 0.0, _TURN, 2 * _TURN) if lattice.is_geographic else (0.0,):
        left, bottom, right, top = bounds
        met = lattice.window((left + turn, bottom, right + turn, top)).grown(1).meet(window)
        if not met.is_empty:
            found.append((turn, met))
    return found


def make_index(scenes: Sequence[Scene], extent: Extent | None, wish: Wish) -> CubeIndex:
    """The cube of these scenes over an extent (None: all of theirs), on the wished grid.

    Raises Invalid where no scene lies there, for a band that none has, and for a grid that means nothing.
    """
    dated = [scene for scene in scenes if scene.taken is not None] or list(scenes)
    names = _variables(dated, wish)
    needed = [band for scene in dated for band in _needed(scene, names.values())]
    choice = choose(needed, extent, wish.crs, wish.resolution, wish.anchor)
    window = _window(needed, extent, choice)
    grid = choice.lattice.grid(window)
    making = _Making(choice.lattice, window, grid_from_json(grid).dims, wish.resampling)
    groups = _groups(_joined(dated), wish.group)
    axis = _axis(groups)
    variables = [_variable(name, made, groups, axis, making) for name, made in names.items()]
    attrs = {"crs": choice.lattice.crs, "resampling": wish.resampling, "grouping": wish.group}
    return CubeIndex(grid, (axis,) if axis else (), tuple(variables), attrs)


def systems_of(index: CubeIndex) -> list[str]:
    """Reference systems of the rasters below a cube of scenes, the commonest first."""
    found = Counter(
        band["crs"] for one in index.variables for piece in one.pieces for band in piece.array.codec["bands"].values()
    )
    return sorted(found, key=lambda crs: (-found[crs], crs))


# --- what ------------------------------------------------------------------------------------------------------------


def _variables(scenes: Sequence[Scene], wish: Wish) -> dict[str, Expression | str]:
    """What each variable is made of: an expression, or the band of a name."""
    bands = [band for scene in scenes for band in scene.bands]
    asked = wish.bands
    if not asked and not wish.expressions:
        asked = tuple(dict.fromkeys(band.name for band in bands))
    made: dict[str, Expression | str] = {name: name for name in asked}
    for one in wish.expressions:
        if one.name in made or one.name in _TAKEN:
            raise Invalid(f"There is a {one.name!r} already: call the expression another name.", parameter="expression")
        made[one.name] = one
    for name in dict.fromkeys((*asked, *(name for one in wish.expressions for name in one.bands))):
        if all(scene.band(name) is None for scene in scenes):
            known = all_names(bands)
            raise Invalid(
                f"These scenes have no band {name!r:.60}. {nearest_names(name[:60], known)}", parameter="bands"
            )
    return made


def _needed(scene: Scene, made: Any) -> list[RasterBand]:
    names = [name for one in made for name in (one.bands if isinstance(one, Expression) else (one,))]
    return [band for name in names if (band := scene.band(name)) is not None]


def _joined(scenes: Sequence[Scene]) -> list[Scene]:
    """Items of one instant and place that have different bands are one scene: files of single bands."""
    found: dict[tuple[Any, ...], Scene] = {}
    for number, scene in enumerate(sorted(scenes, key=lambda one: one.item)):
        first = scene.bands[0]
        box = raster_bounds(first.transform, first.height, first.width, first.crs, first.crs)
        key: tuple[Any, ...] = (scene.taken, first.crs, tuple(round(one, 6) for one in box or ()))
        before = found.get(key)
        own = {band.name for band in scene.bands}
        if before is None:
            found[key] = scene
        elif own.isdisjoint(band.name for band in before.bands):
            found[key] = replace(before, bands=before.bands + scene.bands)
        else:
            found[(*key, number)] = scene
    return list(found.values())


# --- when ------------------------------------------------------------------------------------------------------------


def _groups(scenes: Sequence[Scene], group: str) -> list[list[Scene]]:
    """Scenes that are shown at one time, in the order of time; in each, the later and then by item."""
    if any(scene.taken is None for scene in scenes):
        return [list(scenes)]
    found: dict[int, list[Scene]] = defaultdict(list)
    for scene in sorted(scenes, key=lambda one: (one.milliseconds, one.item)):
        found[scene.solar_day if group == "solar_day" else scene.milliseconds].append(scene)
    return sorted(found.values(), key=lambda one: one[0].milliseconds)


def _axis(groups: Sequence[Sequence[Scene]]) -> Axis | None:
    """The earliest time of each group; None where nobody knows when."""
    if any(scene.taken is None for scene in groups[0]):
        return None
    values = np.array([group[0].milliseconds for group in groups], dtype=np.int64)
    return Axis("time", "time", values, calendar="proleptic_gregorian", attrs={"standard_name": "time"})


# --- where -----------------------------------------------------------------------------------------------------------


def _window(bands: Sequence[RasterBand], extent: Extent | None, choice: Choice) -> Window:
    """The cells of the request that lie under some scene. Raises Invalid where there are none."""
    lattice = choice.lattice
    distinct = {(one.crs, one.transform, one.height, one.width): one for one in bands}.values()
    if choice.bounds is None:
        boxes = [raster_bounds(one.transform, one.height, one.width, one.crs, lattice.crs) for one in distinct]
        windows = [lattice.window(box) for box in _together([box for box in boxes if box], lattice)]
    else:
        asked = lattice.window(choice.bounds).grown(_MARGIN)
        windows = [window for one in distinct for _, window in _places(one, lattice, asked)]
    if not windows:
        raise nothing_here(extent)
    return Window.around(windows)


def _together(boxes: list[Bounds], lattice: Lattice) -> list[Bounds]:
    """In degrees, boxes on both sides of the antimeridian are turned to lie beside the first one."""
    if not lattice.is_geographic:
        return boxes
    turns = [_TURN * round((boxes[0][0] + boxes[0][2] - box[0] - box[2]) / 2 / _TURN) for box in boxes]
    return [(box[0] + by, box[1], box[2] + by, box[3]) for box, by in zip(boxes, turns, strict=True)]


def nothing_here(extent: Extent | None) -> Invalid:
    where = "" if extent is None else f" {', '.join(f'{one:.6g}' for one in extent.bbox())} (west, south, east, north)"
    return Invalid(f"No scene covers the place{where}.", parameter="coords")


def _variable(
    name: str, made: Expression | str, groups: Sequence[Sequence[Scene]], axis: Axis | None, making: _Making
) -> CubeVariable:
    window = making.window
    pieces: list[Piece] = []
    used: list[RasterBand] = []
    for number, group in enumerate(groups):
        for scene in group:
            names = made.bands if isinstance(made, Expression) else (made,)
            bands = {one: band for one in names if (band := scene.band(one)) is not None}
            if len(bands) == len(names):
                used.extend(bands.values())
                expression = made if isinstance(made, Expression) else None
                pieces.extend(_pieces(name, bands, expression, None if axis is None else number, making))
    if not pieces:
        raise Invalid(f"No scene here has all bands of {name!r:.60} together.", parameter="expression")
    dims = (*(("time",) if axis else ()), *making.dims)
    shape = (*((axis.values.size,) if axis else ()), window.rows, window.columns)
    dtype = "<f8" if any(one.dtype == "<f8" for one in used) else "<f4"
    return CubeVariable(name, dims, shape, dtype, _attrs(made, used), tuple(pieces))


def _pieces(
    name: str, bands: Mapping[str, RasterBand], expression: Expression | None, time: int | None, making: _Making
) -> list[Piece]:
    """One, or several where the grid goes around the Earth; none where the bands meet nowhere on it."""
    first, *others = bands.values()
    made = []
    whole = making.window
    for turn, place in making.places(first):
        met = place
        for other in others:
            same = [window for its_turn, window in making.places(other) if its_turn == turn]
            met = met.meet(same[0]) if same else Window(0, 0, 0, 0)
        if met.is_empty:
            continue
        a, b, c, d, e, f = making.lattice.transform(met)
        dtype = "<f8" if any(one.dtype == "<f8" for one in bands.values()) else "<f4"
        lead = () if time is None else (1,)
        dims = (*(() if time is None else ("time",)), *making.dims)
        shape, chunks = (*lead, met.rows, met.columns), (*lead, min(BLOCK, met.rows), min(BLOCK, met.columns))
        codec = codec_of(bands, expression, making.lattice.crs, (a, b, c - turn, d, e, f), making.method)
        array = ArrayScan(name, dims, shape, chunks, dtype, codec, None, Packing())
        rows = making.line(met.row - whole.row, met.rows, whole.rows)
        columns = making.line(met.column - whole.column, met.columns, whole.columns)
        at = () if time is None else (np.array([time], dtype=np.int64),)
        made.append(Piece(first.image.href, NAME, first.item, array, (*at, rows, columns)))
    return made


def _attrs(made: Expression | str, used: Sequence[RasterBand]) -> dict[str, Any]:
    if isinstance(made, Expression):
        return {"long_name": made.text}
    first = used[0].attrs
    shared = {key: value for key, value in first.items() if all(one.attrs.get(key) == value for one in used)}
    return {"long_name": used[0].name} | shared
