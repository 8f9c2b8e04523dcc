"""schemathesis on our OpenAPI description: whatever it thinks of, no 500, and no answer that is not described."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from api.conftest import make_site
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks
from schemathesis.config import GenerationConfig, ProjectConfig, SchemathesisConfig

from terrella.api.app import create_app


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    site = make_site(tmp_path_factory.mktemp("site"), api={"transactions": True})
    yield schemathesis.openapi.from_asgi("/api", create_app(site))
    site.close()
