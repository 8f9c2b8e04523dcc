"""What jobs can do here: a table from the kind of a job to the task that runs it in a worker."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from terrella.contracts.encodings import write_answer
from terrella.contracts.loading import load_all
from terrella.errors import Invalid, NotFound, Unauthenticated, Unsupported, nearest_names
from terrella.model.caller import OPERATOR, WRITE, Caller
from terrella.model.job import Output
from terrella.site.requests import extraction_from
from terrella.site.written import read, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from terrella.contracts.encodings import Encoding
    from terrella.contracts.jobs import Task, Work
    from terrella.cubes.optimising.running import Step
    from terrella.model.extraction import Extraction, Plan
    from terrella.model.job import Job
    from terrella.model.stac import Document
    from terrella.site.site import Site

EXTRACT, OPTIMISE, RETRIEVE, ORDER, HARVEST = "extract", "optimise", "retrieve", "order", "harvest"
NEEDS = {OPTIMISE: WRITE, HARVEST: WRITE}
"""Scopes to submit a kind; the others need `run`, or to be anonymous where the site lets anybody read."""

AT_ONCE = frozenset({EXTRACT, RETRIEVE})
"""Kinds that the server itself may do where they are small: they only read, within limits, and write one file."""


def tasks(site: Site) -> dict[str, Task]:
    """Every task of a site, by kind."""
    from terrella.site.mars.retrieving import retrieve

    return {
        EXTRACT: _bound(extract, site),
        OPTIMISE: _bound(optimise, site),
        RETRIEVE: _bound(retrieve, site),
        ORDER: _bound(_order, site),
        HARVEST: _bound(_harvest, site),
    }


def caller_named(site: Site, name: str) -> Caller:
    """The owner of a job as they are now."""
    if name == OPERATOR.name:
        return OPERATOR
    return site.access.caller(name)


def account_of(site: Site, job: Job) -> Caller:
    """On whose account a job is; also where they are gone or shut out since."""
    try:
        return caller_named(site, job.owner)
    except Unauthenticated:
        return Caller(job.owner, frozenset({"user"}))


def collection_of(job: Job) -> str:
    """The collection that a job takes from; '' where it takes from several."""
    for part in (job.inputs, job.inputs.get("extraction"), job.inputs.get(ORDER)):
        if isinstance(part, dict) and isinstance(part.get("collection"), str):
            return str(part["collection"])
    return ""


def _bound(task: Callable[[Site, Work], tuple[Output, ...] | None], site: Site) -> Task:
    def run(work: Work) -> tuple[Output, ...] | None:
        with site.ledger.job(work.job):
            return task(site, work)

    return run


def submit_or_perform(
    site: Site,
    caller: Caller,
    kind: str,
    inputs: Document,
    plan: Plan,
    *,
    key: str = "",
    title: str = "",
    dialect: str = "",
) -> Job:
    """A new job: done already where `plan`, the price of what it will do, says that it is small; else left to workers.

    Raises Invalid, Denied as `Jobs.submit`. Call it in a thread.
    """
    about = {"key": key, "title": title, "dialect": dialect}
    if is_small(site, plan):
        return site.jobs.perform(caller, kind, inputs, **about)
    return site.jobs.get(caller, site.jobs.submit(caller, kind, inputs, **about))


def is_small(site: Site, plan: Plan) -> bool:
    """Whether the server may do it while its owner waits."""
    most = site.settings.jobs
    if site.extractor.limits.excess(plan):
        return False
    return 0 < most.at_once_seconds >= plan.seconds and max(plan.bytes_read, plan.bytes_out) <= most.at_once_bytes


def _order(site: Site, work: Work) -> tuple[Output, ...]:
    from terrella.site.ordering import order  # brings an HTTP client, which few jobs need

    return order(site, work)


def _harvest(site: Site, work: Work) -> tuple[Output, ...]:
    from terrella.site.harvesting import harvest

    return harvest(site, work)


# --- extract ---------------------------------------------------------------------------------------------------------


def extract_inputs(
    collection: str | Extraction, encoding: str, *, name: str = "", title: str = "", **wanted: Any
) -> Document:
    """Inputs of an `extract` job: what `Site.extract` takes, the name of an encoding, and of the file to write.

    Raises Invalid.
    """
    known = encodings()
    if encoding not in known:
        raise Invalid(f"There is no format {encoding!r:.40}. {nearest_names(encoding, known)}", parameter="f")
    request = extraction_from(collection, wanted)
    file = name or f"{request.collection}{known[encoding].suffix}"
    return {"extraction": written(request), "format": encoding, "name": file, "title": title}


def encodings() -> dict[str, Encoding]:
    """Every encoding by the word that `f=` takes."""
    return {one.name: one for made in load_all("encodings").values() for one in [made()]}


def extract(site: Site, work: Work) -> tuple[Output, ...]:
    """Cut values out of a cube and write them to one file."""
    request, encoding = read(work.inputs["extraction"]), encodings()[work.inputs["format"]]
    work.progress(0.02, "Planning.")
    plan = site.estimate(request, caller=work.caller)
    work.log(f"{plan.values:,} values; {plan.bytes_read:,} bytes to read.")
    work.progress(0.05, "Reading.")
    answer = site.cut(
        request, caller=work.caller, tell=lambda part: work.progress(round(0.05 + 0.65 * part, 4), "Reading.")
    )
    work.progress(0.7, "Writing.")
    if 0 in answer.dataset.sizes.values():
        raise NotFound("No cell lies in there: take a larger shape, or ask for the nearest cell of a point.")
    if reason := encoding.accepts(answer):
        raise Unsupported(f"{encoding.title} cannot hold this answer: {reason}")
    name = work.inputs["name"]
    write_answer(encoding, answer, work.folder / name)
    work.progress(0.95, "Publishing.")
    return (Output(name, encoding.media_type, 0, "", work.inputs.get("title", "")),)


# --- optimise --------------------------------------------------------------------------------------------------------


def optimise(site: Site, work: Work) -> tuple[Output, ...]:
    """Write a collection's cube again, laid out for series and maps; an earlier attempt's tiles are kept."""
    import orjson

    wanted = {name: value for name, value in work.inputs.items() if name != "collection"}
    report = site.optimise(work.inputs["collection"], caller=work.caller, tell=_telling(work), **wanted)
    (work.folder / "report.json").write_bytes(orjson.dumps(asdict(report)))
    return (Output("report.json", "application/json", 0, "", "What was gained"),)


def _telling(work: Work) -> Callable[[Step], None]:
    def tell(step: Step) -> None:
        work.progress(step.done / step.total if step.total else 0.0, f"{step.kind} {step.text}")

    return tell
