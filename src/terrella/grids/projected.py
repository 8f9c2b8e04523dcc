"""Cells in the plane of a map projection: any CRS that pyproj knows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from terrella.errors import Invalid
from terrella.grids.identity import Identity
from terrella.grids.lines import Line
from terrella.grids.planes import PlaneCells
from terrella.grids.regular import RegularGrid
from terrella.grids.sphere import (
    Closest,
    chord,
    distance,
    fan_areas,
    is_place,
    lonlat,
    unit,
    wrapped,
)
from terrella.grids.tables import Cells, Flags, Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

Affine = tuple[float, float, float, float, float, float]


@lru_cache(maxsize=256)
def _crs(text: str) -> CRS:
    try:
        found = CRS.from_user_input(text)
    except CRSError as error:
        raise Invalid(f"{text!r:.80} is no coordinate reference system: {error!s:.200}", parameter="crs") from None
    if found.is_compound:
        found = found.sub_crs_list[0]
    return found.to_2d()


def crs_text(crs: Any) -> str:
    """'EPSG:n' where the system is exactly that one, else WKT2; of anything that pyproj takes. Raises Invalid."""
    given = crs.to_wkt() if hasattr(crs, "to_wkt") else f"EPSG:{crs}" if isinstance(crs, int) else str(crs)
    return _crs_text(given)


@lru_cache(maxsize=256)
def _crs_text(given: str) -> str:
    system = _crs(given)
    code = system.to_epsg(min_confidence=100)
    if code is not None and _crs(f"EPSG:{code}") == system:
        return f"EPSG:{code}"
    return system.to_wkt("WKT2_2019")


@lru_cache(maxsize=64)
def _to_places(crs: str) -> Transformer:
    """To longitude and latitude on WGS 84; a sphere's latitudes are taken as they are. Safe across threads."""
    return Transformer.from_crs(_crs(crs), CRS("OGC:CRS84"), always_xy=True)


