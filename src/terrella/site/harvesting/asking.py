"""What to harvest, as a job keeps it; and when."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from terrella.errors import Denied, Invalid, nearest_names
from terrella.model.caller import ADMINISTER, WRITE
from terrella.model.ids import collection_id
from terrella.storage.web import check_address, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terrella.jobs.starting import Schedule
    from terrella.model.caller import Caller
    from terrella.model.stac import Document
    from terrella.site.site import Site

HARVEST = "harvest"
_WORDS = ("source", "collections", "into", "copy", "assets", "full")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One source, and what of it."""

    source: str
    """Address of a STAC API or catalogue; a folder or ``s3://`` prefix of files."""
    collections: tuple[str, ...] = ()
    """Only these; none means all."""
    into: str = ""
    """Collection here that takes everything; empty for the names that they have there."""
    copy: bool = False
    """Whether assets are copied too."""
    assets: tuple[str, ...] = ()
    """Names of the assets that are copied; none means all."""
    full: bool = False
    """Look at everything, also where the source can say what is new."""

    @property
    def is_web(self) -> bool:
        return urlsplit(self.source).scheme.lower() in ("http", "https")

    @property
    def key(self) -> str:
        """The same for the same source and place: what is remembered belongs to it."""
        return hashlib.sha256(f"{self.source}\0{self.into}".encode()).hexdigest()[:24]

    def as_json(self) -> Document:
        return asdict(self)


def wanted_from(given: Mapping[str, Any]) -> Wanted:
    """Out of a job's inputs. Raises Invalid naming the word at fault."""
    for name in given:
        if name not in (*_WORDS, "event"):
            raise Invalid(
                f"A harvest has no {str(name)[:60]!r}. {nearest_names(str(name), _WORDS)}", parameter="inputs"
            )
    source, into = given.get("source"), given.get("into") or ""
    if not isinstance(source, str) or not source.strip() or len(source) > 2000:
        raise Invalid("source is the address of a STAC API or catalogue, or a folder.", parameter="source")
    made = Wanted(
        source=source.strip(),
        collections=tuple(given.get("collections") or ()),
        into=collection_id(into) if into else "",
        copy=bool(given.get("copy")),
        assets=tuple(given.get("assets") or ()),
        full=bool(given.get("full")),
    )
    if made.is_web:
        check_address(made.source)
    if made.into and len(made.collections) > 1:
        raise Invalid("Items of several collections may have the same ids: name one with --into.", parameter="into")
    return made


def check_caller(caller: Caller, wanted: Wanted) -> None:
    """Raises Denied for whoever may not change the catalogue, or does not administer it and names files of the site."""
    if not caller.may(WRITE):
        raise Denied("To harvest, a key needs the scope 'write'.")
    if not wanted.is_web and not caller.may(ADMINISTER):
        raise Denied("Folders and stores of the site are harvested by its administrators.")


def schedule(site: Site, caller: Caller, wanted: Wanted, cron: str, name: str = "") -> Schedule:
    """Harvest at each time of `cron` (UTC). Raises Invalid, Denied."""
    check_caller(caller, wanted)
    made = name or schedule_name(wanted)
    return site.jobs.starting.schedule(caller, made, cron, HARVEST, wanted.as_json(), f"Harvest {shown(wanted.source)}")


def schedule_name(wanted: Wanted) -> str:
    """The same source and place have one schedule."""
    return f"harvest-{wanted.key[:12]}"
