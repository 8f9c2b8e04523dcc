"""Downloads: /d/{token} opens one output of one job, for a time, for whoever has the address."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from terrella.api.files import serve_file
from terrella.errors import NotFound

if TYPE_CHECKING:
    from terrella.model.caller import Caller
    from terrella.model.job import Job, Output
    from terrella.site import Site

SECONDS = 7 * 86400.0
"""How long a link is good when nothing else is said."""
PREFIX = "/d"


def router(site: Site) -> APIRouter:
    """GET and HEAD /d/{token} and /d/{token}/{name}; the name is there for people and for clients that save by it."""
    made = APIRouter()

    def download(request: Request, token: str) -> Response:
        """One output of a job, whole or by range. The address itself is the credential."""
        kind, _, rest = site.access.links.verify(token).what.partition("/")
        job, _, output = rest.partition("/")
        if kind != "job":
            raise NotFound("There is no such download.")
        found, path = site.jobs.published(job, output)
        return serve_file(request, path, media_type=found.media_type, name=found.name, sha256=found.sha256)

    about = {
        200: {"description": "The file.", "content": {"application/octet-stream": {}}},
        206: {"description": "A part of it.", "content": {"application/octet-stream": {}}},
        304: {"description": "You have it already."},
        416: {"description": "No byte of that range is in the file."},
    }
    for path in (PREFIX + "/{token}", PREFIX + "/{token}/{name:path}"):
        made.add_api_route(
            path,
            download,
            methods=["GET"],
            summary="Download a result",
            tags=["Jobs"],
            response_class=Response,
            responses=about,  # type: ignore[arg-type]
            include_in_schema=path.endswith("{token}"),
        )
    return made


def link(request: Request, caller: Caller, job: Job | str, output: Output | str, seconds: float = SECONDS) -> str:
    """The absolute address of an output, good without any other credential. Raises NotFound.

    The caller must be one who sees the job.
    """
    site: Site = request.app.state.site
    name = output if isinstance(output, str) else output.name
    known = site.jobs.get(caller, job if isinstance(job, str) else job.id)
    site.jobs.published(known.id, name)
    token = site.access.links.sign(caller, f"job/{known.id}/{name}", seconds)
    return f"{str(request.base_url).rstrip('/')}{PREFIX}/{token}/{quote(name)}"
