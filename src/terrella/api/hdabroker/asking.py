"""Queries of the broker: which words mean files of a dataset, and which mean a part of its cube."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from terrella.errors import Invalid, nearest_names
from terrella.model.search import Search
from terrella.model.space import Extent
from terrella.model.time import parse_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terrella.model.stac import Document

MOST = 1000
"""Results on one page."""
_PAGING = ("dataset_id", "startIndex", "itemsPerPage")
_STARTS = ("startdate", "start", "dtstart", "startDate", "min_date", "start_datetime", "date_start")
_ENDS = ("enddate", "end", "dtend", "completionDate", "max_date", "end_datetime", "date_end")
_IDS = ("productIdentifier", "product_id", "id", "name")
_CLOUDS = ("cloudCover", "cloudcover", "cloud_cover")
FILES = ("bbox", *_STARTS, *_ENDS, *_IDS, *_CLOUDS)
"""Words by which files are found; of a cube they are cut to."""
_CUT = "cut."


@dataclass(frozen=True, slots=True)
class Query:
    """`words` without the dataset and the page."""

    dataset: str
    words: dict[str, Any]
    start: int
    count: int


def query_of(given: Mapping[str, Any]) -> Query:
    """Raises Invalid."""
    dataset = given.get("dataset_id")
    if not isinstance(dataset, str) or not dataset:
        raise Invalid("Say which dataset: dataset_id.", parameter="dataset_id")
    start, count = whole(given, "startIndex", 0, 0), whole(given, "itemsPerPage", 100, 1)
    words = {key: value for key, value in given.items() if key not in _PAGING and value not in (None, "", [])}
    return Query(dataset, words, start, min(count, MOST))


def whole(given: Mapping[str, Any], name: str, usual: int, least: int) -> int:
    """A whole number of the request. Raises Invalid."""
    value = given.get(name, usual)
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = least - 1
    if isinstance(value, bool) or not least <= number < 1 << 53:
        raise Invalid(f"{name} is a whole number from {least}, not {value!r:.40}.", parameter=name)
    return number


def search_of(query: Query, properties: Mapping[str, Any]) -> Search:
    """Files that a query means; `properties` are those that items may be filtered by. Raises Invalid."""
    words = query.words
    interval = _interval(words)
    conditions: list[Document] = []
    for key, value in words.items():
        if key in FILES and key not in _CLOUDS:
            continue
        conditions.append(_condition(key, value, properties))
    names = [str(one) for key in _IDS if key in words for one in _listed(words[key])]
    condition = {"op": "and", "args": conditions} if len(conditions) > 1 else conditions[0] if conditions else None
    return Search(
        collections=(query.dataset,),
        ids=tuple(names),
        bbox=Extent.of(*box) if (box := box_of(words)) else None,
        interval=parse_interval(interval, parameter="startdate") if interval else None,
        filter=condition,
        limit=query.count,
    )


def _condition(key: str, value: Any, properties: Mapping[str, Any]) -> Document:
    """Of a property that items have, by its name with or without its prefix."""
    if key in _CLOUDS:
        return {"op": "<=", "args": [{"property": "eo:cloud_cover"}, _number(key, value)]}
    named = {name.rpartition(":")[2]: name for name in properties} | {name: name for name in properties}
    if key not in named:
        known = {*FILES, *named}
        raise Invalid(f"There is no {key!r:.60} in queries here. {nearest_names(key[:60], known)}", parameter=key[:60])
    found = _listed(value)
    if not all(isinstance(one, str | int | float) for one in found):
        raise Invalid(f"{key} is a text, a number, or a list of them.", parameter=key)
    member: Document = {"property": named[key]}
    return {"op": "in", "args": [member, found]} if len(found) > 1 else {"op": "=", "args": [member, found[0]]}


def _number(key: str, value: Any) -> float:
    try:
        return float(str(value).split(",")[-1].strip("[] "))
    except ValueError:
        raise Invalid(f"{key} is a number, the most that is wanted, not {value!r:.40}.", parameter=key) from None


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def box_of(words: Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    """West, south, east, north in degrees. Raises Invalid."""
    value = words.get("bbox")
    if value is None:
        return None
    try:
        west, south, east, north = (float(one) for one in (value.split(",") if isinstance(value, str) else value))
    except (TypeError, ValueError):
        raise Invalid(f"bbox is [west, south, east, north] in degrees, not {value!r:.60}.", parameter="bbox") from None
    return west, south, east, north


def _interval(words: Mapping[str, Any]) -> str:
    """FIRST/LAST, open where one is not said; '' where neither is."""
    first, last = (next((str(words[key]) for key in keys if key in words), "") for keys in (_STARTS, _ENDS))
    return f"{first or '..'}/{last or '..'}" if first or last else ""


def cut_words(query: Query) -> dict[str, Any]:
    """A query of a cube in the words of the data stores: box and dates spelled their way."""
    words = {key: value for key, value in query.words.items() if key not in FILES}
    if box := box_of(query.words):
        west, south, east, north = box
        words.setdefault("area", [north, west, south, east])
    interval = _interval(query.words)
    if interval:
        first, last = interval.split("/")
        if ".." in (first, last):
            raise Invalid("Say both startdate and enddate.", parameter="startdate")
        words.setdefault("date", f"{first[:10]}/{last[:10]}")
    return words


def cut_location(words: Mapping[str, Any]) -> str:
    """Where a part of a cube 'lies': the request itself."""
    text = base64.urlsafe_b64encode(orjson.dumps(words, option=orjson.OPT_SORT_KEYS)).decode()
    return _CUT + text.rstrip("=")


def words_at(location: str) -> dict[str, Any] | None:
    """The request again; None for the location of a file. Raises Invalid."""
    if not location.startswith(_CUT):
        return None
    text = location.removeprefix(_CUT)
    try:
        found = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        found = None
    if not isinstance(found, dict):
        raise Invalid("This location is none of this site: take it from a search.", parameter="location")
    return found


def cut_name(dataset: str, words: Mapping[str, Any]) -> str:
    """The same request has the same name."""
    digest = hashlib.sha256(orjson.dumps([dataset, words], option=orjson.OPT_SORT_KEYS)).hexdigest()
    return f"{dataset}-{digest[:12]}"
