"""`terrella up`, `account`, `user`, `key`, `login`, `logout` as processes and people meet them."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest import mock

import httpx
import pytest

from api.conftest import make_site, serving
from issuers import certified_issuer, walk
from terrella.cli import main
from terrella.cli.serving import first_key_text
from terrella.site import Site


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str

    @property
    def json(self) -> object:
        return json.loads(self.stdout)


def terrella(*words: str | Path, typed: str = "", **environment: str) -> Done:
    """Run the command line in this process; `typed` comes from standard input."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TERRELLA_")}
    out, err = StringIO(), StringIO()
    with (
        mock.patch.object(sys, "argv", ["terrella", *map(str, words)]),
        mock.patch.object(sys, "stdin", StringIO(typed)),
        mock.patch.dict(os.environ, kept | environment, clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as stop:
            return Done(int(stop.code or 0), out.getvalue(), err.getvalue())
    return Done(0, out.getvalue(), err.getvalue())


@dataclass
class Running:
    address: str
    printed: str
    """What it wrote to standard output until it was ready."""
    process: subprocess.Popen[str]
    logged: Path


@contextmanager
def up(home: Path, **settings: str) -> Iterator[Running]:
    """`terrella up` as a process of its own, its log in a file."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TERRELLA_")}
    environment |= {"TERRELLA_JOBS__WORKERS": "0", "TERRELLA_SERVER__LOGS": "json", **settings}
    logged = home.parent / f"{home.name}.log"
    is_first = not (home / "access.sqlite").exists()
    command = [sys.executable, "-m", "terrella", "up", "--home", str(home), "--port", "0"]
    with (
        logged.open("a") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment, text=True) as process,
    ):
        assert process.stdout is not None
        printed = ""
        while "Ready at" not in printed:
            line = process.stdout.readline()
            assert line, logged.read_text()
            printed += line
        if is_first:  # the key, and how to get another
            printed += process.stdout.readline() + process.stdout.readline()
        try:
            found = re.search(r"Ready at (\S+)", printed)
            assert found is not None
            yield Running(found[1], printed, process, logged)
        finally:
            process.terminate()
            process.wait(20)


def local(home: Path, *words: str, typed: str = "") -> Done:
    return terrella(*words, "--home", home, typed=typed)


def test_users_and_keys_of_a_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert "No users yet" in local(home, "account").stdout
    made = local(home, "key", "create", "laptop")
    assert re.fullmatch(r"tk_[\w-]{43}\n", made.stdout)
    assert "shown this once" in made.stderr
    assert made.stdout.strip() not in made.stderr
    added = local(home, "user", "add", "ann", "--role", "editor", "--group", "field", "--email", "a@b.c", "--json").json
    assert (added["name"], added["roles"], added["groups"], added["password"]) == ("ann", ["editor"], ["field"], False)
    new = local(home, "key", "create", "ci", "--owner", "ann", "--scope", "read", "--days", "2", "--json").json
    assert (new["owner"], new["scopes"], new["key"][:3]) == ("ann", ["read"], "tk_")
    listed = local(home, "key", "list", "--json").json
    assert {(one["name"], one["owner"]) for one in listed} == {("laptop", "admin"), ("ci", "ann")}
    assert [one["name"] for one in local(home, "key", "list", "--owner", "ann", "--json").json] == ["ci"]
    assert "ci" in local(home, "key", "list").stdout
    gone = local(home, "key", "revoke", new["id"])
    assert (gone.returncode, "ended" in gone.stdout) == (0, True)
    assert not local(home, "key", "list", "--owner", "ann", "--json").json[0]["valid"]
    assert local(home, "user", "role", "ann", "hydrology", "--json").json["roles"] == ["editor", "hydrology"]
    assert local(home, "user", "role", "ann", "editor", "--take", "--json").json["roles"] == ["hydrology"]
    assert local(home, "user", "disable", "ann", "--json").json["disabled"]
    assert "disabled" in local(home, "user", "list").stdout
    assert not local(home, "user", "disable", "ann", "--undo", "--json").json["disabled"]
    assert local(home, "user", "password", "ann", typed="correct horse\n").returncode == 0
    users = local(home, "user", "list", "--json").json
    assert {one["name"]: one["password"] for one in users} == {"admin": False, "ann": True}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["key", "create", "x", "--owner", "adnim"], "Did you mean 'admin'"),
        (["key", "create", "x", "--scope", "fly"], "no scope 'fly'"),
        (["key", "create", " "], "Name the key"),
        (["key", "revoke", "nope"], "no key 'nope'"),
        (["key", "revoke", "../x"], "named by its id"),
        (["user", "add", "a b"], "not 'a b'"),
        (["user", "add", "admin"], "'admin' already"),
        (["user", "disable", "admin"], "last administrator"),
        (["user", "role", "admin", "administrator", "--take"], "last administrator"),
        (["user", "role", "admin", "user"], "given by the site itself"),
        (["user", "password", "admin"], "8 to 1024"),
        (["user", "disable", "nobody"], "no user 'nobody'"),
    ],
)
def test_what_cannot_be_is_said(tmp_path_factory: pytest.TempPathFactory, words: list[str], says: str) -> None:
    home = tmp_path_factory.getbasetemp() / "refusing"
    local(home, "key", "create", "first")
    done = local(home, *words)
    assert done.returncode in {1, 2}
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_help_teaches() -> None:
    for words in (["user"], ["key"], ["user", "--help"], ["key", "--help"], ["login", "--help"], ["logout", "--help"],
                  ["account", "--help"], ["key", "create", "--help"], ["user", "add", "--help"]):  # fmt: skip
        done = terrella(*words)
        assert "Usage: " in done.stdout + done.stderr


def test_the_first_key_is_shown_once_and_no_secret_is_logged(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as running:
        found = re.findall(r"tk_[\w-]{43}", running.printed)
        assert len(found) == 1
        key = found[0]
        pair = base64.b64encode(f"ann:{key}".encode()).decode()
        jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4iLCJhdWQiOiJ4In0.c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4"
        link = "WyJ4IiwiYWRtaW4iLCIiLDFd.NS1oOn6PVgB-NW0-zDPpfWJpOT0UECXyDU8RwfM8CJM"
        with httpx.Client(base_url=running.address) as web:
            assert web.get("/account", headers={"Authorization": f"Bearer {key}"}).json()["name"] == "admin"
            web.get("/account", headers={"Authorization": f"Bearer {jwt}"})
            web.get("/account", headers={"Authorization": f"EmailKey ann@example.org:{key}, Basic {pair}"})
            web.get("/account", headers={"Authorization": f"Basic {pair}", "X-Request-Id": key})
            web.get("/account", headers={"PRIVATE-TOKEN": key})
            web.get("/stac/search", params={"token": "hidden-token-1", "key": key, "password": "hidden-password"})
            web.get(
                "/stac/search", params={"X-Amz-Signature": "hidden-signature", "a": jwt, "api_key": "hidden-api-key"}
            )
            web.get("/account/callback", params={"code": "hidden-code", "state": "hidden-state"})
            web.get(f"/d/{link}")
            web.get("/d/hidden-broken-link?x=1")
            web.get(f"/nowhere/{key}/{jwt}/{link}")
            new = web.post("/account/keys", json={"name": "x"}, headers={"PRIVATE-TOKEN": key}).json()
            web.post("/account/login", json={"name": "admin", "password": "hidden-password"})
            form = {"name": "admin", "password": key}
            signed_in = web.post("/account/sign-in", data=form, headers={"Origin": running.address})
            session = signed_in.cookies["terrella_session"]
            web.get("/account", headers={"Cookie": f"terrella_session={session}"})
    with Site.open(home) as site:  # what a second start does
        assert first_key_text(site) == ""
    log = running.logged.read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert sum(line.get("path") == "/account" for line in lines) >= 6
    assert any(line.get("path") == "/d/[hidden]" for line in lines)
    assert any(line.get("caller") == "admin" for line in lines)
    for secret in (key, key[3:], pair, jwt, jwt.rsplit(".", 1)[1], link, new["key"], session, "hidden-"):
        assert secret not in log, secret


def test_a_key_revoked_in_the_shell_ends_at_the_server(tmp_path: Path) -> None:
    with serving(make_site(tmp_path, filled=False)) as site:
        new = local(tmp_path, "key", "create", "x", "--json").json
        headers = {"PRIVATE-TOKEN": new["key"]}
        assert httpx.get(f"{site}/account", headers=headers).json()["name"] == "admin"
        local(tmp_path, "key", "revoke", new["id"])
        last = time.monotonic() + 5
        while httpx.get(f"{site}/account", headers=headers).status_code == 200:
            assert time.monotonic() < last
            time.sleep(0.1)


def test_signing_in_with_a_password_or_a_key(tmp_path: Path) -> None:
    home, config = tmp_path / "home", {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    local(home, "user", "add", "ann", "--password", typed="correct horse\n")
    kept = tmp_path / "config" / "terrella" / "keys.json"
    with serving(make_site(home, filled=False)) as site:
        assert "terrella login" in terrella("account", "--url", site, **config).stderr
        wrong = terrella("login", site, "--user", "ann", typed="wrong horse\n", **config)
        assert (wrong.returncode, "are wrong" in wrong.stderr, kept.exists()) == (1, True, False)
        done = terrella("login", site + "/", "--user", "ann", typed="correct horse\n", **config)
        assert (done.returncode, f"Signed in at {site} as ann" in done.stdout) == (0, True), done.stderr
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        secret = json.loads(kept.read_text())[site]["key"]
        assert secret not in done.stdout + done.stderr
        found = terrella("account", "--url", site, "--json", **config).json
        assert (found["name"], len(found["keys"])) == ("ann", 1)
        assert "ann at http" in terrella("account", "--url", site, **config).stdout
        new = terrella("key", "create", "more", "--url", site, "--json", **config).json
        assert len(terrella("key", "list", "--url", site, "--json", **config).json) == 2
        assert terrella("key", "revoke", new["id"], "--url", site, **config).returncode == 0
        refused = terrella("key", "create", "x", "--owner", "bob", "--url", site, **config)
        assert (refused.returncode, "for yourself only" in refused.stderr) == (1, True)
        assert terrella("logout", site, **config).returncode == 0
        assert json.loads(kept.read_text()) == {}
        assert httpx.get(f"{site}/account", headers={"PRIVATE-TOKEN": secret}).status_code == 401
        assert terrella("logout", site, **config).returncode == 1
        mine = local(home, "key", "create", "x").stdout
        assert terrella("login", site, "--key", typed=mine, **config).returncode == 0
        assert terrella("account", "--url", site, "--json", **config).json["name"] == "admin"


def test_signing_in_at_an_issuer(tmp_path: Path) -> None:
    config = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    with certified_issuer("http://127.0.0.1/account/callback") as issuer:
        wanted = {"issuer": issuer, "client_id": "terrella"}
        with serving(make_site(tmp_path / "home", filled=False, access={"issuers": [wanted]})) as site:
            told = signed_in_by_device(site, config)
            assert (told["url"], told["name"]) == (site, "ann")
            seen = terrella("account", "--url", site, "--json", **config).json
            assert (seen["name"], seen["roles"], seen["keys"][0]["id"]) == ("ann", ["hydrology", "user"], told["key"])
            assert seen["keys"][0]["expires"] is not None


def signed_in_by_device(site: str, config: dict[str, str]) -> dict[str, str]:
    """What `terrella login` prints, when somebody agrees in a browser meanwhile."""
    command = [sys.executable, "-m", "terrella", "login", site, "--json"]
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=os.environ | config, **piped) as shell:
        assert shell.stderr is not None
        assert shell.stdout is not None
        line = shell.stderr.readline()
        found = re.search(r"(http://\S+) .* compare the code: (\S+)", line)
        assert found is not None, line
        with httpx.Client() as browser:
            page = browser.get(found[1])
            assert found[2] in page.text
            walk(browser, page, "ann")
        printed = shell.stdout.read()
        assert shell.wait(30) == 0
    return json.loads(printed)


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://user:pw@x", "http://x?y", "http://127.0.0.1:1"])
def test_addresses_that_cannot_be(tmp_path: Path, url: str) -> None:
    done = terrella("login", url, "--key", typed="tk_x\n", XDG_CONFIG_HOME=str(tmp_path))
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
