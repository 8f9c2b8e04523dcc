"""Values that each MARS key of a cube may take, given values of other keys: what a valid request is picked from.

Each variable is known by its facets; a value is on offer when some variable has it together with all that is picked.
So a pick among what is on offer always leaves something on offer for every key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from terrella.encodings.calendars import iso, to_ms
from terrella.errors import Invalid
from terrella.extraction.mars import times
from terrella.extraction.mars.matching import Identity, identities
from terrella.extraction.mars.placing import TO_PASCAL
from terrella.extraction.mars.values import Every, Listed, Ranged, Wanted
from terrella.model.parameters import find
from terrella.model.time import Instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from terrella.contracts.cubes import CubeIndex, CubeVariable
    from terrella.model.scan import Axis
    from terrella.model.stac import Document

MOST_PIECES = 20_000
"""Of a variable whose own part of each axis is worked out; of others it is the whole axis."""
_CLOCK = ("date", "time")


@dataclass(frozen=True, eq=False)
class Clock:
    """Days (ms at midnight), times of day (ms), and which of them go together: ``has[day, time]``."""

    days: np.ndarray
    times: np.ndarray
    has: np.ndarray
    calendar: str = "standard"

    @classmethod
    def of(cls, instants: np.ndarray, calendar: str = "") -> Clock:
        """From milliseconds in a calendar."""
        found = instants.astype(np.int64)
        days, row = np.unique(found - found % times.DAY_MS, return_inverse=True)
        clock, column = np.unique(found % times.DAY_MS, return_inverse=True)
        has = np.zeros((days.size, clock.size), dtype=bool)
        has[row, column] = True
        return cls(days, clock, has, calendar or "standard")

    def at(self, days: Span | None, clock: Span | None) -> tuple[np.ndarray, np.ndarray]:
        """Days that go with the picked times, and times that go with the picked days; None stands for any."""
        of_days = _together(self.has.T, self.times, clock)
        of_times = _together(self.has, self.days, days)
        return self.days[of_days], self.times[of_times]

    def fits(self, days: Span | None, clock: Span | None) -> bool:
        """Whether something is of a picked day and time; of listed ones, each must have a part in it."""
        rows = np.ones(self.days.size, bool) if days is None else np.isin(self.days, days.numbers)
        columns = np.ones(self.times.size, bool) if clock is None else np.isin(self.times, clock.numbers)
        both = self.has[rows][:, columns]
        if days is not None and days.each and (rows.sum() < days.numbers.size or not both.any(1).all()):
            return False
        if clock is not None and clock.each and (columns.sum() < clock.numbers.size or not both.any(0).all()):
            return False
        return bool(both.any())


@dataclass(frozen=True, eq=False)
class Span:
    """Days or times that are picked (distinct); `each`: all of them are meant, not only what there is among them."""

    numbers: np.ndarray
    each: bool


def _together(rows: np.ndarray, names: np.ndarray, picked: Span | None) -> np.ndarray:
    """Columns that all picked rows have, where each is meant and such there are; else those that any of them has."""
    if picked is None:
        return np.asarray(rows.any(0))
    chosen = rows[np.isin(names, picked.numbers)]
    if picked.each and len(chosen) and (every := chosen.all(0)).any():
        return np.asarray(every)
    return np.asarray(chosen.any(0))


@dataclass(frozen=True, eq=False)
class Facets:
    """What is known of one variable: values of each key as text (param: the one that is offered), and its times."""

    identity: Identity
    words: Mapping[str, frozenset[str]]
    clock: Clock | None
    title: str = ""

    def has(self, key: str) -> bool:
        return self.clock is not None if key in _CLOCK else key in self.words


Picks = dict[str, Wanted]


def facets(document: Document, index: CubeIndex | None) -> list[Facets]:
    """Of every variable of a collection's cube; without its index only what the document says, no axes."""
    variables = {one.name: one for one in index.variables} if index else {}
    axes = index.axes if index else ()
    about = document.get("cube:variables", {})
    return [_facets(one, variables.get(one.variable), axes, about[one.variable]) for one in identities(document)]


def _facets(one: Identity, variable: CubeVariable | None, axes: Sequence[Axis], about: Document) -> Facets:
    words = dict(one.words) | {"param": frozenset({str(about.get("mars:param") or one.variable).lower()})}
    clock = None
    for axis in axes:
        if axis.name not in one.dims:
            continue
        values = axis.values if variable is None else axis.values[_filled(variable, axis)]
        if axis.kind in ("time", "reference_time"):
            if clock is None or axis.kind == "reference_time":
                clock = Clock.of(values, axis.calendar)
        else:
            words[_KEYS.get(axis.kind, axis.name)] = frozenset(_texts(axis, values))
    return Facets(one, words, clock, str(about.get("description", "")))


