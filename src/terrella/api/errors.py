"""Errors as HTTP: one table from error classes to statuses, and one body renderer a dialect.

OGC dialects and everything else answer problem details (RFC 9457) that also carry the `code` and `description`
that OGC API clients read; the STAC API answers `code` and `description`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from terrella import errors
from terrella.errors import Internal, Invalid, TerrellaError, nearest_names

log = structlog.get_logger("terrella.api")

STATUS: dict[type[TerrellaError], int] = {
    errors.TooLarge: 413,
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Denied: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.QuotaExceeded: 429,
    errors.Unsupported: 501,
    errors.Unreadable: 422,
    errors.ProviderUnavailable: 502,
    errors.Internal: 500,
    errors.TerrellaError: 500,
}
"""The one table. The most special class that an error belongs to decides."""

_KINDS = {
    400: "invalid",
    401: "unauthenticated",
    403: "denied",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    409: "conflict",
    413: "too-large",
    415: "unsupported-media-type",
    422: "unreadable",
    429: "quota-exceeded",
    501: "unsupported",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What went wrong, for a renderer."""

    status: int
    kind: str
    message: str
    parameter: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ErrorFormat:
    """How the dialect below a path writes errors."""

    prefix: str
    body: Callable[[Report, str | None], dict[str, Any]]
    """From a report and the request id to a JSON object."""
    media_type: str = "application/json"
    statuses: Mapping[type[TerrellaError], int] = field(default_factory=dict)
    """Lines of the table that this dialect has differently."""
    unexpected: int = 500
    """Status of what nobody foresaw."""


def problem(report: Report, request_id: str | None) -> dict[str, Any]:
    """Problem details (RFC 9457) with the members that OGC API clients read."""
    return _without_empty(
        {
            "type": "about:blank",
            "title": HTTPStatus(report.status).phrase,
            "status": report.status,
            "detail": report.message,
            "code": report.kind,
            "description": report.message,
            "parameter": report.parameter,
            "details": report.details,
            "request_id": request_id,
        }
    )


def code_and_description(report: Report, request_id: str | None) -> dict[str, Any]:
    """The body that the STAC API specification asks for."""
    return _without_empty(
        {
            "code": report.kind,
            "description": report.message,
            "parameter": report.parameter,
            "details": report.details,
            "request_id": request_id,
        }
    )


PROBLEM = ErrorFormat("/", problem, "application/problem+json")


def status_of(error: TerrellaError, special: Mapping[type[TerrellaError], int] = STATUS) -> int:
    """The status of an error by its most special class in the table."""
    table = {**STATUS, **special}
    return next(table[cls] for cls in type(error).__mro__ if cls in table)


def install(app: FastAPI, formats: Iterable[ErrorFormat]) -> None:
    """Answer every error of the app in the format of the dialect that it happened in."""
    app.state.error_formats = (*formats, PROBLEM)
    app.add_exception_handler(TerrellaError, _on_terrella_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


class CatchAll:
    """ASGI: an exception that nobody expected is logged with the request id and answered with a plain 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception:
            log.exception("unexpected error", path=scope["path"])
            if started:  # too late for another status: cutting the connection tells the client
                raise
            request = Request(scope)
            status = _format_of(request).unexpected
            report = Report(status, Internal.kind, "Something went wrong here; the site's log knows more.")
            await render(request, report)(scope, receive, send)


def render(request: Request, report: Report) -> Response:
    """A report in the format of the dialect that the request speaks."""
    spoken = _format_of(request)
    body = spoken.body(report, request.scope.get("state", {}).get("request_id"))
    return Response(
        orjson.dumps(body, default=str), report.status, headers=report.headers, media_type=spoken.media_type
    )


def _format_of(request: Request) -> ErrorFormat:
    path = request.scope["path"] + "/"
    formats: Sequence[ErrorFormat] = getattr(request.app.state, "error_formats", (PROBLEM,))
    return next((spoken for spoken in formats if path.startswith(spoken.prefix.rstrip("/") + "/")), PROBLEM)


def report_of(error: TerrellaError, request: Request) -> Report:
    """An error as the dialect that the request speaks reports it."""
    status = status_of(error, _format_of(request).statuses)
    return Report(status, error.kind, error.message, error.parameter, error.details, _headers(error, status, request))


def _headers(error: TerrellaError, status: int, request: Request) -> dict[str, str] | None:
    """How to sign in, and when to come again."""
    if status == 401:
        # browsers ask with a window of their own where Basic is offered, so only those who sent it are
        asked = "Basic" if request.headers.get("authorization", "")[:5].lower() == "basic" else "Bearer"
        return {"WWW-Authenticate": f'{asked} realm="terrella"'}
    after = error.details.get("retry_after")
    return {"Retry-After": str(after)} if isinstance(after, int) else None


async def _on_terrella_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TerrellaError)
    report = report_of(error, request)
    if report.status >= 500:
        log.error("failed", kind=error.kind, reason=error.message, exc_info=error if report.status == 500 else None)
    return render(request, report)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = str(error.detail)
    if error.status_code == 404 and message == "Not Found":
        message = f"There is nothing at {request.url.path!r:.200}."
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        message = f"{request.method} is not possible here" + (f"; there is: {allowed}." if allowed else ".")
    kind = _KINDS.get(error.status_code, Internal.kind)
    return render(request, Report(error.status_code, kind, message, headers=error.headers))


async def _on_validation_error(request: Request, error: Exception) -> Response:
    """What FastAPI found wrong is a 400 that names the first parameter at fault and lists all."""
    assert isinstance(error, RequestValidationError)
    faults = [_fault(entry, request) for entry in error.errors()[:10]]
    message = " ".join(f"{name}: {text}" if name else text for name, text in faults)
    parameter = faults[0][0] or None
    return await _on_terrella_error(request, Invalid(message, parameter=parameter))


def _fault(entry: Mapping[str, Any], request: Request) -> tuple[str, str]:
    """Name of a parameter and what is wrong with it, from one entry of pydantic's list."""
    place, *path = entry["loc"]
    name = ".".join(str(step) for step in path if not str(step).startswith(("function-", "list[", "dict[")))
    kind = entry["type"]
    if kind == "json_invalid":
        return "body", f"This is no JSON: {entry['ctx']['error']} at character {path[0] if path else 0}."
    if place == "body" and not path:
        return "body", "Send a JSON object, with Content-Type: application/json."
    if kind == "extra_forbidden":
        return name, f"There is no such member. {nearest_names(str(path[-1]), members_of(request))}"
    text = entry["msg"].removeprefix("Value error, ").rstrip(".")
    if kind == "missing":
        return name, "This is required."
    return name, f"{text}, not {_shown(entry.get('input'))}."


def members_of(request: Request) -> list[str]:
    """Names that the JSON body of this route may have at its top."""
    body = getattr(request.scope.get("route"), "body_field", None)
    annotation = getattr(getattr(body, "field_info", None), "annotation", None)
    fields = getattr(annotation, "model_fields", {})
    return [known.alias or name for name, known in fields.items()]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _without_empty(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if value not in (None, {}, "")}
