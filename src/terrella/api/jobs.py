"""Jobs over HTTP: the job routes of OGC API - Processes, and what they leave out: logs, events, pages.

Every dialect that submits work shares the table behind these routes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from terrella.api import downloads
from terrella.api.caller import caller_of
from terrella.api.errors import Report, problem, status_of
from terrella.api.routes import known_parameters_only
from terrella.errors import Invalid, NotFound
from terrella.jobs.records import has_ended

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from terrella.model.caller import Caller
    from terrella.model.job import Job
    from terrella.site import Site

_EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
_STATES = ("accepted", "running", "successful", "failed", "dismissed")
_REL = "http://www.opengis.net/def/rel/ogc/1.0/"
_BEAT = 15.0
"""Seconds of silence after which an event stream sends a comment, so that proxies keep it open."""

Limit = Annotated[int, Query(ge=1, le=1000, description="Most jobs on one page.")]


def router(site: Site) -> APIRouter:
    """GET /jobs, GET and DELETE /jobs/{jobID}, and below it results, logs and events."""
    routes = _Routes(site)
    made = APIRouter(tags=["Jobs"])
    kinds: dict[str, Any] = {"response_class": Response, "dependencies": [Depends(known_parameters_only)]}
    for path, serve, methods, summary in (
        ("/jobs", routes.jobs, ["GET"], "Your jobs, newest first"),
        ("/jobs/{jobID}", routes.job, ["GET"], "How far a job is"),
        ("/jobs/{jobID}", routes.dismiss, ["DELETE"], "Cancel a job"),
        ("/jobs/{jobID}/results", routes.results, ["GET"], "What a job made"),
        ("/jobs/{jobID}/logs", routes.logs, ["GET"], "What a job said"),
        ("/jobs/{jobID}/events", routes.events, ["GET"], "Follow a job: server-sent events"),
    ):
        made.add_api_route(path, serve, methods=methods, summary=summary, **kinds)
    return made


def status_info(request: Request, job: Job) -> dict[str, Any]:
    """A job as OGC API - Processes writes it (statusInfo), with what we know besides."""
    base = f"{str(request.base_url).rstrip('/')}/jobs"
    here = f"{base}/{job.id}"
    links = [_link("self", here, "This job"), _link("up", base, "All jobs")]
    links.append(_link("monitor", here, "How far it is"))
    links.append({"rel": "events", "href": f"{here}/events", "type": "text/event-stream", "title": "Follow it"})
    links.append(_link("logs", f"{here}/logs", "What it said"))
    if job.state == "successful":
        links.append(_link(f"{_REL}results", f"{here}/results", "What it made"))
    info = {
        "processID": job.kind,
        "type": "process",
        "jobID": job.id,
        "status": job.state,
        "title": job.title,
        "message": job.message,
        "created": _time(job.created),
        "started": _time(job.started),
        "finished": _time(job.finished),
        "updated": _time(job.updated),
        "progress": int(job.progress * 100),
        "attempts": job.attempts,
        "dialect": job.dialect,
        "links": links,
    }
    return {name: value for name, value in info.items() if value not in (None, "")}


def _link(rel: str, href: str, title: str) -> dict[str, str]:
    return {"rel": rel, "href": href, "type": "application/json", "title": title}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


class _Routes:
    """The handlers: parse, one call, encode."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def jobs(
        self,
        request: Request,
        limit: Limit = 100,
        status: Annotated[str | None, Query(description="accepted, running, successful, failed or dismissed.")] = None,
        processID: Annotated[str | None, Query(description="Only jobs of this kind.")] = None,  # noqa: N803
        dialect: Annotated[str | None, Query(description="Only jobs of this dialect.")] = None,
        token: Annotated[str | None, Query(description="Of the next page, from its link.")] = None,
    ) -> Response:
        """One page. Anonymous callers, who may be anybody, see none: they know their jobs by their ids."""
        if status is not None and status not in _STATES:
            raise Invalid(f"A job is {', '.join(_STATES)}, not {status!r:.40}.", parameter="status")
        found, following = self._site.jobs.list(
            caller_of(request),
            dialect=dialect or "",
            state=status or "",
            kind=processID or "",
            limit=limit,
            token=token,
        )
        links = [_link("self", str(request.url), "This page")]
        if following:
            links.append(_link("next", str(request.url.include_query_params(token=following)), "Next page"))
        return _json({"jobs": [status_info(request, job) for job in found], "links": links})

    def job(self, request: Request, jobID: str) -> Response:  # noqa: N803
        """One job."""
        job = self._job(request, caller_of(request), jobID)
        return job if isinstance(job, Response) else _json(status_info(request, job))

    def dismiss(self, request: Request, jobID: str) -> Response:  # noqa: N803
        """Cancel a job that has not ended; one that has stays as it ended."""
        caller = caller_of(request)
        job = self._job(request, caller, jobID)
        return job if isinstance(job, Response) else _json(status_info(request, self._site.jobs.cancel(caller, jobID)))

    def results(self, request: Request, jobID: str) -> Response:  # noqa: N803
        """Links to the files, by their names; each opens without other credentials, for a week."""
        caller = caller_of(request)
        job = self._job(request, caller, jobID)
        if isinstance(job, Response):
            return job
        if job.state == "failed":
            return _exception(request, _status_of_kind(job.error_kind), job.message, job.error_kind)
        if job.state != "successful":
            return _exception(request, 404, f"The job has no results: it is {job.state}.", "result-not-ready")
        return _json({one.name: self._result(request, caller, job, one) for one in job.outputs})

    def _result(self, request: Request, caller: Caller, job: Job, output: Any) -> dict[str, Any]:
        return {
            "href": downloads.link(request, caller, job, output),
            "type": output.media_type,
            "title": output.title or output.name,
            "length": output.size,
            "sha256": output.sha256,
        }

    def logs(
        self,
        request: Request,
        jobID: str,  # noqa: N803
        after: Annotated[int, Query(ge=0, description="Only lines with a higher number.")] = 0,
        limit: Annotated[int, Query(ge=1, le=10_000, description="Most lines.")] = 1000,
    ) -> Response:
        """Lines in order; ask for more with `after` the last number."""
        caller = caller_of(request)
        job = self._job(request, caller, jobID)
        if isinstance(job, Response):
            return job
        lines = self._site.jobs.logs(caller, jobID, after=after, limit=limit)
        return _json(
            {"logs": [{"number": o.number, "at": _time(o.at), "level": o.level, "text": o.text} for o in lines]}
        )

    async def events(self, request: Request, jobID: str) -> Response:  # noqa: N803
        """A `status` event now and at each change, until the job has ended; after a break, go on with Last-Event-ID."""
        caller = caller_of(request)
        try:
            job, version = await asyncio.to_thread(self._site.jobs.versioned, caller, jobID)
        except NotFound as error:
            return _exception(request, 404, error.message, "no-such-job")
        seen = request.headers.get("last-event-id", "")
        stream = self._stream(request, caller, job, version, int(seen) if seen.isdigit() else 0)
        headers = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    async def _stream(
        self, request: Request, caller: Caller, job: Job, version: int, seen: int
    ) -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        while True:
            if version != seen:
                seen = version
                yield b"event: status\nid: %d\ndata: %s\n\n" % (version, orjson.dumps(status_info(request, job)))
            if has_ended(job):
                return
            job, version = await self._site.jobs.changed(caller, job.id, version, _BEAT)
            if version == seen:
                yield b": still here\n\n"

    def _job(self, request: Request, caller: Caller, job: str) -> Job | Response:
        """The job, or the answer that OGC API - Processes wants where there is none."""
        try:
            return self._site.jobs.get(caller, job)
        except NotFound as error:
            return _exception(request, 404, error.message, "no-such-job")


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json", headers={"Cache-Control": "no-cache"})


def _exception(request: Request, status: int, message: str, kind: str) -> Response:
    report = Report(status, kind, message, parameter="jobID" if kind == "no-such-job" else None)
    body = problem(report, request.scope.get("state", {}).get("request_id"))
    if kind in ("no-such-job", "result-not-ready"):
        body["type"] = _EXCEPTIONS + kind
    return Response(orjson.dumps(body), status, media_type="application/problem+json")


def _status_of_kind(kind: str) -> int:
    """The status that the error of a failed job would have had."""
    from terrella import errors

    found = [one for one in vars(errors).values() if isinstance(one, type) and getattr(one, "kind", None) == kind]
    return status_of(found[0]("")) if found else 500
