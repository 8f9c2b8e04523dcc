"""What STAC requests may carry: stac-fastapi request models with every parameter described for OpenAPI.

Values stay as they were sent: `terrella.api.searching.parsing` turns them into a Search and says what is wrong.
"""
# no `from __future__ import annotations`: FastAPI reads these annotations at run time

from typing import Annotated, Any, Literal

import attr
from fastapi import Body, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from stac_fastapi.types.search import APIRequest

Bbox = Annotated[
    str | None,
    Query(
        description="Box in degrees: west,south,east,north, or with heights west,south,low,east,north,high (heights "
        "are ignored). West greater than east crosses the antimeridian. Not together with `intersects`.",
        examples=["5.5,45.5,11,48"],
    ),
]
Datetime = Annotated[
    str | None,
    Query(
        description="An RFC 3339 instant, or an interval of two of them: `start/end`, open with `..`.",
        examples=["2024-07-01T00:00:00Z/2024-07-31T23:59:59Z", "2024-07-01T00:00:00Z/.."],
    ),
]
Limit = Annotated[
    int | None,
    Query(ge=1, description="Most to return on one page; more than 10000 is taken as 10000."),
]
Token = Annotated[str | None, Query(description="Of a page, as found in its `next` and `prev` links.")]
Filter = Annotated[
    str | None,
    Query(
        alias="filter",
        description="CQL2 filter; see /queryables for the properties.",
        examples=["eo:cloud_cover < 10 AND platform = 'sentinel-2a'"],
    ),
]
FilterLang = Annotated[
    Literal["cql2-text", "cql2-json"] | None, Query(alias="filter-lang", description="Language of `filter`.")
]
FilterCrs = Annotated[
    str | None,
    Query(
        alias="filter-crs",
        description="Coordinate reference system of geometries in `filter`; only CRS84, longitude before latitude.",
        examples=["http://www.opengis.net/def/crs/OGC/1.3/CRS84"],
    ),
]
Sortby = Annotated[
    str | None,
    Query(
        description="Properties to sort by, comma separated, each with + (ascending, the default) or - before it.",
        examples=["-datetime,+eo:cloud_cover"],
    ),
]
Fields = Annotated[
    str | None,
    Query(
        description="Members to return, comma separated, with - before it to leave out.",
        examples=["id,geometry,properties.datetime", "-assets"],
    ),
]
QueryText = Annotated[
    str | None,
    Query(
        description="Conditions on properties, as a JSON object; `filter` says more.",
        examples=['{"eo:cloud_cover":{"lt":10}}'],
    ),
]
FreeText = Annotated[
    str | None, Query(description="Words to look for; comma separated terms, any of which may occur.", examples=["sea"])
]
Ids = Annotated[str | None, Query(description="Item ids, comma separated.")]
CollectionIds = Annotated[str | None, Query(description="Collection ids, comma separated.")]
Intersects = Annotated[
    str | None,
    Query(
        description="GeoJSON geometry, longitude first. Not together with `bbox`.",
        examples=['{"type":"Point","coordinates":[13.4,52.5]}'],
    ),
]
CollectionId = Annotated[str, Path(description="Id of a collection.")]
ItemId = Annotated[str, Path(description="Id of an item.")]
Aggregations = Annotated[
    str | None,
    Query(description="Aggregations to compute, comma separated; see /aggregations.", examples=["total_count"]),
]


@attr.s(auto_attribs=True, kw_only=True)
class Conditions(APIRequest):
    """Which items, in a query string."""

    collections: CollectionIds = None
    ids: Ids = None
    bbox: Bbox = None
    intersects: Intersects = None
    datetime: Datetime = None
    query: QueryText = None
    q: FreeText = None
    filter_expr: Filter = None
    filter_lang: FilterLang = None
    filter_crs: FilterCrs = None


@attr.s(auto_attribs=True, kw_only=True)
class ItemSearch(Conditions):
    """GET /search."""

    sortby: Sortby = None
    fields: Fields = None
    limit: Limit = None
    token: Token = None


@attr.s(auto_attribs=True, kw_only=True)
class ItemsOfCollection(ItemSearch):
    """GET /collections/{collection_id}/items. pystac-client sends `collections` along, which then must agree."""

    collection_id: CollectionId


@attr.s(auto_attribs=True, kw_only=True)
class CollectionSearchParameters(APIRequest):
    """GET /collections."""

    bbox: Bbox = None
    datetime: Datetime = None
    query: QueryText = None
    q: FreeText = None
    filter_expr: Filter = None
    filter_lang: FilterLang = None
    filter_crs: FilterCrs = None
    sortby: Sortby = None
    fields: Fields = None
    limit: Limit = None
    token: Token = None


