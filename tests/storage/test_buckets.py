"""Signatures against botocore's, delivery against a moto server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import ThreadedMotoServer

from terrella.errors import Invalid
from terrella.storage import buckets
from terrella.storage.buckets import S3Bucket, S3Key, parse_s3, signed
from terrella.storage.web import Web

NOW = datetime(2026, 11, 21, 12, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize("token", ["", "a-token"])
@pytest.mark.parametrize(
    "url",
    [
        "https://bucket.s3.eu-central-1.amazonaws.com/a%20b/c~d.nc",
        "http://127.0.0.1:5000/bucket/%C3%BC.zip?partNumber=3&uploadId=x%2Fy%3D",
        "http://127.0.0.1:5000/bucket/file?uploads=",
    ],
)
def test_signatures_are_those_of_botocore(url: str, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    key, body = S3Key("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token), b"content"
    mine = signed("PUT", url, body, key, "eu-central-1", NOW)
    request = AWSRequest("PUT", url, data=body, headers={"x-amz-content-sha256": mine["x-amz-content-sha256"]})
    from botocore import auth

    monkeypatch.setattr(auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None), raising=False)
    theirs = S3SigV4Auth(Credentials(key.key, key.secret, token or None), "s3", "eu-central-1")
    theirs.add_auth(request)
    assert request.headers["X-Amz-Date"] == mine["x-amz-date"]
    assert request.headers["Authorization"] == mine["authorization"]


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(store: str) -> Any:
    made = boto3.client(
        "s3", endpoint_url=store, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1"
    )
    made.create_bucket(Bucket="mine")
    return made


@pytest.mark.parametrize("whole", [buckets.WHOLE, 6 << 20])
def test_files_arrive_whole_and_in_parts(
    s3: Any, store: str, tmp_path: Path, whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "WHOLE", whole)
    content = bytes(range(251)) * 60_000  # 15 MB: one, or three parts
    (tmp_path / "file").write_bytes(content)
    told: list[int] = []
    with Web(allow_private=True, timeout=20, retries=0) as web:
        S3Bucket(web, "mine", S3Key("k", "s"), endpoint=store).put("a folder/ä.bin", tmp_path / "file", told.append)
    assert s3.get_object(Bucket="mine", Key="a folder/ä.bin")["Body"].read() == content
    assert sum(told) == len(content)
    assert len(told) == (1 if whole > len(content) else 3)


def test_a_store_that_refuses_says_why_and_names_no_key(s3: Any, store: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with Web(allow_private=True, timeout=20, retries=0) as web, pytest.raises(Invalid, match="NoSuchBucket") as caught:
        S3Bucket(web, "other", S3Key("the-key", "the-secret"), endpoint=store).put("x", tmp_path / "file")
    assert "the-" not in caught.value.message
    assert "the-" not in repr(S3Key("the-key", "the-secret", "the-token"))


@pytest.mark.parametrize("address", ["http://x/y", "s3://", "s3://UPPER/x", "s3://a_b/x", "s3://ok.bucket/x?y", "x"])
def test_what_is_no_place_in_a_store_is_refused(address: str) -> None:
    with pytest.raises(Invalid):
        parse_s3(address)


def test_places_in_stores() -> None:
    assert parse_s3("s3://my.bucket/a/b/") == ("my.bucket", "a/b")
    assert parse_s3("s3://bucket") == ("bucket", "")
