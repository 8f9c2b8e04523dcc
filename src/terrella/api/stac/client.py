"""The STAC API's routes: parse, one call to the catalogue, encode. They run on threads, as the catalogue blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attr
import orjson
from stac_fastapi.types.core import BaseCoreClient
from starlette.requests import Request
from starlette.responses import Response

from terrella.api.caller import caller_of
from terrella.api.searching.parsing import collection_search_of, members_of, search_of
from terrella.api.stac.documents import answer, collection_page, fields_of, get_links, item_page, post_links
from terrella.api.stac.links import GEOJSON, OPENAPI, QUERYABLES, SCHEMA, Addresses, link
from terrella.api.stac.parameters import ItemSearchBody
from terrella.api.stac.splicing import item_with_links
from terrella.contracts.providers import Searches
from terrella.errors import Invalid, NotFound
from terrella.model.caller import Caller
from terrella.model.ids import slug
from terrella.model.search import CollectionSearch, Search
from terrella.model.stac import STAC_VERSION, Document

COLLECTIONS_A_PAGE = 100
ITEMS_A_BROWSED_PAGE = 100


@attr.s(auto_attribs=True)
class StacClient(BaseCoreClient):
    """What stac-fastapi calls for the core routes."""

    catalog: Searches = attr.ib(kw_only=True)

    def landing_page(self, **given: Any) -> Response:  # type: ignore[override]
        """GET /stac."""
        request: Request = given["request"]
        at = Addresses(request)
        children = [
            link("child", at.to("collections", one["id"]), title=one.get("title") or one["id"])
            for one in self.every_collection(caller_of(request))
        ]
        body = {
            "type": "Catalog",
            "stac_version": STAC_VERSION,
            "id": slug(self.title),
            "title": self.title,
            "description": self.description,
            "conformsTo": self.conformance_classes(),
            "links": [*_landing_links(at), *children],
        }
        return answer(body)

    def conformance(self, **_: Any) -> Response:  # type: ignore[override]
        """GET /stac/conformance."""
        return answer({"conformsTo": self.conformance_classes()})

    def get_search(self, request: Request, **given: Any) -> Response:  # type: ignore[override]
        """GET /stac/search."""
        query, fields = search_of(given), fields_of(given["fields"])
        self.check_collections(caller_of(request), query)
        page = self.catalog.search(caller_of(request), query)
        at = Addresses(request)
        return item_page(page, at, fields, get_links(page, at, request.query_params.multi_items()))

    def post_search(self, search_request: ItemSearchBody, request: Request, **_: Any) -> Response:  # type: ignore[override]
        """POST /stac/search."""
        given = members_of(search_request)
        query, fields = search_of(given), fields_of(given.get("fields"))
        self.check_collections(caller_of(request), query)
        page = self.catalog.search(caller_of(request), query)
        at = Addresses(request)
        body = search_request.model_dump(exclude_none=True, exclude_unset=True, by_alias=True)
        return item_page(page, at, fields, post_links(page, at, body))

    def item_collection(self, collection_id: str, request: Request, **given: Any) -> Response:  # type: ignore[override]
        """GET /stac/collections/{collection_id}/items."""
        query, fields = search_of(given, collection=collection_id), fields_of(given["fields"])
        self.catalog.collection(caller_of(request), collection_id)  # 404 rather than an empty page
        page = self.catalog.search(caller_of(request), query)
        at = Addresses(request)
        links = get_links(page, at, request.query_params.multi_items())
        links.append(link("collection", at.to("collections", collection_id)))
        return item_page(page, at, fields, links)

    def get_item(self, item_id: str, collection_id: str, request: Request, **_: Any) -> Response:  # type: ignore[override]
        """GET /stac/collections/{collection_id}/items/{item_id}."""
        found = self.catalog.item(caller_of(request), collection_id, item_id)
        return Response(item_with_links(found, Addresses(request)), media_type=GEOJSON)

    def all_collections(self, request: Request, **given: Any) -> Response:  # type: ignore[override]
        """GET /stac/collections."""
        query, fields = collection_search_of(given, limit=COLLECTIONS_A_PAGE), fields_of(given["fields"])
        page = self.catalog.collections(caller_of(request), query)
        at = Addresses(request)
        return collection_page(page, at, fields, _as_json(get_links(page, at, request.query_params.multi_items())))

    def get_collection(self, collection_id: str, request: Request, **_: Any) -> Response:  # type: ignore[override]
        """GET /stac/collections/{collection_id}."""
        found = self.catalog.collection(caller_of(request), collection_id)
        return answer(Addresses(request).collection(orjson.loads(found)))

    def children(self, request: Request, **_: Any) -> Response:
        """GET /stac/children: what the landing page's child links lead to, in one document."""
        at = Addresses(request)
        documents = [at.collection(one) for one in self.every_collection(caller_of(request))]
        links = [link("self", at.itself), link("root", at.root), link("parent", at.root)]
        return answer({"children": documents, "links": links})

    def browse(self, collection_id: str, token: str | None, request: Request, **_: Any) -> Response:
        """GET /stac/collections/{collection_id}/browse: a chain of catalogues that links to every item."""
        caller, at = caller_of(request), Addresses(request)
        self.catalog.collection(caller, collection_id)
        page = self.catalog.search(caller, Search((collection_id,), limit=ITEMS_A_BROWSED_PAGE, token=token or None))
        here = at.to("collections", collection_id)
        ids = [orjson.loads(document)["id"] for document in page.documents]
        items = [link("item", at.to("collections", collection_id, "items", one), GEOJSON) for one in ids]
        links = [link("self", at.itself), link("root", at.root), link("parent", here), *items]
        if page.next:
            links.append(link("child", at.with_parameters([("token", page.next)]), title="More items"))
        body = {
            "type": "Catalog",
            "stac_version": STAC_VERSION,
            "id": slug(f"{collection_id}-{token or 'items'}"),
            "description": f"Items of {collection_id}, newest first.",
            "links": links,
        }
        return answer(body)

    def queryables(self, request: Request, collections: tuple[str, ...]) -> Response:
        """Properties that a filter may name, as a JSON Schema."""
        for collection in collections:
            self.catalog.collection(caller_of(request), collection)
        found = self.catalog.queryables(caller_of(request), collections)
        body = {
            **found,
            "$schema": "https://json-schema.org/draft/2019-09/schema",
            "$id": Addresses(request).itself,
            "type": "object",
        }
        return answer(body, SCHEMA)

    def every_collection(self, caller: Caller) -> Iterator[Document]:
        """All collections' documents, in the catalogue's order."""
        token: str | None = None
        while True:
            page = self.catalog.collections(caller, CollectionSearch(limit=1000, token=token))
            yield from map(orjson.loads, page.documents)
            token = page.next
            if token is None:
                return

    def check_collections(self, caller: Caller, query: Search) -> None:
        """A collection that does not exist is a mistake worth telling, not an empty page. Raises Invalid."""
        for collection in query.collections:
            try:
                self.catalog.collection(caller, collection)
            except NotFound as error:
                raise Invalid(error.message, parameter="collections") from None


def _landing_links(at: Addresses) -> list[Document]:
    return [
        link("self", at.root, title="This document"),
        link("root", at.root),
        link("conformance", at.to("conformance"), title="Conformance classes"),
        link("data", at.to("collections"), title="Collections"),
        link("search", at.to("search"), GEOJSON, method="GET", title="Search items"),
        link("search", at.to("search"), GEOJSON, method="POST", title="Search items"),
        link("children", at.to("children"), title="All collections in one document"),
        link(QUERYABLES, at.to("queryables"), SCHEMA, title="Properties to filter by"),
        link("aggregations", at.to("aggregations"), title="Aggregations that there are"),
        link("aggregate", at.to("aggregate"), title="Counts and ranges over items"),
        link("service-desc", f"{at.site}/api", OPENAPI, title="OpenAPI description"),
        link("service-doc", f"{at.site}/api.html", "text/html", title="The interface, to read and try"),
    ]


def _as_json(links: list[Document]) -> list[Document]:
    return [{**one, "type": "application/json"} for one in links]