@attr.s(auto_attribs=True, kw_only=True)
class OneCollection(APIRequest):
    """/collections/{collection_id}."""

    collection_id: CollectionId


@attr.s(auto_attribs=True, kw_only=True)
class OneItem(APIRequest):
    """/collections/{collection_id}/items/{item_id}."""

    collection_id: CollectionId
    item_id: ItemId


@attr.s(auto_attribs=True, kw_only=True)
class BrowsedPage(APIRequest):
    """/collections/{collection_id}/browse."""

    collection_id: CollectionId
    token: Token = None


@attr.s(auto_attribs=True, kw_only=True)
class QueryablesOf(APIRequest):
    """GET /queryables."""

    collections: CollectionIds = None


@attr.s(auto_attribs=True, kw_only=True)
class Aggregated(Conditions):
    """GET /aggregate."""

    aggregations: Aggregations = None


@attr.s(auto_attribs=True, kw_only=True)
class AggregatedOfCollection(Aggregated):
    """GET /collections/{collection_id}/aggregate."""

    collection_id: CollectionId


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SortMember(_Body):
    """One sort key of a body."""

    field: str
    direction: Literal["asc", "desc"] = "asc"


class FieldsMember(_Body):
    """The `fields` of a body."""

    include: list[str] | None = None
    exclude: list[str] | None = None


class ConditionsBody(_Body):
    """Which items, in a body; the members mean what the parameters of the same names mean."""

    collections: list[str] | str | None = Field(None, description="Collection ids.")
    ids: list[str] | str | None = Field(None, description="Item ids.")
    bbox: list[float] | None = Field(
        None,
        description="[west, south, east, north] in degrees, or six numbers with heights.",
        examples=[[5, 45, 11, 48]],
    )
    intersects: dict[str, Any] | None = Field(
        None,
        description="GeoJSON geometry, longitude first.",
        examples=[{"type": "Point", "coordinates": [13.4, 52.5]}],
    )
    datetime: str | None = Field(
        None, description="RFC 3339 instant or interval.", examples=["2024-07-01T00:00:00Z/.."]
    )
    query: dict[str, dict[str, Any]] | None = Field(
        None, description="Conditions on properties.", examples=[{"eo:cloud_cover": {"lt": 10}}]
    )
    q: list[str] | str | None = Field(None, description="Terms, any of which may occur.")
    filter_expr: dict[str, Any] | bool | str | None = Field(
        None,
        alias="filter",
        description="CQL2 JSON; text with `filter-lang: cql2-text`.",
        examples=[{"op": "<", "args": [{"property": "eo:cloud_cover"}, 10]}],
    )
    filter_lang: Literal["cql2-json", "cql2-text"] | None = Field(None, alias="filter-lang")
    filter_crs: str | None = Field(None, alias="filter-crs")


class ItemSearchBody(ConditionsBody):
    """POST /search."""

    sortby: list[SortMember] | None = Field(None, description="Sort keys, most important first.")
    fields: FieldsMember = Field(FieldsMember(), description="Members to return and to leave out.")
    limit: int | None = Field(None, ge=1, description="Most to return; more than 10000 is taken as 10000.")
    token: str | None = Field(None, description="Of a page.")


class AggregatedBody(ConditionsBody):
    """POST /aggregate."""

    aggregations: list[str] | None = Field(None, description="Names of aggregations, as /aggregations lists them.")


JsonObject = Annotated[dict[str, Any], Body(description="A STAC document.")]
Patch = Annotated[
    dict[str, Any] | list[dict[str, Any]],
    Body(description="A JSON merge patch (RFC 7396, an object) or a JSON patch (RFC 6902, a list of operations)."),
]


@attr.s(auto_attribs=True, kw_only=True)
class NewItem(OneCollection):
    """POST /collections/{collection_id}/items: an item or a FeatureCollection of items."""

    document: JsonObject


@attr.s(auto_attribs=True, kw_only=True)
class WholeItem(OneItem):
    """PUT /collections/{collection_id}/items/{item_id}."""

    document: JsonObject


@attr.s(auto_attribs=True, kw_only=True)
class PatchedItem(OneItem):
    """PATCH /collections/{collection_id}/items/{item_id}."""

    patch: Patch


@attr.s(auto_attribs=True, kw_only=True)
class NewCollection(APIRequest):
    """POST /collections."""

    document: JsonObject


@attr.s(auto_attribs=True, kw_only=True)
class WholeCollection(OneCollection):
    """PUT /collections/{collection_id}."""

    document: JsonObject


@attr.s(auto_attribs=True, kw_only=True)
class PatchedCollection(OneCollection):
    """PATCH /collections/{collection_id}."""

    patch: Patch
