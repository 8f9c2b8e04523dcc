"""The retrieve part: processes, what is valid, what it costs, jobs and their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import orjson
from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from terrella.api.bodies import json_object, member
from terrella.api.caller import caller_of
from terrella.api.cds import documents
from terrella.api.cds.catalogue import Limit, Token, formats_of, page_links, sort_keys
from terrella.api.cds.errors import body as error_body
from terrella.api.downloads import link as download_link
from terrella.api.errors import Report
from terrella.errors import Invalid, NotFound
from terrella.extraction.cds import picks_of, valid_values
from terrella.extraction.cds.asking import check_keys
from terrella.model.search import CollectionSearch
from terrella.site.mars.stores import job_inputs, offered, price
from terrella.site.tasks import RETRIEVE, submit_or_perform

if TYPE_CHECKING:
    from terrella.model.caller import Caller
    from terrella.model.job import Job
    from terrella.model.stac import Document
    from terrella.site import Site
    from terrella.site.mars.stores import Price

DIALECT = "cds"
_HOLD = 1.0
"""Seconds that a look at a job is held: clients sleep that long after their first."""
_STATES = ("accepted", "running", "successful", "failed", "rejected", "dismissed")
_MOST_JOBS = 10_000
"""Jobs that are sorted and filtered; older ones are found by their id."""


class Retrieve:
    """What the routes below /api/retrieve/v1 do."""

    def __init__(self, site: Site) -> None:
        self._site = site

    # --- processes --------------------------------------------------------------------------------------------------

    def processes(self, request: Request, limit: Limit = 100, sortby: str = "id", token: Token = None) -> Response:
        """Collections that requests may be sent to."""
        query = CollectionSearch(sortby=sort_keys(sortby), limit=limit, token=token)
        page = self._site.catalog.collections(caller_of(request), query)
        found = [orjson.loads(document) for document in page.documents]
        shown = [documents.process_summary(request, one) for one in found if "cube:variables" in one]
        return JSONResponse({"processes": shown, "links": page_links(request, page)})

    def process(self, request: Request, name: str) -> Response:
        """One collection: the keys of a request and all their values."""
        document, known = offered(self._site, caller_of(request), name)
        if not known:
            raise NotFound(f"{name!r:.80} has no variables to cut out: take its files as they are.")
        values = valid_values(known, {})
        return JSONResponse(documents.process_document(request, document, values, formats_of(document)))

    async def constraints(self, request: Request, name: str) -> Response:
        """Values that remain valid, given those of `inputs`."""
        given = await _inputs(request)
        return await run_in_threadpool(self._constraints, caller_of(request), name, given)

    def _constraints(self, caller: Caller, name: str, given: Document) -> Response:
        document, known = offered(self._site, caller, name)
        check_keys(document, given)
        return JSONResponse(valid_values(known, picks_of(known, given)))

    async def costing(self, request: Request, name: str) -> Response:
        """What a request would take of the limit that it comes nearest to; nothing is read."""
        given = await _inputs(request)
        found = await run_in_threadpool(price, self._site, caller_of(request), name, given)
        return JSONResponse(self._cost(found))

    def _cost(self, found: Price) -> Document:
        plan, limits = found.plan, self._site.settings.jobs
        sizes = {name: (getattr(plan, name), getattr(limits, name)) for name in ("values", "bytes_read", "cells")}
        name = max(sizes, key=lambda one: sizes[one][0] / sizes[one][1])
        made = {"id": name, "cost": sizes[name][0], "limit": sizes[name][1], "request_is_valid": not found.refusal}
        made |= {"invalid_reason": found.refusal} if found.refusal else {}
        made["estimate"] = {
            "values": plan.values,
            "cells": plan.cells,
            "bytes_read": plan.bytes_read,
            "bytes_out": plan.bytes_out,
            "seconds": round(plan.seconds, 3),
        }
        return made

    async def execute(self, request: Request, name: str) -> Response:
        """A new job: 201. What cannot be answered is refused at once."""
        given = await _inputs(request)
        job = await run_in_threadpool(self._submitted, caller_of(request), name, given)
        document = documents.job_document(request, job)
        return JSONResponse(document, 201, headers={"Location": document["links"][0]["href"]})

    def _submitted(self, caller: Caller, name: str, given: Document) -> Job:
        inputs, plan = job_inputs(self._site, caller, name, given)
        title = _title(name, given)
        return submit_or_perform(self._site, caller, RETRIEVE, inputs, plan, title=title, dialect=DIALECT)

    # --- jobs -------------------------------------------------------------------------------------------------------

    def jobs(
        self,
        request: Request,
        limit: Limit = 100,
        sortby: Annotated[str, Query(description="created or -created.")] = "-created",
        status: Annotated[list[str] | None, Query(description="Only jobs in one of these states.")] = None,
        start: Annotated[int, Query(ge=0, le=_MOST_JOBS, description="How many jobs to leave out.")] = 0,
    ) -> Response:
        """The caller's jobs."""
        if sortby not in ("created", "-created"):
            raise Invalid(f"sortby is created or -created, not {sortby!r:.40}.", parameter="sortby")
        for one in status or ():
            if one not in _STATES:
                raise Invalid(f"A job is {', '.join(_STATES)}, not {one!r:.40}.", parameter="status")
        found, _ = self._site.jobs.list(caller_of(request), dialect=DIALECT, limit=_MOST_JOBS)
        mine = [job for job in found if not status or job.state in status]
        mine = mine if sortby == "-created" else mine[::-1]
        links = [documents.link("self", str(request.url))]
        for rel, place in (("next", start + limit), ("prev", max(0, start - limit))):
            if (rel == "next" and place < len(mine)) or (rel == "prev" and start):
                links.append(documents.link(rel, str(request.url.include_query_params(start=place))))
        shown = [documents.job_document(request, job) for job in mine[start : start + limit]]
        return JSONResponse({"jobs": shown, "links": links, "metadata": {"totalCount": len(mine)}})

    async def job(
        self,
        request: Request,
        job: str,
        log: Annotated[bool, Query(description="With the lines of its log.")] = False,  # noqa: FBT002 -- of the query
        after: Annotated[str, Query(alias="logStartTime", description="Only lines later than this.")] = "",
    ) -> Response:
        """How far a job is; held a moment while it is under way."""
        caller = caller_of(request)
        found = await self._site.jobs.waiting(caller, job, _HOLD)
        if found.state == "running":
            found = await self._site.jobs.waiting(caller, job, _HOLD)
        lines = await run_in_threadpool(self._site.jobs.logs, caller, job) if log else ()
        later = [one for one in lines if cast("str", documents.stamp(one.at)) > after]
        return JSONResponse(documents.job_document(request, found, later))

    def results(self, request: Request, job: str) -> Response:
        """Where the answer is; why there is none."""
        caller = caller_of(request)
        found = self._site.jobs.get(caller, job)
        if found.state == "successful":
            href = download_link(request, caller, found, found.outputs[0])
            return JSONResponse(documents.results_document(found, href))
        if found.state == "failed":
            return _problem(400, "The job has failed", found.message, found.error_kind)
        return _problem(404, "The job has no results", f"It is {found.state}.", "result-not-ready")

    def receipt(self, request: Request, job: str) -> Response:
        """What was asked, what came out, and whom to name for it."""
        caller = caller_of(request)
        found = self._site.jobs.get(caller, job)
        if not documents.is_over(found):
            return _problem(404, "The job has no receipt yet", f"It is {found.state}.", "result-not-ready")
        name = str(found.inputs.get("collection"))
        collection = orjson.loads(self._site.catalog.collection(caller, name))
        return JSONResponse(documents.receipt(request, found, collection))

    def delete(self, request: Request, job: str) -> Response:
        """Stop a job; one that has ended stays as it ended until its files are cleared away."""
        found = self._site.jobs.cancel(caller_of(request), job)
        return JSONResponse(documents.job_document(request, found))

    async def delete_many(self, request: Request) -> Response:
        """Stop several."""
        names = member(json_object(await request.body()), "job_ids", list, "a list of ids of jobs")
        caller = caller_of(request)
        found = [await run_in_threadpool(self._site.jobs.cancel, caller, str(name)[:80]) for name in names[:_MOST_JOBS]]
        return JSONResponse({"jobs": [documents.job_document(request, one) for one in found]})


async def _inputs(request: Request) -> dict[str, Any]:
    """``inputs`` of the body. Raises Invalid."""
    given = json_object(await request.body())
    found: dict[str, Any] = member(given, "inputs", dict, "an object with the keys of the request")
    return found


def _title(name: str, given: Document) -> str:
    return f"{name}: {str(given.get('variable', 'all variables'))[:100]}"


def _problem(status: int, title: str, detail: str, kind: str) -> Response:
    made = error_body(Report(status, kind or "internal", detail), None) | {"title": title}
    return JSONResponse(made, status, media_type="application/problem+json")
