"""Whether a priced question would be answered, at once or as a job; and if not, why, and what would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terrella.errors import Denied, QuotaExceeded, TooLarge
from terrella.extraction.accounting import price
from terrella.model.caller import RUN

if TYPE_CHECKING:
    from collections.abc import Callable

    from terrella.model.caller import Caller
    from terrella.model.extraction import Extraction, Plan
    from terrella.site.site import Site


def at_once(site: Site, caller: Caller, wanted: Extraction, plan: Plan) -> dict[str, Any]:
    """Of an answer that one waits for."""

    def check() -> None:
        if site.extractor.limits.excess(plan):
            site.extractor.check(caller, wanted, plan)  # it says what would pass
        site.ledger.check(caller, price(plan), wanted.collection)

    return _verdict(plan, check)


def as_job(site: Site, caller: Caller, wanted: Extraction, plan: Plan) -> dict[str, Any]:
    """Of an answer that a job makes, and that is kept."""

    def check() -> None:
        if not caller.is_anonymous and not caller.may(RUN):
            raise Denied(f"To submit a job a key needs the scope {RUN!r}.")
        site.job_extractor.check(caller, wanted, plan)

    return _verdict(plan, check)


def _verdict(plan: Plan, check: Callable[[], None]) -> dict[str, Any]:
    if not plan.cells:
        return {"passes": False, "why": "No cell lies in there: take a larger shape, or ask for a position."}
    try:
        check()
    except (TooLarge, QuotaExceeded, Denied) as error:
        return {"passes": False, "why": error.message, "suggestion": error.details.get("suggestion") or {}}
    return {"passes": True}
