"""What happens to the catalogue, told to the rules that start jobs: nothing is written where there are no rules."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from terrella.jobs.rows import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terrella.model.stac import Document
    from terrella.site.site import Site

ITEMS_ADDED = "items-added"
"""Items are new or have changed; the subject has `collections`, their ids."""
EVENTS = (ITEMS_ADDED,)


@contextmanager
def announcing(site: Site, event: str, **subject: object) -> Iterator[Document]:
    """Around doing it. What the block puts into the subject is told, too; where that stays empty, nothing is.

    A process that dies within leaves word all the same: rules then start for what may not have happened.
    """
    said: Document = dict(subject)
    if not _has_jobs(site) or not site.jobs.starting.is_awaited(event):
        yield said
        return
    with site.jobs.starting.announcing(event, said) as told:
        yield told


def _has_jobs(site: Site) -> bool:
    """A site whose jobs nobody used yet has no rules, and gets no tables for this."""
    return bool(site.settings.jobs.database) or (site.settings.home / FILE_NAME).exists()
