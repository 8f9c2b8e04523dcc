"""An OpenID Connect issuer: its keys, and whether a token of its is right.

OpenID Connect Core 1.0 (3.1.3.7: ID token validation), Discovery 1.0, RFC 8414, RFC 7636 (PKCE), RFC 8725 (JWT: best
practice).
"""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from terrella.errors import ProviderUnavailable, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx
    from joserfc.jwk import KeySet
    from joserfc.jwt import ClaimsOption

    from terrella import settings

LEEWAY = 30
"""Seconds by which two clocks may differ."""
_TIMEOUT = 5.0
_OLD = 3600.0
"""Seconds after which discovery document and keys are fetched again."""
_PAUSE = 15.0
"""Least seconds between two fetches: made-up key ids must not make us knock at the issuer's door all day."""

_SUBJECT = re.compile(r"[^\x00-\x1f\ud800-\udfff]{1,255}")
"""OpenID Connect Core 1.0, 2: at most 255 ASCII characters; other letters are taken too."""
_NO_LONGER = "This token is no longer valid: sign in again to get a new one."


class Fetched[T]:
    """Something fetched, kept, and fetched again when it is old or wanted; the last good one outlives a failure."""

    def __init__(self, fetch: Callable[[], T]) -> None:
        self._fetch = fetch
        self._value: T | None = None
        self._good = self._tried = float("-inf")
        self._failure = ""
        self._lock = threading.Lock()

    def get(self, *, newer: bool = False) -> T:
        """The value; `newer` asks for one fetched now if the last try is long enough ago.

        Raises ProviderUnavailable when there never was one.
        """
        now = time.monotonic()
        due = newer or self._value is None or now - self._good > _OLD
        # while one thread fetches, the others go on with what there is
        if due and self._lock.acquire(blocking=self._value is None):
            try:
                if now - self._tried > _PAUSE:
                    self._tried = now
                    self._renew(now)
            finally:
                self._lock.release()
        if self._value is None:
            raise ProviderUnavailable(f"The issuer of this token cannot be asked just now. {self._failure}")
        return self._value

    def _renew(self, now: float) -> None:
        import httpx

        try:
            self._value = self._fetch()
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._failure = f"({type(error).__name__})"
        else:
            self._good = now


class Issuer:
    """One issuer. Nothing is fetched before it is needed."""

    def __init__(self, wanted: settings.Issuer) -> None:
        self.settings = wanted
        self._client: httpx.Client | None = None
        self._metadata = Fetched(self._discover)
        self._keys = Fetched(self._fetch_keys)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its discovery document. Raises ProviderUnavailable."""
        return self._metadata.get()

    def verified(self, token: str, *, audiences: tuple[str, ...] = (), nonce: str | None = None) -> dict[str, Any]:
        """The claims of a token of this issuer, made for this site, good now.

        Raises Unauthenticated; ProviderUnavailable when its keys were never to be had.
        """
        from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
        from joserfc.jwt import JWTClaimsRegistry

        claims = self._signed_claims(token)
        allowed = audiences or self.settings.audiences or (self.settings.client_id,)
        wanted: dict[str, ClaimsOption] = {
            "iss": {"essential": True, "value": self.settings.issuer},
            "aud": {"essential": True, "values": list(allowed)},
            "sub": {"essential": True},
            "exp": {"essential": True},
        }
        if nonce is not None:
            wanted["nonce"] = {"essential": True, "value": nonce}
        registry = JWTClaimsRegistry(None, LEEWAY, **wanted)
        try:
            registry.validate(claims)
        except ExpiredTokenError:
            raise Unauthenticated(_NO_LONGER) from None
        except InvalidClaimError as error:
            if error.claim == "aud":
                raise Unauthenticated("This token was made for another service, not for this one.") from None
            raise Unauthenticated(f"This token is not valid: its claim {error.claim!r:.40} is wrong.") from None
        except (MissingClaimError, JoseError) as error:
            raise Unauthenticated(f"This token is not valid: {_short(error)}.") from None
        if not _SUBJECT.fullmatch(claims["sub"]):
            raise Unauthenticated("This token is not valid: its claim 'sub' is wrong.")
        return claims

    def sign_in_address(self, back: str, state: str, nonce: str, challenge: str) -> str:
        """Where to send a browser so that it comes back with a code; `challenge` is the PKCE one (S256)."""
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": back,
            "scope": self.settings.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = str(self.metadata["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def claims_for_code(self, code: str, back: str, verifier: str, nonce: str) -> dict[str, Any]:
        """The claims of the ID token that a code stands for. Raises Unauthenticated, ProviderUnavailable."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self.settings.client_id,
            "code_verifier": verifier,
        }
        if secret := self.settings.client_secret.get_secret_value():
            form["client_secret"] = secret
        answer = self._post(str(self.metadata["token_endpoint"]), form)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise Unauthenticated("The issuer did not confirm this sign-in: start again.")
        return self.verified(token, audiences=(self.settings.client_id,), nonce=nonce)

    def _signed_claims(self, token: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError

        algorithms = list(self.settings.algorithms)
        for is_last in (False, True):
            try:
                return dict(jwt.decode(token, self._keys.get(newer=is_last), algorithms=algorithms).claims)
            except (BadSignatureError, InvalidKeyIdError):  # it may have new keys since
                continue
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise Unauthenticated(f"This token is not valid: {_short(error)}.") from None
        raise Unauthenticated("This token was not signed by its issuer, or was changed since.")

    def _discover(self) -> Mapping[str, Any]:
        found = self._get(self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self.settings.issuer:
            raise ValueError("the issuer calls itself otherwise")
        return found

    def _fetch_keys(self) -> KeySet:
        from joserfc.jwk import KeySet

        found = self._get(str(self.metadata["jwks_uri"]))
        usable: list[Any] = [key for key in map(_signing_key, found["keys"]) if key is not None]
        if not usable:
            raise ValueError("the issuer has no key that signs")
        return KeySet(usable)

    def _get(self, address: str) -> dict[str, Any]:
        answer = self._http().get(address, headers={"Accept": "application/json"})
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _post(self, address: str, form: Mapping[str, str]) -> dict[str, Any]:
        import httpx

        try:
            answer = self._http().post(address, data=dict(form), headers={"Accept": "application/json"})
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderUnavailable(f"The issuer does not answer as it should ({type(error).__name__}).") from None
        return found if isinstance(found, dict) else {}

    def _http(self) -> httpx.Client:
        import httpx

        if self._client is None:
            self._client = httpx.Client(timeout=_TIMEOUT)
        return self._client


def _signing_key(found: dict[str, Any]) -> Any:
    """A public key to check signatures with; None for one of another use or kind."""
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    if found.get("use", "sig") != "sig" or found.get("kty") not in {"RSA", "EC", "OKP"}:
        return None
    try:
        return import_key(found)
    except (JoseError, ValueError, TypeError):
        return None


def issuer_named_in(token: str) -> str:
    """The issuer that a token claims to be from, to know whom to ask; nothing of it is proved yet."""
    import orjson
    from joserfc.errors import JoseError
    from joserfc.jws import extract_compact

    try:
        claims = orjson.loads(extract_compact(token.encode()).payload)
        return str(claims["iss"])
    except (JoseError, ValueError, KeyError, TypeError):
        raise Unauthenticated("This token is not valid: it cannot be read.") from None


def _short(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.replace("expired", "no longer valid")[:120].rstrip(".")
