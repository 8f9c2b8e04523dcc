"""A request of the data stores in MARS words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid, TooLarge, nearest_names
from terrella.extraction.cds.offers import LEVELS, Offer, check, chosen, dates_of, picks_of
from terrella.extraction.mars.asking import MADE, WHAT, WHERE
from terrella.extraction.mars.values import MOST_VALUES, Listed, parse_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from terrella.model.stac import Document

_OWN = frozenset({"variable", "product_type", "pressure_level", "model_level", "level", "leadtime_hour"})
_FILES = frozenset({"format", "data_format", "download_format"})
_FORMATS = {"grib": "grib", "grib1": "grib", "grib2": "grib", "nc": "netcdf", "netcdf_legacy": "netcdf"}
_FORMATS |= {"netcdf": "netcdf", "netcdf4": "netcdf"}
_SPELLED = {"leadtime_hour": "step"} | dict.fromkeys(LEVELS, "levelist")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in MARS words, and whether its answer comes in a zip file even where it is one file."""

    words: dict[str, Any]
    is_zipped: bool


def asked(document: Document, known: Sequence[Offer], given: Mapping[str, Any]) -> Asked:
    """What a request of a collection means; `known` is what the collection offers.

    Raises Invalid for what is not there, with what is; TooLarge.
    """
    if not known:
        raise Invalid(f"{document['id']!r:.80} has no variables to cut out: take its files as they are.")
    request = {str(key).strip().lower(): value for key, value in given.items()}
    check_keys(document, request)
    mine, words = _chosen(known, request)
    picks = picks_of(mine, {key: value for key, value in request.items() if key not in _FILES})
    check(mine, picks)
    for key, value in request.items():
        if key == "date":
            words[key] = _dates(value)
        elif key not in _FILES | {"variable", "product_type", "param"}:
            words[_SPELLED.get(key, key)] = value
    words["format"] = _format(document, request)
    return Asked(words, _is_zipped(request))


def check_keys(document: Document, request: Mapping[str, Any]) -> None:
    """Raises Invalid, with the nearest names, for a key that no request of this collection has."""
    known = _OWN | _FILES | WHAT | WHERE | MADE | document.get("cube:dimensions", {}).keys()
    for key in request:
        if key not in known:
            raise Invalid(f"There is no key {key!r:.60}. {nearest_names(key[:60], known)}", parameter=key[:60])


def _chosen(known: Sequence[Offer], request: Mapping[str, Any]) -> tuple[list[Offer], dict[str, Any]]:
    """The variables that are meant, and words that say just these."""
    if "variable" in request and "param" in request:
        raise Invalid("Say either variable or param.", parameter="param")
    names = parse_values("variable", request.get("variable", request.get("param", "all")))
    mine = chosen(known, names.values) if isinstance(names, Listed) else list(known)
    if "product_type" in request:
        picks = picks_of(mine, {"product_type": request["product_type"]})
        check(mine, picks)
        mine = [one for one in mine if one.fits(picks)]
    if len(mine) == len(known) and not isinstance(names, Listed):
        return mine, {}
    said = {
        key: frozenset.union(*(one.mars.get(key, frozenset()) for one in mine)) for key in ("class", "stream", "type")
    }
    # variables that share a name differ in these words
    words: dict[str, Any] = {key: sorted(v) for key, v in said.items() if v and all(key in one.mars for one in mine)}
    words = {key: value for key, value in words.items() if key not in request}
    return mine, words | {"param": [one.variable for one in mine]}


def _dates(value: Any) -> Any:
    """As MARS takes them: a range, or a list of days."""
    found = dates_of(value)
    if len(found) == 1 and "/" in found[0]:
        return found[0].replace("/", "/to/")
    days: list[str] = []
    for text in found:
        first, _, last = text.partition("/")
        start = date.fromisoformat(first)
        count = (date.fromisoformat(last or first) - start).days + 1
        if count + len(days) > MOST_VALUES:
            raise TooLarge(f"date: at most {MOST_VALUES:,} days are taken.", parameter="date")
        days += [(start + timedelta(days=ahead)).isoformat() for ahead in range(count)]
    return days


def is_grib(document: Document) -> bool:
    """Whether the cube of a collection lies in GRIB files."""
    return any("grib:gridType" in about for about in document.get("cube:variables", {}).values())


def _format(document: Document, request: Mapping[str, Any]) -> str:
    """Either grib or netcdf; by default what the data are stored in. Raises Invalid."""
    usual = "grib" if is_grib(document) else "netcdf"
    said = _one("data_format", request.get("data_format", request.get("format", usual)))
    if said == "zip":  # of the old stores, where the format was that of the download
        return usual
    if said not in _FORMATS:
        raise Invalid(f"There is no format {said!r:.40}. There are: grib, netcdf.", parameter="data_format")
    if _FORMATS[said] == "grib" and usual != "grib":
        raise Invalid("These data are not stored as GRIB: ask for data_format netcdf.", parameter="data_format")
    return _FORMATS[said]


def _is_zipped(request: Mapping[str, Any]) -> bool:
    said = _one("download_format", request.get("download_format", "unarchived"))
    if said not in ("zip", "unarchived"):
        raise Invalid(
            f"There is no download_format {said!r:.40}. There are: unarchived, zip.", parameter="download_format"
        )
    return said == "zip" or _one("format", request.get("format", "")) == "zip"


def _one(key: str, value: Any) -> str:
    """One word; a list of one is it too. Raises Invalid."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        raise Invalid(f"{key} is one word, not {value!r:.40}.", parameter=key)
    return value.strip().lower()
