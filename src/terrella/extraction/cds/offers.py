"""Which values of a request go together, and which remain valid once some are picked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from terrella.encodings.calendars import iso
from terrella.errors import Invalid, nearest_names
from terrella.extraction.cds.naming import long_name, names_of, product_type
from terrella.extraction.mars import times
from terrella.extraction.mars.choosing import Facets, facets, step_text
from terrella.extraction.mars.values import Listed, parse_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from terrella.contracts.cubes import CubeIndex
    from terrella.model.stac import Document

CLOCK = ("year", "month", "day", "time", "date")
_LEVELS = {"pl": "pressure_level", "ml": "model_level"}
LEVELS = frozenset({"pressure_level", "model_level", "level", "levelist"})
"""Words for the level; which of them a collection uses depends on its levels."""
_STEPS = frozenset({"leadtime_hour", "step"})

Picks = dict[str, frozenset[str]]
"""Values picked for each key, as `Offer` writes them; of `date` they are days, or two days with a slash between."""


@dataclass(frozen=True, eq=False)
class Calendar:
    """Days as YYYY-MM-DD, times of day as HH:MM, and which go together: ``has[day, time]``."""

    days: np.ndarray
    times: np.ndarray
    has: np.ndarray

    def part(self, key: str) -> np.ndarray:
        """Year, month or day of month of each day, as text."""
        first, last = {"year": (0, 4), "month": (5, 7), "day": (8, 10)}[key]
        return np.array([text[first:last] for text in self.days.tolist()])

    def left(self, picks: Picks) -> np.ndarray:
        """`has`, where the picks leave it."""
        rows = np.ones(self.days.size, bool)
        for key in ("year", "month", "day"):
            if key in picks:
                rows &= np.isin(self.part(key), list(picks[key]))
        if "date" in picks:
            rows &= _within(self.days, picks["date"])
        columns = np.isin(self.times, list(picks["time"])) if "time" in picks else np.ones(self.times.size, bool)
        return np.asarray(self.has & rows[:, None] & columns)

    def values(self, key: str, picks: Picks) -> np.ndarray:
        left = self.left(picks)
        if key == "time":
            return self.times[left.any(0)]
        days = left.any(1)
        return self.days[days] if key == "date" else np.unique(self.part(key)[days])


def _within(days: np.ndarray, dates: Iterable[str]) -> np.ndarray:
    inside = np.zeros(days.size, bool)
    for text in dates:
        first, _, last = text.partition("/")
        inside |= (days >= first) & (days <= (last or first))
    return inside


@dataclass(frozen=True, eq=False)
class Offer:
    """One variable: its usual `name` and all its `names`, its product type, values along its axes, and its times."""

    variable: str
    name: str
    names: frozenset[str]
    product_type: str
    mars: Mapping[str, frozenset[str]]
    axes: Mapping[str, frozenset[str]]
    calendar: Calendar | None
    title: str = ""

    def fits(self, picks: Picks) -> bool:
        """Whether the variable has any value of each pick."""
        clock = {key: values for key, values in picks.items() if self.is_of_calendar(key)}
        if not all(self._has(key, values) for key, values in picks.items() if key not in clock):
            return False
        return not clock or (self.calendar is not None and bool(self.calendar.left(clock).any()))

    def is_of_calendar(self, key: str) -> bool:
        """Whether a key is one of dates and times: some cubes have an axis of that name instead."""
        return key in CLOCK and key not in self.axes

    def answers_to(self, name: str) -> bool:
        """Whether this is one of its names, in any spelling."""
        return name.lower() in self.names or long_name(name) in self.names

    def _has(self, key: str, values: frozenset[str]) -> bool:
        if key == "variable":
            return any(self.answers_to(name) for name in values)
        if key == "product_type":
            return not self.product_type or self.product_type in values
        if key not in self.axes:
            return key in ("leadtime_hour", "number") and values <= {"0", "1"}
        return bool(self.axes[key] & values)

    def values(self, key: str, picks: Picks) -> set[str]:
        """What it has of a key that is not picked itself."""
        if key == "variable":
            return {self.name}
        if key == "product_type":
            return {self.product_type} - {""}
        if self.is_of_calendar(key):
            clock = {name: values for name, values in picks.items() if self.is_of_calendar(name)}
            return set(self.calendar.values(key, clock).tolist()) if self.calendar else set()
        return set(self.axes.get(key, ()))


def offers(document: Document, index: CubeIndex | None) -> list[Offer]:
    """What a collection offers, one for each variable of its cube."""
    return [_offer(one, document["cube:variables"][one.identity.variable]) for one in facets(document, index)]


def _offer(one: Facets, about: Document) -> Offer:
    usual, names = names_of(one.identity, about)
    level = _LEVELS.get(next(iter(one.identity.words.get("levtype", ())), ""), "level")
    if level == "level" and "pressure" in one.identity.dims:
        level = "pressure_level"
    spelled = {"levelist": level, "step": "leadtime_hour"}
    known = {"param", *one.identity.words}
    axes = {spelled.get(key, key): values for key, values in one.words.items() if key not in known}
    title = str(about.get("long_name") or one.title or one.identity.variable)
    mars = one.identity.words
    return Offer(one.identity.variable, usual, names, product_type(mars), mars, axes, _calendar(one), title)


def _calendar(one: Facets) -> Calendar | None:
    clock = one.clock
    if clock is None:
        return None
    days = np.array([text[:10] for text in iso(clock.days, clock.calendar)])
    minutes = clock.times.astype(np.int64) // 60_000
    return Calendar(days, np.array([f"{one // 60:02d}:{one % 60:02d}" for one in minutes.tolist()]), clock.has)


# --- picking ----------------------------------------------------------------------------------------------------------


def picks_of(known: Sequence[Offer], given: Mapping[str, object]) -> Picks:
    """Values of a request as offers write them, keys that are no axes left out. Raises Invalid."""
    keys = {key for one in known for key in one.axes} | {"variable", "product_type", *CLOCK}
    levels, plain = sorted(keys & LEVELS), {key for one in known for key in one.axes}
    picks: Picks = {}
    for raw, value in given.items():
        key = "leadtime_hour" if raw in _STEPS else (levels[0] if levels and raw in LEVELS else raw)
        if key in keys | LEVELS | _STEPS and (read := _read("number" if key in CLOCK and key in plain else key, value)):
            picks[key] = read
    return picks


def _read(key: str, value: object) -> frozenset[str]:
    """Empty where everything is meant, or a range whose values only MARS's own reading tells."""
    if key == "date":
        return frozenset(dates_of(value))
    wanted = parse_values(key, value)
    if isinstance(wanted, Listed):
        return frozenset(_normal(key, text) for text in wanted.values)
    return frozenset()


