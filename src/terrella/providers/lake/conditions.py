"""A search as conditions on rows. **The one place where what a caller may see is added.**

Aliases in all SQL of searches: `i` items, `d` documents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import shapely

from terrella.model.microseconds import FOREVER, LONG_AGO
from terrella.providers.lake import schema, text, times
from terrella.providers.lake.filters import Filter
from terrella.providers.lake.footprints import box_shape, extents_of, geometry
from terrella.providers.lake.narrowing import common, names_in, times_in

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from terrella.model.search import Search
    from terrella.model.space import Extent
    from terrella.model.stac import Document
    from terrella.providers.lake.fields import Fields
    from terrella.providers.lake.schema import Sql
    from terrella.providers.lake.sight import Sight


@dataclass(slots=True)
class Conditions:
    """Everything that must hold of an item, sorted by how it can be looked up."""

    collections: tuple[str, ...] = ()
    ids: tuple[str, ...] | None = None
    boxes: tuple[Extent, ...] | None = None
    """One of these must be met, as a look-up: `rest` says so exactly."""
    words: str | None = None
    """Expression of the full-text index."""
    t_start: int = LONG_AGO
    t_end: int = FOREVER
    rest: list[Sql] = field(default_factory=list)
    exact: list[Sql] = field(default_factory=list)
    """Tests of exact shapes: the dearest, so they come last."""

    @property
    def timed(self) -> bool:
        return (self.t_start, self.t_end) != (LONG_AGO, FOREVER)

    @property
    def only_times(self) -> bool:
        """Whether nothing but times and collections is asked for."""
        return self.ids is None and self.boxes is None and self.words is None and not (self.rest or self.exact)

    @property
    def empty(self) -> bool:
        """Whether nothing but collections is asked for."""
        return self.only_times and not self.timed


def conditions_of(sight: Sight, query: Search, fields: Fields) -> Conditions:
    """Raises Invalid for what cannot be asked."""
    made = Conditions(collections=tuple(dict.fromkeys(query.collections)))
    if query.ids:
        made.ids = tuple(dict.fromkeys(query.ids))
    if query.interval is not None:
        made.t_start, made.t_end = times.bounds(query.interval)
    if query.text:
        made.words = text.expression(query.text)
    if query.filter is not None:
        _add_filter(made, Filter(fields), query.filter)
    if query.intersects is not None:
        _add_shape(made, "s_intersects", geometry(query.intersects, parameter="intersects"))
    if query.bbox is not None:
        _add_boxes(made, query.bbox)
    if not sight.is_all:
        _restrict(made, sight)
    return made


def _restrict(made: Conditions, sight: Sight) -> None:
    """To what may be found: only collections that are open, and where they are not open whole, only open items."""
    opened = sight.opened()
    made.collections = tuple(name for name in made.collections or opened if name in opened)
    if not made.collections:
        made.rest.append(schema.NEVER)
    elif (condition := sight.condition(made.collections)) is not None:
        made.rest.append(condition)


def _look_up(made: Conditions, boxes: tuple[Extent, ...]) -> None:
    """Of several places that must be met, the smallest is looked up."""
    if made.boxes is None or _area(boxes) < _area(made.boxes):
        made.boxes = boxes


def _area(boxes: tuple[Extent, ...]) -> float:
    return sum((box.east - box.west) * (box.north - box.south) for box in boxes)


def _add_boxes(made: Conditions, bbox: Extent) -> None:
    parts = bbox.parts()
    _look_up(made, parts)
    made.rest.append(schema.boxes_meet("i", parts))
    shape = shapely.union_all([box_shape(part) for part in parts])
    made.exact.append(schema.shape_meets("s_intersects", shape.wkb, tuple(parts)))


def _add_shape(made: Conditions, operator: str, shape: BaseGeometry) -> None:
    boxes = extents_of(shape)
    _look_up(made, boxes)
    made.rest.append(schema.boxes_meet("i", boxes))
    made.exact.append(schema.shape_relates(operator, shape.wkb))


def _add_filter(made: Conditions, maker: Filter, node: Document) -> None:
    for part in maker.conjuncts(node):
        place = maker.place_of(part)
        if place is not None:
            _add_shape(made, *place)
        else:
            made.rest.append(maker.condition(part))
            _narrow(made, part)


def _narrow(made: Conditions, part: Any) -> None:
    collections, ids = names_in(part, "collection"), names_in(part, "id")
    if collections is not None:
        made.collections = common(made.collections, collections)
    if ids is not None:
        made.ids = common(made.ids or (), ids)
    first, last = times_in(part)
    made.t_start, made.t_end = max(made.t_start, first), min(made.t_end, last)
