"""Scanning a file: one pass over its bytes, from messages to parts."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import google_crc32c

from terrella.cubes.formats.grib.facts import FactsReader
from terrella.cubes.formats.grib.grid import Lattice, lattice
from terrella.cubes.formats.grib.keys import opened, text
from terrella.cubes.formats.grib.messages import MessageReader, fields
from terrella.cubes.formats.grib.parts import Row, parts
from terrella.cubes.formats.grib.source import decode
from terrella.errors import Unreadable, Unsupported
from terrella.model.scan import FileScan
from terrella.storage import files

if TYPE_CHECKING:
    from terrella.cubes.formats.grib.messages import Field

MEDIA_TYPES = {1: "application/x-grib", 2: "application/wmo-GRIB2"}


@dataclass
class _Reading:
    """What has been learnt so far of a file."""

    facts: FactsReader = field(default_factory=FactsReader)
    rows: list[Row] = field(default_factory=list)
    lattices: dict[bytes, Lattice | None] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    reasons: dict[bytes, str] = field(default_factory=dict)
    institution: str = ""


def scan(href: str) -> FileScan:
    """Describe a file. Raises NotFound; Unreadable for damaged or empty ones; Unsupported where nothing can be read."""
    state = files.state(href)
    digest = hashlib.sha256()
    reading = _Reading()
    with files.open_file(href) as file:
        reader = MessageReader(file, state.size, digest)
        count = 0
        for message in reader:
            count = message.number
            checksum = google_crc32c.value(message.data)
            for each in fields(message):
                _take(each, checksum, reading)
    if not count:
        raise Unreadable("It holds no GRIB message." if state.size else "It is empty.")
    if not reading.rows:
        raise Unsupported("; ".join(_refusals(reading)))
    made, notes = parts(reading.rows)
    skipped = [f"{reader.skipped} bytes outside of messages were passed over."] if reader.skipped else []
    return FileScan(
        href=href,
        format="grib",
        media_type=MEDIA_TYPES[max(row.facts.edition for row in reading.rows)],
        size=state.size,
        modified=state.modified,
        checksum="1220" + digest.hexdigest(),
        parts=made,
        attrs={"institution": reading.institution} if reading.institution else {},
        notes=(*_refusals(reading), *notes, *skipped),
    )


def _take(each: Field, checksum: int, reading: _Reading) -> None:
    found = _lattice(each, reading)
    if found is None:
        reading.refused[reading.reasons[each.grid]] += 1
        return
    if each.is_delicate:
        # Scanning runs where a crash costs one file, reading does not: let it crash here. What did not crash will not
        # do so later, because messages are read again only as long as their checksum is the same.
        decode(each.alone(), math.prod(found.shape))
    facts, reference, number = reading.facts.read(each)
    message = each.message
    place = (message.offset, len(message.data), each.part)
    reading.rows.append(Row(facts, reference, number, found, *place, each.values, checksum))


def _lattice(each: Field, reading: _Reading) -> Lattice | None:
    if each.grid not in reading.lattices:
        with opened(each) as handle:
            reading.institution = reading.institution or text(handle, "centreDescription")
            try:
                found = lattice(handle)
                # Sections may differ in bytes that do not matter: equal grids are one.
                same = [known for known in reading.lattices.values() if known == found]
                reading.lattices[each.grid] = same[0] if same else found
            except Unsupported as error:
                reading.lattices[each.grid], reading.reasons[each.grid] = None, error.message
    return reading.lattices[each.grid]


def _refusals(reading: _Reading) -> list[str]:
    return [f"{count} {'field' if count == 1 else 'fields'} left out: {why}" for why, count in reading.refused.items()]
