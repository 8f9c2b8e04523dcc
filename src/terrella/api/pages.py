"""The pages of a site: its landing page, for people and as JSON, and its interface to read and try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from fastapi import FastAPI, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from terrella.api import openapi
from terrella.api.caller import caller_of
from terrella.api.landing import Here, landing_html
from terrella.errors import Invalid, TerrellaError
from terrella.model.caller import Caller
from terrella.model.search import CollectionSearch, Search

if TYPE_CHECKING:
    from terrella.site import Site

SHOWN = 200
"""Collections on the landing page; the STAC API has all."""

SAFE = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def add(app: FastAPI, site: Site) -> None:
    """GET /, /api and /api.html."""

    async def landing(request: Request, f: str | None = Query(None, description="json or html.")) -> Response:
        """What is here, for people; as JSON for `Accept: application/json` or `f=json`."""
        here = await run_in_threadpool(_gather, site, caller_of(request), str(request.base_url))
        if wants_json(request, f):
            return Response(orjson.dumps(here.as_json()), media_type="application/json", headers={"Vary": "Accept"})
        return HTMLResponse(landing_html(here), headers={"Vary": "Accept", **SAFE})

    async def description() -> Response:
        """The OpenAPI description of everything served here."""
        return Response(openapi.openapi_bytes(app), headers={"Content-Type": openapi.MEDIA_TYPE})

    async def interface() -> Response:
        """The same, to read and try in a browser; works without the internet."""
        return HTMLResponse(_SWAGGER, headers=SAFE)

    html: dict[str, Any] = {"tags": ["Pages"], "response_class": HTMLResponse, "methods": ["GET"]}
    both: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}, "application/json": {}}}}
    app.add_api_route("/", landing, summary="What is here", responses=both, **html)
    app.add_api_route("/api.html", interface, summary="The interface, to read and try", name="swagger_ui_html", **html)
    app.add_api_route("/api", description, name="openapi", include_in_schema=False)


def wants_json(request: Request, f: str | None) -> bool:
    """Whether a page is wanted as JSON: by `f`, else by `Accept`. Raises Invalid."""
    if f not in {None, "json", "html"}:
        raise Invalid(f"f is json or html, not {f!r:.40}.", parameter="f")
    accept = request.headers.get("accept", "*/*")
    return f == "json" or (f is None and "json" in accept and "text/html" not in accept)


def _gather(site: Site, caller: Caller, base: str) -> Here:
    page = site.catalog.collections(caller, CollectionSearch(limit=SHOWN))
    return Here(
        title=site.settings.title,
        description=site.settings.description,
        base=base.rstrip("/"),
        collections=tuple(orjson.loads(document) for document in page.documents),
        more=page.next is not None,
        counts=_counts(site, caller),
    )


def _counts(site: Site, caller: Caller) -> dict[str, int]:
    """Items by collection; empty where the catalogue cannot say."""
    try:
        found = site.catalog.aggregate(caller, Search(), ["collection_frequency"])
    except TerrellaError:
        return {}
    return {bucket["key"]: bucket["frequency"] for one in found for bucket in one.buckets}


_SWAGGER = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Interface</title>
<link rel="stylesheet" href="static/swagger/swagger-ui.css">
<link rel="stylesheet" href="static/interface.css">
<link rel="icon" href="static/terrella.svg">
</head>
<body>
<div id="interface"></div>
<script src="static/swagger/swagger-ui-bundle.js"></script>
<script src="static/interface.js"></script>
</body>
</html>
"""
