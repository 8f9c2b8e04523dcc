"""Who asks. Every use case takes the caller first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who asks for something; `roles` are the words that policies speak of."""

    name: str
    roles: frozenset[str] = frozenset()


ANONYMOUS = Caller("anonymous")
"""Somebody on the network who has not said who they are."""

OPERATOR = Caller("operator", frozenset({"operator"}))
"""Whoever can run `terrella` on the site's own files."""
