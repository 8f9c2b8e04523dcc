"""The HTTP application: one page that says what is served where, and through which layers a request passes."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles

from terrella.access.pace import Paces
from terrella.api import (
    account,
    assets,
    cds,
    connecting,
    discover,
    downloads,
    edr,
    errors,
    hda,
    hdabroker,
    hook,
    jobs,
    orders,
    pages,
    places,
    polytope,
    signing_in,
    stac,
    tiles,
    usage,
    watching,
    zarr,
)
from terrella.api.accounting import Accounted
from terrella.api.caller import Identified
from terrella.api.limits import BodyLimit, TextCompression
from terrella.api.logs import RequestLog, plain_unless_configured
from terrella.api.metrics import Measured, Metrics
from terrella.api.openapi import DOCUMENTED_ERRORS
from terrella.api.portal import FILES, Portal
from terrella.api.routes import HeadLikeGet

if TYPE_CHECKING:
    from terrella.site import Site

STATIC = Path(__file__).parent / "static"
_PAGES = frozenset({"/", "/api", "/api.html", "/connect", "/discover", "/metrics", "/places"})
_EXPOSED = [
    "Accept-Ranges",
    "Content-Crs",
    "Content-Digest",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Last-Modified",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Repr-Digest",
    "Retry-After",
    "Terrella-Bytes-Read",
    "Terrella-Clamped",
    "Terrella-Offset",
    "Terrella-Plan",
    "Terrella-Scale",
    "WWW-Authenticate",
    "X-Quota-Limit",
    "X-Quota-Name",
    "X-Quota-Remaining",
    "X-Quota-Reset",
    "X-Request-Id",
]


def create_app(site: Site) -> FastAPI:
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
    watching.add(app, site, metrics)
    pages.add(app, site)
    connecting.add(app, site)
    stac.mount(
        app, site, title=settings.title, description=settings.description, transactions=settings.api.transactions
    )
    app.include_router(assets.router(site))
    app.include_router(account.router(site))
    app.include_router(usage.router(site))
    app.include_router(signing_in.router(site))
    app.include_router(edr.router(site), prefix="/ogc")
    app.include_router(discover.router(site))
    app.include_router(places.router())
    app.include_router(zarr.router(site), prefix="/zarr")
    app.include_router(tiles.router(site), prefix="/tiles")
    app.include_router(jobs.router(site))
    app.include_router(downloads.router(site))
    app.include_router(orders.router(site))
    app.include_router(hook.router(site))
    app.include_router(polytope.router(site))
    app.include_router(cds.router(site))
    app.include_router(hdabroker.router(site))
    app.include_router(hda.router(site))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    errors.install(app, [*hda.ERRORS, stac.ERRORS, hook.ERRORS, *polytope.ERRORS, *cds.ERRORS, *hdabroker.ERRORS])
    _add_layers(app, site, metrics)
    return app


def _add_layers(app: FastAPI, site: Site, metrics: Metrics) -> None:
    """The layer added last meets a request first."""
    settings = site.settings
    app.add_middleware(HeadLikeGet)
    app.add_middleware(BodyLimit, limit=settings.limits.body_bytes)
    app.add_middleware(TextCompression, prefixes=("/stac", "/static"), pages=_PAGES)
    paces = Paces(settings.access.anonymous_rate, settings.access.anonymous_burst)
    app.add_middleware(Accounted, ledger=site.ledger, paces=paces)
    app.add_middleware(Identified, access=site.access)
    app.add_middleware(errors.CatchAll)
    app.add_middleware(Portal, files=settings.api.portal_files or FILES)
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


def _warm() -> None:
    """What xarray imports at its first variable takes up to a second, which the first visitor would wait for."""
    import xarray as xr

    xr.Variable((), 0)


def _closing(site: Site) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        threading.Thread(target=_warm, name="warm", daemon=True).start()
        yield
        await run_in_threadpool(site.close)

    return lifespan
