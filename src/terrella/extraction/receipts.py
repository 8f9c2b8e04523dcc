"""Where a result came from: a hash of the canonical request, the items and version read, the software."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from terrella.model.extraction import Receipt
from terrella.model.time import Instant

if TYPE_CHECKING:
    from terrella.contracts.cubes import Origin
    from terrella.model.extraction import Extraction


def request_hash(request: Extraction) -> str:
    """sha256 in hex of the request as JSON with sorted keys: equal requests have equal hashes."""
    return hashlib.sha256(json.dumps(_plain(request), sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Instant):
        return str(value)
    if is_dataclass(value):
        return {"is": type(value).__name__} | {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float | int | str | bool) or value is None:
        return value
    return str(value)


@cache
def software() -> str:
    return f"terrella {version('terrella')}"


def receipt(request: Extraction, origin: Origin, items: Iterable[str], bytes_read: int) -> Receipt:
    """For an answer to this request out of a cube of this origin."""
    read = tuple(sorted(set(items)))
    known = dict(zip(origin.items, origin.item_versions, strict=False))
    return Receipt(
        request=request_hash(request),
        collection=origin.collection,
        version=origin.version,
        items=read,
        bytes_read=bytes_read,
        software=software(),
        licence=origin.licence,
        attribution=origin.attribution,
        item_versions=tuple(known.get(item, "") for item in read) if known else (),
        credit=origin.credit,
    )
