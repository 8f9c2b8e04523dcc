"""Where the cells of a variable lie: from coordinates and grid mappings to a grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.cubes.cf import healpix
from terrella.cubes.cf.attributes import number, text
from terrella.cubes.cf.crs import coordinate_factor, crs_of, geotransform
from terrella.cubes.cf.scope import Scope
from terrella.cubes.cf.tree import LeftOut, Variable
from terrella.errors import TerrellaError
from terrella.grids import (
    CurvilinearGrid,
    HealpixGrid,
    PointsGrid,
    ProjectedGrid,
    RotatedGrid,
    crs_text,
    regular_or_rectilinear,
)

if TYPE_CHECKING:
    import pyproj

    from terrella.contracts.grids import Grid

_SCALAR_NAMES = {"lat", "latitude", "lon", "longitude"}
_MOST_CELLS = 100_000_000
_MOST_POINTS = 20_000_000
_RADIANS = {"rad", "radian", "radians"}


@dataclass(frozen=True, eq=False)
class Spot:
    """A grid, and which dimension of the variable each of its dimensions is; None: the variable lacks it."""

    grid: Grid
    document: dict[str, Any]
    dims: tuple[str | None, ...]


class Places:
    """Finds the grid of each variable of a group; variables with the same coordinates share one."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._found: dict[Any, Spot | LeftOut] = {}

    def of(self, variable: Variable) -> Spot:
        """Raises LeftOut where the variable has no position that we understand."""
        said = [text(variable.attrs.get(key)) for key in ("coordinates", "grid_mapping", "crs")]
        key = (variable.dims, variable.shape, *said)
        if key not in self._found:
            self._found[key] = self._sought(variable)
        found = self._found[key]
        if isinstance(found, LeftOut):
            raise LeftOut(str(found))
        return found

    def _sought(self, variable: Variable) -> Spot | LeftOut:
        try:
            for way in _WAYS:
                made = way(_Sight(self._scope, variable))
                if made is not None:
                    grid, dims = made
                    return Spot(grid, grid.to_json(), dims)
        except LeftOut as reason:
            return reason
        except TerrellaError as error:
            return LeftOut(f"because of its coordinates: {error.message.rstrip('.')}")
        return LeftOut("it has no position")


Made = tuple["Grid", tuple[str | None, ...]]


class _Sight:
    """One variable with the coordinates that it might have."""

    def __init__(self, scope: Scope, variable: Variable) -> None:
        self.scope = scope
        self.variable = variable
        self.dims = variable.dims
        listed = scope.listed(variable)
        own = [dim for dim in variable.dims if scope.along(dim) is not None]
        rest = [name for name, one in scope.variables.items() if one.dims and name not in own]
        self._names = [name for name in dict.fromkeys([*listed, *own, *rest]) if name != variable.name]
        self._listed = set(listed)

    def pairs(self, north: str, east: str) -> list[tuple[Variable, Variable]]:
        """Coordinates of two roles whose dimensions the variable has, best first."""
        return [(y, x) for y in self._with_role(north) for x in self._with_role(east)]

    def _with_role(self, role: str) -> list[Variable]:
        names = [name for name in self._names if self.scope.role(name) == role]
        if role in {"latitude", "longitude"}:
            names += [name for name in self.scope.variables if self._is_lone(name, role) and name not in names]
        found = [self.scope.variables[name] for name in names]
        return [one for one in found if set(one.dims) <= set(self.dims) and one.dtype is not None]

    def _is_lone(self, name: str, role: str) -> bool:
        one = self.scope.variables[name]
        is_plain = name.rsplit("/", 1)[-1].casefold() in _SCALAR_NAMES
        return not one.dims and self.scope.role(name) == role and (name in self._listed or is_plain)

    def degrees(self, coordinate: Variable) -> np.ndarray:
        """Values in degrees, float64 (float32 noise is left to the grid, which knows it)."""
        values = self.scope.values(coordinate.name).astype(np.float64)
        if text(coordinate.attrs.get("units")).casefold() in _RADIANS:
            return np.degrees(values)
        return values

    def corners(self, coordinate: Variable) -> np.ndarray | None:
        """Vertices of cells in degrees, (cells, corners), as the bounds of a coordinate give them; None for none."""
        bounds = self.scope.variables.get(text(coordinate.attrs.get("bounds")))
        if bounds is None or bounds.dims[:1] != coordinate.dims or not 3 <= (*bounds.shape, 0)[1] <= 12:
            return None
        units = text(bounds.attrs.get("units")) or text(coordinate.attrs.get("units"))
        values = self.scope.values(bounds.name).astype(np.float64)
        return np.degrees(values) if units.casefold() in _RADIANS else values

    def crs(self) -> tuple[pyproj.CRS | None, dict[str, Any]]:
        """The reference system of the variable, and the attributes that describe it."""
        mapping = self.scope.mapping(self.variable)
        for attrs in (mapping.attrs if mapping is not None else {}, self.variable.attrs, self.scope.tree.attrs):
            found = crs_of(attrs)
            if found is not None:
                return found, attrs
        return None, mapping.attrs if mapping is not None else {}

    def moves(self, dim: str) -> bool:
        """Whether time goes on along a dimension of places: a trajectory."""
        for one in self.scope.variables.values():
            if one.dims == (dim,) and self.scope.role(one.name) == "time" and one.name in self.scope.supporting:
                return True
        return False