def _normal(key: str, text: str) -> str:
    if key == "time":
        minutes = times.time_of(text) // 60_000
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    if key == "year":
        return f"{int(times.number_of(text, key)):04d}"
    if key in ("month", "day"):
        return f"{int(times.number_of(text, key)):02d}"
    if key in LEVELS or key == "number":
        return f"{times.number_of(text, key):.10g}"
    if key == "leadtime_hour":
        return step_text(times.step_of(text))
    return text.lower()


def dates_of(value: object) -> list[str]:
    """Days, and ranges of days as FIRST/LAST, out of ``2024-03-01/2024-03-31`` or a list of such. Raises Invalid."""
    made: list[str] = []
    for text in value if isinstance(value, list | tuple) else [value]:
        parts = [part.strip() for part in str(text).lower().replace("/to/", "/").split("/")]
        days = [times.date_of(part, times.today()).isoformat() for part in parts]
        if len(days) == 2 and days[0] > days[1]:
            raise Invalid(f"date: the range {str(text)!r:.40} goes backwards.", parameter="date")
        made += ["/".join(days)] if len(days) == 2 else days
    return made


def valid_values(known: Sequence[Offer], picks: Picks) -> dict[str, list[str]]:
    """For each key, the values that go with what is picked of the other keys; `date` as ranges of days."""
    keys = {key for one in known for key in one.axes}
    if any(one.product_type for one in known):
        keys.add("product_type")
    if any(one.calendar for one in known):
        keys.update(CLOCK)
    return {key: offered(key, known, picks) for key in ("variable", *sorted(keys))}


def offered(key: str, known: Sequence[Offer], picks: Picks) -> list[str]:
    """Values of one key that go with the picks of the others, in order."""
    others = {name: values for name, values in picks.items() if name != key}
    found = {value for one in known if one.fits(others) for value in one.values(key, others)}
    return _ranges(sorted(found)) if key == "date" else sorted(found, key=_order)


