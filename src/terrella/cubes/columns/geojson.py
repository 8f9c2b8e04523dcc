"""GeoJSON of points as a table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from terrella.cubes.columns.tables import Column, check_names
from terrella.cubes.documents.json_documents import read_json
from terrella.errors import Unreadable
from terrella.storage.files import state

_MOST_BYTES = 512 << 20


class GeoJson:
    """A FeatureCollection of points: its properties, with columns `longitude`, `latitude` and, if any, `z`."""

    kind = "geojson"

    def __init__(self, href: str) -> None:
        self._href = href
        document = read_json(href, most=_MOST_BYTES)
        self._table = _features(document)
        self.names = list(self._table.column_names)

    def columns(self) -> list[Column]:
        return [Column(field.name, field.type) for field in self._table.schema]

    def read(self, names: Iterable[str], *, as_text: Iterable[str] = ()) -> pa.Table:  # noqa: ARG002 -- it has types
        return self._table.select(list(names))

    def stored(self, name: str) -> int:  # noqa: ARG002 -- text has to be read whole for any of its columns
        return int(state(self._href).size)


def _features(document: Any) -> pa.Table:
    """Raises Unreadable for what is no collection of points."""
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        kind = document.get("type") if isinstance(document, dict) else type(document).__name__
        raise Unreadable(f"It is GeoJSON, but no FeatureCollection of points: {str(kind)[:40]!r}.")
    _check_crs(document.get("crs"))
    kinds = {_kind(one) for one in features}
    if kinds != {"Point"}:
        raise Unreadable(f"It is GeoJSON, but not of points with times: {', '.join(sorted(kinds)) or 'nothing'} in it.")
    return _columns(
        [one.get("properties") or {} for one in features], [one["geometry"]["coordinates"] for one in features]
    )


def _kind(feature: Any) -> str:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    position = geometry.get("coordinates") if isinstance(geometry, dict) else None
    broken = kind == "Point" and not (
        isinstance(position, list) and len(position) >= 2 and all(isinstance(one, int | float) for one in position[:2])
    )
    return "a broken Point" if broken else str(kind)[:40]


def _check_crs(crs: Any) -> None:
    """GeoJSON before RFC 7946 could name a CRS."""
    name = str((crs or {}).get("properties", {}).get("name", "")) if isinstance(crs, dict | None) else "unknown"
    if name and not re.search(r"(CRS84|EPSG:+4326)$", name):
        raise Unreadable(f"Its positions are in {name[:60]}; GeoJSON is read in longitude and latitude only.")


def _columns(rows: list[dict[str, Any]], positions: list[list[float]]) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    check_names(names)
    made = {
        "longitude": pa.array([float(one[0]) for one in positions]),
        "latitude": pa.array([float(one[1]) for one in positions]),
    }
    if any(len(one) > 2 and one[2] is not None for one in positions):
        made["z"] = pa.array([float(one[2]) if len(one) > 2 and one[2] is not None else None for one in positions])
    for name in names:
        if name not in made:
            made[name] = _column([row.get(name) for row in rows])
    return pa.table(made)


def _column(values: list[Any]) -> pa.Array:
    """Numbers as 64-bit floats (whole ones kept whole), all else as text."""
    kinds = {type(value) for value in values if value is not None}
    try:
        if kinds == {int}:
            return pa.array(values, pa.int64())
        if kinds and kinds <= {int, float, bool}:
            return pa.array([None if value is None else float(value) for value in values], pa.float64())
    except (pa.ArrowException, OverflowError):
        pass
    return pa.array([None if value is None else str(value) for value in values], pa.string())
