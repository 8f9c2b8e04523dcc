"""The room's door: plan an extraction, or do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from terrella.cubes.caching import ReadTally
from terrella.cubes.optimising.choosing import cheapest
from terrella.cubes.optimising.records import is_copy
from terrella.errors import TooLarge
from terrella.extraction import summarising
from terrella.extraction.accounting import Account, Spends, price
from terrella.extraction.answering import dataset, unpaired
from terrella.extraction.distributions import Described, check_steps, described
from terrella.extraction.limits import Limits, check, refuse
from terrella.extraction.opening import opened
from terrella.extraction.planning import Prepared, prepare
from terrella.extraction.receipts import receipt
from terrella.extraction.reducing import Reductions, reductions
from terrella.extraction.scenes import check_size, coarser
from terrella.extraction.streaming import Read, reduced, split
from terrella.extraction.telling import Tell, telling
from terrella.extraction.timing import Clock, learn, placing, planned, reducing
from terrella.model.extraction import Box, Everything, Extracted, Extraction, Plan
from terrella.model.spending import Amounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terrella.contracts.cubes import Cube, CubeVariable
    from terrella.cubes.calibrating import Work
    from terrella.cubes.cubes import Cubes
    from terrella.cubes.cutting import Cuts
    from terrella.cubes.reading import Cost
    from terrella.cubes.selecting import Selection
    from terrella.extraction.distributions import Bins
    from terrella.extraction.opening import Catalogue, MakesCubes, Opened
    from terrella.model.caller import Caller
    from terrella.model.extraction import Receipt
    from terrella.model.stac import Document

_CHEAPER = 8
"""How many cells may be reduced for one that may be answered."""


Copies = Callable[["Cube"], Sequence["Cube"]]
"""Copies of a cube with equal values, laid out otherwise."""


def no_copies(_: Cube) -> Sequence[Cube]:
    return ()


@dataclass(frozen=True, eq=False)
class _Work:
    """What to read: variables whose axes cross, at once; those that follow a path, by groups of vertices."""

    prepared: Prepared
    crossed: Cuts
    followed: dict[str, list[tuple[np.ndarray, Cuts]]] = field(default_factory=dict)

    def cuts(self) -> Iterator[Cuts]:
        yield self.crossed
        for groups in self.followed.values():
            for _, cuts in groups:
                yield cuts

    @property
    def items(self) -> set[str]:
        return {item for cuts in self.cuts() for one in cuts.values() for item in one.items}


@dataclass(frozen=True, eq=False)
class _Run:
    """Reductions under way. `clock` does not count what it takes to read."""

    made: Reductions
    work: _Work
    plan: Plan
    tally: ReadTally
    clock: Clock
    read: Read

    def receipt(self, request: Extraction) -> Receipt:
        """For what was read until now."""
        cube = self.made.prepared.cube
        return receipt(request, cube.origin, _items(self.work, cube), self.tally.bytes_read)


class Extractor:
    """Safe for threads."""

    def __init__(
        self,
        catalog: Catalogue,
        cubes: Cubes,
        limits: Limits,
        copies: Copies = no_copies,
        scenes: MakesCubes | None = None,
        spends: Spends | None = None,
    ) -> None:
        self._catalog = catalog
        self._cubes = cubes
        self._limits = self.limits = limits
        self._copies = copies
        self._scenes = scenes
        self._spends = spends

    def cube(self, caller: Caller, collection: str) -> Cube:
        """The collection's own cube. Raises NotFound, Unsupported."""
        return self._cubes.open(*self._catalog.open(caller, collection))

    def open(self, caller: Caller, request: Extraction) -> Opened:
        """The cube that answers a request: the collection's own, or the one that its scenes make for this request.

        Raises NotFound for a collection, Unsupported where it has neither; for scenes Invalid and TooLarge too.
        """
        return opened(self._catalog, self._scenes, caller, request)

    def variables(self, caller: Caller, collection: str) -> dict[str, Document]:
        """Bands of a collection without a cube of its own, as `cube:variables` has it; {} where it has no images."""
        return {} if self._scenes is None else self._scenes.variables(caller, collection)

    def plan(self, caller: Caller, request: Extraction) -> Plan:
        """What the request would read and answer, also where it is too large; no data byte is read.

        Raises Invalid for a request that means nothing here, NotFound for a collection.
        """
        clock = Clock()
        found = self.open(caller, request)
        check_size(found, self._limits.cells)
        prepared = self._prepare(self._cubes.open(found.index, found.origin), found.asked)
        if request.reduce:
            made = reductions(prepared)
            return planned(self._plan_reduced(made, self._work(made.prepared)), clock)
        return planned(self._plan(self._work(prepared)), clock)

    def receipt(self, caller: Caller, request: Extraction) -> Receipt:
        """What the answer will come from, before anything is read: bytes are those of the plan. Raises as `plan`."""
        found = self.open(caller, request)
        check_size(found, self._limits.cells)
        prepared = self._prepare(self._cubes.open(found.index, found.origin), found.asked)
        made = reductions(prepared) if request.reduce else None
        work = self._work(made.prepared if made else prepared)
        plan = self._plan_reduced(made, work) if made else self._plan(work)
        return receipt(request, prepared.cube.origin, _items(work, prepared.cube), plan.bytes_read)

    def extract(
        self, caller: Caller, request: Extraction, found: Opened | None = None, tell: Tell | None = None
    ) -> Extracted:
        """The values; `found` is what `open` gave for this request just now.

        `tell` hears again and again which part of the chunks is read, from 0 to 1; what it raises ends the reading.

        Raises TooLarge, QuotaExceeded before reading; Invalid, NotFound as `plan`; Unreadable for a broken file.
        """
        found = found or self.open(caller, request)
        check_size(found, self._limits.cells)
        try:
            with Account(self._spends, caller, request.collection) as account:
                cube = self._cubes.open(found.index, found.origin)
                made = self._extract(cube, found.asked, request, account, tell)
                account.end(made.receipt.bytes_read)
                return made
        except TooLarge as error:
            raise coarser(error, found.index, self._limits.cells) if found.stated else error from None

    def describe(self, caller: Caller, request: Extraction, bins: Bins, found: Opened | None = None) -> Described:
        """How the values in a shape are distributed, at each step of the axes that are left; `found` as `extract`.

        `request` ends with the reduction that `distributions.over_space` adds. Raises as `extract`; TooLarge for too
        many steps.
        """
        found = found or self.open(caller, request)
        check_size(found, self._limits.cells)
        with Account(self._spends, caller, request.collection) as account:
            made = reductions(self._prepare(self._cubes.open(found.index, found.origin), found.asked))
            check_steps(made)
            run = self._begun(made, account, None)
            variables = {one.name: one for one in run.made.prepared.variables}
            entries = {name: described(run.made, one, bins, run.read) for name, one in variables.items()}
            slip = run.receipt(request)
            account.end(slip.bytes_read)
        return Described(variables, entries, run.made.said[-1], made.prepared.cells.count, run.plan, slip)

    def check(self, caller: Caller, request: Extraction, plan: Plan) -> None:
        """Raises TooLarge, with a smaller request that would pass, where this plan of it is over the limits.

        Raises QuotaExceeded where a quota leaves less than it takes to read it and to keep the answer.
        """
        if self._limits.excess(plan):
            self.extract(caller, request)  # refuses before it reads
        if self._spends is not None:
            self._spends.check(caller, price(plan) + Amounts(storage=plan.bytes_out), request.collection)

    def messages(self, caller: Caller, request: Extraction) -> Iterator[bytes]:
        """Whole fields as the GRIB messages that they are stored in, byte for byte; of a box, only its cells.

        Raises TooLarge, QuotaExceeded before reading; Invalid, NotFound as `plan`; Unsupported where they are not
        stored as GRIB.
        """
        cube = self.cube(caller, request.collection)
        area = request.shape.extent if isinstance(request.shape, Box) else None
        prepared = prepare(cube, replace(request, shape=Everything()))
        work = self._work(prepared)
        plan = self._plan(work)
        refuse(plan, self._limits, prepared, partial(self._smaller, cube))
        return self._told(caller, request.collection, plan, self._cubes.messages(work.crossed, area))

    def _told(self, caller: Caller, collection: str, plan: Plan, messages: Iterator[bytes]) -> Iterator[bytes]:
        """Messages, on the account: they are read whole, so the plan says how much."""
        with Account(self._spends, caller, collection) as account:
            account.begin(plan)
            yield from messages
            account.end(plan.bytes_read)

    def numbers(self, caller: Caller, cube: Cube, name: str, selection: Selection) -> tuple[np.ndarray, int]:
        """What a selection of one variable holds, without coordinates, and the stored bytes that were read for it.

        For cells that were chosen elsewhere, of a cube that the caller may read: from the copy that costs least, within
        the limits and on the account. Raises TooLarge, QuotaExceeded before reading; Unreadable.
        """
        cuts, plan = self._cut(cube, name, selection)
        check(plan, self._limits)
        with Account(self._spends, caller, cube.origin.collection) as account:
            account.begin(plan)
            tally = ReadTally()
            found = self._cubes.read(cuts, tally)[name]
            account.end(tally.bytes_read)
        return found, tally.bytes_read

    def price_of(self, cube: Cube, name: str, selection: Selection) -> Plan:
        """What `numbers` would read, also where that is too large; no data byte is read."""
        return self._cut(cube, name, selection)[1]

    def _cut(self, cube: Cube, name: str, selection: Selection) -> tuple[Cuts, Plan]:
        wanted = {name: selection}
        # an overview has no copies: those of its collection are of the whole grid
        copies = () if is_copy(cube.variables[name]) else self._copies(cube)
        cuts = self._cubes.cut(cheapest(self._cubes, [cube, *copies], wanted), wanted)
        cost = self._cubes.plan(cuts)
        memory = cost.bytes_out + min(cost.chunks * cost.largest, self._cubes.cache_bytes)
        seconds = self._cubes.seconds(cost)
        return cuts, Plan(cost.values, cost.values, cost.chunks, cost.bytes_read, cost.bytes_out, memory, seconds)

    def _extract(
        self, cube: Cube, asked: Extraction, request: Extraction, account: Account, tell: Tell | None
    ) -> Extracted:
        """Values for a request that the cube has as `asked`."""
        prepared = self._prepare(cube, asked)
        if request.reduce:
            return self._reduce(prepared, request, account, tell)
        smaller = partial(self._smaller, cube)
        refuse(_rough(prepared), self._limits, prepared, smaller)
        work = self._work(prepared)
        plan = self._plan(work)
        refuse(plan, self._limits, prepared, smaller)
        account.begin(plan)
        tally = ReadTally(tell=telling(tell, plan))
        values = self._read(work, tally)
        slip = receipt(request, cube.origin, _items(work, cube), tally.bytes_read)
        clock = Clock()
        made = dataset(prepared, values, slip)
        learn(self._cubes.calibration, placing(prepared), clock)
        return Extracted(made, request, plan, slip)

    def _prepare(self, cube: Cube, request: Extraction) -> Prepared:
        """A request understood, each variable taken from the copy from which the fewest bytes must come."""
        prepared = prepare(cube, request)
        copies = () if request.items else self._copies(cube)
        if not copies or self._limits.excess(_rough(prepared)):
            return prepared
        wanted = {one.name: prepared.selection(one) for one in prepared.variables if not prepared.follows(one)}
        best = cheapest(self._cubes, [cube, *copies], wanted)
        return replace(prepared, cube=best, variables=tuple(best.variables[one.name] for one in prepared.variables))

    def _smaller(self, cube: Cube, request: Extraction) -> Plan:
        """The plan of a smaller request; by arithmetic alone where it is still too large."""
        prepared = self._prepare(cube, request)
        if request.reduce:
            made = reductions(prepared)
            rough = _rough_reduced(made)
            if self._limits.excess(rough):
                return rough
            return _priced(made, self._plan_reduced(made, self._work(prepared)))
        rough = _rough(prepared)
        return rough if self._limits.excess(rough) else self._plan(self._work(prepared))

    def _work(self, prepared: Prepared) -> _Work:
        items = prepared.request.items
        crossing = [one for one in prepared.variables if not prepared.follows(one)]
        crossed = self._cubes.cut(prepared.cube, {one.name: prepared.selection(one) for one in crossing}, items)
        followed = {
            one.name: [
                (vertices, self._cubes.cut(prepared.cube, {one.name: selection}, items))
                for vertices, selection in prepared.groups(one)
            ]
            for one in prepared.variables
            if prepared.follows(one)
        }
        return _Work(prepared, crossed, followed)

    def _plan(self, work: _Work) -> Plan:
        costs = [self._cubes.plan(cuts) for cuts in work.cuts()]
        bytes_out = work.prepared.bytes_out
        return Plan(
            cells=work.prepared.cells.count,
            values=work.prepared.values,
            chunks=sum(cost.chunks for cost in costs),
            bytes_read=sum(cost.bytes_read for cost in costs),
            bytes_out=bytes_out,
            memory=self._memory(work, costs, bytes_out),
            seconds=self._seconds(costs, placing(work.prepared)),
        )

    def _seconds(self, costs: list[Cost], besides: dict[str, Work]) -> float:
        """Expected time of reading, and of what is done besides."""
        return sum(self._cubes.seconds(cost) for cost in costs) + self._cubes.calibration.seconds(besides)

    def _memory(self, work: _Work, costs: list[Cost], bytes_out: int) -> int:
        """The answer, its cells, the chunks in the works, and those that stay in the cache."""
        largest = max((cost.largest for cost in costs), default=0)
        decoded = sum(cost.chunks * cost.largest for cost in costs)
        kept = min(decoded, self._cubes.cache_bytes)
        working = min(decoded, 2 * self._cubes.threads * largest)
        return bytes_out + work.prepared.cells.memory + kept + working

    def _read(self, work: _Work, tally: ReadTally) -> dict[str, np.ndarray]:
        cells = work.prepared.cells
        values = {name: cells.settled(found) for name, found in self._cubes.read(work.crossed, tally).items()}
        for name, groups in work.followed.items():
            values[name] = self._follow(work.prepared, work.prepared.cube.variables[name], groups, tally)
        return {one.name: values[one.name] for one in work.prepared.variables}

    def _follow(
        self, prepared: Prepared, variable: CubeVariable, groups: list[tuple[np.ndarray, Cuts]], tally: ReadTally
    ) -> np.ndarray:
        """Values along a path: the axes that go with its vertices are gone."""
        out = np.empty(prepared.shape(variable), dtype=prepared.cells.dtype(variable.dtype))
        gone = tuple(d for d, dim in enumerate(variable.dims) if dim in prepared.along)
        for vertices, cuts in groups:
            found = self._cubes.read(cuts, tally)[variable.name].squeeze(axis=gone)
            out[..., vertices] = prepared.cells.settled(found, vertices)
        return out

    # --- reductions ------------------------------------------------------------------------------------------------

    def _reduce(self, prepared: Prepared, request: Extraction, account: Account, tell: Tell | None) -> Extracted:
        """The values of a request with reductions: variable by variable, block by block."""
        run = self._begun(reductions(prepared), account, tell)
        made = run.made
        values = {one.name: reduced(made, one, split(made, one), run.read) for one in made.prepared.variables}
        slip = run.receipt(request)
        found = summarising.dataset(made, values, slip)
        learn(self._cubes.calibration, reducing(made), run.clock)
        return Extracted(found, request, run.plan, slip)

    def _begun(self, made: Reductions, account: Account, tell: Tell | None) -> _Run:
        """Reductions planned, allowed and on the account: from now on values may be read."""
        prepared = made.prepared
        smaller = partial(self._smaller, prepared.cube)
        refuse(_rough_reduced(made), self._limits, prepared, smaller)
        work = self._work(prepared)
        plan = self._plan_reduced(made, work)
        refuse(_priced(made, plan), self._limits, prepared, smaller)
        account.begin(plan)
        tally, clock = ReadTally(tell=telling(tell, plan)), Clock()

        def read(part: Prepared, variable: CubeVariable) -> np.ndarray:
            own = Clock()
            one = self._work(replace(part, variables=(variable,)))
            dims = (*part.dims(variable), *part.cells.dims)
            values = self._read(one, tally)[variable.name]
            clock.apart += own.seconds
            found = unpaired(part, variable, dims, values)
            return found.reshape(*found.shape[: found.ndim - len(part.cells.dims)], -1)

        return _Run(made, work, plan, tally, clock, read)

    def _plan_reduced(self, made: Reductions, work: _Work) -> Plan:
        """Bytes and chunks count once where they stay in the cache between blocks, else for each block."""
        ways = [split(made, one) for one in made.prepared.variables]
        costs = [self._cubes.plan(cuts) for cuts in work.cuts()]
        fits = sum(cost.chunks * cost.largest for cost in costs) <= self._cubes.cache_bytes
        again = 1 if fits else max(way.again for way in ways)
        at_work = max(way.memory for way in ways)
        return Plan(
            cells=made.prepared.cells.count,
            values=made.values,
            chunks=again * sum(cost.chunks for cost in costs),
            bytes_read=again * sum(cost.bytes_read for cost in costs),
            bytes_out=made.bytes_out,
            memory=self._memory(work, costs, made.bytes_out) + at_work,
            seconds=self._seconds(again * costs, reducing(made)),
        )


def _items(work: _Work, cube: Cube) -> set[str]:
    """Items that an answer comes from; an optimised copy stands for all of them."""
    found = work.items
    return set(cube.origin.items) if "" in found else found


def _rough(prepared: Prepared) -> Plan:
    """By arithmetic alone: what is far too large would take long even to plan."""
    return Plan(prepared.cells.count, prepared.values, 0, 0, 0, 0)


def _rough_reduced(made: Reductions) -> Plan:
    """The same of an answer with reductions."""
    return _priced(made, Plan(made.prepared.cells.count, made.values, 0, 0, 0, 0))


def _priced(made: Reductions, plan: Plan) -> Plan:
    """The plan as limits see it: cells that are reduced away cost less than those that are answered."""
    return replace(plan, cells=max(made.cells, plan.cells // _CHEAPER))
