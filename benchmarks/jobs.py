"""Jobs: how fast two workers finish 1,000 small ones on SQLite, and what 200 held polls cost a search.

python -m benchmarks.jobs
"""

from __future__ import annotations

import asyncio
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

import terrella
from benchmarks.serving import free_port, running
from terrella.model.caller import ANONYMOUS, OPERATOR

Row = dict[str, Any]
COMMAND = str(Path(sys.executable).with_name("terrella"))
_WORKER = """
import logging, sys
from pathlib import Path
import structlog
import terrella
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
from terrella.jobs.jobs import Jobs
from terrella.model.caller import OPERATOR
def small(work):
    (work.folder / "answer.txt").write_text(str(work.inputs["n"] * 2))
jobs = Jobs(Path(sys.argv[1]), "", {"small": small})
worker = jobs.worker(lambda _: OPERATOR)
print("ready", flush=True)
worker.run()
"""


def rate(count: int, workers: int) -> float:
    """Jobs a second, each with one file, from the moment that workers begin until the last is done."""
    from terrella.jobs.jobs import Jobs

    with tempfile.TemporaryDirectory(prefix="bench-jobs-") as name:
        jobs = Jobs(Path(name), "", {"small": lambda _: None})
        for n in range(count):
            jobs.submit(OPERATOR, "small", {"n": n})
        quiet: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        crew = [subprocess.Popen([sys.executable, "-c", _WORKER, name], **quiet) for _ in range(workers)]
        for process in crew:
            assert process.stdout
            process.stdout.readline()
        began = time.perf_counter()
        start = _done(jobs)
        while (done := _done(jobs)) < count:
            time.sleep(0.05)
        seconds = time.perf_counter() - began
        for process in crew:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        jobs.close()
    return (done - start) / seconds


def _done(jobs: Any) -> int:
    with jobs.rows.reading() as connection:
        return int(connection.execute("select count(*) from job where state = 'successful'").fetchone()[0])


async def searches(address: str, seconds: float) -> list[float]:
    """Milliseconds of /stac/search, one after the other."""
    taken = []
    async with httpx.AsyncClient(base_url=address, timeout=60) as web:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            began = time.perf_counter()
            (await web.get("/stac/search", params={"limit": 10})).raise_for_status()
            taken.append((time.perf_counter() - began) * 1000)
    return taken


async def with_polls(address: str, job: str, polls: int, seconds: float) -> tuple[list[float], list[float]]:
    """Searches alone, and while `polls` clients follow a job that nobody does."""
    limits = httpx.Limits(max_connections=polls + 10)
    async with httpx.AsyncClient(base_url=address, timeout=600, limits=limits) as web:
        await searches(address, 1)
        alone = await searches(address, seconds)
        held = [asyncio.create_task(web.get(f"/jobs/{job}/events")) for _ in range(polls)]
        await asyncio.sleep(3)
        beside = await searches(address, seconds)
        for poll in held:
            poll.cancel()
        await asyncio.gather(*held, return_exceptions=True)
    return alone, beside


def run(count: int = 1000, polls: int = 200, seconds: float = 5) -> list[Row]:
    per_second = rate(count, 2)
    rows: list[Row] = [
        {"what": f"{count} small jobs, two workers", "terrella_per_s": per_second, "ratio": per_second / 20, "bar": 1}
    ]
    with tempfile.TemporaryDirectory(prefix="bench-polls-") as name:
        with terrella.Site.open(name) as site:
            job = site.jobs.submit(ANONYMOUS, "extract", {})
        port = free_port()
        command = [COMMAND, "up", "--home", name, "--port", str(port)]
        with running(command, port, path="/health", TERRELLA_JOBS__WORKERS="0"):
            alone, beside = asyncio.run(with_polls(f"http://127.0.0.1:{port}", job, polls, seconds))
    before, after = statistics.median(alone), statistics.median(beside)
    rows.append(
        {
            "what": f"search while {polls} polls are held",
            "terrella_median_ms": after,
            "without polls_median_ms": before,
            "ratio": before / after,
            "bar": 1 / 1.2,
        }
    )
    return rows


if __name__ == "__main__":
    for row in run():
        print(row)
