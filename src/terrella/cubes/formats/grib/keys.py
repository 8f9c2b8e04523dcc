"""Reading keys of a field through ecCodes, whose every error becomes one of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyproj  # noqa: F401 -- before ecCodes: libproj clash

# isort: split
import eccodes

if TYPE_CHECKING:
    from terrella.cubes.formats.grib.messages import Field
    from terrella.errors import Unreadable


class opened:  # noqa: N801 -- reads as a verb
    """An ecCodes handle of a field, released at the end; its errors become Unreadable."""

    def __init__(self, each: Field) -> None:
        self._field = each
        self._handle: int | None = None

    def __enter__(self) -> int:
        try:
            self._handle = eccodes.codes_new_from_message(self._field.alone())
        except eccodes.CodesInternalError as error:
            raise self._broken(error) from error
        return self._handle

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._handle is not None:
            eccodes.codes_release(self._handle)
        if isinstance(error, eccodes.CodesInternalError):
            raise self._broken(error) from error

    def _broken(self, error: Exception) -> Unreadable:
        return self._field.message.damaged(f"cannot be decoded: {error}")


def text(handle: int, key: str) -> str:
    """A key as text, '' where the message has none."""
    try:
        found = str(eccodes.codes_get_string(handle, key))
    except eccodes.CodesInternalError:
        return ""
    return "" if found in {"unknown", "MISSING", "not_found"} else found


def integer(handle: int, key: str) -> int | None:
    """A key as a whole number, None where the message has none."""
    try:
        found = int(eccodes.codes_get_long(handle, key))
    except eccodes.CodesInternalError:
        return None
    return None if found == eccodes.CODES_MISSING_LONG else found


def number(handle: int, key: str) -> float | None:
    """A key as a number, None where the message has none."""
    try:
        found = float(eccodes.codes_get_double(handle, key))
    except eccodes.CodesInternalError:
        return None
    return None if found in {eccodes.CODES_MISSING_DOUBLE, float(eccodes.CODES_MISSING_LONG)} else found
