"""Which named places a list is to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from terrella.api.edr.crs import crs_named
from terrella.api.edr.geometry import parse_bbox
from terrella.api.edr.locations import GEOMETRIES, MOST_REGIONS
from terrella.api.edr.query import whole
from terrella.errors import Invalid, nearest_names
from terrella.model.time import parse_interval

if TYPE_CHECKING:
    from terrella.api.edr.query import Query
    from terrella.extraction.gazetteer import Gazetteer, Places
    from terrella.model.caller import Caller
    from terrella.model.space import Extent

_MOST_START = 10_000_000
_MOST_TEXT = 100


@dataclass(frozen=True, slots=True)
class Listing:
    """`source` is `countries` or a collection of regions; `text` a part of their names; `start` the first to show."""

    bbox: Extent | None
    text: str
    source: str
    geometry: str
    start: int
    limit: int

    @classmethod
    def of(cls, query: Query) -> Self:
        """Raises Invalid. `datetime` is checked and means nothing: every place has all times of the collection."""
        box, time = query.take("bbox"), query.take("datetime")
        if time is not None:
            parse_interval(time)
        geometry = query.take("geometry") or GEOMETRIES[0]
        if geometry not in GEOMETRIES:
            raise Invalid(
                f"There is no geometry {geometry[:40]!r}. {nearest_names(geometry[:40], GEOMETRIES)}",
                parameter="geometry",
            )
        return cls(
            parse_bbox(box, crs_named(None))[0] if box is not None else None,
            (query.take("q") or "")[:_MOST_TEXT],
            query.take("source") or "",
            geometry,
            whole(query.take("token"), "token", low=0, high=_MOST_START, default=0),
            whole(query.take("limit"), "limit", low=1, high=MOST_REGIONS, default=100),
        )

    @property
    def is_of_regions(self) -> bool:
        """Whether regions are meant also where there are stations."""
        return bool(self.source or self.text)

    def regions(self, gazetteer: Gazetteer, caller: Caller, covered: Extent | None) -> Places:
        """Those that meet the box asked for, or else what the collection covers."""
        return gazetteer.listed(
            caller,
            limit=self.limit,
            start=self.start,
            bbox=self.bbox or covered,
            text=self.text,
            source=self.source,
        )
