"""Tables of strangers: CSV and Parquet as columns, of which only those that are asked for are read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from terrella.errors import Unreadable
from terrella.storage.files import open_file, read_range, state

MOST_ROWS = 50_000_000
_MOST_CSV = 4 << 30
_MOST_COLUMNS = 2000
_HEAD = 1 << 20
_BLOCK = 8 << 20
_NULLS = ["", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None", "-", "--", "missing", "MISSING"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name in the file; `type` as Arrow has it."""

    name: str
    type: pa.DataType

    @property
    def is_number(self) -> bool:
        kind = self.type
        tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
        return any(test(kind) for test in tests)


class Csv:
    """Comma, semicolon, tab or bar separated text with a header. Numbers are read as 64-bit floats."""

    kind = "csv"

    def __init__(self, href: str) -> None:
        self._href = href
        size = state(href).size
        if size > _MOST_CSV:
            raise Unreadable(f"It has {size:,} bytes; CSV of at most {_MOST_CSV:,} is read. Write it as Parquet.")
        head = read_range(href, 0, min(_HEAD, size))
        self._encoding = _encoding(head, whole=size <= _HEAD)
        text = head.decode(self._encoding, errors="replace").removeprefix("\ufeff")
        lines = text.splitlines()
        self._skipped = next((number for number, line in enumerate(lines) if not line.startswith("#")), 0)
        lines = lines[self._skipped :]
        if not lines or (len(lines) == 1 and size > _HEAD):
            raise Unreadable(f"Its first {_HEAD:,} bytes hold no line that could be a header.")
        self._delimiter = max(",;\t|", key=lines[0].count)
        self._decimal = _decimal_point(self._delimiter, lines[1:6])
        self.names = _distinct(next(csv.reader(io.StringIO(lines[0]), delimiter=self._delimiter)))
        self._types: dict[str, pa.DataType] | None = None

    def columns(self) -> list[Column]:
        """As the first block of the file suggests."""
        if self._types is None:
            with _readable("CSV"), open_file(self._href) as file, self._open(file, self.names, {}) as reader:
                self._types = dict(zip(reader.schema.names, map(_widened, reader.schema.types), strict=True))
        return [Column(name, self._types[name]) for name in self.names]

    def read(self, names: Iterable[str], *, as_text: Iterable[str] = ()) -> pa.Table:
        """These columns, some of them as text whatever they look like."""
        types = {column.name: column.type for column in self.columns()} | dict.fromkeys(as_text, pa.string())
        wanted = list(names)
        with _readable("CSV"), open_file(self._href) as file, self._open(file, wanted, types) as reader:
            return _capped(reader, reader.schema)

    def stored(self, name: str) -> int:  # noqa: ARG002 -- text has to be read whole for any of its columns
        """Bytes touched to read one column."""
        return int(state(self._href).size)

    def _open(self, file: Any, names: list[str], types: dict[str, pa.DataType]) -> pa.csv.CSVStreamingReader:
        return pa.csv.open_csv(
            file,
            read_options=pa.csv.ReadOptions(
                use_threads=False,
                block_size=_BLOCK,
                column_names=self.names,
                skip_rows=self._skipped + 1,
                encoding=self._encoding,
            ),
            parse_options=pa.csv.ParseOptions(delimiter=self._delimiter),
            convert_options=pa.csv.ConvertOptions(
                include_columns=names,
                column_types={name: types[name] for name in names if name in types},
                null_values=_NULLS,
                strings_can_be_null=True,
                decimal_point=self._decimal,
            ),
        )


class Parquet:
    """Apache Parquet, GeoParquet too."""

    kind = "parquet"

    def __init__(self, href: str) -> None:
        self._href = href
        with _readable("Parquet"), open_file(href) as file, pq.ParquetFile(file) as found:
            self._schema = found.schema_arrow
            self._metadata = found.metadata
        if self._metadata.num_rows > MOST_ROWS:
            raise Unreadable(f"It has {self._metadata.num_rows:,} rows; at most {MOST_ROWS:,} are read.")
        self.names = list(self._schema.names)
        check_names(self.names)

    def columns(self) -> list[Column]:
        return [Column(field.name, field.type) for field in self._schema]

    def read(self, names: Iterable[str], *, as_text: Iterable[str] = ()) -> pa.Table:  # noqa: ARG002 -- it has types
        with _readable("Parquet"), open_file(self._href) as file, pq.ParquetFile(file) as found:
            return found.read(columns=list(names), use_threads=False)

    def stored(self, name: str) -> int:
        groups = range(self._metadata.num_row_groups)
        columns = (
            self._metadata.row_group(group).column(one) for group in groups for one in range(self._metadata.num_columns)
        )
        return max(
            1, int(sum(one.total_compressed_size for one in columns if one.path_in_schema.split(".")[0] == name))
        )

    def geo(self) -> bytes | None:
        """The GeoParquet metadata of the file."""
        return (self._schema.metadata or {}).get(b"geo")


class _readable:  # noqa: N801 -- reads as a word in a with statement
    """Errors of Arrow become Unreadable."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, pa.ArrowException | OSError | UnicodeDecodeError | OverflowError):
            reason = " ".join(str(error).split()).rstrip(".")[:200]
            if "straddling" in reason:
                reason = f"a line is longer than {_BLOCK:,} bytes"
            raise Unreadable(f"Its {self._what} is broken: {reason}.") from error


def _encoding(head: bytes, *, whole: bool) -> str:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if whole or error.start < len(head) - 4:
            return "latin-1"
    return "utf-8"


def _decimal_point(delimiter: str, lines: list[str]) -> str:
    """Where columns are parted by semicolons, numbers may have a decimal comma."""
    text = "\n".join(lines)
    return "," if delimiter == ";" and re.search(r"\d,\d", text) and not re.search(r"\d\.\d", text) else "."


def _distinct(names: list[str]) -> list[str]:
    stripped = [name.strip() for name in names]
    check_names(stripped)
    return [name or f"column_{number}" for number, name in enumerate(stripped, 1)]


def check_names(names: list[str]) -> None:
    if len(names) > _MOST_COLUMNS:
        raise Unreadable(f"It has {len(names):,} columns; at most {_MOST_COLUMNS:,} are read.")
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise Unreadable(f"Several columns have one name: {', '.join(sorted(twice))[:120]}.")


def _widened(kind: pa.DataType) -> pa.DataType:
    """What holds whatever later blocks may bring: any number is a 64-bit float, what is empty so far is text."""
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return pa.float64()
    return pa.string() if pa.types.is_null(kind) or pa.types.is_temporal(kind) else kind


def _capped(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    taken: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        taken.append(batch)
        rows += batch.num_rows
        if rows > MOST_ROWS:
            raise Unreadable(f"It has more than the {MOST_ROWS:,} rows that are read.")
    return pa.Table.from_batches(taken, schema)
