"""Asking strangers over HTTP: every address is looked at when the connection is made, and that address is used.

A name that leads to a machine of ours (loopback, private and link-local networks, in whatever spelling) is refused
unless the site allows it. Redirects are followed one by one, each looked at anew, and never take credentials along.
"""

from __future__ import annotations

import hashlib
import ipaddress
import random
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx
import orjson

from terrella.errors import Denied, Invalid, NotFound, ProviderUnavailable, TooLarge, Unauthenticated, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

MOST_DOCUMENT = 64 << 20
"""Bytes of one JSON document."""
_MOST_REDIRECTS = 5
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_PAUSE = 30.0
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_WHY_NOT = (httpx.HTTPError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)
_PLAIN_HEADERS = {"user-agent": "terrella", "accept-encoding": "gzip"}

Options = Any


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was downloaded."""

    size: int
    sha256: str
    media_type: str


class Web:
    """A polite client; safe for threads. `pause` seconds are left between two requests, `retries` made after the first.

    `allow_private` lets it go where only this machine or its network are.
    """

    def __init__(
        self, *, allow_private: bool = False, timeout: float = 30.0, retries: int = 4, pause: float = 0.0
    ) -> None:
        self._timeout = timeout
        self._retries = retries
        self._pause = pause
        self._next = 0.0
        self._client = httpx.Client(
            transport=_Pinned(allow_private=allow_private),
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            headers=_PLAIN_HEADERS,
        )

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def json(self, url: str, *, headers: Mapping[str, str] | None = None, body: Any = None) -> tuple[Any, str]:
        """A JSON document, and the address that it came from in the end; with a body it is POSTed.

        Raises ProviderUnavailable for one who does not answer, NotFound, Denied, Invalid, Unreadable for no JSON.
        """
        content = orjson.dumps(body) if body is not None else None
        given = dict(headers or {}) | ({"content-type": "application/json"} if body is not None else {})
        text, final = self._tried(lambda: self._text(url, given, content))
        try:
            return orjson.loads(text), final
        except orjson.JSONDecodeError as error:
            raise Unreadable(f"{shown(url)} gives no JSON: {error}.") from None

    def download(self, url: str, path: Path, *, most: int | None = None) -> Fetched:
        """Fetch a file; a download that broke off goes on where it stopped. Raises as `json`, TooLarge above `most`."""
        return self._tried(lambda: self._into(url, path, most))

    def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Status, body and headers of one request that is made as it is: no redirects. Busy servers are asked again."""

        def once() -> tuple[int, bytes, Mapping[str, str]]:
            with self._asked(method, url, headers, content) as answer:
                if answer.status_code in _BUSY:
                    raise _Busy(answer)
                return answer.status_code, answer.read(), answer.headers

        return self._tried(once)

    # --- one try ---------------------------------------------------------------------------------------------------

    def _text(self, url: str, headers: Mapping[str, str], content: bytes | None) -> tuple[bytes, str]:
        last = time.monotonic() + 4 * self._timeout
        with self._followed(url, headers, content) as (answer, final):
            found = bytearray()
            for block in answer.iter_bytes():
                found += block
                if len(found) > MOST_DOCUMENT:
                    raise TooLarge(f"{shown(url)} gives more than {MOST_DOCUMENT >> 20} MiB of JSON.")
                if time.monotonic() > last:
                    raise httpx.ReadTimeout("it takes too long")
            return bytes(found), final

    def _into(self, url: str, path: Path, most: int | None) -> Fetched:
        """Bytes from an earlier try are kept only where the server says that the rest belongs to them."""
        tag_file = path.with_name(path.name + ".tag")
        have = path.stat().st_size if path.exists() and tag_file.exists() else 0
        headers = {"accept-encoding": "identity"}
        if have:
            headers |= {"range": f"bytes={have}-", "if-range": tag_file.read_text()}
        with self._followed(url, headers, None) as (answer, _):
            goes_on = answer.status_code == 206 and answer.headers.get("content-range", "").startswith(f"bytes {have}-")
            if tag := answer.headers.get("etag", ""):
                tag_file.write_text(tag) if not tag.startswith("W/") else tag_file.unlink(missing_ok=True)
            else:
                tag_file.unlink(missing_ok=True)
            with path.open("ab" if goes_on else "wb") as file:
                size = have if goes_on else 0
                for block in answer.iter_raw():
                    size += len(block)
                    if most is not None and size > most:
                        raise TooLarge(f"{shown(url)} has more than {most:,} bytes.")
                    file.write(block)
            media_type = answer.headers.get("content-type", "application/octet-stream")
        tag_file.unlink(missing_ok=True)
        with path.open("rb") as done:
            return Fetched(size, hashlib.file_digest(done, "sha256").hexdigest(), media_type)

    @contextmanager
    def _followed(
        self, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> Iterator[tuple[httpx.Response, str]]:
        """The answer at the end of all redirects. Raises for every status that is no success."""
        given, method = dict(headers), "POST" if content is not None else "GET"
        for _ in range(_MOST_REDIRECTS + 1):
            with self._asked(method, url, given, content) as answer:
                if answer.is_redirect:
                    before, url = url, urljoin(url, answer.headers["location"])
                    if _origin(before) != _origin(url):
                        given = {n: v for n, v in given.items() if n.lower() not in ("authorization", "cookie")}
                    if answer.status_code == 303:
                        method, content = "GET", None
                    continue
                _check(answer, url)
                yield answer, url
                return
        raise ProviderUnavailable(f"{shown(url)} leads on and on.")

    @contextmanager
    def _asked(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> Iterator[httpx.Response]:
        check_address(url)
        wait = self._next - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._next = time.monotonic() + self._pause
        with self._client.stream(method, url, headers=dict(headers), content=content) as answer:
            yield answer

    # --- several ---------------------------------------------------------------------------------------------------

    def _tried[T](self, once: Callable[[], T]) -> T:
        """Once more, and again later, where the other side is away or busy for a moment."""
        for count in range(self._retries + 1):
            try:
                return once()
            except _Busy as busy:
                why, pause = f"it answers {busy.status}", busy.after
            except _WHY_NOT as error:
                why, pause = str(error) or type(error).__name__, None
            if count < self._retries:
                usual = min(_LONGEST_PAUSE, 0.2 * 2**count) * (0.75 + random.random() / 2)  # noqa: S311 -- no secret
                time.sleep(min(_LONGEST_PAUSE, usual if pause is None else pause))
        raise ProviderUnavailable(f"The other side does not answer: {why[:200]}.")


class _Busy(Exception):
    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.status = answer.status_code
        said = answer.headers.get("retry-after", "")
        self.after = float(said) if said.isdigit() else None


def check_address(url: str) -> None:
    """Raises Invalid for what is no plain http(s) address of a machine with a name."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        raise Invalid(f"{url[:200]!r} is no address.", parameter="url") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not has_port:
        raise Invalid(f"Give an address that begins with https:// or http://, not {url[:200]!r}.", parameter="url")
    if parts.username or parts.password:
        raise Invalid("An address must not have a name or password in it.", parameter="url")


def shown(url: str) -> str:
    """An address for messages and logs: without its query, which may hold secrets."""
    return url.partition("?")[0][:200]


def _check(answer: httpx.Response, url: str) -> None:
    status = answer.status_code
    if status in _BUSY:
        raise _Busy(answer)
    if status in (404, 410):
        raise NotFound(f"There is nothing at {shown(url)} ({status}).")
    if status == 401:
        raise Unauthenticated(f"{shown(url)} wants to know who asks (401).")
    if status == 403:
        raise Denied(f"{shown(url)} is closed to us (403).")
    if status not in (200, 206):
        raise Invalid(f"{shown(url)} does not take this request ({status}).")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


# --- addresses -------------------------------------------------------------------------------------------------------


def is_public(address: str) -> bool:
    """Whether an IP address, and every one that is wrapped in it, is reachable by anybody on the internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
        if found in _NAT64:
            inner.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
        if not all(is_public(str(one)) for one in inner if one is not None):
            return False
        if found.ipv4_mapped is not None:
            return True
    return found.is_global and not found.is_multicast


class _Guarded(httpcore.NetworkBackend):
    """Resolves a name once, looks at all that it leads to, and connects to just that."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Options] | None = None,
    ) -> httpcore.NetworkStream:
        """Raises Denied for an address that is not public, ConnectError."""
        error: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses(host, port):
            try:
                return self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as fault:
                error = fault
        raise error

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host[:100]} is not known") from error
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if not self._allow_private and not all(map(is_public, addresses)):
            raise Denied(f"{host[:100]} is not on the public internet: this site does not go there.", parameter="url")
        return addresses

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002 -- httpcore's signature
        socket_options: Iterable[Options] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        raise Denied(f"{path[:50]!r} is no address on the internet.")

    def sleep(self, seconds: float) -> None:
        self._plain.sleep(seconds)


class _Pinned(httpx.BaseTransport):
    """httpx over connections that are looked at."""

    def __init__(self, *, allow_private: bool) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            network_backend=_Guarded(allow_private=allow_private),
            max_connections=8,
            keepalive_expiry=10.0,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        inner = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        answer = self._pool.handle_request(inner)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
