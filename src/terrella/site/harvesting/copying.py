"""Assets of others, copied into the site: each by its content, once, whole or not at all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from terrella.encodings.zips import safe_name
from terrella.errors import Unreadable, Unsupported
from terrella.site.copying import COPIES

if TYPE_CHECKING:
    from pathlib import Path

    from terrella.model.stac import Document
    from terrella.site.harvesting.memory import Seen
    from terrella.storage.web import Web

REACHED = ("http", "https", "s3")
"""Schemes of addresses that are kept; a document of others that names a file of this machine loses that asset."""


@dataclass(frozen=True, eq=False)
class Copying:
    """Copies assets below ``home/objects/data``; `names` are those wanted, none meaning all."""

    web: Web
    home: Path
    most: int
    names: tuple[str, ...] = ()

    def copied(self, item: Document, before: Seen | None) -> tuple[Document, dict[str, list[str]]]:
        """The item with its assets here, and what was copied from where. Raises what kept one from being fetched."""
        assets, copies = dict(item["assets"]), {}
        for name, asset in assets.items():
            if self.names and name not in self.names:
                continue
            path, sum_there = self._copy(asset, (before.copies if before else {}).get(name))
            copies[name] = [asset["href"], sum_there, str(path)]
            assets[name] = asset | {"href": str(path), "alternate": {"origin": {"href": asset["href"]}}}
        return item | {"assets": assets}, copies

    def _copy(self, asset: Document, before: list[str] | None) -> tuple[Path, str]:
        from pathlib import Path

        href, said = str(asset["href"]), str(asset.get("file:checksum", ""))
        if before and said and before[:2] == [href, said] and Path(before[2]).exists():
            return Path(before[2]), said
        if urlsplit(href).scheme not in ("http", "https"):
            raise Unsupported(f"{href[:100]!r} cannot be copied: only http:// and https:// are fetched.")
        folder = self.home / COPIES
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".harvest-{hashlib.sha256(href.encode()).hexdigest()[:32]}"
        done = self.web.download(href, draft, most=self.most)
        if said.startswith("1220") and said[4:] != done.sha256:
            draft.unlink()
            raise Unreadable(f"{href.partition('?')[0][:100]!r} has another checksum than its item says.")
        name = safe_name(unquote(urlsplit(href).path.rstrip("/").rpartition("/")[2]))
        target = folder / done.sha256[:16] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(target)
        return target, said


def reachable_only(item: Document) -> int:
    """Take away assets that name no address on the web or in a store; how many. Changes the item."""
    dropped = [name for name, one in item["assets"].items() if urlsplit(one["href"]).scheme.lower() not in REACHED]
    for name in dropped:
        del item["assets"][name]
    return len(dropped)
