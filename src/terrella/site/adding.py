"""Putting data in: find, scan, group, describe, register. What is registered stays, whatever happens next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import orjson
from filelock import FileLock

from terrella.catalog.describing import Wishes
from terrella.catalog.registering import News, emptied, registrations
from terrella.contracts.cubes import Bundle
from terrella.cubes.grouping import bundles
from terrella.cubes.scanning import Candidate, find, normal
from terrella.errors import NotFound, TerrellaError
from terrella.model.ids import collection_id
from terrella.model.scan import Failure
from terrella.site.copying import copied
from terrella.storage.files import is_there, local_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from terrella.contracts.providers import Registration, Source, Stores
    from terrella.cubes.scanning import Scanners
    from terrella.model.caller import Caller
    from terrella.model.scan import FileScan
    from terrella.model.stac import Document

EventKind = Literal["found", "scanning", "scanned", "failed", "grouped", "registered"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened while adding, for a progress bar."""

    kind: EventKind
    text: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class AddedCollection:
    """What became of the files of one collection."""

    id: str
    is_new: bool
    items: int
    """Files or documents in it now."""
    changed: int
    """Items that are new, changed or marked as missing."""
    grid: str
    """Kind of the grid; empty where there is no cube."""
    dimensions: dict[str, int]
    variables: tuple[str, ...]
    why: str = ""
    """Why there is no cube."""
    notes: tuple[str, ...] = ()
    """What was left out of the files."""


@dataclass(eq=False)
class Added:
    """The report of one run."""

    collections: list[AddedCollection] = field(default_factory=list)
    unchanged: int = 0
    missing: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


_EMPTY = Bundle("", "", (), None, "None of its files is there any more.")


def _say_nothing(_: Event) -> None:
    pass


