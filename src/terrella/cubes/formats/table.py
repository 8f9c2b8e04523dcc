"""Tables of measurements: CSV, Parquet and GeoJSON with a position and a time in every row."""

from __future__ import annotations

import math
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from terrella.contracts.formats import ChunkSource, Index
from terrella.cubes.columns.coverages import Coverages
from terrella.cubes.columns.geojson import GeoJson
from terrella.cubes.columns.layout import Layout, layout_of, station_names
from terrella.cubes.columns.roles import Roles, numbers, roles_of
from terrella.cubes.columns.roles import Table as Columns
from terrella.cubes.columns.tables import Column, Csv, Parquet
from terrella.cubes.documents.json_documents import is_lines, kind_of, suffix
from terrella.cubes.documents.stac_parquet import is_stac_parquet
from terrella.cubes.vectors.reading import has_shapes, kind
from terrella.cubes.vectors.scanning import scan_features
from terrella.errors import Unreadable
from terrella.grids import PointsGrid
from terrella.model.scan import ArrayScan, Axis, FileScan, Part
from terrella.storage.files import read_range, sha256, state

_MEDIA_TYPES = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "geojson": "application/geo+json",
    "covjson": "application/prs.coverage+json",
}
_KEPT_BYTES = 512 << 20
_MOST_STATIONS = 100_000


class Table:
    """Point tables, and files of polygons. GeoJSON that is no STAC comes here too, to be read or refused by name."""

    name = "table"
    title = (
        "point tables with time and position (CSV, Parquet, GeoJSON, CoverageJSON); "
        "named regions (GeoJSON, GeoParquet, zipped shapefile)"
    )

    def claims(self, href: str, head: bytes) -> bool:
        if head.startswith(b"PAR1"):
            return not is_stac_parquet(href, head)
        if suffix(href) in {".csv", ".tsv"}:
            return bool(head) and b"\0" not in head
        if head.startswith(b"PK\x03\x04"):
            return has_shapes(href)
        return kind_of(href, head) in {"features", "coverage"}

    def scan(self, href: str) -> Iterable[FileScan]:
        try:
            return self._points(href)
        except Unreadable:
            if (regions := _regions(href)) is None:
                raise
            return [regions]

    def _points(self, href: str) -> Iterable[FileScan]:
        table = _table(href)
        roles = roles_of(table)
        layout = layout_of(table, roles)
        columns = _numeric(table, roles.special() - (set() if layout.axes else set(roles.axes)))
        if not columns:
            raise Unreadable(
                f"It has no column of numbers besides position and time; have: {', '.join(table.names[:20])}."
            )
        grid = PointsGrid(layout.lon, layout.lat)
        axes = tuple(_axis(name, values, table) for name, values in layout.axes)
        dims = (*(axis.name for axis in axes), "cell")
        arrays = [_array(name, column, _attrs(table, column, roles), layout, dims) for name, column in columns.items()]
        if not axes:
            arrays.append(_time_array(layout))
        stations = station_names(table, roles, layout)[:_MOST_STATIONS]
        attrs = {"cell_names": stations} if stations else {}
        part = Part(grid.to_json(), axes, tuple(arrays))
        now = state(href)
        kind = _MEDIA_TYPES[table.kind]
        notes = tuple(_notes(table, roles, layout, columns))
        return [
            FileScan(href, self.name, kind, now.size, now.modified, sha256(href), (part,), attrs=attrs, notes=notes)
        ]

    def source(self, array: ArrayScan, href: str) -> ChunkSource:
        return _ColumnSource(href, array)


def _regions(href: str) -> FileScan | None:
    """The file as named outlines; None where it holds none that can be read."""
    if not kind(href):
        return None
    try:
        return scan_features(href, Table.name)
    except Unreadable:
        return None


def _table(href: str) -> Columns:
    head = read_range(href, 0, min(1024, state(href).size))
    if head.startswith(b"PAR1"):
        return Parquet(href)
    if suffix(href) in {".csv", ".tsv"}:
        return Csv(href)
    if head.startswith(b"PK\x03\x04"):
        raise Unreadable("Its shapefile holds no polygons that can be read.")
    if is_lines(href):
        raise Unreadable("GeoJSON line by line is read for STAC items only; write a FeatureCollection.")
    return Coverages(href) if kind_of(href, head) == "coverage" else GeoJson(href)


def _numeric(table: Columns, special: set[str]) -> dict[str, Column]:
    """Columns of numbers, other than these, by the name of their variable."""
    found: dict[str, Column] = {}
    for column in table.columns():
        if column.name not in special and column.is_number:
            name = re.sub(r"\W+", "_", re.sub(r"\s*[\[(][^\[\]()]*[\])]\s*$", "", column.name)).strip("_") or "column"
            while name in found or name in {"time", "cell", "lon", "lat"}:
                name += "_"
            found[name] = column
    return found


def _attrs(table: Columns, column: Column, roles: Roles) -> dict[str, Any]:
    if isinstance(table, Coverages):
        return table.attrs(column.name)
    return {"long_name": column.name} | ({"units": roles.units[column.name]} if column.name in roles.units else {})


