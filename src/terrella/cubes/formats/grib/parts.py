"""Fields gathered into arrays, and arrays that share their axes into parts."""

from __future__ import annotations

import base64
import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.cubes.formats.grib.ccsds import Coding
from terrella.cubes.formats.grib.levels import layer, level_value, vertical
from terrella.cubes.formats.grib.simple import Values
from terrella.cubes.formats.grib.times import CALENDAR
from terrella.cubes.formats.grib.variables import Key, array_attrs, array_name, is_forecast, is_member, key_of, label
from terrella.model.scan import ArrayScan, Axis, AxisKind, ChunkTable, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from terrella.cubes.formats.grib.facts import Facts
    from terrella.cubes.formats.grib.grid import Lattice

Value = int | float
FULL_ENOUGH = 0.5
"""Variables of different levels or times share axes when each has at least this much of what these span."""


@dataclass(frozen=True, slots=True)
class Row:
    """One field of the file: what it is, when it was made for, and where it lies."""

    facts: Facts
    reference: int
    number: int | None
    lattice: Lattice
    offset: int
    length: int
    part: int
    values: Values | Coding | None = None
    checksum: int = 0
    """CRC-32C of the message."""


@dataclass(frozen=True, slots=True)
class Dim:
    """A dimension without its values."""

    name: str
    kind: AxisKind
    units: str = ""


@dataclass(frozen=True)
class Group:
    """Rows of one variable: their places by dimension. Later rows at the same place replace earlier ones."""

    name: str
    dims: tuple[Dim, ...]
    places: dict[tuple[Value, ...], Row]
    repeated: int

    @property
    def first(self) -> Row:
        return next(iter(self.places.values()))

    def values(self, dim: Dim) -> frozenset[Value]:
        at = self.dims.index(dim)
        return frozenset(place[at] for place in self.places)


@dataclass
class Cluster:
    """Variables that will share axes."""

    groups: list[Group]
    axes: dict[Dim, frozenset[Value]] = field(default_factory=dict)

    def merged(self, other: Cluster) -> Cluster:
        axes = dict(self.axes)
        for dim, values in other.axes.items():
            axes[dim] = axes.get(dim, frozenset()) | values
        return Cluster(self.groups + other.groups, axes)

    @property
    def filled(self) -> float:
        """Share of the places that the axes span at which the emptiest variable has a field."""
        return min(len(group.places) / math.prod(len(self.axes[dim]) for dim in group.dims) for group in self.groups)


def parts(rows: Sequence[Row]) -> tuple[tuple[Part, ...], list[str]]:
    """Parts of a file, and notes on what was left out."""
    buckets: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in rows:
        buckets[label(row.facts), id(row.lattice)].append(row)
    made: list[Part] = []
    repeated = 0
    for (name, _), members in buckets.items():
        groups = _groups(members)
        repeated += sum(group.repeated for group in groups)
        made += [_part(name, cluster) for cluster in _clusters(groups)]
    note = f"{repeated} fields repeat another one's variable, time, level and member: the last of each is used."
    return tuple(_labelled(made)), [note] if repeated else []


def _groups(rows: list[Row]) -> list[Group]:
    forecast = any(is_forecast(row.facts) for row in rows)
    member = any(is_member(row.facts, row.number) for row in rows)
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        found[key_of(row.facts)].append(row)
    names = {key: array_name(key, found) for key in found}
    return [_group(names[key], members, forecast=forecast, member=member) for key, members in found.items()]


def _group(name: str, rows: list[Row], *, forecast: bool, member: bool) -> Group:
    dims = _dims(rows[0], forecast=forecast, member=member)
    places: dict[tuple[Value, ...], Row] = {}
    for row in rows:
        places[tuple(_place(row, dim) for dim in dims)] = row
    return Group(name, dims, places, len(rows) - len(places))


