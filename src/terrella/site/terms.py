"""Terms under which data are given: the licence of a collection, as dialects that have people accept it show it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from terrella.model.credit import credit_of

if TYPE_CHECKING:
    from terrella.model.stac import Document

REVISION = 1
"""Of all terms: a licence that changes gets another name."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`name` is safe in a path; `href` is where they are written out, '' where the collection does not say."""

    name: str
    title: str
    href: str


def terms_of(collection: Document) -> Terms:
    """Those of one collection. A licence that has no SPDX identifier is the collection's own."""
    said = str(collection.get("license") or "other")
    href = credit_of(collection).licence_href
    name = said if said not in ("other", "proprietary", "various") else f"{collection['id']}-terms"
    title = said if name == said else f"Terms of {collection.get('title') or collection['id']}"
    return Terms(re.sub(r"[^A-Za-z0-9._:-]+", "-", name), title, href or _known(said))


def _known(licence: str) -> str:
    return f"https://spdx.org/licenses/{licence}.html" if re.fullmatch(r"[A-Z][A-Za-z0-9.-]*", licence) else ""
