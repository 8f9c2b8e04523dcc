"""The handler: parse, one call, encode."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import orjson
from fastapi import Request
from fastapi.responses import Response

from terrella.api.caller import caller_of
from terrella.api.discover.asking import discovering
from terrella.api.discover.documents import document

if TYPE_CHECKING:
    from terrella.site.site import Site


class Discover:
    """The handler over one site. It runs in threads: it reads the catalogue."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def discover(self, request: Request) -> Response:
        """Collections that match, one page, with what else there is."""
        asked = discovering(request.query_params.multi_items())
        found = self._site.discovery.discover(caller_of(request), asked)
        made = document(found, str(request.base_url).rstrip("/"))
        tag = f'"{hashlib.sha256(orjson.dumps(made | {"sources": None})).hexdigest()[:32]}"'
        said = {
            "ETag": tag,
            "Cache-Control": "no-cache",
            "Vary": "Accept, Authorization, Cookie, X-API-Key, Private-Token",
        }
        known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
        if tag in known:
            return Response(status_code=304, headers=said)
        return Response(orjson.dumps(made), media_type="application/json", headers=said)