_KEYS = {"step": "step", "vertical": "levelist", "number": "number"}


def _filled(variable: CubeVariable, axis: Axis) -> np.ndarray:
    """Indices along an axis that some piece of the variable fills."""
    whole: np.ndarray = np.arange(axis.values.size)
    if len(variable.pieces) > MOST_PIECES:
        return whole
    place = variable.dims.index(axis.name)
    found = [piece.positions[place] for piece in variable.pieces]
    if not found or any(one is None for one in found):
        return whole
    return np.unique(np.concatenate([one for one in found if one is not None]))


def _texts(axis: Axis, values: np.ndarray) -> list[str]:
    if axis.kind == "step":
        return [step_text(int(value)) for value in values]
    if axis.kind == "vertical":
        factor = 100.0 / TO_PASCAL[axis.units] if axis.units in TO_PASCAL else 1.0
        return [f"{float(value) / factor:.10g}" for value in values]
    return [f"{value:.10g}" if values.dtype.kind in "iuf" else str(value).lower() for value in values.tolist()]


def step_text(milliseconds: int) -> str:
    """A step as MARS writes it: 6, 90m as 1h30m."""
    hours, rest = divmod(milliseconds, times.HOUR_MS)
    minutes = rest // 60_000
    if not rest:
        return str(hours)
    return f"{hours}h{minutes}m" if hours else f"{minutes}m"


# --- picking ----------------------------------------------------------------------------------------------------------


def choices(known: Sequence[Facets], picks: Mapping[str, Wanted], *, base: date | None = None) -> dict[str, list[str]]:
    """What is on offer for each key, given picks of the others; dates as YYYYMMDD, times as HHMM.

    Raises Invalid for picks that nothing has, with what there is.
    """
    day = base or times.today()
    read = {key: one for key, wanted in picks.items() if (one := _read(key, wanted, known, day)) is not None}
    _check(known, read)
    keys = sorted({key for one in known for key in one.words}) + [key for key in _CLOCK if _any_has(known, key)]
    offered = {key: _offered(key, known, read) for key in keys}
    return {key: values for key, values in offered.items() if values}  # a key that the picks rule out is not asked for


def _any_has(known: Iterable[Facets], key: str) -> bool:
    return any(one.has(key) for one in known)


@dataclass(frozen=True, eq=False)
class _Pick:
    """Values as facets write them, or a span of days or times. `each`: a variable must have all of them."""

    shown: str
    values: frozenset[str] = frozenset()
    span: Span | None = None
    each: bool = False


def _read(key: str, wanted: Wanted, known: Sequence[Facets], base: date) -> _Pick | None:
    """None for a pick that excludes nothing."""
    if isinstance(wanted, Every):
        return None
    shown = "/".join(wanted.values)[:60] if isinstance(wanted, Listed) else f"{wanted.start}/to/{wanted.stop}"
    if not _any_has(known, key):
        zero = isinstance(wanted, Listed) and set(wanted.values) <= {"0", "1"}
        if key in ("step", "number") and zero:
            return None  # of data that are no forecast, or of one member, some say so
        raise Invalid(f"These data have no {key}: leave it out.", parameter=key)
    if key in _CLOCK:
        numbers = _days(wanted, known, base) if key == "date" else _clock(wanted, known)
        return _Pick(shown, span=Span(np.unique(numbers), isinstance(wanted, Listed)))
    there = {value for one in known for value in one.words.get(key, ())}
    return _Pick(shown, _values(key, wanted, there), each=isinstance(wanted, Listed) and key in _AXES)


_AXES = frozenset({"step", "levelist", "number"})


def _values(key: str, wanted: Listed | Ranged, there: set[str]) -> frozenset[str]:
    if isinstance(wanted, Listed):
        if key == "step":
            return frozenset(step_text(times.step_of(text)) for text in wanted.values)
        if key in ("levelist", "number"):
            return frozenset(f"{times.number_of(text, key):.10g}" for text in wanted.values)
        return frozenset(text.lower() for text in wanted.values)
    if key not in _AXES:
        raise Invalid(f"{key} is no number: list its values, as a/b/c.", parameter=key)
    number = times.step_of if key == "step" else lambda text: times.number_of(text, key)
    if wanted.by is not None:
        wished = {float(one) for one in times.spread(key, wanted, number)}
        return frozenset(text for text in there if float(number(text)) in wished)
    low, high = sorted((number(wanted.start), number(wanted.stop)))
    return frozenset(text for text in there if low <= number(text) <= high)


