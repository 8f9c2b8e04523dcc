"""Rules of a site: who may find what, and read what. What no rule opens is hidden."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING

from terrella.access.conditions import parsed
from terrella.errors import Denied, Invalid, Unauthenticated
from terrella.model.caller import WRITE, Grant
from terrella.model.meeting import collection_meets, item_meets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from terrella.model.caller import Caller, Grants
    from terrella.model.stac import Document
    from terrella.settings import Rule

EVERYBODY = "*"
ADMINISTRATORS = frozenset({"administrator", "operator"})
"""Roles to which everything is open."""


@lru_cache(maxsize=1024)
def grant_of(rule: Rule) -> Grant:
    """What a rule opens. Raises Invalid that names the rule."""
    try:
        return Grant(parsed(rule.collections, "collections"), parsed(rule.items, "items"))
    except Invalid as error:
        raise Invalid(f"The rule {rule.name!r:.80} is wrong. {error.message}", parameter=error.parameter) from None


def check_rules(rules: Sequence[Rule]) -> None:
    """Raises Invalid for the first rule that is wrong, or that has another's name."""
    seen: set[str] = set()
    for rule in rules:
        grant_of(rule)
        if rule.name in seen:
            raise Invalid(f"Two rules are called {rule.name!r:.80}: give each its own name.", parameter="access.rules")
        seen.add(rule.name)


def grants_of(rules: Iterable[Rule], roles: Collection[str]) -> tuple[Grants, Grants]:
    """What somebody with these roles (groups are roles `group:NAME`) may find, and read.

    A group is written like a role: `group:NAME`. Raises Invalid for a rule that cannot be.
    """
    if not ADMINISTRATORS.isdisjoint(roles):
        return None, None
    mine = [rule for rule in rules if EVERYBODY in rule.roles or not set(rule.roles).isdisjoint(roles)]
    return _joined(mine), _joined(rule for rule in mine if rule.allow == "read")


def _joined(rules: Iterable[Rule]) -> Grants:
    """Grants without those that others hold already; None where one opens everything."""
    grants = dict.fromkeys(grant_of(rule) for rule in rules)
    if Grant() in grants:
        return None
    whole = {grant.collections for grant in grants if not grant.items}
    return tuple(grant for grant in grants if not grant.items or grant.collections not in whole)


def is_open(grants: Grants, collection: Document, item: Document | None = None, now: int | None = None) -> bool:
    """Whether grants open an item of a collection, or (None) the collection, at a time in microseconds."""
    if grants is None:
        return True
    at = time.time_ns() // 1000 if now is None else now
    return any(
        collection_meets(grant.collections, collection, at) and (item is None or item_meets(grant.items, item, at))
        for grant in grants
    )


def may_read(caller: Caller, collection: Document, item: Document) -> bool:
    """Whether a caller may read an item: open its assets, cut values out of it."""
    return is_open(caller.reads, collection, item)


def readers(rules: Iterable[Rule], collection: Document, item: Document | None = None) -> tuple[str, ...]:
    """Roles of which one must be had to read an item, or something of a collection: for messages."""
    opening = [rule for rule in rules if rule.allow == "read" and is_open((grant_of(rule),), collection, item)]
    return tuple(dict.fromkeys(role for rule in opening for role in rule.roles))


def wanted(roles: Sequence[str]) -> str:
    """How to come to what needs one of these roles, as a sentence."""
    if not roles:
        return "No rule of this site opens it to any role: ask its administrators."
    return f"It is open to {' and '.join(roles)}: ask the administrators of this site for that role."


def check_writer(caller: Caller) -> None:
    """Raises Unauthenticated or Denied unless a caller may change the catalogue."""
    if caller.may(WRITE):
        return
    if caller.is_anonymous:
        raise Unauthenticated("To change the catalogue, sign in as an editor: send a key that may write.")
    raise Denied(
        "You may not change the catalogue: that needs the role editor or administrator, and a key whose scopes have "
        "'write'."
    )