@dataclass(frozen=True, eq=False)
class ProjectedGrid(PlaneCells, Identity):
    """Cells at x and y of a projection, or under an affine transform that turns or shears the array.

    Made with `from_transform` or `from_coordinates`; either `x_line` and `y_line` are set or `affine` is. Coordinates
    are in the units of the CRS (for geostationary views metres: the scanning angle times the height).
    """

    crs: str
    x_line: Line | None
    y_line: Line | None
    affine: Affine | None = None
    counts: tuple[int, int] = (0, 0)
    kind: ClassVar[str] = "projected"
    dims: ClassVar[tuple[str, ...]] = ("y", "x")

    @classmethod
    def from_transform(cls, crs: Any, transform: Sequence[float], ny: int, nx: int) -> ProjectedGrid:
        """From an affine transform as rasterio orders it: x = a column + b row + c, y = d column + e row + f.

        Rows and columns count from the outer corner of the first cell. Raises Invalid for a transform that is not
        finite or flattens the array.
        """
        a, b, c, d, e, f = (float(number) + 0.0 for number in tuple(transform)[:6])
        if not np.isfinite([a, b, c, d, e, f]).all() or a * e - b * d == 0 or ny < 1 or nx < 1:
            raise Invalid("A raster needs a finite, invertible transform and at least one cell.", parameter="grid")
        if b == 0 and d == 0:
            return cls(crs_text(crs), Line(c + a / 2, a, int(nx)), Line(f + e / 2, e, int(ny)))
        return cls(crs_text(crs), None, None, (a, b, c, d, e, f), (int(ny), int(nx)))

    @classmethod
    def from_coordinates(cls, crs: Any, x: np.ndarray, y: np.ndarray) -> ProjectedGrid:
        """From the coordinates of cell centres, rising or falling. Raises Invalid where they do neither."""
        xs, ys = np.asarray(x), np.asarray(y)
        steps = [abs(Line.of(values).step) for values in (xs, ys) if values.size > 1]
        lone = (steps[0] if steps else 0.0) or 1.0
        x_line, y_line = Line.of(xs, lone_step=lone), Line.of(ys, lone_step=lone)
        if not (x_line.is_monotonic and y_line.is_monotonic):
            raise Invalid("Projected coordinates must rise or fall all along.", parameter="grid")
        return cls(crs_text(crs), x_line, y_line)

    @property
    def shape(self) -> tuple[int, ...]:
        if self.x_line is None or self.y_line is None:
            return self.counts
        return (self.y_line.count, self.x_line.count)

    @property
    def transform(self) -> Affine | None:
        """As `from_transform` takes it; None where the coordinates are unevenly spaced."""
        if self.x_line is None or self.y_line is None:
            return self.affine
        if self.x_line.table is not None or self.y_line.table is not None:
            return None
        x, y = self.x_line, self.y_line
        return (x.step, 0.0, x.first - x.step / 2, 0.0, y.step, y.first - y.step / 2)

    def _xy(self, row: Floats, column: Floats) -> tuple[Floats, Floats]:
        if self.x_line is not None and self.y_line is not None:
            return self.x_line.at(column), self.y_line.at(row)
        assert self.affine is not None
        a, b, c, d, e, f = self.affine
        right, down = np.asarray(column) + 0.5, np.asarray(row) + 0.5
        return a * right + b * down + c, d * right + e * down + f

    def _indices(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Fractional (row, column)."""
        if self.x_line is not None and self.y_line is not None:
            return self.y_line.index(y), self.x_line.index(x)
        assert self.affine is not None
        a, b, c, d, e, f = self.affine
        area = a * e - b * d
        return (a * (y - f) - d * (x - c)) / area - 0.5, (e * (x - c) - b * (y - f)) / area - 0.5

    def place(self, row: np.ndarray, column: np.ndarray) -> tuple[Floats, Floats]:
        """(lon, lat) of fractional rows and columns; NaN where the projection has no place on the Earth."""
        lon, lat = self._unchecked(row, column)
        if self._folds:
            again_row, again_column = self._find(lon, lat)
            lost = ~_agree(again_row, again_column, row, column)
            lon[lost] = lat[lost] = np.nan
        return lon, lat

    def _unchecked(self, row: np.ndarray, column: np.ndarray) -> tuple[Floats, Floats]:
        x, y = self._xy(np.asarray(row, dtype=np.float64), np.asarray(column, dtype=np.float64))
        lon, lat = (np.asarray(part, dtype=np.float64) for part in _to_places(self.crs).transform(x, y))
        real = is_place(lon, lat)
        return np.where(real, wrapped(np.where(real, lon, 0.0)), np.nan), np.where(real, lat, np.nan)

    def _find(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Fractional (row, column) of places; NaN where the projection does not show them."""
        real = is_place(lon, lat)
        x, y = _to_places(self.crs).transform(np.where(real, lon, 0.0), np.where(real, lat, 0.0), direction="INVERSE")
        shown = real & np.isfinite(x) & np.isfinite(y)
        row, column = self._indices(np.where(shown, x, np.nan), np.where(shown, y, np.nan))
        return row, column

    def indices(self, lon: np.ndarray, lat: np.ndarray) -> tuple[Floats, Floats]:
        """Fractional (row, column) of places, the inverse of `place`; NaN where the projection does not show them."""
        return self._find(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))

    @property
    def _has_gaps(self) -> bool:
        return self._folds

    @cached_property
    def _folds(self) -> bool:
        """Whether some of the plane is not the Earth, or shows it again (a sinusoidal map): check all then."""
        ny, nx = self.shape
        row = np.repeat(np.linspace(-0.5, ny - 0.5, 33), 33)
        column = np.tile(np.linspace(-0.5, nx - 0.5, 33), 33)
        again_row, again_column = self._find(*self._unchecked(row, column))
        near = _agree(again_row, again_column, row, column)
        # The antimeridian may come back as the other border of a map of the whole Earth: only the inside decides.
        inside = (row > -0.5) & (row < ny - 0.5) & (column > -0.5) & (column < nx - 0.5)
        return bool((inside & ~near).any() or np.isnan(again_row).any())

    def nearest(self, lon: np.ndarray, lat: np.ndarray) -> Cells:
        """Cell nearest on the sphere; -1 outside the outer borders of the array and off the Earth.

        Starts at the cell that holds the place in the plane. How many rows and columns away a nearer centre can be
        follows from how fast they change per radian on the sphere (finite differences in two directions), so that
        sheared and stretched maps are exact too.
        """
        lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
        result = np.full(lon.shape, -1, dtype=np.int64)
        row, column = self._find(lon, lat)
        ny, nx = self.shape
        inside = (row >= -0.5 - 1e-6) & (row <= ny - 0.5 + 1e-6) & (column >= -0.5 - 1e-6) & (column <= nx - 0.5 + 1e-6)
        result[inside] = self._nearest(lon[inside], lat[inside], row[inside], column[inside])
        return result

    def _nearest(self, lon: Floats, lat: Floats, row: Floats, column: Floats) -> Cells:
        ny, nx = self.shape
        best = Closest(lon.size)
        i = np.clip(np.rint(row), 0, ny - 1).astype(np.int64)
        j = np.clip(np.rint(column), 0, nx - 1).astype(np.int64)
        best.offer(i * nx + j, chord(lon, lat, *self.place(i, j)))
        down, right = self._spread(lon, lat, row, column, best.chord)
        for di in range(-int(down.max(initial=0)), int(down.max(initial=0)) + 1):
            for dj in range(-int(right.max(initial=0)), int(right.max(initial=0)) + 1):
                k, m = i + di, j + dj
                fits = (abs(di) <= down) & (abs(dj) <= right) & (k >= 0) & (k < ny) & (m >= 0) & (m < nx)
                at = np.flatnonzero(fits)
                if at.size and (di or dj):
                    best.offer(k[at] * nx + m[at], chord(lon[at], lat[at], *self.place(k[at], m[at])), at)
        return best.cell

    def _spread(self, lon: Floats, lat: Floats, row: Floats, column: Floats, reach: Floats) -> tuple[Cells, Cells]:
        """How many rows and columns away a centre within `reach` (a chord) can be, at most 32."""
        size = np.maximum(np.where(np.isfinite(reach), reach, 0.0), 1e-7)
        centre = unit(lon, lat)
        lam = np.radians(lon)
        east = np.stack([-np.sin(lam), np.cos(lam), np.zeros_like(lam)], axis=-1)
        steps = [self._find(*lonlat(centre + size[:, None] * way)) for way in (east, np.cross(centre, east))]
        wide = [np.hypot(steps[0][k] - held, steps[1][k] - held) for k, held in enumerate((row, column))]
        # A NaN neighbour lies off the Earth: look at the next cells all the same.
        far = [np.minimum(np.floor(np.nan_to_num(1.15 * w, nan=1.5) + 0.55), 32).astype(np.int64) for w in wide]
        return far[0], far[1]

    def areas(self, cells: np.ndarray | None = None) -> Floats:
        """Square metres on the sphere of the quadrilaterals of projected corners, sides along great circles.

        Latitudes are taken as latitudes of the sphere, as for all other grids.
        """
        row, column = np.divmod(np.arange(self.size) if cells is None else np.asarray(cells), self.shape[1])
        corners = [unit(*self.place(row + di / 2, column + dj / 2)) for di, dj in ((-1, -1), (-1, 1), (1, 1), (1, -1))]
        return fan_areas(np.stack(corners, axis=-2))

    def resolution(self) -> float:
        """Metres between neighbouring centres, along rows and columns, at the middle of what is shown."""
        ny, nx = self.shape
        row, column = np.repeat(np.linspace(0, ny - 1, 5), 5), np.tile(np.linspace(0, nx - 1, 5), 5)
        here = self.place(row, column)
        steps = [distance(*here, *self.place(row + di, column + dj)) for di, dj in ((1, 0), (0, 1))]
        each = np.sqrt(steps[0] * steps[1])
        middle = each[12] if np.isfinite(each[12]) else np.nanmedian(each) if np.isfinite(each).any() else math.nan
        return float(middle)

    def coordinates(self) -> dict[str, np.ndarray]:
        """Coordinates x and y of centres in the units of the CRS; none under a turned transform."""
        if self.x_line is None or self.y_line is None:
            return {}
        return {"y": self.y_line.values, "x": self.x_line.values}

    def to_json(self) -> dict[str, Any]:
        if self.x_line is None or self.y_line is None:
            ny, nx = self.counts
            return {"kind": self.kind, "crs": self.crs, "transform": list(self.affine or ()), "ny": ny, "nx": nx}
        return {"kind": self.kind, "crs": self.crs, "x": self.x_line.to_json(), "y": self.y_line.to_json()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> ProjectedGrid:
        if "transform" in document:
            return cls.from_transform(document["crs"], document["transform"], document["ny"], document["nx"])
        return cls(document["crs"], Line.from_json(document["x"]), Line.from_json(document["y"]))


def _agree(row: Floats, column: Floats, other_row: np.ndarray, other_column: np.ndarray) -> Flags:
    """Where indices are the same to a thousandth of a cell; NaN never is."""
    return np.asarray((np.abs(row - other_row) < 1e-3) & (np.abs(column - other_column) < 1e-3), dtype=bool)


def raster_grid(crs: Any, transform: Sequence[float], ny: int, nx: int) -> RegularGrid | ProjectedGrid:
    """The grid of a raster: regular under a geographic CRS in degrees from Greenwich, else projected.

    The datum of such a CRS is taken for WGS 84 (a metre for ETRS89 and NAD83; up to 200 m for old local datums).
    Raises Invalid as `ProjectedGrid.from_transform` does.
    """
    grid = ProjectedGrid.from_transform(crs, transform, ny, nx)
    system = _crs(grid.crs)
    plain = system.is_geographic and not system.is_derived and grid.x_line is not None and grid.y_line is not None
    if not plain or not math.isclose(system.axis_info[0].unit_conversion_factor, math.pi / 180, rel_tol=1e-9):
        return grid
    if system.prime_meridian is not None and system.prime_meridian.longitude:
        return grid
    assert grid.x_line is not None
    assert grid.y_line is not None
    x, y = grid.x_line, grid.y_line
    return RegularGrid(y.first, y.step, y.count, x.first, x.step, x.count, grid.crs)
