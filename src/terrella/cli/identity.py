"""The sub-commands about people and keys: `account`, `login`, `logout`, `user ...`, `key ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HOME = Path("~/.terrella")
Home = Annotated[
    Path,
    typer.Option("--home", envvar="TERRELLA_HOME", help="Folder of the site: its terrella.toml, database and objects."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Url = Annotated[
    str | None, typer.Option("--url", help="A site that you signed in to with `terrella login`, not a folder.")
]
UserName = Annotated[str, typer.Argument(help="Name of a user; `terrella user list` shows them.", metavar="NAME")]
Groups = Annotated[list[str] | None, typer.Option("--group", help="Put them into this group; repeatable.")]

_SHOWN = {
    "no_args_is_help": True,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
users = typer.Typer(help="The people who have an account at a site.", **_SHOWN)  # type: ignore[arg-type]
keys = typer.Typer(help="Keys: what programs show instead of a password.", **_SHOWN)  # type: ignore[arg-type]


def add_to(app: typer.Typer) -> None:
    """Hang these commands into the main one."""
    app.command()(account)
    app.command()(login)
    app.command()(logout)
    app.add_typer(users, name="user")
    app.add_typer(keys, name="key")


def account(home: Home = HOME, url: Url = None, as_json: AsJson = False) -> None:
    """Who am I here, what may I do? With --url at a site that you signed in to; else the users of your own folder."""
    from terrella.cli.accounts import account as run

    run(home, url, as_json=as_json)


def login(
    url: Annotated[str, typer.Argument(help="Address of a site, e.g. https://earth.example.org.", metavar="URL")],
    name: Annotated[str | None, typer.Option("--user", help="Sign in with this user name and a password.")] = None,
    key: Annotated[bool, typer.Option("--key", help="Paste a key that you have.")] = False,
    issuer: Annotated[
        str | None, typer.Option("--issuer", help="Title or address of one of several issuers of the site.")
    ] = None,
    days: Annotated[float, typer.Option(min=0.01, help="How long you stay signed in.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Sign in to a site: its issuer asks you in a browser, or with --user a password, or with --key a key.

    A key made for this machine is kept in ~/.config/terrella, readable by you only.
    """
    from terrella.cli.login import login as run

    run(url, name, days, by_key=key, issuer=issuer, as_json=as_json)


def logout(
    url: Annotated[str, typer.Argument(help="Address of the site.", metavar="URL")], as_json: AsJson = False
) -> None:
    """Sign out of a site: end the key that `terrella login` made, there and here."""
    from terrella.cli.login import logout as run

    run(url, as_json=as_json)


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="Letters, digits and . _ @ + -", metavar="NAME")],
    home: Home = HOME,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", help="administrator, editor (may change the catalogue) or a word of yours; repeatable."),
    ] = None,
    group: Groups = None,
    email: Annotated[str, typer.Option(help="Where to reach them.")] = "",
    password: Annotated[
        bool, typer.Option("--password", help="Ask for a password; without, they use keys that you make.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a user. Then: terrella key create laptop --owner NAME"""
    from terrella.cli.accounts import add_user as run

    run(home, name, role or [], group or [], email, ask=password, as_json=as_json)


@users.command("list")
def list_users(home: Home = HOME, as_json: AsJson = False) -> None:
    """List the users: roles, groups, where they sign in."""
    from terrella.cli.accounts import list_users as run

    run(home, as_json=as_json)


@users.command("disable")
def disable_user(
    name: UserName,
    home: Home = HOME,
    undo: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Shut a user out: their password, keys and links open nothing within seconds. Nothing of theirs is lost."""
    from terrella.cli.accounts import disable_user as run

    run(home, name, undo=undo, as_json=as_json)


@users.command("role")
def change_roles(
    name: UserName,
    roles: Annotated[list[str], typer.Argument(help="Roles to give, e.g. editor hydrology.", metavar="ROLE...")],
    home: Home = HOME,
    take: Annotated[bool, typer.Option("--take", help="Take these roles away instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a user roles, or take them away."""
    from terrella.cli.accounts import change_roles as run

    run(home, name, roles, take=take, as_json=as_json)


@users.command("password")
def set_password(name: UserName, home: Home = HOME) -> None:
    """Set a user's password; it is asked for, or read from standard input."""
    from terrella.cli.accounts import set_password as run

    run(home, name)


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Where it will be used, e.g. laptop.", metavar="NAME")],
    home: Home = HOME,
    url: Url = None,
    owner: Annotated[str | None, typer.Option(help="Whose key it is [default: admin; with --url you].")] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="read, run, write or administer; repeatable [default: all that the owner may]."),
    ] = None,
    days: Annotated[float | None, typer.Option(help="How long it is good [default: until it is revoked].")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once. Clients take it as Bearer token, password, EmailKey or PRIVATE-TOKEN."""
    from terrella.cli.accounts import create_key as run

    run(home, url, name, owner, scope, days, as_json=as_json)


@keys.command("list")
def list_keys(
    home: Home = HOME,
    url: Url = None,
    owner: Annotated[
        str | None, typer.Option(help="Only this user's [default: everybody's; with --url yours].")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List keys: whose, what for, until when, last used. Never the keys themselves."""
    from terrella.cli.accounts import list_keys as run

    run(home, url, owner, as_json=as_json)


@keys.command("revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(help="Id of the key; `terrella key list` shows it.", metavar="ID")],
    home: Home = HOME,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """End a key: it opens nothing within seconds, nor do links that were signed with it."""
    from terrella.cli.accounts import revoke_key as run

    run(home, url, key, as_json=as_json)
