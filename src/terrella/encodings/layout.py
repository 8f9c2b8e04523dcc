"""What all encodings share: an extracted dataset with its axes told apart and its values in one order."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from shapely.geometry.base import BaseGeometry

    Coords = dict[str, xr.Variable]

Kind = Literal["grid", "mesh", "point", "cell", "vertex"]
"""`grid`: two one-dimensional axes; `mesh`: two dims with two-dimensional coordinates; the others have one dim."""

VERTICAL_NAMES = frozenset(
    (
        "pressure",
        "height",
        "depth",
        "altitude",
        "level",
        "lev",
        "plev",
        "model_level",
        "isobaricInhPa",
        "hybrid",
        "sigma",
        "z",
        "alt",
        "height_above_ground",
        "heightAboveGround",
        "depth_below_land",
        "soil_layer",
        "theta",
    )
)
DEGREES = "OGC:CRS84"
"""The system of places in degrees, longitude first."""
_DECIMALS = 10
"""Of degrees, a hundredth of a millimetre: turning longitudes leaves 13.400000000000006."""
_TIMES = ("time", "reference_time", "step")
_LINES = (("lat", "lon"), ("latitude", "longitude"), ("y", "x"), ("rlat", "rlon"))
ZONE = "geometry"
"""Of numbers reduced over space: the polygon that they are of, as WKT."""
_INSIDE = "inside"
"""Of rows and columns around a shape: which cells lie in it."""
_MAPPINGS = ("spatial_ref", "crs")
"""Names of variables that say the coordinate reference system."""
_PLACES: dict[str, Kind] = {"point": "point", "cell": "cell", "vertex": "vertex"}


@dataclass(frozen=True, eq=False)
class Layout:
    """Values as ``(other, vertical, time, *space)``; an axis that the dataset lacks has length 1.

    `space` is ``(y, x)`` for a grid, one flat dimension otherwise. `x` and `y` are degrees, or the units of `crs` on
    a projected grid; `longitude` and `latitude` are always degrees.
    """

    kind: Kind
    dataset: xr.Dataset
    space: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    crs: str
    time: str | None
    """Name of the time axis: 'time', or 'step' where valid time is reference time plus step."""
    vertical: str | None
    others: tuple[str, ...]
    labels: tuple[dict[str, Any], ...]
    """What each index of the first axis stands for: {'number': 3}."""
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    """Further coordinates along the places: names of stations, times of vertices."""
    periods: list[str] | None = None
    """Where times stand for periods: start and end of each, one after the other."""
    inside: np.ndarray | None = None
    """Which cells ``(y, x)`` lie in the shape asked for; of a mesh only these are told. None where all do."""

    @cached_property
    def zone(self) -> BaseGeometry | None:
        """The polygon or multi-polygon that the values are of, in degrees, longitude first, where space was reduced."""
        found = self.dataset.variables.get(ZONE)
        if found is None or found.ndim or self.kind != "point" or self.space:
            return None
        import shapely

        made = shapely.from_wkt(str(found.values))
        return made if made.geom_type in ("Polygon", "MultiPolygon") else None

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.dataset.data_vars]

    @cached_property
    def heights(self) -> np.ndarray | None:
        """Of the vertical axis, length 1 where it is a single value; None where there is no such axis."""
        return None if self.vertical is None else np.atleast_1d(self.dataset.variables[self.vertical].values)

    @cached_property
    def calendar(self) -> str:
        """CF name of the calendar of the times."""
        if self.time is None:
            return "standard"
        return calendar_of(_valid_time(self.dataset.variables, self.time).values)

    @cached_property
    def times(self) -> list[list[str]] | None:
        """Valid times as ISO text with Z, one list for each of `labels`; None where there is no time."""
        moments = self.moments
        return None if moments is None else [iso(row) for row in moments]

    @cached_property
    def moments(self) -> np.ndarray | None:
        """Valid times ``(other, time)``: datetime64, or cftime objects in odd calendars."""
        if self.time is None:
            return None
        count = len(self.labels)
        valid = _valid_time(self.dataset.variables, self.time)
        keep = {name: self.dataset.sizes[name] for name in self.others}
        axis = {self.time: self.dataset.sizes.get(self.time, 1)}
        return _spread(valid, keep | axis).reshape(count, -1)

    def values(self, name: str) -> np.ndarray:
        """One variable as ``(other, vertical, time, *space)``; what lacks an axis is repeated along it, unread."""
        order = [*self.others, *(dim for dim in (self.vertical, self.time) if dim in self.dataset.dims), *self.space]
        sizes = {str(dim): self.dataset.sizes[str(dim)] for dim in order}
        array = _spread(self.dataset.variables[name], sizes)
        vertical = self.dataset.sizes.get(self.vertical, 1) if self.vertical else 1
        time = self.dataset.sizes.get(self.time, 1) if self.time else 1
        if self.kind == "mesh" and self.inside is not None:
            array = array[..., self.inside]
        places = array.shape[len(order) - len(self.space) :] if self.kind == "grid" else (-1,)
        if array.size == 0 and self.kind != "grid":
            places = (0,)
        return array.reshape(len(self.labels), vertical, time, *places)

    @cached_property
    def longitude(self) -> np.ndarray:
        """Degrees, in the shape of the space: ``(y, x)`` for a grid."""
        return self._degrees("longitude")

    @cached_property
    def latitude(self) -> np.ndarray:
        return self._degrees("latitude")

    def _degrees(self, name: str) -> np.ndarray:
        if self.kind != "grid":
            return self.x if name == "longitude" else self.y
        sizes = {dim: self.dataset.sizes[dim] for dim in self.space}
        if name in self.dataset.variables:
            return np.round(_spread(self.dataset.variables[name], sizes), _DECIMALS)
        lon, lat = np.meshgrid(self.x, self.y)
        return np.asarray(lon if name == "longitude" else lat)


def layouts(dataset: xr.Dataset) -> list[Layout]:
    """Tell the axes of an extracted dataset apart; variables with different axes (levels, members) lie apart too.

    Variables that differ only in having no time stay together: they are repeated along it.
    """
    if "valid_time" in dataset.coords and "time" not in dataset.coords:
        dataset = dataset.rename(valid_time="time")
    dataset, periods = _without_bounds(dataset)
    groups: dict[frozenset[str], list[str]] = {}
    space, _ = _space(dataset)
    shared = {*space, *_TIMES}
    for name, variable in dataset.data_vars.items():
        groups.setdefault(frozenset(map(str, variable.dims)) - shared, []).append(str(name))
    if len(groups) < 2:
        return [_lay_out(dataset, periods)]
    return [_lay_out(dataset[names], periods) for names in groups.values()]


def bounds_of(dataset: xr.Dataset) -> dict[str, str]:
    """Coordinates that have bounds (CF 7.1), or those of a climatology (7.4), and the variables that hold these."""
    found = {}
    for name, coordinate in dataset.coords.items():
        bounds = coordinate.attrs.get("bounds") or coordinate.attrs.get("climatology")
        if bounds in dataset.variables:
            found[str(name)] = str(bounds)
    return found


def _without_bounds(dataset: xr.Dataset) -> tuple[xr.Dataset, list[str] | None]:
    """The dataset without variables that only bound others, and those bounds of the times that are plain periods."""
    known = bounds_of(dataset)
    if not known:
        return dataset, None
    periods = None
    if "time" in known and "bounds" in dataset["time"].attrs:
        periods = iso(dataset[known["time"]].values)
    return dataset.drop_vars(list(known.values())), periods


def _lay_out(dataset: xr.Dataset, periods: list[str] | None = None) -> Layout:
    coords = {str(name): dataset.variables[name] for name in dataset.coords}
    space, kind = _space(dataset)
    crs = _crs(dataset, space, kind)
    x, y = _horizontal(coords, space, kind)
    inside = _inside(coords, space)
    if inside is not None and kind == "mesh":
        x, y = x[inside.ravel()], y[inside.ravel()]
    if crs == DEGREES:
        x, y = np.round(x, _DECIMALS), np.round(y, _DECIMALS)
    time = _time_axis(coords, set(map(str, dataset.dims)))
    vertical = _vertical_axis(coords, exclude={*space, time})
    others = tuple(str(dim) for dim in dataset.dims if dim not in {*space, time, vertical})
    return Layout(
        kind=kind,
        dataset=dataset,
        space=space,
        x=x,
        y=y,
        crs=crs,
        time=time,
        vertical=vertical,
        others=others,
        labels=_labels(coords, {dim: dataset.sizes[dim] for dim in others}, hide={time, vertical}),
        columns=_columns(coords, space, kind),
        periods=periods if time == "time" else None,
        inside=inside,
    )


def _spread(variable: xr.Variable, sizes: dict[str, int]) -> np.ndarray:
    """Values with all of these dims in this order; what lacks one is repeated along it, as a view."""
    array = variable.transpose(*(dim for dim in sizes if dim in variable.dims)).values
    form = [size if dim in variable.dims else 1 for dim, size in sizes.items()]
    return np.broadcast_to(array.reshape(form), tuple(sizes.values()))


def iso(moments: np.ndarray) -> list[str]:
    """Times as ISO text with Z: whole seconds, or milliseconds where there are any; odd calendars keep their days."""
    flat = np.ravel(moments)
    if flat.dtype.kind != "M":
        return [f"{at.isoformat()}Z" for at in flat]
    seconds = flat.astype("M8[s]")
    exact = bool((seconds == flat).all())
    return [f"{text}Z" for text in np.datetime_as_string(seconds if exact else flat.astype("M8[ms]")).tolist()]


def calendar_of(moments: np.ndarray) -> str:
    """CF name of the calendar of some times."""
    if moments.dtype.kind == "M" or not moments.size:
        return "standard"
    return str(getattr(moments.flat[0], "calendar", "standard"))


def plain(value: Any) -> Any:
    """A coordinate value as JSON has it: steps in hours, times as text."""
    item = np.asarray(value)
    if item.dtype.kind == "m":
        return float(item / np.timedelta64(1, "h"))
    if item.dtype.kind == "M" or hasattr(item.item(), "calendar"):
        return iso(item)[0]
    return item.item()


def text(value: Any) -> str | None:
    """A value that is no number; None for what is missing."""
    is_missing = value is None or (isinstance(value, float) and math.isnan(value))
    return None if is_missing else str(value)


def native(array: np.ndarray) -> np.ndarray:
    """The array in C order and this machine's byte order, without a copy where it is so already."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _space(dataset: xr.Dataset) -> tuple[tuple[str, ...], Kind]:
    dims, variables = dataset.dims, dataset.variables
    for dim, kind in _PLACES.items():
        if dim in dims:
            return (dim,), kind
    for y, x in _LINES:
        if y in dims and x in dims:
            return (y, x), "grid" if y in variables and x in variables else "mesh"
    longitude = variables.get("longitude")
    if longitude is None or longitude.ndim == 0:
        return (), "point"
    places = tuple(str(dim) for dim in longitude.dims)
    return places, "mesh" if len(places) > 1 else "cell"


