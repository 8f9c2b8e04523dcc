"""Issuers on loopback: the certified `oidc-provider` of npm, and one that says whatever a test wants."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from filelock import FileLock
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

FOLDER = Path(__file__).parent / "access" / "oidc_provider"
BUILD = Path(__file__).parents[1] / "build" / "oidc-provider"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def installed_provider() -> Path:
    """The folder with the issuer's packages, installed on first use; skips where that cannot be."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no node: the issuer of these tests is an npm package")
    BUILD.mkdir(parents=True, exist_ok=True)
    with FileLock(BUILD / ".lock"):
        wanted = (FOLDER / "package-lock.json").read_bytes()
        done = BUILD / ".installed"
        if not done.exists() or done.read_bytes() != wanted:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(FOLDER / name, BUILD / name)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            run = subprocess.run(command, cwd=BUILD, capture_output=True, text=True, check=False, timeout=100)
            if run.returncode:
                pytest.skip(f"npm ci failed: {run.stderr[-300:]}")
            done.write_bytes(wanted)
        shutil.copy(FOLDER / "server.mjs", BUILD / "server.mjs")
    return BUILD


@contextmanager
def certified_issuer(redirect: str) -> Iterator[str]:
    """The address of a running oidc-provider that sends browsers back to `redirect`."""
    folder, port = installed_provider(), free_port()
    command = ["node", "server.mjs", str(port), redirect]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "ready"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def walk(browser: httpx.Client, answer: httpx.Response, name: str, *, agree: bool = True) -> httpx.Response:
    """Go through the issuer's pages as somebody who signs in as `name`, until they lead nowhere further."""
    for _ in range(20):
        if answer.is_redirect:
            place = urljoin(str(answer.url), answer.headers["location"])
            answer = browser.get(place)
            continue
        form = re.search(r"<form[^>]*action=\"([^\"]+)\"[^>]*>(.*?)</form>", answer.text, re.DOTALL)
        if form is None or answer.url.path.endswith("/account"):
            return answer
        if not agree and "/interaction/" in str(answer.url):
            abort = re.search(r'href="([^"]+/abort)"', answer.text)
            assert abort is not None
            answer = browser.get(urljoin(str(answer.url), abort.group(1)))
            continue
        fields = dict(re.findall(r'name="([^"]+)"[^>]*value="([^"]*)"', form.group(2)))
        if 'name="login"' in form.group(2):
            fields |= {"login": name, "password": "any"}
        answer = browser.post(urljoin(str(answer.url), unescape(form.group(1))), data=fields)
    raise AssertionError("the pages of the issuer have no end")


@dataclass
class LooseIssuer:
    """Signs whatever is asked for, with whatever key; counts how often it is asked for its keys."""

    address: str = ""
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    known: list[Any] = field(default_factory=list)
    odd: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    is_up: bool = True

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        usual = {"iss": self.address, "aud": "terrella", "sub": "u1", "exp": now + 300, "iat": now}
        made = usual | {"preferred_username": "mary"} | changes
        return {name: value for name, value in made.items() if value is not None}

    def token(self, *, header: dict[str, Any] | None = None, key: Any = None, **changes: Any) -> str:
        signer = key or self.key
        algorithm = "ES256" if isinstance(signer, ECKey) else "RS256"
        top = {"alg": algorithm, "kid": signer.kid} | (header or {})
        top = {name: value for name, value in top.items() if value is not None}
        payload = json.dumps(self.claims(**changes)).encode()
        return jws.serialize_compact(top, payload, signer, algorithms=[top["alg"]])

    def answer(self, path: str) -> dict[str, Any] | None:
        if not self.is_up:
            return None
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.address,
                "jwks_uri": f"{self.address}/jwks",
                "token_endpoint": f"{self.address}/token",
                "authorization_endpoint": f"{self.address}/auth",
            }
        if path == "/jwks":
            self.asked += 1
            return {"keys": self.odd + [key.as_dict(private=False) for key in self.known or [self.key]]}
        return None


@contextmanager
def loose_issuer() -> Iterator[LooseIssuer]:
    issuer = LooseIssuer()

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = issuer.answer(self.path)
            self.send_response(200 if found is not None else 503)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Asked) as server:
        issuer.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield issuer
        server.shutdown()
        thread.join()
