"""Query parameters of the GET routes, described for OpenAPI; `terrella.api.hda.asking` gives them their meaning."""
# no `from __future__ import annotations`: FastAPI reads these annotations at run time

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Query

_Text = str | None


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which items or collections."""

    bbox: Annotated[_Text, Query(description="west,south,east,north in degrees.", examples=["5,45,11,48"])] = None
    datetime: Annotated[_Text, Query(description="RFC 3339 instant, or interval open with `..`.")] = None
    query: Annotated[
        _Text,
        Query(description="Conditions as a JSON object.", examples=['{"federation:backends":{"eq":"lake"}}']),
    ] = None
    filter_expr: Annotated[_Text, Query(alias="filter", description="CQL2.")] = None
    filter_lang: Annotated[Literal["cql2-text", "cql2-json"] | None, Query(alias="filter-lang")] = None
    filter_crs: Annotated[_Text, Query(alias="filter-crs", description="Only CRS84.")] = None
    sortby: Annotated[_Text, Query(description="Properties, each with + or - before it.")] = None
    limit: Annotated[int | None, Query(ge=1, description="Most to return; 20 items when nothing is said.")] = None
    token: Annotated[_Text, Query(description="Of a page, as found in its `next` link.")] = None

    def members(self) -> dict[str, Any]:
        """By name, those that were given."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ItemsAsked(Conditions):
    """GET /collections/{collection_id}/items."""

    ids: Annotated[_Text, Query(description="Item ids, those of orders too, comma separated.")] = None
    intersects: Annotated[_Text, Query(description="GeoJSON geometry, longitude first.")] = None


@dataclass(frozen=True, slots=True)
class SearchAsked(ItemsAsked):
    """GET /search."""

    collections: Annotated[_Text, Query(description="Collection ids, comma separated.")] = None


@dataclass(frozen=True, slots=True)
class CollectionsAsked(Conditions):
    """GET /collections."""

    q: Annotated[_Text, Query(description='Words; "quoted phrases", joined by AND or OR.')] = None
    provider: Annotated[_Text, Query(description="Who hosts or made the collection.", examples=["lake"])] = None
