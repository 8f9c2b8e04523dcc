"""One run: find ranges, write tiles, commit now and then, publish. Killed at any moment, the next run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from terrella.contracts.cubes import Cube
from terrella.cubes.cubes import Cubes
from terrella.cubes.optimising.bounds import PARAMETER, ErrorBound
from terrella.cubes.optimising.coordinates import group_dataset
from terrella.cubes.optimising.overviews import LEAST_CELLS, Pyramid
from terrella.cubes.optimising.places import folder_of
from terrella.cubes.optimising.planning import LAYOUTS, LayoutName, Purpose, Target, target
from terrella.cubes.optimising.quantising import Errors, Storage, storage_for
from terrella.cubes.optimising.records import keep_record
from terrella.cubes.optimising.repository import Work, only_writer
from terrella.cubes.optimising.summaries import Summary
from terrella.cubes.optimising.tiling import Region, count_tiles, tiles
from terrella.cubes.optimising.writing import Writer
from terrella.cubes.selecting import Selection
from terrella.errors import Invalid

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Step:
    """Progress, for a bar: `done` of `total` tiles of one array."""

    kind: Literal["ranging", "writing", "publishing"]
    text: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class OptimisedArray:
    """What became of one variable in one layout. Sizes in bytes; errors in the variable's units."""

    variable: str
    layout: LayoutName
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: str
    bytes_before: int
    """Stored bytes of the original."""
    bytes_after: int
    bytes_overviews: int
    ratio: float
    """Of the values as float32, to what is stored without overviews."""
    max_error_allowed: float
    max_error: float
    mean_error: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Optimised:
    """The report of one run."""

    collection: str
    version: str
    snapshot: str
    place: str
    arrays: tuple[OptimisedArray, ...]
    written: tuple[str, ...]
    """Arrays that this run wrote at least a part of; the others were finished before."""
    seconds: float


