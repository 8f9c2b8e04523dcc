"""Statistics of the values in a shape: beside EDR's queries, with their parameters, limits and prices."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from terrella.api.caller import caller_of
from terrella.api.edr import shapes
from terrella.api.edr.asking import extraction, read_pairs
from terrella.api.edr.citing import citation, form_of
from terrella.api.edr.crs import crs_named
from terrella.api.edr.query import Query, number, whole
from terrella.api.edr.remembering import Remembered
from terrella.api.edr.responses import answered
from terrella.errors import Invalid
from terrella.extraction.distributions import MOST_BINS, USUAL_BINS, Bins, over_space
from terrella.extraction.receipts import receipt
from terrella.model.extraction import Everything
from terrella.model.ids import collection_id as checked_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from terrella.api.edr.crs import InputCrs
    from terrella.api.edr.remembering import Answers
    from terrella.contracts.cubes import CubeVariable
    from terrella.extraction.distributions import Described
    from terrella.model.caller import Caller
    from terrella.model.extraction import Extraction, Receipt
    from terrella.model.stac import Document
    from terrella.site.site import Site

NAME = "statistics"
_JSON = ("json", "application/json")
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Form:
    name: str
    media_type: str = "application/json"
    suffix: str = ".json"


class Statistics:
    """The handlers over one site. They run in threads: they read files."""

    def __init__(
        self,
        site: Site,
        answers: Answers,
        document: Callable[[Caller, str], Document],
        priced: Callable[[Caller, Extraction, str | None], Response],
    ) -> None:
        self._site = site
        self._answers = answers
        self._document = document
        self._priced = priced

    def get(self, request: Request, collection_id: str) -> Response:
        """How the values in a shape are distributed."""
        return self._get(request, collection_id, request.query_params.multi_items())

    async def post(self, request: Request, collection_id: str) -> Response:
        """The same with the parameters in the body."""
        return await run_in_threadpool(self._get, request, collection_id, await self._pairs(request))

    def estimate(self, request: Request, collection_id: str) -> Response:
        """What statistics would read; nothing is read for it."""
        return self._estimate(request, collection_id, request.query_params.multi_items())

    async def estimate_by_post(self, request: Request, collection_id: str) -> Response:
        """The same with the parameters in the body."""
        return await run_in_threadpool(self._estimate, request, collection_id, await self._pairs(request))

    def cite(self, request: Request, collection_id: str) -> Response:
        """What to cite for statistics, with their receipt; nothing is read for it."""
        return self._cite(request, collection_id, request.query_params.multi_items())

    async def cite_by_post(self, request: Request, collection_id: str) -> Response:
        """The same with the parameters in the body."""
        return await run_in_threadpool(self._cite, request, collection_id, await self._pairs(request))

    async def _pairs(self, request: Request) -> Pairs:
        """Parameters of the address and of the body."""
        return request.query_params.multi_items() + await read_pairs(request, self._site.settings.limits.body_bytes)

    def _get(self, request: Request, collection: str, pairs: Pairs) -> Response:
        caller, query = caller_of(request), Query(pairs)
        json_only(query)
        wanted, bins = self._wanted(caller, collection, query)
        return answer(request, caller, wanted, bins, self._site, self._answers)

    def _estimate(self, request: Request, collection: str, pairs: Pairs) -> Response:
        caller, query = caller_of(request), Query(pairs)
        json_only(query)
        return self._priced(caller, self._wanted(caller, collection, query)[0], None)

    def _cite(self, request: Request, collection: str, pairs: Pairs) -> Response:
        caller, query = caller_of(request), Query(pairs)
        form = form_of(query.take("f"))
        return citation(request, caller, self._wanted(caller, collection, query)[0], form, self._site)

    def _wanted(self, caller: Caller, collection: str, query: Query) -> tuple[Extraction, Bins]:
        """What is to be described, and the bins of its histogram. Raises Invalid."""
        bins = bins_of(query)
        asked = shape(query, crs_named(query.take("crs")))
        asked = replace(asked, shape=self._site.gazetteer.resolved(caller, asked.shape))
        wanted = extraction(checked_id(collection), asked, query, lambda: self._document(caller, collection))
        return replace(wanted, reduce=over_space(wanted.reduce)), bins


def shape(query: Query, crs: InputCrs) -> shapes.Asked:
    """`coords` of points or polygons, `bbox`, `region`, `cell`, `frame`, or nothing for all cells. Raises Invalid."""
    if query.has("bbox"):
        if query.has("coords"):
            raise Invalid("Give one shape, not bbox and coords.", parameter="bbox")
        return shapes.cube(query, crs)
    if query.has("within"):
        return shapes.radius(query, crs)
    if any(query.has(word) for word in ("region", "cell", "frame")):
        return shapes.area(query, crs)
    if query.has("coords"):
        return shapes.place_or_area(query, crs)
    return shapes.Asked(Everything())


def bins_of(query: Query) -> Bins:
    """Takes `bins` and `range`. Raises Invalid."""
    count = whole(query.take("bins"), "bins", low=1, high=MOST_BINS, default=USUAL_BINS)
    text = query.take("range")
    if text is None:
        return Bins(count)
    parts = text.split(",")
    if len(parts) != 2:
        raise Invalid(f"range is two numbers, LOW,HIGH, not {text[:60]!r}.", parameter="range")
    return Bins(count, (number(parts[0], "range"), number(parts[1], "range")))


def json_only(query: Query) -> None:
    """Takes `f`. Raises Invalid."""
    form = query.take("f")
    if form is not None and form.casefold() not in _JSON:
        raise Invalid(f"Statistics are written as f=json, not as {form[:40]!r}.", parameter="f")


def answer(request: Request, caller: Caller, wanted: Extraction, bins: Bins, site: Site, answers: Answers) -> Response:
    """Statistics as JSON; what is remembered, or known to the client, is not worked out again."""
    found = site.extractor.open(caller, wanted)

    def cut() -> tuple[Receipt, Remembered]:
        made = site.extractor.describe(caller, wanted, bins, found)
        return made.receipt, Remembered(orjson.dumps(document(made, wanted, bins)), made.plan)

    form = _Form(f"{NAME} {bins}")
    return answered(request, receipt(wanted, found.origin, (), 0), form, cut, answers)


def document(made: Described, wanted: Extraction, bins: Bins) -> dict[str, Any]:
    """The whole answer."""
    slip = made.receipt
    return {
        "collection": wanted.collection,
        "cells": wanted.cells.how or ("nearest" if type(wanted.shape).__name__ == "Points" else "centre"),
        "cell_count": made.cells,
        "weights": made.weights,
        "reduced": [str(one) for one in wanted.reduce[:-1]],
        "bins": bins.count,
        "variables": [_variable(one, made.entries[name]) for name, one in made.variables.items()],
        "receipt": {
            "request": slip.request,
            "collection": slip.collection,
            "version": slip.version,
            "items": list(slip.items[:100]),
            "software": slip.software,
            "licence": slip.licence,
            "attribution": slip.attribution,
            "bytes_read": slip.bytes_read,
            **{key: value for key, value in asdict(slip.credit).items() if value},
        },
    }


def _variable(variable: CubeVariable, entries: list[dict[str, Any]]) -> dict[str, Any]:
    attrs = variable.attrs
    return {
        "name": variable.name,
        "title": str(attrs.get("long_name") or attrs.get("standard_name") or variable.name),
        "units": str(attrs.get("units", "")),
        "standard_name": str(attrs.get("standard_name", "")),
        "statistics": entries,
    }
