"""When a raster was taken: from its tags, else from its name. Conservative: what might not be a time is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_YEAR = r"(?P<y>(?:19|20)\d\d)"
_CLOCK = r"(?P<H>\d\d)[:-]?(?P<M>\d\d)(?:[:-]?(?P<S>\d\d)(?:\.\d+)?)?"
_IN_NAMES = tuple(
    re.compile(pattern)
    for pattern in (
        r"AST_L1[AB]_\d{3}(?P<m>\d\d)(?P<d>\d\d)(?P<y>\d{4})(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)(?!\d)",  # ASTER
        rf"(?<=_s){_YEAR}(?P<j>\d{{3}})(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)\d(?=_|$)",  # GOES, tenths of a second last
        rf"(?<![A-Za-z0-9])A{_YEAR}(?P<j>\d{{3}})(?:\.(?P<H>\d\d)(?P<M>\d\d)(?=\.))?(?!\d)",  # MODIS, VIIRS
        rf"(?<!\d){_YEAR}-(?P<m>\d\d)-(?P<d>\d\d)(?:[T_ ]{_CLOCK})?(?!\d)",
        rf"(?<!\d){_YEAR}(?P<m>\d\d)(?P<d>\d\d)T?{_CLOCK}(?!\d)",
        rf"(?<!\d){_YEAR}(?P<m>\d\d)(?P<d>\d\d)_(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)(?!\d)",
        rf"(?<!\d){_YEAR}(?P<m>\d\d)(?P<d>\d\d)(?!\d)",
    )
)
_STARTS = (
    "timecoveragestart",
    "timestart",
    "startdatetime",
    "datetime",
    "acquisitiondatetime",
    "acquisitiondate",
    "sensingtime",
    "sensingstart",
    "productstarttime",
    "observationtime",
)
_ENDS = ("timecoverageend", "timeend", "enddatetime", "sensingend", "productstoptime")
_DAY_AND_CLOCK = (
    ("rangebeginningdate", "rangebeginningtime", "rangeendingdate", "rangeendingtime"),
    ("dateacquired", "scenecentertime", "", ""),
)


@dataclass(frozen=True, slots=True)
class Taken:
    """When something was taken, UTC, and how that is known. Without an end it is an instant."""

    start: datetime
    end: datetime | None
    source: str


def taken(tags: Mapping[str, str], stem: str) -> Taken | None:
    """From tags (MARS keys, CF and product metadata), else from the name of the file, else from TIFF's DateTime."""
    plain = {_plain(key): value for key, value in tags.items()}
    found = _of_mars(tags) or _of_span(plain) or _of_day_and_clock(plain)
    if found:
        return found
    named = time_in_name(stem)
    if named:
        return Taken(named, None, "file name")
    written = parse_time(tags.get("TIFFTAG_DATETIME", ""))
    return Taken(written, None, "TIFF DateTime tag, which may be when the file was written") if written else None


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.rsplit("#", 1)[-1].casefold())


def _of_mars(tags: Mapping[str, str]) -> Taken | None:
    """`date`, `time` and `step` as MARS writes them: 20400102, 0 or 1200, hours."""
    if not re.fullmatch(r"\d{8}", tags.get("date", "")) or "class" not in tags:
        return None
    clock = tags.get("time", "0").replace(":", "").rjust(4, "0")[:4]
    start = parse_time(f"{tags['date']}T{clock}00" if clock.isdigit() else "")
    step = tags.get("step", "0")
    return Taken(start + timedelta(hours=int(step)), None, "MARS keys") if start and step.isdigit() else None


def _of_span(plain: Mapping[str, str]) -> Taken | None:
    start = next((at for key in _STARTS if (at := parse_time(plain.get(key, "")))), None)
    end = next((at for key in _ENDS if (at := parse_time(plain.get(key, "")))), None)
    return Taken(start, end if end and end >= start else None, "metadata") if start else None


def _of_day_and_clock(plain: Mapping[str, str]) -> Taken | None:
    for first_day, first_clock, last_day, last_clock in _DAY_AND_CLOCK:
        start = _joined(plain.get(first_day, ""), plain.get(first_clock, ""))
        if start:
            return Taken(start, _joined(plain.get(last_day, ""), plain.get(last_clock, "")), "metadata")
    return None


def _joined(day: str, clock: str) -> datetime | None:
    clock = clock.strip().rstrip("Zz")[:15]
    return parse_time(f"{day}T{clock}" if clock else day) or parse_time(day)


def parse_time(text: str) -> datetime | None:
    """ISO 8601, `2012:03:18 14:42:28` as TIFF writes it, or `201203181442`; without a zone it is UTC."""
    text = text.strip().strip('"')
    if re.fullmatch(r"\d{12}(\d{2})?", text):
        text = f"{text[:8]}T{text[8:]}"
    if re.match(r"\d{4}:\d\d:\d\d", text):
        text = text[:10].replace(":", "-") + text[10:]
    if not re.match(r"\d{4}-?\d\d-?\d\d", text):
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def time_in_name(stem: str) -> datetime | None:
    """The first of the usual ways to write a time in the name of a file, UTC."""
    for pattern in _IN_NAMES:
        for match in pattern.finditer(stem):
            if found := _assembled(match.groupdict()):
                return found
    return None


def _assembled(parts: Mapping[str, str | None]) -> datetime | None:
    number = {key: int(value) for key, value in parts.items() if value}
    try:
        if "j" in number:
            day = datetime(number["y"], 1, 1, tzinfo=UTC) + timedelta(days=number["j"] - 1)
            if not 1 <= number["j"] <= 366 or day.year != number["y"]:
                return None
        else:
            day = datetime(number["y"], number["m"], number["d"], tzinfo=UTC)
        return day.replace(hour=number.get("H", 0), minute=number.get("M", 0), second=number.get("S", 0))
    except ValueError:
        return None
