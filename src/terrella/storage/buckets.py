"""Putting files into somebody's S3 store, with their key. Signature version 4, as Amazon's documentation gives it.

The store is somebody else's choice, so that the connection goes through `storage.web`, which looks at addresses.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from terrella.errors import Denied, Invalid, ProviderUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from terrella.storage.web import Web

WHOLE = 32 << 20
"""Files above so many bytes go in parts of at least that size."""
_MOST_PARTS = 9_000
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")
_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,60})</Code>")
_UPLOAD = re.compile(rb"<UploadId>([^<]+)</UploadId>")


@dataclass(frozen=True, slots=True)
class S3Key:
    """What opens a store. It is never shown."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def parse_s3(address: str) -> tuple[str, str]:
    """Bucket and prefix of ``s3://bucket/prefix``. Raises Invalid."""
    parts = urlsplit(address)
    if parts.scheme != "s3" or not _BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
        raise Invalid(f"A place in an S3 store is s3://BUCKET/FOLDER, not {address[:100]!r}.", parameter="to")
    return parts.netloc, parts.path.strip("/")


class S3Bucket:
    """One bucket: at `endpoint` where given (then the bucket is the first part of the path), else at Amazon's."""

    def __init__(self, web: Web, bucket: str, key: S3Key, *, endpoint: str = "", region: str = "us-east-1") -> None:
        self._web = web
        self._key = key
        self._region = region
        self._base = f"{endpoint.rstrip('/')}/{bucket}" if endpoint else f"https://{bucket}.s3.{region}.amazonaws.com"

    def put(self, name: str, path: Path, tell: Callable[[int], None] = lambda _: None) -> None:
        """Put a file there as `name`, in parts where it is large. `tell` hears of bytes that are there.

        Raises Denied where the key does not open it, Invalid, ProviderUnavailable.
        """
        size = path.stat().st_size
        if size <= WHOLE:
            self._send("PUT", name, {}, path.read_bytes())
            tell(size)
            return
        started = _UPLOAD.search(self._send("POST", name, {"uploads": ""}, b"")[0])
        if started is None:
            raise ProviderUnavailable("The S3 store does not take files in parts.")
        upload = started[1].decode()
        try:
            self._put_parts(name, path, upload, max(WHOLE, -(-size // _MOST_PARTS)), tell)
        except BaseException:
            self._abort(name, upload)
            raise

    def _put_parts(self, name: str, path: Path, upload: str, step: int, tell: Callable[[int], None]) -> None:
        tags: list[str] = []
        with path.open("rb") as file:
            while block := file.read(step):
                number = str(len(tags) + 1)
                _, headers = self._send("PUT", name, {"partNumber": number, "uploadId": upload}, block)
                tags.append(headers.get("etag", ""))
                tell(len(block))
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{_escaped(tag)}</ETag></Part>"
            for number, tag in enumerate(tags, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer, _ = self._send("POST", name, {"uploadId": upload}, body)
        if b"<Error>" in answer:  # it may fail after having answered 200
            raise ProviderUnavailable(f"The S3 store could not join the parts ({_code(answer)}).")

    def _abort(self, name: str, upload: str) -> None:
        """Parts that are not joined would be kept, and paid for, for ever."""
        try:
            self._send("DELETE", name, {"uploadId": upload}, b"")
        except (Denied, Invalid, ProviderUnavailable):
            return

    def _send(
        self, method: str, name: str, query: Mapping[str, str], content: bytes
    ) -> tuple[bytes, Mapping[str, str]]:
        asked = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in sorted(query.items()))
        url = f"{self._base}/{quote(name, safe='/~')}" + (f"?{asked}" if asked else "")
        headers = signed(method, url, content, self._key, self._region, datetime.now(UTC))
        status, body, given = self._web.send(method, url, headers, content)
        if status in (401, 403):
            raise Denied(f"The S3 store does not let this key write ({_code(body)}).", parameter="to")
        if not 200 <= status < 300:
            raise Invalid(f"The S3 store refuses it: {status} {_code(body)}.", parameter="to")
        return body, given


def signed(method: str, url: str, content: bytes, key: S3Key, region: str, now: datetime) -> dict[str, str]:
    """Headers that prove who asks. `url` is quoted, its query sorted."""
    parts, digest = urlsplit(url), hashlib.sha256(content).hexdigest()
    at, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = {"host": parts.netloc, "x-amz-content-sha256": digest, "x-amz-date": at}
    if key.token:
        headers["x-amz-security-token"] = key.token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    asked = "\n".join((method, parts.path or "/", parts.query, lines, names, digest))
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", at, scope, hashlib.sha256(asked.encode()).hexdigest()))
    made = f"AWS4{key.secret}".encode()
    for word in (day, region, "s3", "aws4_request"):
        made = hmac.digest(made, word.encode(), "sha256")
    signature = hmac.digest(made, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key.key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _code(body: bytes) -> str:
    """What the store calls the error; the rest of its words may name the key."""
    found = _CODE.search(body)
    return found[1].decode() if found else "it does not say why"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
