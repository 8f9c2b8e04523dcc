"""The documentation is true: its examples run, its generated pages are current, its pages are all linked."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from pytest_examples import CodeExample, EvalExample, find_examples

from terrella.cli.main import app

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
EXAMPLES = [one for one in find_examples(str(DOCS)) if one.prefix == "python" and one.path.name != "formats.md"]


def by_page() -> dict[str, list[CodeExample]]:
    pages: dict[str, list[CodeExample]] = {}
    for one in EXAMPLES:
        pages.setdefault(str(one.path.relative_to(DOCS)), []).append(one)
    return pages


@pytest.mark.parametrize("page", sorted(by_page()))
def test_examples_run(page: str, eval_example: EvalExample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples of one page run one after another, as a reader would run them."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for example in by_page()[page]:
        settings = example.prefix_settings()
        if settings.get("test") == "skip":
            assert settings.get("reason"), f"{page}: an example that is not run says why"
            continue
        names = {**names, **eval_example.run_print_check(example, module_globals=names)}


def test_generated_pages_are_current() -> None:
    pages = runpy.run_path(str(ROOT / "scripts" / "reference.py"))["PAGES"]
    for name, page in pages.items():
        assert (DOCS / "reference" / name).read_text() == page(), f"run: python scripts/reference.py ({name})"


def test_every_page_is_in_the_navigation() -> None:
    listed = (ROOT / "mkdocs.yml").read_text()
    for page in DOCS.rglob("*.md"):
        assert str(page.relative_to(DOCS)) in listed, page


def test_every_command_is_explained() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        assert command.callback.__doc__, command.name


def test_links_between_pages_exist() -> None:
    import re

    for page in [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
