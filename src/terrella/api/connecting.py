"""GET /connect: lines to paste, for every client that people have, with examples that work on this site's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from fastapi import FastAPI, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from terrella.access.credentials import credentials_from
from terrella.api.caller import caller_of
from terrella.api.connecting_page import Shown, connect_html
from terrella.api.pages import SAFE, SHOWN, wants_json
from terrella.errors import Invalid, TooLarge, Unauthenticated
from terrella.model.caller import Caller
from terrella.model.ids import collection_id
from terrella.model.search import CollectionSearch
from terrella.site.connecting import Address, connections, examples
from terrella.site.connecting.views import question_of, snippets

if TYPE_CHECKING:
    from terrella.site import Site

_KEPT = {"Cache-Control": "no-store", "Vary": "Accept, Authorization, Cookie, X-API-Key, Private-Token"}
"""Nowhere: the lines show what the caller may read, and the key that they came with."""


def add(app: FastAPI, site: Site) -> None:
    """The page, and the same as JSON."""

    async def connect(
        request: Request,
        f: str | None = Query(None, description="json or html."),
        collection: str | None = Query(None, description="Make the examples of this collection."),
    ) -> Response:
        """Lines of code for each client; `f=json` is an object from client to lines. A key in a header is in them."""
        is_json = wants_json(request, f)
        caller, at = caller_of(request), _address(site, request)
        name = None if not collection else collection_id(collection)
        if is_json:
            known = await run_in_threadpool(examples, site, caller, name)
            lines = {one.client.name: one.lines for one in connections(at, known)}
            return Response(orjson.dumps(lines), media_type="application/json", headers=_KEPT)
        shown = await run_in_threadpool(_shown, site, caller, at, name)
        return HTMLResponse(connect_html(shown), headers={**SAFE, **_KEPT})

    async def view(request: Request) -> Response:
        """A view as code: lines for each client that give the numbers that EDR gives. Parameters are those of EDR

        (`parameter-name`, `datetime`, `z`, `coords`, `bbox`, `region`, `reduce`, `cells`, `f`, other axes by name),
        with `collection`, and `palette` and `range` for maps. By POST the same as a JSON object; there `shape` may be
        GeoJSON.
        """
        given = await _given(request, site.settings.limits.body_bytes)
        caller, at = caller_of(request), _address(site, request)
        made = await run_in_threadpool(lambda: snippets(site, caller, at, question_of(given)))
        body = {"snippets": [one.as_json() for one in made]}
        return Response(orjson.dumps(body), media_type="application/json", headers=_KEPT)

    both: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}, "application/json": {}}}}
    app.add_api_route(
        "/connect",
        connect,
        methods=["GET"],
        tags=["Pages"],
        summary="How to connect the clients that you have",
        response_class=HTMLResponse,
        responses=both,
    )
    said: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {}}}}
    for method in ("GET", "POST"):
        app.add_api_route(
            "/connect/view",
            view,
            methods=[method],
            tags=["Pages"],
            summary=f"A view as code, for every client (by {method})",
            operation_id=f"view_as_code_by_{method.lower()}",
            response_class=Response,
            responses=said,
            openapi_extra=_ASKED if method == "GET" else _POSTED,
        )


async def _given(request: Request, most: int) -> dict[str, Any]:
    """Words of the address, or of a JSON object. Raises Invalid."""
    pairs = request.query_params.multi_items()
    made: dict[str, Any] = dict(pairs)
    if len(made) < len(pairs):
        raise Invalid("A word stands in the request twice.", parameter="query")
    if request.method != "POST":
        return made
    body = await request.body()
    if len(body) > most:
        raise TooLarge(f"The body is larger than the {most:,} bytes that are read. Simplify the shape.")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The body is no JSON: {error}.", parameter="body") from None
    if not isinstance(found, dict):
        raise Invalid("The body is a JSON object: what is looked at.", parameter="body")
    return made | found


_WORDS = {
    "collection": "Which data.",
    "parameter-name": "Variables, with commas between.",
    "datetime": "An instant or an interval.",
    "z": "A level, several, or a range.",
    "coords": "WKT or GeoJSON of a point, a line or an area.",
    "bbox": "west,south,east,north",
    "region": "A region by name.",
    "reduce": "As for EDR, such as mean:space.",
    "cells": "As for EDR.",
    "f": "The format that is wanted.",
    "palette": "Of a map.",
    "range": "LOW,HIGH of a map.",
}
_ASKED = {
    "parameters": [
        {
            "name": name,
            "in": "query",
            "required": name == "collection",
            "description": about,
            "schema": {"type": "string"},
        }
        for name, about in _WORDS.items()
    ]
}
_POSTED = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["collection"],
                    "properties": {
                        **{name: {"description": about} for name, about in _WORDS.items()},
                        "shape": {"description": "GeoJSON; or a Box with bbox, a Region with name, a Circle."},
                        "axes": {"type": "object", "description": "Other axes by name."},
                    },
                }
            }
        },
    }
}


def _address(site: Site, request: Request) -> Address:
    """Where the site was asked, and the key that was shown in a header; not that of a browser's session."""
    base = str(request.base_url).rstrip("/")
    return Address(base, _key(request), site.settings.access.anonymous)


def _key(request: Request) -> str:
    headers = request.headers
    tokens = [headers[name].encode() for name in ("x-api-key", "private-token") if name in headers]
    try:
        shown = credentials_from([one.encode() for one in headers.getlist("authorization")], tokens)
    except Unauthenticated:  # on this page, which is open to all, it was let pass
        return ""
    return shown.tokens[0] if shown.tokens else ""


def _shown(site: Site, caller: Caller, at: Address, collection: str | None) -> Shown:
    page = site.catalog.collections(caller, CollectionSearch(limit=SHOWN))
    listed = [orjson.loads(document) for document in page.documents]
    known = examples(site, caller, collection)
    return Shown(
        title=site.settings.title,
        at=at,
        connections=tuple(connections(at, known)),
        collections=tuple((str(one["id"]), str(one.get("title") or one["id"])) for one in listed),
        chosen=collection or "",
        example=known.cube,
        is_signed_in=not caller.is_anonymous,
    )
