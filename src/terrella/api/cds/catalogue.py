"""The catalogue part: collections, their forms and constraints, licences, messages; and the profile of the caller."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from terrella.api.assets import Assets
from terrella.api.bodies import json_object, member
from terrella.api.caller import caller_of
from terrella.api.cds import documents
from terrella.errors import Invalid, NotFound, Unauthenticated, nearest_names
from terrella.extraction.cds import combinations, valid_values
from terrella.extraction.cds.asking import is_grib
from terrella.model.search import CollectionSearch, SortKey
from terrella.site.mars.stores import offered
from terrella.site.terms import REVISION

if TYPE_CHECKING:
    from terrella.model.caller import Caller
    from terrella.model.search import Page
    from terrella.model.stac import Document
    from terrella.site import Site

_SORTED = {
    "id": (SortKey("id"),),
    "-id": (SortKey("id", descending=True),),
    "title": (SortKey("title"),),
    "update": (SortKey("updated", descending=True),),
    "relevance": (),
}
Limit = Annotated[int, Query(ge=1, le=1000, description="Most on one page.")]
Token = Annotated[str | None, Query(description="Of another page, from its link.")]


def formats_of(document: Document) -> list[str]:
    """Formats in which a collection's cube is answered, the usual one first."""
    return ["grib", "netcdf"] if is_grib(document) else ["netcdf"]


class Catalogue:
    """What the routes below /api/catalogue/v1 and /api/profiles/v1 do."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def messages(self) -> Response:
        """News for users; there are none."""
        return JSONResponse({"messages": []})

    def datasets(
        self,
        request: Request,
        limit: Limit = 100,
        sortby: Annotated[str, Query(description="id, title, update or relevance.")] = "id",
        q: Annotated[str | None, Query(description="Words to look for.")] = None,
        kw: Annotated[list[str] | None, Query(description="Keywords that a collection has all of.")] = None,
        token: Token = None,
    ) -> Response:
        """Collections, one page."""
        query = CollectionSearch(text=(q,) if q else (), sortby=sort_keys(sortby), limit=limit, token=token)
        if kw:
            found = {"op": "a_contains", "args": [{"property": "keywords"}, list(kw)]}
            query = replace(query, filter=found)
        page = self._site.catalog.collections(caller_of(request), query)
        assets = Assets(request)
        found_here = [
            documents.collection_document(request, assets.of_collection(orjson.loads(document)))
            for document in page.documents
        ]
        body: Document = {"collections": found_here, "links": page_links(request, page)}
        body["numberReturned"] = len(found_here)
        return JSONResponse(body if page.matched is None else body | {"numberMatched": page.matched})

    def collection(self, request: Request, name: str) -> Response:
        """One collection."""
        found = orjson.loads(self._site.catalog.collection(caller_of(request), name))
        return JSONResponse(documents.collection_document(request, Assets(request).of_collection(found)))

    def form(self, request: Request, name: str) -> Response:
        """Keys of a request with their values, for people."""
        document, known = offered(self._site, caller_of(request), name)
        return JSONResponse(documents.form(known, valid_values(known, {}), formats_of(document)) if known else [])

    def constraints(self, request: Request, name: str) -> Response:
        """Sets of values that go together."""
        _, known = offered(self._site, caller_of(request), name)
        return JSONResponse(combinations(known))

    def licences(
        self, request: Request, scope: Annotated[str, Query(description="all, dataset or portal.")] = "all"
    ) -> Response:
        """Licences of all collections, each once."""
        return JSONResponse({"licences": self._licences(caller_of(request)) if scope != "portal" else []})

    def _licences(self, caller: Caller) -> list[Document]:
        found = [documents.licence_document(one) for one in self._site.collections(caller=caller)]
        return list({one["id"]: one for one in found}.values())

    # --- profiles ---------------------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Response:
        """Whose key it is."""
        caller = _somebody(request)
        return JSONResponse({"sub": caller.name, "role": "user", "roles": sorted(caller.roles)})

    def accepted(self, request: Request, scope: str = "all") -> Response:
        """Licences that the caller accepted."""
        found = self._site.access.profiles.accepted(caller_of(request).name) if scope != "portal" else []
        return JSONResponse({"licences": [{"id": one.terms, "revision": one.revision} for one in found]})

    async def accept(self, request: Request, licence: str) -> Response:
        """Accept a licence."""
        caller, given = _somebody(request), json_object(await request.body())
        revision = member(given, "revision", int, "the number of the licence's revision")
        return await run_in_threadpool(self._accept, caller, licence, revision)

    def _accept(self, caller: Caller, licence: str, revision: int) -> Response:
        known = [one["id"] for one in self._licences(caller)]
        if licence not in known:
            raise NotFound(f"There is no licence {licence!r:.80}. {nearest_names(licence, known)}")
        if revision != REVISION:
            raise NotFound(f"The licence {licence!r:.80} has the revision {REVISION}.", parameter="revision")
        self._site.access.profiles.accept(caller.name, licence, revision)
        return JSONResponse({"id": licence, "revision": revision})

    async def star(self, request: Request) -> Response:
        """Mark a collection; answers with all that are marked."""
        caller, given = _somebody(request), json_object(await request.body())
        name = member(given, "uid", str, "the id of a collection")
        return await run_in_threadpool(self._star, caller, name)

    def _star(self, caller: Caller, name: str) -> Response:
        self._site.catalog.collection(caller, name)
        self._site.access.profiles.mark(caller.name, name)
        return JSONResponse(self._site.access.profiles.marked(caller.name))

    def unstar(self, request: Request, name: str) -> Response:
        """Take the mark off again."""
        self._site.access.profiles.unmark(_somebody(request).name, name)
        return Response(status_code=204)


def sort_keys(sortby: str) -> tuple[SortKey, ...]:
    """Raises Invalid."""
    if sortby not in _SORTED:
        raise Invalid(f"sortby is {', '.join(_SORTED)}, not {sortby!r:.40}.", parameter="sortby")
    return _SORTED[sortby]


def page_links(request: Request, page: Page) -> list[dict[str, Any]]:
    """Of this page and those beside it."""
    made = [documents.link("self", str(request.url))]
    for rel, token in (("next", page.next), ("prev", page.prev)):
        if token:
            made.append(documents.link(rel, str(request.url.include_query_params(token=token))))
    return made


def _somebody(request: Request) -> Caller:
    """The caller, who must have an account. Raises Unauthenticated."""
    caller = caller_of(request)
    if caller.is_anonymous:
        raise Unauthenticated("Send your key, as the client does when it is given one (PRIVATE-TOKEN).")
    return caller