def _declared_healpix(sight: _Sight) -> Made | None:
    found = healpix.declared(sight.scope, sight.variable)
    if found is None:
        return None
    dim, pixels = found
    return _pixels(pixels), (dim,)


def _pixels(pixels: healpix.Pixels) -> Grid:
    return HealpixGrid(pixels.nside, pixels.order, pixels.ids)


def _rotated(sight: _Sight) -> Made | None:
    for y, x in sight.pairs("grid_latitude", "grid_longitude"):
        mapping = sight.scope.mapping(sight.variable)
        if mapping is None or not _crossed(y, x):
            continue
        if text(mapping.attrs.get("grid_mapping_name")) != "rotated_latitude_longitude":
            continue
        keys = ("grid_north_pole_longitude", "grid_north_pole_latitude", "north_pole_grid_longitude")
        pole_lon, pole_lat, turn = (number(mapping.attrs.get(key)) for key in keys)
        lon, lat = sight.degrees(x), sight.degrees(y)
        if pole_lon is not None and pole_lat is not None:
            return RotatedGrid.of(pole_lon, pole_lat, lat, lon, turn or 0.0), (y.dims[0], x.dims[0])
    return None


def _crossed(y: Variable, x: Variable) -> bool:
    """Whether these are one-dimensional along two dimensions."""
    return len(y.dims) == len(x.dims) == 1 and y.dims != x.dims


def _rectangular(sight: _Sight) -> Made | None:
    for y, x in sight.pairs("latitude", "longitude"):
        if _crossed(y, x):
            return regular_or_rectilinear(_checked(sight.degrees(y)), sight.degrees(x)), (y.dims[0], x.dims[0])
    return None


def _checked(lat: np.ndarray) -> np.ndarray:
    """Latitudes, a hair beyond the poles drawn back. Raises LeftOut for what are none."""
    with np.errstate(invalid="ignore"):
        if bool((np.abs(lat) > 90.01).any()):
            raise LeftOut("its latitudes go beyond the poles")
    return np.asarray(np.clip(lat, -90.0, 90.0))


