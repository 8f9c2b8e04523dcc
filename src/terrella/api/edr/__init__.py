"""OGC API Environmental Data Retrieval 1.1 and 1.2 over the site's cubes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import Response

from terrella.api.edr import openapi
from terrella.api.edr.asking import CITE, ESTIMATE, SHAPES
from terrella.api.edr.dialect import Edr
from terrella.api.edr.documents import QUERIES
from terrella.api.edr.statistics import NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from terrella.api.edr.statistics import Statistics
    from terrella.site.site import Site

_TAGS = ["OGC API EDR"]


def router(site: Site) -> APIRouter:
    """The routes of the dialect, to be mounted under /ogc."""
    edr = Edr(site)
    routes = APIRouter(default_response_class=Response)
    _describe(routes, edr)
    _places_and_files(routes, edr)
    for name in SHAPES:
        _data_query(routes, edr, name)
    _statistics(routes, edr.statistics)
    edr.routes = list(routes.routes)
    return routes


def _add(
    routes: APIRouter,
    path: str,
    handler: Callable[..., Any],
    *,
    name: str,
    parameters: list[dict[str, Any]],
    responses: dict[int | str, dict[str, Any]],
    **more: Any,
) -> None:
    routes.add_api_route(
        path,
        handler,
        name=name,
        operation_id=more.pop("operation_id", name),
        tags=list(_TAGS),
        response_model=None,
        responses=responses,
        openapi_extra={"parameters": parameters, **more.pop("openapi_extra", {})},
        **more,
    )


def _json(media_type: str = "application/json", *wrong: int) -> dict[int | str, dict[str, Any]]:
    ok = {"description": "As asked.", "content": {media_type: {"schema": {"type": "object"}}}}
    return {200: ok, **openapi.problems(400, *wrong)}


def _describe(routes: APIRouter, edr: Edr) -> None:
    f, filters = openapi.F_JSON, [openapi.BBOX, openapi.DATETIME, openapi.LIMIT, openapi.TOKEN]
    _add(routes, "/", edr.landing, name="edr_landing", parameters=[f], responses=_json(), summary="Landing page")
    _add(routes, "/conformance", edr.conformance, name="edr_conformance", parameters=[f], responses=_json())
    routes.add_api_route("/api", edr.api, name="edr_api", include_in_schema=False)
    _add(routes, "/collections", edr.collections, name="edr_collections", parameters=[*filters, f], responses=_json())
    _add(
        routes,
        "/collections/{collection_id}",
        edr.collection,
        name="edr_collection",
        parameters=[f],
        responses=_json("application/json", 404, 422),
    )


def _places_and_files(routes: APIRouter, edr: Edr) -> None:
    base = "/collections/{collection_id}"
    f, filters = openapi.F_GEOJSON, [openapi.BBOX, openapi.DATETIME, openapi.LIMIT]
    found = _json("application/geo+json", 404, 422, 501)
    paged = [*filters, openapi.TOKEN, f]
    listed = [*paged, *openapi.LISTING]
    _add(routes, f"{base}/locations", edr.locations, name="edr_locations", parameters=listed, responses=found)
    _query_pair(
        routes,
        f"{base}/locations/{{location_id}}",
        (edr.location, edr.location_by_post),
        (edr.location_estimate, edr.location_estimate_by_post),
        (edr.location_cite, edr.location_cite_by_post),
        name="edr_location",
        parameters=openapi.SHARED,
        summary="Values at a station, or in a region, by its name",
    )
    _add(routes, f"{base}/items", edr.items, name="edr_items", parameters=paged, responses=found)
    _add(routes, f"{base}/items/{{item_id}}", edr.item, name="edr_item", parameters=[f], responses=found)
    routes.add_api_route(f"{base}/instances", edr.instances, name="edr_instances", include_in_schema=False)


def _data_query(routes: APIRouter, edr: Edr, name: str) -> None:
    _query_pair(
        routes,
        f"/collections/{{collection_id}}/{name}",
        (edr.data, edr.data_by_post),
        (edr.estimate, edr.estimate_by_post),
        (edr.cite, edr.cite_by_post),
        name=f"edr_{name}",
        parameters=openapi.OWN[name] + openapi.SHARED,
        summary=QUERIES[name],
    )


def _statistics(routes: APIRouter, made: Statistics) -> None:
    _query_pair(
        routes,
        f"/collections/{{collection_id}}/{NAME}",
        (made.get, made.post),
        (made.estimate, made.estimate_by_post),
        (made.cite, made.cite_by_post),
        name="edr_statistics",
        parameters=openapi.STATISTICS,
        summary="Statistics and histograms of the values in a shape",
        values=openapi.statistics_responses(),
    )


def _query_pair(
    routes: APIRouter,
    path: str,
    values_by: tuple[Callable[..., Any], ...],
    price_by: tuple[Callable[..., Any], ...],
    cite_by: tuple[Callable[..., Any], ...],
    *,
    name: str,
    parameters: list[dict[str, Any]],
    summary: str,
    values: dict[int | str, dict[str, Any]] | None = None,
) -> None:
    """A query by GET and by POST, its price and what to cite by both."""
    get, post = values_by
    body = {"requestBody": openapi.body_of(parameters)}
    by_post: dict[str, Any] = {"parameters": [], "methods": ["POST"], "openapi_extra": body}
    values = values or openapi.data_responses()
    said: dict[str, Any] = {"summary": f"Price of: {summary}", "responses": _json("application/json", 404, 422, 501)}
    _add(routes, path, get, name=name, parameters=parameters, responses=values, summary=summary)
    in_body = f"{summary} (parameters in the body)"
    _add(routes, path, post, name=f"{name}_by_post", responses=values, summary=in_body, **by_post)
    _add(routes, f"{path}/{ESTIMATE}", price_by[0], name=f"{name}_estimate", parameters=parameters, **said)
    _add(routes, f"{path}/{ESTIMATE}", price_by[1], name=f"{name}_estimate_by_post", **by_post, **said)
    _citations(routes, path, cite_by, name=name, parameters=parameters, summary=summary)


def _citations(
    routes: APIRouter,
    path: str,
    handlers: tuple[Callable[..., Any], ...],
    *,
    name: str,
    parameters: list[dict[str, Any]],
    summary: str,
) -> None:
    """What to cite, by GET and by POST."""
    own = [one for one in parameters if one["name"] != "f"] + [openapi.F_CITE]
    said: dict[str, Any] = {
        "summary": f"What to cite for: {summary}",
        "responses": _json("application/json", 404, 422, 501),
    }
    by_post: dict[str, Any] = {"methods": ["POST"], "openapi_extra": {"requestBody": openapi.body_of(own)}}
    _add(routes, f"{path}/{CITE}", handlers[0], name=f"{name}_cite", parameters=own, **said)
    _add(routes, f"{path}/{CITE}", handlers[1], name=f"{name}_cite_by_post", parameters=[], **by_post, **said)
