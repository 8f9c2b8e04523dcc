"""The map: a site is built here from its settings, room by room. Start reading here."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Self

import orjson

from terrella.catalog.catalog import Catalog
from terrella.catalog.describing import Wishes
from terrella.contracts.loading import load
from terrella.cubes.scanning import Scanners
from terrella.errors import Invalid
from terrella.model.caller import OPERATOR
from terrella.model.search import CollectionSearch, Search
from terrella.settings import FILE_NAME, Settings, read_settings
from terrella.site.adding import Adding, writing
from terrella.site.removing import remove
from terrella.site.requests import extraction_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    import xarray as xr

    from terrella.contracts.providers import Stores
    from terrella.cubes.cubes import Cubes
    from terrella.cubes.optimising.running import Optimised
    from terrella.extraction.extract import Extractor
    from terrella.model.caller import Caller
    from terrella.model.extraction import Extracted, Extraction, Plan
    from terrella.model.stac import Document
    from terrella.site.adding import Added, Event
    from terrella.site.scenes import Stated

LEARNED = "reading.json"
"""How fast this site reads, learned from what it read; in its home."""

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
        self.lake: Stores = load("providers", "lake")(settings.home)
        self.catalog = Catalog({"lake": self.lake})
        reading = settings.reading
        self.scanners = Scanners(processes=reading.scanners, seconds=reading.scan_seconds, memory=reading.scan_memory)

        self._cubes: Cubes | None = None
        self._extractor: Extractor | None = None
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
                )
                self._cubes.calibration = Calibration.load(self.settings.home / LEARNED)
            return self._cubes

    @property
    def extractor(self) -> Extractor:
        """Plans and runs extractions."""
        from terrella.cubes.optimising.records import OptimisedCopies
        from terrella.extraction.extract import Extractor
        from terrella.extraction.limits import Limits

        with self._building:
            if self._extractor is None:
                limits = self.settings.limits
                allowed = Limits(limits.values, limits.bytes_read, limits.cells)
                copies = OptimisedCopies(self.settings.home)
                self._extractor = Extractor(self.catalog, self.cubes, allowed, copies.exact)
            return self._extractor

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

    def close(self) -> None:
        self.scanners.close()
        if self._cubes is not None:
            with suppress(OSError):  # a home that cannot be written loses only what was learned of its speed
                self._cubes.calibration.save(self.settings.home / LEARNED)
            self._cubes.close()
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
        return adding.run([str(path) for path in paths])

    def remove(self, collection: str, items: Sequence[str] = (), *, caller: Caller = OPERATOR) -> int:
        """Take a collection, or some items of it, out of the catalogue; files stay. Returns how many items went."""
        with writing(self.settings.home):
            return remove(self.lake, caller, collection, items)

    def optimise(self, collection: str, *, caller: Caller = OPERATOR, **wanted: Any) -> Optimised:
        """Write a collection's cube again: `purpose` series, maps or both; `max_errors` like ``["2t=0.05"]``."""
        from terrella.site.optimising import optimise

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
        from dataclasses import replace

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

    def open_cube(self, collection: str, *, caller: Caller = OPERATOR) -> xr.Dataset:
        """A collection's cube as one lazy dataset: nothing is read until values are asked for."""
        index, origin = self.catalog.open(caller, collection)
        return self.cubes.open(index, origin).dataset

    def estimate(self, collection: str | Extraction, *, caller: Caller = OPERATOR, **wanted: Any) -> Plan:
        """What an extraction would read, without reading it. Arguments as for `extract`."""
        request, stated = self._asked(collection, wanted, caller)
        if stated is None:
            return self.extractor.plan(caller, request)
        from terrella.site.scenes import scene_estimate

        return scene_estimate(self, caller, request, stated)

    def extract(self, collection: str | Extraction, *, caller: Caller = OPERATOR, **wanted: Any) -> xr.Dataset:
        """Cut values out of a collection's cube.

        Space, one of: ``point=(lon, lat)``, ``points=[(lon, lat), ...]``, ``bbox=(west, south, east, north)``,
        ``polygon=`` GeoJSON or WKT or a shapely geometry, ``circle=(lon, lat, radius in metres)``; none means all.
        Further: ``variables=["2t", ...]``, ``time="2019-03-01/2019-03-07"``, ``level=850`` or ``(low, high)``,
        and other axes by name: ``number=[0, 1]``, ``step=[6, 12]`` (hours). ``cells="bilinear"`` chooses cells,
        ``reduce="mean:space,max:time:month"`` reduces inside the request.

        Collections of scenes take ``crs=``, ``resolution=``, ``resampling=``, ``group=`` too, and expressions of
        bands as variables: ``variables=["ndvi=(nir-red)/(nir+red)"]``.
        """
        return self.cut(collection, caller=caller, **wanted).dataset

    def cut(self, collection: str | Extraction, *, caller: Caller = OPERATOR, **wanted: Any) -> Extracted:
        """Like `extract`, with the plan and the receipt."""
        request, stated = self._asked(collection, wanted, caller)
        if stated is None:
            return self.extractor.extract(caller, request)
        from terrella.site.scenes import scene_extract

        return scene_extract(self, caller, request, stated)

    def _asked(
        self, collection: str | Extraction, wanted: dict[str, Any], caller: Caller
    ) -> tuple[Extraction, Stated | None]:
        """The request, and the grid on which scenes are to answer it; None for a collection that has a cube."""
        from terrella.site.scenes import is_scenes, stated_from

        stated, rest = stated_from(wanted)
        request = extraction_from(collection, rest)
        return request, stated if len(rest) < len(wanted) or is_scenes(self, caller, request.collection) else None
