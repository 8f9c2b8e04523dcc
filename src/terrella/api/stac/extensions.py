"""STAC API extensions with routes of their own, as stac-fastapi extensions: what they conform to, and the routes."""

from __future__ import annotations

from typing import Any

import attr
from fastapi import APIRouter, Depends, FastAPI
from stac_fastapi.api.models import EmptyRequest
from stac_fastapi.api.routes import create_async_endpoint
from stac_fastapi.extensions.aggregation.aggregation import AggregationConformanceClasses
from stac_fastapi.extensions.collection_search.collection_search import CollectionSearchConformanceClasses
from stac_fastapi.extensions.fields.fields import FieldsConformanceClasses
from stac_fastapi.extensions.filter.filter import FilterConformanceClasses
from stac_fastapi.extensions.free_text.free_text import FreeTextConformanceClasses
from stac_fastapi.extensions.query.query import QueryConformanceClasses
from stac_fastapi.extensions.sort.sort import SortConformanceClasses
from stac_fastapi.types.extension import ApiExtension
from starlette.requests import Request
from starlette.responses import Response

from terrella.api.caller import caller_of
from terrella.api.routes import known_parameters_only
from terrella.api.searching.parsing import members_of, names_of, search_of
from terrella.api.stac.client import StacClient
from terrella.api.stac.documents import answer
from terrella.api.stac.links import JSON, SCHEMA, Addresses, link
from terrella.api.stac.parameters import (
    Aggregated,
    AggregatedBody,
    AggregatedOfCollection,
    BrowsedPage,
    OneCollection,
    QueryablesOf,
)
from terrella.model.search import Aggregation
from terrella.model.stac import Document

CHILDREN = "https://api.stacspec.org/v1.0.0-rc.2/children"
BROWSEABLE = "https://api.stacspec.org/v1.0.0-rc.2/browseable"
AGGREGATIONS = {
    "total_count": "integer",
    "datetime_min": "datetime",
    "datetime_max": "datetime",
    "datetime_frequency": "frequency_distribution",
    "collection_frequency": "frequency_distribution",
    "cloud_cover_frequency": "frequency_distribution",
    "centroid_geohash_grid_frequency": "frequency_distribution",
}
"""What every catalogue can compute; it also counts by each property that has few values."""

WORDS: list[str] = [
    FieldsConformanceClasses.SEARCH,
    FieldsConformanceClasses.ITEMS,
    FieldsConformanceClasses.COLLECTIONS,
    QueryConformanceClasses.SEARCH,
    QueryConformanceClasses.ITEMS,
    QueryConformanceClasses.COLLECTIONS,
    SortConformanceClasses.ITEM_SEARCH_SORT,
    SortConformanceClasses.FEATURES_SORT,
    SortConformanceClasses.COLLECTION_SEARCH_SORT,
    "https://api.stacspec.org/v1.0.0/item-search#sort",  # pystac-client looks for 1.0 only
    "https://api.stacspec.org/v1.0.0/ogcapi-features#sort",
    FreeTextConformanceClasses.SEARCH,
    FreeTextConformanceClasses.ITEMS,
    FreeTextConformanceClasses.COLLECTIONS,
    CollectionSearchConformanceClasses.COLLECTIONSEARCH,
    CollectionSearchConformanceClasses.BASIS,
]
"""Conformance of what the core routes understand beyond the core."""


def router(app: FastAPI) -> APIRouter:
    """A router of the STAC API that refuses unknown parameters."""
    return APIRouter(prefix=app.state.router_prefix, dependencies=[Depends(known_parameters_only)])


def add(routes: APIRouter, path: str, call: Any, model: Any, summary: str, *, kind: str = JSON, **more: Any) -> None:
    """One route whose answers are made by `call` on a thread."""
    routes.add_api_route(
        path,
        create_async_endpoint(call, model),
        name=summary,
        summary=summary,
        response_class=Response,
        responses={more.get("status_code", 200): {"content": {kind: {}}}},
        **{"methods": ["GET"], **more},
    )


@attr.s
class Words(ApiExtension):
    """Parameters of the core routes: fields, query, sortby, q, collection search."""

    conformance_classes: list[str] = attr.ib(factory=lambda: [str(word) for word in WORDS])

    def register(self, app: FastAPI) -> None:
        """No routes of its own."""