def _dims(row: Row, *, forecast: bool, member: bool) -> tuple[Dim, ...]:
    dims = [Dim("reference_time", "reference_time"), Dim("step", "step")] if forecast else [Dim("time", "time")]
    if member:
        dims.append(Dim("number", "number"))
    along = vertical(row.facts)
    if along:
        # Kinds that differ only in how levels are coded (Pa, hPa) are one axis.
        dims.append(Dim(along.name, "vertical", along.units))
    if row.facts.spectrum:
        dims += [Dim("direction", "other", "degree"), Dim("frequency", "other", "Hz")]
    return tuple(dims)


def _place(row: Row, dim: Dim) -> Value:
    facts = row.facts
    start = facts.indexing if facts.indexing is not None else row.reference
    if dim.kind == "vertical":
        along = vertical(facts)
        return level_value(facts, along) if along else facts.coded_level
    if dim.kind == "other":
        return (facts.spectrum or (0.0, 0.0))[dim.name == "frequency"]
    ends = row.reference + facts.step
    return {"reference_time": start, "step": ends - start, "time": ends, "number": row.number or 0}[dim.kind]


def _clusters(groups: list[Group]) -> list[Cluster]:
    """Variables of equal axes together; then unions, fullest first, as long as they stay full enough."""
    equal: dict[tuple[object, ...], Cluster] = {}
    for group in groups:
        axes = {dim: group.values(dim) for dim in group.dims}
        found = equal.setdefault(tuple(axes.items()), Cluster([], axes))
        found.groups.append(group)
    made: list[Cluster] = []
    for cluster in sorted(equal.values(), key=lambda each: -sum(len(group.places) for group in each.groups)):
        for index, other in enumerate(made):
            union = other.merged(cluster)
            if union.filled >= FULL_ENOUGH and _compatible(other, cluster):
                made[index] = union
                break
        else:
            made.append(cluster)
    return made


def _compatible(one: Cluster, other: Cluster) -> bool:
    """One has all dimensions of the other: an array may lack an axis, but not bring a rival one."""
    return one.axes.keys() <= other.axes.keys() or other.axes.keys() <= one.axes.keys()


def _part(name: str, cluster: Cluster) -> Part:
    order = max((group.dims for group in cluster.groups), key=len)
    values = {dim: np.array(sorted(found), dtype=_dtype(dim, found)) for dim, found in cluster.axes.items()}
    axes = tuple(_axis(dim, values[dim], cluster) for dim in order)
    arrays = tuple(_array(group, values) for group in cluster.groups)
    return Part(cluster.groups[0].first.lattice.document, axes, arrays, name)


def _dtype(dim: Dim, values: Iterable[Value]) -> str:
    if dim.kind == "vertical" and dim.units != "1":
        return "<f8"
    return "<i8" if all(float(value).is_integer() for value in values) and dim.kind != "other" else "<f8"


def _axis(dim: Dim, values: np.ndarray, cluster: Cluster) -> Axis:
    attrs: dict[str, Any] = {}
    bounds: np.ndarray | None = None
    if dim.kind == "vertical":
        rows = [row for group in cluster.groups if dim in group.dims for row in group.places.values()]
        along = vertical(rows[0].facts)
        attrs, bounds = along.attrs if along else {}, _bounds(rows, values)
    calendar = CALENDAR if dim.kind in {"time", "reference_time"} else ""
    return Axis(dim.name, dim.kind, values, dim.units, calendar, attrs or _ATTRS.get(dim.name, {}), bounds)


_ATTRS: dict[str, dict[str, Any]] = {
    "time": {"standard_name": "time"},
    "reference_time": {"standard_name": "forecast_reference_time"},
    "step": {"standard_name": "forecast_period"},
    "number": {"standard_name": "realization"},
    "direction": {"standard_name": "sea_surface_wave_from_direction"},
    "frequency": {"standard_name": "wave_frequency"},
}


