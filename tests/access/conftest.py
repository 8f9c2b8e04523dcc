"""Accounts in an empty home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from terrella import settings
from terrella.access import passwords
from terrella.access.access import Access
from terrella.access.credentials import Credentials
from terrella.model.caller import Caller


@pytest.fixture(autouse=True)
def quick_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost little, but where their cost is what is tested."""
    if not request.module.__name__.endswith("test_passwords"):
        quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        monkeypatch.setattr(passwords, "_hasher", lambda: quick)
        monkeypatch.setattr(passwords, "_nobodys", lambda: quick.hash("nobody's"))


@pytest.fixture
def access(tmp_path: Path) -> Iterator[Access]:
    made = Access(tmp_path, settings.Access())
    yield made
    made.close()


@pytest.fixture
def boss(access: Access) -> Caller:
    """The first administrator, with the first key."""
    new = access.first_key()
    assert new is not None
    return access.authenticate(Credentials((new.text,)))
