"""The routes of the broker: /hda-broker/api/v1 and /identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from terrella.api.bodies import json_object, member
from terrella.api.caller import caller_of
from terrella.api.files import serve_file
from terrella.api.hdabroker import asking, documents, products
from terrella.api.hdabroker.identity import Identity
from terrella.api.hdabroker.mixin import Mixin
from terrella.api.hdabroker.paging import Offsets
from terrella.errors import Invalid, NotFound
from terrella.extraction.cds import valid_values
from terrella.extraction.cds.asking import is_grib
from terrella.site import ordering
from terrella.site.mars.stores import job_inputs, offered, price
from terrella.site.tasks import RETRIEVE, submit_or_perform

if TYPE_CHECKING:
    from terrella.api.hdabroker.asking import Query
    from terrella.extraction.cds import Offer
    from terrella.model.caller import Caller
    from terrella.model.stac import Document
    from terrella.site import Site

DIALECT = "hda-broker"
_HOLD = 2.0
"""Seconds that a look at a download is held: the client gives up one of its looks after 5."""
BASE = "/hda-broker/api/v1"


class Broker:
    """What the routes do. `site` does the work."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._offsets = Offsets(site.catalog)

    # --- datasets ---------------------------------------------------------------------------------------------------

    def datasets(self, request: Request) -> Response:
        """All datasets, by pages."""
        given = request.query_params
        start, count = asking.whole(given, "startIndex", 0, 0), asking.whole(given, "itemsPerPage", 100, 1)
        found = self._site.collections(caller=caller_of(request))
        page = [documents.dataset(one) for one in found[start : start + min(count, asking.MOST)]]
        return JSONResponse(documents.results(page, start, count, len(found)))

    def dataset(self, request: Request, name: str) -> Response:
        """One dataset, with its terms."""
        return JSONResponse(documents.dataset(self._collection(caller_of(request), name)))

    def _collection(self, caller: Caller, name: str) -> Document:
        found: Document = orjson.loads(self._site.catalog.collection(caller, name))
        return found

    async def accept(self, request: Request, terms: str) -> Response:
        """Accept terms."""
        given = json_object(await request.body())
        if given.get("accepted", True) is not True:
            raise Invalid("Terms can be accepted here, and only that.", parameter="accepted")
        await run_in_threadpool(self._accept, caller_of(request), terms)
        return JSONResponse({"term_id": terms, "accepted": True})

    def _accept(self, caller: Caller, terms: str) -> None:
        known = {documents.dataset(one)["terms"][0] for one in self._site.collections(caller=caller)}
        if terms not in known:
            raise NotFound(f"There are no terms {terms!r:.80} here.", parameter="term_id")
        if not caller.is_anonymous:
            self._site.access.profiles.accept(caller.name, terms, 1)

    def queryable(self, request: Request, name: str) -> Response:
        """What may be asked of a dataset."""
        caller = caller_of(request)
        document, known = self._offered(caller, name)
        values = valid_values(known, {}) if known else {}
        formats = (["grib", "netcdf"] if is_grib(document) else ["netcdf"]) if known else []
        return JSONResponse(documents.queryable(document, values, formats, self._properties(caller, name)))

    def _offered(self, caller: Caller, name: str) -> tuple[Document, list[Offer]]:
        return offered(self._site, caller, name)

    def _properties(self, caller: Caller, name: str) -> Document:
        found: Document = self._site.catalog.queryables(caller, [name]).get("properties", {})
        plain = ("string", "number", "integer")
        return {key: about for key, about in found.items() if isinstance(about, dict) and about.get("type") in plain}

    # --- search -----------------------------------------------------------------------------------------------------

    async def search(self, request: Request) -> Response:
        """Files of a dataset; or, with words of its cube (variable, time, format, ...), what may be cut out of it."""
        query = asking.query_of(json_object(await request.body()))
        return await run_in_threadpool(self._search, caller_of(request), query)

    def _search(self, caller: Caller, query: Query) -> Response:
        document = self._collection(caller, query.dataset)
        properties = self._properties(caller, query.dataset)
        if self._means_cube(document, query, properties):
            return JSONResponse(self._cut(caller, document, query))
        wanted = asking.search_of(query, properties)
        page, total = self._offsets.page(caller, wanted, query.start)
        items = [orjson.loads(one) for one in page.documents]
        features = [documents.product(one, documents.size_of(one)) for one in items]
        return JSONResponse(documents.results(features, query.start, query.count, total))

    def _means_cube(self, document: Document, query: Query, properties: Document) -> bool:
        """Whether any word is one of the cube's."""
        if "cube:variables" not in document:
            return False
        own = {*asking.FILES, *properties, *(name.rpartition(":")[2] for name in properties)}
        return bool(query.words.keys() - (own - {"variable", "time", "format", "level", "number"}))

    def _cut(self, caller: Caller, document: Document, query: Query) -> Document:
        """One result: the order of it is the request itself."""
        words = asking.cut_words(query)
        found = price(self._site, caller, query.dataset, words)
        if found.refusal:
            raise Invalid(found.refusal)
        day = str(words.get("date", "")).partition("/")
        days = (f"{day[0]}T00:00:00Z", f"{day[2] or day[0]}T23:59:59Z") if day[0] else None
        name = asking.cut_name(query.dataset, words)
        feature = documents.cut(name, document, asking.cut_location(words), found.plan, days)
        return documents.results([feature] if query.start == 0 else [], query.start, query.count, 1)

    # --- downloads --------------------------------------------------------------------------------------------------

    async def order(self, request: Request) -> Response:
        """A result of a search is wanted: under which id it is to be had."""
        given = json_object(await request.body())
        dataset, name, location = (
            member(given, key, str, "a text from the search") for key in ("dataset_id", "product_id", "location")
        )
        found = await run_in_threadpool(self._ordered, caller_of(request), dataset, name, location)
        return JSONResponse({"download_id": found, "message": "The order failed; GET its download says why."})

    def _ordered(self, caller: Caller, dataset: str, name: str, location: str) -> str:
        words = asking.words_at(location)
        if words is not None:
            inputs, plan = job_inputs(self._site, caller, dataset, words)
            title = f"{dataset}: cut-out"
            return submit_or_perform(self._site, caller, RETRIEVE, inputs, plan, title=title, dialect=DIALECT).id
        product = products.chosen(self._site, caller, dataset, name)
        if products.is_here(product):
            return products.download_id(dataset, name)
        return ordering.submit(self._site, caller, products.order_of(dataset, name), dialect=DIALECT)

    async def download(self, request: Request, name: str) -> Response:
        """202 while it is made; then the file, whole or by range."""
        caller, item = caller_of(request), products.named_in(name)
        if item is not None:
            product = await run_in_threadpool(products.chosen, self._site, caller, *item)
            return await run_in_threadpool(products.serve, request, product)
        job = await self._site.jobs.waiting(caller, name, _HOLD)
        if job.state == "running":
            job = await self._site.jobs.waiting(caller, name, _HOLD)
        if job.state in ("failed", "dismissed"):
            raise Invalid(job.message or "This order was cancelled.")
        if job.state != "successful":
            return JSONResponse({"status": "running", "message": job.message}, 202)
        output = job.outputs[0]
        path = await run_in_threadpool(self._site.jobs.file, caller, job.id, output.name)
        return serve_file(request, path, media_type=output.media_type, name=output.name, sha256=output.sha256)


