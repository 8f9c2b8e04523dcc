"""Which columns of a table say where, when and of which station; and what these mean as numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyproj
import shapely

from terrella.cubes.columns.coverages import Coverages
from terrella.cubes.columns.geojson import GeoJson
from terrella.cubes.columns.tables import Csv, Parquet
from terrella.errors import Unreadable

Table = Csv | Parquet | GeoJson | Coverages

_LATITUDES = ("latitude", "lat", "decimallatitude", "latdeg", "ylat", "y")
_LONGITUDES = ("longitude", "lon", "long", "lng", "decimallongitude", "londeg", "xlon", "x")
_TIMES = (
    "time",
    "datetime",
    "timestamp",
    "validtime",
    "datetimeutc",
    "timeutc",
    "dateutc",
    "utc",
    "obstime",
    "observationtime",
    "eventtime",
    "phenomenontime",
    "resulttime",
    "isotime",
    "date",
    "day",
)
_STATIONS = (
    "station",
    "stationid",
    "stationname",
    "wmo",
    "wmoid",
    "site",
    "siteid",
    "sitename",
    "icao",
    "usaf",
    "location",
    "locationid",
    "platform",
    "platformid",
    "id",
    "name",
)
_GEOMETRIES = ("geometry", "geom", "wkt", "wkb", "thegeom", "shape")
_BRACKETS = re.compile(r"\s*[\[(]([^\[\]()]*)[\])]\s*$")
_UNITS = {"°C": "degC", "℃": "degC", "°F": "degF", "°": "degree", "µm": "um", "%": "%"}


@dataclass(frozen=True, slots=True)
class Roles:
    """What columns are for. `where` is one geometry column or (longitude, latitude), `when` one column or more.

    `axes` are columns of numbers that count members, steps or levels, where the format says that they do.
    """

    where: tuple[str, ...]
    when: tuple[str, ...]
    station: str | None
    units: dict[str, str]
    axes: tuple[str, ...] = ()

    def special(self) -> set[str]:
        return {*self.where, *self.when, *self.axes, *([self.station] if self.station else [])}


def plain(name: str) -> str:
    """A column's name without its units, case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", _BRACKETS.sub("", name).casefold())


def units_in(name: str) -> str:
    """Units in brackets at the end of a name: `temperature [K]`; '' when there are none."""
    found = _BRACKETS.search(name)
    return _UNITS.get(found[1].strip(), found[1].strip()) if found else ""


def roles_of(table: Table) -> Roles:
    """Raises Unreadable that lists the columns when there is no position or no time among them."""
    names = table.names
    where, when = _where(table, names), _when(names)
    have = ", ".join(name[:40] for name in names[:20])
    if not where:
        raise Unreadable(f"It is a table, but it has no position columns (lat and lon, or a geometry); have: {have}.")
    when = when or tuple(column.name for column in table.columns() if pa.types.is_temporal(column.type))[:1]
    if not when:
        raise Unreadable(f"It is a table with positions, but it has no time column; have: {have}.")
    station = next(
        (name for key in _STATIONS for name in names if plain(name) == key and name not in (*where, *when)), None
    )
    axes = tuple(name for name in ("z", "number") if name in names) if isinstance(table, Coverages) else ()
    return Roles(where, when, station, {name: units_in(name) for name in names if units_in(name)}, axes)


def _first(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    return next((name for key in wanted for name in names if plain(name) == key), None)


def _where(table: Table, names: Sequence[str]) -> tuple[str, ...]:
    lon, lat = _first(names, _LONGITUDES), _first(names, _LATITUDES)
    if lon and lat and (plain(lon) == "x") == (plain(lat) == "y"):
        return (lon, lat)
    geo = _geo(table)
    if geo.get("primary_column") in names:
        return (str(geo["primary_column"]),)
    geometry = _first(names, _GEOMETRIES)
    return (geometry,) if geometry else ()


def _when(names: Sequence[str]) -> tuple[str, ...]:
    day, clock = _first(names, ("date", "day", "dateutc")), _first(names, ("time", "timeutc", "hour", "clock"))
    parts = [_first(names, (key,)) for key in ("year", "month", "day", "hour", "minute", "second")]
    if parts[0] and parts[1]:
        return tuple(part for part in parts if part)
    if day and clock and plain(day) != "day":
        return (day, clock)
    found = _first(names, _TIMES)
    return (found,) if found and plain(found) != "day" else ()


def _geo(table: Table) -> dict[str, Any]:
    """GeoParquet metadata; {} when there are none."""
    raw = table.geo() if isinstance(table, Parquet) else None
    try:
        found = json.loads(raw) if raw else {}
    except (ValueError, RecursionError) as error:
        raise Unreadable("Its GeoParquet metadata are broken.") from error
    return found if isinstance(found, dict) else {}


def positions(table: Table, roles: Roles) -> tuple[np.ndarray, np.ndarray]:
    """(lon, lat) in degrees, NaN where a row has none. Raises Unreadable for what is not on the Earth."""
    if len(roles.where) == 1:
        lon, lat = _of_geometries(table, roles.where[0])
    else:
        read = table.read(roles.where)
        lon, lat = (numbers(read.column(name), name) for name in roles.where)
    wrong = np.flatnonzero((np.abs(lat) > 90) | (lon < -180) | (lon > 360))
    if wrong.size:
        row = int(wrong[0])
        raise Unreadable(
            f"Row {row + 1} lies at longitude {lon[row]:g}, latitude {lat[row]:g}, which is not on the Earth."
        )
    return lon, lat


def numbers(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """As float64, NaN for nulls."""
    try:
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    except (pa.ArrowException, ValueError) as error:
        raise Unreadable(f"Column {name!r} should hold numbers and holds {column.type}.") from error


def _of_geometries(table: Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Points as WKB, WKT, or structs of x and y; transformed to longitude and latitude where GeoParquet says so."""
    column = table.read([name]).column(name).combine_chunks()
    if pa.types.is_struct(column.type) and {"x", "y"} <= {field.name for field in column.type}:
        lon, lat = (numbers(pa.chunked_array([column.field(axis)]), name) for axis in ("x", "y"))
    else:
        lon, lat = _parsed(column, name)
    described = _geo(table).get("columns", {})
    crs = described.get(name, {}).get("crs") if isinstance(described, dict) else None
    if not crs:
        return lon, lat
    try:
        forward = pyproj.Transformer.from_crs(pyproj.CRS.from_user_input(crs), "OGC:CRS84", always_xy=True)
    except pyproj.exceptions.ProjError as error:
        raise Unreadable("Its geometries have a CRS that PROJ does not know.") from error
    x, y = forward.transform(lon, lat)
    gone = ~(np.isfinite(x) & np.isfinite(y))
    return np.where(gone, np.nan, x), np.where(gone, np.nan, y)


def _parsed(column: pa.Array, name: str) -> tuple[np.ndarray, np.ndarray]:
    values = column.to_numpy(zero_copy_only=False)
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    try:
        geometries = shapely.from_wkt(values) if text else shapely.from_wkb(values)
    except (shapely.errors.ShapelyError, TypeError, ValueError) as error:
        raise Unreadable(f"Column {name!r} holds no geometries as WKT or WKB.") from error
    kinds = set(np.unique(shapely.get_type_id(geometries)).tolist())
    if not kinds <= {-1, int(shapely.GeometryType.POINT)}:
        raise Unreadable(f"Column {name!r} holds other geometries than points; tables are read for points only.")
    return shapely.get_x(geometries), shapely.get_y(geometries)
