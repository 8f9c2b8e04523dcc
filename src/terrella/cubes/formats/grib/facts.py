"""What a field is: its keys, read once through ecCodes for all fields that differ only in time and values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyproj  # noqa: F401 -- before ecCodes: libproj clash

# isort: split
import eccodes

from terrella.cubes.formats.grib.keys import integer, number, opened, text
from terrella.cubes.formats.grib.times import date_ms, months_later
from terrella.errors import Unreadable

if TYPE_CHECKING:
    from terrella.cubes.formats.grib.messages import Field


@dataclass(frozen=True, slots=True)
class Facts:
    """Keys under ecCodes' names, and what follows from them. Times in milliseconds."""

    edition: int
    param: int
    short_name: str
    coded_level: float
    """ecCodes' `level`: edition 1 in the units of its code table; edition 2 cuts off fractions of a hectopascal."""
    top: float | None
    """First surface; edition 2 in SI units."""
    bottom: float | None
    step: int
    variant: str
    """What else tells it from fields of the same name: 'percentile_10', 'above_25', 'spread'."""
    indexing: int | None
    """Nominal reference time of lagged ensembles (seasonal forecasts), where they have one."""
    centre: str = ""
    level_type: str = ""
    step_type: str = ""
    grid_type: str = ""
    mars: dict[str, str] = field(default_factory=dict)
    spectrum: tuple[float, float] | None = None
    """Direction (degrees) and frequency (Hz) of wave spectra."""


@dataclass(frozen=True, slots=True)
class _Known:
    facts: Facts
    plain: bool
    """Whether coded time and member are what ecCodes says, so that it need not be asked again."""
    member: int | None


class FactsReader:
    """Facts of fields with what differs from field to field; asks ecCodes once for each identity."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Known] = {}

    def read(self, each: Field) -> tuple[Facts, int, int | None]:
        """(facts, reference time in ms since 1970, number of the ensemble member or None). Raises Unreadable."""
        known = self._known.get(each.identity)
        if known and known.plain:
            member = known.member if each.member is None else each.member
            return known.facts, date_ms(*each.reference), member
        with opened(each) as handle:
            facts, reference, member = _facts(handle), _reference(handle), integer(handle, "number")
            # ecCodes bends some coded dates (climatologies, monthly means), and months have no fixed length: such
            # fields, and numbers that mean something else, are asked for one by one.
            fixed = facts.indexing is None and integer(handle, "indicatorOfUnitOfTimeRange") not in _MONTHS
        dated = fixed and _valid(each.reference) and date_ms(*each.reference) == reference
        self._known[each.identity] = _Known(facts, dated and each.member in {None, member}, member)
        return facts, reference, member


def _facts(handle: int) -> Facts:
    edition = int(eccodes.codes_get_long(handle, "edition"))
    level_type, mars = text(handle, "typeOfLevel"), _mars(handle)
    surfaces = edition == 2 or level_type.endswith("Layer")
    param = int(eccodes.codes_get_long(handle, "paramId"))
    return Facts(
        edition=edition,
        param=param,
        short_name=text(handle, "shortName").strip("~") or _coded_name(handle, edition),
        coded_level=number(handle, "level") or 0.0,
        top=_surface(handle, "First", "topLevel", edition) if surfaces else None,
        bottom=_surface(handle, "Second", "bottomLevel", edition) if surfaces else None,
        step=_step(handle, edition),
        variant=_variant(handle) if edition == 2 else "",
        indexing=_date(handle, "indexingDate", "indexingTime") if mars.get("stream") in _LAGGED else None,
        centre=text(handle, "centre"),
        level_type=level_type,
        step_type=text(handle, "stepType"),
        grid_type=text(handle, "gridType"),
        mars=mars,
        spectrum=_spectrum(handle) if param in _SPECTRA else None,
    )


_MARS = ("class", "stream", "type", "expver", "levtype")
_CLIMATE = ("dataset", "activity", "experiment", "generation", "model", "realization", "resolution")
_LAGGED = frozenset({"msmm", "mmsf", "mmsa", "mmaf", "mmam", "swmm", "wasf", "wams"})
"""Streams of seasonal forecasts, whose members may start before the nominal date."""
_SPECTRA = frozenset({140250, 140251, 140252, 140253})


def _mars(handle: int) -> dict[str, str]:
    """MARS keys; of Destination Earth's class d1 those of its climate runs too."""
    mars = {key: value for key in _MARS if (value := text(handle, key))}
    if "type" not in mars and (kind := text(handle, "dataType")):
        mars["type"] = kind
    if mars.get("class") in {"d1", "ng"}:
        mars |= {key: value for key in _CLIMATE if (value := text(handle, key))}
    return mars


