"""The ledger: nothing is changed, nothing counts twice, and no number of processes takes more than there is."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.access.ledger import FILE, Ledger
from terrella.access.windows import window
from terrella.errors import Conflict, Invalid, NotFound, QuotaExceeded
from terrella.model.caller import OPERATOR, Caller
from terrella.model.spending import Amounts
from terrella.settings import Quota

ANNA = Caller("anna", frozenset({"user"}), frozenset({"hydrology"}))
BERT = Caller("bert", frozenset({"user"}))
CAP = 3000


def quota(**given: object) -> Quota:
    return Quota.model_validate({"name": "reading", "per": "month", "bytes_read": 100} | given)


def spent(ledger: Ledger, caller: Caller, resource: str = "bytes_read") -> float:
    return ledger.usage(caller)[0].spent[resource]


def test_work_is_held_and_settled_at_what_it_took(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, [quota()])
    ledger.hold(ANNA, "job", Amounts(bytes_read=80))
    with pytest.raises(QuotaExceeded) as refused:
        ledger.hold(ANNA, "another", Amounts(bytes_read=21))
    assert refused.value.details["left"] == 20
    assert "leaves 20" in refused.value.message
    assert 0 < refused.value.details["retry_after"] <= 31 * 86400
    ledger.settle("job", Amounts(bytes_read=30, compute_seconds=1.5))
    assert spent(ledger, ANNA) == 30
    ledger.settle("job", Amounts(bytes_read=99))
    ledger.release("job")
    assert spent(ledger, ANNA) == 30
    ledger.hold(ANNA, "another", Amounts(bytes_read=70))
    ledger.release("another")
    ledger.release("another")
    assert spent(ledger, ANNA) == 30
    assert ledger.totals(ANNA).compute_seconds == 1.5
    assert spent(ledger, BERT) == 0
    assert ledger.differences() == []
    with pytest.raises(NotFound):
        ledger.settle("never", Amounts())
    ledger.close()


def test_one_key_is_held_once_and_by_one(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, [quota()])
    for _ in range(3):
        ledger.hold(ANNA, "job", Amounts(bytes_read=60))
    assert spent(ledger, ANNA) == 60
    with pytest.raises(Conflict):
        ledger.hold(BERT, "job", Amounts(bytes_read=1))
    assert ledger.open_holds() == ["job"]
    ledger.release("job")
    assert ledger.open_holds() == []
    ledger.close()


def test_entries_are_neither_changed_nor_deleted(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.hold(ANNA, "job", Amounts(bytes_read=1))
    ledger.close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        for statement in ("update entries set bytes_read = 0", "delete from entries"):
            with pytest.raises(sqlite3.IntegrityError, match="not changed"):
                connection.execute(statement)
        connection.execute("update hours set bytes_read = 7")
    connection.close()
    again = Ledger(tmp_path)
    assert len(again.differences()) == 1
    assert "anna" in again.differences()[0]
    again.close()


def test_quotas_of_groups_collections_and_all_together(tmp_path: Path) -> None:
    quotas = [
        quota(name="hydrologists together", roles=("group:hydrology",), counted="together"),
        quota(name="from the twin", collections=("twin",), bytes_read=10),
    ]
    ledger = Ledger(tmp_path, quotas)
    carla = Caller("carla", frozenset(), frozenset({"hydrology"}))
    ledger.hold(ANNA, "a", Amounts(bytes_read=60))
    with pytest.raises(QuotaExceeded, match="hydrologists"):
        ledger.hold(carla, "c", Amounts(bytes_read=50))
    ledger.hold(BERT, "b", Amounts(bytes_read=1000))
    with pytest.raises(QuotaExceeded, match="from the twin"):
        ledger.hold(BERT, "b2", Amounts(bytes_read=11), "twin")
    ledger.hold(BERT, "b2", Amounts(bytes_read=10), "twin")
    assert {one.quota: one.spent["bytes_read"] for one in ledger.usage(BERT)} == {"from the twin": 10}
    assert ledger.usage(OPERATOR) == []
    ledger.close()


def test_storage_counts_whenever_it_came_and_what_it_took_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path, [quota(bytes_read=None, storage=100, per="hour")])
    ledger.hold(ANNA, "deposit", Amounts(storage=90))
    ledger.settle("deposit", Amounts(storage=90))
    later = time.time() + 7200
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(QuotaExceeded, match="Delete something"):
        ledger.hold(ANNA, "more", Amounts(storage=20))
    ledger.count(ANNA, Amounts(storage=-90))
    ledger.flush()
    ledger.hold(ANNA, "more", Amounts(storage=20))
    ledger.close()


def test_requests_are_counted_together_and_refused_when_there_are_too_many(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, [quota(bytes_read=None, requests=10)])
    for _ in range(10):
        ledger.check(ANNA, Amounts(requests=1))
        ledger.count(ANNA, Amounts(requests=1))
    with pytest.raises(QuotaExceeded, match="leaves 0"):
        ledger.check(ANNA, Amounts(requests=1))
    ledger.check(BERT, Amounts(requests=1))
    ledger.flush()
    with sqlite3.connect(tmp_path / FILE) as connection:
        assert connection.execute("select count(*) from entries").fetchone()[0] <= 3
    connection.close()
    assert spent(ledger, ANNA, "requests") == 10
    ledger.close()


def test_work_that_fails_costs_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, [quota()])
    with pytest.raises(ZeroDivisionError), ledger.spending(ANNA, Amounts(bytes_read=90)):
        raise ZeroDivisionError
    with ledger.spending(ANNA, Amounts(bytes_read=90)) as work:
        work.measured = Amounts(bytes_read=5)
    assert spent(ledger, ANNA) == 5
    assert ledger.open_holds() == []
    ledger.close()


def test_wrong_quotas_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="limits nothing"):
        Ledger(tmp_path, [Quota(name="idle")])
    with pytest.raises(Invalid, match="Two quotas"):
        Ledger(tmp_path, [quota(), quota()])


def test_windows_are_those_of_the_calendar() -> None:
    leap = 1709210096.5  # 2024-02-29T12:34:56.5Z
    assert window("hour", leap) == (1709208000, 1709211600)
    assert window("day", leap) == (1709164800, 1709251200)
    assert window("month", leap) == (1706745600, 1709251200)
    assert window("month", 1703980800.0)[1] == 1704067200  # the end of a year


RACE = """
import sys, time
from pathlib import Path

