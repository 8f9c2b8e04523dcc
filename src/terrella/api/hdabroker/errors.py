"""Errors as the client hda can take them: it tries 500 and its like again five hundred times, minutes apart."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from terrella import errors
from terrella.api.errors import ErrorFormat

if TYPE_CHECKING:
    from terrella.api.errors import Report

RENEW = 403
"""The client takes this for a token that has run out, fetches another, and for nothing else."""


def _body(report: Report, request_id: str | None) -> dict[str, Any]:
    made = {
        "title": HTTPStatus(report.status).phrase,
        "status": report.status,
        "detail": report.message,
        "type": report.kind,
        "parameter": report.parameter,
        "details": dict(report.details),
        "request_id": request_id,
    }
    return {key: value for key, value in made.items() if value not in (None, {}, "")}


_STATUSES = {
    errors.Denied: 400,
    errors.Unsupported: 400,
    errors.TooLarge: 400,
    errors.ProviderUnavailable: 424,
    errors.Internal: 501,
}

ERRORS = [
    ErrorFormat("/hda-broker", _body, statuses=_STATUSES | {errors.Unauthenticated: RENEW}, unexpected=501),
    ErrorFormat("/identity", _body, statuses=_STATUSES, unexpected=501),
]