def _surface(handle: int, which: str, key: str, edition: int) -> float | None:
    """Of edition 2: value / 10^scale, as coded."""
    if edition == 1:
        return number(handle, key)
    scale = integer(handle, f"scaleFactorOf{which}FixedSurface")
    value = integer(handle, f"scaledValueOf{which}FixedSurface")
    if scale is None or value is None:
        return None
    return value / 10**scale if scale >= 0 else float(value * 10**-scale)


def _coded_name(handle: int, edition: int) -> str:
    """A name for what no table knows, out of its codes."""
    codes = ("discipline", "parameterCategory", "parameterNumber", "constituentType", "aerosolType")
    keys = ("centre", "table2Version", "indicatorOfParameter") if edition == 1 else codes
    return "p" + "_".join(str(code) for key in keys if (code := integer(handle, key)) is not None)


_DERIVED = {0: "mean", 1: "weighted_mean", 2: "standard_deviation", 3: "normalized_standard_deviation", 4: "spread"}
"""Code table 4.7: fields derived from all members of an ensemble."""


def _variant(handle: int) -> str:
    """Edition 2 only: percentiles, probabilities of an event (code table 4.9), fields derived from an ensemble."""
    percentile, derived = integer(handle, "percentileValue"), integer(handle, "derivedForecast")
    if percentile is not None:
        return f"percentile_{percentile}"
    if derived is not None:
        return _DERIVED.get(derived, f"derived_{derived}")
    if integer(handle, "probabilityType") is None:
        return ""
    low, high = (_limit(handle, end) for end in ("Lower", "Upper"))
    kind = integer(handle, "probabilityType")
    texts = {0: f"below_{low}", 1: f"above_{high}", 2: f"between_{low}_{high}", 3: f"above_{low}", 4: f"below_{high}"}
    return texts.get(kind or 0, f"probability_{kind}")


def _limit(handle: int, end: str) -> str:
    scale, value = integer(handle, f"scaleFactorOf{end}Limit"), integer(handle, f"scaledValueOf{end}Limit")
    return "" if scale is None or value is None else f"{value / 10.0**scale:g}"


_MONTHS = {3: 1, 4: 12, 5: 120, 6: 360, 7: 1200}
"""Code table 4.4 (4 in edition 1): units of time that have no fixed length, in months."""


def _step(handle: int, edition: int) -> int:
    """Milliseconds to the end of the step. EcCodes takes a month for 30 days: months are counted here."""
    months = _MONTHS.get(integer(handle, "indicatorOfUnitOfTimeRange") or 0)
    if months:
        return _calendar_step(handle, edition, months)
    eccodes.codes_set(handle, "stepUnits", "s")
    return int(eccodes.codes_get_long(handle, "endStep")) * 1000


def _calendar_step(handle: int, edition: int, months: int) -> int:
    start = _reference(handle)
    if edition == 2:
        names = ("year", "month", "day", "hour", "minute", "second")
        ends = [integer(handle, f"{name}OfEndOfOverallTimeInterval") for name in names]
        if None not in ends:
            return date_ms(*(each or 0 for each in ends)) - start
        count = integer(handle, "forecastTime") or 0
    else:
        first, second = integer(handle, "P1") or 0, integer(handle, "P2") or 0
        # Code table 5: 10 makes one number of both octets, 2 to 5 end an interval with the second.
        kind = integer(handle, "timeRangeIndicator")
        count = first * 256 + second if kind == 10 else second if kind in {2, 3, 4, 5} else first
    return months_later(start, count * months) - start


def _reference(handle: int) -> int:
    found = _date(handle, "dataDate", "dataTime")
    if found is None:
        raise Unreadable("it has no reference time that could be read")
    return found + 1000 * (integer(handle, "second") or 0)


def _date(handle: int, day: str, clock: str) -> int | None:
    """Milliseconds of a date and a time as ecCodes writes them, 20240701 and 1230; day 0 of monthly means is day 1."""
    date, at = integer(handle, day), integer(handle, clock)
    if date is None or at is None:
        return None
    return date_ms(date // 10000, max(1, date // 100 % 100), max(1, date % 100), at // 100, at % 100, 0)


def _spectrum(handle: int) -> tuple[float, float] | None:
    direction, frequency = integer(handle, "directionNumber"), integer(handle, "frequencyNumber")
    if direction is None or frequency is None:
        return None
    return (
        _scaled(handle, "scaledDirections", direction, "directionScalingFactor"),
        _scaled(handle, "scaledFrequencies", frequency, "frequencyScalingFactor"),
    )


def _scaled(handle: int, table: str, index: int, factor: str) -> float:
    """Entry `index` (from 1) of a table of whole numbers; the index itself where there is no such entry."""
    try:
        values = eccodes.codes_get_array(handle, table)
        return float(values[index - 1]) / (integer(handle, factor) or 1)
    except (eccodes.CodesInternalError, IndexError):
        return float(index)


def _valid(reference: tuple[int, int, int, int, int, int]) -> bool:
    year, month, day, hour, minute, second = reference
    return 0 < year < 10000 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60
