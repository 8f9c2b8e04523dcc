"""Jobs as rows: what owners ask for and see. Every change bumps `version`, so that whoever watches notices."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from terrella.errors import Invalid, NotFound
from terrella.model.job import ENDED, Job, LogLine, Output

if TYPE_CHECKING:
    from terrella.jobs.rows import Connection
    from terrella.model.stac import Document

COLUMNS = (
    "id, kind, owner, state, inputs, created, updated, started, finished, progress, message, error_kind, attempts, "
    "outputs, title, dialect"
)
MOST_COUNTED = 100_000
MOST_INPUTS = 4 << 20
"""Bytes of the inputs of one job, as JSON."""


def job_of(row: tuple[Any, ...]) -> Job:
    """A job from a row of COLUMNS."""
    (name, kind, owner, state, inputs, created, updated, started, finished, progress, *rest) = row
    message, error_kind, attempts, outputs, title, dialect = rest[:6]
    return Job(
        id=name,
        kind=kind,
        owner=owner,
        state=state,
        inputs=orjson.loads(inputs),
        created=moment(created),
        updated=moment(updated),
        started=moment(started) if started is not None else None,
        finished=moment(finished) if finished is not None else None,
        progress=progress,
        message=message,
        error_kind=error_kind,
        attempts=attempts,
        outputs=tuple(Output(**one) for one in orjson.loads(outputs)),
        title=title,
        dialect=dialect,
    )


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def insert(
    connection: Connection, owner: str, kind: str, inputs: Document, key: str, title: str, dialect: str
) -> tuple[str, bool]:
    """Id of a job, and whether it is new: the same owner and key name the same job. Raises Invalid."""
    text = as_text(inputs)
    now = round(time.time(), 6)  # as precise as a datetime, so that page tokens are exact
    made = connection.execute(
        "insert into job (id, kind, owner, state, inputs, created, updated, title, dialect, submission) "
        "values (?, ?, ?, 'accepted', ?, ?, ?, ?, ?, ?) on conflict do nothing returning id",
        (str(uuid.uuid4()), kind, owner, text, now, now, title[:500], dialect, key or None),
    ).fetchone()
    if made:
        return made[0], True
    known = connection.execute("select id from job where owner = ? and submission = ?", (owner, key)).fetchone()
    return known[0], False


def as_text(inputs: Document) -> str:
    """JSON of a job's inputs. Raises Invalid for what is no JSON, or too long."""
    try:
        text = orjson.dumps(inputs)
    except TypeError as error:
        raise Invalid(f"The inputs of a job must be JSON: {error}.", parameter="inputs") from error
    if len(text) > MOST_INPUTS:
        raise Invalid(f"The inputs of a job have at most {MOST_INPUTS:,} bytes, not {len(text):,}.", parameter="inputs")
    return text.decode()


def fetch(connection: Connection, job: str, owner: str | None) -> Job:
    """A job of an owner, or of anybody for None. Raises NotFound."""
    return fetch_version(connection, job, owner)[0]


def fetch_beginning(connection: Connection, start: str, owner: str | None) -> Job:
    """The newest job of an owner, or of anybody for None, whose id begins with `start`. Raises NotFound."""
    rows = connection.execute(
        f"select {COLUMNS} from job where id >= ? and id < ? order by created desc",  # noqa: S608
        (start, f"{start}g"),  # ids have the letters a to f
    ).fetchall()
    for row in rows:
        if row[0].startswith(start) and owner in (None, row[2]):
            return job_of(row)
    raise NotFound("There is no such job, or it is not yours.", parameter="jobID")


def fetch_version(connection: Connection, job: str, owner: str | None) -> tuple[Job, int]:
    """A job with the number of its version. Raises NotFound."""
    row = connection.execute(f"select {COLUMNS}, version from job where id = ?", (job,)).fetchone()  # noqa: S608
    if row is None or (owner is not None and row[2] != owner):
        raise NotFound(f"There is no job {job!r:.80}, or it is not yours.", parameter="jobID")
    return job_of(row), row[-1]


def page(
    connection: Connection, owner: str | None, wanted: dict[str, str], limit: int, after: tuple[float, str] | None
) -> list[Job]:
    """Jobs, newest first; `wanted` are columns and what they must be."""
    conditions, values = ["1 = 1"], list[Any]()
    given = wanted if owner is None else {**wanted, "owner": owner}
    for column, value in given.items():
        conditions.append(f"{column} = ?")
        values.append(value)
    if after:
        conditions.append("(created, id) < (?, ?)")
        values += after
    where = " and ".join(conditions)
    text = f"select {COLUMNS} from job where {where} order by created desc, id desc limit ?"  # noqa: S608
    return [job_of(row) for row in connection.execute(text, (*values, limit)).fetchall()]


def submitted(connection: Connection, owner: str | None, since: float, until: float) -> list[tuple[float, str]]:
    """When jobs were submitted, and their states; `owner` None: anybody's."""
    whose, values = ("", []) if owner is None else ("owner = ? and ", [owner])
    rows = connection.execute(
        f"select created, state from job where {whose}created >= ? and created < ? order by created desc limit ?",  # noqa: S608
        (*values, since, until, MOST_COUNTED),
    ).fetchall()
    return [(float(created), str(state)) for created, state in rows]


def dismiss(connection: Connection, job: str) -> bool:
    """End a job that has not ended, by its owner's wish; whether that was so."""
    now = time.time()
    done = connection.execute(
        "update job set state = 'dismissed', finished = ?, updated = ?, version = version + 1, worker = '', lease = 0, "
        "message = 'Dismissed by its owner.' where id = ? and state in ('accepted', 'running')",
        (now, now, job),
    )
    if done.rowcount:
        write_log(connection, job, "info", "Dismissed by its owner.")
    return bool(done.rowcount)


def again(connection: Connection, job: str) -> bool:
    """Put a failed or dismissed job back into the queue; its steps are kept. Whether that was possible."""
    done = connection.execute(
        "update job set state = 'accepted', finished = null, updated = ?, version = version + 1, deaths = 0, due = 0, "
        "refusals = 0, progress = 0, error_kind = '', message = '', settled = 0 "
        "where id = ? and state in ('failed', 'dismissed')",
        (time.time(), job),
    )
    if done.rowcount:
        write_log(connection, job, "info", "Tried again by its owner.")
    return bool(done.rowcount)


def write_log(connection: Connection, job: str, level: str, text: str) -> None:
    """One more line of a job's log."""
    connection.execute(
        "insert into log (job, number, at, level, text) "
        "select ?, coalesce(max(number), 0) + 1, ?, ?, ? from log where job = ?",
        (job, time.time(), level, text[:4000], job),
    )


def read_log(connection: Connection, job: str, after: int, limit: int) -> list[LogLine]:
    """Lines with a number above `after`, in order."""
    rows = connection.execute(
        "select number, at, level, text from log where job = ? and number > ? order by number limit ?",
        (job, after, limit),
    ).fetchall()
    return [LogLine(number, moment(at), level, text) for number, at, level, text in rows]


def has_ended(job: Job) -> bool:
    return job.state in ENDED
