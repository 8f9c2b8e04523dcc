"""What users, roles and keys may be called, and what roles may do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from terrella.errors import Invalid, nearest_names
from terrella.model.caller import ANONYMOUS, OPERATOR, READ, RUN, SCOPES, WRITE

if TYPE_CHECKING:
    from collections.abc import Iterable

ADMINISTRATOR = "administrator"
EDITOR = "editor"
RESERVED_NAMES = frozenset({ANONYMOUS.name, OPERATOR.name})
RESERVED_ROLES = frozenset({"anonymous", "user", "operator"})
"""Given by the site itself: to those who did not sign in, to those who did, and to whoever holds its files."""

_GROUP = "group:"
"""Rules write a group as a role that begins so."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+\-]{0,127}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/\-]{0,127}")


def scopes_of(roles: Iterable[str]) -> frozenset[str]:
    """All that a user with these roles may do: administrators everything, editors change the catalogue too."""
    held = set(roles)
    if ADMINISTRATOR in held:
        return SCOPES
    return frozenset({READ, RUN, WRITE} if EDITOR in held else {READ, RUN})


def checked_user_name(name: str) -> str:
    """The name itself. Raises Invalid."""
    if not _NAME.fullmatch(name):
        raise Invalid(
            "A user name has 1 to 128 letters, digits or any of . _ @ + - and begins with a letter or digit, "
            f"not {name!r:.80}.",
            parameter="name",
        )
    if name in RESERVED_NAMES:
        raise Invalid(f"{name!r} is a name of the site itself: choose another.", parameter="name")
    return name


def checked_roles(roles: Iterable[str]) -> frozenset[str]:
    """Roles or groups as a set. Raises Invalid for what is no word and for roles that only the site gives."""
    found = frozenset(roles)
    for role in found:
        if not _WORD.fullmatch(role):
            raise Invalid(f"A role is one word such as 'hydrology', not {role!r:.80}.", parameter="roles")
        if not _is_free(role):
            raise Invalid(f"The role {role!r} is given by the site itself.", parameter="roles")
    return found


def checked_scopes(scopes: Iterable[str]) -> frozenset[str]:
    """Raises Invalid for a scope that does not exist, or for none at all."""
    found = frozenset(scopes)
    for scope in sorted(found - SCOPES):
        raise Invalid(f"There is no scope {scope!r:.80}. {nearest_names(scope, SCOPES)}", parameter="scopes")
    if not found:
        raise Invalid(f"Name at least one scope: {', '.join(sorted(SCOPES))}.", parameter="scopes")
    return found


def sane_words(values: Iterable[object]) -> frozenset[str]:
    """Those values from outside that may be roles here; none that the site itself gives, nor the administrator's."""
    words = {value for value in values if isinstance(value, str) and _WORD.fullmatch(value) and _is_free(value)}
    return frozenset(words - {ADMINISTRATOR})


def _is_free(role: str) -> bool:
    return role not in RESERVED_ROLES and not role.startswith(_GROUP)
