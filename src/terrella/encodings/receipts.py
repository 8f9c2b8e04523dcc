"""A receipt as the formats carry it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from terrella.model.extraction import Extracted

MOST_ITEMS = 100
"""Items named in a receipt; of more only how many."""


def receipt_document(extracted: Extracted) -> dict[str, Any]:
    """The receipt as a JSON object: request hash, data version, items read, software, licence, attribution."""
    receipt = extracted.receipt
    made: dict[str, Any] = {
        "request": receipt.request,
        "collection": receipt.collection,
        "version": receipt.version,
        "items": list(receipt.items[:MOST_ITEMS]),
        "bytes_read": extracted.plan.bytes_read,  # what is needed: what was still in memory differs from time to time
        "software": receipt.software,
        "licence": receipt.licence,
        "attribution": receipt.attribution,
    }
    if extracted.request.reduce:
        made["reduced"] = [str(one) for one in extracted.request.reduce]
    if "weights_over_space" in extracted.dataset.attrs:
        made["weights_over_space"] = extracted.dataset.attrs["weights_over_space"]
    if len(receipt.items) > MOST_ITEMS:
        made["items_in_all"] = len(receipt.items)
    return made


def receipt_text(extracted: Extracted) -> str:
    """The receipt as one line of JSON."""
    return orjson.dumps(receipt_document(extracted)).decode()
