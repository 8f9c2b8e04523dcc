"""Bytes over HTTP: strong tags, one range, and nothing sent that the client has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi.responses import Response
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from fastapi import Request

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Body:
    """What is there at an address; `bytes_read` stored bytes were touched for it just now."""

    content: bytes
    media_type: str
    bytes_read: int = 0


def is_known(request: Request, tag: str) -> bool:
    """Whether the client says that it has this very body."""
    given = request.headers.get("if-none-match", "")
    return tag in {one.strip().removeprefix("W/") for one in given.split(",")}


def headers(tag: str, keep: str) -> dict[str, str]:
    """Of every answer, also those without a body."""
    return {"ETag": tag, "Cache-Control": keep, "Accept-Ranges": "bytes"}


def answer(request: Request, body: Body, tag: str, keep: str) -> Response:
    """200, or 206 for a range. Raises HTTPException 416 for a range outside."""
    said = headers(tag, keep) | {"Terrella-Bytes-Read": str(body.bytes_read)}
    size = len(body.content)
    wanted = _wanted(request, tag, size)
    if wanted is None:
        return Response(body.content, media_type=body.media_type, headers=said)
    if wanted.start >= min(wanted.stop, size):
        raise HTTPException(
            416, f"The range lies outside of the {size} bytes that are here.", {"Content-Range": f"bytes */{size}"}
        )
    said["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    return Response(body.content[wanted.start : wanted.stop], 206, headers=said, media_type=body.media_type)


def _wanted(request: Request, tag: str, size: int) -> range | None:
    """The range asked for; None for all: also for several ranges, and where If-Range names other bytes (RFC 9110)."""
    condition = request.headers.get("if-range")
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if found is None or (condition is not None and condition.strip() != tag):
        return None
    first, last = found.groups()
    if not first:
        return range(max(0, size - int(last)), size) if last else None
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1) if last else size)
