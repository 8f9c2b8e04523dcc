"""When the rows of a table were: columns of dates, times, parts of dates or counts since 1970, as milliseconds UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from terrella.cubes.columns.roles import Roles, Table, numbers, plain
from terrella.cubes.columns.tables import Csv
from terrella.errors import Unreadable

_EPOCHS = ((1e17, 1e6), (1e14, 1e3), (1e11, 1.0), (1e8, 1e-3))
"""Numbers this large are ns, us, ms or s since 1970, and are divided so to become ms."""


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
