"""The routes of Destination Earth's Harmonised Data Access, version 2: a STAC API that takes orders."""
# no `from __future__ import annotations`: FastAPI reads these annotations at run time

import time
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from terrella.api.caller import caller_of
from terrella.api.errors import ErrorFormat, code_and_description
from terrella.api.hda import data, landing
from terrella.api.hda.addresses import GEOJSON, JSON, PREFIX, SCHEMA, Addresses, link
from terrella.api.hda.asking import SearchBody, asked
from terrella.api.hda.documents import collection_document, item_document
from terrella.api.hda.finding import every_collection, found, found_collections
from terrella.api.hda.orders import order_document, order_of, ordered, words_of_order
from terrella.api.hda.parameters import CollectionsAsked, ItemsAsked, SearchAsked
from terrella.api.hda.queryables import schema, words_of
from terrella.api.routes import known_parameters_only
from terrella.api.searching.parsing import members_of
from terrella.errors import Invalid, NotFound
from terrella.model.caller import Caller
from terrella.model.job import ENDED, Job
from terrella.model.stac import Document
from terrella.site import Site
from terrella.site.mars.offering import offered, offered_anywhere

ERRORS = [ErrorFormat(prefix, code_and_description) for prefix in (PREFIX, "/data", "/services")]
_HOLD = 2.5
"""Seconds that a question for an order is held: eodag gives up after 5, and waits long before it asks again."""
_FAILED = 422
"""Of an order that failed: at any good status eodag would look for a download."""