@dataclass(eq=False)
class Adding:
    """One run of adding to a lake. `tell` hears of every event."""

    lake: Stores
    scanners: Scanners
    home: Path
    caller: Caller
    collection: str | None = None
    wishes: Wishes = field(default_factory=Wishes)
    is_dry_run: bool = False
    is_copied: bool = False
    tell: Callable[[Event], None] = _say_nothing
    report: Added = field(default_factory=Added)
    _known: dict[str, Source] = field(default_factory=dict)
    _fresh: dict[str, FileScan] = field(default_factory=dict)

    def run(self, paths: Sequence[str]) -> Added:
        """Add what the paths name. Failures of single files are in the report; raises only for what stops all."""
        if self.collection is not None:
            collection_id(self.collection)
        self._known = self.lake.sources()
        candidates = self._find(paths)
        self._scan(candidates)
        # two who add at once would each build a cube without the other's files
        with writing(self.home):
            self._known = self.lake.sources()
            gone = self._gone(paths, {candidate.href for candidate in candidates})
            self._register_all(gone)
        self.report.missing = sorted(gone)
        return self.report

    def _fail(self, failure: Failure) -> None:
        self.report.failures.append(failure)
        self.tell(Event("failed", f"{failure.href}: {failure.reason}"))

    def _find(self, paths: Sequence[str]) -> list[Candidate]:
        found = []
        for one in find(paths):
            if self.is_copied and not self.is_dry_run and isinstance(one, Candidate):
                one = copied(one, self.home)  # noqa: PLW2901
            if isinstance(one, Failure):
                self._fail(one)
            else:
                found.append(one)
        self.tell(Event("found", count=len(found)))
        return found

    def _scan(self, candidates: list[Candidate]) -> None:
        todo = [one for one in candidates if self._is_new(one)]
        waiting = [one.href for one in candidates if not self._is_new(one) and self._is_loose(one.href)]
        self._fresh = {one.href: one for one in self.lake.scans(waiting)}
        self.report.unchanged = len(candidates) - len(todo) - len(waiting)
        self.tell(Event("scanning", count=len(todo)))
        for result in self.scanners.scan(todo):
            self._take(result)

    def _take(self, result: list[FileScan] | Failure) -> None:
        if isinstance(result, Failure):
            self._fail(result)
            self.tell(Event("scanned", result.href))
            return
        for one in result:
            if not self.is_dry_run:
                self.lake.keep_scan(one)
            self._fresh[one.href] = one
            self.tell(Event("scanned", one.href))

    def _is_new(self, candidate: Candidate) -> bool:
        known = self._known.get(candidate.href)
        return (
            known is None
            or known.is_missing
            or known.modified != candidate.state.modified
            or known.format != candidate.format
        )

    def _is_loose(self, href: str) -> bool:
        """Scanned, but in no collection yet, or not in the one that is asked for."""
        homes = self._known[href].collections
        return not homes or (self.collection is not None and self.collection not in homes)

    def _gone(self, paths: Sequence[str], seen: set[str]) -> set[str]:
        """Files of collections that lay under the given folders and are there no more."""
        places = [normal(place) for path in paths if (place := _folder(path)) is not None]
        return {
            href
            for href, source in self._known.items()
            if source.collections and not source.is_missing and href not in seen
            if any(_lies_in(href, place) for place in places) and not is_there(href)
        }

    def _register_all(self, gone: set[str]) -> None:
        homes = self.lake.homes()
        scans = self._fresh | {one.href: one for one in self.lake.scans(self._neighbours(gone))}
        try:
            made = bundles([scans[href] for href in sorted(scans)], homes, collection=self.collection)
        except TerrellaError as error:
            self._fail(Failure(", ".join(sorted(self._fresh)[:3]), error.message))
            return
        touched = {name for href in gone for name in self._known[href].collections}
        made = [
            one for one in made if one.collection in touched or any(m.scan.href in self._fresh for m in one.members)
        ]
        news = News(frozenset(self._fresh), frozenset(gone), rfc3339_now(), self.wishes, self._document)
        self.tell(Event("grouped", count=len(made)))
        for bundle in made:
            for registration in registrations(bundle, homes, news):
                self._register(bundle, registration, is_new=registration.collection["id"] not in homes)
        for name in sorted(touched - {one.collection for one in made}):
            self._register(_EMPTY, emptied(name, homes[name], news, self._document(name) or {}), is_new=False)

    def _neighbours(self, gone: set[str]) -> list[str]:
        """Files registered before that may belong together with new ones: of the same folders or collections."""
        news = {*self._fresh, *gone}
        folders = {href.rpartition("/")[0] for href in news}
        touched = {name for href in news & set(self._known) for name in self._known[href].collections}
        touched |= {self.collection} if self.collection else set()
        return [
            href
            for href, source in self._known.items()
            if source.collections and not source.is_missing and href not in news
            if touched & set(source.collections) or (not self.collection and href.rpartition("/")[0] in folders)
        ]

    def _register(self, bundle: Bundle, made: Registration, *, is_new: bool) -> None:
        if not self.is_dry_run:
            self.lake.register(self.caller, made)
        index = made.index
        self.report.collections.append(
            AddedCollection(
                id=made.collection["id"],
                is_new=is_new,
                items=len(made.members) if made.key else len(made.items),
                changed=len(made.items),
                grid=made.collection.get("terrella:grid", {}).get("kind", ""),
                dimensions={axis.name: int(axis.values.size) for axis in index.axes} if index else {},
                variables=tuple(one.name for one in index.variables) if index else (),
                why=bundle.why,
                notes=tuple(dict.fromkeys(note for member in bundle.members for note in member.scan.notes)),
            )
        )
        self.tell(Event("registered", made.collection["id"], len(made.items)))

    def _document(self, collection: str, item: str | None = None) -> Document | None:
        try:
            if item is None:
                found: Document = orjson.loads(self.lake.collection(self.caller, collection))
            else:
                found = orjson.loads(self.lake.item(self.caller, collection, item))
        except NotFound:
            return None
        return found


def writing(home: Path) -> FileLock:
    """Held by whoever changes which files a collection has; others wait."""
    return FileLock(home / "writing.lock")


def rfc3339_now() -> str:
    """The time as documents say it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _folder(path: str) -> Path | None:
    try:
        return local_path(path)
    except TerrellaError:
        return None


def _lies_in(href: str, place: Path) -> bool:
    return href == str(place) or href.startswith(f"{place}/")