def _days(wanted: Wanted, known: Sequence[Facets], base: date) -> np.ndarray:
    asked = times.dates(wanted, base) or []
    calendar = _calendar(known)
    if not isinstance(asked, tuple):
        return np.array([_ms(one, calendar) for one in asked], np.int64)
    first, last = (_ms(one, calendar) for one in asked)
    there = np.unique(np.concatenate([one.clock.days for one in known if one.clock]))
    return there[(there >= first) & (there <= last)]


def _clock(wanted: Listed | Ranged, known: Sequence[Facets]) -> np.ndarray:
    if isinstance(wanted, Listed):
        return np.array([times.time_of(text) for text in wanted.values], np.int64)
    if wanted.by is not None:
        return np.array(list(times.spread("time", wanted, times.time_of)), np.int64)
    there = np.unique(np.concatenate([one.clock.times for one in known if one.clock]))
    low, high = sorted((times.time_of(wanted.start), times.time_of(wanted.stop)))
    return there[(there >= low) & (there <= high)]


def _calendar(known: Iterable[Facets]) -> str:
    return next((one.clock.calendar for one in known if one.clock is not None), "standard")


def _ms(day: date, calendar: str) -> int:
    return to_ms(Instant(day.year, day.month, day.day), calendar)


def _fits(one: Facets, picks: Mapping[str, _Pick]) -> bool:
    if not all(_fits_word(one, key, pick) for key, pick in picks.items() if key not in _CLOCK):
        return False
    days, clock = _spans(picks)
    return (days is None and clock is None) or (one.clock is not None and one.clock.fits(days, clock))


def _spans(picks: Mapping[str, _Pick]) -> tuple[Span | None, Span | None]:
    days, clock = (picks[key].span if key in picks else None for key in _CLOCK)
    return days, clock


def _fits_word(one: Facets, key: str, pick: _Pick) -> bool:
    if key == "param":
        return any(_is(one.identity, name) for name in pick.values)
    words = one.words.get(key, frozenset())
    return bool(pick.values) and pick.values <= words if pick.each else bool(pick.values & words)


def _is(one: Identity, name: str) -> bool:
    if name in one.names:
        return True
    return any({known.short_name.lower(), str(known.id)} & one.names for known in find(name))


def _check(known: Sequence[Facets], picks: Mapping[str, _Pick]) -> None:
    so_far: dict[str, _Pick] = {}
    for key, pick in picks.items():
        if not any(_fits(one, {**so_far, key: pick}) for one in known):
            there = _offered(key, known, so_far)
            more = ", ..." if len(there) > 20 else ""
            also = " and ".join(f"{name}={one.shown}" for name, one in so_far.items())
            raise Invalid(
                f"There is no {key}={pick.shown} here{f' with {also}' if also else ''}. "
                f"There are: {', '.join(there[:20])}{more}.",
                parameter=key,
            )
        so_far[key] = pick


def _offered(key: str, known: Sequence[Facets], picks: Mapping[str, _Pick]) -> list[str]:
    others = {name: pick for name, pick in picks.items() if name != key}
    fitting = [one for one in known if _fits(one, others)]
    if key not in _CLOCK:
        return sorted({value for one in fitting for value in one.words.get(key, ())}, key=_order)
    found = [one.clock.at(*_spans(others))[_CLOCK.index(key)] for one in fitting if one.clock is not None]
    numbers = np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)
    return _dates(numbers, _calendar(known)) if key == "date" else [_hhmm(int(one)) for one in numbers]


def _order(text: str) -> tuple[int, float, str]:
    try:
        return (0, float(times.step_of(text)) if "h" in text or "m" in text else float(text) * times.HOUR_MS, text)
    except (ValueError, Invalid):
        return (1, 0.0, text)


def _dates(days: np.ndarray, calendar: str) -> list[str]:
    return [text[:10].replace("-", "") for text in iso(days, calendar)] if days.size else []


def _hhmm(milliseconds: int) -> str:
    minutes = milliseconds // 60_000
    return f"{minutes // 60:02d}{minutes % 60:02d}"


def periods(days: Sequence[str]) -> list[tuple[str, str]]:
    """Runs of days that follow one another, of days as YYYYMMDD in order: first and last of each."""
    numbers = np.array([f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in days], dtype="M8[D]").astype(np.int64)
    breaks = np.flatnonzero(np.diff(numbers) > 1)
    starts, ends = [0, *(breaks + 1)], [*breaks, len(days) - 1]
    return [(days[first], days[last]) for first, last in zip(starts, ends, strict=True)] if days else []
