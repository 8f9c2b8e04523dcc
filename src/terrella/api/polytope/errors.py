"""Errors as Polytope clients can take them: one text, flat; no status that makes them wait two hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terrella import errors
from terrella.api.errors import ErrorFormat

if TYPE_CHECKING:
    from terrella.api.errors import Report

OVERLOADED = 529
"""Not among the statuses that polytope-client tries again ten times, two minutes apart."""


def _body(report: Report, request_id: str | None) -> dict[str, Any]:
    # a nested value crashes the client's own printer of errors, and so does "expired" in the first text of a 401
    del request_id
    text = report.message
    return {"message": text.replace("expired", "no longer valid") if report.status == 401 else text}


_STATUSES = {
    errors.TooLarge: 400,
    errors.Unsupported: 400,
    errors.Unreadable: 400,
    errors.QuotaExceeded: OVERLOADED,
    errors.ProviderUnavailable: OVERLOADED,
}

ERRORS = [ErrorFormat(prefix, _body, statuses=_STATUSES) for prefix in ("/api/v1", "/api/v2")]
