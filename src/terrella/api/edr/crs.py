"""Coordinate reference systems in which places may be given. Answers are in CRS84, or on the collection's own grid."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
import pyproj
from pyproj.exceptions import CRSError, ProjError

from terrella.errors import Invalid

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG4326 = "http://www.opengis.net/def/crs/EPSG/0/4326"
WKT = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433],AXIS["Longitude",EAST],AXIS["Latitude",NORTH]]'
)
ALLOWED = (
    "CRS84 (longitude, latitude), EPSG:4326 (latitude, longitude) or another EPSG:<code>, in the order of its axes"
)

_CRS84 = re.compile(
    r"(?:\[?OGC:)?CRS:?84h?\]?|https?://www\.opengis\.net/def/crs/OGC/[0-9.]+/CRS84h?|urn:ogc:def:crs:OGC:[0-9.]*:CRS84",
    re.IGNORECASE,
)
_EPSG = re.compile(
    r"(?:\[?EPSG:|https?://www\.opengis\.net/def/crs/EPSG/[0-9.]+/|urn:ogc:def:crs:EPSG:[0-9.]*:)(?P<code>[0-9]{4,6})\]?",
    re.IGNORECASE,
)


class InputCrs:
    """A system in which coordinates come; `transformer` is None for longitude and latitude as they are."""

    def __init__(self, name: str, transformer: Any, *, is_swapped: bool = False) -> None:
        self.name = name
        self._transformer = transformer
        self._is_swapped = is_swapped

    @property
    def is_lonlat(self) -> bool:
        return self._transformer is None and not self._is_swapped

    def to_lonlat(self, places: np.ndarray, parameter: str) -> np.ndarray:
        """Longitude and latitude in degrees, shape (n, 2), of coordinates in this system. Raises Invalid."""
        if self._is_swapped:
            return places[:, ::-1]
        if self._transformer is None:
            return places
        try:
            made = np.column_stack(self._transformer.transform(places[:, 0], places[:, 1], errcheck=False))
        except ProjError as error:
            raise Invalid(f"These coordinates cannot be read in {self.name}: {error}.", parameter=parameter) from None
        if not np.isfinite(made).all():
            raise Invalid(
                f"Some coordinates lie outside of where {self.name} is defined (its first axis comes first).",
                parameter=parameter,
            )
        return made


_LONLAT = InputCrs("CRS84", None)


@lru_cache(maxsize=64)
def crs_named(text: str | None) -> InputCrs:
    """The system of a `crs` parameter; CRS84 where there is none. Raises Invalid with what is allowed."""
    if text is None or _CRS84.fullmatch(text):
        return _LONLAT
    found = _EPSG.fullmatch(text)
    if found is None:
        raise Invalid(f"{text[:80]!r} is no known crs. Use {ALLOWED}.", parameter="crs")
    code = int(found["code"])
    if code == 4326:
        return InputCrs("EPSG:4326", None, is_swapped=True)
    return InputCrs(f"EPSG:{code}", _transformer(code))


def _transformer(code: int) -> Any:
    try:
        source = pyproj.CRS.from_epsg(code)
    except CRSError:
        raise Invalid(f"There is no EPSG:{code}. Use {ALLOWED}.", parameter="crs") from None
    if not (source.is_geographic or source.is_projected) or len(source.axis_info) < 2:
        raise Invalid(f"EPSG:{code} ({source.name}) has no places on the Earth. Use {ALLOWED}.", parameter="crs")
    return pyproj.Transformer.from_crs(source, "OGC:CRS84", always_xy=False)
