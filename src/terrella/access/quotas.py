"""Quotas: which of them concern somebody, what they leave, and how a refusal says so."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from terrella.access.windows import window
from terrella.errors import Invalid, QuotaExceeded
from terrella.model.spending import RESOURCES, Amounts, Usage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from terrella.model.caller import Caller
    from terrella.settings import Quota

_WORDS = {
    "requests": "requests",
    "bytes_read": "bytes read",
    "bytes_out": "bytes of answers",
    "compute_seconds": "seconds of computing",
    "storage": "bytes kept",
}
SLACK = 1e-6
"""Seconds by which sums of decimal numbers may be off."""


def check_quotas(quotas: Sequence[Quota]) -> None:
    """Raises Invalid for two of one name, or one that limits nothing."""
    seen: set[str] = set()
    for quota in quotas:
        if quota.name in seen:
            raise Invalid(
                f"Two quotas are called {quota.name!r:.80}: give each its own name.", parameter="access.quotas"
            )
        if not limits_of(quota):
            raise Invalid(
                f"The quota {quota.name!r:.80} limits nothing: give one of {', '.join(RESOURCES)}.",
                parameter="access.quotas",
            )
        seen.add(quota.name)


def words_of(caller: Caller) -> frozenset[str]:
    """Roles and groups as quotas name them."""
    return caller.roles | {f"group:{group}" for group in caller.groups} | {"*"}


def concerning(quotas: Iterable[Quota], caller: Caller, collection: str | None = None) -> list[Quota]:
    """Those that hold for a caller, and (None: any) for what is taken from a collection. None holds the operator."""
    if "operator" in caller.roles:
        return []
    words = words_of(caller)
    return [
        quota
        for quota in quotas
        if not words.isdisjoint(quota.roles)
        and (collection is None or not quota.collections or collection in quota.collections)
    ]


def limits_of(quota: Quota) -> dict[str, float]:
    """What a quota limits, by resource."""
    return {name: value for name in RESOURCES if (value := getattr(quota, name)) is not None}


def usage_of(connection: sqlite3.Connection, quota: Quota, caller: Caller, at: float) -> Usage:
    """What a quota's limits are, and what is spent of them in the window that holds an instant."""
    starts, resets = window(quota.per, at)
    spent = asdict(_spent(connection, quota, caller, starts))
    if quota.storage is not None:
        spent["storage"] = _spent(connection, quota, caller, 0).storage
    limits = limits_of(quota)
    mine = {name: spent[name] for name in limits}
    return Usage(quota.name, quota.per, starts, resets, limits, mine, quota.counted, quota.collections)


def _spent(connection: sqlite3.Connection, quota: Quota, caller: Caller, since: int) -> Amounts:
    where, values = ["hour >= ?"], [since]
    made: list[Any] = list(values)
    if quota.counted == "each":
        where.append("name = ?")
        made.append(caller.name)
    elif "*" not in quota.roles:
        where.append("exists (select 1 from json_each(roles) r join json_each(?) q on r.value = q.value)")
        made.append(json.dumps(quota.roles))
    if quota.collections:
        where.append("collection in (select value from json_each(?))")
        made.append(json.dumps(quota.collections))
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in RESOURCES)
    row = connection.execute(f"select {sums} from hours where {' and '.join(where)}", made).fetchone()  # noqa: S608
    return Amounts(*row)


def excess(usage: Usage, wanted: Amounts) -> Iterator[str]:
    """Resources of which more is wanted than the quota leaves."""
    for resource, limit in usage.limits.items():
        amount = getattr(wanted, resource)
        if amount > 0 and usage.spent[resource] + amount > limit + (SLACK if resource == "compute_seconds" else 0):
            yield resource


def refusal(usage: Usage, resource: str, wanted: Amounts, now: float) -> QuotaExceeded:
    """Says what is left, and when there will be more."""
    left, limit = usage.left(resource), usage.limits[resource]
    again = datetime.fromtimestamp(usage.resets, UTC).isoformat().replace("+00:00", "Z")
    if resource == "storage":
        when, details = "Delete something you keep.", {}
    else:
        when, details = f"It begins anew at {again}.", {"retry_after": max(1, math.ceil(usage.resets - now))}
    return QuotaExceeded(
        f"This needs {_number(getattr(wanted, resource))} {_WORDS[resource]}, and the quota {usage.quota!r} of "
        f"{_number(limit)} a {usage.per} leaves {_number(left)}. {when}",
        details=details | {"quota": usage.quota, "resource": resource, "limit": limit, "left": left, "resets": again},
    )


def _number(amount: float) -> str:
    return f"{amount:,.0f}" if float(amount).is_integer() else f"{amount:,.3g}"
