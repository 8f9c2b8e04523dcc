"""Who asks over HTTP: a request becomes a Caller, once, before anything else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terrella.model.caller import ANONYMOUS, Caller

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection


def caller_of(request: HTTPConnection) -> Caller:  # noqa: ARG001 -- nobody can say yet who they are
    """The caller behind a request: everybody is anonymous until the site knows accounts."""
    return ANONYMOUS
