"""Serving an application: uvicorn on uvloop and httptools, one process or several, logs through structlog."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from terrella.api import logs
from terrella.api.sendfile import SendfileProtocol
from terrella.errors import Conflict, Invalid

if TYPE_CHECKING:
    from fastapi import FastAPI

Factory = Callable[[], "FastAPI"]
"""Makes the application; for several workers it must be picklable: a function of a module, or a partial of one."""


@dataclass(frozen=True, slots=True)
class _Worker:
    """Makes the application in its own process, after its logs are set up."""

    factory: Factory
    mode: logs.Mode

    def __call__(self) -> FastAPI:
        logs.configure(self.mode)
        return self.factory()


def serve(
    factory: Factory,
    host: str = "127.0.0.1",
    port: int = 8700,
    *,
    workers: int = 1,
    drain_seconds: float = 10,
    proxies: Sequence[str] = ("127.0.0.1", "::1"),
    log_mode: logs.Mode = "auto",
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish what runs within `drain_seconds`.

    `proxies` are addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed. `on_ready` is called
    once, with the address, when requests are answered. Port 0 takes any free one.
    Raises Conflict when the port is taken, Invalid for an address that is not this machine's.
    """
    listening = listening_socket(host, port)
    address = _address(host, listening.getsockname()[1])
    config = _config(_Worker(factory, log_mode), workers, drain_seconds, proxies)
    with listening, suppress(KeyboardInterrupt):  # uvicorn raises it again when all is done
        if workers == 1:
            _Announcing(config, lambda: on_ready(address) if on_ready else None).run(sockets=[listening])
        else:
            _serve_by_many(config, listening, address, on_ready)


def _config(app: Callable[[], FastAPI], workers: int, drain_seconds: float, proxies: Sequence[str]) -> uvicorn.Config:
    # httptools and uvloop: with h11 on asyncio, two workers on one socket take 45 ms a request instead of 3
    return uvicorn.Config(
        app,
        factory=True,
        http=SendfileProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(proxies),
        timeout_keep_alive=30,
        timeout_worker_healthcheck=60,  # a worker that is still importing on a busy machine is not dead
        timeout_graceful_shutdown=max(1, round(drain_seconds)),
    )


class _Announcing(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def _serve_by_many(
    config: uvicorn.Config, listening: socket.socket, address: str, on_ready: Callable[[str], None] | None
) -> None:
    supervisor = Multiprocess(config, sockets=[listening])
    if on_ready:
        ends = supervisor.should_exit
        threading.Thread(target=_announce, args=(address, on_ready, ends), daemon=True).start()
    supervisor.run()


def _announce(address: str, on_ready: Callable[[str], None], ends: threading.Event) -> None:
    """Ask until somebody answers: the supervisor itself does not know when its workers are ready."""
    while not ends.wait(0.05):
        connection = HTTPConnection(address.removeprefix("http://"), timeout=5)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                on_ready(address)
                return
        except OSError:
            continue
        finally:
            connection.close()


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket bound to an address. Raises Conflict when the port is taken, Invalid for a host not of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise _not_bound(error, host, port) from None
    listening.set_inheritable(True)
    return listening


def _not_bound(error: OSError, host: str, port: int) -> Conflict | Invalid:
    if error.errno == errno.EADDRINUSE:
        return Conflict(f"Port {port} of {host} is taken by another program: choose one with --port.", parameter="port")
    if error.errno == errno.EACCES:
        return Conflict(f"Port {port} is for the administrator only: choose one above 1023.", parameter="port")
    return Invalid(f"Cannot listen on {host!r:.80}: {error.strerror or error}.", parameter="host")


def _address(host: str, port: int) -> str:
    shown: Any = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"
