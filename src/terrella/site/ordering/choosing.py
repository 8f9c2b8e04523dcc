"""Which files an order means: items that its caller may read, their assets, where those lie and how large they are."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import orjson

from terrella.encodings.zips import safe_name, zip_size
from terrella.errors import Invalid, NotFound, TooLarge, Unsupported, nearest_names
from terrella.model.ids import distinct
from terrella.model.order import Order, Part, Price, Product
from terrella.model.search import Search
from terrella.model.space import Extent
from terrella.model.spending import Amounts
from terrella.model.time import parse_interval
from terrella.site.assets import check_item, is_local, located
from terrella.site.ordering.asking import check_recipient
from terrella.site.requests import extraction_from

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from terrella.model.caller import Caller
    from terrella.model.extraction import Extraction, Plan
    from terrella.model.stac import Document
    from terrella.site.site import Site

_DOCUMENTS = 20_000
"""About how many bytes the receipt and the licences take in an archive."""


def products(site: Site, caller: Caller, order: Order) -> list[Product]:
    """The files of an order, item by item, in the order of items. Nothing is read but sizes.

    Raises NotFound for an item, an asset or a file; Denied for what may be known of, but not read; TooLarge.
    """
    site.catalog.collection(caller, order.collection)  # NotFound with the nearest names
    found = [_product(site, caller, order, item) for item in _items(site, caller, order)]
    if not found:
        raise NotFound("No item of this collection lies in that box and time.", parameter="items")
    return _named(found)


def cut_of(order: Order) -> Extraction:
    """What to cut out, of an order with a format."""
    wanted: dict[str, Any] = {"variables": order.variables}
    if order.bbox:
        wanted["bbox"] = order.bbox
    if order.time:
        wanted["time"] = order.time
    return extraction_from(order.collection, wanted)


def priced(site: Site, caller: Caller, order: Order) -> Price:
    """What an order takes. Raises what `products` does, or what is wrong with the cut-out."""
    if order.format:
        plan = _cut_plan(site, caller, order)
        return Price(0, 1, plan.bytes_out)
    return price_of(order, products(site, caller, order))


def price_of(order: Order, chosen: list[Product]) -> Price:
    """Of files that are known: exact but for the receipts."""
    parts = [part for product in chosen for part in product.parts]
    if order.package == "zip" and len(parts) > 1:
        size = zip_size((f"{one.item}/{part.name}", part.size or 0) for one in chosen for part in one.parts)
    else:
        size = sum(part.size or 0 for part in parts)
    return Price(len(chosen), len(parts), size, sum(part.size is None for part in parts))


def check_order(site: Site, caller: Caller, order: Order) -> Price:
    """The price, once it is sure that the order can be done. Raises what is wrong, TooLarge, QuotaExceeded."""
    check_recipient(order, caller)
    if order.format:
        check_format(order.format)
        plan = _cut_plan(site, caller, order)
        site.extractor.check(caller, cut_of(order), plan)
        price = Price(0, 1, plan.bytes_out)
    else:
        price = price_of(order, products(site, caller, order))
    most = site.settings.orders.size
    if price.size > most:
        raise TooLarge(
            f"This order has {price.size:,} bytes; {most:,} are possible in one. Order fewer items at once.",
            parameter="items",
            details={"bytes": price.size, "most": most},
        )
    kept = Amounts(storage=price.size) if order.to == "link" else Amounts()
    site.ledger.check(caller, amounts_of(order, price) + kept, order.collection)
    return price


def amounts_of(order: Order, price: Price) -> Amounts:
    """What an order is on the account. What is fetched by link is counted when it is fetched."""
    return Amounts(
        bytes_read=price.size,
        bytes_out=price.size if order.to == "s3" else 0,
        storage=price.size if order.to == "folder" else 0,
    )


def check_format(name: str) -> None:
    """Raises Invalid for an encoding that does not exist."""
    from terrella.site.tasks import encodings

    known = encodings()
    if name not in known:
        raise Invalid(f"There is no format {name!r:.40}. {nearest_names(name, known)}", parameter="format")


def _cut_plan(site: Site, caller: Caller, order: Order) -> Plan:
    check_format(order.format)
    return site.estimate(cut_of(order), caller=caller)


# --- items -----------------------------------------------------------------------------------------------------------


def _items(site: Site, caller: Caller, order: Order) -> Iterator[Document]:
    if order.items:
        for name in order.items:
            item = orjson.loads(site.catalog.item(caller, order.collection, name))
            check_item(site, caller, item)
            yield item
        return
    most = site.settings.orders.items
    extent = Extent.of(*order.bbox) if order.bbox else None
    interval = parse_interval(order.time, parameter="time") if order.time else None
    query = Search(collections=(order.collection,), bbox=extent, interval=interval, limit=1000)
    for count, item in enumerate(site.search(query, caller=caller.reading()), 1):
        if count > most:
            raise TooLarge(f"One order has at most {most:,} items: say a smaller box or a shorter time.")
        yield item


def _product(site: Site, caller: Caller, order: Order, item: Document) -> Product:
    del caller  # whether they may read it was asked before
    name, assets = str(item["id"]), {k: a for k, a in (item.get("assets") or {}).items() if isinstance(a, dict)}
    wanted = order.assets or tuple(assets)
    parts: list[Part] = []
    for key in wanted:
        if key not in assets:
            raise NotFound(f"{name!r:.80} has no asset {key!r:.80}. {nearest_names(key, assets)}", parameter="assets")
        parts += _parts(site, order.collection, name, key, assets[key])
    if not parts:
        raise NotFound(f"{name!r:.80} has no files.", parameter="items")
    return Product(name, str(item.get("properties", {}).get("version", "")), _distinct(parts))


def _parts(site: Site, collection: str, item: str, key: str, asset: Document) -> list[Part]:
    """The files of an asset: one, or all that lie in its folder."""
    href = str(asset.get("href", ""))
    name = safe_name(unquote(urlsplit(href).path.rstrip("/").rpartition("/")[2]) or key)
    said = asset.get("file:size")
    digest = _digest(asset.get("file:checksum"))
    if not is_local(href):
        if urlsplit(href).scheme not in ("http", "https", "s3"):
            raise Unsupported(f"The asset {key!r:.80} of {item!r:.80} lies where it cannot be fetched from.")
        ours = bool(site.lake.scans([href]))
        if href.startswith("s3:") and not ours:
            raise Unsupported(f"The asset {key!r:.80} of {item!r:.80} lies in a store of its own: open it there.")
        return [Part(name, href, said if isinstance(said, int) and said >= 0 else None, digest, ours)]
    path = located(site, collection, item, href)
    if path.is_dir():
        return [Part(f"{name}/{inner}", str(path / inner), (path / inner).stat().st_size) for inner in _below(path)]
    if not path.is_file():
        raise NotFound(f"The file of {item!r:.80} is not there any more.", parameter="items")
    return [Part(name, str(path), path.stat().st_size, digest)]


def _below(folder: Path) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not os.path.islink(os.path.join(root, name)):  # noqa: PTH114, PTH118 -- many, and plain text is quick
                yield os.path.relpath(os.path.join(root, name), folder)  # noqa: PTH118


def _digest(checksum: Any) -> str:
    """Hexadecimal SHA-256 out of a multihash; '' for another."""
    text = str(checksum or "")
    return text[4:] if text.startswith("1220") and len(text) == 68 else ""


def _distinct(parts: list[Part]) -> tuple[Part, ...]:
    """Names are told apart where two assets have a file of the same name."""
    if max(Counter(part.name for part in parts).values()) == 1:
        return tuple(parts)
    taken: set[str] = set()
    made = []
    for part in parts:
        name = distinct(part.name, taken)
        taken.add(name)
        made.append(replace(part, name=name))
    return tuple(made)


def _named(found: list[Product]) -> list[Product]:
    """With the names of the files that they become where each is one of its own: one file as it is, more as a zip."""
    taken = {"receipt.json", "delivery.json"}
    made = []
    for one in found:
        plain = len(one.parts) == 1 and "/" not in one.parts[0].name
        wanted = one.parts[0].name if plain else f"{safe_name(one.item)}.zip"
        stem, dot, ending = wanted.partition(".")
        name, number = wanted, 2
        while name in taken:
            name, number = f"{stem}-{number}{dot}{ending}", number + 1
        taken.add(name)
        made.append(replace(one, file=name))
    return made
