"""Putting data in: find, scan, group, describe, register. What is registered stays, whatever happens next."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from glob import has_magic
from typing import TYPE_CHECKING, Literal

import orjson
from filelock import FileLock

from terrella.catalog.describing import Wishes, usual_grid
from terrella.catalog.registering import News, emptied, registrations
from terrella.contracts.cubes import Bundle
from terrella.cubes.grouping import bundles, forced_key
from terrella.cubes.scanning import Candidate, find, normal
from terrella.errors import NotFound, ProviderUnavailable, TerrellaError
from terrella.model.ids import collection_id
from terrella.model.scan import Failure
from terrella.site.copying import copied
from terrella.storage.files import is_there, local_path

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence
    from pathlib import Path

    from terrella.contracts.providers import Home, Registration, Source, Stores
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
    _waiting: frozenset[str] = frozenset()
    """Files that did not change and are used nevertheless: they are not yet where they should be."""

    def run(self, paths: Sequence[str]) -> Added:
        """Add what the paths name. Failures of single files are in the report; raises only for what stops all."""
        if self.collection is not None:
            collection_id(self.collection)
        self._known = self.lake.sources()
        candidates = self._find(paths)
        self._scan(candidates)
        # two who add at once would each build a cube without the other's files
        with writing(self.home):
            self._pass_over_added()
            gone = self._gone(paths, {candidate.href for candidate in candidates})
            self._register_all(gone)
            self._keep_grid()
        self.report.missing = sorted(gone)
        return self.report

    def _pass_over_added(self) -> None:
        """New files that another process has added since we looked are no news any more."""
        before, self._known = self._known, self.lake.sources()
        for href in list(self._fresh) if self.collection is None else ():
            known = self._known.get(href)
            was_loose = href not in before or not before[href].collections
            if known and was_loose and known.collections and known.modified == self._fresh[href].modified:
                del self._fresh[href]
                self.report.unchanged += 1

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
        self._waiting = frozenset(waiting)
        for one in self.lake.scans(waiting):
            self._use(one)
        self.report.unchanged = len(candidates) - len(todo) - len(waiting)
        self.tell(Event("scanning", count=len(todo)))
        with closing(self.scanners.scan(todo)) as results:  # so that Ctrl-C ends the scanning, wherever it hits
            for result in results:
                self._take(result)

    def _take(self, result: list[FileScan] | Failure) -> None:
        if isinstance(result, Failure):
            self._fail(result)
            self.tell(Event("scanned", result.href))
            return
        for one in result:
            if not self.is_dry_run:
                self.lake.keep_scan(one)
            self._use(one)
            self.tell(Event("scanned", one.href))

    def _use(self, scan: FileScan) -> None:
        """What was scanned takes part in grouping, where there is anything in it."""
        if scan.parts or scan.items or scan.collections:
            self._fresh[scan.href] = scan
        else:
            self._fail(Failure(scan.href, f"Nothing in it can be used. {'; '.join(scan.notes)}".strip()))

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
        places = {str(normal(place)) for path in paths if (place := _folder(path)) is not None}
        patterns = [place for place in places if has_magic(place)]
        return {
            href
            for href, source in self._known.items()
            if source.collections and not source.is_missing and href not in seen
            if _lies_in(href, places) or any(fnmatchcase(href, one) for one in patterns)
            if not is_there(href)
        }

    def _register_all(self, gone: set[str]) -> None:
        if self.collection is None:
            self._regroup(self._fresh, gone, None)
            return
        self._regroup(self._fresh, set(), self.collection)
        elsewhere = {href: scan for href, scan in self._fresh.items() if self._is_stale_elsewhere(href)}
        self._regroup(elsewhere, gone, None)

    def _is_stale_elsewhere(self, href: str) -> bool:
        """Changed, and in other collections than the one asked for."""
        known = self._known.get(href)
        return href not in self._waiting and known is not None and bool(set(known.collections) - {self.collection})

    def _regroup(self, fresh: dict[str, FileScan], gone: set[str], collection: str | None) -> None:
        """Group new and changed files with those that may belong together with them, and register what is new."""
        if not fresh and not gone:
            return
        homes = self.lake.homes()
        scans = fresh | {one.href: one for one in self.lake.scans(self._neighbours({*fresh, *gone}, collection))}
        try:
            made = bundles([scans[href] for href in sorted(scans)], homes, collection=collection)
        except TerrellaError as error:
            self._fail(Failure(", ".join(sorted(fresh)[:3]), error.message))
            return
        touched = {name for href in gone for name in self._known[href].collections}
        regrouped = _regrouped(made, homes, set(scans), gone)
        moved = {href for name in regrouped for href in homes[name].members}
        todo = [
            one
            for one in made
            if one.collection in touched | regrouped
            or _has_any(one, fresh)
            or (one.collection not in homes and _has_any(one, moved))
        ]
        news = News(frozenset(fresh), frozenset(gone), rfc3339_now(), self.wishes, self._document)
        self.tell(Event("grouped", count=len(todo)))
        for bundle in todo:
            self._register_bundle(bundle, homes, news)
        for name in sorted(touched - {one.collection for one in made}):
            self._register(_EMPTY, emptied(name, homes[name], news, self._document(name) or {}), homes, ())
        for name in sorted(regrouped - {one.collection for one in made}):
            if not self.is_dry_run:
                self.lake.remove_collection(self.caller, name)

    def _neighbours(self, news: set[str], collection: str | None) -> list[str]:
        """Files registered before that may belong together with new ones: of the same folders or collections."""
        folders = {href.rpartition("/")[0] for href in news} if collection is None else set()
        touched = {name for href in news & set(self._known) for name in self._known[href].collections}
        touched = touched if collection is None else {collection}
        return [
            href
            for href, source in self._known.items()
            if source.collections and not source.is_missing and href not in news
            if touched & set(source.collections) or href.rpartition("/")[0] in folders
        ]

    def _register_bundle(self, bundle: Bundle, homes: Mapping[str, Home], news: News) -> None:
        """Its registrations; where one cannot be kept, its files have failed, and all else goes on."""
        notes = tuple(dict.fromkeys(note for member in bundle.members for note in member.scan.notes))
        try:
            for registration in registrations(bundle, homes, news):
                self._register(bundle, registration, homes, notes)
                notes = ()  # of STAC documents: said once, not with each of their collections
        except TerrellaError as error:
            if isinstance(error, ProviderUnavailable):
                raise
            first, *more = (member.scan.href for member in bundle.members)
            names = f"{first} and {len(more)} more" if more else first
            self._fail(Failure(names, error.message))

    def _register(self, bundle: Bundle, made: Registration, homes: Mapping[str, Home], notes: tuple[str, ...]) -> None:
        name = made.collection["id"]
        home = homes.get(name)
        if not self.is_dry_run:
            self.lake.register(self.caller, made)
            if made.key and home is not None and (left := _left(home, made)):
                self.lake.remove_items(self.caller, name, left)
        index = made.index
        self.report.collections.append(
            AddedCollection(
                id=name,
                is_new=home is None,
                items=len(made.members) if made.key else len(made.items),
                changed=len(made.items),
                grid=made.collection.get("terrella:grid", {}).get("kind", ""),
                dimensions={axis.name: int(axis.values.size) for axis in index.axes} if index else {},
                variables=tuple(one.name for one in index.variables) if index else (),
                why=bundle.why,
                notes=notes,
            )
        )
        self.tell(Event("registered", name, len(made.items)))

    def _keep_grid(self) -> None:
        """The grid that is wished for, also where the collection that is named has no new files."""
        name = self.collection
        if name is None or self.wishes.grid is None or self.is_dry_run:
            return
        document = self._document(name)
        if document is not None and name not in {one.id for one in self.report.collections}:
            self.lake.put_collection(self.caller, document | usual_grid(self.wishes, document))

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


def _lies_in(href: str, places: set[str]) -> bool:
    while href:
        if href in places:
            return True
        href = href.rpartition("/")[0]
    return False


def _has_any(bundle: Bundle, hrefs: Container[str]) -> bool:
    return any(member.scan.href in hrefs for member in bundle.members)


def _regrouped(made: Sequence[Bundle], homes: Mapping[str, Home], seen: set[str], gone: set[str]) -> set[str]:
    """Collections of automatic grouping whose files, all of them looked at, fall otherwise now."""
    now = {one.collection: {member.scan.href for member in one.members} for one in made}
    return {
        name
        for name, home in homes.items()
        if home.members and home.key not in ("", forced_key(name)) and home.members.keys() <= seen
        if now.get(name, set()) != home.members.keys() and not home.members.keys() & gone
    }


def _left(home: Home, made: Registration) -> list[str]:
    """Items of files that belong to another collection now; those of files that are gone stay."""
    kept = {item for item, _ in made.members.values()}
    return [
        item
        for href, (item, _) in home.members.items()
        if href not in made.members and href not in made.missing and item not in kept
    ]
