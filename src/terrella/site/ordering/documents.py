"""What is packed beside the files: a receipt that a program checks, and the terms for people to read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

from terrella.extraction.receipts import software

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from terrella.model.order import Order, Product
    from terrella.model.stac import Document

RECEIPT, LICENCES = "receipt.json", "licences.txt"
_ASKED = ("collection", "items", "bbox", "time", "assets", "format", "variables", "package")


def request_hash(order: Order) -> str:
    """SHA-256 in hex of what was asked for, wherever it goes: equal requests have equal hashes."""
    asked = {name: value for name, value in order.as_json().items() if name in _ASKED}
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


def receipt(
    order: Order, collection: Document, products: Sequence[Product], sums: Mapping[str, Mapping[str, Any]]
) -> bytes:
    """Which items and versions, with the checksum of every file; `sums` by item and by name in it."""
    made = {
        "request": request_hash(order),
        "collection": order.collection,
        "software": software(),
        "licence": collection.get("license", ""),
        **_credit(collection),
        "items": [
            {"id": one.item, "version": one.version, "files": [sums[one.item][part.name] for part in one.parts]}
            for one in products
        ],
    }
    return orjson.dumps(made, option=orjson.OPT_INDENT_2)


def licences(collection: Document) -> bytes:
    """The terms of a collection, as a text."""
    lines = [str(collection.get("title") or collection.get("id", "")), ""]
    lines.append(f"Licence: {collection.get('license', 'not stated')}")
    lines += [f"Terms: {href}" for href in _terms(collection)]
    names = [str(one.get("name")) for one in _objects(collection.get("providers")) if one.get("name")]
    if names:
        lines.append(f"Data from: {', '.join(names)}")
    lines += [f"{name.capitalize()}: {value}" for name, value in _credit(collection).items()]
    return ("\n".join(lines) + "\n").encode()


def _credit(collection: Document) -> dict[str, str]:
    found = {
        "attribution": collection.get("attribution"),
        "citation": collection.get("sci:citation"),
        "doi": collection.get("sci:doi"),
    }
    return {name: value for name, value in found.items() if isinstance(value, str) and value}


def _terms(collection: Document) -> Iterable[str]:
    return [
        str(one["href"]) for one in _objects(collection.get("links")) if one.get("rel") == "license" and "href" in one
    ]


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
