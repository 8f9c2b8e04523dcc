"""Whom to name for data, and how: what a collection says of its citation, its licence and those who made it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terrella.model.stac import Document

_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+")
_MOST = 2000


@dataclass(frozen=True, slots=True)
class Credit:
    """Empty where the collection says nothing."""

    citation: str = ""
    """How to cite it, as a text."""
    doi: str = ""
    """Bare: '10.24381/cds.adbb2d47'."""
    cite_as: str = ""
    """The address to cite: of the DOI, or what the collection links to."""
    licence_href: str = ""
    """Where the licence is written out."""
    providers: tuple[str, ...] = ()
    """Those who made, licensed or processed it; whoever only hosts it is left out."""


NO_CREDIT = Credit()


def credit_of(collection: Document) -> Credit:
    """What a STAC collection says of it: scientific extension, links (RFC 6596, RFC 8574), providers."""
    doi = bare_doi(str(collection.get("sci:doi") or ""))
    links = {str(link.get("rel")): str(link.get("href") or "") for link in _objects(collection.get("links"))}
    made = [one for one in _objects(collection.get("providers")) if set(one.get("roles") or ["producer"]) - {"host"}]
    return Credit(
        " ".join(str(collection.get("sci:citation") or "").split())[:_MOST],
        doi,
        f"https://doi.org/{doi}" if doi else _address(links.get("cite-as", "")),
        _address(links.get("license", "")),
        tuple(str(one["name"])[:_MOST] for one in made if one.get("name")),
    )


def bare_doi(text: str) -> str:
    """The DOI in a text or address; '' where there is none."""
    found = _DOI.search(text)
    if not found:
        return ""
    plain = found[0].rstrip(".,;")
    return plain.removesuffix(")") if plain.count(")") > plain.count("(") else plain


def _objects(value: object) -> list[Document]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _address(text: str) -> str:
    """An absolute address that may stand in a header; '' for anything else."""
    plain = text.isascii() and text.isprintable() and not set(text) & set(' <>"\\')
    return text if plain and text.startswith(("https://", "http://")) else ""
