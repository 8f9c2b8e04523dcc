"""Accounts: names, roles, who may change them, and the last administrator."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.access.access import Access
from terrella.access.names import checked_user_name, sane_words
from terrella.errors import Conflict, Denied, Invalid, NotFound, QuotaExceeded, Unauthenticated
from terrella.model.caller import ANONYMOUS, OPERATOR, READ, SCOPES, Caller


def test_users_are_added_and_changed(access: Access, boss: Caller) -> None:
    user = access.accounts.add_user(boss, "ann", roles=["hydrology"], groups=["field"], email="ann@example.org")
    assert user.as_json() | {"created": ""} == {
        "name": "ann", "roles": ["hydrology"], "groups": ["field"], "email": "ann@example.org", "issuer": None,
        "disabled": False, "created": "", "password": False,
    }  # fmt: skip
    assert access.accounts.change(boss, "ann", roles=["a", "b"], groups=[]).roles == {"a", "b"}
    caller = access.caller("ann")
    assert (caller.roles, caller.groups, caller.key) == ({"a", "b", "user"}, frozenset(), "")
    with pytest.raises(Conflict, match="'ann' already"):
        access.accounts.add_user(boss, "ann")
    with pytest.raises(NotFound, match="Did you mean 'ann'"):
        access.accounts.change(boss, "anna", roles=[])


def test_a_disabled_user_is_shut_out(access: Access, boss: Caller) -> None:
    access.accounts.add_user(boss, "ann", password="correct horse")
    ann = access.sign_in("ann", "correct horse")
    access.accounts.change(boss, "ann", is_disabled=True)
    for ask in (lambda: access.caller("ann"), lambda: access.sign_in("ann", "correct horse")):
        with pytest.raises(Unauthenticated, match="disabled"):
            ask()
    with pytest.raises(Unauthenticated, match="wrong"):  # whoever guesses does not learn that there is an account
        access.sign_in("ann", "wrong horse")
    access.accounts.change(boss, "ann", is_disabled=False)
    assert access.sign_in("ann", "correct horse") == ann


def test_there_is_always_an_administrator(access: Access, boss: Caller) -> None:
    for change in ({"roles": ["x"]}, {"is_disabled": True}):
        with pytest.raises(Invalid, match="last administrator"):
            access.accounts.change(boss, "admin", **change)
    assert access.caller("admin").scopes == SCOPES
    access.accounts.add_user(boss, "eve", roles=["administrator"])
    access.accounts.change(boss, "admin", is_disabled=True)
    with pytest.raises(Invalid, match="last administrator"):
        access.accounts.change(OPERATOR, "eve", roles=[])


def test_people_change_their_own_password_only(access: Access, boss: Caller) -> None:
    access.accounts.add_user(boss, "ann", password="correct horse")
    ann = access.caller("ann")
    with pytest.raises(Denied, match="old password"):
        access.accounts.change(ann, "ann", password="another horse")
    access.accounts.change(ann, "ann", password="another horse", old="correct horse")
    assert access.sign_in("ann", "another horse").name == "ann"
    with pytest.raises(Unauthenticated):
        access.sign_in("ann", "correct horse")
    for forbidden in ({"roles": ["administrator"]}, {"groups": ["x"]}, {"is_disabled": False}):
        with pytest.raises(Denied):
            access.accounts.change(ann, "ann", **forbidden)
    with pytest.raises(Denied):
        access.accounts.change(ann, "admin", password="another horse")
    with pytest.raises(Invalid, match="8 to 1024"):
        access.accounts.change(boss, "ann", password="short")


def test_who_goes_on_guessing_has_to_wait(access: Access, boss: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ann", "bob"):
        access.accounts.add_user(boss, name, password="correct horse")
    access.sign_in("bob", "correct horse")
    for number in range(20):
        for name in ("ann", "bob", "nobody"):
            with pytest.raises(Unauthenticated):
                access.sign_in(name, f"guess {number}")
    for name in ("ann", "nobody"):
        with pytest.raises(QuotaExceeded, match="Too many wrong") as refused:
            access.sign_in(name, "correct horse")
        assert 590 < refused.value.details["retry_after"] <= 601
    assert access.sign_in("bob", "correct horse").name == "bob"  # whose programs go on
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 601)
    assert access.sign_in("ann", "correct horse").name == "ann"


def test_callers_by_name(access: Access) -> None:
    assert access.caller("operator") == OPERATOR
    assert access.caller("anonymous") == access.anonymous
    assert (access.anonymous.name, access.anonymous.roles, access.anonymous.scopes) == (
        ANONYMOUS.name, {"anonymous"}, {READ},
    )  # fmt: skip
    with pytest.raises(Unauthenticated, match="no account 'nobody'"):
        access.caller("nobody")


@pytest.mark.parametrize("name", ["", "operator", "anonymous", "a b", "-x", "ä", "x" * 129, "a/b", "a\n", "a,b", "a:b"])
def test_names_that_cannot_be(access: Access, boss: Caller, name: str) -> None:
    with pytest.raises(Invalid):
        access.accounts.add_user(boss, name)


@pytest.mark.parametrize("role", ["", "user", "operator", "anonymous", "group:x", "two words", "é", "x" * 129])
def test_roles_that_cannot_be(access: Access, boss: Caller, role: str) -> None:
    with pytest.raises(Invalid):
        access.accounts.add_user(boss, "ann", roles=[role])
    assert role not in sane_words([role])


@given(st.text(max_size=150))
@settings(derandomize=True, deadline=None)
def test_any_name_is_taken_or_refused(name: str) -> None:
    is_sane = name.isascii() and name.isprintable() and not set(name) & set(' :,/\\"<>')
    try:
        assert checked_user_name(name) == name
        assert is_sane
    except Invalid:
        assert not name.isalnum() or not is_sane or len(name) > 128
