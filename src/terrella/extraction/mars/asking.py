"""A MARS request read: keys known and in lower case, values parsed, and what to make of the fields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid, nearest_names
from terrella.extraction.mars.values import Listed, Wanted, counted, parse_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WHAT = """
class stream type expver dataset generation activity experiment model realization realisation resolution levtype domain
georef origin system method timespan product section obsgroup reportype hdate channel ident instrument iteration
diagnostic direction frequency quantile
"""
WHAT = frozenset(_WHAT.split())
"""Keys that say what the data are."""

WHERE = frozenset(
    {"date", "time", "year", "month", "day", "step", "levelist", "number", "param", "fcmonth", "leadtime_hour"}
)
"""Keys that are axes, and the variable."""

MADE = frozenset(
    {"grid", "area", "interpolation", "format", "feature", "accuracy", "expect", "padding", "resol", "target"}
)
"""Keys that say what is to be made of the fields."""

_SPELLINGS = {"levellist": "levelist", "level": "levelist", "parameter": "param", "members": "number", "steps": "step"}


@dataclass(frozen=True, slots=True)
class MarsRequest:
    """`what` and `where` hold what each key asks for; `made` holds the other keys as they were given."""

    what: dict[str, Wanted]
    where: dict[str, Wanted]
    made: dict[str, Any]

    @property
    def params(self) -> tuple[str, ...]:
        """Names or ids asked for; empty where all are."""
        wanted = self.where.get("param")
        return wanted.values if isinstance(wanted, Listed) else ()

    def without(self, key: str) -> MarsRequest:
        """The same request, silent on one axis."""
        return replace(self, where={name: one for name, one in self.where.items() if name != key})


def parse_request(given: Mapping[str, Any], *, also: Iterable[str] = ()) -> MarsRequest:
    """A request as a mapping of keys to text, numbers or lists. `also` are names of axes beyond MARS's own.

    Raises Invalid for a key that there is not, naming the nearest, and for wrong values.
    """
    extra = frozenset(also)
    what: dict[str, Wanted] = {}
    where: dict[str, Wanted] = {}
    made: dict[str, Any] = {}
    for raw, value in given.items():
        key = _SPELLINGS.get(lower := str(raw).strip().lower(), lower)
        if key in what or key in where or key in made:
            raise Invalid(f"{key} is given twice.", parameter=key)
        if key in MADE:
            made[key] = value
        elif key in WHERE or key in extra:
            wanted = parse_values(key, value)
            where[key] = counted(key, wanted) if key == "param" else wanted
        elif key in WHAT:
            what[key] = counted(key, parse_values(key, value))
        else:
            known = WHAT | WHERE | MADE | extra
            raise Invalid(
                f"There is no key {str(raw)!r:.60}. {nearest_names(key[:60], known)}", parameter=str(raw)[:60]
            )
    return MarsRequest(what, where, made)
