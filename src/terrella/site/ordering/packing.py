"""The files of an order, made in a folder of the job's own that outlives a killed worker: each item is packed once."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from terrella.encodings.zips import BLOCK, Member, Zip, file_blocks, safe_name
from terrella.errors import NotFound, TooLarge, Unreadable
from terrella.site.ordering.documents import LICENCES, RECEIPT, licences, receipt
from terrella.storage.files import open_file
from terrella.storage.web import Web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from terrella.contracts.jobs import Work
    from terrella.model.order import Order, Part, Product
    from terrella.model.stac import Document
    from terrella.site.site import Site

PACKED = 0.9
"""Progress when all items are packed."""


@dataclass(eq=False)
class Packing:
    """One attempt at packing. `staging` is kept for the next, with what `Work.step` knows of it."""

    site: Site
    work: Work
    order: Order
    collection: Document
    products: Sequence[Product]
    staging: Path
    done: int = 0
    """Items that are packed."""
    _sums: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(self) -> list[Path]:
        """The finished files, then the receipt. Raises ProviderUnavailable for a source that is away, Unreadable."""
        self.staging.mkdir(parents=True, exist_ok=True)
        parts = sum(len(one.parts) for one in self.products)
        if self.order.package == "each" or parts == 1:
            made = [self._own_file(one) for one in self.products]
        else:
            made = [self._archive(f"{safe_name(self.order.collection)}.zip", self.products)]
        final = self.staging / RECEIPT
        final.write_bytes(self._receipt(self.products))
        return [*made, final]

    def _own_file(self, product: Product) -> Path:
        if len(product.parts) > 1 or "/" in product.parts[0].name:
            return self._archive(product.file, [product])
        target = self.staging / product.file

        def once() -> list[dict[str, Any]]:
            return [self._copied(product.parts[0], target)]

        kept = self.work.step(f"file {product.file}", once)
        if not target.is_file() or target.stat().st_size != kept[0]["size"]:
            kept = once()
        self._note(product, kept)
        return target

    def _archive(self, name: str, products: Sequence[Product]) -> Path:
        path = self.staging / name
        with path.open("r+b" if path.exists() else "w+b") as file:
            archive = Zip(file)
            for product in products:
                self._add(archive, name, product, lone=len(products) == 1)
            terms, said = licences(self.collection), self._receipt(products)
            archive.add(LICENCES, len(terms), [terms])
            archive.add(RECEIPT, len(said), [said])
            archive.close()
            os.fsync(file.fileno())
        return path

    def _add(self, archive: Zip, name: str, product: Product, *, lone: bool) -> None:
        """An item, unless an earlier attempt has put it there: then it is looked at again, not read again."""
        fresh = False
        before = "" if lone else f"{safe_name(product.item)}/"

        def once() -> list[dict[str, Any]]:
            nonlocal fresh
            fresh = True
            return [self._member(archive, part, before).as_json() for part in product.parts]

        kept = self.work.step(f"zip {name} {product.item}", once)
        if not fresh and not archive.adopt(map(Member.of_json, kept)):
            kept = once()
        self._note(product, kept, before)

    def _member(self, archive: Zip, part: Part, before: str) -> Member:
        with _content(self, part) as (size, blocks):
            made = archive.add(before + part.name, size, self._watched(blocks))
        _check(part, made.sha256)
        return made

    def _copied(self, part: Part, target: Path) -> dict[str, Any]:
        draft, digest, size = target.with_name(target.name + ".part"), hashlib.sha256(), 0
        with _content(self, part) as (_, blocks), draft.open("wb") as out:
            for block in self._watched(blocks):
                digest.update(block)
                size += len(block)
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        _check(part, digest.hexdigest())
        draft.replace(target)
        return {"name": part.name, "size": size, "sha256": digest.hexdigest()}

    def _watched(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Each block is a sign of life, and a place to stop at."""
        for block in blocks:
            self._tell()
            yield block

    def _tell(self) -> None:
        count = len(self.products)
        self.work.progress(PACKED * self.done / count, f"Packing: {self.done} of {count} items.")

    def _note(self, product: Product, kept: list[dict[str, Any]], before: str = "") -> None:
        self._sums[product.item] = {
            one["name"].removeprefix(before): {
                "name": one["name"].removeprefix(before),
                "size": one["size"],
                "sha256": one["sha256"],
            }
            for one in kept
        }
        self.done += 1
        self._tell()

    def _receipt(self, products: Sequence[Product]) -> bytes:
        return receipt(self.order, self.collection, products, self._sums)


def _check(part: Part, sha256: str) -> None:
    """Raises Unreadable for a file that is not what the catalogue says."""
    if part.sha256 and part.sha256 != sha256:
        raise Unreadable(f"{part.name[-200:]!r} has another checksum than the catalogue says: it changed since then.")


class _content:  # noqa: N801 -- reads as a verb's object: with _content(part)
    """Size and bytes of a file, wherever it lies; what is elsewhere is fetched whole before."""

    def __init__(self, packing: Packing, part: Part) -> None:
        self._packing = packing
        self._part = part
        self._closers: list[Callable[[], Any]] = []

    def __enter__(self) -> tuple[int, Iterator[bytes]]:
        part, href = self._part, self._part.href
        if href.startswith("/"):
            path = _existing(href)
            return path.stat().st_size, file_blocks(path)
        if href.startswith("s3:"):
            file = open_file(href)
            self._closers.append(file.close)
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            return size, iter(lambda: file.read(BLOCK), b"")
        return self._fetched(part)

    def _fetched(self, part: Part) -> tuple[int, Iterator[bytes]]:
        settings, packing = self._packing.site.settings.orders, self._packing
        place = packing.staging / f"fetch-{hashlib.sha256(part.href.encode()).hexdigest()[:24]}"
        packing.work.progress(PACKED * packing.done / len(packing.products), f"Fetching {part.name[-100:]}.")
        with Web(allow_private=part.is_ours or settings.allow_private) as web:
            size = web.download(part.href, place, most=settings.size).size
        if part.size is not None and part.size != size:
            place.unlink()
            raise Unreadable(
                f"{part.name[-200:]!r} has {size:,} bytes where it lies; the catalogue says {part.size:,}."
            )
        self._closers.append(lambda: place.unlink(missing_ok=True))
        return size, file_blocks(place)

    def __exit__(self, *_: object) -> None:
        for close in self._closers:
            close()


def _existing(href: str) -> Path:
    from pathlib import Path

    path = Path(href)
    if not path.is_file():
        raise NotFound(f"{path.name[-200:]!r} is not there any more.")
    return path


def check_size(files: Sequence[Path], most: int) -> int:
    """Bytes of finished files. Raises TooLarge where files of unknown size were too many."""
    size = sum(one.stat().st_size for one in files)
    if size > most:
        raise TooLarge(f"This order has {size:,} bytes; {most:,} are possible in one. Order fewer items at once.")
    return size
