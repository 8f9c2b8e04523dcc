"""Search: one question to the catalogue, whatever dialect asked it, and its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from terrella.model.stac import Document

if TYPE_CHECKING:
    from terrella.model.space import Extent
    from terrella.model.time import Interval


@dataclass(frozen=True, slots=True)
class SortKey:
    """A property to sort by: 'datetime', 'id', 'collection' or any property of items, e.g. 'eo:cloud_cover'."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """Which items? Everything given must hold. `filter` is CQL2 JSON, already parsed and checked."""

    collections: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    bbox: Extent | None = None
    intersects: Document | None = None
    """GeoJSON geometry, checked."""
    interval: Interval | None = None
    filter: Document | None = None
    text: tuple[str, ...] = ()
    """Free text: any of these terms, each may be a quoted phrase or joined by AND, OR."""
    sortby: tuple[SortKey, ...] = ()
    """Empty means newest first, then id."""
    limit: int = 10
    token: str | None = None


@dataclass(frozen=True, slots=True)
class CollectionSearch:
    """Which collections?"""

    bbox: Extent | None = None
    interval: Interval | None = None
    filter: Document | None = None
    text: tuple[str, ...] = ()
    sortby: tuple[SortKey, ...] = ()
    limit: int = 10
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one source answered: a partial answer says so."""

    provider: str
    state: Literal["ok", "late", "failed"]
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Items or collections in order, each as the UTF-8 JSON text of its document, so that nothing is parsed twice."""

    documents: tuple[bytes, ...]
    next: str | None = None
    """Token of the next page; None at the end."""
    prev: str | None = None
    matched: int | None = None
    """How many match in all, where that is known cheaply."""
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Aggregation:
    """One answer to an aggregation request (STAC API aggregation extension)."""

    name: str
    data_type: str
    value: Any = None
    buckets: tuple[Document, ...] = field(default=())
