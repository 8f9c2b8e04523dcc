"""What people said of themselves is kept, each for themselves, and goes with their account."""

from __future__ import annotations

from pathlib import Path

from terrella import settings
from terrella.access.access import Access
from terrella.access.users import User


def test_each_for_themselves(access: Access, tmp_path: Path) -> None:
    for name in ("ada", "bob"):
        access.users.add(User(name))
    access.profiles.accept("ada", "CC-BY-4.0", 1)
    access.profiles.accept("ada", "CC-BY-4.0", 2)
    access.profiles.accept("ada", "era5-terms", 1)
    assert [(one.terms, one.revision) for one in access.profiles.accepted("ada")] == [
        ("CC-BY-4.0", 2),
        ("era5-terms", 1),
    ]
    assert access.profiles.accepted("bob") == []
    for name in ("b", "a", "a"):
        access.profiles.mark("bob", name)
    access.profiles.unmark("bob", "nothing")
    access.profiles.unmark("bob", "b")
    again = Access(tmp_path, settings.Access())
    assert again.profiles.marked("bob") == ["a"]
    assert again.profiles.marked("ada") == []
    again.close()
