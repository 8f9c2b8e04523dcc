"""GET /account/usage: who used how much, day by day, and what quotas leave."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from terrella.access.windows import DAY
from terrella.api.account import answer, quotas_of
from terrella.api.caller import caller_of
from terrella.api.routes import known_parameters_only
from terrella.errors import Denied, Unauthenticated
from terrella.model.caller import ADMINISTER
from terrella.model.spending import Amounts

if TYPE_CHECKING:
    from terrella.model.caller import Caller
    from terrella.site import Site

MOST_DAYS = 366
MOST_COLLECTIONS = 20
EVERYBODY = "*"


def router(site: Site) -> APIRouter:
    """The route."""
    made = APIRouter(prefix="/account", tags=["Account"], dependencies=[Depends(known_parameters_only)])

    def usage(
        request: Request,
        days: int = Query(30, ge=1, le=MOST_DAYS, description="How many days, today the last of them (UTC)."),
        user: str | None = Query(
            None, min_length=1, max_length=128, description="Another user, or * for all: for administrators."
        ),
    ) -> Response:
        """What you used by day and by collection: requests, bytes read and answered, seconds of computing, jobs.

        With what is kept of you, and what quotas leave. `storage` of a day is what was added less what was let go.
        """
        return answer(_document(site, caller_of(request), user, days))

    made.add_api_route(
        "/usage",
        usage,
        methods=["GET"],
        summary="What I used, day by day",
        response_model=None,
        responses={
            200: {"content": {"application/json": {}}},
            401: {"description": "Say who you are: send a key."},
            403: {"description": "You may not."},
        },
    )
    return made


def _document(site: Site, caller: Caller, user: str | None, days: int) -> dict[str, Any]:
    name = _whose(caller, user)
    until = (int(time.time()) // DAY + 1) * DAY
    since = until - days * DAY
    rows = site.ledger.days(name, since, until)
    jobs = site.jobs.submitted(name, since, until)
    made: dict[str, Any] = {
        "user": name or EVERYBODY,
        "days": _by_day(rows, [at for at, _ in jobs], since, days),
        "totals": _rounded(sum((amounts for _, _, amounts in rows), Amounts())),
        "collections": _by_collection(rows),
        "jobs": _by_state([state for _, state in jobs]),
        "kept": site.jobs.stored(name),
        "quotas": _quotas(site, caller, name),
    }
    if name is None:
        made["users"] = [{"user": one, **_rounded(amounts)} for one, amounts in site.ledger.users(since, until)]
    return made


def _whose(caller: Caller, user: str | None) -> str | None:
    """A name; None for everybody's. Raises Unauthenticated, Denied."""
    if caller.is_anonymous:
        raise Unauthenticated("What visitors use is on no account: sign in, or send a key.")
    if user in (None, caller.name):
        return caller.name
    if not caller.may(ADMINISTER):
        raise Denied("What others use is for administrators to see.")
    return None if user == EVERYBODY else user


def _by_day(
    rows: list[tuple[int, str, Amounts]], submitted: list[float], since: int, days: int
) -> list[dict[str, Any]]:
    """Every day, also one on which nothing was used."""
    sums = {since + one * DAY: Amounts() for one in range(days)}
    jobs = dict.fromkeys(sums, 0)
    for day, _, amounts in rows:
        sums[day] += amounts
    for at in submitted:
        jobs[int(at) // DAY * DAY] += 1
    return [{"day": _date(day), **_rounded(amounts), "jobs": jobs[day]} for day, amounts in sums.items()]


def _by_collection(rows: list[tuple[int, str, Amounts]]) -> list[dict[str, Any]]:
    """Those of which most was read; '' for what is of no collection, or of several."""
    sums: dict[str, Amounts] = {}
    for _, collection, amounts in rows:
        sums[collection] = sums.get(collection, Amounts()) + amounts
    most = sorted(sums.items(), key=lambda one: (-one[1].bytes_read, -one[1].requests, one[0]))
    return [{"collection": name, **_rounded(amounts)} for name, amounts in most[:MOST_COLLECTIONS]]


def _by_state(states: list[str]) -> dict[str, int]:
    return {state: states.count(state) for state in sorted(set(states))}


def _quotas(site: Site, caller: Caller, name: str | None) -> list[dict[str, Any]]:
    """Of the one whose usage it is; none for everybody, and for those who are gone or shut out."""
    if name is None:
        return []
    if name == caller.name:
        return quotas_of(site, caller)
    try:
        return quotas_of(site, site.access.caller(name))
    except Unauthenticated:
        return []


def _rounded(amounts: Amounts) -> dict[str, Any]:
    return asdict(amounts) | {"compute_seconds": round(amounts.compute_seconds, 3)}


def _date(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).date().isoformat()
