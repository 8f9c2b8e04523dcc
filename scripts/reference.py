"""Writes docs/reference/{cli,settings}.md from the code. `tests/docs` checks that they are up to date."""

from __future__ import annotations

from pathlib import Path

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"


def settings_page() -> str:
    from pydantic import BaseModel

    from terrella.settings import Settings

    rows = [
        "# Settings",
        "",
        "In `terrella.toml` in the site's home, or in the environment as `TERRELLA_` and the name with",
    ]
    rows += ["`__` for each dot (`TERRELLA_SERVER__PORT=8800`). Unknown keys are refused.", ""]
    rows += ["| setting | default | what it is |", "| --- | --- | --- |"]

    def walk(model: type[BaseModel], prefix: str) -> None:
        for name, field in model.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                walk(field.annotation, f"{prefix}{name}.")
            elif name != "home":
                default = "by memory" if field.default_factory else f"`{field.default}`"
                rows.append(f"| `{prefix}{name}` | {default} | {field.description} |")

    walk(Settings, "")
    return "\n".join(rows) + "\n"


def cli_page() -> str:
    """`--help` of each command, at 100 columns."""
    from typer.testing import CliRunner

    from terrella.cli.main import app

    names = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    parts = ["# Command line", "", "Exit status: 0 done, 1 something failed and was named, 2 wrong usage."]
    for name in ["", *names]:
        environment = {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "TERRELLA_HOME": None}
        shown = CliRunner(env=environment).invoke(
            app, [*name.split(), "--help"], prog_name="terrella", terminal_width=100
        )
        parts += ["", f"## terrella {name}".rstrip(), "", "```text", shown.output.strip(), "```"]
    return "\n".join(parts) + "\n"


PAGES = {"settings.md": settings_page, "cli.md": cli_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page())
