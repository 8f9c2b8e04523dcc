"""Bytes of local files, over HTTP and from S3: real servers on loopback."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from site_files import write_netcdf
from terrella.errors import NotFound, Unreadable, Unsupported
from terrella.site import Site
from terrella.storage import files

CONTENT = bytes(range(256)) * 5000


class Ranges(http.server.SimpleHTTPRequestHandler):
    """The standard library's file server, with single byte ranges."""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        wanted = self.headers.get("Range")
        if not path.is_file() or wanted is None:
            super().do_GET()
            return
        data = path.read_bytes()
        start, end = wanted.removeprefix("bytes=").split("-")
        first, last = int(start), min(int(end or len(data) - 1), len(data) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        self.wfile.write(data[first : last + 1])


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "web"
    folder.mkdir()
    handler = type("Here", (Ranges,), {"__init__": lambda self, *a: Ranges.__init__(self, *a, directory=str(folder))})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 bucket of a moto server; the usual environment variables say where it is."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"b{port}"
    boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1").create_bucket(Bucket=name)
    yield name
    server.stop()


def upload(bucket: str, key: str, path: Path) -> str:
    import os

    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name="us-east-1")
    client.upload_file(str(path), bucket, key)
    return f"s3://{bucket}/{key}"


def check(href: str) -> None:
    assert files.state(href).size == len(CONTENT)
    assert files.read_range(href, 300, 20) == CONTENT[300:320]
    assert files.read_range(href, 300, 0) == b""
    assert files.read_whole(href) == CONTENT
    assert files.sha256(href) == "1220" + hashlib.sha256(CONTENT).hexdigest()
    with files.open_file(href) as file:
        file.seek(-10, 2)
        assert file.read() == CONTENT[-10:]
    assert files.is_there(href)
    with pytest.raises(Unreadable):
        files.read_range(href, len(CONTENT) - 5, 10)
    with pytest.raises(Unreadable):
        files.read_whole(href, most=10)


def test_local(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(CONTENT)
    check(str(path))
    check(f"file://{path}")


def test_http(web: str, tmp_path: Path) -> None:
    (tmp_path / "web" / "a.bin").write_bytes(CONTENT)
    check(f"{web}/a.bin")
    assert not files.is_there(f"{web}/b.bin")


def test_s3(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(CONTENT)
    check(upload(bucket, "some/folder/a.bin", tmp_path / "a.bin"))
    assert not files.is_there(f"s3://{bucket}/none")


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        files.state(str(tmp_path / "none"))
    with pytest.raises(Unsupported, match="ftp"):
        files.is_remote("ftp://example.org/a")


def test_a_replaced_file_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    assert files.read_range(str(path), 0, 3) == b"old"
    (tmp_path / "b").write_bytes(b"new")
    (tmp_path / "b").replace(path)
    assert files.read_range(str(path), 0, 3) == b"new"


def test_many_files_stay_within_bounds(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(300):
        (tmp_path / str(number)).write_bytes(bytes([number % 256]))
    for number in range(300):
        assert files.read_range(str(tmp_path / str(number)), 0, 1) == bytes([number % 256])
    assert len(list(Path("/proc/self/fd").iterdir())) - before < 200


def test_remote_files_become_cubes(web: str, bucket: str, tmp_path: Path) -> None:
    """The whole road over HTTP and S3: only ranges are read."""
    values = write_netcdf(tmp_path / "web" / "t2m_http.nc")
    write_netcdf(tmp_path / "u10_s3.nc", name="u10")
    href = upload(bucket, "u10_s3.nc", tmp_path / "u10_s3.nc")
    with Site.open(tmp_path / "home", reading={"scanners": 1}) as site:
        report = site.add(f"{web}/t2m_http.nc", href)
        assert report.failures == []
        point = site.cut("t2m_http", point=(3, 45), time="2024-01-01T02:00:00Z")
        assert float(point.dataset["t2m"].values.ravel()[0]) == values[2, 5, 3]
        assert 0 < point.receipt.bytes_read < 2000
        assert float(site.extract("u10_s3", point=(3, 45))["u10"].values[2, 0]) == values[2, 5, 3]
        assert site.add(f"{web}/t2m_http.nc", href).unchanged == 2


def test_objects_below_a_prefix_are_listed(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    for key in ("in/b/2.nc", "in/1.nc", "inside.nc", "other/3.nc"):
        upload(bucket, key, tmp_path / "file")
    assert files.list_objects(f"s3://{bucket}/in") == [f"s3://{bucket}/in/1.nc", f"s3://{bucket}/in/b/2.nc"]
