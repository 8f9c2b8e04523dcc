"""Signed links open one thing for a time, and nothing once they were touched."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import stat
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from terrella import settings
from terrella.access.access import Access
from terrella.access.credentials import Credentials
from terrella.access.links import Links, read_secret
from terrella.errors import Invalid, Unauthenticated
from terrella.model.caller import ANONYMOUS, OPERATOR, Caller


def test_a_link_says_what_it_opens(access: Access, boss: Caller) -> None:
    token = access.links.sign(boss, "jobs/1/result.nc", 60)
    claims = access.links.verify(token, "jobs/1/result.nc")
    assert (claims.what, claims.owner, claims.key) == ("jobs/1/result.nc", "admin", boss.key)
    assert claims.expires == pytest.approx(time.time() + 60, abs=2)
    assert access.links.verify(token) == claims
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_it_is_an_hmac_that_others_can_compute(access: Access, boss: Caller, tmp_path: Path) -> None:
    token = access.links.sign(boss, "x", 60)
    body, signature = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    secret = (tmp_path / "access.secret").read_bytes().strip()
    assert hmac.new(secret, b"link\0" + body, hashlib.sha256).digest() == signature
    assert json.loads(body)[:3] == ["x", "admin", boss.key]


@pytest.mark.parametrize(
    "other", ["jobs/1/result.n", "jobs/1/result.nc ", "jobs/2/result.nc", "", "jobs/1/../1/result.nc", "ä", "\ud800"]
)
def test_it_opens_nothing_else(access: Access, boss: Caller, other: str) -> None:
    token = access.links.sign(boss, "jobs/1/result.nc", 60)
    with pytest.raises(Unauthenticated, match="something else"):
        access.links.verify(token, other)


def test_it_ends(access: Access, boss: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    token = access.links.sign(boss, "x", 60)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    with pytest.raises(Unauthenticated, match="no longer valid"):
        access.links.verify(token)


def test_it_ends_with_its_key(access: Access, boss: Caller) -> None:
    new = access.accounts.make_key(boss, "x")
    token = access.links.sign(access.authenticate(Credentials((new.text,))), "x", 60)
    mine = access.links.sign(boss, "x", 60)
    access.accounts.revoke_key(boss, new.key.id)
    with pytest.raises(Unauthenticated, match="no longer valid"):
        access.links.verify(token)
    assert access.links.verify(mine).what == "x"


def test_it_ends_with_its_owner(access: Access, boss: Caller) -> None:
    access.accounts.add_user(boss, "ann")
    token = access.links.sign(access.caller("ann"), "x", 60)
    assert access.links.verify(token).owner == "ann"
    access.accounts.change(boss, "ann", is_disabled=True)
    with pytest.raises(Unauthenticated, match="disabled"):
        access.links.verify(token)


def test_those_without_an_account_sign_too(access: Access) -> None:
    for caller in (OPERATOR, ANONYMOUS):
        assert access.links.verify(access.links.sign(caller, "x", 60)).owner == caller.name


@pytest.fixture(scope="module")
def links() -> Links:
    return Links(b"s" * 64, lambda owner, key: None)


@given(st.integers(0, 10_000), st.characters())
@hypothesis_settings(derandomize=True, deadline=None, max_examples=300)
def test_any_change_is_seen(links: Links, place: int, letter: str) -> None:
    token = links.sign(ANONYMOUS, "jobs/1/result.nc", 60)
    at = place % len(token)
    changed = token[:at] + letter + token[at + 1 :]
    if changed == token:
        return
    with pytest.raises(Unauthenticated, match="not made here"):
        links.verify(changed)


@pytest.mark.parametrize("token", ["", ".", "a", "a.b", "..", "ä.ö", "=.=", "W10.W10", "x" * 100_000, "\ud800", "%00"])
def test_nonsense_is_refused(links: Links, token: str) -> None:
    with pytest.raises(Unauthenticated):
        links.verify(token)


def test_more_is_no_link(links: Links) -> None:
    token = links.sign(ANONYMOUS, "x", 60)
    for changed in (token + "=", token + ".", token + "A", " " + token, token + "\n", token.replace(".", "..")):
        with pytest.raises(Unauthenticated):
            links.verify(changed)
    with pytest.raises(Unauthenticated):
        Links(b"t" * 64, lambda owner, key: None).verify(token)


def test_what_is_signed_for_one_purpose_serves_no_other(links: Links) -> None:
    text = json.dumps(["x", "admin", "", time.time() + 60])
    signed = links.signed(text, "sign-in")
    assert links.unsigned(signed, "sign-in") == text
    with pytest.raises(Unauthenticated):
        links.verify(signed)
    with pytest.raises(Unauthenticated):
        links.unsigned(signed, "other")


@pytest.mark.parametrize("seconds", [0, -1, 1e9, float("nan"), float("inf")])
def test_times_that_cannot_be(links: Links, seconds: float) -> None:
    with pytest.raises(Invalid):
        links.sign(ANONYMOUS, "x", seconds)
    with pytest.raises(Invalid):
        links.sign(ANONYMOUS, "x" * 5000, 60)


def test_one_secret_for_all_processes(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(read_secret(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["access.secret"]
    assert stat.S_IMODE((tmp_path / "access.secret").stat().st_mode) == 0o600
    (tmp_path / "access.secret").write_text("short")
    with pytest.raises(Invalid, match="holds no secret"):
        Access(tmp_path, settings.Access())
