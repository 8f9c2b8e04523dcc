"""Puts the STAC API into an app: stac-fastapi's factory with our client, request models and extensions."""

from __future__ import annotations

from functools import partial
from typing import Any

import attr
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from stac_fastapi.api.app import StacApi
from stac_fastapi.api.models import EmptyRequest
from stac_fastapi.api.routes import create_async_endpoint
from stac_fastapi.types.config import ApiSettings
from starlette.responses import Response

from terrella.api.errors import ErrorFormat, code_and_description
from terrella.api.routes import known_parameters_only
from terrella.api.stac.client import StacClient
from terrella.api.stac.extensions import Aggregating, Browsing, Queryables, Words
from terrella.api.stac.links import JSON, PREFIX
from terrella.api.stac.parameters import (
    CollectionSearchParameters,
    ItemSearch,
    ItemSearchBody,
    ItemsOfCollection,
    OneCollection,
    OneItem,
)
from terrella.api.stac.transactions import Transactions
from terrella.site.announcing import announcing

ERRORS = ErrorFormat(PREFIX, code_and_description)

_SUMMARIES = {
    "Conformance Classes": "Conformance classes",
    "Get Item": "One item",
    "Search": "Search items of all collections",
    "Get Collections": "Search collections",
    "Get Collection": "One collection",
    "Get ItemCollection": "Search items of a collection",
}


@attr.s
class TerrellaStacApi(StacApi):
    """stac-fastapi's app, as a part of ours: no middleware, error handlers, health routes of its own."""

    app: FastAPI = attr.ib(kw_only=True)

    def register_landing_page(self) -> None:
        """GET /stac, and /stac/ for whoever writes it so."""
        for path in ("", "/"):
            self.router.add_api_route(
                path,
                create_async_endpoint(self.client.landing_page, EmptyRequest),
                name="Landing page",
                response_class=Response,
                responses={200: {"content": {JSON: {}}}},
                methods=["GET"],
                include_in_schema=path == "",
            )

    def register_core(self) -> None:
        """The core routes, with summaries for people."""
        super().register_core()
        for route in self.router.routes:
            if isinstance(route, APIRoute) and route.name in _SUMMARIES:
                route.summary = _SUMMARIES[route.name]

    def add_health_check(self) -> None:
        """The site has its own."""


def mount(app: FastAPI, site: Any, *, title: str, description: str, transactions: bool) -> None:
    """Add the STAC API of a site's catalogue under /stac."""
    client = StacClient(catalog=site.catalog)
    extensions: list[Any] = [Words(), Queryables(client=client), Browsing(client=client), Aggregating(client=client)]
    if transactions:
        extensions.append(Transactions(catalog=site.catalog, announcing=partial(announcing, site)))
    TerrellaStacApi(
        app=app,
        settings=_settings(title, description),
        client=client,
        extensions=extensions,
        exceptions={},
        title=title,
        description=description,
        router=APIRouter(prefix=PREFIX, dependencies=[Depends(known_parameters_only)], tags=["STAC"]),
        search_get_request_model=ItemSearch,
        search_post_request_model=ItemSearchBody,
        collections_get_request_model=CollectionSearchParameters,
        collection_get_request_model=OneCollection,
        items_get_request_model=ItemsOfCollection,
        item_get_request_model=OneItem,
        middlewares=[],
    )


def _settings(title: str, description: str) -> ApiSettings:
    # not read from the environment: the site's settings are the only ones
    return ApiSettings.model_construct(
        stac_fastapi_title=title, stac_fastapi_description=description, enable_response_models=False
    )
