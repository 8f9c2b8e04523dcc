"""A retrieval in MARS words: understood, priced, answered as bytes. Every dialect of MARS words comes here."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from terrella.errors import Invalid, NotFound, Unsupported, nearest_names
from terrella.extraction.mars import today
from terrella.model.extraction import Box, Everything, Plan
from terrella.model.job import Output
from terrella.model.space import Extent
from terrella.model.spending import Amounts
from terrella.site.mars.asking import asked_documents, mars_extractions, parse_for
from terrella.site.mars.features import Feature, parse_feature
from terrella.site.mars.writing import COVJSON, GRIB, NETCDF, no_field, write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from terrella.contracts.jobs import Work
    from terrella.extraction.mars import MarsRequest
    from terrella.model.caller import Caller
    from terrella.model.extraction import Extraction, Shape
    from terrella.model.stac import Document
    from terrella.site.site import Site

_FORMATS = {
    COVJSON: ("application/prs.coverage+json", ".covjson"),
    GRIB: ("application/x-grib", ".grib"),
    NETCDF: ("application/x-netcdf", ".nc"),
}
_ALIASES = {
    "application/prs.coverage+json": COVJSON,
    "coveragejson": COVJSON,
    "grib2": GRIB,
    "grib1": GRIB,
    "nc": NETCDF,
}
Zipped = Literal["never", "several", "always"]
"""When an answer comes as a zip file."""
_MOST_TOGETHER = 50
"""Collections that one request may span."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Understood: what to cut, and what to make of it."""

    extractions: tuple[Extraction, ...]
    feature: Feature | None
    format: str

    @property
    def media_type(self) -> str:
        return _FORMATS[self.format][0]

    @property
    def suffix(self) -> str:
        return _FORMATS[self.format][1]


def understood(
    site: Site, caller: Caller, given: Mapping[str, Any], collection: str | None = None, *, base: date | None = None
) -> Retrieval:
    """What a request means: no data are read. `base` is the day that relative dates count from (today, in UTC).

    Raises Invalid with what is wrong and what there is, NotFound for the collection, Unsupported.
    """
    feature = parse_feature(given["feature"]) if given.get("feature") is not None else None
    documents = asked_documents(site, caller, collection)
    words = dict(given) | _added(given, feature)
    request = parse_for(words, documents)
    wanted_format = _format(request, feature)
    _check_made(request)
    shape, longitudes = _shape(request, feature)
    found = mars_extractions(site, caller, request, documents, shape, base=base or today(), longitudes=longitudes)
    if len(found) > _MOST_TOGETHER:
        raise Invalid(
            f"{len(found)} collections have such data: say more of class, stream, type, levtype or param.",
            parameter="param",
        )
    return Retrieval(tuple(found), feature, wanted_format)


def priced(site: Site, caller: Caller, retrieval: Retrieval) -> Plan:
    """What it would read and answer, all parts together."""
    plans = [site.estimate(one, caller=caller) for one in retrieval.extractions]
    return reduce(_together, plans)


def checked(site: Site, caller: Caller, retrieval: Retrieval) -> Plan:
    """The price of what will be answered.

    Raises TooLarge with a smaller request, QuotaExceeded with what is left, NotFound where there is no cell.
    """
    plans = [site.estimate(one, caller=caller) for one in retrieval.extractions]
    for plan, one in zip(plans, retrieval.extractions, strict=True):
        if not plan.cells:
            raise NotFound("No cell lies in that shape: take a larger one, or a position for the nearest cell.")
        site.job_extractor.check(caller, one, plan)
        if retrieval.format == GRIB:
            _check_stored_as_grib(site, caller, one)
    whole = reduce(_together, plans)
    if retrieval.format == GRIB and not whole.bytes_read:
        raise no_field()
    collections = {one.collection for one in retrieval.extractions}
    wanted = Amounts(bytes_read=whole.bytes_read, compute_seconds=whole.seconds, storage=whole.bytes_out)
    site.ledger.check(caller, wanted, collections.pop() if len(collections) == 1 else "")
    return whole


def _check_stored_as_grib(site: Site, caller: Caller, extraction: Extraction) -> None:
    index, _ = site.catalog.open(caller, extraction.collection)
    pieces = (piece for one in index.variables if one.name in extraction.variables for piece in one.pieces)
    if any(piece.format != "grib" for piece in pieces):
        raise Unsupported("These data are not stored as GRIB: ask for netcdf.", parameter="format")


def inputs_of(given: Mapping[str, Any], collection: str | None, *, zipped: Zipped = "never") -> Document:
    """Inputs of a `retrieve` job; today is kept, so that relative dates mean the same when it runs.

    `zipped` says when the answer is a zip file: if it is several files (NetCDF of parameters that differ in their
    axes), or always.
    """
    inputs = {"request": dict(given), "collection": collection, "base": today().isoformat()}
    return inputs if zipped == "never" else inputs | {"zipped": zipped}


