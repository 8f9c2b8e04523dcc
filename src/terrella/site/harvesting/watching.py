"""Folders and S3 prefixes that are watched: what `add` does, with counts, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid, Unsupported
from terrella.site.harvesting.running import Harvested
from terrella.storage.files import is_remote, list_objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from terrella.contracts.providers import Source
    from terrella.model.caller import Caller
    from terrella.site.harvesting.asking import Wanted
    from terrella.site.site import Site


def watch(site: Site, caller: Caller, wanted: Wanted, tell: Callable[[Harvested], Any]) -> Harvested:
    """Add what is new below a folder or prefix. Files that are gone are marked (of folders)."""
    if wanted.collections:
        raise Invalid("Folders have no collections of their own: name the one to fill with --into.", parameter="into")
    report, before = Harvested(wanted.source), site.lake.sources()
    added = site.add(*_paths(wanted.source), collection=wanted.into or None, copy=wanted.copy, caller=caller)
    after = site.lake.sources()
    report.new = sum(href not in before or not before[href].collections for href in _registered(after))
    report.changed = sum(href in before and before[href].modified != one.modified for href, one in after.items())
    report.unchanged = added.unchanged
    report.gone = len(added.missing)
    report.collections = list(dict.fromkeys(one.id for one in added.collections))
    for failure in added.failures:
        report.fail(failure.href, failure.reason)
    tell(report)
    return report


def _registered(sources: dict[str, Source]) -> list[str]:
    return [href for href, one in sources.items() if one.collections and not one.is_missing]


def _paths(source: str) -> list[str]:
    if not is_remote(source):
        return [source]
    if not source.lower().startswith("s3:"):
        raise Unsupported(f"{source[:100]!r} cannot be watched.")
    return list_objects(source)
