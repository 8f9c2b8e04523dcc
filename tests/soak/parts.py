"""What is killed: a server with its crew, and workers. Started as `python -m soak.parts server|worker HOME [PORT]`."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

from terrella.jobs.crew import Crew
from terrella.jobs.jobs import Jobs
from terrella.model.caller import OPERATOR, Caller
from terrella.model.job import Job

WORKERS = 2
PIECES = 4
PIECE = 50_000


def content(number: int) -> bytes:
    """What the job of this number makes."""
    return b"".join(hashlib.sha256(f"{number}/{n}".encode()).digest() * (PIECE // 32) for n in range(PIECES))


def make(work: Any) -> None:
    """Some steps, then a file that is written slowly, so that many kills find it half written."""
    for n in range(3):
        work.step(f"step {n}", lambda: time.sleep(0.02))
        work.progress(n / 5, f"Step {n}.")
    whole = content(work.inputs["number"])
    with (work.folder / "whole.bin").open("wb") as file:
        for n in range(PIECES):
            file.write(whole[n * len(whole) // PIECES : (n + 1) * len(whole) // PIECES])
            file.flush()
            time.sleep(0.02)
            work.progress(0.6 + n / 10)


def charge(home: Path, job: Job) -> None:
    """A ledger of our own: an entry a job, however often it is told."""
    with sqlite3.connect(home / "charges.sqlite", timeout=60) as connection:
        connection.execute("create table if not exists charge (job text primary key, state text)")
        connection.execute("insert into charge values (?, ?) on conflict do nothing", (job.id, job.state))
    connection.close()


def worker(home: Path, parent: int) -> None:
    jobs = Jobs(home, "", {"soak": make}, ended=lambda job: charge(home, job))
    found = jobs.worker(_somebody, parent=parent)
    signal.signal(signal.SIGTERM, lambda *_: found.stop())
    found.run()
    jobs.close()


def _somebody(name: str) -> Caller:
    return OPERATOR if name == OPERATOR.name else Caller(name)


def server(home: Path, port: int, *, is_whole: bool) -> None:
    """With the whole application, or (it starts sooner) with no more than submitting."""
    from terrella.api.server import serve

    site, jobs = _site(home) if is_whole else (None, Jobs(home, "", {"soak": make}, at_once=["soak"]))
    crew = Crew([sys.executable, "-m", "soak.parts", "worker", str(home), str(os.getpid())], WORKERS, lambda: jobs.rows)
    serve(lambda: _application(site, jobs), port=port, on_ready=lambda _: crew.start(), log_mode="json")
    crew.stop()


def _site(home: Path) -> tuple[Any, Jobs]:
    from terrella.site import Site

    site = Site.open(home)
    site.jobs._tasks["soak"] = make  # type: ignore[index]
    site.jobs._small = frozenset({"soak"})
    return site, site.jobs


def _application(site: Any, jobs: Jobs) -> Any:
    from fastapi import FastAPI
    from starlette.responses import JSONResponse

    def submit(number: int) -> Any:
        asked: Any = {"inputs": {"number": number}, "key": f"soak {number}"}
        if number % 3 == 0:  # the server itself does some, and is killed in their midst
            return JSONResponse({"job": jobs.perform(OPERATOR, "soak", **asked).id}, 202)
        return JSONResponse({"job": jobs.submit(OPERATOR, "soak", **asked)}, 202)

    if site is None:
        app = FastAPI()
        app.add_api_route("/health", lambda: "well")
    else:
        from terrella.api.app import create_app

        app = create_app(site)
    app.add_api_route("/soak/{number}", submit, methods=["POST"])
    return app


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
    if sys.argv[1] == "worker":
        worker(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        server(Path(sys.argv[2]), int(sys.argv[3]), is_whole=sys.argv[4] == "whole")
