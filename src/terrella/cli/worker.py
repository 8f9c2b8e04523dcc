"""`terrella worker`: does jobs, in this process or in several."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from terrella.cli.console import console
from terrella.site import Site

if TYPE_CHECKING:
    from pathlib import Path


def work(home: Path, processes: int, *, parent: int) -> None:
    """Do jobs until Ctrl-C or SIGTERM; the current job is then handed back."""
    from terrella.api import logs
    from terrella.site.tasks import caller_named

    with Site.for_jobs(home) as site:
        logs.configure(site.settings.server.logs)
        if processes > 1:
            _supervise(site, processes)
            return
        worker = site.jobs.worker(lambda name: caller_named(site, name), parent=parent)
        for ends in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ends, lambda *_: worker.stop())
        if not parent:
            console(err=True).print(f"Doing jobs of {site.settings.home}  (Ctrl-C stops)", markup=False)
        # the first extraction then need not wait for xarray to load
        threading.Thread(target=lambda: site.extractor, daemon=True).start()
        worker.run()


def _supervise(site: Site, processes: int) -> None:
    crew = site.jobs.crew(site.settings.home, processes)
    crew.start()
    console(err=True).print(f"{processes} workers do jobs of {site.settings.home}  (Ctrl-C stops)", markup=False)
    for ends in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ends, lambda *_: crew.end())
    crew.wait()
    crew.stop()
