"""What the broker's clients read: datasets, what may be asked of them, results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terrella.site.terms import terms_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from terrella.model.extraction import Plan
    from terrella.model.stac import Document

_TITLES = {"variable": "Variable", "product_type": "Product type", "time": "Time", "pressure_level": "Pressure level"}


def dataset(document: Document) -> Document:
    """A collection as the broker tells of it; `terms` are what one accepts before anything is given."""
    extent = document.get("extent", {})
    box = (extent.get("spatial", {}).get("bbox") or [[-180, -90, 180, 90]])[0]
    first, last = (extent.get("temporal", {}).get("interval") or [[None, None]])[0]
    return {
        "dataset_id": document["id"],
        "title": str(document.get("title") or document["id"]),
        "abstract": str(document.get("description") or ""),
        "terms": [terms_of(document).name],
        "metadata": {
            "_source": {
                "datasetTitle": str(document.get("title") or document["id"]),
                "abstract": str(document.get("description") or ""),
                "license": document.get("license"),
                "bbox": box,
                "tempextent_begin": first,
                "tempextent_end": last,
                "keywords": list(document.get("keywords") or ()),
            }
        },
    }


def queryable(
    document: Document, values: Mapping[str, Sequence[str]], formats: Sequence[str], rest: Document
) -> Document:
    """JSON Schema of a query; `values` are those of a cube's keys, `rest` properties of items by name."""
    found = dataset(document)
    box = found["metadata"]["_source"]["bbox"]
    first, last = (found["metadata"]["_source"][f"tempextent_{end}"] for end in ("begin", "end"))
    day = {"type": "string", "format": "date-time"}
    properties: Document = {
        "dataset_id": {
            "title": "dataset_id",
            "type": "string",
            "oneOf": [{"const": document["id"], "title": document["id"]}],
        },
        "bbox": {
            "title": "West, south, east, north (degrees)",
            "type": "array",
            "minItems": 4,
            "maxItems": 4,
            "items": [{"type": "number", "minimum": box[i], "maximum": box[i % 2 + 2]} for i in range(2)]
            + [{"type": "number", "minimum": box[i % 2], "maximum": box[i]} for i in (2, 3)],
        },
        "startdate": day | {"title": "First time"} | ({"minimum": first} if first else {}),
        "enddate": day | {"title": "Last time"} | ({"maximum": last} if last else {}),
    }
    properties |= {key: _several(key, names) for key, names in values.items() if key != "date"}
    if values:
        properties["format"] = _one("format", formats)
    properties |= {name: about for name, about in rest.items() if name not in properties}
    properties["itemsPerPage"] = {"title": "itemsPerPage", "type": "integer", "minimum": 1}
    properties["startIndex"] = {"title": "startIndex", "type": "integer", "minimum": 0}
    return {"title": "Queryable", "type": "object", "properties": properties, "required": ["dataset_id"]}


def _several(key: str, names: Sequence[str]) -> Document:
    return {
        "title": _TITLES.get(key, key.replace("_", " ").capitalize()),
        "type": "array",
        "items": {"type": "string", "oneOf": [{"const": name, "title": name} for name in names]},
    }


def _one(key: str, names: Sequence[str]) -> Document:
    return {"title": key, "type": "string", "oneOf": [{"const": name, "title": name} for name in names]}


def product(item: Document, size: int) -> Document:
    """A file, or several that belong together."""
    said = item.get("properties", {})
    at = said.get("datetime")
    return {
        "id": item["id"],
        "type": "Feature",
        "bbox": item.get("bbox"),
        "geometry": item.get("geometry"),
        "properties": {
            "size": size,
            "location": f"item.{item['id']}",
            "startdate": said.get("start_datetime") or at,
            "enddate": said.get("end_datetime") or at,
            "title": said.get("title") or item["id"],
        },
    }


def size_of(item: Document) -> int:
    """Bytes of an item's files, as far as they are known."""
    assets = [one for one in (item.get("assets") or {}).values() if isinstance(one, dict)]
    sizes = [one.get("file:size") for one in assets]
    return sum(size for size in sizes if isinstance(size, int))


def cut(name: str, collection: Document, location: str, plan: Plan, days: tuple[str, str] | None) -> Document:
    """A part of a cube that may be ordered; its size is that of plain arrays."""
    extent = collection.get("extent", {})
    first, last = days or (extent.get("temporal", {}).get("interval") or [[None, None]])[0]
    return {
        "id": name,
        "type": "Feature",
        "geometry": None,
        "properties": {
            "size": plan.bytes_out,
            "location": location,
            "startdate": first,
            "enddate": last,
            "title": name,
        },
    }


def results(features: list[Document], start: int, count: int, total: int, **more: Any) -> Document:
    """One page."""
    about = {"startIndex": start, "itemsPerPage": count, "totalResults": total}
    return {"type": "FeatureCollection", "features": features, "properties": about, **more}
