"""An order: whole products near the data, packed, and where they go."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terrella.model.stac import Document

Package = Literal["zip", "each"]
"""One archive of everything (a single file stays as it is), or one file for each item."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A place in an S3 store of the orderer's. The secrets of its key are kept elsewhere, under `secret`."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    """Address of the store; empty for Amazon's."""
    region: str = "us-east-1"
    secret: str = ""

    @property
    def address(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


@dataclass(frozen=True, slots=True)
class Order:
    """Items of a collection by name, or those in a box and a time; or, with a `format`, what is cut out of its cube."""

    collection: str
    items: tuple[str, ...] = ()
    bbox: tuple[float, ...] = ()
    """West, south, east, north in degrees; none means everywhere."""
    time: str = ""
    """An instant or an interval, as the catalogue reads it."""
    assets: tuple[str, ...] = ()
    """Names of assets; none means all that are data of the item."""
    format: str = ""
    """Name of an encoding; empty for the files as they are."""
    variables: tuple[str, ...] = ()
    package: Package = "zip"
    to: Literal["link", "folder", "s3"] = "link"
    bucket: Bucket | None = None
    days: float = 7.0
    """How long links are good."""

    def as_json(self) -> Document:
        return asdict(self)

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Order:
        """What `as_json` gave."""
        known = {one.name for one in fields(cls)}
        given: dict[str, Any] = {
            name: tuple(one) if isinstance(one, list) else one for name, one in document.items() if name in known
        }
        if given.get("bucket"):
            given["bucket"] = Bucket(**given["bucket"])
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a product: its name in it, where it lies, and its size (None where nobody says) and SHA-256."""

    name: str
    href: str
    size: int | None
    sha256: str = ""
    is_ours: bool = False
    """Whether the site itself was given this address, so that it goes there whatever it is."""


@dataclass(frozen=True, slots=True)
class Product:
    """One item as it will be delivered. `file` is the name that it gets where each item is a file of its own."""

    item: str
    version: str
    parts: tuple[Part, ...]
    file: str = ""

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Product:
        return cls(document["item"], document["version"], tuple(Part(**p) for p in document["parts"]), document["file"])


@dataclass(frozen=True, slots=True)
class Price:
    """What an order takes, before anything is read. `size` is exact where `unknown` is 0."""

    items: int
    files: int
    size: int
    """Bytes delivered."""
    unknown: int = 0
    """Files elsewhere whose size nobody says."""

    def as_json(self) -> Document:
        return {"items": self.items, "files": self.files, "bytes": self.size, "files_of_unknown_size": self.unknown}
