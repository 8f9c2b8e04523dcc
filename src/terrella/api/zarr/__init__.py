"""Zarr v3 over HTTP: every collection's cube opens as if it were stored that way, whatever its files are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.responses import Response

from terrella.api.zarr import openapi
from terrella.api.zarr.dialect import ZarrView

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from terrella.site.site import Site


def router(site: Site) -> APIRouter:
    """The routes of the dialect, to be mounted under /zarr."""
    view = ZarrView(site)
    routes = APIRouter(default_response_class=Response)
    _add(routes, "/{collection_id}", view.group, "zarr_group", openapi.GROUP)
    _add(routes, "/{collection_id}/{key:path}", view.key, "zarr_key", openapi.KEY)
    return routes


def _add(routes: APIRouter, path: str, handler: Callable[..., Any], name: str, said: dict[str, Any]) -> None:
    routes.add_api_route(
        path, handler, name=name, operation_id=name, tags=["Zarr"], response_model=None, methods=["GET"], **said
    )
    routes.add_api_route(path, handler, name=f"{name}_head", methods=["HEAD"], include_in_schema=False)
