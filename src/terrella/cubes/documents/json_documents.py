"""JSON of strangers: which kind of document a file is, and reading it without falling over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson

from terrella.errors import NotFound, Unreadable
from terrella.storage.files import is_remote, open_file, read_range, read_whole, state

MOST_BYTES = 1 << 30
_MOST_LINE = 64 << 20
_LOOKED_AT = 256 << 10
_ENDINGS = (".json", ".geojson", ".ndjson", ".jsonl", ".geojsonl", ".topojson", ".covjson")

Kind = Literal["stac", "features", "coverage", "zarr", "other"]

_STAC = re.compile(rb'"stac_version"\s*:|"stac_extensions"\s*:|"type"\s*:\s*"Catalog"')
_COVERAGE = re.compile(rb'"type"\s*:\s*"Coverage(?:Collection)?"')
_FEATURES = re.compile(rb'"type"\s*:\s*"(?:FeatureCollection|Feature)"')
_ZARR = re.compile(rb'"zarr_format"\s*:|"zarr_consolidated_format"\s*:')
_ITEM = re.compile(rb'"assets"\s*:\s*\{')


def suffix(href: str) -> str:
    """Lower-case ending of a path or address, query left out."""
    return PurePosixPath(urlsplit(href).path if is_remote(href) else href).suffix.casefold()


def is_lines(href: str) -> bool:
    return suffix(href) in {".ndjson", ".jsonl", ".geojsonl"}


def kind_of(href: str, head: bytes) -> Kind | None:
    """Which JSON a file probably holds, by its name and its first 256 KiB; None when it is not called JSON."""
    if not head or suffix(href) not in _ENDINGS or head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
        return None
    start = _start(href, head)
    # the first sign counts: whatever a document nests comes after what it is itself
    found = [(match.start(), kind) for kind, match in _signs(start) if match]
    return min(found)[1] if found else "other"


def _start(href: str, head: bytes) -> bytes:
    if len(head) < 1024:
        return head
    try:
        return read_range(href, 0, min(_LOOKED_AT, state(href).size))
    except (NotFound, Unreadable):
        return head


def _signs(start: bytes) -> list[tuple[Kind, re.Match[bytes] | None]]:
    stac = _STAC.search(start)
    features = _FEATURES.search(start)
    if features and (stac or _ITEM.search(start)):
        return [("stac", features)]
    return [
        ("stac", stac),
        ("coverage", _COVERAGE.search(start)),
        ("features", features),
        ("zarr", _ZARR.search(start)),
    ]


def parse_json(data: bytes) -> Any:
    """Python objects. Raises Unreadable for broken JSON and for what is nested too deeply."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        reason = str(error)
    if b"NaN" not in data and b"Infinity" not in data:
        raise Unreadable(f"Its JSON is broken: {_short(reason)}.")
    try:
        return json.loads(data)  # takes NaN, which many write though JSON has none
    except RecursionError:
        raise Unreadable("Its JSON is nested too deeply.") from None
    except ValueError as error:
        raise Unreadable(f"Its JSON is broken: {_short(str(error))}.") from error


def _short(reason: str) -> str:
    return reason.replace("\n", " ").rstrip(".")[:160]


def read_json(href: str, *, most: int = MOST_BYTES) -> Any:
    return parse_json(read_whole(href, most=most))


def read_json_lines(href: str) -> Iterator[Any]:
    """One value a line; empty lines are passed over. Raises Unreadable with the number of the broken line."""
    with open_file(href) as file:
        number = 0
        while line := file.readline(_MOST_LINE + 1):
            number += 1
            if len(line) > _MOST_LINE:
                raise Unreadable(f"Line {number} is longer than {_MOST_LINE:,} bytes.")
            if line.strip(b" \t\r\n\x1e"):
                try:
                    yield parse_json(line.lstrip(b"\x1e"))
                except Unreadable as error:
                    raise Unreadable(f"Line {number}: {error.message}") from None