def _order(text: str) -> tuple[float, str]:
    try:
        return (float(text), text)
    except ValueError:
        return (float("inf"), text)


def _ranges(days: list[str]) -> list[str]:
    """Days that follow each other as FIRST/LAST."""
    if not days:
        return []
    numbers = np.array([f"{day}" for day in days], dtype="M8[D]") if _exist(days) else None
    breaks = (
        [i for i, (a, b) in enumerate(pairwise(numbers), 1) if (b - a).astype(int) > 1] if numbers is not None else []
    )
    starts, ends = [0, *breaks], [*breaks, len(days)]
    return [f"{days[start]}/{days[end - 1]}" for start, end in zip(starts, ends, strict=True)]


def _exist(days: list[str]) -> bool:
    """Whether these are days of the usual calendar: 30 February is one of others."""
    try:
        np.array(days, dtype="M8[D]")
    except ValueError:
        return False
    return True


def combinations(known: Sequence[Offer]) -> list[dict[str, list[str]]]:
    """The same as a list: each entry is a set of values of which any go together."""
    groups: dict[tuple[object, ...], list[Offer]] = {}
    for one in known:
        groups.setdefault((one.product_type, _frozen(one), _clock_of(one)), []).append(one)
    made: list[dict[str, list[str]]] = []
    for together in groups.values():
        first = together[0]
        base = {"variable": sorted({one.name for one in together})}
        if first.product_type:
            base["product_type"] = [first.product_type]
        base |= {key: sorted(values, key=_order) for key, values in sorted(first.axes.items())}
        made += [base | days for days in _days(first.calendar)]
    return made


def _frozen(one: Offer) -> tuple[object, ...]:
    return tuple(sorted((key, tuple(sorted(values))) for key, values in one.axes.items()))


def _clock_of(one: Offer) -> tuple[bytes, ...] | None:
    found = one.calendar
    return (found.days.tobytes(), found.times.tobytes(), found.has.tobytes()) if found else None


def _days(calendar: Calendar | None) -> list[dict[str, list[str]]]:
    """Years of which the same months have the same days, with the same times."""
    if calendar is None:
        return [{}]
    months: dict[tuple[str, str, bytes], list[str]] = {}
    for text, row in zip(calendar.days.tolist(), calendar.has, strict=True):
        months.setdefault((text[:4], text[5:7], row.tobytes()), []).append(text[8:10])
    years: dict[tuple[str, tuple[str, ...], bytes], list[str]] = {}
    for (year, month, row), days in months.items():
        years.setdefault((month, tuple(days), row), []).append(year)
    return [
        {
            "year": found,
            "month": [month],
            "day": list(days),
            "time": calendar.times[np.frombuffer(row, dtype=bool)].tolist(),
        }
        for (month, days, row), found in years.items()
    ]


def chosen(known: Sequence[Offer], names: Iterable[str]) -> list[Offer]:
    """The offers of these names, in their order. Raises Invalid with the nearest."""
    found: list[Offer] = []
    for name in names:
        mine = [one for one in known if one.answers_to(name)]
        if not mine:
            usual = {one.name for one in known}
            raise Invalid(f"There is no variable {name!r:.60} here. {nearest_names(name, usual)}", parameter="variable")
        found += [one for one in mine if one not in found]
    return found


def check(known: Sequence[Offer], picks: Picks) -> None:
    """Raises Invalid for a value that the data do not have together with the others, with what they have."""
    so_far: Picks = {}
    for key in (*(key for key in picks if key not in CLOCK), *(key for key in CLOCK if key in picks)):
        if key != "variable":
            _check_one(key, picks[key], known, so_far)
        so_far[key] = picks[key]


def _check_one(key: str, values: frozenset[str], known: Sequence[Offer], so_far: Picks) -> None:
    missing = [value for value in sorted(values) if not _any_fits(known, {**so_far, key: frozenset({value})})]
    if not missing or (key == "day" and len(missing) < len(values)):  # a list of days fits the longest month
        return
    there = offered(key, known, so_far)
    more = ", ..." if len(there) > 20 else ""
    shown = f"There are: {', '.join(there[:20])}{more}." if there else "Leave it out."
    raise Invalid(f"There is no {key} {missing[0]!r:.60} here with what else is asked. {shown}", parameter=key)


def _any_fits(known: Iterable[Offer], picks: Picks) -> bool:
    return any(one.fits(picks) for one in known)
