"""The map: a site is built here from its settings, room by room. Start reading here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, Self

import orjson

from terrella.access.rules import check_rules, check_writer
from terrella.catalog.catalog import Catalog
from terrella.catalog.describing import Wishes
from terrella.contracts.loading import load
from terrella.cubes.scanning import Scanners
from terrella.errors import Invalid
from terrella.model.caller import OPERATOR
from terrella.model.search import CollectionSearch, Search
from terrella.settings import FILE_NAME, Settings, read_settings
from terrella.site.adding import Adding, writing
from terrella.site.announcing import ITEMS_ADDED, announcing
from terrella.site.removing import remove
from terrella.site.requests import extraction_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    import xarray as xr

    from terrella.access.access import Access
    from terrella.access.ledger import Ledger
    from terrella.catalog.discovering import Discovery
    from terrella.contracts.providers import Stores
    from terrella.cubes.cubes import Cubes
    from terrella.cubes.optimising.running import Optimised
    from terrella.extraction.blocks import Blocks
    from terrella.extraction.extract import Extractor
    from terrella.extraction.gazetteer import Gazetteer
    from terrella.extraction.tiling import Tiler
    from terrella.jobs.jobs import Jobs
    from terrella.model.caller import Caller
    from terrella.model.extraction import Extracted, Extraction, Plan
    from terrella.model.job import Job
    from terrella.model.stac import Document
    from terrella.site.adding import Added, Event

LEARNED = "reading.json"
"""How fast this site reads, learned from what it read; in its home."""
CACHE = "cache"
"""The folder in its home for what may be lost: it is learned again."""

_FIRST_SETTINGS = """# Settings of this Terrella site. `terrella settings` prints them all.
title = "Terrella"
"""


class Site:
    """One installation: catalogue, cubes and extraction over one home folder.

    ``site = terrella.Site.open("lake/")`` makes the folder on first use. Methods that ask for a caller default to
    the operator: whoever can open a site's files may do everything with it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        check_rules(settings.access.rules)
        self.lake: Stores = load("providers", "lake")(settings.home)
        self.catalog = Catalog({"lake": self.lake}, rules=settings.access.rules)
        reading = settings.reading
        self.scanners = Scanners(processes=reading.scanners, seconds=reading.scan_seconds, memory=reading.scan_memory)

        self.is_for_jobs = False
        """Whether answers may be as large as jobs allow, instead of requests; said before anything is cut."""
        self._cubes: Cubes | None = None
        self._extractor: Extractor | None = None
        self._access: Access | None = None
        self._building = RLock()

    # The rooms that need xarray are built when first asked for, so that the shell answers at once.

    @property
    def cubes(self) -> Cubes:
        """Opens and reads cubes; holds the cache of chunks."""
        from terrella.cubes.calibrating import Calibration
        from terrella.cubes.cubes import Cubes
        from terrella.cubes.scenes import source as scenes

        with self._building:
            if self._cubes is None:
                reading = self.settings.reading
                self._cubes = Cubes(
                    cache_bytes=reading.cache_bytes,
                    threads=reading.threads,
                    formats={scenes.NAME: scenes.SceneFormat()},
                    folder=self.settings.home / CACHE,
                )
                self._cubes.calibration = Calibration.load(self.settings.home / LEARNED)
            return self._cubes

    @property
    def extractor(self) -> Extractor:
        """Plans and runs extractions."""
        with self._building:
            if self._extractor is None:
                self._extractor = self._extracting("jobs" if self.is_for_jobs else "limits")
            return self._extractor

    @cached_property
    def job_extractor(self) -> Extractor:
        """The same with what jobs may take: for what is left to workers."""
        return self._extracting("jobs")

    def _extracting(self, part: Literal["jobs", "limits"]) -> Extractor:
        from terrella.cubes.optimising.records import OptimisedCopies
        from terrella.extraction.extract import Extractor
        from terrella.extraction.limits import Limits
        from terrella.extraction.scenes import Scenes

        limits = self.settings.jobs if part == "jobs" else self.settings.limits
        allowed = Limits(limits.values, limits.bytes_read, limits.cells, part)
        copies = OptimisedCopies(self.settings.home)
        scenes = Scenes(self.catalog, self.lake.scans, self.lake.sources, self.catalog.refusal)
        return Extractor(self.catalog, self.cubes, allowed, copies.exact, scenes, self.ledger)

    @cached_property
    def discovery(self) -> Discovery:
        """Sifts collections, with counts of what there is."""
        from terrella.catalog.discovering import Discovery

        return Discovery(self.catalog, self.settings.access.rules)

    @cached_property
    def tiler(self) -> Tiler:
        """Makes maps."""
        from terrella.cubes.optimising.records import OptimisedCopies
        from terrella.extraction.tiling import Tiler

        copies = OptimisedCopies(self.settings.home)
        return Tiler(self.extractor, self.cubes, self.catalog.search, copies.overviews)

    @cached_property
    def blocks(self) -> Blocks:
        """Makes blocks for three-dimensional views."""
        from terrella.extraction.blocks import Blocks

        return Blocks(self.extractor, self.tiler)

    @property
    def access(self) -> Access:
        """Who asks, and what they may: accounts, keys, signed links."""
        from terrella.access.access import Access

        with self._building:
            if self._access is None:
                self._access = Access(self.settings.home, self.settings.access)
            return self._access

    @cached_property
    def ledger(self) -> Ledger:
        """Who used how much, and what quotas leave of it."""
        from terrella.access.ledger import Ledger

        return Ledger(self.settings.home, self.settings.access.quotas)

    @cached_property
    def gazetteer(self) -> Gazetteer:
        """Knows regions by name: countries, and the features of vector collections."""
        from terrella.extraction.gazetteer import Gazetteer

        return Gazetteer(self.catalog, lambda collection, href: self.lake.root(collection, "", href) == href)

    @cached_property
    def jobs(self) -> Jobs:
        """Durable work: submitted here or by dialects, done by worker processes."""
        from terrella.jobs.jobs import Jobs
        from terrella.site.tasks import AT_ONCE, NEEDS, tasks

        wanted = self.settings.jobs
        about: dict[str, Any] = {"at_once": AT_ONCE, "keep_days": wanted.keep_days, "ended": self._settle}
        return Jobs(self.settings.home, wanted.database, tasks(self), NEEDS, **about)

    def _settle(self, job: Job) -> None:
        """A job that has ended holds nothing on the account but the files that are kept of it, and no secret."""
        from terrella.site.tasks import ORDER, account_of, collection_of

        self.ledger.end_job(job.id)
        if size := self.jobs.kept(job.id):
            self.ledger.keep(account_of(self, job), f"{job.id}:kept", size, collection_of(job))
        else:
            self.ledger.let_go(f"{job.id}:kept")
        if job.kind == ORDER:
            from terrella.site import ordering

            ordering.ended(self, job)

    @classmethod
    def open(cls, home: str | Path, **settings: Any) -> Self:
        """The site in a folder, created when it is new. Raises Invalid for wrong settings."""
        place = Path(home).expanduser().resolve()
        try:
            read = read_settings(place, **settings)
        except ValueError as error:
            raise Invalid(f"The settings in {place / FILE_NAME} or the environment are wrong. {error}") from error
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Invalid(f"{place} cannot be the folder of a site: {error.strerror}.", parameter="home") from error
        if not (place / FILE_NAME).exists():
            (place / FILE_NAME).write_text(_FIRST_SETTINGS)
        return cls(read)

    @classmethod
    def for_jobs(cls, home: str | Path) -> Self:
        """The site as workers open it: answers are limited by the settings of jobs instead of those of requests."""
        made = cls.open(home)
        made.is_for_jobs = True
        return made

    def close(self) -> None:
        self.scanners.close()
        if self._cubes is not None:
            with suppress(OSError):  # a home that cannot be written loses only what was learned of its speed
                self._cubes.calibration.save(self.settings.home / LEARNED)
            self._cubes.close()
        if "jobs" in vars(self):
            self.jobs.close()
        if "ledger" in vars(self):
            self.ledger.close()
        if self._access is not None:
            self._access.close()
        self.catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- putting data in -------------------------------------------------------------------------------------------

    def add(
        self,
        *paths: str | Path,
        collection: str | None = None,
        wishes: Wishes | None = None,
        copy: bool = False,
        dry_run: bool = False,
        tell: Callable[[Event], None] = lambda _: None,
        caller: Caller = OPERATOR,
    ) -> Added:
        """Add files, folders, globs or addresses; nothing is copied unless asked. The report names every failure."""
        check_writer(caller)
        adding = Adding(
            self.lake,
            self.scanners,
            self.settings.home,
            caller,
            collection,
            wishes or Wishes(),
            is_dry_run=dry_run,
            is_copied=copy,
            tell=tell,
        )
        if dry_run:
            return adding.run([str(path) for path in paths])
        with announcing(self, ITEMS_ADDED) as said:
            made = adding.run([str(path) for path in paths])
            if changed := [one.id for one in made.collections if one.changed]:
                said["collections"] = changed
        return made

    def remove(self, collection: str, items: Sequence[str] = (), *, caller: Caller = OPERATOR) -> int:
        """Take a collection, or some items of it, out of the catalogue; files stay. Returns how many items went."""
        check_writer(caller)
        with writing(self.settings.home):
            return remove(self.lake, caller, collection, items, folder=self.settings.home)

    def optimise(self, collection: str, *, caller: Caller = OPERATOR, **wanted: Any) -> Optimised:
        """Write a collection's cube again: `purpose` series, maps or both; `max_errors` like ``["2t=0.05"]``."""
        from terrella.site.optimising import optimise

        check_writer(caller)
        return optimise(self.cubes, self.extractor.cube(caller, collection), self.settings.home, **wanted)

    # --- finding ---------------------------------------------------------------------------------------------------

    def collections(self, *, caller: Caller = OPERATOR) -> list[Document]:
        """Every collection, by id."""
        found: list[Document] = []
        query = CollectionSearch(limit=1000)
        while True:
            page = self.catalog.collections(caller, query)
            found.extend(orjson.loads(document) for document in page.documents)
            if page.next is None:
                return found
            query = CollectionSearch(limit=1000, token=page.next)

    def search(
        self, query: Search | None = None, *, most: int | None = None, caller: Caller = OPERATOR
    ) -> Iterator[Document]:
        """Items that match, newest first, fetched page by page."""
        asked = query or Search(limit=100)
        count = 0
        while True:
            page = self.catalog.search(caller, asked)
            for document in page.documents:
                yield orjson.loads(document)
                count += 1
                if count == most:
                    return
            if page.next is None:
                return
            asked = replace(asked, token=page.next)

    # --- cutting ---------------------------------------------------------------------------------------------------

    def open_cube(self, collection: str | Extraction, *, caller: Caller = OPERATOR, **wanted: Any) -> xr.Dataset:
        """A collection's cube as one lazy dataset: nothing is read until values are asked for.

        Of a collection of scenes, those that meet a shape and a time: arguments as for `extract`. It covers the box
        around the shape. Raises Invalid for arguments where the collection has a cube of its own.
        """
        request = self._asked(collection, wanted, caller)
        found = self.extractor.open(caller, request)
        if found.stated is None and any(value is not None for value in wanted.values()):
            raise Invalid(
                f"{request.collection!r} has a cube of its own, which is opened whole: select from it, or use extract.",
                parameter=next(iter(wanted)),
            )
        return self.cubes.open(found.index, found.origin).dataset

    def estimate(self, collection: str | Extraction, *, caller: Caller = OPERATOR, **wanted: Any) -> Plan:
        """What an extraction would read, without reading it. Arguments as for `extract`."""
        return self.extractor.plan(caller, self._asked(collection, wanted, caller))

    def extract(self, collection: str | Extraction, *, caller: Caller = OPERATOR, **wanted: Any) -> xr.Dataset:
        """Cut values out of a collection's cube.

        Space, one of: ``point=(lon, lat)``, ``points=[(lon, lat), ...]``, ``bbox=(west, south, east, north)``,
        ``polygon=`` GeoJSON or WKT or a shapely geometry, ``circle=(lon, lat, radius in metres)``,
        ``region="France"`` or ``"nuts:FR10"``, ``cell="mgrs:33UUU"``, ``frame=(outer, inner)``, ``trajectory=`` a line
        as GeoJSON or WKT or rows of ``(lon, lat, height, time)``, ``corridor=(line, width in metres)``; none means all.
        Further: ``variables=["2t", ...]``, ``time="2019-03-01/2019-03-07"``, ``level=850`` or ``(low, high)``,
        and other axes by name: ``number=[0, 1]``, ``step=[6, 12]`` (hours). ``cells="bilinear"`` chooses cells,
        ``reduce="mean:space,max:time:month"`` reduces inside the request.

        Collections of scenes take ``crs=``, ``resolution=``, ``anchor=``, ``resampling=``, ``group=`` too, and
        expressions of bands as variables: ``variables=["ndvi=(nir-red)/(nir+red)"]``.
        """
        return self.cut(collection, caller=caller, **wanted).dataset

    def cut(
        self,
        collection: str | Extraction,
        *,
        caller: Caller = OPERATOR,
        tell: Callable[[float], None] | None = None,
        **wanted: Any,
    ) -> Extracted:
        """Like `extract`, with the plan and the receipt. `tell` hears which part is read, from 0 to 1."""
        return self.extractor.extract(caller, self._asked(collection, wanted, caller), tell=tell)

    def messages(self, request: Extraction, *, caller: Caller = OPERATOR) -> Iterator[bytes]:
        """Whole fields as the GRIB messages that they are stored in, byte for byte; of a box, only its cells.

        Raises Unsupported where they are not stored as GRIB.
        """
        return self.extractor.messages(caller, request)

    def _asked(self, collection: str | Extraction, wanted: dict[str, Any], caller: Caller) -> Extraction:
        """The request that these words mean, with outlines for regions out of collections."""
        request = extraction_from(collection, wanted)
        return replace(request, shape=self.gazetteer.resolved(caller, request.shape))
