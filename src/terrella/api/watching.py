"""Routes for whoever runs the site: is it alive, is it ready, how is it doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from terrella.model.caller import OPERATOR
from terrella.model.search import CollectionSearch

if TYPE_CHECKING:
    from terrella.api.metrics import Metrics
    from terrella.site import Site


def add(app: FastAPI, site: Site, metrics: Metrics) -> None:
    """GET /health, /ready and /metrics."""

    async def health() -> Response:
        """The process answers. Costs nothing."""
        return JSONResponse({"status": "ok", "version": app.version})

    async def ready() -> Response:
        """The catalogue answers, too: send requests here."""
        try:
            await run_in_threadpool(site.catalog.collections, OPERATOR, CollectionSearch(limit=1))
        except Exception as error:  # noqa: BLE001 -- whatever it is, the site is not ready
            return JSONResponse({"status": "not ready", "reason": type(error).__name__}, 503)
        return JSONResponse({"status": "ready", "version": app.version})

    async def figures() -> Response:
        """Figures for Prometheus, of this process."""
        return metrics.exposition()

    kinds = {"tags": ["Operation"], "methods": ["GET"], "response_class": JSONResponse}
    app.add_api_route("/health", health, summary="Is the process alive?", **kinds)  # type: ignore[arg-type]
    busy = {503: {"description": "Not ready.", "content": {"application/json": {}}}}
    app.add_api_route("/ready", ready, summary="Can it answer requests?", responses=busy, **kinds)  # type: ignore[arg-type]
    app.add_api_route(
        "/metrics",
        figures,
        summary="Figures for Prometheus",
        tags=["Operation"],
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}},
    )
