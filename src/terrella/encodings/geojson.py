"""GeoJSON (RFC 7946): one feature for each place, time, level and member, the values in its properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from terrella.encodings.layout import ZONE, iso, layouts, native
from terrella.encodings.parameters import parameter
from terrella.encodings.receipts import receipt_document
from terrella.encodings.tables import row_count, table
from terrella.grids.outlines import cut, geojson

if TYPE_CHECKING:
    from terrella.model.extraction import Extracted

MOST_FEATURES = 250_000


class GeoJson:
    """Writes a FeatureCollection, longitudes in -180..180: points, or the polygon where space was reduced."""

    name = "geojson"
    title = "GeoJSON"
    media_type = "application/geo+json"
    suffix = ".geojson"

    def accepts(self, extracted: Extracted) -> str | None:
        if not extracted.dataset.data_vars:
            return "There is no variable to write."
        rows = row_count(extracted.dataset)
        if rows > MOST_FEATURES:
            return f"It would have {rows:,} features; at most {MOST_FEATURES:,} are written as GeoJSON."
        return None

    def encode(self, extracted: Extracted) -> bytes:
        dataset = extracted.dataset
        document = {
            "type": "FeatureCollection",
            "features": _features(extracted),
            "numberReturned": row_count(dataset),
            "parameters": {str(name): parameter(str(name), dataset[name].attrs) for name in dataset.data_vars},
            "terrella:receipt": receipt_document(extracted),
        }
        return orjson.dumps(document)


def _features(extracted: Extracted) -> list[dict[str, Any]]:
    made = table(extracted)
    names = [name for name in made.column_names if name not in {"longitude", "latitude", ZONE}]
    columns = [_json_column(made[name]) for name in names]
    if (zone := layouts(extracted.dataset)[0].zone) is not None:
        geometry = geojson(zone if max(map(abs, zone.bounds[::2])) <= 180 else cut(zone) or zone)
        rows = zip(*columns, strict=True)
        return [
            {"type": "Feature", "geometry": geometry, "properties": dict(zip(names, row, strict=True))} for row in rows
        ]
    lon, lat = (made[name].to_numpy() for name in ("longitude", "latitude"))
    wrapped = np.where((lon > 180) | (lon < -180), (lon + 180) % 360 - 180, lon)
    return [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": place},
            "properties": dict(zip(names, row, strict=True)),
        }
        for place, *row in zip(np.column_stack([wrapped, lat]).tolist(), *columns, strict=True)
    ]


def _json_column(column: Any) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        return iso(column.to_numpy().astype("M8[ms]"))
    if pa.types.is_float32(column.type):
        # the shortest text of a float32, not of the float64 nearest to it
        return orjson.loads(orjson.dumps(native(column.to_numpy()), option=orjson.OPT_SERIALIZE_NUMPY))  # type: ignore[no-any-return]
    return column.to_pylist()  # type: ignore[no-any-return]
