"""What to cite for a question, and its receipt, before or after it is answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import orjson
from fastapi.responses import Response

from terrella.encodings.citations import Cited, bibtex, csl, ris, sentence
from terrella.encodings.receipts import slip_document
from terrella.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request

    from terrella.model.caller import Caller
    from terrella.model.extraction import Extraction
    from terrella.site.site import Site

_FORMS: dict[str, tuple[str, str, Callable[[Cited], Any]]] = {
    "text": ("text/plain; charset=utf-8", ".txt", sentence),
    "bibtex": ("application/x-bibtex; charset=utf-8", ".bib", bibtex),
    "ris": ("application/x-research-info-systems; charset=utf-8", ".ris", ris),
    "csl": ("application/vnd.citationstyles.csl+json", ".json", csl),
}


def form_of(text: str | None) -> str:
    """`json` has all forms. Raises Invalid."""
    form = (text or "json").casefold()
    if form != "json" and form not in _FORMS:
        raise Invalid(f"f is json, {', '.join(_FORMS)}, not {(text or '')[:40]!r}.", parameter="f")
    return form


def citation(request: Request, caller: Caller, wanted: Extraction, form: str, site: Site) -> Response:
    """Nothing is read for it: items and bytes are those of the plan. Raises as an estimate does."""
    receipt = site.extractor.receipt(caller, wanted)
    collection = orjson.loads(site.catalog.collection(caller, wanted.collection))
    title = str(collection.get("title") or collection["id"])
    cited = Cited(receipt, title, _question(request), site.settings.title, datetime.now(UTC).date())
    headers = {"Cache-Control": "no-cache", "Vary": "Authorization, Cookie"}
    if form == "json":
        made = {name: write(cited) for name, (_, _, write) in _FORMS.items()}
        body = {"title": title, "address": cited.address, "receipt": slip_document(receipt, wanted.reduce)} | made
        return Response(orjson.dumps(body), headers=headers, media_type="application/json")
    media_type, suffix, write = _FORMS[form]
    said = write(cited)
    headers["Content-Disposition"] = f'attachment; filename="{receipt.collection}{suffix}"'
    return Response(said if isinstance(said, str) else orjson.dumps(said), headers=headers, media_type=media_type)


def _question(request: Request) -> str:
    """The address of the values, without the format; of a question that came in a body, without parameters."""
    base = str(request.url.replace(query="")).removesuffix("/").rpartition("/")[0]
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "f"]
    return f"{base}?{urlencode(kept, quote_via=quote, safe=':/,()')}" if kept else base
