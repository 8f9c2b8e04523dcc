"""Which columns of a table say where, when and of which station; and what these mean as numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import shapely

from terrella.cubes.columns.coverages import Coverages
from terrella.cubes.columns.tables import Csv, GeoJson, Parquet
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
_EPOCHS = ((1e17, 1e6), (1e14, 1e3), (1e11, 1.0), (1e8, 1e-3))
"""Numbers this large are ns, us, ms or s since 1970, and are divided so to become ms."""


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


def times(table: Table, roles: Roles) -> tuple[np.ndarray, np.ndarray]:
    """(milliseconds since 1970 UTC, which rows have a time). What has no zone is UTC. Raises Unreadable."""
    read = table.read(roles.when, as_text=roles.when if isinstance(table, Csv) else ())
    columns = [read.column(name) for name in roles.when]
    if len(columns) == 1:
        return _millis(columns[0], roles.when[0])
    if len(columns) == 2 and plain(roles.when[0]) != "year":
        return _day_and_clock(columns[0], columns[1], roles.when)
    return _from_parts(columns, roles.when)


def _millis(column: pa.ChunkedArray, name: str) -> tuple[np.ndarray, np.ndarray]:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        found = column.cast(
            pa.timestamp("ms", tz="UTC") if getattr(column.type, "tz", None) else pa.timestamp("ms"), safe=False
        )
        there = ~np.asarray(column.is_null())
        return np.where(there, np.asarray(found.fill_null(0).cast(pa.int64())), 0), there
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return _from_numbers(numbers(column, name), name)
    return _from_text(column, name)


def _from_text(column: pa.ChunkedArray, name: str) -> tuple[np.ndarray, np.ndarray]:
    text = pd.Series(column.to_pandas(), dtype="object").str.strip()
    there = text.notna().to_numpy()
    some = text[there]
    if some.empty:
        raise Unreadable(f"The time column {name!r} is empty.")
    if some.str.fullmatch(r"-?\d+(\.\d+)?").all():
        return _from_numbers(pd.to_numeric(text).to_numpy(dtype=np.float64), name)
    try:
        parsed = pd.to_datetime(some, utc=True, format="ISO8601")
    except (ValueError, OverflowError) as error:
        wrong = next((one for one in some if not re.match(r"\d{4}-\d\d", str(one))), some.iloc[0])
        raise Unreadable(
            f"The time column {name!r} is not in ISO 8601 (2024-07-01T12:00:00Z): {wrong!r:.60}."
        ) from error
    made = np.zeros(len(text), dtype=np.int64)
    made[there] = parsed.dt.tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
    return made, there


def _from_numbers(values: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Seconds to nanoseconds since 1970 by their size; 20240701 and 2024 as dates."""
    there = np.isfinite(values)
    some = values[there]
    if not some.size:
        raise Unreadable(f"The time column {name!r} is empty.")
    low, high = float(some.min()), float(some.max())
    whole = bool((some == np.floor(some)).all())
    made = np.zeros(values.size, dtype=np.int64)
    if whole and low >= 1000 and high <= 3000:
        made[there] = _dates(some.astype(np.int64), 1, 1)
    elif whole and low >= 10_000_101 and high <= 30_001_231:
        days = some.astype(np.int64)
        made[there] = _dates(days // 10_000, days // 100 % 100, days % 100)
    else:
        factor = next((by for least, by in _EPOCHS if abs(high) >= least), None)
        if factor is None:
            raise Unreadable(f"The time column {name!r} holds numbers ({low:g} to {high:g}) that say no date.")
        made[there] = (
            np.round(some / factor).astype(np.int64) if factor >= 1 else np.round(some * 1000).astype(np.int64)
        )
    return made, there


def _dates(years: Any, months: Any, days: Any) -> np.ndarray:
    """Milliseconds at midnight. Raises Unreadable for 31 June."""
    years, months, days = np.broadcast_arrays(years, months, days)
    first = (years - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (months - 1)
    found = first.astype("datetime64[D]") + (days - 1)
    if ((months < 1) | (months > 12) | (days < 1) | (found.astype("datetime64[M]") != first)).any():
        raise Unreadable("A date in it does not exist (month or day out of range).")
    return np.asarray(found.astype("datetime64[ms]").astype(np.int64))


def _day_and_clock(day: pa.ChunkedArray, clock: pa.ChunkedArray, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """A date and, beside it, a time of day: `06:30`, `0630`, or an hour; a clock column that is a whole time wins."""
    if pa.types.is_timestamp(clock.type) or _looks_whole(clock):
        return _millis(clock, names[1])
    start, there = _millis(day, names[0])
    text = pd.Series(clock.cast(pa.string()).to_pandas(), dtype="object").str.strip()
    parts = text.str.extract(r"^(\d{1,2})(?::?(\d\d))?(?::?(\d\d))?(?:\.\d+)?\s*Z?$")
    known = parts[0].notna().to_numpy()
    if (text.notna().to_numpy() & ~known).any():
        raise Unreadable(f"The column {names[1]!r} holds no times of day: {text.dropna().iloc[0]!r:.40}.")
    hours, minutes, seconds = (pd.to_numeric(parts[one]).fillna(0).to_numpy(dtype=np.int64) for one in range(3))
    return start + ((hours * 60 + minutes) * 60 + seconds) * 1000, there & known


def _looks_whole(clock: pa.ChunkedArray) -> bool:
    some = next((one for one in clock.slice(0, 100).to_pylist() if one is not None), "")
    return bool(re.match(r"\d{4}-\d\d", str(some)))


def _from_parts(columns: Sequence[pa.ChunkedArray], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    found = {plain(name): numbers(column, name) for column, name in zip(columns, names, strict=True)}
    there = np.isfinite(np.stack(list(found.values()))).all(axis=0)
    whole = {key: np.where(there, values, 1).astype(np.int64) for key, values in found.items()}
    start = _dates(np.where(there, whole["year"], 1970), whole["month"], whole.get("day", np.int64(1)))
    clock = (whole.get("hour", 0) * 60 + whole.get("minute", 0)) * 60 + whole.get("second", 0)
    return start + np.asarray(clock) * 1000, there