def _horizontal(coords: Coords, space: tuple[str, ...], kind: Kind) -> tuple[np.ndarray, np.ndarray]:
    if kind == "grid":
        return coords[space[1]].values, coords[space[0]].values
    return np.ravel(coords["longitude"].values), np.ravel(coords["latitude"].values)


def _inside(coords: Coords, space: tuple[str, ...]) -> np.ndarray | None:
    found = coords.get(_INSIDE)
    return None if found is None or found.dims != space else np.asarray(found.values, dtype=bool)


def _crs(dataset: xr.Dataset, space: tuple[str, ...], kind: Kind) -> str:
    if kind != "grid" or space[0] in {"lat", "latitude"}:
        return DEGREES
    for name in _MAPPINGS:
        if name in dataset.variables:
            attrs = dataset.variables[name].attrs
            if wkt := attrs.get("crs_wkt") or attrs.get("spatial_ref"):
                return str(wkt)
    return str(dataset.attrs.get("crs") or DEGREES)


def _time_axis(coords: Coords, dims: set[str]) -> str | None:
    """The dim or single coordinate along which valid time goes."""
    if "time" in dims:
        return "time"
    along = set(coords["time"].dims) if "time" in coords else None
    if along is not None and along & set(_PLACES):
        return None
    if "step" in dims and (along is None or "step" in along):
        return "step" if along or "reference_time" in coords else None
    if along is not None and not along:
        return "time"
    return "reference_time" if "reference_time" in coords else None


