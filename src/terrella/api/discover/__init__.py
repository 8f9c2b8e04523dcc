"""Discovery: one question, with what matches, how many there are of each kind, and who answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.responses import Response

from terrella.api.discover import openapi
from terrella.api.discover.dialect import Discover

if TYPE_CHECKING:
    from terrella.site.site import Site


def router(site: Site) -> APIRouter:
    """GET /discover."""
    routes = APIRouter(default_response_class=Response)
    routes.add_api_route(
        "/discover",
        Discover(site).discover,
        name="discover",
        operation_id="discover",
        tags=["Discovery"],
        response_model=None,
        methods=["GET"],
        **openapi.DISCOVER,
    )
    return routes