@dataclass(eq=False)
class Run:
    """Optimises one cube. `memory` bounds a tile in bytes; `commit_seconds` is the most work that a kill can lose;
    an overview of no more than `least_cells` is the last.
    """

    cubes: Cubes
    cube: Cube
    home: Path
    purpose: Purpose = "both"
    bounds: Mapping[str, ErrorBound] = field(default_factory=dict)
    variables: Sequence[str] = ()
    effort: int = 9
    memory: int = 256 * MIB
    commit_seconds: float = 15.0
    least_cells: int = LEAST_CELLS
    tell: Callable[[Step], None] = lambda _: None

    def run(self) -> Optimised:
        """Raises Conflict where another process does it, Invalid for bounds that cannot be held."""
        self._check()
        began = time.monotonic()
        folder = folder_of(self.home, self.cube.origin.collection)
        with only_writer(folder):
            work = Work(folder, self.cube.origin.version)
            pyramid = Pyramid(self.cube.grid, self.least_cells)
            targets = [self._target(pyramid, name, layout) for layout in LAYOUTS[self.purpose] for name in self._names]
            todo = [one for one in targets if not _is_done(one, work)]
            _abandon_others(work, targets)
            self._ranges(todo, work)
            for one in todo:
                self._write(self._writer(one, pyramid, work), work)
            snapshot = self._publish(work)
            keep_record(folder, snapshot, self.cube, work.state)
        return self._report(targets, todo, work, snapshot, folder, time.monotonic() - began)

    @property
    def _names(self) -> list[str]:
        return list(self.variables) or sorted(self.cube.variables)

    def _check(self) -> None:
        if self.purpose not in LAYOUTS:
            raise Invalid(f"A cube is optimised for {', '.join(LAYOUTS)}, not {self.purpose!r:.40}.", parameter="for")
        for name in self.bounds:
            if name not in self._names:
                raise Invalid(
                    f"An error is allowed for {name!r}, but only {', '.join(self._names)} will be written.",
                    parameter=PARAMETER,
                )
            if np.dtype(self.cube.variables[name].dtype).kind != "f":
                raise Invalid(
                    f"{name} holds whole numbers, which are kept as they are: leave its error out.", parameter=PARAMETER
                )

    def _target(self, pyramid: Pyramid, name: str, layout: LayoutName) -> Target:
        return target(self.cube, pyramid, name, layout, self.bounds.get(name), self.effort, self.memory)

    # --- reading ---

    def _values(self, name: str, region: Region) -> np.ndarray:
        variable = self.cube.variables[name]
        axes = len(variable.dims) - len(self.cube.grid.shape)
        chosen = dict(zip(variable.dims[:axes], region[:axes], strict=True))
        cuts = self.cubes.cut(self.cube, {name: Selection(chosen, lines=region[axes:])})
        return self.cubes.read(cuts)[name]

    def _ranges(self, todo: list[Target], work: Work) -> None:
        """The range of each variable that has a bound, once."""
        known = work.state.setdefault("ranges", {})
        for one in {one.variable.name: one for one in todo if one.bound is not None}.values():
            name = one.variable.name
            if name in known:
                continue
            summary, total = Summary(), count_tiles(one.shape, one.tile)
            for number, region in enumerate(tiles(one.shape, one.tile)):
                self.tell(Step("ranging", name, number, total))
                summary = summary.with_values(self._values(name, region))
                if not summary.is_finite:
                    raise Invalid(
                        f"{name} has infinite values, for which no error is small enough: leave its error out, and it "
                        f"is stored as it is.",
                        parameter=PARAMETER,
                    )
            known[name] = None if summary.is_empty else [summary.low, summary.high]
            work.commit(f"range of {name}")

    # --- writing ---

    def _writer(self, one: Target, pyramid: Pyramid, work: Work) -> Writer:
        names = tuple(str(name) for name in self.cube.dataset.variables)
        return Writer(one, self._storage(one, work), pyramid, names)

    def _storage(self, one: Target, work: Work) -> Storage:
        dtype = np.dtype(one.variable.dtype)
        if one.bound is None:
            return Storage(dtype.newbyteorder("<").str)
        span = work.state["ranges"][one.variable.name]
        summary = Summary() if span is None else Summary(*span)
        bound = 0.0 if span is None and one.bound.is_relative else one.bound.absolute(summary.low, summary.high)
        return storage_for(dtype, summary, bound)

    def _write(self, writer: Writer, work: Work) -> None:
        one = writer.target
        state = self._begun(writer, work)
        total, since, began = state["tiles"], time.monotonic(), time.monotonic()
        for number, region in enumerate(tiles(one.shape, one.tile, first=state["done"]), state["done"]):
            self.tell(Step("writing", one.path, number, total))
            errors = writer.write(work.store, region, self._values(one.variable.name, region))
            state["errors"] = asdict(Errors(**state["errors"]) + errors)
            state["done"] = number + 1
            now = time.monotonic()
            state["seconds"], began = state["seconds"] + now - began, now
            if now - since >= self.commit_seconds and number + 1 < total:
                work.commit(f"{one.path}: {number + 1} of {total} tiles")
                since = time.monotonic()
        state["bytes"], state["bytes_overviews"] = writer.size(work.store)
        state["overviews"] = writer.overviews(work.store)
        state["document"] = writer.document(work.store)
        work.commit(f"{one.path}: all {total} tiles")

    def _begun(self, writer: Writer, work: Work) -> dict[str, Any]:
        """How far this array is; made anew where what is there was made in another way."""
        one = writer.target
        state: dict[str, Any] = work.state["arrays"].get(one.path, {})
        if state.get("spec") == one.spec:
            return state
        self._groups(writer, work)
        writer.create(work.store)
        state = {
            "spec": one.spec,
            "variable": one.variable.name,
            "layout": one.layout,
            "storage": asdict(writer.storage),
            "tiles": count_tiles(one.shape, one.tile),
            "done": 0,
            "errors": asdict(Errors()),
            "seconds": 0.0,
            "bytes": 0,
            "bytes_overviews": 0,
        }
        work.state["arrays"][one.path] = state
        work.commit(f"{one.path}: begun")
        return state

    def _groups(self, writer: Writer, work: Work) -> None:
        """Coordinates of the layout, and of its overviews, where they are not there yet."""
        made = work.state.setdefault("groups", [])
        levels = writer.pyramid.levels if writer.levels else ()
        for group, level in [(writer.target.layout, None), *((f"maps/{one.number}", one) for one in levels)]:
            if group in made:
                continue
            dataset = group_dataset(self.cube, level)
            dataset.to_zarr(work.store, group=group, mode="a", zarr_format=3, consolidated=False)
            made.append(group)

    def _publish(self, work: Work) -> str:
        self.tell(Step("publishing", self.cube.origin.collection, 0, 1))
        return work.publish()

    # --- telling ---

    def _report(
        self, targets: list[Target], todo: list[Target], work: Work, snapshot: str, folder: Path, seconds: float
    ) -> Optimised:
        return Optimised(
            collection=self.cube.origin.collection,
            version=self.cube.origin.version,
            snapshot=snapshot,
            place=str(folder),
            arrays=tuple(self._arrays(targets, work)),
            written=tuple(one.path for one in todo),
            seconds=seconds,
        )

    def _arrays(self, targets: list[Target], work: Work) -> Iterator[OptimisedArray]:
        for one in targets:
            name, state = one.variable.name, work.state["arrays"][one.path]
            errors, storage = Errors(**state["errors"]), Storage(**state["storage"])
            before = self.cubes.plan(self.cubes.cut(self.cube, {name: Selection()})).bytes_read
            yield OptimisedArray(
                variable=name,
                layout=one.layout,
                shape=one.shape,
                chunks=one.chunk,
                dtype=storage.dtype,
                bytes_before=before,
                bytes_after=state["bytes"],
                bytes_overviews=state["bytes_overviews"],
                ratio=4 * int(np.prod(one.shape, dtype=object)) / max(1, state["bytes"]),
                max_error_allowed=storage.bound if storage.is_packed else 0.0,
                max_error=errors.largest,
                mean_error=errors.mean,
                seconds=state["seconds"],
            )


def _is_done(one: Target, work: Work) -> bool:
    state = work.state["arrays"].get(one.path, {})
    return bool(state.get("spec") == one.spec and state.get("document"))


def _abandon_others(work: Work, targets: list[Target]) -> None:
    """Half-made arrays of another run would be seen by readers when this one is published."""
    mine = {one.path for one in targets}
    for path, state in list(work.state["arrays"].items()):
        if path not in mine and "document" not in state:
            work.abandon(path)
