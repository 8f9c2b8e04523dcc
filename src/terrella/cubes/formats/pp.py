"""Met Office PP files (Unified Model), unpacked fields; their headers are understood by iris (the extra `demo`).

A PP file is a row of Fortran records, big-endian: a header of 256 bytes, then the field (Unified Model Documentation
Paper F3). Where each field lies is kept, so that reading one touches no other.
"""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.errors import Unreadable, Unsupported
from terrella.grids import RotatedGrid, regular_or_rectilinear
from terrella.model.scan import ArrayScan, Axis, AxisKind, ChunkTable, FileScan, Packing, Part
from terrella.storage.files import local_path, read_range, sha256, state

if TYPE_CHECKING:
    from pathlib import Path

    from terrella.contracts.formats import Index

_HEADER = 256
_MEMBER = re.compile(r"(?:ensemble|member|realization|mem|ens)[_-]?(\d{1,4})(?!\d)", re.IGNORECASE)
_LEVELS = ("pressure", "model_level_number", "soil_model_level_number", "depth", "height")
_CELL_METHODS = {"mean": "time: mean", "maximum": "time: maximum", "minimum": "time: minimum"}


@dataclass(frozen=True, eq=False)
class _Field:
    """One field: where it lies, and the iris cube that says what it is."""

    offset: int
    length: int
    missing: float
    cube: Any


class Pp:
    name = "pp"
    title = "Met Office PP (with scitools-iris)"

    def claims(self, href: str, head: bytes) -> bool:  # noqa: ARG002 -- the contract of formats
        return head[:4] == b"\x00\x00\x01\x00" and head[4 + _HEADER : 8 + _HEADER] == b"\x00\x00\x01\x00"

    def scan(self, href: str) -> Iterator[FileScan]:
        """Describe the fields. Raises Unreadable for packed or cut-off ones; Unsupported without iris."""
        path = local_path(href)
        if path is None:
            raise Unsupported("PP files are read from local disks only: copy it here first.")
        now = state(href)
        notes: list[str] = []
        fields = _fields(path, href, now.size, notes)
        member = _MEMBER.search(path.stem)
        parts = tuple(_parts(fields, int(member.group(1)) if member else None))
        if not parts:
            raise Unreadable("; ".join(notes) or "It holds no field.")
        attrs = {"institution": "Met Office", "source": "Met Office Unified Model"}
        yield FileScan(
            href,
            self.name,
            "application/x-pp",
            now.size,
            now.modified,
            sha256(href),
            parts,
            attrs=attrs,
            notes=tuple(notes),
        )

    def source(self, array: ArrayScan, href: str) -> PpSource:
        return PpSource(array, href)


class PpSource:
    """Fields of one variable: big-endian float32, as they lie."""

    def __init__(self, array: ArrayScan, href: str) -> None:
        if array.table is None:
            raise Unreadable("Its index lacks the positions of its fields; add it again.")
        self._table = array.table
        self._href = href
        self._shape = array.shape[-2:]
        self._axes = array.shape[:-2]
        self._leading = (1,) * len(self._axes)

    def _place(self, index: Index) -> int:
        return int(np.ravel_multi_index(index[:-2], self._axes)) if self._axes else 0

    def stored(self, index: Index) -> int:
        return int(self._table.lengths[self._place(index)])

    def load(self, index: Index) -> np.ndarray | None:
        place = self._place(index)
        length = int(self._table.lengths[place])
        if not length:
            return None
        data = read_range(self._href, int(self._table.offsets[place]), length)
        return np.frombuffer(data, ">f4").reshape(*self._leading, *self._shape)


def _fields(path: Path, href: str, size: int, notes: list[str]) -> list[_Field]:
    places = list(_records(href, size))
    try:
        import iris
        from iris.fileformats import pp
    except ImportError as error:
        raise Unsupported("Reading PP files needs scitools-iris: pip install 'terrella[demo]'.") from error
    iris.FUTURE.datum_support = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pairs = list(pp.load_pairs_from_fields(pp.load(str(path))))
    if len(pairs) != len(places):
        raise Unreadable(f"It has {len(places)} fields, of which iris reads {len(pairs)}.")
    found = []
    for (cube, field), (offset, length) in zip(pairs, places, strict=True):
        if int(field.lbpack) != 0 or int(field.lbuser[0]) != 1:
            notes.append(f"{cube.name()}: left out, it is packed (LBPACK {int(field.lbpack)}) or no real number")
            continue
        found.append(_Field(offset, length - 4 * int(field.lbext), float(field.bmdi), cube))
    return found


def _records(href: str, size: int) -> Iterator[tuple[int, int]]:
    """Offset and length of each field's data."""
    at = 0
    while at < size:
        if size - at < _HEADER + 12 or int.from_bytes(read_range(href, at, 4), "big") != _HEADER:
            raise Unreadable(f"The record at byte {at} is no PP header: the file is cut off or damaged.")
        at += _HEADER + 8
        length = int.from_bytes(read_range(href, at, 4), "big")
        if at + 8 + length > size:
            raise Unreadable(f"The field at byte {at} is cut off.")
        yield at + 4, length
        at += length + 8


