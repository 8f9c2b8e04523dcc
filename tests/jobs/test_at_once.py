"""Small jobs, run by the process that takes them in: as durable as those of workers."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.conftest import ANN, BOB, until, work_off
from terrella.errors import Denied, Invalid, NotFound, ProviderUnavailable
from terrella.jobs.at_once import MOST
from terrella.jobs.jobs import Jobs
from terrella.model.caller import Caller

Make = Callable[..., Jobs]


def test_it_comes_back_done(make: Make) -> None:
    jobs, other = make(at_once=["echo"]), make()
    done = jobs.perform(ANN, "echo", {"text": "now"}, title="T", dialect="d")
    assert (done.state, done.attempts, done.owner, done.title, done.dialect) == ("successful", 1, "ann", "T", "d")
    assert other.file(ANN, done.id, "echo.txt").read_text() == "now"
    assert other.get(ANN, done.id) == done
    assert work_off(other) == 0
    with pytest.raises(NotFound):
        jobs.get(BOB, done.id)


def test_the_task_sees_the_caller_who_asked(make: Make) -> None:
    def who(work: Any) -> None:
        (work.folder / "who.txt").write_text(f"{work.caller.name} {sorted(work.caller.scopes)}")

    jobs = make({"who": who}, at_once=["who"])
    done = jobs.perform(ANN, "who", {})
    assert jobs.file(ANN, done.id, "who.txt").read_text() == "ann ['run']"


def test_kinds_that_are_not_for_it_are_left_to_workers(jobs: Jobs) -> None:
    waiting = jobs.perform(ANN, "echo", {"text": "later"})
    assert waiting.state == "accepted"
    assert work_off(jobs) == 1
    assert jobs.get(ANN, waiting.id).state == "successful"


def test_the_same_key_is_run_once(make: Make) -> None:
    runs: list[int] = []
    jobs = make({"once": lambda work: runs.append(1)}, at_once=["once"])
    first = jobs.perform(ANN, "once", {}, key="k")
    assert jobs.perform(ANN, "once", {}, key="k") == first
    assert jobs.submit(ANN, "once", {}, key="k") == first.id
    assert runs == [1]


def test_failures_are_those_of_jobs(make: Make) -> None:
    def wrong(work: Any) -> None:
        (work.folder / "half").write_bytes(b"half")
        raise [Invalid("Upside down."), ZeroDivisionError(), ProviderUnavailable("Closed.")][work.inputs["n"]]

    jobs = make({"wrong": wrong}, at_once=["wrong"])
    found = [jobs.perform(ANN, "wrong", {"n": n}) for n in range(3)]
    assert [(one.state, one.error_kind) for one in found] == [
        ("failed", "invalid"),
        ("failed", "internal"),
        ("accepted", ""),
    ]
    assert found[0].message == "Upside down."
    assert "Zero" not in found[1].message
    assert jobs.results.names() == []
    with pytest.raises(Denied):
        jobs.perform(Caller("eve"), "wrong", {"n": 0})
    with pytest.raises(Invalid, match="must be JSON"):
        jobs.perform(ANN, "wrong", {"n": object()})


def test_no_more_than_a_few_run_here_at_once(make: Make) -> None:
    free, running = threading.Event(), threading.Semaphore(0)

    def slow(_: Any) -> None:
        running.release()
        assert free.wait(20)

    jobs = make({"slow": slow}, at_once=["slow"])
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(jobs.perform(ANN, "slow", {}).state)) for _ in range(MOST)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert running.acquire(timeout=20)
    waiting = jobs.perform(BOB, "slow", {})
    assert waiting.state == "accepted"
    free.set()
    for thread in threads:
        thread.join()
    assert found == ["successful"] * MOST
    assert jobs.perform(BOB, "slow", {}).state == "successful"


def test_it_can_be_cancelled_while_it_runs(make: Make) -> None:
    began = threading.Event()

    def long(work: Any) -> None:
        while True:
            time.sleep(0.01)
            work.progress(0.5)
            began.set()

    jobs, other = make({"long": long}, at_once=["long"]), make()
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(jobs.perform(ANN, "long", {})))
    thread.start()
    assert began.wait(20)
    other.cancel(ANN, other.list(ANN)[0][0].id)
    thread.join(20)
    assert found[0].state == "dismissed"
    assert jobs.results.names() == []


def test_its_lease_is_renewed_while_it_runs(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrella.jobs.at_once._BEAT", 0.05)
    go_on = threading.Event()
    jobs = make({"long": lambda _: go_on.wait(20)}, at_once=["long"])
    thread = threading.Thread(target=jobs.perform, args=(ANN, "long", {}))
    thread.start()
    until(lambda: jobs.list(ANN)[0])

    def lease() -> float:
        with jobs.rows.reading() as connection:
            return float(connection.execute("select lease from job").fetchone()[0])

    jobs.rows.write(lambda c: c.execute("update job set lease = 5"))
    until(lambda: lease() > time.time())
    assert work_off(jobs) == 0
    go_on.set()
    thread.join()


def test_a_closing_process_hands_its_jobs_back(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrella.jobs.at_once._DRAIN", 0.1)
    began, go_on = threading.Event(), threading.Event()

    def deaf(work: Any) -> None:
        began.set()
        go_on.wait(20)
        work.progress(0.5)

    jobs, other = make({"deaf": deaf}, at_once=["deaf"]), make({"deaf": lambda _: None})
    thread = threading.Thread(target=jobs._at_once.perform, args=(ANN, "deaf", {}))
    thread.start()
    assert began.wait(20)
    jobs._at_once.close()
    jobs._at_once.close()
    assert other.list(ANN)[0][0].state == "accepted"
    assert work_off(other) == 1
    go_on.set()
    thread.join()
    assert other.list(ANN)[0][0].state == "successful"


_DIES = """
import sys, time
from pathlib import Path
import terrella
from terrella.jobs.jobs import Jobs
from terrella.model.caller import RUN, Caller
def slow(work):
    (work.folder / "half.txt").write_text("half")
    print(work.job, flush=True)
    time.sleep(60)
jobs = Jobs(Path(sys.argv[1]), "", {"echo": slow}, at_once=["echo"])
jobs.perform(Caller("ann", scopes=frozenset({RUN})), "echo", {"text": "whole"})
"""


def test_when_the_server_is_killed_a_worker_goes_on(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _DIES, str(tmp_path)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        name = server.stdout.readline().strip()
        server.send_signal(signal.SIGKILL)
    jobs = Jobs(
        tmp_path, "", {"echo": lambda work: (work.folder / "echo.txt").write_text(work.inputs["text"]) and None}
    )
    assert jobs.get(ANN, name).state == "running"
    assert work_off(jobs) == 1  # at once: it runs on the same machine, and the process is gone
    done = jobs.get(ANN, name)
    assert (done.state, done.attempts) == ("successful", 2)
    assert jobs.file(ANN, name, "echo.txt").read_text() == "whole"
    assert [one.name for one in done.outputs] == ["echo.txt"]
    jobs.close()