def _array(name: str, column: Column, attrs: dict[str, Any], layout: Layout, dims: tuple[str, ...]) -> ArrayScan:
    codec = {"format": "table", "column": column.name}
    return ArrayScan(name, dims, layout.shape, layout.chunks, "<f8", codec, attrs=attrs)


def _axis(name: str, values: np.ndarray, table: Columns) -> Axis:
    if not name:
        return Axis("time", "time", values, calendar="proleptic_gregorian", attrs={"standard_name": "time"})
    if name == "number":
        return Axis("number", "number", values.astype(np.int64), attrs={"standard_name": "realization"})
    vertical, units = table.vertical if isinstance(table, Coverages) else (name, "")
    return Axis(vertical, "vertical", values, units)


def _time_array(layout: Layout) -> ArrayScan:
    """Of rows that share no axis of times: when each of them was, as numbers."""
    attrs = {
        "role": "time",
        "standard_name": "time",
        "units": "milliseconds since 1970-01-01",
        "calendar": "proleptic_gregorian",
    }
    codec = {"format": "table", "column": ""}
    return ArrayScan("time", ("cell",), layout.shape, layout.chunks, "<i8", codec, attrs=attrs)


def _notes(table: Columns, roles: Roles, layout: Layout, columns: dict[str, Column]) -> Iterator[str]:
    used = roles.special() | {column.name for column in columns.values()}
    left_out = [name[:60] for name in table.names if name not in used]
    if left_out:
        yield f"columns that are no numbers are left out: {', '.join(left_out[:20])}"
    if layout.dropped:
        yield f"{layout.dropped:,} rows without a position or a time are left out"


class _Recent:
    """Tables, layouts and columns used lately, by file and version; the oldest go when they fill too much memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, ...], tuple[int, Any]] = OrderedDict()
        self._gates: dict[tuple[str, ...], threading.Lock] = {}

    def get(self, key: tuple[str, ...], make: Callable[[], tuple[Any, int]]) -> Any:
        """What is kept under the key, else what `make` makes (value, bytes), once for all who wait for it."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][1]
            gate = self._gates.setdefault(key, threading.Lock())
        with gate:
            if key not in self._kept:
                self._put(key, *make())
            with self._lock:
                self._gates.pop(key, None)
                found = self._kept.get(key)
        return found[1] if found else make()[0]

    def _put(self, key: tuple[str, ...], value: Any, size: int) -> None:
        with self._lock:
            self._kept[key] = (size, value)
            self._size += size
            while self._size > self._most and len(self._kept) > 1:
                self._size -= self._kept.popitem(last=False)[1][0]


_recent = _Recent(_KEPT_BYTES)


class _ColumnSource:
    """One column of a table, by chunks. Safe for threads."""

    def __init__(self, href: str, array: ArrayScan) -> None:
        self._href = href
        self._array = array
        self._column = str(array.codec["column"])

    def stored(self, index: Index) -> int:
        """The chunk's share of what has to be read for its column."""
        table, layout = self._opened()
        chunk = math.prod(
            len(range(*one.indices(size))) for one, size in zip(self._slices(index), layout.shape, strict=True)
        )
        names = [self._column] if self._column else layout_columns(table)
        return max(1, round(sum(table.stored(name) for name in names) * chunk / math.prod(layout.shape)))

    def load(self, index: Index) -> np.ndarray | None:
        """Raises Unreadable where the file changed."""
        table, layout = self._opened()
        if layout.shape != self._array.shape:
            raise Unreadable("The table changed since it was added; add it again.")
        return np.ascontiguousarray(self._values(table, layout)[self._slices(index)])

    def _slices(self, index: Index) -> tuple[slice, ...]:
        return tuple(slice(i * size, (i + 1) * size) for i, size in zip(index, self._array.chunks, strict=True))

    def _values(self, table: Columns, layout: Layout) -> np.ndarray:
        if not self._column:
            return layout.times
        if self._column not in table.names:
            raise Unreadable(f"The table has no column {self._column!r} any more; add it again.")
        return np.asarray(_recent.get((*self._version(), self._column), lambda: self._spread(table, layout)))

    def _spread(self, table: Columns, layout: Layout) -> tuple[np.ndarray, int]:
        found = layout.spread(numbers(table.read([self._column]).column(self._column), self._column))
        return found, found.nbytes

    def _opened(self) -> tuple[Columns, Layout]:
        table, layout = _recent.get(self._version(), self._open)
        return table, layout

    def _open(self) -> tuple[tuple[Columns, Layout], int]:
        table = _table(self._href)
        layout = layout_of(table, roles_of(table))
        return (table, layout), layout.kept.size * 48

    def _version(self) -> tuple[str, str, str]:
        now = state(self._href)
        return self._href, now.modified, str(now.size)


def layout_columns(table: Columns) -> list[str]:
    """Columns that say where and when."""
    roles = roles_of(table)
    return [*roles.where, *roles.when]
