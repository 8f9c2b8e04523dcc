"""Places that have names: countries, and the features of every vector collection that the caller may see."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import orjson
import shapely
from shapely.geometry import mapping

from terrella.access.rules import may_read
from terrella.cubes.vectors.features import Features, folded
from terrella.cubes.vectors.reading import read_features
from terrella.errors import Denied, Invalid, NotFound, TerrellaError, nearest_names
from terrella.extraction.regions import country, region, region_names
from terrella.model.extraction import Area, Region
from terrella.model.search import CollectionSearch, Search
from terrella.model.space import Extent
from terrella.model.stac import REGIONS
from terrella.storage.files import state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shapely.geometry.base import BaseGeometry

    from terrella.model.caller import Caller
    from terrella.model.extraction import Shape
    from terrella.model.search import Page

COUNTRIES = "countries"
"""The table that comes with Terrella; all other sources are collections."""
_KEPT_FILES = 16
_MOST_FILES = 50
_COARSE = 0.1
"""Degrees by which outlines in a list may be off."""
_TOUCH = 1e-6


class Catalogue(Protocol):
    """What is needed of the catalogue."""

    def collections(self, caller: Caller, query: CollectionSearch) -> Page: ...
    def collection(self, caller: Caller, collection: str) -> bytes: ...
    def search(self, caller: Caller, query: Search) -> Page: ...


@dataclass(frozen=True, eq=False)
class Place:
    """A named outline: longitude first, in -180..180."""

    source: str
    id: str
    title: str
    outline: BaseGeometry
    code: str = ""

    @property
    def name(self) -> str:
        """As `region=` takes it."""
        return self.id if self.source == COUNTRIES else f"{self.source}:{self.id}"

    @property
    def shape(self) -> Region | Area:
        """To cut by: a country by its name, all else by its outline, so that the request says all."""
        return Region(self.id) if self.source == COUNTRIES else Area(self.document())

    @property
    def extent(self) -> Extent:
        """The box around it; the narrower one of its parts on both sides of the antimeridian."""
        parts = shapely.bounds(shapely.get_parts(self.outline))
        west, south, east, north = self.outline.bounds
        if west > -180 + _TOUCH or east < 180 - _TOUCH:
            return Extent(west, south, east, north)
        starts = parts[np.argsort(parts[:, 0])]
        reach = np.maximum.accumulate(starts[:, 2])
        gaps = starts[1:, 0] - reach[:-1]
        if not gaps.size or gaps.max() <= _TOUCH:
            return Extent(-180.0, south, 180.0, north)
        widest = int(gaps.argmax())
        return Extent(float(starts[widest + 1, 0]), south, float(reach[widest]), north)

    def document(self) -> dict[str, Any]:
        """The outline as GeoJSON, as it is."""
        return dict(mapping(self.outline))

    def sketch(self) -> dict[str, Any]:
        """The outline as GeoJSON, simplified: to a tenth of a degree, a small one to a fiftieth of its size."""
        west, south, east, north = self.outline.bounds
        made = shapely.simplify(self.outline, min(_COARSE, max(east - west, north - south) / 50))
        return dict(mapping(made))


@dataclass(frozen=True, eq=False)
class Places:
    """One page of a list."""

    places: tuple[Place, ...]
    matched: int
    next: int | None
    """Where the next page starts; None at the end."""


class Gazetteer:
    """Safe for threads. `is_added` tells whether a file was added to a collection: no other file is opened."""

    def __init__(self, catalog: Catalogue, is_added: Callable[[str, str], bool]) -> None:
        self._catalog = catalog
        self._is_added = is_added
        self._lock = threading.Lock()
        self._read: OrderedDict[tuple[str, str], Features] = OrderedDict()

    def resolved(self, caller: Caller, shape: Shape) -> Shape:
        """The shape itself; of a region out of a collection its outline, so that the request says all.

        Raises Invalid with names that look like it.
        """
        if not isinstance(shape, Region) or ":" not in shape.name:
            return shape
        return self.place(caller, shape.name).shape

    def place(self, caller: Caller, name: str) -> Place:
        """A country by its name or code, or COLLECTION:NAME.

        Raises Invalid with names that look like it, Denied for one that the caller may not read.
        """
        source, colon, own = name.partition(":")
        if not colon or source.strip() == COUNTRIES:
            return _country(own if colon else name)
        files = self._files(caller, source.strip())
        wrong: Invalid | None = None
        for found in files:
            try:
                number = found.place(own)
            except Invalid as error:
                wrong = wrong or error
                continue
            return _feature(source.strip(), found, number)
        if wrong is not None and len(files) > 1:
            known = {text for found in files for text in (*found.ids, *found.titles)}
            raise Invalid(
                f"There is no region {own[:60]!r} in it. {nearest_names(own[:60], known)}", parameter="region"
            )
        raise wrong or self._unknown(caller, source)

    def sources(self, caller: Caller) -> list[str]:
        """`countries`, then every collection of named outlines, by id."""
        found: list[str] = []
        query = CollectionSearch(limit=1000)
        while True:
            page = self._catalog.collections(caller.reading(), query)
            found += [
                str(document["id"])
                for text in page.documents
                if b"item_assets" in text and _has_regions(document := orjson.loads(text))
            ]
            if page.next is None:
                return [COUNTRIES, *sorted(found)]
            query = CollectionSearch(limit=1000, token=page.next)

    def listed(
        self,
        caller: Caller,
        *,
        limit: int,
        start: int = 0,
        bbox: Extent | None = None,
        text: str = "",
        source: str = "",
    ) -> Places:
        """Places that meet a box and whose name or id has a text in it, in the order of `sources`.

        Raises Invalid for an unknown source.
        """
        matching = [one for name in self._chosen(caller, source) for one in self._matching(caller, name, bbox, text)]
        end = start + limit
        return Places(tuple(matching[start:end]), len(matching), end if end < len(matching) else None)

    def _chosen(self, caller: Caller, source: str) -> list[str]:
        known = self.sources(caller)
        if source and source not in known:
            raise Invalid(
                f"{source[:60]!r} is no source of regions. {nearest_names(source[:60], known)}", parameter="source"
            )
        return [source] if source else known

    def _matching(self, caller: Caller, source: str, bbox: Extent | None, text: str) -> Iterator[Place]:
        wanted = folded(text)
        for one in _countries() if source == COUNTRIES else self._features(caller, source):
            if wanted and wanted not in folded(f"{one.id} {one.title}"):
                continue
            if bbox is None or _meets(one.outline, bbox):
                yield one

    def _features(self, caller: Caller, source: str) -> Iterator[Place]:
        try:
            files = self._files(caller, source)
        except TerrellaError:
            return  # a list is not broken by one file that is gone
        for found in files:
            yield from (_feature(source, found, number) for number in range(len(found.ids)))

    def _files(self, caller: Caller, source: str) -> list[Features]:
        """The features of a collection, file by file. Raises Invalid where it has none, Denied where none is open."""
        page = self._catalog.search(caller, Search((source,), limit=_MOST_FILES)) if source else None
        items = [
            item for text in (page.documents if page else ()) if _has_regions(item := orjson.loads(text), "assets")
        ]
        if not items:
            raise self._unknown(caller, source)
        if caller.reads is not None:
            collection = orjson.loads(self._catalog.collection(caller, source))
            items = [item for item in items if may_read(caller, collection, item)]
        if not items:
            raise Denied(f"The outlines of {source[:60]!r} are not yours to read.", parameter="region")
        hrefs = {str(asset["href"]) for item in items for asset in item["assets"].values() if _is_regions(asset)}
        made = [self._features_of(href) for href in sorted(hrefs) if self._is_added(source, href)]
        if not made:
            raise self._unknown(caller, source)
        return made

    def _unknown(self, caller: Caller, source: str) -> Invalid:
        known = self.sources(caller)
        return Invalid(
            f"There is no collection of regions {source[:60]!r}. {nearest_names(source[:60], known)} Ask for a country "
            "by its name alone, for others as COLLECTION:NAME.",
            parameter="region",
        )

    def _features_of(self, href: str) -> Features:
        """Read once for each version of the file. Raises NotFound, Unreadable."""
        key = (href, state(href).modified)
        with self._lock:
            if key in self._read:
                self._read.move_to_end(key)
                return self._read[key]
        try:
            found = read_features(href)
        except NotFound as error:
            raise NotFound(f"The file of these regions is gone: {error.message}") from None
        with self._lock:
            self._read[key] = found
            while len(self._read) > _KEPT_FILES:
                self._read.popitem(last=False)
        return found


def _country(name: str) -> Place:
    known, code = country(name)
    return Place(COUNTRIES, known, known, region(known), code)


def country_place(name: str) -> Place:
    """A country by any of its names. Raises Invalid with names that look like it."""
    return _country(name)


@cache
def _countries() -> tuple[Place, ...]:
    return tuple(_country(name) for name in region_names())


def _feature(source: str, found: Features, number: int) -> Place:
    return Place(source, found.ids[number], found.titles[number], found.outlines[number])


def _has_regions(document: dict[str, Any], key: str = "item_assets") -> bool:
    assets = document.get(key)
    return isinstance(assets, dict) and any(_is_regions(one) for one in assets.values())


def _is_regions(asset: dict[str, Any]) -> bool:
    return REGIONS in (asset.get("roles") or ())


def _meets(outline: BaseGeometry, extent: Extent) -> bool:
    parts = [shapely.box(one.west, one.south, one.east, one.north) for one in extent.parts()]
    return bool(np.any(shapely.intersects(outline, np.array(parts, dtype=object))))
