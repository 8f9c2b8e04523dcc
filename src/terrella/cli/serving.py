"""`terrella up`."""

from __future__ import annotations

import signal
import sys
from threading import Thread
from typing import TYPE_CHECKING

from terrella.cli.console import console
from terrella.site import Site

if TYPE_CHECKING:
    from pathlib import Path

_BEFORE_WORKERS = 1.0
"""Seconds that the server has for itself: workers that start keep the processor busy, and first requests come now."""


def up(home: Path, host: str | None, port: int | None, *, demo: bool) -> None:
    from terrella.api.app import create_app
    from terrella.api.server import serve

    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    site = Site.open(home, **({"server": given} if given else {}))
    crew = site.jobs.crew(site.settings.home, site.settings.jobs.workers)
    out = console()

    def ready(address: str) -> None:
        # in one piece: whoever waits for the first line finds the others there
        sys.stdout.write(f"Ready at {address}  (Ctrl-C stops)\n{first_key_text(site)}")
        sys.stdout.flush()
        # the first extraction then need not wait for xarray to load
        Thread(target=lambda: site.extractor, daemon=True).start()
        crew.start(after=_BEFORE_WORKERS)

    # the server finishes what runs, then sends itself the signal again: that is a good end
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if demo:
            from terrella.cli.demo import add_demo

            add_demo(site, out)
            site.scanners.close()
        out.print(f"Terrella serves {site.settings.home}", markup=False)
        server = site.settings.server
        serve(
            lambda: create_app(site),
            server.host,
            server.port,
            drain_seconds=server.drain_seconds,
            proxies=server.trusted_proxies,
            log_mode=server.logs,
            on_ready=ready,
        )
    finally:
        crew.stop()
        site.close()
        sys.stdout.flush()


def first_key_text(site: Site) -> str:
    """The first administrator's key, on the very first start only; it goes into no log."""
    new = site.access.first_key()
    if new is None:
        return ""
    return (
        f"The administrator's key, shown this once: {new.text}\n"
        "  (another one: terrella key create NAME; sign in with it at /account/login)\n"
    )
