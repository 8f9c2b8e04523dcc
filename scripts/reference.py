"""Writes docs/reference/{cli,settings}.md from the code. `tests/docs` checks that they are up to date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"


def settings_page() -> str:
    from terrella.settings import Settings

    rows = [
        "# Settings",
        "",
        "In `terrella.toml` in the site's home, or in the environment as `TERRELLA_` and the name with",
    ]
    rows += ["`__` for each dot (`TERRELLA_SERVER__PORT=8800`). Unknown keys are refused.", ""]
    rows += ["| setting | default | what it is |", "| --- | --- | --- |"]

    def walk(model: Any, prefix: str) -> None:
        for name, field in model.model_fields.items():
            listed = next((one for one in get_args(field.annotation) if _is_part(one)), None)
            if _is_part(field.annotation):
                walk(field.annotation, f"{prefix}{name}.")
            elif listed:
                rows.append(f"| `[[{prefix}{name}]]` | {len(field.default) or 'none'} | {field.description} |")
                walk(listed, f"{prefix}{name}[].")
            elif name != "home":
                default = "required" if field.is_required() else f"`{field.default}`"
                default = "by memory" if field.default_factory else default
                rows.append(f"| `{prefix}{name}` | {default} | {field.description} |")

    walk(Settings, "")
    return "\n".join(rows) + "\n"


def _is_part(annotation: Any) -> bool:
    from pydantic import BaseModel

    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def cli_page() -> str:
    """`--help` of each command, at 100 columns."""
    from typer.testing import CliRunner

    from terrella.cli.main import app

    names = list(_commands(app, ""))
    parts = ["# Command line", "", "Exit status: 0 done, 1 something failed and was named, 2 wrong usage."]
    for name in ["", *names]:
        environment = {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "TERRELLA_HOME": None}
        shown = CliRunner(env=environment).invoke(
            app, [*name.split(), "--help"], prog_name="terrella", terminal_width=100
        )
        parts += ["", f"## terrella {name}".rstrip(), "", "```text", shown.output.strip(), "```"]
    return "\n".join(parts) + "\n"


def _commands(app: Any, prefix: str) -> Iterator[str]:
    """Names of commands, those of groups with their group's before them."""
    for command in app.registered_commands:
        yield prefix + (command.name or command.callback.__name__)
    for group in app.registered_groups:
        name = group.name if isinstance(group.name, str) else group.typer_instance.info.name
        yield prefix + name
        yield from _commands(group.typer_instance, f"{prefix}{name} ")


PAGES = {"settings.md": settings_page, "cli.md": cli_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page())
