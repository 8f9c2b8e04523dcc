"""kill -9 of server, workers or both at random moments; then: is every acknowledged job done, once, and whole?

``python tests/soak/kills.py --rounds 200`` prints what it saw and ends with status 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent
sys.path.insert(0, str(TESTS))

import httpx  # noqa: E402

from soak.parts import content  # noqa: E402
from terrella.jobs.jobs import Jobs  # noqa: E402
from terrella.model.caller import OPERATOR  # noqa: E402

PATIENCE = 120.0


@dataclass
class Seen:
    """What the client was told, and what went wrong."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    """Number by id of job."""
    killed: dict[str, int] = field(default_factory=lambda: {"server": 0, "worker": 0, "both": 0})
    looked: int = 0
    downloads: int = 0
    wrong: list[str] = field(default_factory=list)
    takeover: float = 0.0
    """Longest time, in seconds, until all was done after the last kill."""


class Soak:
    """One home, one server at a time, and a client that never tires."""

    def __init__(self, home: Path, seed: int, pause: tuple[float, float], *, is_whole: bool) -> None:
        self.kind = "whole" if is_whole else "plain"
        self.home = home
        self.random = random.Random(seed)
        self.pause = pause
        self.seen = Seen()
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.server: subprocess.Popen[bytes] | None = None
        self.stopping = threading.Event()
        self.log = (home.parent / "server.log").open("ab")

    # --- what is killed ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        command = [sys.executable, "-m", "soak.parts", "server", str(self.home), str(self.port), self.kind]
        environment = {**os.environ, "PYTHONPATH": str(TESTS)}
        self.server = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)
        last = time.monotonic() + PATIENCE
        while time.monotonic() < last:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.address}/health", timeout=2).status_code == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError("the server does not start")

    def children(self) -> list[int]:
        """Workers of the server, whichever thread started them."""
        assert self.server
        found: list[int] = []
        for path in Path(f"/proc/{self.server.pid}/task").glob("*/children"):
            with suppress(OSError):
                found += [int(pid) for pid in path.read_text().split()]
        return found

    def kill(self, what: str) -> None:
        assert self.server
        workers = self.children()
        victims = {"server": [], "worker": self.random.sample(workers, min(1, len(workers))), "both": workers}[what]
        if what != "worker":
            self.server.kill()
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.seen.killed[what] += 1
        if what != "worker":
            self.server.wait()
            self.start()

    def stop(self) -> None:
        self.stopping.set()
        if self.server:
            self.server.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.server.wait(30)
            self.server.kill()
            self.server.wait()
        self.log.close()

    # --- who uses it -------------------------------------------------------------------------------------------------

    def submit(self) -> None:
        """Jobs one after the other; one that got no answer is sent again, with the same key."""
        number = 0
        with httpx.Client(base_url=self.address, timeout=10) as web:
            while not self.stopping.wait(0.25):
                with suppress(httpx.HTTPError):
                    answer = web.post(f"/soak/{number}", timeout=60)
                    if answer.status_code == 202:
                        self.seen.acknowledged[answer.json()["job"]] = number
                        number += 1

    def look(self) -> None:
        """Ask for results of all jobs, again and again: a result is there and whole, or it is not there."""
        rooms = Jobs(self.home, "", {})
        while not self.stopping.wait(0.05):
            for job, number in list(self.seen.acknowledged.items())[-20:]:
                self.seen.looked += 1
                with suppress(Exception):
                    found = rooms.get(OPERATOR, job)
                    if found.state == "successful":
                        self._check(job, number, rooms.file(OPERATOR, job, "whole.bin").read_bytes())
                    elif any((self.home / "jobs" / "results").glob(f"{job}.*")) and found.outputs:
                        self.seen.wrong.append(f"{job}: outputs before it ended")
        rooms.close()

    def _check(self, job: str, number: int, data: bytes) -> None:
        if data != content(number):
            self.seen.wrong.append(f"{job}: half a result")

    # --- the whole ---------------------------------------------------------------------------------------------------

    def run(self, rounds: int, restarts: int) -> Seen:
        self.home.mkdir(parents=True, exist_ok=True)
        self.start()
        _count_completions(self.home)
        threads = [threading.Thread(target=one, daemon=True) for one in (self.submit, self.look)]
        for thread in threads:
            thread.start()
        try:
            for what in self._plan(rounds, restarts):
                time.sleep(self.random.uniform(*self.pause))
                self.kill(what)
            self.stopping.set()
            for thread in threads:
                thread.join(30)
            self._finish()
        finally:
            self.stop()
        self._verify()
        return self.seen

    def _plan(self, rounds: int, restarts: int) -> list[str]:
        """What is killed in each round: so many servers, every second one with its workers."""
        made = [["server", "both"][n % 2] for n in range(restarts)] + ["worker"] * (rounds - restarts)
        self.random.shuffle(made)
        return made

    def _finish(self) -> None:
        """Wait until nothing is left to do."""
        began = time.monotonic()
        with httpx.Client(base_url=self.address, timeout=30) as web:
            left = set(self.seen.acknowledged)
            rooms = Jobs(self.home, "", {})
            while left and time.monotonic() - began < PATIENCE:
                left = {job for job in left if rooms.get(OPERATOR, job).state in ("accepted", "running")}
                time.sleep(0.05)
            self.seen.takeover = time.monotonic() - began
            self._settled(rooms)
            rooms.close()
            self._download(web)

    def _settled(self, rooms: Jobs) -> None:
        """Wait for the chores of the last second."""
        last = time.monotonic() + PATIENCE
        while time.monotonic() < last:
            with rooms.rows.reading() as connection:
                left = connection.execute("select count(*) from job where settled = 0").fetchone()[0]
            if not left:
                return
            time.sleep(0.05)

    def _download(self, web: httpx.Client) -> None:
        """Some results over HTTP, by their signed links."""
        rooms = Jobs(self.home, "", {})
        for job, number in list(self.seen.acknowledged.items())[:: max(1, len(self.seen.acknowledged) // 20)]:
            with suppress(Exception):
                self._check(job, number, rooms.file(OPERATOR, job, "whole.bin").read_bytes())
                self.seen.downloads += 1
        rooms.close()

    def _verify(self) -> None:
        wrong = self.seen.wrong
        with sqlite3.connect(self.home / "jobs.sqlite") as connection:
            states = dict(connection.execute("select id, state || ' ' || message from job"))
            completions = dict(connection.execute("select job, count(*) from completion group by job"))
            numbers = [json.loads(text)["number"] for (text,) in connection.execute("select inputs from job")]
            broken = connection.execute("pragma quick_check").fetchone()[0]
        connection.close()
        for job in self.seen.acknowledged:
            if not states.get(job, "lost").startswith("successful"):
                wrong.append(f"{job}: {states.get(job, 'lost')}")
            elif completions.get(job) != 1:
                wrong.append(f"{job}: completed {completions.get(job, 0)} times")
        if len(numbers) != len(set(numbers)):
            wrong.append("a number was submitted twice")
        if broken != "ok":
            wrong.append(f"the database is broken: {broken}")
        self._verify_files(wrong)
        self._verify_charges(wrong, states)

    def _verify_files(self, wrong: list[str]) -> None:
        rooms = Jobs(self.home, "", {})
        for job, number in self.seen.acknowledged.items():
            with suppress(Exception):
                path = rooms.file(OPERATOR, job, "whole.bin")
                self._check(job, number, path.read_bytes())
                continue
            wrong.append(f"{job}: no file")
        rooms.close()

    def _verify_charges(self, wrong: list[str], states: dict[str, str]) -> None:
        with sqlite3.connect(self.home / "charges.sqlite") as connection:
            charged = dict(connection.execute("select job, state from charge"))
        connection.close()
        ended = {job for job, state in states.items() if state.startswith("successful")}
        if set(charged) != ended:
            wrong.append(f"{len(ended - set(charged))} jobs were not charged, {len(set(charged) - ended)} wrongly")


def _count_completions(home: Path) -> None:
    """A witness inside the database: every time that a job turns successful."""
    with sqlite3.connect(home / "jobs.sqlite", timeout=60) as connection:
        connection.execute("create table completion (job text)")
        connection.execute(
            "create trigger witness after update of state on job when new.state = 'successful' "
            "begin insert into completion values (new.id); end"
        )
    connection.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def soak(folder: Path, rounds: int, seed: int, *, restarts: int, is_whole: bool, pause: tuple[float, float]) -> Seen:
    """Run it in an empty folder; what was seen. The server dies in `restarts` rounds; it is whole, or starts sooner."""
    return Soak(folder / "home", seed, pause, is_whole=is_whole).run(rounds, restarts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked: Any = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        began = time.monotonic()
        many = asked.rounds * 2 // 5
        seen = soak(Path(folder), asked.rounds, asked.seed, restarts=many, is_whole=True, pause=(0.2, 2.0))
    print(
        f"{asked.rounds} rounds in {time.monotonic() - began:.0f} s, kills {seen.killed}: "
        f"{len(seen.acknowledged)} jobs acknowledged, {seen.looked} looks, all done {seen.takeover:.1f} s after the "
        f"last kill, {len(seen.wrong)} wrong"
    )
    for text in seen.wrong[:20]:
        print(" ", text)
    return 1 if seen.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
