"""Parquet: the tidy table, its units in the metadata of the fields."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from terrella.encodings.tables import table

if TYPE_CHECKING:
    from terrella.model.extraction import Extracted


class Parquet:
    """Writes Apache Parquet, compressed with zstd."""

    name = "parquet"
    title = "Parquet"
    media_type = "application/vnd.apache.parquet"
    suffix = ".parquet"

    def accepts(self, extracted: Extracted) -> str | None:
        return None if extracted.dataset.data_vars else "There is no variable to write."

    def encode(self, extracted: Extracted) -> bytes:
        buffer = io.BytesIO()
        pq.write_table(table(extracted), buffer, compression="zstd")
        return buffer.getvalue()
