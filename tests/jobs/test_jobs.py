"""The room of jobs on SQLite and PostgreSQL: what callers see, and what workers do."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from jobs.conftest import ANN, BOB, CHIEF, PEOPLE, until, work_off
from terrella.errors import Conflict, Denied, Invalid, NotFound, ProviderUnavailable
from terrella.jobs.jobs import Jobs
from terrella.model.caller import ANONYMOUS, Caller
from terrella.model.job import Output

Make = Callable[..., Jobs]


def test_a_job_is_submitted_done_and_delivered(jobs: Jobs) -> None:
    name = jobs.submit(ANN, "echo", {"text": "grüezi"}, title="Greeting", dialect="test")
    waiting = jobs.get(ANN, name)
    assert (waiting.state, waiting.owner, waiting.title, waiting.dialect) == ("accepted", "ann", "Greeting", "test")
    assert work_off(jobs) == 1
    done = jobs.get(ANN, name)
    assert (done.state, done.progress, done.attempts, done.error_kind) == ("successful", 1.0, 1, "")
    assert done.created <= done.started <= done.finished
    data = "grüezi".encode()
    assert done.outputs == (Output("echo.txt", "text/plain", len(data), hashlib.sha256(data).hexdigest()),)
    assert jobs.file(ANN, name, "echo.txt").read_bytes() == data
    assert jobs.stored("ann") == len(data)


def test_others_see_nothing_of_it_and_administrators_see_all(jobs: Jobs) -> None:
    name = jobs.submit(ANN, "echo", {})
    for ask in (jobs.get, jobs.cancel, jobs.retry, jobs.logs):
        with pytest.raises(NotFound, match="or it is not yours"):
            ask(BOB, name)
    with pytest.raises(NotFound):
        jobs.wait(BOB, name, 0)
    with pytest.raises(NotFound):
        jobs.file(BOB, name, "echo.txt")
    assert jobs.list(BOB) == ((), None)
    assert [job.id for job in jobs.list(CHIEF)[0]] == [name]
    assert jobs.get(CHIEF, name).owner == "ann"


def test_the_same_key_is_the_same_job_for_one_caller(jobs: Jobs) -> None:
    one = jobs.submit(ANN, "echo", {"text": 1}, key="k")
    assert jobs.submit(ANN, "echo", {"text": 2}, key="k") == one
    assert jobs.submit(BOB, "echo", {}, key="k") != one
    assert jobs.submit(ANN, "echo", {}) != jobs.submit(ANN, "echo", {})
    assert jobs.get(ANN, one).inputs == {"text": 1}


def test_many_threads_with_one_key_make_one_job(make: Make) -> None:
    rooms, found = [make() for _ in range(3)], []
    threads = [
        threading.Thread(target=lambda room=room: found.append(room.submit(ANN, "echo", {}, key="same")))
        for room in rooms * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert len(set(found)) == 1


def test_who_may_submit(make: Make) -> None:
    jobs = make({"rewrite": lambda work: None}, needs={"rewrite": "write"})
    with pytest.raises(Denied, match="'run'"):
        jobs.submit(Caller("eve"), "echo", {})
    with pytest.raises(Denied, match="'write'"):
        jobs.submit(ANN, "rewrite", {})
    assert jobs.submit(CHIEF, "rewrite", {})
    assert jobs.submit(ANONYMOUS, "echo", {})
    assert jobs.list(ANONYMOUS) == ((), None)


@pytest.mark.parametrize(
    ("kind", "inputs", "words"),
    [
        ("ecco", {}, "Did you mean 'echo'"),
        ("echo", {"x": object()}, "must be JSON"),
        ("echo", {"x": "a" * 5_000_000}, "at most"),
    ],
)
def test_wrong_submissions_are_refused(jobs: Jobs, kind: str, inputs: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        jobs.submit(ANN, kind, inputs)
    assert jobs.list(ANN) == ((), None)


def test_pages_are_whole_and_newest_first(jobs: Jobs) -> None:
    made = [jobs.submit(ANN if n % 3 else BOB, "echo", {}, dialect="ab"[n % 2]) for n in range(25)]
    seen, token = [], None
    while True:
        page, token = jobs.list(CHIEF, limit=4, token=token)
        seen += [job.id for job in page]
        if token is None:
            break
    assert seen == made[::-1]
    assert [job.id for job in jobs.list(BOB, dialect="a")[0]] == made[::-1][0::6]
    assert jobs.list(CHIEF, state="successful")[0] == ()
    with pytest.raises(Invalid, match="page token"):
        jobs.list(CHIEF, token="nonsense")


def test_a_failure_says_why_and_leaves_no_files(make: Make) -> None:
    def wrong(work: Any) -> None:
        (work.folder / "half.bin").write_bytes(b"half")
        raise Invalid("The box is upside down.")

    def broken(work: Any) -> None:
        raise ZeroDivisionError

    jobs = make({"wrong": wrong, "broken": broken})
    one, other = jobs.submit(ANN, "wrong", {}), jobs.submit(ANN, "broken", {})
    work_off(jobs)
    assert (jobs.get(ANN, one).state, jobs.get(ANN, one).error_kind) == ("failed", "invalid")
    assert jobs.get(ANN, one).message == "The box is upside down."
    assert jobs.get(ANN, other).error_kind == "internal"
    assert "ZeroDivision" not in jobs.get(ANN, other).message
    with pytest.raises(NotFound, match="it is failed"):
        jobs.file(ANN, one, "half.bin")
    assert jobs.results.names() == []
    assert [line.level for line in jobs.logs(ANN, one)] == ["error"]


def test_a_system_that_does_not_answer_is_tried_again_then_given_up(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[float] = []

    def flaky(work: Any) -> None:
        tries.append(time.time())
        if work.inputs["good"] > len(tries):
            raise ProviderUnavailable("The bridge is closed.")

    jobs = make({"flaky": flaky})
    name = jobs.submit(ANN, "flaky", {"good": 3})
    for count in (1, 2):
        assert work_off(jobs) == 1
        found = jobs.get(ANN, name)
        assert (found.state, found.attempts) == ("accepted", count)
        assert found.message == f"The bridge is closed. Tried again in {count} s."
        jobs.rows.write(lambda c: c.execute("update job set due = 0"))
    work_off(jobs)
    assert jobs.get(ANN, name).state == "successful"
    never = jobs.submit(ANN, "flaky", {"good": 1000})
    for _ in range(5):
        work_off(jobs)
        jobs.rows.write(lambda c: c.execute("update job set due = 0"))
    found = jobs.get(ANN, never)
    assert (found.state, found.error_kind) == ("failed", "provider-unavailable")
    assert found.message == "The bridge is closed. Tried 5 times."


def test_steps_are_done_once_over_attempts(make: Make) -> None:
    done: list[str] = []

    def careful(work: Any) -> None:
        first = work.step("first", lambda: done.append("first") or {"n": (1, 2)})
        assert first == {"n": [1, 2]}  # as JSON keeps it, also the first time
        if len(done) < 2:
            done.append("broke")
            raise ProviderUnavailable("Later.")
        work.step("second", lambda: done.append("second"))

    jobs = make({"careful": careful})
    name = jobs.submit(ANN, "careful", {})
    work_off(jobs)
    jobs.rows.write(lambda c: c.execute("update job set due = 0"))
    work_off(jobs)
    assert jobs.get(ANN, name).state == "successful"
    assert done == ["first", "broke", "second"]


def test_cancelling_stops_a_running_job_within_a_second(make: Make) -> None:
    ended = threading.Event()

    def endless(work: Any) -> None:
        try:
            while True:
                work.progress(0.1, "Still going.")
                (work.folder / "part.txt").write_text("x")
                time.sleep(0.02)
        finally:
            ended.set()

    jobs = make({"endless": endless})
    name = jobs.submit(ANN, "endless", {})
    worker = jobs.worker(PEOPLE.__getitem__)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    until(lambda: jobs.get(ANN, name).state == "running")
    until(lambda: jobs.get(ANN, name).message == "Still going.")
    began = time.monotonic()
    assert jobs.cancel(ANN, name).state == "dismissed"
    assert ended.wait(5)
    assert time.monotonic() - began < 1.0
    until(lambda: jobs.results.names() == [])
    worker.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert jobs.cancel(ANN, name).state == "dismissed"
    assert jobs.get(ANN, name).attempts == 1


def test_a_finished_job_is_not_dismissed_and_only_failures_are_retried(jobs: Jobs) -> None:
    name = jobs.submit(ANN, "echo", {})
    work_off(jobs)
    assert jobs.cancel(ANN, name).state == "successful"
    with pytest.raises(Conflict, match="this one is successful"):
        jobs.retry(ANN, name)
    other = jobs.submit(ANN, "echo", {})
    jobs.cancel(ANN, other)
    assert jobs.retry(ANN, other).state == "accepted"
    work_off(jobs)
    assert jobs.get(ANN, other).state == "successful"


@pytest.mark.parametrize("deaths", [1, 3])
def test_a_dead_workers_job_is_taken_over_but_a_killer_is_given_up(make: Make, deaths: int) -> None:
    jobs = make()
    name = jobs.submit(ANN, "echo", {"text": "x"})
    for death in range(deaths):
        assert jobs.worker(PEOPLE.__getitem__, name=f"dead-{death}")._claim() is not None
        assert jobs.get(ANN, name).state == "running"
        jobs.rows.write(lambda c: c.execute("update job set lease = 1"))
    assert work_off(jobs) == (1 if deaths < 3 else 0)
    found = jobs.get(ANN, name)
    if deaths < 3:
        assert (found.state, found.attempts) == ("successful", deaths + 1)
    else:
        assert (found.state, found.error_kind, found.attempts) == ("failed", "internal", 3)
        assert found.message.startswith("It killed its worker 3 times")


def test_a_late_worker_cannot_publish(make: Make) -> None:
    """It was suspended, its job was done by another, then it wakes up."""
    jobs, other = make(), make()
    name = jobs.submit(ANN, "echo", {"text": "x"})
    late = jobs.worker(PEOPLE.__getitem__, name="late")
    held = late._claim()
    assert held is not None
    jobs.rows.write(lambda c: c.execute("update job set lease = 1"))
    assert work_off(other, name="quick") == 1
    before = jobs.get(ANN, name)
    path = jobs.file(ANN, name, "echo.txt")
    late._attempts.run(held, PEOPLE.__getitem__)
    assert jobs.get(ANN, name) == before
    assert jobs.file(ANN, name, "echo.txt") == path
    assert path.read_text() == "x"
    assert jobs.results.names() == [path.parent.name]


def test_waiting_ends_when_the_job_changes_its_state(make: Make) -> None:
    jobs, worker_room = make(), make()
    name = jobs.submit(ANN, "echo", {})
    began = time.monotonic()
    assert jobs.wait(ANN, name, 0.2).state == "accepted"
    assert 0.15 < time.monotonic() - began < 2
    timer = threading.Timer(0.2, work_off, [worker_room])
    timer.start()
    while (found := jobs.wait(ANN, name, 10)).state != "successful":
        assert found.state in ("accepted", "running")
    timer.join()
    assert jobs.wait(ANN, name, 10).state == "successful"


def test_hundreds_wait_on_the_event_loop_without_a_thread_each(make: Make) -> None:
    jobs, worker_room = make(), make()
    names = [jobs.submit(ANN, "echo", {}) for _ in range(20)]

    before = threading.active_count()

    async def everybody() -> tuple[list[str], int]:
        polls = [asyncio.create_task(jobs.waiting(ANN, name, 20)) for name in names * 10]
        await asyncio.sleep(0.5)
        threads = threading.active_count() - before
        await asyncio.to_thread(work_off, worker_room)
        return [job.state for job in await asyncio.gather(*polls)], threads

    states, threads = asyncio.run(everybody())
    assert len(states) == 200
    assert set(states) <= {"running", "successful"}
    assert threads < 50


def test_what_ended_is_told_at_least_once_with_its_end(make: Make) -> None:
    told: list[tuple[str, str]] = []
    jobs = make(ended=lambda job: told.append((job.id, job.state)))
    good, gone = jobs.submit(ANN, "echo", {}), jobs.submit(ANN, "echo", {})
    jobs.cancel(ANN, gone)
    work_off(jobs)
    jobs.chores.settle()
    assert sorted(set(told)) == sorted([(good, "successful"), (gone, "dismissed")])
    assert jobs.chores.settle() == 0


def test_results_expire_and_orphans_are_swept(make: Make) -> None:
    jobs = make(keep_days=1)
    name = jobs.submit(ANN, "echo", {"text": "x"})
    work_off(jobs)
    path = jobs.file(ANN, name, "echo.txt")
    orphan = jobs.results.prepare("not-a-job", 1)
    assert jobs.chores.expire() == 0
    assert jobs.chores.sweep() == 0  # both were touched just now
    jobs.rows.write(lambda c: c.execute("update job set finished = finished - 90000"))
    assert jobs.chores.expire() == 1
    assert not path.exists()
    assert jobs.get(ANN, name).state == "successful"
    assert jobs.stored("ann") == 0
    with pytest.raises(NotFound, match="have expired"):
        jobs.file(ANN, name, "echo.txt")
    import os

    os.utime(orphan, (1, 1))
    assert jobs.chores.sweep() == 1
    assert not orphan.exists()


def test_one_owner_does_not_make_the_others_wait(make: Make) -> None:
    order: list[str] = []
    jobs = make({"note": lambda work: order.append(work.caller.name)})
    for _ in range(5):
        jobs.submit(ANN, "note", {})
    jobs.submit(BOB, "note", {})
    first, second = (jobs.worker(PEOPLE.__getitem__, name=name) for name in ("a", "b"))
    held = first._claim()
    assert held is not None
    assert held.job.owner == "ann"
    other = second._claim()
    assert other is not None
    assert other.job.owner == "bob"


def test_output_names_must_be_files_of_the_folder(make: Make, tmp_path: Any) -> None:
    def sly(work: Any) -> None:
        (work.folder / "passwd").symlink_to("/etc/passwd")

    def liar(work: Any) -> tuple[Output, ...]:
        return (Output("missing.nc", "", 0, ""),)

    jobs = make({"sly": sly, "liar": liar})
    names = [jobs.submit(ANN, kind, {}) for kind in ("sly", "liar")]
    work_off(jobs)
    assert [jobs.get(ANN, name).error_kind for name in names] == ["internal", "internal"]
