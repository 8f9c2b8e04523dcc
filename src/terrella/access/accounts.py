"""What callers may change about accounts: their own keys; administrators everything."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from terrella.access.names import checked_scopes, scopes_of
from terrella.access.users import User
from terrella.errors import Denied, Invalid, NotFound, Unauthenticated
from terrella.model.caller import ADMINISTER, OPERATOR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from terrella.access.keys import Key, Keys, NewKey
    from terrella.access.passwords import Passwords
    from terrella.access.users import Users
    from terrella.model.caller import Caller

MOST_DAYS = 3660.0
_NAME_LENGTH = 100


class Accounts:
    """Every use case takes the caller first, and refuses what they may not do."""

    def __init__(self, users: Users, keys: Keys, passwords: Passwords) -> None:
        self._users = users
        self._keys = keys
        self._passwords = passwords

    # --- keys ------------------------------------------------------------------------------------------------------

    def make_key(
        self,
        caller: Caller,
        name: str,
        *,
        scopes: Iterable[str] | None = None,
        days: float | None = None,
        owner: str | None = None,
    ) -> NewKey:
        """A new key, for oneself or (administrators) for somebody else; by default it may all that they may.

        A key that ends makes only keys that end no later, and takes them along when it is revoked.
        Raises Invalid, Denied, Unauthenticated, NotFound.
        """
        owner = owner or caller.name
        self._require_self_or_administrator(caller, owner)
        allowed = caller.scopes if owner == caller.name else scopes_of(self._users.get(owner).roles)
        wanted = allowed if scopes is None else checked_scopes(scopes)
        if not wanted <= allowed:
            raise Denied(
                f"{owner} may not {' or '.join(sorted(wanted - allowed))}, so their key cannot either: "
                f"ask for {', '.join(sorted(allowed))} at most."
            )
        if not name.strip() or len(name) > _NAME_LENGTH or not name.isprintable():
            raise Invalid(f"Name the key, in at most {_NAME_LENGTH} letters: where is it used?", parameter="name")
        if days is not None and not 0 < days <= MOST_DAYS:
            raise Invalid(f"A key is good for more than 0 and at most {MOST_DAYS:g} days.", parameter="days")
        seconds = None if days is None else days * 86400
        maker = self._maker(caller)
        if maker and maker.expires is not None:
            left = max(maker.expires - time.time(), 1.0)
            seconds = min(seconds or left, left)
        return self._keys.make(owner, name.strip(), wanted, seconds=seconds, made_with=maker.id if maker else "")

    def keys(self, caller: Caller, owner: str | None = None) -> list[Key]:
        """The caller's keys; an administrator may name another owner, or ask for all with ``"*"``."""
        owner = owner or caller.name
        self._require_self_or_administrator(caller, owner)
        return self._keys.of(None if owner == "*" else owner)

    def revoke_key(self, caller: Caller, identifier: str) -> Key:
        """End a key at once. Raises NotFound, also for somebody else's key."""
        key = self._keys.get(identifier)
        if key is None or (key.owner != caller.name and not caller.may(ADMINISTER)):
            raise NotFound(f"You have no key {identifier!r:.80}: list them to see their ids.", parameter="key")
        self._keys.revoke(key.id)
        return replace(key, revoked=key.revoked or time.time())

    def _maker(self, caller: Caller) -> Key | None:
        """The key that the caller came with; a browser's session leaves no trace on keys made in it."""
        key = self._keys.get(caller.key) if caller.key else None
        return key if key and key.kind == "key" else None

    # --- users -----------------------------------------------------------------------------------------------------

    def users(self, caller: Caller) -> list[User]:
        self._require_administrator(caller)
        return self._users.all()

    def user(self, caller: Caller, name: str) -> User:
        """Raises NotFound, Denied."""
        self._require_self_or_administrator(caller, name)
        return self._users.get(name)

    def add_user(
        self,
        caller: Caller,
        name: str,
        *,
        password: str | None = None,
        roles: Iterable[str] = (),
        groups: Iterable[str] = (),
        email: str = "",
    ) -> User:
        """A new local user; without a password they sign in by key only. Raises Conflict, Invalid, Denied."""
        self._require_administrator(caller)
        encoded = None if password is None else self._passwords.hashed(password)
        return self._users.add(User(name, frozenset(roles), frozenset(groups), email, password=encoded))

    def change(
        self,
        caller: Caller,
        name: str,
        *,
        roles: Iterable[str] | None = None,
        groups: Iterable[str] | None = None,
        is_disabled: bool | None = None,
        password: str | None = None,
        old: str | None = None,
    ) -> User:
        """Change a user; what is None stays. People may change their own password, who show the old one with it.

        A disabled user cannot do anything, nor can their keys and links; nothing of theirs is lost.
        Raises Denied, NotFound, and Invalid when no administrator would be left.
        """
        self._require_self_or_administrator(caller, name)
        if (roles, groups, is_disabled) != (None, None, None):
            self._require_administrator(caller)
        user = self._users.get(name)
        encoded = None
        if password is not None:
            # whoever found a key must not be able to turn it into the account
            if not caller.may(ADMINISTER) and not (old and self._passwords.is_right(user.password, old, name)):
                raise Denied("Give your old password too, as old_password.", parameter="old_password")
            encoded = self._passwords.hashed(password)
        return self._users.change(name, roles=roles, groups=groups, is_disabled=is_disabled, password=encoded)

    # --- may they? -------------------------------------------------------------------------------------------------

    def _require_administrator(self, caller: Caller) -> None:
        _require_account(caller)
        if not caller.may(ADMINISTER):
            raise Denied("Only administrators may do this, with a key of the scope 'administer'.")

    def _require_self_or_administrator(self, caller: Caller, name: str) -> None:
        _require_account(caller)
        if name == OPERATOR.name:
            raise Invalid("The operator of the files needs no account: name a user.", parameter="owner")
        if name != caller.name and not caller.may(ADMINISTER):
            raise Denied("You may do this for yourself only.")


def _require_account(caller: Caller) -> None:
    if caller.is_anonymous:
        raise Unauthenticated("This needs an account: sign in, or send a key.")
