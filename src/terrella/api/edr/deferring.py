"""Answers wanted later: `Prefer: respond-async` (RFC 7240) makes a job of a query, as in OGC API - Processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terrella.api.edr.responses import as_json
from terrella.api.jobs import status_info
from terrella.errors import NotFound
from terrella.site.tasks import EXTRACT, extract_inputs, submit_or_perform

if TYPE_CHECKING:
    from fastapi import Request
    from fastapi.responses import Response

    from terrella.contracts.encodings import Encoding
    from terrella.model.caller import Caller
    from terrella.model.extraction import Extraction
    from terrella.site.site import Site

_ASYNC = "respond-async"


def prefers_async(request: Request) -> bool:
    """Whether the client would rather ask again than wait."""
    said = ",".join(request.headers.getlist("prefer"))
    return _ASYNC in {one.partition(";")[0].strip().casefold() for one in said.split(",")}


def submitted(request: Request, caller: Caller, wanted: Extraction, encoding: Encoding, site: Site) -> Response:
    """A job for the query: 201 and where to ask for it. What cannot be answered is refused at once.

    A job may be larger than what is answered at once. Raises TooLarge with a smaller request, NotFound where the shape
    holds no cell, QuotaExceeded, Denied.
    """
    plan = site.extractor.plan(caller, wanted)
    if not plan.cells:
        raise NotFound("No cell lies in there: take a larger shape, or a position for the nearest cell.")
    site.job_extractor.check(caller, wanted, plan)
    inputs, title = extract_inputs(wanted, encoding.name), f"{wanted.collection} as {encoding.title}"
    job = submit_or_perform(site, caller, EXTRACT, inputs, plan, title=title, dialect="edr")
    made = as_json(status_info(request, job))
    made.status_code = 201
    made.headers["Location"] = f"{str(request.base_url).rstrip('/')}/jobs/{job.id}"
    made.headers["Preference-Applied"] = _ASYNC
    return made
