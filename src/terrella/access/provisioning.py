"""Users whom an issuer vouches for: the account here is made at their first token and follows their claims."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from terrella.access.names import ADMINISTRATOR, RESERVED_NAMES, sane_words
from terrella.access.oidc import Issuer, issuer_named_in
from terrella.access.users import User
from terrella.errors import Conflict, NotFound, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from terrella import settings
    from terrella.access.users import Users

_LOOKED_AGAIN = 86400.0
"""Seconds after which even a token that says that it is good for longer is looked at again."""
_EMAIL = re.compile(r"[!-~]{1,200}@[!-~]{1,200}")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._@+\-]+")


class Vouched:
    """The issuers of a site, and the users whom they vouch for."""

    def __init__(self, users: Users, wanted: Iterable[settings.Issuer]) -> None:
        self._users = users
        self.issuers = {one.issuer: Issuer(one) for one in wanted}

    def close(self) -> None:
        for issuer in self.issuers.values():
            issuer.close()

    def issuer(self, address: str | None = None) -> Issuer:
        """One by its address, or the first. Raises NotFound."""
        if address is None and self.issuers:
            return next(iter(self.issuers.values()))
        if address is None or address not in self.issuers:
            raise NotFound(f"This site knows no issuer {address or ''!r:.200}.", parameter="issuer")
        return self.issuers[address]

    def user(self, token: str) -> tuple[User, float]:
        """Whose token this is, and until when it is good (seconds since 1970).

        Raises Unauthenticated, or ProviderUnavailable when the issuer's keys cannot be had.
        """
        if token.count(".") != 2 or not self.issuers:
            raise Unauthenticated("This is no key of this site: keys begin with tk_.")
        issuer = self.issuers.get(issuer_named_in(token))
        if issuer is None:
            raise Unauthenticated("This token comes from an issuer that is not known here.")
        claims = issuer.verified(token)
        return self.user_of(issuer, claims), float(min(claims["exp"], time.time() + _LOOKED_AGAIN))

    def user_of(self, issuer: Issuer, claims: Mapping[str, Any]) -> User:
        """The account of the person whom proved claims speak of; made, or brought up to date."""
        address, subject = issuer.settings.issuer, str(claims["sub"])
        said = _said(issuer.settings, claims)
        found = self._users.of_issuer(address, subject)
        if found is None:
            return self._made(address, subject, said)
        if (found.roles, found.groups, found.email) == (said.roles, said.groups, said.email):
            return found
        self._users.renew(User(found.name, said.roles, said.groups, said.email))
        return self._users.get(found.name)

    def _made(self, address: str, subject: str, said: User) -> User:
        """Under the name that they want, if nobody here has it: an issuer never takes over another's account."""
        for name in _names(said.name, address, subject):
            try:
                return self._users.add(User(name, said.roles, said.groups, said.email, address, subject))
            except Conflict:
                found = self._users.of_issuer(address, subject)  # another request was quicker
                if found is not None:
                    return found
        raise Conflict("There is an account of this name already: ask an administrator of this site.")


def _said(wanted: settings.Issuer, claims: Mapping[str, Any]) -> User:
    named = (claims.get(wanted.name_claim), claims.get("email"), claims["sub"])
    name = next(value for value in named if isinstance(value, str) and value)
    roles, groups = _listed(claims, wanted.roles_claim), _listed(claims, wanted.groups_claim)
    ours = sane_words(roles)
    if set(wanted.administrators) & {value for value in roles + groups if isinstance(value, str)}:
        ours |= {ADMINISTRATOR}
    email = claims.get("email")
    return User(name, ours, sane_words(groups), email if isinstance(email, str) and _EMAIL.fullmatch(email) else "")


def _listed(claims: Mapping[str, Any], path: str) -> list[Any]:
    """The values of a claim: a list, or words in one text; `path` leads with dots into nested claims."""
    found: Any = claims
    if path in claims:
        found = claims[path]
    else:
        for step in path.split("."):
            found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, str):
        return found.split()
    return found[:200] if isinstance(found, list) else []


def _names(wanted: str, address: str, subject: str) -> list[str]:
    host = urlsplit(address).hostname or "issuer"
    short = base64.b32encode(hashlib.sha256(f"{address}\0{subject}".encode()).digest())[:8].decode().lower()
    plain = _NOT_IN_NAMES.sub("-", wanted).lstrip("._@+-")[:60]
    names = [f"{plain}-{host}"[:110], f"{plain}-{host}-{short}"[:120]] if plain else [f"user-{short}"]
    return ([plain] if plain and plain not in RESERVED_NAMES else []) + names
