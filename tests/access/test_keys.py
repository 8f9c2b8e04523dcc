"""API keys: only a hash is kept; they end when they should, here at once and elsewhere within seconds."""

from __future__ import annotations

import hashlib
import sqlite3
import stat
import threading
import time
from pathlib import Path

import pytest

from terrella import settings
from terrella.access.access import FIRST_USER, FRESH_SECONDS, Access
from terrella.access.credentials import Credentials, credentials_from
from terrella.access.keys import NewKey
from terrella.errors import Denied, Invalid, NotFound, Unauthenticated
from terrella.model.caller import ADMINISTER, OPERATOR, READ, RUN, SCOPES, WRITE, Caller


def shown(new: NewKey) -> Credentials:
    return credentials_from([f"Bearer {new.text}".encode()], mark=b"mark of " + new.text.encode())


def refusal(access: Access, new: NewKey) -> str:
    with pytest.raises(Unauthenticated) as refused:
        access.authenticate(shown(new))
    assert "expired" not in refused.value.message.lower()
    return refused.value.message


def test_the_first_key_is_made_once(access: Access, tmp_path: Path) -> None:
    made: list[NewKey | None] = []
    threads = [threading.Thread(target=lambda: made.append(access.first_key())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = [new for new in made if new]
    assert len(keys) == 1
    caller = access.authenticate(shown(keys[0]))
    assert (caller.name, caller.scopes, caller.finds, caller.reads) == ("admin", SCOPES, None, None)
    again = Access(tmp_path, settings.Access())
    assert again.first_key() is None
    again.close()


def test_only_a_hash_is_kept(access: Access, boss: Caller, tmp_path: Path) -> None:
    new = access.accounts.make_key(boss, "laptop")
    assert new.text not in repr(new)
    access.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("access.*"))
    assert new.text.encode() not in stored
    assert new.text[3:].encode() not in stored
    assert hashlib.sha256(new.text.encode()).digest() in stored
    for path in tmp_path.glob("access.*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_keys_are_long_and_of_all_letters(access: Access, boss: Caller) -> None:
    texts = {access.accounts.make_key(boss, "x").text for _ in range(50)}
    assert len(texts) == 50
    assert all(text.startswith("tk_") and len(text) == 46 for text in texts)  # 32 bytes in base64


def test_the_file_survives_a_power_cut(access: Access, tmp_path: Path) -> None:
    with access._database.reading() as connection:
        assert connection.execute("pragma synchronous").fetchone()[0] == 2  # full
    assert sqlite3.connect(tmp_path / "access.sqlite").execute("pragma journal_mode").fetchone()[0] == "wal"


def test_a_key_may_no_more_than_its_scopes_and_its_owner(access: Access, boss: Caller) -> None:
    access.accounts.add_user(boss, "ann")
    access.accounts.add_user(boss, "ed", roles=["editor"])
    assert access.caller("ann").scopes == {READ, RUN}
    assert access.caller("ed").scopes == {READ, RUN, WRITE}
    new = access.accounts.make_key(boss, "x", owner="ed", scopes=["read", "write"])
    assert access.authenticate(shown(new)).scopes == {READ, WRITE}
    access.accounts.change(boss, "ed", roles=[])
    assert access.authenticate(shown(new)).scopes == {READ}
    with pytest.raises(Denied, match="ann may not write"):
        access.accounts.make_key(boss, "x", owner="ann", scopes=["write"])
    with pytest.raises(Invalid, match=r"no scope 'raed'\. Did you mean 'read'"):
        access.accounts.make_key(boss, "x", scopes=["raed"])


def test_a_key_ends(access: Access, boss: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    new = access.accounts.make_key(boss, "x", days=1)
    access.authenticate(shown(new))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86399)
    assert access.authenticate(shown(new)).name == "admin"
    assert access.known(shown(new).mark) is not None
    monkeypatch.setattr(time, "time", lambda: now + 86402)
    assert access.known(shown(new).mark) is None
    assert "no longer valid" in refusal(access, new)


def test_a_revoked_key_ends_at_once_with_those_it_made(access: Access, boss: Caller) -> None:
    first = access.accounts.make_key(boss, "first")
    holder = access.authenticate(shown(first))
    second = access.accounts.make_key(holder, "second")
    third = access.accounts.make_key(access.authenticate(shown(second)), "third")
    access.authenticate(shown(third))
    assert access.known(shown(third).mark) is not None
    access.accounts.revoke_key(boss, first.key.id)
    assert access.known(shown(third).mark) is None
    for new in (first, second, third):
        assert "no longer valid" in refusal(access, new)
    assert {key.name: key.is_good(time.time()) for key in access.accounts.keys(boss)} == {
        "first": False, "second": False, "third": False, "first key": True,
    }  # fmt: skip


def test_another_process_hears_of_it_within_seconds(access: Access, boss: Caller, tmp_path: Path) -> None:
    new = access.accounts.make_key(boss, "x")
    other = Access(tmp_path, settings.Access())
    other.authenticate(shown(new))
    access.accounts.revoke_key(boss, new.key.id)
    last = time.monotonic() + FRESH_SECONDS + 1
    while other.known(shown(new).mark) is not None:
        assert time.monotonic() < last
        time.sleep(0.05)
    refusal(other, new)
    other.close()


def test_a_key_that_ends_makes_none_that_outlives_it(access: Access, boss: Caller) -> None:
    short = access.accounts.make_key(boss, "short", days=1)
    made = access.accounts.make_key(access.authenticate(shown(short)), "long", days=100)
    assert short.key.expires is not None
    assert made.key.expires == pytest.approx(short.key.expires, abs=1)
    session = access.session(boss)
    from_browser = access.accounts.make_key(access.authenticate(shown(session)), "browser")
    assert from_browser.key.expires is None
    access.keys.revoke(session.key.id)
    assert access.authenticate(shown(from_browser)).name == "admin"


def test_use_is_noted_seldom(access: Access, boss: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    new = access.accounts.make_key(boss, "x")
    access.authenticate(shown(new))
    first = access.keys.get(new.key.id)
    assert first is not None
    assert first.used is not None
    monkeypatch.setattr(time, "time", lambda: first.used + 200)
    access.authenticate(shown(new))
    assert access.keys.get(new.key.id) == first
    monkeypatch.setattr(time, "time", lambda: first.used + 400)
    access.authenticate(shown(new))
    later = access.keys.get(new.key.id)
    assert later is not None
    assert later.used == first.used + 400


def test_whose_keys(access: Access, boss: Caller) -> None:
    access.accounts.add_user(boss, "ann")
    access.accounts.add_user(boss, "bob")
    key = access.accounts.make_key(access.caller("ann"), "hers").key
    bob = access.caller("bob")
    assert access.accounts.keys(bob) == []
    for forbidden in (
        lambda: access.accounts.keys(bob, "ann"),
        lambda: access.accounts.keys(bob, "*"),
        lambda: access.accounts.make_key(bob, "x", owner="ann"),
        lambda: access.accounts.make_key(bob, "x", scopes=[ADMINISTER]),
        lambda: access.accounts.users(bob),
    ):
        with pytest.raises(Denied):
            forbidden()
    with pytest.raises(NotFound):
        access.accounts.revoke_key(bob, key.id)
    assert access.accounts.keys(boss, "ann") == [key]
    assert [one.owner for one in access.accounts.keys(OPERATOR, "*")] == ["ann", "admin"]
    with pytest.raises(Unauthenticated):
        access.accounts.make_key(access.anonymous, "x")
    for wrong in ({"name": " "}, {"name": "x" * 101}, {"name": "a\nb"}, {"name": "x", "days": 0}):
        with pytest.raises(Invalid):
            access.accounts.make_key(boss, **wrong)
    with pytest.raises(Invalid):
        access.accounts.make_key(boss, "x", days=float("nan"))


def test_ended_sessions_are_forgotten(access: Access, boss: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    old = access.session(boss, 60)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 40 * 86400)
    access.session(boss, 60)
    assert access.keys.get(old.key.id) is None


def test_a_session_ends_with_the_key_that_was_shown(access: Access, boss: Caller) -> None:
    new = access.accounts.make_key(boss, "x", days=0.1, scopes=["read"])
    session = access.session(access.authenticate(shown(new)))
    assert session.key.expires == pytest.approx(new.key.expires, abs=1)
    assert access.authenticate(shown(session)).scopes == {READ}
    access.accounts.revoke_key(boss, new.key.id)
    refusal(access, session)


def test_a_key_that_may_not_read_reads_what_anybody_reads(tmp_path: Path) -> None:
    rules = (settings.Rule(name="open", collections="id = 'open'"), settings.Rule(name="ours", roles=("user",)))
    made = Access(tmp_path, settings.Access(rules=rules))
    made.first_user()
    callers = {}
    for scope in ("read", "run", "write"):
        new = made.accounts.make_key(OPERATOR, "x", owner=FIRST_USER, scopes=[scope])
        callers[scope] = made.authenticate(Credentials((new.text,)))
    assert callers["read"].reads is None
    assert callers["run"].reads == callers["write"].reads == made.anonymous.reads
    assert made.anonymous.reads is not None
    assert callers["write"].finds is None
    made.close()