def _bounds(rows: list[Row], values: np.ndarray) -> np.ndarray | None:
    """Layers say where they begin and end, one pair a value, low first; None where there is no layer."""
    found: dict[Value, tuple[float, float]] = {}
    for row in rows:
        along = vertical(row.facts)
        if along and (pair := layer(row.facts, along)):
            found[level_value(row.facts, along)] = (min(pair), max(pair))
    return np.array([found.get(value, (value, value)) for value in values.tolist()], "<f8") if found else None


def _array(group: Group, values: dict[Dim, np.ndarray]) -> ArrayScan:
    lattice = group.first.lattice
    sizes = tuple(values[dim].size for dim in group.dims)
    index = [{value: at for at, value in enumerate(values[dim].tolist())} for dim in group.dims]
    places = [[index[at][value] for at, value in enumerate(place)] for place in group.places]
    flat = np.ravel_multi_index(np.array(places).T, sizes)
    rows = list(group.places.values())
    offsets, lengths = np.zeros(math.prod(sizes), "<i8"), np.zeros(math.prod(sizes), "<i8")
    offsets[flat] = [row.offset for row in rows]
    lengths[flat] = [row.length for row in rows]
    codec: dict[str, Any] = {"format": "grib", "grid_dims": len(lattice.dims), **lattice.order}
    if any(row.part for row in rows):
        numbers = np.zeros(offsets.size, int)
        numbers[flat] = [row.part for row in rows]
        codec["fields"] = numbers.tolist()
    codec |= _singles(rows, flat, offsets.size) | _checksums(rows, flat, offsets.size)
    return ArrayScan(
        name=group.name,
        dims=(*(dim.name for dim in group.dims), *lattice.dims),
        shape=sizes + lattice.shape,
        chunks=(1,) * len(sizes) + lattice.shape,
        dtype="<f8",
        codec=codec,
        table=ChunkTable(offsets, lengths),
        attrs=array_attrs([row.facts for row in rows]),
    )


def _singles(rows: Sequence[Row], flat: np.ndarray, count: int) -> dict[str, Any]:
    """Where values lie in messages: the few ways that there are, `values` in simple and `blocks` in CCSDS packing.

    `way` says which of them (those of `blocks` come last) each message has, -1 for none; left out where all have one.
    """
    found = dict.fromkeys(row.values for row in rows if row.values is not None)
    ways = sorted(found, key=lambda one: isinstance(one, Coding))
    kinds = {"values": [list(one) for one in ways if isinstance(one, Values)]}
    kinds["blocks"] = [list(one) for one in ways if isinstance(one, Coding)]
    singles: dict[str, Any] = {kind: many for kind, many in kinds.items() if many}
    numbers = {one: at for at, one in enumerate(ways)}
    if len(ways) == 1 and all(row.values is not None for row in rows):
        return singles
    way = np.full(count, -1, "<i8")
    way[flat] = [-1 if row.values is None else numbers[row.values] for row in rows]
    return {**singles, "way": way.tolist()} if ways else {}


def _checksums(rows: Sequence[Row], flat: np.ndarray, count: int) -> dict[str, Any]:
    """CRC-32C of each message, uint32 in base 64."""
    sums = np.zeros(count, "<u4")
    sums[flat] = [row.checksum for row in rows]
    return {"crc32c": base64.b64encode(sums.tobytes()).decode()}


def _labelled(made: list[Part]) -> list[Part]:
    """Parts of the same label but different axes or grids take the names of their arrays into it."""
    times: dict[str, int] = defaultdict(int)
    for part in made:
        times[part.label] += 1
    return [part if times[part.label] == 1 else replace(part, label=_long_label(part)) for part in made]


def _long_label(part: Part) -> str:
    names = sorted({array.name for array in part.arrays})
    shown = "-".join(names[:4]) + (f"-and-{len(names) - 4}-more" if len(names) > 4 else "")
    return f"{part.label}-{shown}"
