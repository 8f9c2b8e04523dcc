"""Answers as HTTP: bodies and the headers that say what was read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

import orjson
from fastapi.responses import Response

from terrella.api.assets import Assets
from terrella.api.edr.crs import CRS84
from terrella.api.edr.remembering import Remembered
from terrella.errors import Invalid, NotFound
from terrella.extraction.receipts import receipt
from terrella.model.extraction import Circle, Points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import Request

    from terrella.api.edr.remembering import Answers
    from terrella.contracts.encodings import Encoding
    from terrella.model.caller import Caller
    from terrella.model.extraction import Extracted, Extraction, Plan, Receipt
    from terrella.model.search import Page
    from terrella.site.site import Site

GEOJSON = "application/geo+json"
_IN_A_BROWSER = ("covjson", "geojson", "statistics")
"""Formats that are looked at rather than saved."""


def as_json(body: Any, media_type: str = "application/json") -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), media_type=media_type)


def root_of(request: Request) -> str:
    """Address of the EDR API as the client sees it, no slash at its end."""
    path = request.url.path
    for mark in ("/collections", "/conformance", "/api"):
        if (place := path.find(mark)) >= 0:
            path = path[:place]
            break
    return f"{request.url.scheme}://{request.url.netloc}{path.rstrip('/')}"


def answer(
    request: Request, caller: Caller, wanted: Extraction, encoding: Encoding, site: Site, answers: Answers
) -> Response:
    """Values in a format; what is remembered, or known to the client, is not cut out again.

    Raises NotFound where the shape holds no cell, Invalid where the format cannot hold them.
    """
    found = site.extractor.open(caller, wanted)

    def cut() -> tuple[Receipt, Remembered]:
        extracted = site.extractor.extract(caller, wanted, found)
        return extracted.receipt, Remembered(_encoded(extracted, encoding), extracted.plan)

    return answered(request, receipt(wanted, found.origin, (), 0), encoding, cut, answers)


class Form(Protocol):
    """How an answer is written, as an `Encoding` says it."""

    @property
    def name(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def suffix(self) -> str: ...


def answered(
    request: Request, slip: Receipt, form: Form, cut: Callable[[], tuple[Receipt, Remembered]], answers: Answers
) -> Response:
    """What is remembered or known to the client under this receipt, else what `cut` makes."""
    tag = _tag(slip, form)
    if _knows(request, tag):
        return Response(status_code=304, headers=_tagged(request, slip, tag))
    known = answers.get(tag)
    if known is None:
        slip, known = cut()
        answers.keep(tag, known)
    headers = _headers(request, slip, known.plan, form) | _tagged(request, slip, tag)
    return Response(known.body, media_type=form.media_type, headers=headers)


def _encoded(extracted: Extracted, encoding: Encoding) -> bytes:
    if 0 in extracted.dataset.sizes.values():
        raise NotFound(_nothing(extracted), parameter="coords")
    if reason := encoding.accepts(extracted):
        raise Invalid(f"{encoding.title} cannot hold this answer. {reason}", parameter="f")
    return encoding.encode(extracted)


def _nothing(extracted: Extracted) -> str:
    if isinstance(extracted.request.shape, Points):
        return "The place lies outside of what this collection covers."
    larger = "radius" if isinstance(extracted.request.shape, Circle) else "shape"
    return f"No cell has its centre in there: take a larger {larger}, or ask for the nearest cell with /position."


def _tagged(request: Request, receipt: Receipt, tag: str) -> dict[str, str]:
    """Headers of every answer, also of one without a body; whoever keeps it asks whether the data have changed."""
    path = request.url.path
    end = path.find("/", path.find("/collections/") + len("/collections/"))
    return {
        "ETag": tag,
        "Cache-Control": "no-cache",
        "Terrella-Bytes-Read": str(receipt.bytes_read),
        "Link": ", ".join(_links(path[:end], receipt)),
        "Content-Crs": f"<{CRS84}>",
        "Vary": "Accept",
    }


def _links(collection: str, receipt: Receipt) -> Iterator[str]:
    """What to cite and the licence stand here too: not every format has a place for them (RFC 8288, RFC 8574)."""
    yield f'<{collection}>; rel="collection"'
    if receipt.credit.cite_as:
        yield f'<{receipt.credit.cite_as}>; rel="cite-as"'
    if receipt.credit.licence_href:
        yield f'<{receipt.credit.licence_href}>; rel="license"'


def _headers(request: Request, receipt: Receipt, plan: Plan, encoding: Form) -> dict[str, str]:
    made = {"Terrella-Plan": f"cells={plan.cells}, values={plan.values}, chunks={plan.chunks}, bytes={plan.bytes_read}"}
    if not encoding.name.startswith(_IN_A_BROWSER):
        kind = request.url.path.rstrip("/").rsplit("/", 1)[-1]
        name = "".join(mark for mark in f"{receipt.collection}-{kind}" if mark.isalnum() or mark in "._-")
        made["Content-Disposition"] = f'attachment; filename="{name}{encoding.suffix}"'
    return made


def _tag(receipt: Receipt, encoding: Form) -> str:
    """Equal for equal questions about equal data, whatever the dialect's words for them were."""
    text = f"{receipt.collection}\0{receipt.version}\0{receipt.request}\0{receipt.software}\0{encoding.name}"
    text += f"\0{receipt.licence}\0{receipt.attribution}\0{receipt.credit}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _knows(request: Request, tag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    return tag in {one.strip().removeprefix("W/") for one in given.split(",")}


def next_link(request: Request, token: str, media_type: str) -> dict[str, str]:
    """The same question with the token of the next page."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "token"]
    query = urlencode([*kept, ("token", token)])
    return {"rel": "next", "href": str(request.url.replace(query=query)), "type": media_type}


def features(request: Request, page: Page) -> Response:
    """A page of items; each is written as it is stored, but for where its files lie."""
    links = [{"rel": "self", "href": str(request.url), "type": GEOJSON}]
    if page.next:
        links.append(next_link(request, page.next, GEOJSON))
    about: dict[str, Any] = {"numberReturned": len(page.documents), "links": links}
    if page.matched is not None:
        about["numberMatched"] = page.matched
    head, tail = b'{"type":"FeatureCollection","features":[', b"]," + orjson.dumps(about)[1:]
    shown = map(Assets(request).shown_bytes, page.documents)
    return Response(head + b",".join(shown) + tail, media_type=GEOJSON)
