"""Keys of a Zarr v3 hierarchy with one group and its arrays."""

from __future__ import annotations

import re
from dataclasses import dataclass

from terrella.errors import NotFound

DOCUMENT = "zarr.json"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_STATED = re.compile(r"~([^~]{0,4000})~(?:/(.*))?", re.DOTALL)
_VERSION = re.compile(r"@([0-9A-Za-z._-]{1,64})(?:/(.*))?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Key:
    """What a key names: the group (no `array`), an array's document (no `chunk`), or a chunk.

    `version` is the only one of the data for which the answer may be given. `stated` are words for a view of images:
    'crs=EPSG:3035;resolution=20'.
    """

    array: str | None = None
    chunk: tuple[int, ...] | None = None
    version: str | None = None
    stated: str = ""


def parse_key(text: str) -> Key:
    """Raises NotFound for anything that is no key of the group, its arrays or their chunks."""
    version, stated = None, ""
    if said := _STATED.fullmatch(text):
        stated, text = said[1], said[2] or DOCUMENT
    if pinned := _VERSION.fullmatch(text):
        version, text = pinned[1], pinned[2] or DOCUMENT
    if text in {"", DOCUMENT}:
        return Key(version=version, stated=stated)
    array, _, rest = text.partition("/")
    if rest == DOCUMENT:
        return Key(array, None, version, stated)
    marker, *numbers = rest.split("/")
    if array and marker == "c" and len(numbers) <= 64 and all(_NUMBER.fullmatch(one) for one in numbers):
        return Key(array, tuple(map(int, numbers)), version, stated)
    raise NotFound(
        f"{text!r:.100} is no key here: there are zarr.json, {{array}}/zarr.json and chunks as {{array}}/c/0/0.",
        parameter="key",
    )
