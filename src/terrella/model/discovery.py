"""Discovery: what there is, sifted by what people know of it. One question, and its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terrella.model.space import Extent
    from terrella.model.time import Interval

FACETS = ("theme", "variable", "provider", "license", "resolution", "access", "has")
"""By what collections are sifted, in the order in which people meet them."""
ACCESS = {"open": "Open to you", "account": "With an account", "request": "On request"}
"""What the caller may do: read it now; read it once signed in; read it with a role that somebody gives."""
HAS = {"cube": "Values to cut out", "images": "Images", "items": "Files"}
SORTS = ("relevance", "title", "updated", "begin", "end", "resolution", "items")
"""What pages are sorted by; a minus in front turns the order."""


@dataclass(frozen=True, slots=True)
class Discovering:
    """Which collections? Of a facet any of its values, of all that is given everything, must hold."""

    bbox: Extent | None = None
    interval: Interval | None = None
    text: tuple[str, ...] = ()
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = ""
    """One of `SORTS`; '' is by relevance where there is a text, else by title."""
    limit: int = 24
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """One value of a facet: how many collections have it of those that meet everything but this facet."""

    value: str
    title: str
    count: int
    is_chosen: bool
