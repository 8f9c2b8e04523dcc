"""Figures for Prometheus: requests, their time and the stored bytes that they read. One registry an app."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.responses import Response

from terrella.api.routes import route_template

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
BYTES_READ = b"terrella-bytes-read"


class Metrics:
    """The site's figures; each worker process has its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "terrella_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "terrella_request_seconds",
            "Time from a request to the last byte of its answer.",
            ["route", "method"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.running = Gauge("terrella_requests_running", "Requests being answered now.", registry=self.registry)
        self.bytes_read = Counter("terrella_bytes_read", "Stored bytes read for answers.", registry=self.registry)

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request."""
        route = route_template(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.requests.labels(route, method, status).inc()
        self.seconds.labels(route, method).observe(seconds)

    def exposition(self) -> Response:
        """All figures in Prometheus' text format."""
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)


class Measured:
    """ASGI: counts and times every request; bytes read come from the answer's `Terrella-Bytes-Read` header."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._count_bytes_read(message)
            await send(message)

        with self.metrics.running.track_inprogress():
            try:
                await self.app(scope, receive, watched)
            finally:
                self.metrics.answered(scope, status, time.perf_counter() - began)

    def _count_bytes_read(self, message: Message) -> None:
        for name, value in message["headers"]:
            if name.lower() == BYTES_READ and value.isdigit():
                self.metrics.bytes_read.inc(int(value))
