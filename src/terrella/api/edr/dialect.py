"""OGC API Environmental Data Retrieval: parse, one call, encode."""

from __future__ import annotations

from dataclasses import asdict, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from terrella.api.assets import Assets
from terrella.api.caller import caller_of
from terrella.api.edr import documents
from terrella.api.edr.asking import SHAPES, extraction, read_pairs, spoken
from terrella.api.edr.citing import citation, form_of
from terrella.api.edr.crs import crs_named
from terrella.api.edr.deferring import prefers_async, submitted
from terrella.api.edr.formats import chosen, known_formats
from terrella.api.edr.geometry import parse_bbox
from terrella.api.edr.listing import Listing
from terrella.api.edr.locations import located, regions_document, stations, stations_document
from terrella.api.edr.openapi import description
from terrella.api.edr.pricing import as_job, at_once
from terrella.api.edr.query import Query, whole
from terrella.api.edr.remembering import Answers
from terrella.api.edr.responses import GEOJSON, answer, as_json, features, next_link, root_of
from terrella.api.edr.statistics import Statistics
from terrella.encodings.memory import memory
from terrella.errors import NotFound, Unsupported
from terrella.model.ids import collection_id as checked_id
from terrella.model.search import CollectionSearch, Search
from terrella.model.time import parse_interval

if TYPE_CHECKING:
    from collections.abc import Iterable

    from terrella.contracts.cubes import CubeIndex
    from terrella.contracts.encodings import Encoding
    from terrella.model.caller import Caller
    from terrella.model.extraction import Extraction
    from terrella.model.search import Page
    from terrella.model.space import Extent
    from terrella.model.stac import Document
    from terrella.model.time import Interval
    from terrella.site.site import Site

MOST_PER_PAGE = 1000
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
Pairs = list[tuple[str, str]]


