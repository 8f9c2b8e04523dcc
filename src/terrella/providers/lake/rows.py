"""From documents to rows: all that can be done before the write lock is taken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from terrella.errors import Invalid
from terrella.model.microseconds import FOREVER, LONG_AGO, microseconds
from terrella.model.space import Extent
from terrella.providers.lake.footprints import footprints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from terrella.model.stac import Document
    from terrella.providers.lake.footprints import Footprint


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item as it is stored; times in microseconds."""

    collection: str
    id: str
    t: int
    t_start: int
    t_end: int
    footprint: Footprint | None
    cloud: Any
    doc: bytes


@dataclass(frozen=True, slots=True)
class CollectionRow:
    """One collection as it is stored."""

    id: str
    t_start: int
    t_end: int
    extent: Extent | None
    doc: bytes


def item_rows(items: Sequence[Document]) -> list[ItemRow]:
    """Raises Invalid naming the first item that is wrong and what is wrong with it."""
    for item in items:
        _check(item)
    return [_item_row(item, place) for item, place in zip(items, footprints(items), strict=True)]


def _check(item: Document) -> None:
    if not isinstance(item, dict):
        raise Invalid(f"An item is a JSON object, not {type(item).__name__}.")
    for member in ("id", "collection"):
        value = item.get(member)
        if not isinstance(value, str) or not value or "\0" in value:
            raise Invalid(f"Item {item.get('id')!r:.80}: {member!r} must be text and not empty.", parameter=member)
    if not isinstance(item.get("properties"), dict):
        raise Invalid(f"Item {item['id']!r:.80}: 'properties' must be a JSON object.", parameter="properties")


def _item_row(item: Document, footprint: Footprint | None) -> ItemRow:
    properties = item["properties"]
    try:
        t, t_start, t_end = _times(properties)
        doc = orjson.dumps(item)
    except (Invalid, TypeError, UnicodeEncodeError) as error:
        raise Invalid(f"Item {item['id']!r:.80}: {error}", parameter=getattr(error, "parameter", None)) from None
    cloud = scalar(properties.get("eo:cloud_cover"))
    return ItemRow(item["collection"], item["id"], t, t_start, t_end, footprint, cloud, doc)


def _times(properties: Document) -> tuple[int, int, int]:
    """When it is (to sort by), and from when to when."""
    instant, start, end = (properties.get(key) for key in ("datetime", "start_datetime", "end_datetime"))
    at = None if instant is None else microseconds(instant)
    first = at if start is None else microseconds(start, parameter="start_datetime")
    last = at if end is None else microseconds(end, parameter="end_datetime")
    if at is None and start is None and end is None:
        raise Invalid("it needs 'datetime', or 'start_datetime' and 'end_datetime'.", parameter="datetime")
    first = LONG_AGO if first is None else first
    last = FOREVER if last is None else last
    if first > last:
        raise Invalid("it ends before it starts.", parameter="end_datetime")
    when = at if at is not None else first if start is not None else last
    return when, min(first, when), max(last, when)


def scalar(value: Any) -> Any:
    """A JSON value as SQL sees it when it takes it out of a document: lists and objects are their JSON text."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None  # as JSON has it
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value


def collection_row(collection: Document) -> CollectionRow:
    """Raises Invalid."""
    name = collection.get("id")
    if not isinstance(name, str) or not name or "\0" in name:
        raise Invalid("A collection needs an 'id': text and not empty.", parameter="id")
    extent = collection.get("extent") or {}
    try:
        t_start, t_end = _interval(extent)
        return CollectionRow(name, t_start, t_end, _box(extent), orjson.dumps(collection))
    except (TypeError, ValueError, IndexError, AttributeError, Invalid) as error:
        raise Invalid(f"Collection {name!r:.80}: {error}", parameter=getattr(error, "parameter", "extent")) from None


def _interval(extent: Document) -> tuple[int, int]:
    """From the first beginning to the last end of all intervals."""
    intervals = (extent.get("temporal") or {}).get("interval") or [[None, None]]
    starts = [LONG_AGO if start is None else microseconds(start) for start, _ in intervals]
    ends = [FOREVER if end is None else microseconds(end) for _, end in intervals]
    return min(starts), max(ends)


def _box(extent: Document) -> Extent | None:
    """The first box, which by the standard holds the others."""
    boxes = (extent.get("spatial") or {}).get("bbox")
    if not boxes:
        return None
    half = len(boxes[0]) // 2
    west, south = boxes[0][:2]
    east, north = boxes[0][half : half + 2]
    return Extent.of(float(west), float(south), float(east), float(north), parameter="extent")
