"""The guard of addresses, against every spelling of a machine of ours; and politeness, against a server that fails."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from terrella.errors import Denied, Invalid, NotFound, ProviderUnavailable, TooLarge, Unauthenticated, Unreadable
from terrella.storage import web
from terrella.storage.web import Web, is_public

LOCAL = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://0x7f000001:{port}/",
    "http://2130706433:{port}/",
    "http://127.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://10.1.2.3:{port}/",
    "http://192.168.0.1:{port}/",
    "http://100.64.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fe80::1]:{port}/",
    "http://[fd00::1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://224.0.0.1:{port}/",
]


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, dict[str, str]]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append((self.path, dict(self.headers)))
        getattr(self, self.path.partition("?")[0].strip("/").replace("-", "_") or "plain")()

    def do_POST(self) -> None:
        self.do_GET()

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def plain(self) -> None:
        self.answer(200, b'{"a": 1}')

    def zipped(self) -> None:
        self.answer(200, gzip.compress(b'{"a": 2}'), content_encoding="gzip")

    def bomb(self) -> None:
        self.answer(200, gzip.compress(b" " * (web.MOST_DOCUMENT + 10)), content_encoding="gzip")

    def busy(self) -> None:
        if sum(path == "/busy" for path, _ in self.asked) < 3:
            self.answer(503, retry_after="0")
        else:
            self.plain()

    def always_busy(self) -> None:
        self.answer(503, retry_after="0")

    def away(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def gone(self) -> None:
        self.answer(404)

    def closed(self) -> None:
        self.answer(401)

    def words(self) -> None:
        self.answer(200, b"<html>")

    def moved(self) -> None:
        self.answer(302, location="/plain")

    def round(self) -> None:
        self.answer(302, location="/round")

    def inwards(self) -> None:
        self.answer(302, location="http://169.254.169.254/latest/")

    def to_file(self) -> None:
        self.answer(302, location="file:///etc/passwd")

    def other(self) -> None:
        port = self.server.server_address[1]
        self.answer(302, location=f"http://localhost:{port}/plain")

    def slow(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        for _ in range(20):
            time.sleep(0.05)
            self.wfile.write(b" ")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    Server.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def client() -> Iterator[Web]:
    with Web(allow_private=True, timeout=2, retries=3) as made:
        yield made


@pytest.mark.parametrize("address", LOCAL)
def test_no_spelling_of_a_private_address_gets_through(address: str, port: int) -> None:
    with Web(timeout=2, retries=0) as guarded, pytest.raises((Denied, Invalid, ProviderUnavailable)) as caught:
        guarded.json(address.format(port=port))
    if isinstance(caught.value, ProviderUnavailable):
        assert "not known" in caught.value.message, "a spelling that this machine cannot resolve goes nowhere either"
    assert not Server.asked


def test_public_addresses_are_public() -> None:
    for address in ("8.8.8.8", "93.184.216.34", "2606:2800:220:1::", "::ffff:8.8.8.8", "64:ff9b::808:808"):
        assert is_public(address), address


def test_the_address_that_was_looked_at_is_the_one_that_is_used(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads elsewhere at the second question (rebinding) is asked once only."""
    answers = iter([[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))]])
    questions, connected = [], []

    def resolve(host: str, *_: Any, **__: Any) -> Any:
        questions.append(host)
        return next(answers)

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with Web(timeout=1, retries=0) as guarded, pytest.raises(ProviderUnavailable):
        guarded.json(f"http://changing.example:{port}/")
    assert questions == ["changing.example"]
    assert connected == ["93.184.216.34"]


def test_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, 1, 6, "", (address, 80)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with Web(timeout=1, retries=0) as guarded, pytest.raises(Denied):
        guarded.json("http://both.example/")


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://example.org/", "http://", "http://me:secret@example.org/", "gopher://x", "x"],
)
def test_what_is_no_web_address_is_refused(address: str, client: Web) -> None:
    with pytest.raises(Invalid):
        client.json(address)


def test_documents_plain_and_zipped(client: Web, port: int) -> None:
    assert client.json(f"http://127.0.0.1:{port}/plain") == ({"a": 1}, f"http://127.0.0.1:{port}/plain")
    assert client.json(f"http://127.0.0.1:{port}/zipped")[0] == {"a": 2}
    assert client.json(f"http://127.0.0.1:{port}/moved")[1].endswith("/plain")
    client.json(f"http://127.0.0.1:{port}/plain", body={"limit": 1})


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("gone", NotFound),
        ("closed", Unauthenticated),
        ("words", Unreadable),
        ("bomb", TooLarge),
        ("always-busy", ProviderUnavailable),
        ("away", ProviderUnavailable),
        ("round", ProviderUnavailable),
        ("to-file", Invalid),
    ],
)
def test_what_is_wrong_has_its_own_error(path: str, error: type[Exception], client: Web, port: int) -> None:
    with pytest.raises(error):
        client.json(f"http://127.0.0.1:{port}/{path}")


def test_who_is_busy_is_asked_again(client: Web, port: int) -> None:
    assert client.json(f"http://127.0.0.1:{port}/busy")[0] == {"a": 1}
    assert len(Server.asked) == 3


def test_redirects_are_looked_at_anew(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(web, "is_public", lambda address: address == "127.0.0.1" or is_public(address))
    monkeypatch.setattr(socket, "getaddrinfo", real)
    with Web(timeout=1, retries=0) as guarded, pytest.raises(Denied):
        guarded.json(f"http://127.0.0.1:{port}/inwards")


def test_credentials_stay_with_their_origin(client: Web, port: int) -> None:
    client.json(f"http://127.0.0.1:{port}/other", headers={"Authorization": "Bearer secret"})
    (_, first), (_, second) = Server.asked
    assert first["Authorization"] == "Bearer secret"
    assert "Authorization" not in second


def test_a_server_that_drips_is_left(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with Web(allow_private=True, timeout=0.1, retries=0) as impatient, pytest.raises(ProviderUnavailable):
        impatient.json(f"http://127.0.0.1:{port}/slow")


def test_downloads_have_a_limit(client: Web, port: int, tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        client.download(f"http://127.0.0.1:{port}/plain", tmp_path / "file", most=3)
    done = client.download(f"http://127.0.0.1:{port}/plain", tmp_path / "file")
    assert json.loads((tmp_path / "file").read_text()) == {"a": 1}
    assert done.size == 8
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
