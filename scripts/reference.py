"""Writes docs/reference/{cli,settings}.md and docs/how-to/clients.md from the code.

`tests/docs` checks that they are up to date.
"""

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


CLIENTS_INTRODUCTION = """# Use the clients you have

One address and one key serve clients that were written for others: Polytope's, Destination Earth's, WEkEO's, the
Climate Data Store's, and everything that speaks STAC, OGC API EDR, Zarr or GDAL. They are used unmodified. A running
site prints the lines to paste, with its own address and an example that works on its own data:

```sh
terrella connect --url http://127.0.0.1:8700              # lines for every client
terrella connect --url http://127.0.0.1:8700 xarray       # for one
TERRELLA_KEY=tk_... terrella connect --url http://127.0.0.1:8700 --json > lines.json    # with your key, for scripts
terrella connect --collection era5 cdsapi                 # of a site's own folder, about one collection
```

The same is a page at `/connect`, with buttons to copy, and JSON at `/connect?f=json` (an object from client to
lines). Send your key in a header, and the lines have it in them; it never stands in an address.

**Keys.** Where anybody may read, clients that must show something show the key `anonymous`. Elsewhere make one at
`/account`, or with `terrella key create laptop` ([accounts](accounts.md)). One key does for all clients, whatever
each calls it: key, token, password.

**The same numbers.** Whichever client asks, it is the same request underneath: the values are equal bit for bit, the
limits are the same, and an error says the same. What a site cannot do for a client, because it has no image or no
cube with times, its lines say instead.

Below, the lines for a collection `era5` with hourly temperature, at an open site."""


def clients_page() -> str:
    """What `terrella connect` would print at a site with ERA5 and a scene."""
    from terrella.site.connecting import Address, Example, Examples, Scene, connections
    from terrella.site.connecting.axes import Chosen

    times = ("2019-03-01T00:00:00Z", "2019-03-01T01:00:00Z", "2019-03-01T02:00:00Z")
    example = Example(
        "era5",
        "ERA5",
        "2t",
        "K",
        13.5,
        52.5,
        (Chosen("time", "time", (0, 3_600_000, 7_200_000), times),),
        (281.3, 281.29, 281.29),
        mars={"class": "ea", "stream": "oper", "type": "an", "levtype": "sfc", "param": "167", "date": "20190301"}
        | {"time": "0000/0100/0200"},
        words={"time": f"{times[0]}/{times[-1]}"},
        sides=("lat", "lon"),
        first=(("time", 3),),
        bands=(1, 2, 3),
        lon_in_cube=13.5,
    )
    scene = Scene(
        "s2", "s2-0601", "red", "red", "/stac/collections/s2/items/s2-0601/assets/red", (11.6, 46.9, 11.7, 47.0)
    )
    parts = [CLIENTS_INTRODUCTION, ""]
    for one in connections(Address("http://127.0.0.1:8700"), Examples(example, scene, "era5")):
        client = one.client
        reason = "needs a folder" if client.name == "terrella" else "needs a running server"
        fence = f'python {{test="skip" reason="{reason}"}}' if client.language == "python" else client.language
        install = f" `{client.install}`" if client.install else ""
        parts += [
            f"## {client.name}",
            "",
            f"{client.about}.{install}",
            "",
            f"```{fence}",
            one.lines.rstrip(),
            "```",
            "",
        ]
    return "\n".join(parts)


PAGES = {"settings.md": settings_page, "cli.md": cli_page, "../how-to/clients.md": clients_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page())