class Edr:
    """The handlers of the dialect over one site. Those of data queries run in threads: they read files."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._formats = known_formats()
        self._answers = Answers()
        self.statistics = Statistics(site, self._answers, self._document, self._priced)
        self.routes: list[Any] = []
        """Those of this dialect, for its description."""
        self._parsed: dict[str, tuple[bytes, Document]] = {}

    # --- what is here ----------------------------------------------------------------------------------------------

    def landing(self, request: Request) -> Response:
        """Where everything is."""
        _only_f(request)
        settings = self._site.settings
        return as_json(
            {
                "title": f"{settings.title}: Environmental Data Retrieval",
                "description": settings.description,
                "links": _landing_links(request, root_of(request)),
            }
        )

    def conformance(self, request: Request) -> Response:
        """Which parts of the standards are kept."""
        _only_f(request)
        return as_json({"conformsTo": documents.CONFORMANCE})

    def api(self, request: Request) -> Response:
        """The OpenAPI description of this dialect, in version 3.0."""
        _only_f(request)
        title = f"{self._site.settings.title}: Environmental Data Retrieval"
        made = description(self.routes, title=title, version=version("terrella"), root=root_of(request))
        return as_json(made, OPENAPI)

    def collections(self, request: Request) -> Response:
        """Collections that values can be cut out of, one page."""
        query = Query(request.query_params.multi_items())
        bbox, interval = _filters(query)
        limit = whole(query.take("limit"), "limit", low=1, high=MOST_PER_PAGE, default=MOST_PER_PAGE)
        search = CollectionSearch(bbox=bbox, interval=interval, limit=limit, token=query.take("token"))
        _json_only(query)
        query.finish()
        found, token = self._with_cubes(caller_of(request), search)
        root = root_of(request)
        links = [{"rel": "self", "href": str(request.url), "type": "application/json"}]
        links += [next_link(request, token, "application/json")] if token else []
        made = [documents.edr_collection(document, root, self._formats) for document in found]
        return as_json(documents.collections_page(made, links))

    def collection(self, request: Request, collection_id: str) -> Response:
        """One collection: extents, parameters, queries."""
        _only_f(request)
        document = self._document(caller_of(request), collection_id)
        return as_json(documents.edr_collection(document, root_of(request), self._formats))

    # --- values ----------------------------------------------------------------------------------------------------

    def data(self, request: Request, collection_id: str) -> Response:
        """Cut values out of the collection's cube."""
        return self._data(request, collection_id, request.query_params.multi_items())

    async def data_by_post(self, request: Request, collection_id: str) -> Response:
        """The same with the parameters in the body, for long shapes: a form, or a JSON object."""
        pairs = await self._pairs(request)
        return await run_in_threadpool(self._data, request, collection_id, pairs)

    async def _pairs(self, request: Request) -> Pairs:
        """Parameters of the address and of the body."""
        return request.query_params.multi_items() + await read_pairs(request, self._site.settings.limits.body_bytes)

    def _data(self, request: Request, collection: str, pairs: Pairs) -> Response:
        caller, query = caller_of(request), Query(pairs)
        encoding = chosen(query.take("f"), request.headers.get("accept"), self._formats)
        wanted = self._wanted(request, collection, query)
        return self._answer(request, caller, wanted, encoding)

    def _answer(self, request: Request, caller: Caller, wanted: Extraction, encoding: Encoding) -> Response:
        if prefers_async(request):
            return submitted(request, caller, wanted, encoding, self._site)
        return answer(request, caller, wanted, encoding, self._site, self._answers)

    def _wanted(self, request: Request, collection: str, query: Query) -> Extraction:
        caller = caller_of(request)
        asked = SHAPES[spoken(request)](query, crs_named(query.take("crs")))
        asked = replace(asked, shape=self._site.gazetteer.resolved(caller, asked.shape))
        return extraction(checked_id(collection), asked, query, lambda: self._document(caller, collection))

    # --- prices ----------------------------------------------------------------------------------------------------

    def estimate(self, request: Request, collection_id: str) -> Response:
        """What the query would read and answer; nothing is read for it."""
        return self._estimate(request, collection_id, request.query_params.multi_items())

    async def estimate_by_post(self, request: Request, collection_id: str) -> Response:
        """The same with the parameters in the body."""
        pairs = await self._pairs(request)
        return await run_in_threadpool(self._estimate, request, collection_id, pairs)

    def _estimate(self, request: Request, collection: str, pairs: Pairs) -> Response:
        query = Query(pairs)
        form = query.take("f")
        return self._priced(caller_of(request), self._wanted(request, collection, query), form)

    def _priced(self, caller: Caller, wanted: Extraction, form: str | None) -> Response:
        limits = self._site.settings.limits
        plan = self._site.extractor.plan(caller, wanted)
        plan = replace(plan, memory=plan.memory + memory((form or "covjson").casefold(), plan.cells, plan.values))
        most = {"cells": limits.cells, "values": limits.values, "bytes_read": limits.bytes_read}
        passes = all(getattr(plan, name) <= limit for name, limit in most.items())
        verdicts = {
            "at_once": at_once(self._site, caller, wanted, plan),
            "as_job": as_job(self._site, caller, wanted, plan),
        }
        return as_json(asdict(plan) | {"limits": most, "passes": passes} | verdicts)

    # --- citations -------------------------------------------------------------------------------------------------

    def cite(self, request: Request, collection_id: str) -> Response:
        """What to cite for the values, with their receipt; nothing is read for it."""
        return self._cite(request, collection_id, request.query_params.multi_items())

    async def cite_by_post(self, request: Request, collection_id: str) -> Response:
        """The same with the parameters in the body."""
        pairs = await self._pairs(request)
        return await run_in_threadpool(self._cite, request, collection_id, pairs)

    def _cite(self, request: Request, collection: str, pairs: Pairs) -> Response:
        caller, query = caller_of(request), Query(pairs)
        form = form_of(query.take("f"))
        return citation(request, caller, self._wanted(request, collection, query), form, self._site)

    # --- named places ----------------------------------------------------------------------------------------------

    def locations(self, request: Request, collection_id: str) -> Response:
        """Places that values can be asked of by name: the stations of point data; of grids, regions that they meet."""
        caller, query = caller_of(request), Query(request.query_params.multi_items())
        asked = Listing.of(query)
        _json_only(query)
        query.finish()
        document = self._document(caller, collection_id)
        here = f"{root_of(request)}/collections/{collection_id}/locations"
        grid = stations(self._own_cube(caller, collection_id))
        if grid is not None and not asked.is_of_regions:
            made, matched = stations_document(grid, asked.bbox, asked.start, asked.limit, here)
            end = asked.start + asked.limit
            after = end if end < matched else None
        else:
            found = asked.regions(self._site.gazetteer, caller, documents.extent_of(document))
            made, after = regions_document(found, here, asked.geometry), found.next
        links = [{"rel": "self", "href": str(request.url), "type": GEOJSON}]
        links += [next_link(request, str(after), GEOJSON)] if after is not None else []
        return as_json(made | {"links": links}, GEOJSON)

    def location(self, request: Request, collection_id: str, location_id: str) -> Response:
        """Values at a named place, or in a named region."""
        return self._location(request, collection_id, location_id, request.query_params.multi_items())

    async def location_by_post(self, request: Request, collection_id: str, location_id: str) -> Response:
        """The same with the parameters in the body."""
        pairs = await self._pairs(request)
        return await run_in_threadpool(self._location, request, collection_id, location_id, pairs)

    def _location(self, request: Request, collection: str, name: str, pairs: Pairs) -> Response:
        caller, query = caller_of(request), Query(pairs)
        encoding = chosen(query.take("f"), request.headers.get("accept"), self._formats)
        wanted = self._wanted_there(caller, collection, name, query)
        return self._answer(request, caller, wanted, encoding)

    def location_estimate(self, request: Request, collection_id: str, location_id: str) -> Response:
        """What asking for a named place would read and answer; nothing is read for it."""
        return self._location_estimate(request, collection_id, location_id, request.query_params.multi_items())

    async def location_estimate_by_post(self, request: Request, collection_id: str, location_id: str) -> Response:
        """The same with the parameters in the body."""
        pairs = await self._pairs(request)
        return await run_in_threadpool(self._location_estimate, request, collection_id, location_id, pairs)

    def _location_estimate(self, request: Request, collection: str, name: str, pairs: Pairs) -> Response:
        caller, query = caller_of(request), Query(pairs)
        form = query.take("f")
        return self._priced(caller, self._wanted_there(caller, collection, name, query), form)

    def location_cite(self, request: Request, collection_id: str, location_id: str) -> Response:
        """What to cite for the values of a named place; nothing is read for it."""
        return self._location_cite(request, collection_id, location_id, request.query_params.multi_items())

    async def location_cite_by_post(self, request: Request, collection_id: str, location_id: str) -> Response:
        """The same with the parameters in the body."""
        pairs = await self._pairs(request)
        return await run_in_threadpool(self._location_cite, request, collection_id, location_id, pairs)

    def _location_cite(self, request: Request, collection: str, name: str, pairs: Pairs) -> Response:
        caller, query = caller_of(request), Query(pairs)
        form = form_of(query.take("f"))
        return citation(request, caller, self._wanted_there(caller, collection, name, query), form, self._site)

    def _wanted_there(self, caller: Caller, collection: str, name: str, query: Query) -> Extraction:
        """The request for a named place. Raises NotFound."""
        crs_named(query.take("crs"))
        asked = located(self._own_cube(caller, collection), name, self._site.gazetteer, caller)
        return extraction(checked_id(collection), asked, query, lambda: self._document(caller, collection))

    # --- the files behind it ---------------------------------------------------------------------------------------

    def items(self, request: Request, collection_id: str) -> Response:
        """The files behind the collection as STAC items, one page."""
        caller, query = caller_of(request), Query(request.query_params.multi_items())
        bbox, interval = _filters(query)
        limit = whole(query.take("limit"), "limit", low=1, high=MOST_PER_PAGE, default=10)
        token = query.take("token")
        _json_only(query)
        query.finish()
        self._document(caller, collection_id)
        search = Search((checked_id(collection_id),), bbox=bbox, interval=interval, limit=limit, token=token)
        return features(request, self._site.catalog.search(caller, search))

    def item(self, request: Request, collection_id: str, item_id: str) -> Response:
        """One file behind the collection, as a STAC item."""
        _only_f(request)
        found = self._site.catalog.item(caller_of(request), checked_id(collection_id), item_id)
        return Response(Assets(request).shown_bytes(found), media_type=GEOJSON)

    def instances(self, request: Request, collection_id: str) -> Response:
        """Not offered: runs of a forecast are an axis."""
        self._document(caller_of(request), collection_id)
        raise NotFound(
            "Collections have no instances here: runs of a forecast are the axis reference_time; ask for one as "
            "reference_time=2026-03-10T00:00:00Z.",
            parameter="instances",
        )

    # --- the catalogue ---------------------------------------------------------------------------------------------

    def _own_cube(self, caller: Caller, collection: str) -> CubeIndex | None:
        """Its index; None where only its scenes can be asked. Raises NotFound."""
        self._document(caller, collection)
        try:
            return self._site.catalog.open(caller, collection)[0]
        except (NotFound, Unsupported):
            return None

    def _document(self, caller: Caller, collection: str) -> Document:
        """A collection's document, parsed once for each of its versions. Raises NotFound, also where it has no cube

        and no scenes.
        """
        text = self._site.catalog.collection(caller, checked_id(collection))
        known = self._parsed.get(collection)
        if known is None or known[0] != text:
            known = (text, orjson.loads(text))
            self._parsed[collection] = known
        document = self._with_bands(caller, known[1])
        if document is None:
            raise NotFound(
                f"Nothing can be cut out of {collection!r}: it holds files that form no cube, and no images. "
                f"Find them as items, under /stac/collections/{collection}/items.",
                parameter="collectionId",
            )
        return document

    def _with_bands(self, caller: Caller, document: Document) -> Document | None:
        """A document with what can be cut out; None where nothing can."""
        if documents.has_cube(document):
            return document
        bands = self._site.extractor.variables(caller, document["id"])
        return document | {"cube:variables": bands} if bands else None

    def _with_cubes(self, caller: Caller, search: CollectionSearch) -> tuple[list[Document], str | None]:
        """One page of collections with cubes: pages of the catalogue are read until it is full."""
        found: list[Document] = []
        asked = search
        while True:
            page: Page = self._site.catalog.collections(caller, asked)
            made = (self._with_bands(caller, orjson.loads(text)) for text in page.documents)
            found += [document for document in made if document is not None]
            if page.next is None or len(found) >= search.limit:
                return found, page.next
            asked = replace(search, limit=search.limit - len(found), token=page.next)


