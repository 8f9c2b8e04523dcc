"""Secrets on disk."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from terrella.access.sealing import Sealed
from terrella.errors import NotFound


def test_a_secret_is_sealed_opened_and_forgotten(tmp_path: Path) -> None:
    name = Sealed(tmp_path).keep({"secret": "swordfish"})
    assert Sealed(tmp_path).open(name) == {"secret": "swordfish"}
    file = tmp_path / "sealed" / name
    assert b"swordfish" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    Sealed(tmp_path).forget(name)
    Sealed(tmp_path).forget(name)
    with pytest.raises(NotFound):
        Sealed(tmp_path).open(name)


def test_changed_moved_or_foreign_secrets_open_nothing(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    sealed = Sealed(tmp_path / "one")
    name = sealed.keep({"secret": "swordfish"})
    file = tmp_path / "one" / "sealed" / name
    other = Sealed(tmp_path / "two")
    (tmp_path / "two" / "sealed").mkdir()
    (tmp_path / "two" / "sealed" / name).write_bytes(file.read_bytes())
    with pytest.raises(NotFound):
        other.open(name)
    text = file.read_text()
    file.write_text(text[:-3] + ("A" if text[-3] != "A" else "B") + text[-2:])
    with pytest.raises(NotFound):
        sealed.open(name)
    for wrong in ("", "../../access.secret", "0" * 32):
        with pytest.raises(NotFound):
            sealed.open(wrong)
        sealed.forget(wrong)
