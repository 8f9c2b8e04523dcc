"""Tokens of issuers: what is wrong with one is seen, and what the issuer says of a person is followed."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from issuers import LooseIssuer, loose_issuer
from terrella import settings
from terrella.access import oidc
from terrella.access.access import Access
from terrella.access.credentials import Credentials
from terrella.errors import ProviderUnavailable, Unauthenticated
from terrella.model.caller import OPERATOR, READ, RUN, SCOPES, Caller


@pytest.fixture(scope="module")
def keys() -> list[RSAKey]:
    return [RSAKey.generate_key(2048, {"kid": name, "use": "sig"}) for name in ("one", "two")]


@pytest.fixture
def issuer(keys: list[RSAKey]) -> Iterator[LooseIssuer]:
    with loose_issuer() as made:
        made.key = keys[0]
        yield made


def opened(home: Path, issuer: LooseIssuer, **more: Any) -> Access:
    wanted = settings.Issuer(issuer=issuer.address, client_id="terrella", **more)
    return Access(home, settings.Access(issuers=(wanted,)))


@pytest.fixture
def access(tmp_path: Path, issuer: LooseIssuer) -> Iterator[Access]:
    made = opened(tmp_path, issuer)
    yield made
    made.close()


def who(access: Access, token: str) -> Caller:
    return access.authenticate(Credentials((token,), mark=token.encode()))


def refusal(access: Access, token: str) -> str:
    with pytest.raises(Unauthenticated) as refused:
        who(access, token)
    assert "expired" not in refused.value.message.lower()
    assert token not in refused.value.message
    return refused.value.message


def test_a_right_token_is_somebody(access: Access, issuer: LooseIssuer) -> None:
    caller = who(access, issuer.token(roles=["hydrology"], groups=["field"]))
    assert (caller.name, caller.roles, caller.groups) == ("mary", {"hydrology", "user"}, {"field"})
    assert (caller.scopes, caller.key) == ({READ, RUN}, "")
    assert who(access, issuer.token(aud=["x", "terrella"])).name == "mary"
    assert access.caller("mary").groups == frozenset()  # as the last token said


def without_signature(token: str) -> str:
    top = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    return f"{top}.{token.split('.')[1]}."


def tampered(token: str) -> str:
    top, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "other"}).encode()).rstrip(b"=").decode()
    return f"{top}.{changed}.{signature}"


def test_wrong_tokens_are_refused(access: Access, issuer: LooseIssuer, keys: list[RSAKey]) -> None:
    now, other = int(time.time()), keys[1]
    good = issuer.token()
    assert "another service" in refusal(access, issuer.token(aud="another"))
    assert "another service" in refusal(access, issuer.token(aud=[]))
    assert "another service" in refusal(access, issuer.token(aud="terrella2"))
    assert "no longer valid" in refusal(access, issuer.token(exp=now - 31))
    assert "not signed by its issuer, or was changed" in refusal(access, tampered(good))
    refusal(access, without_signature(good))
    refusal(access, good[:-4])
    refusal(access, good + "x")
    for changes in (
        {"nbf": now + 60}, {"aud": None}, {"exp": None}, {"sub": None}, {"exp": "soon"}, {"sub": 5}, {"aud": 5},
    ):  # fmt: skip
        refusal(access, issuer.token(**changes))
    assert "not known here" in refusal(access, issuer.token(iss="http://127.0.0.1:1"))
    assert "not known here" in refusal(access, issuer.token(iss=issuer.address + "/"))
    refusal(access, issuer.token(key=other))  # a key that the issuer does not publish
    refusal(access, issuer.token(key=other, header={"kid": "one"}))  # in the name of one that it does
    assert who(access, good).name == "mary"


def coded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def test_the_public_key_is_no_shared_secret(access: Access, issuer: LooseIssuer) -> None:
    public = issuer.key.as_pem(private=False)
    for secret in (public, public.strip(), json.dumps(issuer.key.as_dict(private=False)).encode()):
        top = coded(b'{"alg":"HS256","kid":"one"}') + b"." + coded(json.dumps(issuer.claims()).encode())
        refusal(access, (top + b"." + coded(hmac.digest(secret, top, "sha256"))).decode())


def test_subjects_that_cannot_be(access: Access, issuer: LooseIssuer) -> None:
    assert "cannot be read" in refusal(access, issuer.token(sub="\ud800"))
    assert "cannot be read" in refusal(access, issuer.token(email="\ud800@x"))
    for wrong in ("", "x" * 256, "a\0b"):
        assert "'sub' is wrong" in refusal(access, issuer.token(sub=wrong))
    who(access, issuer.token(sub="fine", email="two words@x"))
    assert access.users.get("mary").email == ""


def test_only_the_named_algorithms(tmp_path: Path, issuer: LooseIssuer) -> None:
    curve = ECKey.generate_key("P-256", {"kid": "curve", "use": "sig"})
    issuer.known = [issuer.key, curve]
    access = opened(tmp_path, issuer, algorithms=("ES256",))
    refusal(access, issuer.token())
    assert who(access, issuer.token(key=curve)).name == "mary"
    access.close()


def test_keys_are_fetched_again_but_not_all_day(
    access: Access, issuer: LooseIssuer, keys: list[RSAKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    who(access, issuer.token())
    assert issuer.asked == 1
    for number in range(5):
        refusal(access, issuer.token(key=keys[1], header={"kid": f"made up {number}"}))
    assert issuer.asked == 1
    issuer.known = list(keys)  # it has a new key now
    refusal(access, issuer.token(key=keys[1]))
    now = time.monotonic()
    monkeypatch.setattr(oidc.time, "monotonic", lambda: now + 20)
    assert who(access, issuer.token(key=keys[1])).name == "mary"
    assert issuer.asked == 2


def test_keys_of_other_kinds_are_passed_over(tmp_path: Path, issuer: LooseIssuer) -> None:
    issuer.odd = [
        {"kty": "new"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA", "n": "!", "e": "AQAB"},
        {"kty": "EC"},
        {},
    ]
    access = opened(tmp_path, issuer)
    assert who(access, issuer.token(exp=10**15)).name == "mary"
    assert "cannot be read" in refusal(access, issuer.token(exp=10**400))
    assert who(access, issuer.token(header={"kid": None})).name == "mary"
    access.close()


def test_an_issuer_that_is_down(tmp_path: Path, issuer: LooseIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer.is_up = False
    access = opened(tmp_path, issuer)
    token = issuer.token()
    with pytest.raises(ProviderUnavailable, match="cannot be asked"):
        who(access, token)
    issuer.is_up = True
    now = time.monotonic()
    monkeypatch.setattr(oidc.time, "monotonic", lambda: now + 20)
    assert who(access, token).name == "mary"
    issuer.is_up = False  # keys that were good stay good
    monkeypatch.setattr(oidc.time, "monotonic", lambda: now + 8000)
    access.forget()
    assert who(access, token).name == "mary"
    access.close()


def test_an_issuer_that_calls_itself_otherwise(tmp_path: Path, issuer: LooseIssuer) -> None:
    wanted = settings.Issuer(issuer=issuer.address + "/", client_id="terrella")
    access = Access(tmp_path, settings.Access(issuers=(wanted,)))
    with pytest.raises(ProviderUnavailable):
        who(access, issuer.token(iss=issuer.address + "/"))
    access.close()


def test_no_issuer_takes_over_an_account(access: Access, issuer: LooseIssuer) -> None:
    assert access.first_key()
    access.accounts.add_user(OPERATOR, "ann", roles=["editor"])
    for name in ("admin", "ann", "operator", "anonymous"):
        caller = who(access, issuer.token(preferred_username=name, sub=f"sub {name}"))
        assert caller.name == f"{name}-127.0.0.1"
        assert caller.scopes == {READ, RUN}
    again = who(access, issuer.token(preferred_username="ann", sub="a third ann"))
    assert again.name.startswith("ann-127.0.0.1-")
    assert who(access, issuer.token(preferred_username="changed", sub="sub ann")).name == "ann-127.0.0.1"


@pytest.mark.parametrize(
    ("name", "known_as"),
    [
        ("Mary Ann", "Mary-Ann"),
        ("mary@example.org", "mary@example.org"),
        ("../x", "x"),
        ("<b>", "b-"),
        ("ann:x,y", "ann-x-y"),
    ],
)
def test_names_are_made_sane(access: Access, issuer: LooseIssuer, name: str, known_as: str) -> None:
    assert who(access, issuer.token(preferred_username=name)).name == known_as


@pytest.mark.parametrize("name", ["", "ä", None, 5, ["x"]])
def test_names_that_cannot_be_are_replaced(access: Access, issuer: LooseIssuer, name: Any) -> None:
    found = who(access, issuer.token(preferred_username=name, sub="ö", email=None)).name
    assert found.startswith("user-")


def test_roles_that_only_the_site_gives(access: Access, issuer: LooseIssuer) -> None:
    claimed = ["administrator", "operator", "anonymous", "group:secret", "user", "hydrology", "two words", 5, None, {}]
    caller = who(access, issuer.token(roles=claimed, groups="field office"))
    assert caller.roles == {"user", "hydrology"}
    assert caller.groups == {"field", "office"}
    assert caller.scopes == {READ, RUN}


def test_administrators_by_claim(tmp_path: Path, issuer: LooseIssuer) -> None:
    access = opened(
        tmp_path, issuer, administrators=("chiefs",), roles_claim="realm_access.roles", groups_claim="https://x/groups"
    )
    token = issuer.token(realm_access={"roles": ["chiefs", "a"]}, **{"https://x/groups": ["g"]})
    caller = who(access, token)
    assert caller.roles == {"administrator", "chiefs", "a", "user"}
    assert (caller.groups, caller.scopes, caller.reads) == ({"g"}, SCOPES, None)
    later = who(access, issuer.token(realm_access={"roles": ["a"]}))
    assert later.scopes == {READ, RUN}  # the chief is one no longer
    for odd in ({"realm_access": 5}, {"realm_access": {"roles": {"a": 1}}}, {"realm_access": {"roles": 7}}):
        assert who(access, issuer.token(**odd)).roles == {"user"}
    access.close()


def test_a_disabled_user_is_shut_out(access: Access, issuer: LooseIssuer) -> None:
    token = issuer.token()
    who(access, token)
    access.accounts.change(OPERATOR, "mary", is_disabled=True)
    assert access.known(token.encode()) is None
    assert "disabled" in refusal(access, token)
    assert "disabled" in refusal(access, issuer.token())


def test_a_token_is_remembered_until_it_ends(
    access: Access, issuer: LooseIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issuer.token(exp=int(time.time()) + 100)
    who(access, token)
    assert access.known(token.encode()) is not None
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 101)
    assert access.known(token.encode()) is None