def router(site: Site) -> APIRouter:
    """Everything that clients of the broker ask."""
    made, broker, identity = APIRouter(tags=["WEkEO and EDEN broker"]), Broker(site), Identity(site.access)
    body = {"content": {"application/json": {"schema": {"type": "object"}}}, "required": True}
    sent: dict[str, Any] = {"openapi_extra": {"requestBody": body}}
    file = {"responses": {202: {"description": "It is being made."}, 206: {"description": "A part of it."}}}
    hidden = {"include_in_schema": False}
    mixin = Mixin(site, Offsets(site.catalog), BASE)
    for path, endpoint, method, more in (
        ("/identity/gettoken", identity.token, "POST", sent),
        ("/identity/refreshtoken", identity.renewed, "POST", sent),
        ("/hda-broker/gettoken", identity.token, "POST", hidden),
        ("/hda-broker/refreshtoken", identity.renewed, "POST", hidden),
        (f"{BASE}/datasets", broker.datasets, "GET", {}),
        (f"{BASE}/datasets/{{name}}", broker.dataset, "GET", {}),
        (f"{BASE}/termsaccepted/{{terms}}", broker.accept, "PUT", sent),
        (f"{BASE}/dataaccess/queryable/{{name}}", broker.queryable, "GET", {}),
        (f"{BASE}/dataaccess/search", broker.search, "POST", sent),
        (f"{BASE}/dataaccess/download", broker.order, "POST", sent),
        (f"{BASE}/dataaccess/download/{{name}}", broker.download, "GET", file),
        (f"{BASE}/stac/", mixin.landing, "GET", hidden),
        (f"{BASE}/stac/conformance/", mixin.conformance, "GET", hidden),
        (f"{BASE}/stac/collections/", mixin.collections, "GET", hidden),
        (f"{BASE}/stac/collections/{{name}}", mixin.collection, "GET", hidden),
        (f"{BASE}/stac/collections/{{name}}/items", mixin.items, "GET", hidden),
        (f"{BASE}/stac/collections/{{name}}/items/{{item}}", mixin.item, "GET", hidden),
        (f"{BASE}/stac/search", mixin.search, "POST", hidden),
    ):
        made.add_api_route(path, endpoint, methods=[method], response_class=JSONResponse, **more)
    return made
