"""Who asks. Every use case takes the caller first."""

from __future__ import annotations

from dataclasses import dataclass, replace

READ, WRITE, RUN, ADMINISTER = "read", "write", "run", "administer"
SCOPES = frozenset({READ, WRITE, RUN, ADMINISTER})
"""What a key may be used for: look and cut; change the catalogue; submit work; everything about accounts."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one rule opens: items that meet `items` in collections that meet `collections`.

    Both are CQL2 JSON as canonical text (so that grants compare and hash); empty text is met by everything. A
    property that a document lacks meets nothing. ``{"op": "now"}`` is the time of asking.
    """

    collections: str = ""
    items: str = ""


Grants = tuple[Grant, ...] | None
"""What one of these opens is open; None means everything, and () nothing."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who asks for something.

    `roles` are the words that rules and quotas speak of. What `finds` opens may be known of; what `reads` opens may be
    read, cut and downloaded. Nothing is open unless it was opened. `scopes` bound what may be done at all, `key` names
    the API key that was used.
    """

    name: str
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    finds: Grants = ()
    reads: Grants = ()
    scopes: frozenset[str] = frozenset()
    key: str = ""

    @property
    def is_anonymous(self) -> bool:
        return self.name == ANONYMOUS.name

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def reading(self) -> Caller:
        """The same, for questions after which files are opened: what they may find but not read is not there."""
        return self if self.finds == self.reads else replace(self, finds=self.reads)


ANONYMOUS = Caller("anonymous")
"""Somebody on the network who has not said who they are, before any rule opened anything."""

OPERATOR = Caller("operator", frozenset({"operator", "administrator"}), frozenset(), None, None, SCOPES)
"""Whoever can run `terrella` on the site's own files."""