def _scattered(lat: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(lat, lon) with NaN for both where either is no place: undeclared fill values. Raises LeftOut for none at all."""
    with np.errstate(invalid="ignore"):
        lost = ~((np.abs(lat) <= 90.01) & (np.abs(lon) <= 1080.0))
    if bool(lost.all()):
        raise LeftOut("none of its cells has a position")
    return np.where(lost, np.nan, np.clip(lat, -90.0, 90.0)), np.where(lost, np.nan, lon)


def _projected(sight: _Sight) -> Made | None:
    pairs = [pair for pair in sight.pairs("y", "x") if _crossed(*pair)]
    crs, attrs = sight.crs() if pairs or len(sight.dims) > 1 else (None, {})
    if crs is None:
        return None
    for y, x in pairs:
        made = _from_xy(crs, attrs, (sight.scope.values(y.name), y), (sight.scope.values(x.name), x))
        return made, (y.dims[0], x.dims[0])
    return _from_transform(sight, crs, attrs)


Column = tuple[np.ndarray, Variable]


def _from_xy(crs: pyproj.CRS, attrs: dict[str, Any], north: Column, east: Column) -> Grid:
    (y, y_from), (x, x_from) = north, east
    if crs.is_geographic:
        return regular_or_rectilinear(_checked(y.astype(np.float64)), x.astype(np.float64))
    up = coordinate_factor(text(y_from.attrs.get("units")), crs, attrs)
    along = coordinate_factor(text(x_from.attrs.get("units")), crs, attrs)
    return ProjectedGrid.from_coordinates(crs_text(crs), x * along, y * up)


def _from_transform(sight: _Sight, crs: pyproj.CRS, attrs: dict[str, Any]) -> Made | None:
    """Rasters that carry GDAL's transform instead of coordinates: their last two dimensions are y and x."""
    found = geotransform(attrs) or geotransform(sight.variable.attrs)
    if found is None or len(sight.dims) < 2:
        return None
    names = [dim.rsplit("/", 1)[-1].casefold() for dim in sight.dims[-2:]]
    if names[0] not in {"y", "lat", "latitude", "ydim"} or names[1] not in {"x", "lon", "longitude", "xdim"}:
        return None
    rows, columns = sight.variable.shape[-2:]
    x = found[0] + (np.arange(columns) + 0.5) * found[1]
    y = found[3] + (np.arange(rows) + 0.5) * found[5]
    if crs.is_geographic:
        return regular_or_rectilinear(_checked(y), x), sight.dims[-2:]
    return ProjectedGrid.from_coordinates(crs_text(crs), x, y), sight.dims[-2:]


def _curvilinear(sight: _Sight) -> Made | None:
    for y, x in sight.pairs("latitude", "longitude"):
        if len(y.dims) == 2 and y.dims == x.dims and y.size <= _MOST_CELLS:
            return _two_dimensional(*_scattered(sight.degrees(y), sight.degrees(x))), y.dims
        if len(y.dims) == 3 and y.dims == x.dims and y.size <= _MOST_CELLS:
            return _still(sight, y, x), y.dims[1:]
    return None


def _two_dimensional(lat: np.ndarray, lon: np.ndarray) -> Grid:
    """Curvilinear, unless rows and columns turn out to be parallels and meridians."""
    if lat.size and np.array_equal(lat, np.broadcast_to(lat[:, :1], lat.shape)):
        if np.array_equal(lon, np.broadcast_to(lon[:1], lon.shape)):
            return regular_or_rectilinear(lat[:, 0], lon[0])
        if np.array_equal(lat, np.broadcast_to(lat[:1, :1], lat.shape)):
            raise LeftOut("all of its cells lie on one parallel")
    return CurvilinearGrid(lon, lat)


def _still(sight: _Sight, y: Variable, x: Variable) -> Grid:
    """WRF writes its fixed grid anew for every time. Raises LeftOut where it moves."""
    lat, lon = _scattered(sight.degrees(y), sight.degrees(x))
    for values in (lat, lon):
        if not len(values) or not np.array_equal(values, np.broadcast_to(values[:1], values.shape), equal_nan=True):
            raise LeftOut("its grid moves with time")
    return _two_dimensional(lat[0], lon[0])


def _listed_places(sight: _Sight) -> Made | None:
    """Places along one dimension: stations, unstructured cells, or HEALPix that does not say so."""
    for y, x in sight.pairs("latitude", "longitude"):
        if len(y.dims) != 1 or y.dims != x.dims:
            continue
        dim = y.dims[0]
        if dim in sight.scope.ragged:
            raise LeftOut("ragged series of stations or casts are not read")
        if sight.moves(dim):
            raise LeftOut("its position changes along with time: trajectories are not read")
        if y.size > _MOST_POINTS:
            raise LeftOut(f"it has {y.size:,} places; at most {_MOST_POINTS:,} are read")
        lat, lon = _scattered(sight.degrees(y), sight.degrees(x))
        pixels = healpix.recognised(lon, lat)
        if pixels is not None:
            return _pixels(pixels), (dim,)
        corner_lon, corner_lat = sight.corners(x), sight.corners(y)
        if corner_lon is None or corner_lat is None or corner_lon.shape != corner_lat.shape:
            return PointsGrid(lon, lat), (dim,)
        return PointsGrid(lon, lat, vertex_lon=corner_lon, vertex_lat=corner_lat), (dim,)
    return None


def _single(sight: _Sight) -> Made | None:
    """One place, one row or one column, told by scalar coordinates."""
    for y, x in sight.pairs("latitude", "longitude"):
        if y.dims and x.dims:
            continue
        lat, lon = _checked(sight.degrees(y).reshape(-1)), sight.degrees(x).reshape(-1)
        if not (np.isfinite(lat).all() and np.isfinite(lon).all()):
            continue
        if not y.dims and not x.dims:
            return (PointsGrid(lon, lat), (None,)) if sight.dims else None
        if len(y.dims) <= 1 and len(x.dims) <= 1 and not sight.moves((y.dims or x.dims)[0]):
            return regular_or_rectilinear(lat, lon), (_only(y.dims), _only(x.dims))
    return None


def _only(dims: tuple[str, ...]) -> str | None:
    return dims[0] if dims else None


_WAYS: tuple[Callable[[_Sight], Made | None], ...] = (
    _declared_healpix,
    _rotated,
    _rectangular,
    _projected,
    _curvilinear,
    _listed_places,
    _single,
)
"""Ways to find a grid, the first that succeeds is taken."""
