"""CoverageJSON of points as a table: what Polytope and EDR answer, a row for each place, time, level and member."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from terrella.cubes.columns.tables import Column
from terrella.cubes.documents.json_documents import read_json
from terrella.cubes.images.times import parse_time
from terrella.errors import Unreadable
from terrella.storage.files import state

_NAMES = {
    "x": "longitude",
    "lon": "longitude",
    "y": "latitude",
    "lat": "latitude",
    "t": "time",
    "levelist": "z",
    "vertical": "z",
    "depth": "z",
    "height": "z",
}
_COORDINATES = ("longitude", "latitude", "time", "z")
_COUNTED = ("number", "z")
_TOLD_ELSEWHERE = ("number", "step", "levelist")
_MARS_LEVELS = {
    "pl": ("pressure", "hPa"),
    "ml": ("model_level", "1"),
    "pt": ("theta", "K"),
    "pv": ("pv", "K m2 kg-1 s-1"),
}
_MOST_ROWS = 5_000_000
_MOST_BYTES = 256 << 20


class Coverages:
    """A Coverage or CoverageCollection of points, series, profiles or trajectories."""

    kind = "covjson"

    def __init__(self, href: str) -> None:
        self._href = href
        document = read_json(href, most=_MOST_BYTES)
        try:
            self._table, self._attrs, self.vertical = _read(document)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, pa.ArrowException) as error:
            raise Unreadable(f"Its CoverageJSON is broken: {type(error).__name__} {str(error)[:80]}.") from error
        self.names = list(self._table.column_names)

    def columns(self) -> list[Column]:
        return [Column(field.name, field.type) for field in self._table.schema]

    def read(self, names: Iterable[str], *, as_text: Iterable[str] = ()) -> pa.Table:  # noqa: ARG002 -- it has types
        return self._table.select(list(names))

    def stored(self, name: str) -> int:  # noqa: ARG002 -- text has to be read whole for any of its columns
        return state(self._href).size

    def attrs(self, name: str) -> dict[str, Any]:
        """Units, names and MARS keys of a parameter."""
        return dict(self._attrs.get(name, {}))


def _read(document: Any) -> tuple[pa.Table, dict[str, dict[str, Any]], tuple[str, str]]:
    """(columns, attributes by parameter, name and units of the vertical)."""
    coverages = document["coverages"] if document.get("type") == "CoverageCollection" else [document]
    blocks: list[dict[str, np.ndarray]] = []
    rows = 0
    for coverage in coverages:
        blocks.append(_block(coverage))
        rows += blocks[-1]["longitude"].size
        if rows > _MOST_ROWS:
            raise Unreadable(f"It has more than the {_MOST_ROWS:,} places and times that are read of CoverageJSON.")
    if not rows:
        raise Unreadable("It is CoverageJSON without a value.")
    metadata = [one.get("mars:metadata") or {} for one in coverages]
    vertical = _MARS_LEVELS.get(str(metadata[0].get("levtype")), ("z", ""))
    return _joined(blocks), _described(document, coverages, metadata), vertical


def _block(coverage: dict[str, Any]) -> dict[str, np.ndarray]:
    """One coverage as columns of equal length."""
    domain = coverage["domain"]
    if not isinstance(domain, dict):
        raise Unreadable("Its CoverageJSON refers to a domain elsewhere; only whole documents are read.")
    sizes, columns = _axes(domain["axes"], _is_polytope(coverage))
    ranges = {name: _values(found, sizes) for name, found in coverage["ranges"].items()}
    order = next((names for names, _ in ranges.values()), tuple(sizes))
    if any(names != order for names, _ in ranges.values()):
        raise Unreadable("Its CoverageJSON orders the axes of its parameters differently.")
    made = {name: values for name, (_, values) in ranges.items()}
    shape = tuple(sizes[axis] for axis in order)
    if math.prod(shape) > _MOST_ROWS:
        raise Unreadable(f"It has more than the {_MOST_ROWS:,} places and times that are read of CoverageJSON.")
    for name, (axis, values) in columns.items():
        place = [1] * len(shape)
        if axis in order:
            place[order.index(axis)] = values.size
        made[name] = np.broadcast_to(values.reshape(place), shape).reshape(-1)
    _count(made, coverage.get("mars:metadata") or {}, math.prod(shape))
    if not {"longitude", "latitude", "time"} <= set(made):
        raise Unreadable(
            f"Its CoverageJSON has no longitude, latitude and time; axes: {', '.join(domain['axes'])[:80]}."
        )
    return made


def _count(made: dict[str, np.ndarray], metadata: dict[str, Any], size: int) -> None:
    """Columns for the member and level that MARS metadata tell; times become valid times."""
    for key, name in (("number", "number"), ("levelist", "z")):
        if isinstance(metadata.get(key), int | float) and name not in made:
            made[name] = np.full(size, float(metadata[key]))
    start, step = metadata.get("Forecast date"), metadata.get("step")
    if (
        step
        and isinstance(step, int | float)
        and {parse_time(str(at)) for at in set(made["time"])} == {parse_time(str(start))}
    ):
        valid = (parse_time(str(start)) or datetime.fromtimestamp(0, UTC)) + timedelta(hours=step)
        made["time"] = np.full(size, valid.isoformat(), dtype=object)


def _is_polytope(coverage: dict[str, Any]) -> bool:
    """Polytope says CRS84 and yet writes the latitude as x: its files are known by their MARS metadata."""
    return isinstance(coverage.get("mars:metadata"), dict)


def _axes(axes: dict[str, Any], latitude_first: bool) -> tuple[dict[str, int], dict[str, tuple[str, np.ndarray]]]:  # noqa: FBT001
    """(size by axis, (axis, values) by column)."""
    sizes: dict[str, int] = {}
    columns: dict[str, tuple[str, np.ndarray]] = {}
    for axis, found in axes.items():
        values = _axis_values(found)
        sizes[axis] = len(values)
        names = found.get("coordinates") or [axis]
        if found.get("dataType", "primitive") not in {"primitive", "tuple"}:
            raise Unreadable("It is CoverageJSON of areas; it is read for points and grids only.")
        for number, name in enumerate(names):
            own = [one[number] for one in values] if found.get("dataType") == "tuple" else values
            columns[_column_name(str(name), latitude_first)] = (axis, _array(own))
    return sizes, columns


def _axis_values(found: dict[str, Any]) -> list[Any]:
    """As listed, or evenly from `start` to `stop`. Raises Unreadable for absurdly many."""
    if "values" in found:
        return list(found["values"])
    if int(found["num"]) > _MOST_ROWS:
        raise Unreadable(f"An axis of its CoverageJSON has {found['num']} values; at most {_MOST_ROWS:,} are read.")
    return list(np.linspace(found["start"], found["stop"], int(found["num"])).tolist())


def _column_name(name: str, latitude_first: bool) -> str:  # noqa: FBT001
    if latitude_first and name in {"x", "y"}:
        return "latitude" if name == "x" else "longitude"
    return _NAMES.get(name, name)


def _array(values: list[Any]) -> np.ndarray:
    if all(isinstance(one, int | float) for one in values):
        return np.array(values, dtype=np.float64)
    return np.array([str(one) for one in values], dtype=object)


def _values(found: dict[str, Any], sizes: dict[str, int]) -> tuple[tuple[str, ...], np.ndarray]:
    """(order of its axes, values). Names of axes that the domain does not have are passed over, as sizes tell them."""
    if "values" not in found:
        raise Unreadable("Its CoverageJSON refers to values elsewhere (tiles); only whole documents are read.")
    values = np.array([math.nan if one is None else float(one) for one in found["values"]])
    named = tuple(found.get("axisNames") or ())
    long = tuple(axis for axis, size in sizes.items() if size > 1)
    order = named if set(long) <= set(named) <= set(sizes) else long
    if values.size != math.prod(sizes[axis] for axis in order) or (order != named and len(long) > 1):
        raise Unreadable(f"Its CoverageJSON has {values.size} values for axes of {dict(sizes)}.")
    return order, values


def _joined(blocks: list[dict[str, np.ndarray]]) -> pa.Table:
    """Blocks below one another; a column that is the same everywhere, other than where and when, is left out."""
    names = list(dict.fromkeys(name for block in blocks for name in block))
    made: dict[str, Any] = {}
    for name in sorted(names, key=lambda one: (one not in _COORDINATES, names.index(one))):
        parts = [block.get(name, np.full(block["longitude"].size, math.nan)) for block in blocks]
        text = any(part.dtype == object for part in parts)
        values = np.concatenate([part.astype(object) for part in parts]) if text else np.concatenate(parts)
        if name in _COUNTED and not text and np.unique(values).size == 1:
            continue
        made[name] = pa.array(values.tolist(), pa.string()) if text else pa.array(values)
    return pa.table(made)


def _described(
    document: dict[str, Any], coverages: list[dict[str, Any]], metadata: list[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    parameters = {**(coverages[0].get("parameters") or {}), **(document.get("parameters") or {})}
    first = {key: value for key, value in metadata[0].items() if isinstance(value, str | int | float)}
    constant = {
        f"mars:{key}": str(value)
        for key, value in first.items()
        if key not in _TOLD_ELSEWHERE and " " not in key and all(one.get(key) == value for one in metadata)
    }
    made = {}
    for name, parameter in parameters.items():
        label = _text((parameter.get("observedProperty") or {}).get("label"))
        unit = (parameter.get("unit") or {}).get("symbol") or ""
        symbol = unit.get("value", "") if isinstance(unit, dict) else str(unit)
        own = {"long_name": label, "units": symbol} | ({"mars:param": name} if constant else {})
        made[name] = {key: value for key, value in own.items() if value} | constant
    return made


def _text(label: Any) -> str:
    """In English where there is a choice."""
    if isinstance(label, dict):
        return str(label.get("en") or next(iter(label.values()), "") or "")
    return str(label or "")
