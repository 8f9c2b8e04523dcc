"""The answer of a retrieval as bytes: messages as they are stored, NetCDF, or CoverageJSON of a feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terrella.contracts.encodings import write_answer
from terrella.contracts.loading import load
from terrella.errors import NotFound, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from terrella.contracts.encodings import Encoding
    from terrella.model.caller import Caller
    from terrella.model.extraction import Extracted
    from terrella.site.mars.retrieving import Retrieval
    from terrella.site.site import Site

COVJSON, GRIB, NETCDF = "covjson", "grib", "netcdf"


def retrieved(site: Site, caller: Caller, retrieval: Retrieval) -> bytes:
    """The answer. Raises TooLarge before reading, NotFound where no cell lies in the feature."""
    if retrieval.format == NETCDF:
        encoding, answer = _netcdf(site, caller, retrieval, lambda _: None)
        return encoding.encode(answer)
    return b"".join(_blocks(site, caller, retrieval, lambda _: None))


def write(site: Site, caller: Caller, retrieval: Retrieval, path: Path, tell: Callable[[float], None]) -> None:
    """The answer to a new file, without holding all of it; `tell` hears which part is done. Raises as `retrieved`."""
    if retrieval.format == NETCDF:
        write_answer(*_netcdf(site, caller, retrieval, tell), path)
        return
    with path.open("xb") as file:
        for block in _blocks(site, caller, retrieval, tell):
            file.write(block)


def _blocks(site: Site, caller: Caller, retrieval: Retrieval, tell: Callable[[float], None]) -> Iterator[bytes]:
    if retrieval.format == GRIB:
        yield from _messages(site, caller, retrieval, tell)
        return
    from terrella.site.mars.answers import joined, told_apart
    from terrella.site.mars.coverages import coverage_collection

    assert retrieval.feature is not None
    count, cuts = len(retrieval.extractions), []
    for index, one in enumerate(retrieval.extractions):
        cuts.append(site.cut(one, caller=caller, tell=_part(tell, index, count)).dataset)
    yield coverage_collection(joined([told_apart(one, retrieval.feature.middle) for one in cuts]), retrieval.feature)


def _messages(site: Site, caller: Caller, retrieval: Retrieval, tell: Callable[[float], None]) -> Iterator[bytes]:
    """All plans are made before the first message: what is too large is refused before anything is written."""
    found = [(site.messages(one, caller=caller), site.estimate(one, caller=caller)) for one in retrieval.extractions]
    whole, done = sum(plan.bytes_read for _, plan in found) or 1, 0
    for messages, _ in found:
        for message in messages:
            done += len(message)
            yield message
            tell(min(1.0, done / whole))
    if not done:
        raise no_field()


def no_field() -> NotFound:
    """Each value that is asked for is there, but no field has them all."""
    return NotFound("No field has all that is asked for together: ask for fewer keys, or for other values of one.")


def _part(tell: Callable[[float], None], index: int, count: int) -> Callable[[float], None]:
    return lambda part: tell((index + part) / count)


def _netcdf(
    site: Site, caller: Caller, retrieval: Retrieval, tell: Callable[[float], None]
) -> tuple[Encoding, Extracted]:
    if len(retrieval.extractions) > 1:
        raise Unsupported("These parameters do not fit into one NetCDF file: ask for one after the other.")
    answer = site.cut(retrieval.extractions[0], caller=caller, tell=tell)
    if 0 in answer.dataset.sizes.values():
        raise NotFound("No cell lies in there: take a larger shape, or a position for the nearest cell.")
    encoding: Encoding = load("encodings", NETCDF)()
    if reason := encoding.accepts(answer):
        raise Unsupported(f"NetCDF cannot hold this answer: {reason}")
    return encoding, answer
