"""The HTTP application: one page that says what is served where, and through which layers a request passes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles

from terrella.api import errors, pages, stac, watching
from terrella.api.limits import BodyLimit, TextCompression
from terrella.api.logs import RequestLog, plain_unless_configured
from terrella.api.metrics import Measured, Metrics
from terrella.api.openapi import DOCUMENTED_ERRORS
from terrella.api.routes import HeadLikeGet
from terrella.contracts.providers import Searches
from terrella.settings import Settings

STATIC = Path(__file__).parent / "static"
OGC = "/ogc"
_PAGES = frozenset({"/", "/api", "/api.html", "/metrics"})
_EXPOSED = ["Link", "Location", "X-Request-Id", "Terrella-Bytes-Read", "Content-Disposition"]


class Served(Protocol):
    """What the application needs of a site."""

    @property
    def settings(self) -> Settings: ...

    @property
    def catalog(self) -> Searches: ...

    def close(self) -> None: ...


def create_app(site: Served) -> FastAPI:
    """The application that serves a site; it closes the site when it stops."""
    plain_unless_configured()
    settings = site.settings
    app = FastAPI(
        title=settings.title,
        description=settings.description,
        version=version("terrella"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_closing(site),
        responses=DOCUMENTED_ERRORS,
    )
    app.state.site = site
    metrics = Metrics()
    has_values = find_spec("terrella.api.edr") is not None and hasattr(import_module("terrella.api.edr"), "router")
    watching.add(app, site, metrics)
    pages.add(app, site, has_values=has_values)
    stac.mount(
        app, site, title=settings.title, description=settings.description, transactions=settings.api.transactions
    )
    if has_values:
        app.include_router(_edr_router(site), prefix=OGC)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    errors.install(app, [stac.ERRORS])
    _add_layers(app, settings, metrics)
    return app


def _edr_router(site: Served) -> APIRouter:
    router: APIRouter = import_module("terrella.api.edr").router(site)
    return router


def _add_layers(app: FastAPI, settings: Settings, metrics: Metrics) -> None:
    """The layer added last meets a request first."""
    app.add_middleware(HeadLikeGet)
    app.add_middleware(BodyLimit, limit=settings.limits.body_bytes)
    app.add_middleware(TextCompression, prefixes=("/stac", "/static"), pages=_PAGES)
    app.add_middleware(errors.CatchAll)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.api.cors_origins),
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=_EXPOSED,
        max_age=600,
    )
    app.add_middleware(Measured, metrics=metrics)
    app.add_middleware(RequestLog)


def _closing(site: Served) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(site.close)

    return lifespan