def retrieve(site: Site, work: Work) -> tuple[Output, ...]:
    """The task: answer a request in MARS words with one file."""
    inputs = work.inputs
    base = date.fromisoformat(inputs["base"])
    work.progress(0.02, "Planning.")
    retrieval = understood(site, work.caller, inputs["request"], inputs["collection"], base=base)
    work.progress(0.05, "Reading.")
    stem, zipped = inputs["collection"] or "data", inputs.get("zipped", "never")
    parts = _apart(retrieval) if zipped != "never" else [retrieval]
    if zipped == "always" or len(parts) > 1:
        return (_zip(site, work, parts, stem),)
    name = f"{stem}{retrieval.suffix}"
    write(site, work.caller, retrieval, work.folder / name, _telling(work, 0.05, 0.9, "Reading."))
    return (Output(name, retrieval.media_type, 0, ""),)


def _apart(retrieval: Retrieval) -> list[Retrieval]:
    """Retrievals that each fit into one file."""
    if retrieval.format != NETCDF:
        return [retrieval]
    return [replace(retrieval, extractions=(one,)) for one in retrieval.extractions]


def _zip(site: Site, work: Work, parts: list[Retrieval], stem: str) -> Output:
    """One file each, called by its variables where there are several. The same data make the same bytes."""
    name = f"{stem}.zip"
    with ZipFile(work.folder / name, "w", ZIP_STORED) as archive:
        for index, part in enumerate(parts):
            said = f"Reading part {index + 1} of {len(parts)}."
            tell = _telling(work, 0.05 + 0.9 * index / len(parts), 0.05 + 0.9 * (index + 1) / len(parts), said)
            tell(0.0)
            variables = "-".join(part.extractions[0].variables)[:80]
            inner = f"{stem}-{index + 1}-{variables}" if len(parts) > 1 else stem
            draft = work.folder / "part"
            write(site, work.caller, part, draft, tell)
            _put(archive, f"{inner}{part.suffix}", draft)
            draft.unlink()
    return Output(name, "application/zip", 0, "")


def _put(archive: ZipFile, name: str, file: Path) -> None:
    about = ZipInfo(name)  # of 1980: the same data make the same bytes
    about.file_size = file.stat().st_size
    with archive.open(about, "w") as out, file.open("rb") as data:
        shutil.copyfileobj(data, out, 1 << 20)


def _telling(work: Work, first: float, last: float, said: str) -> Callable[[float], None]:
    """A part of the whole work, as its progress."""
    return lambda part: work.progress(round(first + (last - first) * part, 4), said)


def _added(given: Mapping[str, Any], feature: Feature | None) -> dict[str, Any]:
    """Keys that the feature says. Raises Invalid for an axis said twice, or not at all."""
    if feature is None:
        return {}
    keys = {str(key).strip().lower() for key in given}
    for key in feature.words:
        if key in keys and feature.needs == key:
            raise Invalid(f"{key} is said twice: in the request, and in the range of the feature.", parameter=key)
    if feature.needs in ("step", "levelist") and feature.needs not in keys | set(feature.words):
        raise Invalid(
            f"A {feature.type} needs its {feature.needs}: in the request, or as the range of the feature.",
            parameter=feature.needs,
        )
    # a range of months or years says nothing that a list of them would not
    return {key: value for key, value in feature.words.items() if key not in keys}


def _format(request: MarsRequest, feature: Feature | None) -> str:
    said = str(request.made.get("format", COVJSON if feature else GRIB)).strip().lower()
    name = _ALIASES.get(said, said)
    if name not in _FORMATS:
        raise Invalid(f"There is no format {said!r:.40}. {nearest_names(name, _FORMATS)}", parameter="format")
    if name == COVJSON and feature is None:
        raise Invalid("covjson answers a feature: add one, or ask for grib or netcdf.", parameter="format")
    if name == GRIB and feature is not None:
        raise Invalid("A feature is answered as covjson or netcdf: GRIB holds whole fields.", parameter="format")
    return name


def _check_made(request: MarsRequest) -> None:
    if "grid" in request.made:
        raise Unsupported("Fields are given on their own grid: leave grid out.", parameter="grid")
    for key in ("interpolation", "resol", "accuracy"):
        if key in request.made and str(request.made[key]).lower() not in ("av", "off", "nearest"):
            raise Unsupported(f"Values are given as they are stored: leave {key} out.", parameter=key)


def _shape(request: MarsRequest, feature: Feature | None) -> tuple[Shape, tuple[float, float]]:
    """Where, and the range of longitudes that it was asked in."""
    if feature is not None:
        return feature.shape, (-180.0, 180.0)
    area = request.made.get("area")
    if area is None:
        return Everything(), (-180.0, 180.0)
    north, west, south, east = _area(area)
    return Box(Extent.of(west, south, east, north, parameter="area")), (0.0, 360.0) if east > 180 else (-180.0, 180.0)


def _area(given: Any) -> tuple[float, float, float, float]:
    """North, west, south, east. Raises Invalid."""
    parts = given if isinstance(given, list | tuple) else str(given).split("/")
    try:
        north, west, south, east = (float(part) for part in parts)
    except (TypeError, ValueError):
        raise Invalid(f"area is north/west/south/east in degrees, not {given!r:.60}.", parameter="area") from None
    return north, west, south, east


def _together(one: Plan, other: Plan) -> Plan:
    return Plan(
        one.cells + other.cells,
        one.values + other.values,
        one.chunks + other.chunks,
        one.bytes_read + other.bytes_read,
        one.bytes_out + other.bytes_out,
        max(one.memory, other.memory),
        one.seconds + other.seconds,
    )
