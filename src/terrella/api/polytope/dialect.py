"""The routes of Polytope, versions 1 and 2: a request becomes a job, and its answer a signed link.

Small answers are made while the client waits for its first answer; large ones by a worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from terrella.api.caller import caller_of
from terrella.api.downloads import link
from terrella.api.files import serve_file
from terrella.api.polytope.reading import read_body, read_flat
from terrella.errors import Invalid, NotFound, Unauthenticated
from terrella.model.job import ENDED
from terrella.site.mars import understood
from terrella.site.mars.retrieving import checked, inputs_of
from terrella.site.tasks import RETRIEVE, submit_or_perform

if TYPE_CHECKING:
    from terrella.model.caller import Caller
    from terrella.model.job import Job
    from terrella.site import Site

DIALECT = "polytope"
EVERYTHING = "all"
"""The collection that is all collections: which of them is meant is then said by class, stream and the like."""
_HOLD = 10.0
"""Seconds that a poll is held: clients begin by asking again after 30 ms."""
_HOLD_V2 = 25.0
_SAYS: dict[str, str] = {"accepted": "queued", "running": "processing", "successful": "processed", "failed": "failed"}


class Polytope:
    """What the routes do. `site` does the work."""

    def __init__(self, site: Site) -> None:
        self._site = site

    # --- about ------------------------------------------------------------------------------------------------------

    def test(self) -> Response:
        """The service answers."""
        return JSONResponse({"message": "Polytope is served by Terrella."})

    def collections(self, request: Request) -> Response:
        """Names to send requests to: every collection with a cube, and one that is all of them."""
        documents = self._site.collections(caller=caller_of(request))
        names = [str(document["id"]) for document in documents if "cube:variables" in document]
        return JSONResponse({"message": [EVERYTHING, *names]})

    def user(self, request: Request) -> Response:
        """Who asks. All values are text: the client joins them."""
        caller = caller_of(request)
        jobs, _ = self._site.jobs.list(caller, dialect=DIALECT, limit=1000)
        live = sum(job.state not in ENDED for job in jobs)
        return JSONResponse({"user": caller.name, "roles": ", ".join(sorted(caller.roles)), "live requests": str(live)})

    def key(self, request: Request) -> Response:
        """A key for whoever signs in with a name and a password."""
        caller = caller_of(request)
        if caller.is_anonymous:
            raise Unauthenticated("Sign in with your user name and password.")
        made = self._site.access.session(caller, 30 * 86400.0)
        return JSONResponse({"key": made.text, "expires": made.key.as_json()["expires"]})

    # --- requests ---------------------------------------------------------------------------------------------------

    async def submit(self, request: Request, collection: str) -> Response:
        """A new request: 202 and where to ask for it. What cannot be answered is refused at once."""
        given = read_body(await request.body())
        job = await run_in_threadpool(self._submitted, caller_of(request), collection, given)
        return JSONResponse(
            {"message": "Accepted; poll the location.", "status": "queued", "id": job},
            202,
            headers={"Location": f"{_base(request)}/api/v1/requests/{job}", "Retry-After": "0"},
        )

    def _submitted(self, caller: Caller, collection: str, given: dict[str, Any]) -> str:
        only = None if collection == EVERYTHING else collection
        plan = checked(self._site, caller, understood(self._site, caller, given, only))
        title = f"{collection}: {_title(given)}"
        inputs = inputs_of(given, only)
        return submit_or_perform(self._site, caller, RETRIEVE, inputs, plan, title=title, dialect=DIALECT).id

    async def poll(self, request: Request, name: str) -> Response:
        """How far a request is; 303 to its answer once that is there. (Or the requests of a collection.)"""
        caller = caller_of(request)
        try:
            job = await self._site.jobs.waiting(caller, name, _HOLD)
        except NotFound:
            return await run_in_threadpool(self._listed, caller, name)
        if job.state == "failed":
            # not a status of failure: the client prints this text as it is
            return JSONResponse({"status": "failed", "message": job.message}, 202)
        if job.state == "dismissed":
            raise Invalid("This request was revoked.")
        if job.state == "successful":
            return await run_in_threadpool(_pointer, request, caller, job)
        return JSONResponse({"status": _SAYS[job.state], "message": job.message or "Waiting for a worker."}, 202)

    def _listed(self, caller: Caller, collection: str | None) -> Response:
        if collection not in (None, EVERYTHING):
            self._site.catalog.collection(caller, collection)  # 404 with the nearest names
        jobs, _ = self._site.jobs.list(caller, dialect=DIALECT, limit=1000)
        shown = [_shown(job) for job in jobs if collection in (None, EVERYTHING, job.inputs.get("collection"))]
        return JSONResponse({"message": shown})

    def requests(self, request: Request) -> Response:
        """My requests, newest first."""
        return self._listed(caller_of(request), None)

    def revoke(self, request: Request, name: str) -> Response:
        """Stop a request and forget it; `all` for all that are under way."""
        caller, jobs = caller_of(request), self._site.jobs
        if name != "all":
            jobs.cancel(caller, name)
            return JSONResponse({"message": "Successfully revoked 1 request"})
        mine, _ = jobs.list(caller, dialect=DIALECT, limit=1000)
        live = [job for job in mine if job.state not in ENDED and job.owner == caller.name]
        for job in live:
            jobs.cancel(caller, job.id)
        return JSONResponse({"message": f"Successfully revoked {len(live)} requests"})

    def gone(self, request: Request, name: str) -> Response:  # noqa: ARG002 -- the route has them
        """Once results lay here; poll the request instead."""
        return JSONResponse({"message": "Ask at /api/v1/requests instead."}, 410)

    # --- version 2 --------------------------------------------------------------------------------------------------

    async def submit2(self, request: Request, collection: str) -> Response:
        """The request itself as JSON; the data come in the answer, or 303 says where to wait for them."""
        given = read_flat(await request.body())
        caller = caller_of(request)
        job = await run_in_threadpool(self._submitted, caller, collection, given)
        return await self._data(request, caller, job)

    async def poll2(self, request: Request, name: str) -> Response:
        """The data, or 303 to here again."""
        return await self._data(request, caller_of(request), name)

    async def _data(self, request: Request, caller: Caller, name: str) -> Response:
        job = await self._site.jobs.waiting(caller, name, _HOLD_V2)
        if job.state == "running":
            job = await self._site.jobs.waiting(caller, name, _HOLD_V2)
        if job.state in ("failed", "dismissed"):
            raise Invalid(job.message or "This request was revoked.")
        if job.state != "successful":
            return RedirectResponse(f"{_base(request)}/api/v2/requests/{name}", 303)
        output = job.outputs[0]
        path = self._site.jobs.file(caller, job.id, output.name)
        return serve_file(request, path, media_type=output.media_type, name=output.name, sha256=output.sha256)


def router(site: Site) -> APIRouter:
    """Everything below /api/v1 and /api/v2."""
    made, polytope = APIRouter(tags=["Polytope"]), Polytope(site)
    plain: dict[str, Any] = {"response_class": JSONResponse}
    body = {"content": {"application/json": {"schema": {"type": "object"}}}, "required": True}
    sent: dict[str, Any] = {"methods": ["POST"], "openapi_extra": {"requestBody": body}}
    for path, endpoint, more in (
        ("/api/v1/test", polytope.test, {"methods": ["GET"]}),
        ("/api/v1/collections", polytope.collections, {"methods": ["GET"]}),
        ("/api/v1/user", polytope.user, {"methods": ["GET"]}),
        ("/api/v1/auth/keys", polytope.key, {"methods": ["POST"]}),
        ("/api/v1/requests", polytope.requests, {"methods": ["GET"]}),
        ("/api/v1/requests/{collection}", polytope.submit, {**sent, "status_code": 202}),
        ("/api/v1/requests/{name}", polytope.poll, {"methods": ["GET"]}),
        ("/api/v1/requests/{name}", polytope.revoke, {"methods": ["DELETE"]}),
        ("/api/v1/downloads/{name}", polytope.gone, {"methods": ["GET"], "include_in_schema": False}),
        ("/api/v1/uploads/{name}", polytope.gone, {"methods": ["GET"], "include_in_schema": False}),
        ("/api/v1/uploads/{name}", polytope.gone, {"methods": ["POST"], "include_in_schema": False}),
        ("/api/v2/{collection}/requests", polytope.submit2, sent),
        ("/api/v2/requests/{name}", polytope.poll2, {"methods": ["GET"]}),
    ):
        made.add_api_route(path, endpoint, **plain, **more)
    return made


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _pointer(request: Request, caller: Caller, job: Job) -> Response:
    output = job.outputs[0]
    location = link(request, caller, job, output)
    about = {"contentLength": output.size, "contentType": output.media_type, "location": location}
    return JSONResponse(about, 303, headers={"Location": location})


def _shown(job: Job) -> dict[str, str]:
    return {
        "id": job.id,
        "status": _SAYS.get(job.state, job.state),
        "verb": "retrieve",
        "collection": str(job.inputs.get("collection") or EVERYTHING),
        "user": job.owner,
        "created": job.created.isoformat(),
        "message": job.message,
    }


def _title(given: dict[str, Any]) -> str:
    feature = given.get("feature")
    kind = feature.get("type", "") if isinstance(feature, dict) else "fields"
    return f"{kind} of {given.get('param', 'all parameters')}"[:120]
