"""What a stranger may see of the repository, and names that say nothing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import terrella

PACKAGE = Path(terrella.__file__).parent
ROOMS = {
    "access", "api", "catalog", "cli", "contracts", "cubes", "encodings", "extraction", "grids", "jobs", "model", "providers", "site",
    "storage", "testing",
}  # fmt: skip


def test_the_public_surface_is_one_name() -> None:
    assert terrella.__all__ == ["Site"]


def test_rooms_are_the_known_ones() -> None:
    found = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert found == ROOMS | {"portal"}  # which holds no code of ours, only what was built from portal/


def test_each_room_says_what_it_is_for() -> None:
    for room in ROOMS:
        text = (PACKAGE / room / "__init__.py").read_text()
        assert text.startswith('"""'), room


def test_names_are_nouns_of_the_field() -> None:
    wrong = re.compile(r"^\s*class \w*(Manager|Handler|Helper|Base)\b", re.MULTILINE)
    drawers = {"utils", "util", "core", "common", "services", "helpers", "misc"}
    for path in PACKAGE.rglob("*.py"):
        assert path.stem not in drawers, path
        assert not wrong.search(path.read_text()), path


def test_modules_say_what_they_are_for() -> None:
    bare = [str(path) for path in PACKAGE.rglob("*.py") if not ast.get_docstring(ast.parse(path.read_text()))]
    assert bare == []
