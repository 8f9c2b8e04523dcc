"""From a bundle of files to what the catalogue keeps: documents, versions, and the index, as one registration."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from terrella.catalog.describing import Wishes, collection_document, item_document, minimal_collection, usual_grid
from terrella.contracts.providers import Registration
from terrella.model.ids import collection_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from terrella.contracts.cubes import Bundle, Member
    from terrella.contracts.providers import Home
    from terrella.model.stac import Document


@dataclass(frozen=True, eq=False)
class News:
    """What is new in this run. `find` gives the document of a collection, or of an item of it, as it is now."""

    fresh: AbstractSet[str]
    """Files (href) that are new or changed."""
    gone: AbstractSet[str]
    """Files that are there no more."""
    now: str
    wishes: Wishes
    find: Callable[..., Document | None]


def registrations(bundle: Bundle, homes: Mapping[str, Home], news: News) -> Iterator[Registration]:
    """One for a bundle of files; for STAC documents, one for each collection that they speak of."""
    if not bundle.key:
        yield from _of_documents(bundle, homes, news)
        return
    home = homes.get(bundle.collection)
    versions = {member.scan.href: _version(bundle.collection, member, home, news) for member in bundle.members}
    items = [
        item_document(bundle, member, news.wishes, number=versions[member.scan.href], now=news.now)
        for member in bundle.members
    ]
    changed = [
        _keeping_created(item, news)
        for item, member in zip(items, bundle.members, strict=True)
        if home is None or member.scan.href in news.fresh or member.scan.href not in home.members
    ]
    lost = {href: item for href, (item, _) in home.members.items() if href in news.gone} if home else {}
    yield Registration(
        collection_document(bundle, items, news.wishes, now=news.now, before=news.find(bundle.collection)),
        (*changed, *(marked for item in lost.values() if (marked := _marked(bundle.collection, item, news)))),
        bundle.key,
        bundle.index,
        {member.scan.href: (member.item, versions[member.scan.href]) for member in bundle.members},
        tuple(lost),
    )


def _version(collection: str, member: Member, home: Home | None, news: News) -> int:
    before = home.members.get(member.scan.href) if home else None
    if before is None:
        return _version_after(news.find(collection, member.item)) if home else 1
    return before[1] + (member.scan.href in news.fresh)


def _version_after(before: Document | None) -> int:
    """Of a file that was gone and is back."""
    said = str(before["properties"].get("version", "")) if before else ""
    return int(said) + 1 if said.isdecimal() else 1


def _keeping_created(item: Document, news: News) -> Document:
    before = news.find(item["collection"], item["id"])
    if before:
        item["properties"]["created"] = before["properties"].get("created", news.now)
    return item


def _marked(collection: str, item: str, news: News) -> Document | None:
    """The item of a file that is gone: it stays to be found, and says so."""
    before = news.find(collection, item)
    if before is None:
        return None
    before["properties"] |= {"deprecated": True, "terrella:missing_since": news.now, "updated": news.now}
    before["links"] = []
    return before


def _of_documents(bundle: Bundle, homes: Mapping[str, Home], news: News) -> Iterator[Registration]:
    """Of new and changed files alone: what others brought to the same collections is there already, and stays."""
    said: dict[str, Document] = {}
    items: dict[str, list[Document]] = defaultdict(list)
    sources: dict[str, dict[str, tuple[str, int]]] = defaultdict(dict)
    for member in bundle.members:
        if member.scan.href not in news.fresh:
            continue
        for collection in member.scan.collections:
            said[collection["id"]] = collection
            sources[collection["id"]][member.scan.href] = ("", 1)
        for item in member.scan.items:
            name = str(item.get("collection") or bundle.collection)
            items[name].append(item | {"collection": name})
            sources[name][member.scan.href] = ("", 1)
    for name in sorted({*said, *items}):
        collection_id(name)
        old = news.find(name)
        document = said.get(name) or old or minimal_collection(name, items[name], news.wishes, now=news.now)
        document = usual_grid(Wishes(), old or {}) | document | usual_grid(news.wishes, {})
        others = homes[name].members if name in homes and not homes[name].key else {}
        yield Registration(document, tuple(items[name]), "", None, others | sources[name])


def emptied(name: str, home: Home, news: News, before: Document) -> Registration:
    """A collection whose files are gone, all or (of STAC documents) some: it stays to be found, and says so."""
    left = {href: member for href, member in home.members.items() if href not in news.gone}
    if left:  # STAC documents in other files speak of it
        return Registration(before, (), home.key, None, left, tuple(home.members.keys() - left.keys()))
    items = (marked for item, _ in home.members.values() if (marked := _marked(name, item, news)))
    document = {key: value for key, value in before.items() if not key.startswith("cube:")}
    return Registration(document | {"deprecated": True}, tuple(items), home.key, None, {}, tuple(home.members))
