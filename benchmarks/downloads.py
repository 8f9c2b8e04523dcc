"""A large download: a result of a job from Terrella, and the same file from nginx, by curl on loopback.

    python -m benchmarks.downloads

nginx has sendfile on and one worker; rounds alternate. Not measured where nginx or curl is not installed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import terrella
from benchmarks.serving import free_port, running
from terrella.model.caller import OPERATOR

Row = dict[str, Any]
COMMAND = str(Path(sys.executable).with_name("terrella"))
WHAT = "download of {} MB"
_CONFIGURATION = """
daemon off; user root; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/errors.log;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; tcp_nopush on;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


def made_result(home: Path, megabytes: int) -> tuple[Path, str]:
    """A result of a job: where it lies, and the path of its link."""

    def big(work: Any) -> None:
        block = os.urandom(1_000_000)
        with (work.folder / "big.bin").open("wb") as file:
            for _ in range(megabytes):
                file.write(block)

    with terrella.Site.open(home) as site:
        site.jobs._tasks["big"] = big  # type: ignore[index]  # noqa: SLF001
        job = site.jobs.submit(OPERATOR, "big", {})
        site.jobs.worker(lambda _: OPERATOR).run(until_idle=True)
        token = site.access.links.sign(OPERATOR, f"job/{job}/big.bin", 86400)
        return site.jobs.file(OPERATOR, job, "big.bin"), f"/d/{token}"


@contextmanager
def nginx(folder: Path, root: Path) -> Iterator[int]:
    """The port of an nginx that serves a folder."""
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, root=root))
    (root / "ready").write_text("yes")
    with running(["nginx", "-c", str(configuration)], port, path="/ready"):
        yield port


def seconds_of(address: str) -> float:
    """Of one download, by curl."""
    began = time.perf_counter()
    subprocess.run(["curl", "-sS", "--fail", "-o", "/dev/null", address], check=True, timeout=120)
    return time.perf_counter() - began


def run(megabytes: int = 1000, rounds: int = 7) -> list[Row]:
    """Seconds of both, and their ratio; the bar is 10 % more than nginx takes."""
    what = WHAT.format(megabytes)
    for program in ("nginx", "curl"):
        if shutil.which(program) is None:
            return [{"what": what, "not_measured": f"{program} is not installed (Debian: apt-get install {program})"}]
    with tempfile.TemporaryDirectory(prefix="bench-downloads-") as name:
        folder = Path(name)
        path, link = made_result(folder / "home", megabytes)
        port = free_port()
        command = [COMMAND, "up", "--home", str(folder / "home"), "--port", str(port)]
        with (
            nginx(folder, path.parent) as other,
            running(command, port, path="/health", TERRELLA_JOBS__WORKERS="0"),
        ):
            ours, theirs = [], []
            for _ in range(rounds + 1):
                theirs.append(seconds_of(f"http://127.0.0.1:{other}/big.bin"))
                ours.append(seconds_of(f"http://127.0.0.1:{port}{link}"))
    mine, nginxs = statistics.median(ours[1:]), statistics.median(theirs[1:])
    return [{"what": what, "terrella_s": mine, "nginx_s": nginxs, "ratio": nginxs / mine, "bar": 1 / 1.1}]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    for row in run(parser.parse_args().megabytes):
        print(row)
