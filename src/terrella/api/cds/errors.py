"""Errors as clients of the data stores print them: `title` and `detail`; 4xx for all that asking again cannot mend."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from terrella import errors
from terrella.api.errors import ErrorFormat

if TYPE_CHECKING:
    from terrella.api.errors import Report


def body(report: Report, request_id: str | None) -> dict[str, Any]:
    """Problem details; the client shows `title` and `detail`."""
    made = {
        "type": report.kind,
        "title": HTTPStatus(report.status).phrase,
        "status": report.status,
        "detail": report.message,
        "parameter": report.parameter,
        "details": dict(report.details),
        "trace_id": request_id,
    }
    return {key: value for key, value in made.items() if value not in (None, {}, "")}


_STATUSES = {errors.Unsupported: 400, errors.TooLarge: 400}
"""The client prints the text of a 4xx only."""

ERRORS = [
    ErrorFormat(f"/api/{part}", body, "application/problem+json", _STATUSES)
    for part in ("catalogue", "retrieve", "profiles")
]
