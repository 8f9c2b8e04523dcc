"""Jobs that start by themselves: once for each due time and each event, whoever looks."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from jobs.conftest import ANN, BOB, CHIEF, work_off
from terrella.errors import Denied, Invalid, NotFound
from terrella.jobs.jobs import Jobs
from terrella.model.caller import Caller

Make = Callable[..., Jobs]


def make_due(jobs: Jobs) -> None:
    jobs.rows.write(lambda c: c.execute("update schedule set due = 1000"))


def test_a_due_schedule_starts_one_job_however_many_workers_look(make: Make) -> None:
    rooms = [make() for _ in range(4)]
    jobs = rooms[0]
    made = jobs.starting.schedule(ANN, "nightly", "15 3 * * *", "echo", {"text": "x"}, title="Every night")
    assert (made.due.hour, made.due.minute) == (3, 15)
    assert jobs.starting.run_due() == 0
    make_due(jobs)
    threads = [threading.Thread(target=room.starting.run_due) for room in rooms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (job,) = jobs.list(ANN)[0]
    assert (job.kind, job.owner, job.title, job.dialect) == ("echo", "ann", "Every night", "schedule")
    (after,) = jobs.starting.schedules(ANN)
    assert after.last_job == job.id
    assert after.due == made.due
    work_off(jobs)
    assert jobs.get(ANN, job.id).state == "successful"


def test_schedules_belong_to_somebody(make: Make) -> None:
    starting = make().starting
    starting.schedule(ANN, "mine", "@hourly", "echo", {})
    assert starting.schedules(BOB) == ()
    assert [one.name for one in starting.schedules(CHIEF)] == ["mine"]
    with pytest.raises(NotFound):
        starting.unschedule(BOB, "mine")
    with pytest.raises(NotFound, match="taken by somebody else"):
        starting.schedule(BOB, "mine", "@daily", "echo", {})
    starting.schedule(ANN, "mine", "@daily", "echo", {"text": 2})
    assert starting.schedules(ANN)[0].inputs == {"text": 2}
    starting.unschedule(ANN, "mine")
    assert starting.schedules(CHIEF) == ()


def test_wrong_schedules_are_refused(make: Make) -> None:
    starting = make().starting
    with pytest.raises(Invalid, match="five fields"):
        starting.schedule(ANN, "x", "whenever", "echo", {})
    with pytest.raises(Invalid, match="no task"):
        starting.schedule(ANN, "x", "@daily", "nothing", {})
    with pytest.raises(Denied):
        starting.schedule(Caller("eve"), "x", "@daily", "echo", {})


def test_an_event_starts_what_the_rules_say_once(make: Make) -> None:
    jobs, other = make(), make()
    jobs.starting.rule(ANN, "r1", "items-added", "echo", {"text": "r1"})
    jobs.starting.rule(BOB, "r2", "items-added", "echo", {})
    jobs.starting.rule(BOB, "r3", "something-else", "echo", {})
    with jobs.starting.announcing("items-added", {"paths": ["a"]}) as subject:
        assert jobs.starting.run_events() == 0
        subject["collection"] = "era5"
    assert jobs.starting.run_events() == 1
    assert other.starting.run_events() == 0
    (job,) = jobs.list(ANN)[0]
    assert job.inputs == {"text": "r1", "event": {"paths": ["a"], "collection": "era5"}}
    assert len(jobs.list(BOB)[0]) == 1
    jobs.starting.remove_rule(ANN, "r1")
    assert jobs.starting.rules(ANN) == ()


def test_an_event_whose_process_died_is_acted_upon_later(make: Make) -> None:
    jobs = make()
    jobs.starting.rule(ANN, "r", "items-added", "echo", {})
    announced = jobs.starting.announcing("items-added", {"n": 1})
    announced.__enter__()  # and the process is killed before the end of the block
    assert jobs.starting.run_events() == 0
    jobs.rows.write(lambda c: c.execute("update outbox set at = at - 601"))
    assert jobs.starting.run_events() == 1
    assert jobs.list(ANN)[0][0].inputs["event"] == {"n": 1}
