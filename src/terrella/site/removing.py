"""Taking things out of the catalogue. Files that are only referenced stay where they lie."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from terrella.catalog.describing import Wishes
from terrella.catalog.registering import News, emptied, registrations
from terrella.cubes.grouping import bundles
from terrella.cubes.optimising.forgetting import forget
from terrella.errors import NotFound, nearest_names
from terrella.model.search import Search
from terrella.site.adding import rfc3339_now

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from terrella.contracts.providers import Home, Stores
    from terrella.model.caller import Caller
    from terrella.model.stac import Document


def remove(lake: Stores, caller: Caller, collection: str, items: Sequence[str] = (), *, folder: Path) -> int:
    """Remove a collection, or items of it; returns how many items went. What was optimised of it in the home goes too.

    Raises NotFound, and Conflict while it is being optimised, and then removes nothing.
    """
    home = lake.homes().get(collection)
    lake.collection(caller, collection)
    if not items:
        count = lake.count(caller, Search(collections=(collection,)))
        forget(folder, collection)
        lake.remove_collection(caller, collection)
        _forget(lake, list(home.members) if home else [])
        return count
    for item in items:
        _check(lake, caller, collection, item, home)
    count = lake.remove_items(caller, collection, items)
    if home is not None:
        _renew(lake, caller, collection, home, set(items))
    return count


def _check(lake: Stores, caller: Caller, collection: str, item: str, home: Home | None) -> None:
    try:
        lake.item(caller, collection, item)
    except NotFound as error:
        known = [name for name, _ in home.members.values()] if home else []
        raise NotFound(
            f"There is no item {item!r} in {collection!r}. {nearest_names(item, known)}", parameter="item"
        ) from error


def _renew(lake: Stores, caller: Caller, collection: str, home: Home, items: set[str]) -> None:
    """The cube without the removed items."""
    left = {href: member for href, member in home.members.items() if member[0] not in items}
    homes = {collection: replace(home, members=left)}

    def find(name: str, item: str | None = None) -> Document | None:
        found = lake.collection(caller, name) if item is None else lake.item(caller, name, item)
        document: Document = orjson.loads(found)
        return document

    news = News(frozenset(), frozenset(), rfc3339_now(), Wishes(), find)
    made = [one for one in bundles(lake.scans(left), homes) if one.collection == collection]
    for bundle in made:
        for registration in registrations(bundle, homes, news):
            lake.register(caller, registration)
    if not made and home.key:
        lake.register(caller, emptied(collection, homes[collection], news, find(collection) or {}))
    _forget(lake, [href for href in home.members if href not in left])


def _forget(lake: Stores, hrefs: list[str]) -> None:
    """Files that are in no other collection are new when they are seen again."""
    sources = lake.sources()
    lake.forget([href for href in hrefs if href in sources and not sources[href].collections])
