"""STAC as the broker's client asks for it: pages by number, below the broker's own address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import orjson
from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from terrella.api.assets import Assets
from terrella.api.bodies import json_object
from terrella.api.caller import caller_of
from terrella.api.searching.parsing import search_of
from terrella.errors import Invalid, nearest_names
from terrella.model.search import Search

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from terrella.api.hdabroker.paging import Offsets
    from terrella.model.stac import Document
    from terrella.site import Site

_CONFORMS = [
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/item-search",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
]
_PAGE = 20
_WORDS = ("collections", "ids", "bbox", "datetime", "limit", "intersects", "filter", "sortby", "query", "page")
PageNumber = Annotated[int, Query(ge=1, le=1 << 40)]
PageSize = Annotated[int, Query(ge=1, le=1000)]


class Mixin:
    """What the routes below stac/ do."""

    def __init__(self, site: Site, offsets: Offsets, base: str) -> None:
        self._site = site
        self._offsets = offsets
        self._base = base

    def landing(self, request: Request) -> Response:
        """The root of the catalogue."""
        here = self._address(request)
        links = [_link(rel, f"{here}{path}") for rel, path in (("self", "/"), ("root", "/"), ("data", "/collections/"))]
        links += [_link("conformance", f"{here}/conformance/"), _link("search", f"{here}/search") | {"method": "POST"}]
        settings = self._site.settings
        about = {"id": "terrella", "title": settings.title, "description": settings.description}
        return JSONResponse(
            {"type": "Catalog", "stac_version": "1.1.0", "conformsTo": _CONFORMS, "links": links} | about
        )

    def conformance(self) -> Response:
        """What is supported."""
        return JSONResponse({"conformsTo": _CONFORMS})

    def collections(self, request: Request, page: PageNumber = 1) -> Response:
        """Collections, twenty on a page."""
        found = self._site.collections(caller=caller_of(request))
        mine = found[(page - 1) * _PAGE : page * _PAGE]
        assets = Assets(request)
        shown = [self._linked(request, assets.of_collection(one)) for one in mine]
        return JSONResponse({"collections": shown, **_counts(request, page, _PAGE, len(shown), len(found))})

    def collection(self, request: Request, name: str) -> Response:
        """One collection."""
        found = orjson.loads(self._site.catalog.collection(caller_of(request), name))
        return JSONResponse(self._linked(request, Assets(request).of_collection(found)))

    def items(self, request: Request, name: str, page: PageNumber = 1, limit: PageSize = _PAGE) -> Response:
        """Items of a collection. (The client looks for them in `items`, STAC in `features`.)"""
        caller = caller_of(request)
        self._site.catalog.collection(caller, name)
        query = Search(collections=(name,), limit=limit)
        found, total = self._offsets.page(caller, query, (page - 1) * limit)
        features = self._features(request, found.documents)
        counts = _counts(request, page, limit, len(features), total)
        return JSONResponse({"type": "FeatureCollection", "features": features, "items": features, **counts})

    def item(self, request: Request, name: str, item: str) -> Response:
        """One item."""
        found = self._site.catalog.item(caller_of(request), name, item)
        return JSONResponse(self._features(request, [found])[0])

    async def search(self, request: Request) -> Response:
        """Items of any collections; `page` counts from 1."""
        given = json_object(await request.body())
        for key in given:
            if key not in _WORDS:
                raise Invalid(f"There is no {key!r:.60} in a search. {nearest_names(key, _WORDS)}", parameter=key[:60])
        return await run_in_threadpool(self._searched, request, given)

    def _searched(self, request: Request, given: dict[str, Any]) -> Response:
        page = given.pop("page", 1)
        if not isinstance(page, int) or not 1 <= page <= 1 << 40:
            raise Invalid("page is a whole number from 1.", parameter="page")
        caller, query = caller_of(request), search_of(given)
        found, total = self._offsets.page(caller, query, (page - 1) * query.limit)
        features = self._features(request, found.documents)
        counts = {"numberMatched": total, "numberReturned": len(features)}
        return JSONResponse({"type": "FeatureCollection", "features": features, "links": [], **counts})

    def _features(self, request: Request, found: Iterable[bytes]) -> list[Document]:
        assets = Assets(request)
        return [self._linked(request, assets.of_item(orjson.loads(one))) for one in found]

    def _linked(self, request: Request, document: Document) -> Document:
        """With the links to itself and to the root."""
        here = f"{self._address(request)}/collections"
        inside = document.get("collection")
        path = f"{here}/{inside}/items/{document['id']}" if inside else f"{here}/{document['id']}"
        return document | {"links": [_link("self", path), _link("root", f"{self._address(request)}/")]}

    def _address(self, request: Request) -> str:
        return f"{str(request.base_url).rstrip('/')}{self._base}/stac"


def _counts(request: Request, page: int, limit: int, returned: int, total: int) -> Document:
    links = [_link("self", str(request.url))]
    for rel, other in (("next", page + 1), ("prev", page - 1)):
        if other >= 1 and (other - 1) * limit < total:
            links.append(_link(rel, str(request.url.include_query_params(page=other))))
    return {"numberMatched": total, "numberReturned": returned, "links": links}


def _link(rel: str, href: str) -> dict[str, str]:
    return {"rel": rel, "href": href, "type": "application/json"}