@attr.s
class Queryables(ApiExtension):
    """Filters, and the properties that they may name."""

    client: StacClient = attr.ib(kw_only=True)
    conformance_classes: list[str] = attr.ib(
        factory=lambda: [
            str(word)
            for word in (
                FilterConformanceClasses.FILTER,
                FilterConformanceClasses.SEARCH,
                FilterConformanceClasses.ITEMS,
                FilterConformanceClasses.COLLECTIONS,
                FilterConformanceClasses.CQL2_TEXT,
                FilterConformanceClasses.CQL2_JSON,
                FilterConformanceClasses.BASIC_CQL2,
                FilterConformanceClasses.BASIC_SPATIAL_FUNCTIONS,
                FilterConformanceClasses.ADVANCED_COMPARISON_OPERATORS,
            )
        ]
    )

    def register(self, app: FastAPI) -> None:
        """GET /queryables, for the site and a collection."""
        routes = router(app)
        add(routes, "/queryables", self.everywhere, QueryablesOf, "Queryables", kind=SCHEMA)
        path = "/collections/{collection_id}/queryables"
        add(routes, path, self.in_collection, OneCollection, "Queryables of a collection", kind=SCHEMA)
        app.include_router(routes, tags=["STAC"])

    def everywhere(self, request: Request, collections: str | None) -> Response:
        """Of all collections, or of those named."""
        return self.client.queryables(request, names_of(collections, "collections"))

    def in_collection(self, request: Request, collection_id: str) -> Response:
        """Of one."""
        return self.client.queryables(request, (collection_id,))


@attr.s
class Browsing(ApiExtension):
    """Children and browseable: everything can be reached by child and item links."""

    client: StacClient = attr.ib(kw_only=True)
    conformance_classes: list[str] = attr.ib(factory=lambda: [CHILDREN, BROWSEABLE])

    def register(self, app: FastAPI) -> None:
        """GET /children and GET /collections/{collection_id}/browse."""
        routes = router(app)
        add(routes, "/children", self.client.children, EmptyRequest, "All collections in one document")
        path = "/collections/{collection_id}/browse"
        add(routes, path, self.client.browse, BrowsedPage, "Items as links, page by page")
        app.include_router(routes, tags=["STAC"])


@attr.s
class Aggregating(ApiExtension):
    """Counts and ranges over what a search finds."""

    client: StacClient = attr.ib(kw_only=True)
    conformance_classes: list[str] = attr.ib(factory=lambda: [str(AggregationConformanceClasses.AGGREGATION)])

    def register(self, app: FastAPI) -> None:
        """/aggregations and /aggregate, for the site and a collection."""
        routes = router(app)
        one = "/collections/{collection_id}"
        add(routes, "/aggregations", self.listed, EmptyRequest, "Aggregations that there are")
        add(routes, one + "/aggregations", self.listed, OneCollection, "Aggregations of a collection")
        add(routes, "/aggregate", self.aggregate, Aggregated, "Aggregate items")
        add(routes, "/aggregate", self.aggregate_body, AggregatedBody, "Aggregate items by body", methods=["POST"])
        add(routes, one + "/aggregate", self.aggregate, AggregatedOfCollection, "Aggregate items of a collection")
        app.include_router(routes, tags=["STAC"])

    def listed(self, request: Request, collection_id: str | None = None) -> Response:
        """The names that `aggregations` may have."""
        collections = (collection_id,) if collection_id else ()
        properties = self.client.catalog.queryables(caller_of(request), collections)["properties"]
        counted = {f"{name}_frequency": "frequency_distribution" for name, one in properties.items() if "enum" in one}
        known = {**AGGREGATIONS, **counted}
        return self._collection(request, [{"name": name, "data_type": kind} for name, kind in known.items()])

    def aggregate(self, request: Request, collection_id: str | None = None, **given: Any) -> Response:
        """GET."""
        return self._aggregate(request, given, collection_id)

    def aggregate_body(self, body: AggregatedBody, request: Request) -> Response:
        """POST."""
        return self._aggregate(request, members_of(body), None)

    def _aggregate(self, request: Request, given: dict[str, Any], collection_id: str | None) -> Response:
        names = names_of(given.get("aggregations"), "aggregations") or ("total_count",)
        query = search_of(given, collection=collection_id)
        caller, catalog = caller_of(request), self.client.catalog
        if collection_id:
            catalog.collection(caller, collection_id)
        else:
            self.client.check_collections(caller, query)
        return self._collection(request, [_aggregation(one) for one in catalog.aggregate(caller, query, names)])

    @staticmethod
    def _collection(request: Request, aggregations: list[Document]) -> Response:
        at = Addresses(request)
        links = [link("self", at.itself), link("root", at.root)]
        return answer({"type": "AggregationCollection", "aggregations": aggregations, "links": links})


def _aggregation(one: Aggregation) -> Document:
    body: Document = {"name": one.name, "data_type": one.data_type}
    if one.buckets:
        return {**body, "buckets": list(one.buckets)}
    return {**body, "value": one.value} if one.value is not None else body
