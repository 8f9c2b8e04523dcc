"""A receipt as the formats carry it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from terrella.model.extraction import Extracted, Receipt
    from terrella.model.reduction import Reduce

MOST_ITEMS = 100
"""Items named in a receipt; of more only how many."""


def receipt_document(extracted: Extracted) -> dict[str, Any]:
    """The receipt as a JSON object: request hash, version of the data, items read with theirs, software, credit."""
    # bytes that are needed: what was still in memory differs from time to time
    receipt = replace(extracted.receipt, bytes_read=extracted.plan.bytes_read)
    made = slip_document(receipt, extracted.request.reduce)
    if "weights_over_space" in extracted.dataset.attrs:
        made["weights_over_space"] = extracted.dataset.attrs["weights_over_space"]
    return made


def slip_document(receipt: Receipt, reduce: Iterable[Reduce] = ()) -> dict[str, Any]:
    """The same of a receipt alone."""
    made: dict[str, Any] = {
        "request": receipt.request,
        "collection": receipt.collection,
        "version": receipt.version,
        "items": list(receipt.items[:MOST_ITEMS]),
        "bytes_read": receipt.bytes_read,
        "software": receipt.software,
        "licence": receipt.licence,
        "attribution": receipt.attribution,
    }
    if receipt.item_versions:
        made["item_versions"] = list(receipt.item_versions[:MOST_ITEMS])
    made |= {key: value for key, value in asdict(receipt.credit).items() if value}
    if said := [str(one) for one in reduce]:
        made["reduced"] = said
    if len(receipt.items) > MOST_ITEMS:
        made["items_in_all"] = len(receipt.items)
    return made


def reference(receipt: Receipt) -> str:
    """How to cite the data, as one text: citation and address; '' where the collection says neither."""
    credit = receipt.credit
    shown = credit.cite_as if credit.cite_as and credit.cite_as not in credit.citation else ""
    return " ".join(part for part in (credit.citation, shown) if part)


def receipt_text(extracted: Extracted) -> str:
    """The receipt as one line of JSON."""
    return orjson.dumps(receipt_document(extracted)).decode()
