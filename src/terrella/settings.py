"""Settings: one tree, read once, handed down as parts.

They come from, the first winning: arguments, environment (`TERRELLA_SERVER__PORT=8800`), `terrella.toml` in the
site's home. Keys that do not exist are refused, so that a typo never passes for a setting.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

FILE_NAME = "terrella.toml"
_NOT_SETTINGS = {"TERRELLA_HOME", "TERRELLA_KEY", "TERRELLA_TEST_DATA", "TERRELLA_BENCH_DATA"}

MIB = 1 << 20


def memory() -> int:
    """Bytes of memory of this machine; 4 GiB where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 4096 * MIB


def cache_for(total: int) -> int:
    """An eighth, but from 256 MiB to 2 GiB."""
    return min(2048 * MIB, max(256 * MIB, total // 8))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Server(_Part):
    """The HTTP server."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 for every network.")
    port: int = Field(default=8700, ge=0, le=65535, description="Port to listen on; 0 for any free one.")
    logs: Literal["auto", "json", "pretty"] = Field(
        default="auto", description="JSON lines, or for people; auto looks for a terminal."
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=("127.0.0.1", "::1"),
        description="Addresses or networks of proxies in front of the site, who are believed what X-Forwarded-For and "
        "X-Forwarded-Proto say.",
    )
    drain_seconds: float = Field(default=10, ge=0, description="Longest wait for running requests when stopping.")


class Limits(_Part):
    """What one request may ask for; more is refused before anything is read, with a smaller request that would pass."""

    values: int = Field(default=20_000_000, gt=0, description="Numbers in one answer.")
    bytes_read: int = Field(default=2048 * MIB, gt=0, description="Stored bytes to read for one answer.")
    cells: int = Field(default=5_000_000, gt=0, description="Grid cells in one answer.")
    body_bytes: int = Field(default=16 * MIB, gt=0, description="Longest request body.")


class Api(_Part):
    """What the HTTP interface offers."""

    transactions: bool = Field(
        default=False, description="Let callers create, change and delete STAC items and collections."
    )
    cors_origins: tuple[str, ...] = Field(default=("*",), description="Web origins that may call from a browser.")
    portal_files: Path | None = Field(
        default=None,
        description="Folder of another build of the portal to serve; by default the one that is installed.",
    )


class Reading(_Part):
    """How files are read."""

    cache_bytes: int = Field(
        default_factory=lambda: cache_for(memory()),
        ge=0,
        description="Memory for decoded chunks, shared by all requests; by default an eighth of the machine's, "
        "from 256 MiB to 2 GiB.",
    )
    threads: int = Field(default=4, ge=1, le=256, description="Chunks read and decoded at once.")
    scanners: int = Field(
        default=0, ge=0, le=256, description="Processes that scan files being added; 0 for one a core."
    )
    scan_seconds: float = Field(default=300, gt=0, description="Longest time for scanning one file.")
    scan_memory: int = Field(
        default=4096 * MIB, ge=0, description="Most memory (bytes) of one scanning process; 0 for no limit."
    )


class Issuer(_Part):
    """One OpenID issuer whose users may sign in; in `terrella.toml` a table `[[access.issuers]]`."""

    issuer: str = Field(description="Its address, exactly as it calls itself.")
    client_id: str = Field(description="What the issuer calls this site.")
    allow_http: bool = Field(
        default=False,
        description="Take an address that begins with http: whoever sits on the way may then forge tokens. This "
        "machine's own addresses are always taken.",
    )
    client_secret: SecretStr = Field(default=SecretStr(""), description="Where it gave one; PKCE is used always.")
    title: str = Field(default="", description="What people know it by, for the page to sign in.")
    audiences: tuple[str, ...] = Field(
        default=(), description="Tokens made for one of these are taken; by default those for `client_id`."
    )
    scopes: str = Field(default="openid profile email", description="What is asked of the issuer.")
    algorithms: tuple[Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "Ed25519", "EdDSA"], ...] = Field(
        default=("RS256", "ES256"), description="How its tokens may be signed; no other signature is looked at."
    )
    name_claim: str = Field(default="preferred_username", description="Claim that gives the user name here.")
    roles_claim: str = Field(default="roles", description="Claim that lists roles; dots lead into nested ones.")
    groups_claim: str = Field(default="groups", description="Claim that lists groups; dots lead into nested ones.")
    administrators: tuple[str, ...] = Field(
        default=(), description="Whoever has one of these roles or groups there administers this site."
    )

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        address = urlsplit(self.issuer)
        here = address.hostname in {"localhost", "127.0.0.1", "::1"}
        if address.scheme != "https" and not (address.scheme == "http" and (here or self.allow_http)):
            raise ValueError(
                f"the issuer {self.issuer!r:.200} is not at https; to take its tokens all the same, set allow_http"
            )
        return self


class Rule(_Part):
    """What is open to whom; in `terrella.toml` a table `[[access.rules]]`. What no rule opens is hidden."""

    name: str = Field(min_length=1, description="What it is called, in messages about it.")
    roles: tuple[str, ...] = Field(
        default=("*",), min_length=1, description="To whom: roles, `group:NAME` for a group, or `*` for everybody."
    )
    allow: Literal["find", "read"] = Field(
        default="read", description="To know of it; or to read, cut and download it, and know of it."
    )
    collections: str = Field(
        default="", description="Condition (CQL2) on collections: their id, license, keywords, or any other member."
    )
    items: str = Field(
        default="", description="Condition (CQL2) on items: their id, collection, datetime or any property."
    )


class Quota(_Part):
    """How much somebody may use; in `terrella.toml` a table `[[access.quotas]]`. All that concern somebody hold."""

    name: str = Field(min_length=1, description="What it is called, in messages about it.")
    roles: tuple[str, ...] = Field(
        default=("*",),
        min_length=1,
        description="Whom it concerns: roles, `group:NAME` for a group, `*` for everybody.",
    )
    counted: Literal["each", "together"] = Field(
        default="each", description="Each user by themselves, or all of them together."
    )
    collections: tuple[str, ...] = Field(default=(), description="Only what is taken from these; empty for all.")
    per: Literal["hour", "day", "month"] = Field(
        default="day", description="When it begins anew: with each hour, day or month of UTC."
    )
    requests: int | None = Field(default=None, ge=0, description="Requests.")
    bytes_read: int | None = Field(default=None, ge=0, description="Stored bytes read for answers.")
    bytes_out: int | None = Field(default=None, ge=0, description="Bytes of answers.")
    compute_seconds: float | None = Field(default=None, ge=0, description="Seconds of reading and computing.")
    storage: int | None = Field(default=None, ge=0, description="Bytes kept, whenever they came.")


class Access(_Part):
    """Who may use the site."""

    anonymous: bool = Field(
        default=True, description="Let people look and cut without an account; off, every request but pages needs one."
    )
    anonymous_roles: tuple[str, ...] = Field(
        default=(),
        description="Further roles of people without an account; `editor` lets anybody change the catalogue.",
    )
    rules: tuple[Rule, ...] = Field(
        default=(Rule(name="everything is open"),), description="What is open to whom; by default everything."
    )
    quotas: tuple[Quota, ...] = Field(default=(), description="How much may be used by whom; by default anything.")
    anonymous_rate: float = Field(
        default=100,
        ge=0,
        description="Requests a second from one address without an account; 0 for any. This machine itself is not "
        "limited, nor is anybody with a key.",
    )
    anonymous_burst: int = Field(default=1000, ge=1, description="Such requests that may come at once after a pause.")
    session_hours: float = Field(default=12, gt=0, description="How long a browser stays signed in.")
    issuers: tuple[Issuer, ...] = Field(default=(), description="OpenID issuers whose users may sign in.")


class Jobs(_Part):
    """Durable work: long extractions, orders, harvests."""

    database: str = Field(
        default="",
        description="postgresql://USER:PASSWORD@HOST/NAME to share jobs among machines; empty for a file in the home.",
    )
    workers: int = Field(
        default=1, ge=0, le=64, description="Worker processes that `terrella up` starts; 0 where others run them."
    )
    at_once_seconds: float = Field(
        default=2.0,
        ge=0,
        description="Jobs of dialects that are expected to take no longer are done by the server at "
        "once; 0 leaves all to workers.",
    )
    at_once_bytes: int = Field(
        default=64 * MIB, ge=0, description="Most stored bytes that such a job reads, and most bytes of its answer."
    )
    keep_days: float = Field(default=30, gt=0, description="Days after which the files of ended jobs are deleted.")
    values: int = Field(default=500_000_000, gt=0, description="Numbers in one answer that a job makes.")
    bytes_read: int = Field(default=32768 * MIB, gt=0, description="Stored bytes that one job may read.")
    cells: int = Field(default=100_000_000, gt=0, description="Grid cells in one answer that a job makes.")


class Orders(_Part):
    """Whole products, packed and delivered."""

    items: int = Field(default=10_000, gt=0, description="Items in one order.")
    size: int = Field(default=102_400 * MIB, gt=0, description="Bytes in one order.")
    allow_private: bool = Field(
        default=False,
        description="Deliver to S3 stores, and fetch assets, at addresses that only this network has; off, only "
        "public ones.",
    )


class Harvest(_Part):
    """Copying what others have into the catalogue."""

    allow_private: bool = Field(
        default=False, description="Harvest from addresses that only this machine or its network has, too."
    )
    page: int = Field(default=500, ge=1, le=10_000, description="Items asked for at once.")
    pause: float = Field(default=0.0, ge=0, description="Seconds between two requests to the same source.")
    timeout: float = Field(default=30.0, gt=0, description="Seconds to wait for an answer.")
    retries: int = Field(default=4, ge=0, le=20, description="How often a request is made again that failed.")
    asset_bytes: int = Field(default=20_480 * MIB, gt=0, description="Most bytes of one asset that is copied.")


class Settings(BaseSettings):
    """The whole tree. `home` is the folder that holds the site."""

    model_config = SettingsConfigDict(
        env_prefix="TERRELLA_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    home: Path = Field(description="Folder of the site: its terrella.toml, database and objects.")
    title: str = Field(default="Terrella", description="Name of the site, shown on its pages and in its catalogues.")
    description: str = Field(
        "Earth data: find them, cut out what you need.", description="One sentence about the site."
    )
    server: Server = Server()
    limits: Limits = Limits()
    api: Api = Api()
    reading: Reading = Reading()
    jobs: Jobs = Jobs()
    orders: Orders = Orders()
    harvest: Harvest = Harvest()
    access: Access = Access()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- the framework's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        home = init_settings()["home"]
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=Path(home) / FILE_NAME)


def read_settings(home: Path, **given: Any) -> Settings:
    """The settings of the site in `home`. Raises ValueError, whose text names each wrong key and what is allowed."""
    known = {f"TERRELLA_{name.upper()}" for name in Settings.model_fields}
    for name in os.environ:
        if name.startswith("TERRELLA_") and name not in _NOT_SETTINGS and name.split("__", 1)[0] not in known:
            raise ValueError(f"{name} in the environment is no setting. There are: {', '.join(sorted(known))}.")
    return Settings(home=home.expanduser().resolve(), **given)