def _parts(fields: list[_Field], member: int | None) -> Iterator[Part]:
    """One part for the fields of one grid, variable by variable."""
    groups: dict[tuple[str, str, str], list[_Field]] = defaultdict(list)
    grids: dict[str, dict[str, Any]] = {}
    for field in fields:
        grid = _grid(field.cube)
        text = repr(grid)
        grids[text] = grid
        groups[(text, _name(field.cube), _level(field.cube)[0])].append(field)
    for (text, name, level), members in groups.items():
        axes = _axes(members, member)
        yield Part(grids[text], axes, (_array(name, members, axes, member),), label=level)


def _name(cube: Any) -> str:
    methods = "_".join(
        sorted({method.method for method in cube.cell_methods if method.method in ("maximum", "minimum")})
    )
    name = re.sub(r"\W+", "_", cube.var_name or cube.name()).strip("_")
    return f"{name}_{methods}" if methods else name


def _level(cube: Any) -> tuple[str, float]:
    for name in _LEVELS:
        if cube.coords(name):
            return name, float(cube.coord(name).points[0])
    return "", 0.0


def _time(cube: Any) -> tuple[int, str]:
    """Milliseconds since 1970 in the field's calendar. Of a mean, iris gives the middle."""
    coordinate = cube.coord("time")
    from cf_units import Unit

    calendar = str(coordinate.units.calendar)
    since_1970 = Unit("milliseconds since 1970-01-01", calendar)
    return round(float(coordinate.units.convert(coordinate.points[0], since_1970))), calendar


def _values(field: _Field, member: int | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if field.cube.coords("realization"):
        member = int(field.cube.coord("realization").points[0])
    if member is not None:
        found["number"] = member
    if field.cube.coords("time"):
        found["time"] = _time(field.cube)[0]
    level, value = _level(field.cube)
    if level:
        found[level] = value
    return found


def _axes(members: list[_Field], member: int | None) -> tuple[Axis, ...]:
    rows = [_values(field, member) for field in members]
    first = members[0].cube
    made = []
    for name in rows[0]:
        values = sorted({row[name] for row in rows})
        if name in _LEVELS and len(values) == 1:
            continue
        kind: AxisKind = "time" if name == "time" else "number" if name == "number" else "vertical"
        calendar = _time(first)[1] if name == "time" else ""
        units = str(first.coord(name).units) if kind == "vertical" else ""
        dtype = np.float64 if kind == "vertical" else np.int64
        made.append(Axis(name, kind, np.array(values, dtype), "" if units == "1" else units, calendar))
    return tuple(made)


def _array(name: str, members: list[_Field], axes: tuple[Axis, ...], member: int | None) -> ArrayScan:
    shape = tuple(axis.values.size for axis in axes)
    offsets, lengths = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for field in members:
        row = _values(field, member)
        place = tuple(int(np.searchsorted(axis.values, row[axis.name])) for axis in axes)
        offsets[place], lengths[place] = field.offset, field.length
    cube = members[0].cube
    ny, nx = cube.shape
    packing = Packing(missing=(members[0].missing,))
    table = ChunkTable(offsets.ravel(), lengths.ravel())
    dims = (*(axis.name for axis in axes), *_dims(cube))
    codec = {"format": "pp"}
    return ArrayScan(
        name, dims, (*shape, ny, nx), (*(1,) * len(shape), ny, nx), ">f4", codec, table, packing, _attrs(cube)
    )


def _attrs(cube: Any) -> dict[str, Any]:
    found = {"units": str(cube.units), "long_name": cube.long_name or cube.name().replace("_", " ")}
    if cube.standard_name:
        found["standard_name"] = cube.standard_name
    methods = [_CELL_METHODS[m.method] for m in cube.cell_methods if m.method in _CELL_METHODS]
    if methods:
        found["cell_methods"] = " ".join(methods)
    if stash := cube.attributes.get("STASH"):
        found["um_stash_source"] = str(stash)
    return found


def _dims(cube: Any) -> tuple[str, str]:
    return ("y", "x") if cube.coords("grid_latitude") else ("lat", "lon")


def _grid(cube: Any) -> dict[str, Any]:
    y, x = cube.coord(axis="y", dim_coords=True), cube.coord(axis="x", dim_coords=True)
    lat, lon = y.points.astype(float), x.points.astype(float)
    if cube.coords("grid_latitude"):
        system = y.coord_system
        pole = system.grid_north_pole_longitude, system.grid_north_pole_latitude
        return RotatedGrid.of(*pole, lat, lon).to_json()
    return regular_or_rectilinear(lat, lon).to_json()
