"""CSV (RFC 4180, UTF-8): one header line with the names of the columns, times as ISO text with Z, missing empty."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from terrella.encodings.tables import row_count, table

if TYPE_CHECKING:
    from terrella.model.extraction import Extracted

MOST_ROWS = 10_000_000
_SPECIAL = '[",\r\n]'


class Csv:
    """Writes comma-separated values. Units, licence and receipt have no place in it: ask for another format."""

    name = "csv"
    title = "CSV"
    media_type = "text/csv"
    suffix = ".csv"

    def accepts(self, extracted: Extracted) -> str | None:
        if not extracted.dataset.data_vars:
            return "There is no variable to write."
        rows = row_count(extracted.dataset)
        return None if rows <= MOST_ROWS else f"It would have {rows:,} rows; at most {MOST_ROWS:,} are written as CSV."

    def encode(self, extracted: Extracted) -> bytes:
        made = table(extracted)
        columns = [_text(column) for column in made.columns]
        quoted = any(_needs_quotes(column) for column in columns)
        options = pa.csv.WriteOptions(include_header=False, quoting_style="needed" if quoted else "none")
        buffer = io.BytesIO()
        buffer.write(",".join(_quote(name) for name in made.column_names).encode() + b"\n")
        pa.csv.write_csv(pa.table(columns, names=made.column_names), buffer, options)
        return buffer.getvalue()


def _text(column: Any) -> Any:
    """Times become ISO text; each distinct one is written once."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    if not pa.types.is_timestamp(column.type):
        return column
    found = column.combine_chunks().dictionary_encode()
    if isinstance(found, pa.ChunkedArray):
        found = found.chunk(0)
    distinct = found.dictionary.to_numpy(zero_copy_only=False).astype("M8[ms]")
    seconds = distinct.astype("M8[s]")
    texts = np.datetime_as_string(seconds if bool((seconds == distinct).all()) else distinct)
    return pa.array([f"{text}Z" for text in texts.tolist()], pa.string()).take(found.indices)


def _needs_quotes(column: Any) -> bool:
    if not pa.types.is_string(column.type):
        return False
    return bool(pc.any(pc.match_substring_regex(column, _SPECIAL)).as_py())


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(mark in name for mark in '",\r\n') else name
