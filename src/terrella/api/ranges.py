"""Conditional and range requests on a file (RFC 9110, sections 13 and 14), decided from headers alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MOST_RANGES = 64
"""Of one request; more are answered with the whole file, as the standard advises against small scattered ranges."""
_RANGE = re.compile(r"(\d{0,19})-(\d{0,19})")


@dataclass(frozen=True, slots=True)
class Decision:
    """How to answer: 200, 206, 304, 412 or 416, and which (first, end) of the file, `end` excluded."""

    status: int
    ranges: tuple[tuple[int, int], ...] = ()


def decide(headers: Mapping[str, str], size: int, tag: str, modified: datetime) -> Decision:
    """From the request's headers, the size in bytes, the quoted strong ETag and the time of the last change."""
    if (status := _precondition(headers, tag, modified)) is not None:
        return Decision(status)
    asked = headers.get("range")
    if asked is None or not _range_holds(headers.get("if-range"), tag, modified):
        return Decision(200)
    wanted = _parsed(asked)
    if wanted is None:
        return Decision(200)
    found = _merged([one for first, last in wanted if (one := _within(first, last, size)) is not None])
    return Decision(206, tuple(found)) if found else Decision(416)


def _precondition(headers: Mapping[str, str], tag: str, modified: datetime) -> int | None:
    if (wanted := headers.get("if-match")) is not None:
        if not _has(wanted, tag, weakly=False):
            return 412
    elif (moment := _moment(headers.get("if-unmodified-since"))) is not None and modified.replace(
        microsecond=0
    ) > moment:
        return 412
    if (known := headers.get("if-none-match")) is not None:
        return 304 if _has(known, tag, weakly=True) else None
    since = _moment(headers.get("if-modified-since"))
    return 304 if since is not None and modified.replace(microsecond=0) <= since else None


def _has(listed: str, tag: str, *, weakly: bool) -> bool:
    tags = [one.strip() for one in listed.split(",")]
    return "*" in tags or tag in ([one.removeprefix("W/") for one in tags] if weakly else tags)


def _range_holds(condition: str | None, tag: str, modified: datetime) -> bool:
    """If-Range: a part is only of use to whoever has the other part of the same file."""
    if condition is None:
        return True
    if condition.strip().startswith(('"', "W/")):
        return condition.strip() == tag
    moment = _moment(condition)
    return moment is not None and moment == modified.replace(microsecond=0)


def _moment(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _parsed(text: str) -> list[tuple[int | None, int | None]] | None:
    """(first, last) of each range as written; None where it is no byte range, which is then passed over."""
    unit, sign, listed = text.partition("=")
    if unit.strip().lower() != "bytes" or not sign:
        return None
    parts = [part.strip() for part in listed.split(",") if part.strip()]
    if not 1 <= len(parts) <= MOST_RANGES:
        return None
    found = [_RANGE.fullmatch(part) for part in parts]
    if not all(one is not None and one[0] != "-" for one in found):
        return None
    made = [(_whole(one[1]), _whole(one[2])) for one in found if one is not None]
    return None if any(a is not None and b is not None and a > b for a, b in made) else made


def _whole(text: str) -> int | None:
    return int(text) if text else None


def _within(first: int | None, last: int | None, size: int) -> tuple[int, int] | None:
    """As (first, end) inside the file; None where nothing of it is."""
    if first is None:
        length = min(last or 0, size)
        return (size - length, size) if length else None
    if first >= size:
        return None
    return first, min(size, size if last is None else last + 1)


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping ones as one, so that nobody gets more bytes than the file has; others keep their order."""
    if not _overlap(ranges):
        return ranges
    made: list[tuple[int, int]] = []
    for first, end in sorted(ranges):
        if made and first <= made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], end))
        else:
            made.append((first, end))
    return made


def _overlap(ranges: list[tuple[int, int]]) -> bool:
    ordered = sorted(ranges)
    return any(a[1] > b[0] for a, b in pairwise(ordered))
