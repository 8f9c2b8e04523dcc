"""Files from the kernel to the socket: the same bytes as without, for curl and for one who hangs up."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from terrella.api.files import serve_file
from terrella.api.sendfile import EXTENSION, SendfileProtocol
from terrella.api.server import listening_socket

BLOCK = hashlib.sha256(b"x").digest() * 700_000  # 22 MB: more than one part


@pytest.fixture(scope="module", params=[SendfileProtocol, "httptools"], ids=["sendfile", "plain"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("files") / "big.bin"
    path.write_bytes(BLOCK)
    seen: dict[str, Any] = {}

    def file(asked: Request) -> Response:
        seen["extension"] = EXTENSION in (asked.scope.get("extensions") or {})
        return serve_file(asked, path)

    def extension(asked: Request) -> Response:
        return PlainTextResponse(str(seen.get("extension")))

    app = Starlette(routes=[Route("/file", file), Route("/extension", extension)])
    listening = listening_socket("127.0.0.1", 0)
    config = uvicorn.Config(app, http=request.param, loop="uvloop", ws="none", log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[listening]), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listening.close()


def test_all_bytes_arrive_in_order_on_one_connection(address: str, request: pytest.FixtureRequest) -> None:
    with httpx.Client(base_url=address, timeout=30) as web:
        for _ in range(2):
            assert web.get("/file").content == BLOCK
        assert web.get("/file", headers={"Range": "bytes=16777210-16777230"}).content == BLOCK[16777210:16777231]
        multiple = web.get("/file", headers={"Range": "bytes=0-3,100-103"})
        assert int(multiple.headers["content-length"]) == len(multiple.content)
        assert BLOCK[100:104] in multiple.content
        expected = "sendfile" in request.node.callspec.id
        assert web.get("/extension").text == str(expected)


def test_several_slow_readers_at_once(address: str) -> None:
    found: list[bytes] = []

    def read() -> None:
        with httpx.stream("GET", f"{address}/file", timeout=30) as answer:
            digest = hashlib.sha256()
            for chunk in answer.iter_raw(1 << 20):
                digest.update(chunk)
                time.sleep(0.002)
            found.append(digest.digest())

    threads = [threading.Thread(target=read) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [hashlib.sha256(BLOCK).digest()] * 5


def test_who_hangs_up_disturbs_nobody(address: str) -> None:
    host, port = address.removeprefix("http://").split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port))) as rude:
            rude.sendall(b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n")
            rude.recv(1000)
    with httpx.Client(base_url=address, timeout=30) as web:
        assert web.get("/file").content == BLOCK
