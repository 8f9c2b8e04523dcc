"""The routes of the data stores: /api/catalogue/v1, /api/retrieve/v1, /api/profiles/v1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from terrella.api.cds.catalogue import Catalogue
from terrella.api.cds.retrieving import Retrieve

if TYPE_CHECKING:
    from terrella.site import Site

_BODY = {"content": {"application/json": {"schema": {"type": "object"}}}, "required": True}
_SENT: dict[str, Any] = {"openapi_extra": {"requestBody": _BODY}}


def router(site: Site) -> APIRouter:
    """Everything that clients of the data stores ask."""
    made = APIRouter(tags=["Data stores (CDS, ADS)"])
    for prefix, routes in (
        ("/api/catalogue/v1", _catalogue(Catalogue(site))),
        ("/api/profiles/v1/account", _profiles(Catalogue(site))),
        ("/api/retrieve/v1", _retrieve(Retrieve(site))),
    ):
        for path, endpoint, method, more in routes:
            made.add_api_route(prefix + path, endpoint, methods=[method], response_class=JSONResponse, **more)
    return made


def _catalogue(part: Catalogue) -> list[tuple[str, Any, str, dict[str, Any]]]:
    return [
        ("/messages", part.messages, "GET", {}),
        ("/datasets", part.datasets, "GET", {}),
        ("/collections", part.datasets, "GET", {}),
        ("/collections/{name}", part.collection, "GET", {}),
        ("/collections/{name}/form.json", part.form, "GET", {}),
        ("/collections/{name}/constraints.json", part.constraints, "GET", {}),
        ("/vocabularies/licences", part.licences, "GET", {}),
    ]


def _profiles(part: Catalogue) -> list[tuple[str, Any, str, dict[str, Any]]]:
    return [
        ("/verification/pat", part.verify, "POST", {}),
        ("/licences", part.accepted, "GET", {}),
        ("/licences/{licence}", part.accept, "PUT", _SENT),
        ("/starred", part.star, "POST", _SENT),
        ("/starred/{name}", part.unstar, "DELETE", {"status_code": 204}),
    ]


def _retrieve(part: Retrieve) -> list[tuple[str, Any, str, dict[str, Any]]]:
    return [
        ("/processes", part.processes, "GET", {}),
        ("/processes/{name}", part.process, "GET", {}),
        ("/processes/{name}/constraints", part.constraints, "POST", _SENT),
        ("/processes/{name}/costing", part.costing, "POST", _SENT),
        ("/processes/{name}/execution", part.execute, "POST", {**_SENT, "status_code": 201}),
        ("/jobs", part.jobs, "GET", {}),
        ("/jobs/delete", part.delete_many, "POST", _SENT),
        ("/jobs/{job}", part.job, "GET", {}),
        ("/jobs/{job}", part.delete, "DELETE", {}),
        ("/jobs/{job}/results", part.results, "GET", {}),
        ("/jobs/{job}/receipt", part.receipt, "GET", {}),
    ]