def _valid_time(variables: Mapping[Any, xr.Variable], axis: str) -> xr.Variable:
    if "time" in variables:
        return variables["time"]
    if axis != "step":
        return variables[axis]
    step = variables["step"]
    if step.dtype.kind != "m":
        step = (step * 3_600_000_000_000).astype("m8[ns]")
    return variables["reference_time"] + step


def _vertical_axis(coords: Coords, exclude: set[str | None]) -> str | None:
    for name, coordinate in coords.items():
        if name in exclude or coordinate.dims not in {(), (name,)} or coordinate.dtype.kind not in "iuf":
            continue
        if coordinate.attrs.get("axis") == "Z" or "positive" in coordinate.attrs or name in VERTICAL_NAMES:
            return name
    return None


def _labels(coords: Coords, others: dict[str, int], hide: set[str | None]) -> tuple[dict[str, Any], ...]:
    hidden = {*hide, "longitude", "latitude", "time", ZONE, *_MAPPINGS}
    single = {
        name: plain(coordinate.values)
        for name, coordinate in coords.items()
        if coordinate.ndim == 0 and name not in hidden
    }
    columns = [
        [(dim, plain(value)) for value in (coords[dim].values if dim in coords else range(size))]
        for dim, size in others.items()
    ]
    return tuple(single | dict(chosen) for chosen in product(*columns))


def _columns(coords: Coords, space: tuple[str, ...], kind: Kind) -> dict[str, np.ndarray]:
    if kind not in _PLACES.values() or not space:
        return {}
    return {
        name: coordinate.values
        for name, coordinate in coords.items()
        if coordinate.dims == space and name not in {"longitude", "latitude", *space}
    }