from terrella.access.ledger import Ledger
from terrella.errors import QuotaExceeded
from terrella.model.caller import Caller
from terrella.model.spending import Amounts
from terrella.settings import Quota

home, worker, begin, cap = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
ledger = Ledger(home, [Quota(name="reading", per="month", bytes_read=cap)])
caller = Caller("anna", frozenset({"user"}), frozenset({"hydrology"}))
time.sleep(max(0.0, begin - time.time()))
for number in range(2000):
    at = (number * (2 * worker + 1)) % 2000
    try:
        ledger.hold(caller, f"k{at}", Amounts(bytes_read=3))
    except QuotaExceeded:
        continue
    if at % 5 == 0:
        ledger.settle(f"k{at}", Amounts(bytes_read=2))
    elif at % 7 == 0:
        ledger.release(f"k{at}")
ledger.close()
"""
"""Holds 2,000 keys, the same in every process, three bytes each; some are settled, some released."""


def test_four_processes_never_take_more_than_there_is(tmp_path: Path) -> None:
    Ledger(tmp_path).close()
    arguments = [str(time.time() + 3), str(CAP)]
    workers = [subprocess.Popen([sys.executable, "-c", RACE, str(tmp_path), str(n), *arguments]) for n in range(4)]
    assert [one.wait(100) for one in workers] == [0] * 4
    with sqlite3.connect(tmp_path / FILE) as connection:
        rows = connection.execute("select key, kind, work, bytes_read from entries order by number").fetchall()
    connection.close()
    running, highest, held = 0, 0, set()
    for key, kind, work, amount in rows:
        running += amount
        highest = max(highest, running)
        if kind == "hold":
            assert key not in held
            held.add(key)
        else:
            assert work in held
    assert CAP - 3 < highest <= CAP
    ends = [work for _, kind, work, _ in rows if kind != "hold"]
    assert len(ends) == len(set(ends))
    again = Ledger(tmp_path)
    assert again.differences() == []
    assert again.totals(ANNA).bytes_read == running
    again.close()


def test_threads_count_every_request(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)

    def many() -> None:
        for _ in range(500):
            ledger.count(ANNA, Amounts(requests=1, bytes_out=10))

    threads = [threading.Thread(target=many) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert ledger.totals(ANNA) == Amounts(requests=2000, bytes_out=20000)
    ledger.close()


actions = st.tuples(st.sampled_from(["hold", "settle", "release"]), st.integers(0, 5), st.integers(0, 60))


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.lists(actions, max_size=25))
def test_it_is_as_a_plain_account_says(
    tmp_path_factory: pytest.TempPathFactory, done: list[tuple[str, int, int]]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger"), [quota()])
    held: dict[int, int] = {}
    ended: set[int] = set()
    for kind, number, amount in done:
        key = f"k{number}"
        if kind == "hold":
            if number not in held and sum(held.values()) + amount > 100 and amount:
                with pytest.raises(QuotaExceeded):
                    ledger.hold(ANNA, key, Amounts(bytes_read=amount))
            else:
                ledger.hold(ANNA, key, Amounts(bytes_read=amount))
                held.setdefault(number, amount)
        elif number not in held:
            with pytest.raises(NotFound):
                ledger.release(key)
        else:
            ledger.settle(key, Amounts(bytes_read=amount)) if kind == "settle" else ledger.release(key)
            if number not in ended:
                held[number] = amount if kind == "settle" else 0
                ended.add(number)
        assert spent(ledger, ANNA) == sum(held.values())
    assert ledger.differences() == []
    ledger.close()


def _attempt(ledger: Ledger, job: str, measured: list[int | None]) -> None:
    """One attempt of a job that spends several times; None fails."""
    with ledger.job(job):
        for amount in measured:
            with ledger.spending(ANNA, Amounts(bytes_read=40)) as work:
                if amount is None:
                    raise ZeroDivisionError
                work.measured = Amounts(bytes_read=amount)


def test_a_job_tried_again_is_charged_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, [quota()])
    with pytest.raises(ZeroDivisionError):
        _attempt(ledger, "j1", [30, None])
    assert spent(ledger, ANNA) == 70
    _attempt(ledger, "j1", [30, 20])
    assert spent(ledger, ANNA) == 50
    with pytest.raises(ZeroDivisionError):
        _attempt(ledger, "j2", [None])
    assert spent(ledger, ANNA) == 90
    for _ in range(2):
        ledger.end_job("j2")
    assert spent(ledger, ANNA) == 50
    ledger.close()
