"""Who asks: credentials become a Caller, once a request; what was found right stays in memory for moments."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from terrella.access import keys as keys_of
from terrella.access import users as users_of
from terrella.access.accounts import Accounts
from terrella.access.keys import Keys, NewKey, fresh_key, looks_like_key
from terrella.access.links import Links, read_secret
from terrella.access.names import ADMINISTRATOR, scopes_of
from terrella.access.passwords import Passwords
from terrella.access.profiles import Profiles
from terrella.access.provisioning import Vouched
from terrella.access.rules import check_rules, grants_of
from terrella.access.schema import open_database
from terrella.access.users import User, Users
from terrella.errors import Unauthenticated
from terrella.model.caller import ANONYMOUS, OPERATOR, READ, SCOPES, WRITE, Caller, Grants

if TYPE_CHECKING:
    from pathlib import Path

    from terrella import settings
    from terrella.access.credentials import Credentials

FRESH_SECONDS = 2.0
"""How long something found right is believed without looking again: another process may have revoked it."""
_REMEMBERED = 10_000
FIRST_USER = "admin"

_DISABLED = "This account is disabled: ask an administrator of this site."
_NO_LONGER = "This key is no longer valid: make a new one (`terrella key create`, or on the page /account)."
_NO_SUCH = "This key is not known here: check that it is whole and made at this site, or make a new one."
_WRONG_PASSWORD = "User name or password are wrong."  # noqa: S105


@dataclass(frozen=True, slots=True)
class _Known:
    """A caller found right; `looked` on the monotonic clock, `until` in seconds since 1970."""

    caller: Caller
    looked: float
    until: float


class Access:
    """The accounts of one site: `users`, `keys`, `profiles`, signed `links`; `accounts` changes them as a caller.

    Raises Invalid for rules that are wrong.
    """

    def __init__(self, home: Path, wanted: settings.Access) -> None:
        check_rules(wanted.rules)
        self.settings = wanted
        self._database = open_database(home)
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._changes = 0
        self._lock = threading.Lock()
        self.passwords = Passwords()
        self.users = Users(self._database, self.forget)
        self.keys = Keys(self._database, self.forget)
        self.vouched = Vouched(self.users, wanted.issuers)
        self.links = Links(read_secret(home), self._check_link)
        self.accounts = Accounts(self.users, self.keys, self.passwords)
        self.profiles = Profiles(self._database)
        self.anonymous = self._nobody()

    def close(self) -> None:
        self.vouched.close()
        self._database.close()

    # --- who is it? ------------------------------------------------------------------------------------------------

    def known(self, mark: bytes) -> Caller | None:
        """Whoever showed these credentials moments ago; None says to ask `authenticate`. Never waits for anything."""
        found = self._known.get(mark)
        if found is None or time.monotonic() - found.looked > FRESH_SECONDS or time.time() >= found.until:
            return None
        return found.caller

    def authenticate(self, credentials: Credentials) -> Caller:
        """Who this is; the anonymous caller where nothing was shown. May wait for the disk, argon2 or an issuer.

        Raises Unauthenticated when none of what was shown is right, QuotaExceeded when too many sign in at once,
        ProviderUnavailable when the issuer of a token cannot be asked.
        """
        if not credentials:
            return self.anonymous
        changes = self._changes
        refusal: Unauthenticated | None = None
        looks = [partial(self._of_token, token) for token in credentials.tokens]
        looks += [partial(self._of_password, *pair) for pair in credentials.passwords]
        for look in looks:
            try:
                caller, until = look()
            except Unauthenticated as error:
                refusal = refusal or error
            else:
                self._remember(credentials.mark, caller, until, changes)
                return caller
        assert refusal is not None
        raise refusal

    def sign_in(self, name: str, password: str) -> Caller:
        """A local user, by password. Raises Unauthenticated, QuotaExceeded."""
        return self._of_password(name, password)[0]

    def caller(self, name: str) -> Caller:
        """Someone by name, with the rights that they have now: for work done later in their name.

        Raises Unauthenticated for an account that is gone or disabled.
        """
        if name == OPERATOR.name:
            return OPERATOR
        if name == ANONYMOUS.name:
            return self.anonymous
        return self._caller(self._enabled(name), SCOPES)

    def session(self, caller: Caller, seconds: float | None = None) -> NewKey:
        """A key for a browser or for a client that signs in by password, good for some hours.

        Whoever came with a key gets nothing that outlives it.
        """
        lasting = self.settings.session_hours * 3600 if seconds is None else seconds
        shown = self.keys.get(caller.key) if caller.key else None
        if shown is not None and shown.expires is not None:
            lasting = min(lasting, max(shown.expires - time.time(), 1.0))
        return self.keys.make(
            caller.name, "session", caller.scopes, seconds=lasting, kind="session", made_with=caller.key
        )

    def first_user(self) -> bool:
        """Make the first administrator where the site has none; whether it had none."""
        return self._begin(None)

    def first_key(self) -> NewKey | None:
        """The key of the first administrator, made with them now; None where the site has one already."""
        new = fresh_key(FIRST_USER, "first key", SCOPES)
        return new if self._begin(new) else None

    def _begin(self, new: NewKey | None) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            if users_of.has_administrator(connection, FIRST_USER):
                return False
            users_of.insert(connection, User(FIRST_USER, frozenset({ADMINISTRATOR})))
            if new:
                keys_of.insert(connection, new)
            return True

        return self._database.write(work)

    def forget(self) -> None:
        """Look everything up again: something changed."""
        with self._lock:
            self._changes += 1
            self._known.clear()

    # --- how it is found out ---------------------------------------------------------------------------------------

    def _of_token(self, token: str) -> tuple[Caller, float]:
        if looks_like_key(token):
            return self._of_key(token)
        user, until = self.vouched.user(token)
        if user.is_disabled:
            raise Unauthenticated(_DISABLED)
        return self._caller(user, SCOPES), until

    def _of_key(self, text: str) -> tuple[Caller, float]:
        key, now = self.keys.find(text), time.time()
        if key is None:
            raise Unauthenticated(_NO_SUCH)
        if not key.is_good(now):
            raise Unauthenticated(_NO_LONGER)
        user = self._enabled(key.owner)
        self.keys.note_use(key, now)
        return self._caller(user, key.scopes, key.id), key.expires or float("inf")

    def _of_password(self, name: str, password: str) -> tuple[Caller, float]:
        user = self.users.find(name)
        if not self.passwords.is_right(user.password if user else None, password, name) or user is None:
            raise Unauthenticated(_WRONG_PASSWORD)
        if user.is_disabled:
            raise Unauthenticated(_DISABLED)
        return self._caller(user, SCOPES), float("inf")

    def _enabled(self, name: str) -> User:
        user = self.users.find(name)
        if user is None:
            raise Unauthenticated(f"There is no account {name!r:.80} any more.")
        if user.is_disabled:
            raise Unauthenticated(_DISABLED)
        return user

    def _caller(self, user: User, scopes: frozenset[str], key: str = "") -> Caller:
        roles = user.roles | {"user"}
        finds, reads = self._grants(roles, user.groups)
        scopes &= scopes_of(user.roles)
        if READ not in scopes:  # such a key finds what it changes, and reads what anybody reads
            reads = self.anonymous.reads
        return Caller(user.name, roles, user.groups, finds, reads, scopes, key)

    def _nobody(self) -> Caller:
        """Somebody without credentials: may look, where the site lets them."""
        if not self.settings.anonymous:
            return ANONYMOUS
        given = frozenset(self.settings.anonymous_roles)
        roles = given | {"anonymous"}
        finds, reads = self._grants(roles, frozenset())
        scopes = frozenset({READ}) | (scopes_of(given) & {WRITE})
        return Caller(ANONYMOUS.name, roles, frozenset(), finds, reads, scopes)

    def _grants(self, roles: frozenset[str], groups: frozenset[str]) -> tuple[Grants, Grants]:
        """What the rules open to these roles; groups are roles that begin with ``group:``."""
        return grants_of(self.settings.rules, roles | {f"group:{group}" for group in groups})

    def _check_link(self, owner: str, key: str) -> None:
        if self.caller(owner).is_anonymous and not self.settings.anonymous:
            raise Unauthenticated("This link is no longer valid: this site answers to those who have an account.")
        if key:
            found = self.keys.get(key)
            if found is None or found.revoked is not None:
                raise Unauthenticated("The key that this link was made with is no longer valid.")

    def _remember(self, mark: bytes, caller: Caller, until: float, changes: int) -> None:
        if not mark:
            return
        with self._lock:
            if changes != self._changes:  # a key was revoked while this one was looked up
                return
            self._known[mark] = _Known(caller, time.monotonic(), until)
            self._known.move_to_end(mark)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