class HarmonisedAccess:
    """What the routes do. `site` does the work."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def landing(self, request: Request) -> Response:
        """What there is."""
        at = Addresses(request)
        return _answer(landing.landing(at, self._site.settings, every_collection(self._site, caller_of(request))))

    def conformance(self) -> Response:
        """What this API conforms to."""
        return _answer({"conformsTo": landing.CONFORMANCE})

    def services(self, request: Request, q: Annotated[str | None, Query(description="Words.")] = None) -> Response:
        """Services of this site."""
        return _answer(landing.services(Addresses(request), q))

    # --- collections ------------------------------------------------------------------------------------------------

    def collections(self, request: Request, given: Annotated[CollectionsAsked, Depends()]) -> Response:
        """Collections by words, provider, time, place and properties."""
        title = self._site.settings.title
        return _answer(found_collections(self._site, caller_of(request), given.members(), Addresses(request), title))

    def collection(self, request: Request, collection_id: str) -> Response:
        """One collection."""
        document = self._collection(caller_of(request), collection_id)
        return _answer(collection_document(document, Addresses(request), self._site.settings.title))

    def queryables(self, request: Request) -> Response:
        """Properties to filter by; with words of MARS (`?ecmwf:param=167`), what the others may then be."""
        caller = caller_of(request)
        known = self._site.catalog.queryables(caller, ())
        words = words_of(request.query_params.multi_items(), known.get("properties", {}))
        documents = [one for one in every_collection(self._site, caller) if "cube:variables" in one]
        return _answer(schema(known, offered_anywhere(documents, words), words, Addresses(request).itself), SCHEMA)

    def queryables_of(self, request: Request, collection_id: str) -> Response:
        """What a search of one collection may name, narrowed by what is given: `?ecmwf:param=167&ecmwf:levtype=sfc`."""
        caller = caller_of(request)
        self._collection(caller, collection_id)
        known = self._site.catalog.queryables(caller, (collection_id,))
        words = words_of(request.query_params.multi_items(), known.get("properties", {}))
        offer = offered(self._site, caller, collection_id, words)
        return _answer(schema(known, offer, words, Addresses(request).itself), SCHEMA)

    def _collection(self, caller: Caller, name: str) -> Document:
        document: Document = orjson.loads(self._site.catalog.collection(caller, name))
        return document

    # --- items ------------------------------------------------------------------------------------------------------

    def search(self, request: Request, given: Annotated[SearchAsked, Depends()]) -> Response:
        """Items of all collections; with words of MARS in `query`, what may be ordered."""
        return self._searched(request, given.members(), None)

    def items(self, request: Request, collection_id: str, given: Annotated[ItemsAsked, Depends()]) -> Response:
        """Items of one collection."""
        self._collection(caller_of(request), collection_id)
        return self._searched(request, given.members(), collection_id)

    def _searched(self, request: Request, given: dict[str, Any], collection: str | None) -> Response:
        at = Addresses(request)
        others = [(name, value) for name, value in request.query_params.multi_items() if name != "token"]

        def following(token: str) -> Document:
            return link("next", at.with_parameters([*others, ("token", token)]), GEOJSON, method="GET")

        query = asked(given, collection=collection)
        return _answer(found(self._site, caller_of(request), query, at, following), GEOJSON)

    def post_search(self, request: Request, given: SearchBody) -> Response:
        """Items of all collections; with words of MARS in `query`, what may be ordered."""
        at = Addresses(request)
        body = given.model_dump(exclude_none=True, exclude_unset=True, by_alias=True)

        def following(token: str) -> Document:
            return link("next", at.asked, GEOJSON, method="POST", body={**body, "token": token}, merge=False)

        return _answer(found(self._site, caller_of(request), asked(members_of(given)), at, following), GEOJSON)

    async def item(self, request: Request, collection_id: str, item_id: str) -> Response:
        """One item, or one of your orders: 202 while that is on its way (the answer waits some seconds for it)."""
        caller, at = caller_of(request), Addresses(request)
        collection = await run_in_threadpool(self._collection, caller, collection_id)
        try:
            document = await run_in_threadpool(self._site.catalog.item, caller, collection_id, item_id)
        except NotFound as error:
            return await self._order(caller, collection, item_id, at, error)
        return _answer(item_document(orjson.loads(document), at), GEOJSON)

    # --- orders -----------------------------------------------------------------------------------------------------

    def order(self, request: Request, collection_id: str, given: Annotated[Document, Body()]) -> Response:
        """Order what a search found: the body of its link `retrieve`, a request in MARS words."""
        caller, at = caller_of(request), Addresses(request)
        collection = self._collection(caller, collection_id)
        job = ordered(self._site, caller, collection_id, words_of_order(given))
        made = order_document(job, caller, collection, at)
        return _answer(made, GEOJSON, 201, Location=made["links"][0]["href"])

    async def _order(
        self, caller: Caller, collection: Document, name: str, at: Addresses, missing: NotFound
    ) -> Response:
        try:
            job = await self._ended(caller, name, str(collection["id"]))
        except NotFound:
            raise missing from None
        made = await run_in_threadpool(order_document, job, caller, collection, at)
        if job.state == "successful":
            return _answer(made, GEOJSON)
        if job.state in ENDED:
            reason = job.message or "This order was cancelled."
            return _answer({"code": job.error_kind or Invalid.kind, "description": reason, **made}, GEOJSON, _FAILED)
        return _answer(made, GEOJSON, 202, **{"Retry-After": "1"})

    async def _ended(self, caller: Caller, name: str, collection: str) -> Job:
        """The order once it has ended, or as it is after some seconds."""
        last = time.monotonic() + _HOLD
        job = await run_in_threadpool(self._site.jobs.get, caller, name)
        order_of(job, collection)
        while job.state not in ENDED and (left := last - time.monotonic()) > 0:
            job = await self._site.jobs.waiting(caller, name, left)
        return job

    # --- data -------------------------------------------------------------------------------------------------------

    def download(self, request: Request, provider: str, collection_id: str, item_id: str, asset_key: str) -> Response:
        """A file of an item, or with `downloadLink` the whole of it: whole or by range."""
        return data.download(self._site, request, provider, collection_id, item_id, asset_key)


def router(site: Site) -> APIRouter:
    """Everything below /stac/v2, /data and /services."""
    made, api = APIRouter(tags=["Destination Earth"]), HarmonisedAccess(site)
    one = PREFIX + "/collections/{collection_id}"
    strict = [Depends(known_parameters_only)]
    routes: list[tuple[str, Any, str, str, dict[str, Any]]] = [
        (PREFIX, api.landing, "Landing page", JSON, {}),
        (PREFIX + "/", api.landing, "Landing page", JSON, {"include_in_schema": False}),
        (PREFIX + "/conformance", api.conformance, "Conformance classes", JSON, {}),
        ("/services", api.services, "Services of this site", JSON, {}),
        (PREFIX + "/collections", api.collections, "Search collections", JSON, {}),
        (PREFIX + "/queryables", api.queryables, "Properties to filter by", SCHEMA, {"dependencies": []}),
        (one, api.collection, "One collection", JSON, {}),
        (one + "/queryables", api.queryables_of, "What may be asked", SCHEMA, {"dependencies": []}),
        (PREFIX + "/search", api.search, "Search items", GEOJSON, {}),
        (PREFIX + "/search", api.post_search, "Search items, or what may be ordered", GEOJSON, {"methods": ["POST"]}),
        (one + "/items", api.items, "Items of a collection", GEOJSON, {}),
        (one + "/items/{item_id}", api.item, "One item or order", GEOJSON, {}),
        (one + "/order", api.order, "Order", GEOJSON, {"methods": ["POST"], "status_code": 201}),
    ]
    for path, endpoint, summary, kind, more in routes:
        about: dict[int | str, dict[str, Any]] = {more.get("status_code", 200): {"content": {kind: {}}}}
        if endpoint == api.item:
            about[202] = {"description": "An order that is on its way.", "content": {GEOJSON: {}}}
        asked_how = {"methods": ["GET"], "dependencies": strict, **more}
        made.add_api_route(
            path, endpoint, name=summary, summary=summary, response_class=Response, responses=about, **asked_how
        )
    _add_downloads(made, api)
    return made


def _add_downloads(made: APIRouter, api: HarmonisedAccess) -> None:
    made.add_api_route(
        "/data/{provider}/{collection_id}/{item_id}/{asset_key}",
        api.download,
        methods=["GET"],
        summary="Download",
        response_class=Response,
        responses={
            200: {"description": "The file.", "content": {"application/octet-stream": {}}},
            206: {"description": "A part of it."},
            304: {"description": "You have it already."},
            307: {"description": "It lies elsewhere."},
            416: {"description": "No byte of that range is in the file."},
        },
    )


def _answer(body: Document, kind: str = JSON, status: int = 200, **headers: str) -> Response:
    return Response(orjson.dumps(body), status, headers=headers, media_type=kind)
