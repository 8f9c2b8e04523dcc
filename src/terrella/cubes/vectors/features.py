"""Named outlines: which property of a vector file tells its features apart, and where they lie."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely
from pyproj.exceptions import CRSError, ProjError

from terrella.errors import Invalid, Unreadable, nearest_names
from terrella.grids.outlines import cut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

MOST_FEATURES = 100_000
_MOST_NAME = 200
_ID = re.compile(r"(^|[_:])(id|code|iso|acronym|abbrev|a[23])\d*$", re.IGNORECASE)
_TITLE = re.compile(r"(^|[_:])(name|title|label|latn|english|en)\d*$", re.IGNORECASE)
_NO_ID = re.compile(r"(^|[_:])(fid|objectid|ogc_fid|gid|rank|scalerank|labelrank)$", re.IGNORECASE)
"""Numbers of rows, and ranks: they name nothing."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Features as a file has them: `ids` where it gives them ids of their own; `outlines` in `crs`, x first."""

    properties: Sequence[Mapping[str, Any]]
    outlines: np.ndarray
    ids: Sequence[str] = ()
    crs: Any = None
    """Whatever pyproj understands; None for longitude and latitude in degrees."""


@dataclass(frozen=True, eq=False)
class Features:
    """Polygons by name. `outlines` are polygons or multi-polygons in -180..180, longitude first."""

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    outlines: np.ndarray
    _places: Mapping[str, tuple[int, ...]]

    def place(self, name: str) -> int:
        """The number of a feature by its id, or by any other text that only it has, in any case.

        Raises Invalid with names that look like it, or with the ids of those that it may mean.
        """
        found = self._places.get(folded(name), ())
        if len(found) == 1:
            return found[0]
        if found:
            said = ", ".join(f"{self.ids[one]!r}" for one in found[:8])
            raise Invalid(f"{name[:60]!r} may mean {said}: ask by one of these.", parameter="region")
        known = {*self.ids, *self.titles}
        raise Invalid(f"There is no region {name[:60]!r} in it. {nearest_names(name[:60], known)}", parameter="region")


def folded(name: str) -> str:
    """A name without case, accents and doubled spaces: 'Ile-de-France' is 'Île-de-France'."""
    plain = unicodedata.normalize("NFKD", " ".join(name.split()).casefold())
    return "".join(mark for mark in plain if not unicodedata.combining(mark))


def features(rows: Rows) -> Features:
    """Features with an area, made valid, in longitude and latitude. Raises Unreadable where there are none."""
    if len(rows.properties) > MOST_FEATURES:
        raise Unreadable(f"It has {len(rows.properties):,} features; at most {MOST_FEATURES:,} are read.")
    outlines = np.array([_tidy(one) for one in _lonlat(rows)], dtype=object)
    kept = [place for place, one in enumerate(outlines) if one is not None]
    if not kept:
        raise Unreadable("It has no polygon with an area.")
    texts = _texts([rows.properties[place] for place in kept])
    ids = tuple(rows.ids[place] for place in kept) if rows.ids else ()
    if len(set(ids)) < len(kept):
        ids = _ids(texts, len(kept))
    titles = _titles(texts, ids)
    return Features(ids, titles, outlines[kept], _places(ids, texts))


def _texts(properties: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Columns of texts and whole numbers, as text; what is missing is ''."""
    names = dict.fromkeys(name for one in properties for name in one)
    made = {}
    for name in names:
        values = [one.get(name) for one in properties]
        if all(isinstance(value, str | int | None) and not isinstance(value, bool) for value in values):
            made[str(name)] = ["" if value is None else " ".join(str(value).split())[:_MOST_NAME] for value in values]
    return made


def _ids(texts: Mapping[str, list[str]], many: int) -> tuple[str, ...]:
    """The column that tells all apart and is most like an id; numbers in order where none does."""
    unique = [name for name, values in texts.items() if len(set(values)) == many and all(values)]
    unique = [name for name in unique if not _NO_ID.search(name)] if many > 1 else unique
    if not unique:
        return tuple(str(number) for number in range(many))
    best = min(unique, key=lambda name: (not _ID.search(name), not _TITLE.search(name)))
    return tuple(texts[best])


def _titles(texts: Mapping[str, list[str]], ids: tuple[str, ...]) -> tuple[str, ...]:
    named = [name for name in texts if _TITLE.search(name) and any(texts[name])]
    if not named:
        return ids
    best = max(named, key=lambda name: len(set(texts[name])))
    return tuple(title or one for title, one in zip(texts[best], ids, strict=True))


def _places(ids: tuple[str, ...], texts: Mapping[str, list[str]]) -> dict[str, tuple[int, ...]]:
    """Numbers of features by all that they are called, folded; an id means only what it is the id of."""
    found: dict[str, dict[int, None]] = defaultdict(dict)
    for name, values in texts.items():
        for place, value in enumerate(values) if not _NO_ID.search(name) else ():
            if value and not value.isdecimal():
                found[folded(value)][place] = None
    made = {name: tuple(places) for name, places in found.items()}
    return made | {folded(name): (place,) for place, name in enumerate(ids)}


def _lonlat(rows: Rows) -> np.ndarray:
    """Outlines in longitude and latitude. Raises Unreadable for a system that is not known."""
    if rows.crs is None:
        return rows.outlines
    try:
        system = pyproj.CRS.from_user_input(rows.crs)
        moving = pyproj.Transformer.from_crs(system, "OGC:CRS84", always_xy=True)
        flat = shapely.force_2d(rows.outlines)
        return np.asarray(shapely.transform(flat, lambda places: np.column_stack(moving.transform(*places.T))))
    except (CRSError, ProjError) as error:
        raise Unreadable(f"Its coordinate reference system is not understood: {str(error)[:120]}.") from None


def _tidy(outline: BaseGeometry | None) -> BaseGeometry | None:
    """The polygons of an outline, valid, cut at the antimeridian; None where it has no area on the Earth."""
    if outline is None or outline.geom_type not in ("Polygon", "MultiPolygon", "GeometryCollection"):
        return None
    places = shapely.get_coordinates(outline)
    if not places.size or not np.isfinite(places).all() or np.abs(places).max(axis=0)[1] > 90.0 + 1e-9:
        return None
    outline = shapely.force_2d(outline)
    outline = outline if outline.is_valid else shapely.make_valid(outline)
    west, _, east, _ = outline.bounds
    if west < -180 or east > 180 or outline.geom_type == "GeometryCollection":
        return cut(outline)
    return outline if outline.area > 0 else None
