"""One run over a source: page by page into the catalogue, so that it can stop anywhere and go on there."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from terrella.contracts.providers import Registration
from terrella.cubes.documents.stac_documents import checked_collection, checked_item, with_absolute_addresses
from terrella.errors import (
    Conflict,
    Denied,
    Invalid,
    NotFound,
    TerrellaError,
    Unauthenticated,
    Unreadable,
)
from terrella.model.ids import collection_id, slug
from terrella.model.job import Output
from terrella.model.time import parse_instant
from terrella.site.adding import rfc3339_now, writing
from terrella.site.harvesting.asking import Wanted, check_caller, wanted_from
from terrella.site.harvesting.copying import Copying, reachable_only
from terrella.site.harvesting.memory import Memory, Pass, Seen
from terrella.site.harvesting.sources import Page, open_source
from terrella.storage.web import Web, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from terrella.contracts.jobs import Work
    from terrella.model.caller import Caller
    from terrella.model.stac import Document
    from terrella.site.harvesting.sources import Source
    from terrella.site.site import Site

_FULL_EVERY = timedelta(days=1)
"""At least so often everything is looked at: what was removed is seen only then."""
_MOST_REASONS = 100
"""Failures that a report names; of more only how many."""


@dataclass(eq=False)
class Harvested:
    """The counts of one run, of items."""

    source: str
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    failed: int = 0
    copied: int = 0
    """Assets."""
    collections: list[str] = field(default_factory=list)
    reasons: list[dict[str, str]] = field(default_factory=list)
    incremental: bool = False
    """Whether the source was asked only for what is new."""

    def fail(self, what: str, why: str) -> None:
        self.failed += 1
        if len(self.reasons) < _MOST_REASONS:
            self.reasons.append({"what": what, "why": why})

    def as_json(self) -> Document:
        return asdict(self)

    def __str__(self) -> str:
        words = ("new", "changed", "unchanged", "gone", "failed")
        return ", ".join(f"{getattr(self, word):,} {word}" for word in words)


def harvest(site: Site, work: Work) -> tuple[Output, ...]:
    """The task."""
    wanted = wanted_from(work.inputs)
    report = run(site, work.caller, wanted, lambda told: work.progress(0.5, str(told)))
    (work.folder / "report.json").write_bytes(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
    work.log(str(report))
    return (Output("report.json", "application/json", 0, "", "What was harvested"),)


def run(site: Site, caller: Caller, wanted: Wanted, tell: Callable[[Harvested], Any] = lambda _: None) -> Harvested:
    """Bring what is new into the lake. Failures of single items are in the report.

    Raises ProviderUnavailable where the source is away: the next run goes on where this one stopped.
    """
    check_caller(caller, wanted)
    if not wanted.is_web:
        from terrella.site.harvesting.watching import watch

        return watch(site, caller, wanted, tell)
    settings = site.settings.harvest
    memory = Memory(site.settings.home, wanted.key)
    allowed, waits = settings.allow_private, settings.timeout
    try:
        with Web(allow_private=allowed, timeout=waits, retries=settings.retries, pause=settings.pause) as web:
            source = open_source(web, wanted.source, page=settings.page, only=wanted.collections)
            copying = Copying(web, site.settings.home, settings.asset_bytes, wanted.assets) if wanted.copy else None
            return _Run(site, caller, wanted, source, memory, copying, tell).run()
    finally:
        memory.close()


@dataclass(eq=False)
class _Run:
    site: Site
    caller: Caller
    wanted: Wanted
    source: Source
    memory: Memory
    copying: Copying | None
    tell: Callable[[Harvested], Any]
    report: Harvested = field(init=False)

    def __post_init__(self) -> None:
        self.report = Harvested(shown(self.wanted.source))

    def run(self) -> Harvested:
        found = [one for one in self.source.collections() if self._is_wanted(one[0])]
        if self.wanted.into and len(found) > 1:
            raise Invalid(
                f"The source has {len(found)} collections, whose items may have the same ids: name one of them.",
                parameter="into",
            )
        missing = set(self.wanted.collections) - {document["id"] for document, _ in found}
        if missing:
            raise NotFound(f"The source has no collection {min(missing)!r:.80}.", parameter="collections")
        for document, address in found:
            try:
                self._collection(document, address)
            except (Unreadable, Invalid, Conflict, Denied, NotFound) as error:
                self.report.fail(str(document["id"]), error.message)
        return self.report

    def _is_wanted(self, document: Document) -> bool:
        return not self.wanted.collections or document["id"] in self.wanted.collections

    # --- one collection --------------------------------------------------------------------------------------------

    def _collection(self, document: Document, address: str) -> None:
        theirs = document["id"]
        mine = self.wanted.into or _id_for(theirs)
        self._check_place(mine)
        # what a site says of its cube is not true here: it holds where the files are
        plain = {name: value for name, value in document.items() if not name.startswith(("cube:", "terrella:"))}
        made = with_absolute_addresses(checked_collection(plain), address)
        self._put_collection(made | {"id": mine}, address)
        self.report.collections.append(mine)
        one = self.memory.begin(theirs)
        since = self._since(one)
        try:
            self._pages(theirs, mine, one, since)
        except (NotFound, Invalid, Denied, Unauthenticated):
            if one.cursor is None:
                raise
            one = self.memory.restart(theirs)  # where the last pass stood is there no more
            since = ""
            self._pages(theirs, mine, one, since)
        if not since:
            self._mark_gone(theirs, mine, one)
        if self.copying is not None:
            self._keep_copies(theirs, mine)
        self.memory.end(theirs, full_at="" if since else datetime.now(UTC).isoformat())

    def _since(self, one: Pass) -> str:
        """From when on changes matter; '' to look at everything."""
        if self.wanted.full or not one.updated or not one.full_at or one.cursor is not None:
            return ""
        if datetime.now(UTC) - datetime.fromisoformat(one.full_at) > _FULL_EVERY:
            return ""
        self.report.incremental = self.source.can_say_what_is_new()
        return one.updated if self.report.incremental else ""

    def _check_place(self, mine: str) -> None:
        """Raises Conflict for a collection that is made of files of this site."""
        home = self.site.lake.homes().get(mine)
        if home is not None and home.key:
            raise Conflict(f"The collection {mine!r} is made of files here: harvest into another one (--into).")

    def _put_collection(self, document: Document, address: str) -> None:
        document["links"] = [*document["links"], {"rel": "via", "href": address, "type": "application/json"}]
        assets = document.get("assets")
        if isinstance(assets, dict):
            reachable_only(document)
        try:
            before = orjson.loads(self.site.catalog.collection(self.caller, document["id"]))
        except NotFound:
            before = None
        if before is None or any(before.get(name) != value for name, value in document.items() if name != "links"):
            self.site.catalog.put_collection(self.caller, document)

    # --- pages -----------------------------------------------------------------------------------------------------

    def _pages(self, theirs: str, mine: str, one: Pass, since: str) -> None:
        seen = lambda hrefs: self.memory.hrefs_seen(one, hrefs)  # noqa: E731
        for page in self.source.pages(theirs, one.cursor, since, seen):
            self._page(theirs, mine, one, page)
            self.tell(self.report)

    def _page(self, theirs: str, mine: str, one: Pass, page: Page) -> None:
        """Into the catalogue first, then noted: whoever dies in between does a page again, and nothing twice."""
        checked, broken = self._checked(page, mine)
        known = self.memory.known(theirs, list(checked))
        fresh: list[tuple[Document, Seen]] = []
        same: list[Seen] = []
        for name, (item, address) in checked.items():
            before, mark = known.get(name), _fingerprint(item, copied=self.copying is not None)
            if before is not None and before.fingerprint == mark:
                same.append(before)
            elif (made := self._brought(item, before)) is not None:
                fresh.append((made[0], Seen(name, mark, address, made[1])))
        kept = self._put(fresh)
        self._count(kept, known, len(same))
        updated = max((_updated(item) for item, _ in checked.values()), default="")
        self.memory.note(theirs, one, [*same, *kept], page.cursor, updated)
        unread = [address for address, error in page.failures if not isinstance(error, NotFound)]
        left = checked.keys() - {seen.item for seen in (*same, *kept)}
        if broken or unread or left:
            self.memory.touch(theirs, one, [*broken, *left], unread)

    def _checked(self, page: Page, mine: str) -> tuple[dict[str, tuple[Document, str]], list[str]]:
        """Items that can be catalogued, with their addresses, by id; and the ids of those that cannot."""
        for address, error in page.failures:
            self.report.fail(shown(address), error.message)
        made: dict[str, tuple[Document, str]] = {}
        broken: list[str] = []
        for raw, address in page.items:
            try:
                item = _checked(raw, address or page.base, mine, address)
            except Unreadable as error:
                self.report.fail(_named(raw), error.message)
                broken.append(_named(raw))
            else:
                made[item["id"]] = (item, address)
        return made, broken

    def _brought(self, item: Document, before: Seen | None) -> tuple[Document, dict[str, list[str]]] | None:
        """The item, with copied assets where wanted; None where that failed."""
        if self.copying is None:
            return item, {}
        try:
            made = self.copying.copied(item, before)
        except TerrellaError as error:  # also where one file is away: the source itself may be there
            self.report.fail(item["id"], error.message)
            return None
        self.report.copied += len(made[1])
        return made

    def _put(self, fresh: list[tuple[Document, Seen]]) -> list[Seen]:
        """All at once; where one of them is refused, one by one."""
        if not fresh:
            return []
        try:
            self.site.catalog.put_items(self.caller, [item for item, _ in fresh])
        except (Invalid, Conflict):
            return [seen for item, seen in fresh if self._put_one(item)]
        return [seen for _, seen in fresh]

    def _put_one(self, item: Document) -> bool:
        try:
            self.site.catalog.put_items(self.caller, [item])
        except (Invalid, Conflict) as error:
            self.report.fail(item["id"], error.message)
            return False
        return True

    def _count(self, kept: list[Seen], known: dict[str, Seen], same: int) -> None:
        new = sum(not (seen.item in known and known[seen.item].fingerprint) for seen in kept)
        self.report.new += new
        self.report.changed += len(kept) - new
        self.report.unchanged += same

    # --- the end of a pass -----------------------------------------------------------------------------------------

    def _mark_gone(self, theirs: str, mine: str, one: Pass) -> None:
        """Items that the source has no more stay to be found, and say so."""
        gone = self.memory.gone(theirs, one)
        now = rfc3339_now()
        marked = []
        for name in gone:
            try:
                item = orjson.loads(self.site.catalog.item(self.caller, mine, name))
            except NotFound:
                continue
            item["properties"] |= {"deprecated": True, "terrella:missing_since": now, "updated": now}
            marked.append(item | {"links": []})
        if marked:
            self.site.catalog.put_items(self.caller, marked)
        self.memory.forget(theirs, gone)
        self.report.gone += len(gone)

    def _keep_copies(self, theirs: str, mine: str) -> None:
        """The site learns which files belong to which item, so that it serves them."""
        members = {path: (item, 1) for path, item in self.memory.copies(theirs).items()}
        with writing(self.site.settings.home):
            home = self.site.lake.homes().get(mine)
            before = home.members if home is not None else {}
            document = orjson.loads(self.site.catalog.collection(self.caller, mine))
            if members.keys() - before.keys():
                self.site.lake.register(
                    self.caller, Registration(document | {"links": []}, (), "", None, {**before, **members})
                )


def _checked(raw: Any, base: str, mine: str, address: str) -> Document:
    """An item that can be catalogued here. Raises Unreadable."""
    if not isinstance(raw, dict):
        raise Unreadable(f"An item is an object, not {type(raw).__name__}.")
    item = with_absolute_addresses(checked_item(dict(raw)), base)
    if len(item["id"]) > 255 or "/" in item["id"]:
        raise Unreadable(f"item {item['id'][:80]!r}: its id cannot be one here.")
    reachable_only(item)
    via = [{"rel": "via", "href": address, "type": "application/geo+json"}] if address else []
    item["links"] = [*item["links"], *via]
    return item | {"collection": mine}


def _named(raw: Any) -> str:
    found = raw.get("id") if isinstance(raw, dict) else None
    return found[:200] if isinstance(found, str) else "an item without id"


def _fingerprint(item: Document, *, copied: bool) -> str:
    """Of all but links, which often have the time or a key in them."""
    plain = {name: value for name, value in item.items() if name != "links"}
    text = orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:32] + ("c" if copied else "")


def _updated(item: Document) -> str:
    """When it changed last, in UTC to the second; '' where it does not say."""
    said = item["properties"].get("updated")
    if not isinstance(said, str):
        return ""
    try:
        moment = datetime.fromisoformat(str(parse_instant(said)))
    except (TerrellaError, ValueError):
        return ""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _id_for(name: str) -> str:
    try:
        return collection_id(name)
    except Invalid:
        return slug(name)
