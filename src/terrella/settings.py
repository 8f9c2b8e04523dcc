"""Settings: one tree, read once, handed down as parts.

They come from, the first winning: arguments, environment (`TERRELLA_SERVER__PORT=8800`), `terrella.toml` in the
site's home. Keys that do not exist are refused, so that a typo never passes for a setting.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

FILE_NAME = "terrella.toml"
_NOT_SETTINGS = {"TERRELLA_HOME", "TERRELLA_TEST_DATA", "TERRELLA_BENCH_DATA"}

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
