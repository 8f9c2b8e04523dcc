"""The lake does what every catalogue must."""

from __future__ import annotations

from terrella.testing.catalog import CatalogSuite


class TestLake(CatalogSuite):
    provider = "terrella.providers.lake:Lake"
