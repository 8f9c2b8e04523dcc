"""STAC items in GeoParquet (stac-geoparquet 1.0): geometry as WKB, properties as columns of their own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from shapely.geometry import mapping

from terrella.errors import TerrellaError, Unreadable
from terrella.model.stac import Document
from terrella.storage.files import open_file, read_range, state

_TOP = {
    "type",
    "stac_version",
    "stac_extensions",
    "id",
    "geometry",
    "bbox",
    "links",
    "assets",
    "collection",
    "properties",
}
_BATCH = 500
_MOST_FOOTER = 4 << 20


def is_stac_parquet(href: str, head: bytes) -> bool:
    """Whether it is Parquet whose footer names the columns of STAC items.

    Only bytes are looked for: the footer is not parsed in a process that must not crash.
    """
    if not head.startswith(b"PAR1"):
        return False
    try:
        size = state(href).size
        length = int.from_bytes(read_range(href, size - 8, 4), "little")
        taken = min(length, size - 8, _MOST_FOOTER)
        footer = read_range(href, size - 8 - taken, taken)
    except TerrellaError:
        return False
    return all(name in footer for name in (b"stac_version", b"geometry", b"assets", b"links"))


def items_in_parquet(href: str) -> Iterator[Document]:
    """Items as JSON objects, unchecked. Raises Unreadable for broken Parquet or WKB."""
    try:
        with open_file(href) as file, pq.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    yield _item(row)
    except (pa.ArrowException, shapely.errors.ShapelyError, OSError, ValueError) as error:
        raise Unreadable(f"Its Parquet is broken: {' '.join(str(error).split())[:160]}") from error


def _item(row: dict[str, Any]) -> Document:
    properties = row.get("properties") or {key: value for key, value in row.items() if key not in _TOP}
    item: Document = {
        "type": "Feature",
        "stac_version": row.get("stac_version") or "1.1.0",
        "stac_extensions": row.get("stac_extensions") or [],
        "id": row.get("id"),
        "geometry": _geometry(row.get("geometry")),
        "bbox": _bbox(row.get("bbox")),
        "properties": _plain(properties) | {"datetime": _plain(properties.get("datetime"))},
        "links": _plain(row.get("links") or []),
        "assets": _plain(row.get("assets") or {}),
        "collection": row.get("collection"),
    }
    return {key: value for key, value in item.items() if value is not None or key == "geometry"}


def _geometry(value: Any) -> Document | None:
    if value is None or isinstance(value, dict):
        return value
    made: Document = mapping(shapely.from_wkb(value))
    return made | {"coordinates": _lists(made["coordinates"])} if "coordinates" in made else made


def _lists(value: Any) -> Any:
    return [_lists(one) for one in value] if isinstance(value, tuple) else value


def _bbox(value: Any) -> list[float] | None:
    """A struct {xmin, ymin, (zmin,) xmax, ymax, (zmax)} or a list."""
    if not isinstance(value, dict):
        return None if value is None else list(value)
    names = [f"{axis}{end}" for end in ("min", "max") for axis in "xyz"]
    return [value[name] for name in names if value.get(name) is not None]


def _plain(value: Any) -> Any:
    """JSON: nulls of columns that an item does not have are left out, times are RFC 3339."""
    if isinstance(value, dict):
        return {key: plain for key, one in value.items() if (plain := _plain(one)) is not None}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        at = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return at.strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value
