"""Requests on the account: refused when a quota is used up, counted when answered, with what is left in headers.

``X-Quota-*`` speak of the quota that leaves least; ``RateLimit`` and ``RateLimit-Policy`` of all
(draft-ietf-httpapi-ratelimit-headers).
"""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from terrella.access.pace import NAME as PACE
from terrella.api.caller import caller_of
from terrella.api.errors import Report, render, report_of
from terrella.errors import QuotaExceeded
from terrella.model.spending import Amounts

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from terrella.access.ledger import Ledger
    from terrella.access.pace import Pace, Paces
    from terrella.model.spending import Usage

_FREE = ("/health", "/ready", "/metrics", "/static/", "/account", "/favicon.ico")
"""Costs nothing: whoever has used up their quota can still see that."""
_UNPACED = ("/health", "/ready", "/static/", "/favicon.ico")
"""Answered however fast somebody asks."""
_COLLECTION = re.compile(
    r"/(?:collections|zarr|tiles(?!/(?:collections|palettes|tileMatrixSets|conformance)(?:/|$)))/([^/]+)"
)
_EPOCH_MILLISECONDS = "/hda-broker/"
"""Below it X-Quota-Reset is milliseconds since 1970, as the client there reads it; elsewhere seconds left."""
_LEAST = Amounts(requests=1, bytes_out=1)
"""What any request takes."""
_SECONDS = {"hour": 3600, "day": 86400, "month": 2592000}
_UNITS = {"requests": "requests", "bytes_read": "content-bytes", "bytes_out": "content-bytes"}


class Accounted:
    """ASGI: asks the ledger before, and tells it after."""

    def __init__(self, app: ASGIApp, ledger: Ledger, paces: Paces) -> None:
        self.app = app
        self.ledger = ledger
        self.paces = paces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_UNPACED):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        caller, collection = caller_of(request), collection_in(scope["path"])
        is_free = scope["path"].startswith(_FREE)
        try:
            pace = self.paces.take(request.client.host) if caller.is_anonymous and request.client else None
            usages = [] if is_free else await self._usages(request, collection)
        except QuotaExceeded as error:
            report = report_of(error, request)
            await render(request, _with_headers(report, error, scope["path"]))(scope, receive, send)
            return
        headers, sent = [*quota_headers(usages, scope["path"]), *pace_headers(pace)], 0

        async def watched(message: Message) -> None:
            nonlocal sent
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *headers]}
            else:
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            if not is_free:
                self.ledger.count(caller, Amounts(requests=1, bytes_out=sent), collection)

    async def _usages(self, request: Request, collection: str) -> list[Usage]:
        """What quotas leave, as known within a second. Raises QuotaExceeded."""
        caller = caller_of(request)
        if self.ledger.is_known(caller, collection):
            return self.ledger.check(caller, _LEAST, collection)
        return await run_in_threadpool(self.ledger.check, caller, _LEAST, collection)


def collection_in(path: str) -> str:
    """The collection that a path speaks of; '' where it speaks of none."""
    found = _COLLECTION.search(path)
    return unquote(found[1]) if found else ""


def quota_headers(usages: list[Usage], path: str = "") -> list[tuple[bytes, bytes]]:
    """What quotas leave, as headers; none where nothing is limited."""
    known = [(usage, resource) for usage in usages for resource in usage.limits]
    if not known:
        return []
    usage, resource = min(known, key=lambda one: one[0].left(one[1]) / max(1, one[0].limits[one[1]]))
    reset = max(0, math.ceil(usage.resets - time.time()))
    made = {
        "X-Quota-Name": _quoted(f"{usage.quota}:{resource}"),
        "X-Quota-Limit": _whole(usage.limits[resource]),
        "X-Quota-Remaining": _whole(usage.left(resource)),
        "X-Quota-Reset": _reset(reset, path),
        "RateLimit-Policy": ", ".join(_policy(*one) for one in known),
        "RateLimit": ", ".join(_limit(*one) for one in known),
    }
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in made.items()]


def pace_headers(pace: Pace | None) -> list[tuple[bytes, bytes]]:
    """What an address may still ask for."""
    if pace is None:
        return []
    window = max(1, math.ceil(pace.full))
    policy, left = f"{_quoted(PACE)};q={pace.burst}", f"{_quoted(PACE)};r={pace.left};t={window}"
    return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]


def _policy(usage: Usage, resource: str) -> str:
    unit = _UNITS.get(resource)
    said = f';qu="{unit}"' if unit and unit != "requests" else ""
    return f"{_quoted(f'{usage.quota}:{resource}')};q={_whole(usage.limits[resource])};w={_SECONDS[usage.per]}{said}"


def _limit(usage: Usage, resource: str) -> str:
    reset = max(0, math.ceil(usage.resets - time.time()))
    return f"{_quoted(f'{usage.quota}:{resource}')};r={_whole(usage.left(resource))};t={reset}"


def _whole(amount: float) -> str:
    return str(math.floor(amount))


def _quoted(name: str) -> str:
    """A string of structured fields (RFC 9651): ASCII in quotes."""
    return json.dumps(name.encode("ascii", "replace").decode())


def _reset(seconds: int, path: str) -> str:
    if not path.startswith(_EPOCH_MILLISECONDS):
        return str(seconds)
    return str(round((time.time() + seconds) * 1000))


def _with_headers(report: Report, error: QuotaExceeded, path: str) -> Report:
    details = error.details
    more = {
        "X-Quota-Name": _quoted(f"{details['quota']}:{details['resource']}"),
        "X-Quota-Limit": _whole(details["limit"]),
        "X-Quota-Remaining": _whole(details["left"]),
        "X-Quota-Reset": _reset(details.get("retry_after", 0), path),
    }
    return replace(report, headers={**(report.headers or {}), **more})
