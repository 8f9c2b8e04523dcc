"""Asking a site over HTTP in one's own name, with the key that `terrella login` keeps."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from terrella.errors import Conflict, Denied, Invalid, NotFound, ProviderUnavailable, QuotaExceeded, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from terrella.errors import TerrellaError

FILE_NAME = "keys.json"
_KINDS: dict[int, type[TerrellaError]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Denied,
    404: NotFound,
    409: Conflict,
    429: QuotaExceeded,
}


def kept_file() -> Path:
    """Where keys are kept: a folder of the user's own."""
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "terrella" / FILE_NAME


def kept_keys() -> dict[str, dict[str, str]]:
    """By address of the site: `key`, and its `id` where the site made it for us."""
    try:
        found: dict[str, dict[str, str]] = json.loads(kept_file().read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Invalid(f"{kept_file()} cannot be read ({error}): remove it and sign in again.") from None
    return found


def keep_keys(keys: Mapping[str, Mapping[str, str]]) -> None:
    """Readable by the user only, from its first byte; whole or not at all."""
    path = kept_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    with suppress(FileNotFoundError):
        fresh.unlink()
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(keys, file, indent=2)
    fresh.replace(path)


def address_of(url: str) -> str:
    """A site's address, without a slash at its end. Raises Invalid."""
    if "://" not in url:
        url = f"https://{url}"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise Invalid(f"Give the address of a site, such as https://earth.example.org, not {url!r:.200}.")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def asked(
    method: str,
    url: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """What a site answers, as JSON; with the kept key unless `headers` say who asks. Raises the error that it names."""
    import httpx

    site = address_of(url)
    who = dict(headers) if headers is not None else {"Authorization": f"Bearer {_key_for(site)}"}
    try:
        with httpx.Client(timeout=60) as client:
            answer = client.request(
                method, site + path, json=body, params=parameters, headers={"Accept": "application/json", **who}
            )
    except httpx.HTTPError as error:
        raise ProviderUnavailable(f"{site} does not answer ({str(error) or type(error).__name__}).") from None
    return _read(site, answer)


def _key_for(site: str) -> str:
    kept = kept_keys().get(site)
    if kept is None:
        raise Unauthenticated(f"You are not signed in at {site}: terrella login {site}")
    return kept["key"]


def _read(site: str, answer: httpx.Response) -> Any:
    try:
        document = answer.json()
    except ValueError:
        raise ProviderUnavailable(
            f"{site} is no Terrella, or of another kind: it answers {answer.status_code}."
        ) from None
    if answer.status_code < 400:
        return document
    said = document.get("description") if isinstance(document, dict) else None
    raise _KINDS.get(answer.status_code, ProviderUnavailable)(said or f"{site} answers {answer.status_code}.")
