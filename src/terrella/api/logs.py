"""Structured logs: one line a request, every line with the request's id; JSON for machines, colours for people."""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
from typing import TYPE_CHECKING, Any, Literal

import orjson
import structlog

from terrella.api.routes import route_template

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("terrella.access")

_SANE_ID = re.compile(rb"[A-Za-z0-9_.:\-]{1,80}")
_SECRETS = re.compile(
    r"""t[ks]_[\w-]{16,}                                  # keys and sessions
      | eyJ[\w-]{8,}(?:\.[\w-]*){1,4}                    # tokens of issuers
      | [\w-]{16,}\.[\w-]{43}(?![\w-])                   # signed links
      | (?<=/d/)[^\s/?"']+                               # the same, also when they are broken
      | (?<=Bearer\ )[\w.~+/=-]+ | (?<=Basic\ )[\w+/=-]+ | (?<=EmailKey\ )[\w.:@+/=~-]+
    """,
    re.VERBOSE | re.ASCII,
)
_SECRET_PARAMETERS = re.compile(
    r"""(?i)((?:^|[?&"'\s])(?:[\w.-]*(?:token|secret|password|signature|api[_-]?key|credential)s?|key|code|state)=)"""
    r"""[^&\s"']+"""
)
_QUIET = frozenset({"/health", "/ready", "/metrics"})

Mode = Literal["auto", "json", "pretty"]


def configure(mode: Mode = "auto", level: int = logging.INFO) -> None:
    """Send this process's logs, uvicorn's among them, to standard error; `auto` is JSON unless a person watches."""
    pretty = mode == "pretty" or (mode == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    _take_over_standard_logging(_formatter(shared, pretty=pretty), level)


def plain_unless_configured() -> None:
    """For an application inside another program: lines to standard error, until somebody says otherwise."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
            lambda _logger, _name, line: redacted(str(line)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def redacted(text: str) -> str:
    """A line without whatever could open something: keys, tokens, signed links, secrets in queries."""
    return _SECRET_PARAMETERS.sub(r"\1[hidden]", _SECRETS.sub("[hidden]", text))


class _Redacting(structlog.stdlib.ProcessorFormatter):
    """Whatever a library or a trace writes passes here last, so no secret depends on the care of others."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def _formatter(shared: list[Any], *, pretty: bool) -> logging.Formatter:
    final: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if pretty:
        # rich tracebacks show every local variable, which takes seconds for an array and blocks all other requests
        plain = structlog.dev.plain_traceback
        final.append(structlog.dev.ConsoleRenderer(pad_event_to=0, exception_formatter=plain))
    else:
        final += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    return _Redacting(foreign_pre_chain=shared, processors=final)


def _json(event: dict[str, Any], **_: object) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _take_over_standard_logging(formatter: logging.Formatter, level: int) -> None:
    screen = logging.StreamHandler(sys.stderr)
    screen.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [screen]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = name != "uvicorn.access"
    for chatty in ("httpx", "rasterio", "botocore", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class RequestLog:
    """ASGI: gives every request an id (the client's `X-Request-Id` where sane), and writes one line about it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status, sent, began = 500, 0, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (b"x-request-id", request_id.encode())]}
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, watched)
            finally:
                _write_line(scope, status, sent, time.perf_counter() - began)


def _write_line(scope: Scope, status: int, sent: int, seconds: float) -> None:
    write = log.debug if scope["path"] in _QUIET else log.info
    write(
        "request",
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1")[:500],
        route=route_template(scope),
        status=status,
        bytes=sent,
        ms=round(seconds * 1000, 1),
        client=scope["client"][0] if scope.get("client") else None,
        caller=scope["state"]["caller"].name if "caller" in scope["state"] else None,
    )


def _request_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if _SANE_ID.fullmatch(given) else secrets.token_hex(8)