def _filters(query: Query) -> tuple[Extent | None, Interval | None]:
    box, time = query.take("bbox"), query.take("datetime")
    extent = parse_bbox(box, crs_named(None))[0] if box is not None else None
    return extent, parse_interval(time) if time is not None else None


def _only_f(request: Request) -> None:
    """Raises Invalid for any parameter but `f=json`."""
    query = Query(request.query_params.multi_items())
    _json_only(query)
    query.finish()


def _json_only(query: Query) -> None:
    from terrella.errors import Invalid

    text = query.take("f")
    if text is not None and text.casefold() not in {"json", "geojson", "application/json", GEOJSON}:
        raise Invalid(f"This is written as JSON only, not as {text[:40]!r}: leave f out, or f=json.", parameter="f")


def _landing_links(request: Request, root: str) -> Iterable[dict[str, str]]:
    site = str(request.base_url).rstrip("/")
    return [
        {"rel": "self", "href": f"{root}/", "type": "application/json", "title": "This page"},
        {
            "rel": "service-desc",
            "href": f"{root}/api",
            "type": OPENAPI,
            "title": "OpenAPI 3.0 of this API",
        },
        {
            "rel": "service-desc",
            "href": f"{site}/api",
            "type": "application/vnd.oai.openapi+json;version=3.1",
            "title": "OpenAPI 3.1 of the whole site",
        },
        {
            "rel": "service-doc",
            "href": f"{site}/api.html",
            "type": "text/html",
            "title": "API documentation",
        },
        {"rel": "conformance", "href": f"{root}/conformance", "type": "application/json", "title": "Conformance"},
        {"rel": "data", "href": f"{root}/collections", "type": "application/json", "title": "Collections"},
    ]
