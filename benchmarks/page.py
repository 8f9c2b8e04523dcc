"""The page of the documentation that holds the last full run."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from benchmarks.rows import Row, cells, verdict

_INTRODUCTION = """# Performance

This page is written by `python -m benchmarks --write`; `make bench` measures and prints the same tables. Every number is of
one machine, the one below; on another all of them shift together, which is why the comparisons are ratios. A ratio above 1
means that Terrella is that many times faster.

## How it is measured

- Others run on the same machine, on the same data, in the same run, in rounds that alternate with Terrella's: load from outside
  is unfair to all alike. Each server is one process with one worker, on loopback; the clients run on the same cores.
- Others are set up as their documentation says, and where a setting made them faster here, with that setting. Answers are
  checked, not only timed: the same items in the same order, the same number of values, every message found.
- Caches are warm. The first requests, those that import code and fill caches, are not counted.
- Where a bar is on times, it is on the 99th percentile of what the client sees, not on the mean.
- A bar was set before it was measured. What misses it stays here, and says by how much.

## What it means

- **STAC**: Terrella's catalogue is a file that the server reads in its own process; pgstac asks a database server through SQL
  functions. The difference is largest where little is read: for one item, for the newest, for a small box. A PostgreSQL shared by
  many API servers does what one SQLite file does not do: several machines writing to one catalogue.
- **EDR**: most of the time of a point series goes into decompressing chunks of which one value each is wanted. Terrella decodes on several
  threads and keeps decoded chunks in a cache of bounded size; the notes give the ratio also without that cache.
- **Adding**: Terrella does more than the others (checksums, grids, extents, items for search) and still has to be as fast; it scans in
  processes of its own, whose start is most of the time for a single small file.
"""


def page(results: Mapping[str, Mapping[str, Any]], facts: Iterable[tuple[str, str]]) -> str:
    """The whole page, of rows by module and of facts about the machine."""
    parts = [_INTRODUCTION, "## The machine\n", *_table(("what", "which"), facts), ""]
    judged = [(row, verdict(row)) for one in results.values() for row in one["rows"]]
    with_bar = [(row["what"], found) for row, found in judged if found]
    parts += ["## Bars\n", *_bars(with_bar), ""]
    for name, one in results.items():
        parts += [*_section(name, one), ""]
    return "\n".join(parts).rstrip() + "\n"


def _bars(judged: list[tuple[str, Any]]) -> list[str]:
    missed = [(what, found) for what, found in judged if not found.met]
    lines = [f"{len(judged) - len(missed)} of {len(judged)} bars are met."]
    if missed:
        lines += ["Missed are:", "", *(f"- {what}: {found.bar} is missed by {_by(found)}." for what, found in missed)]
    return lines


def _by(found: Any) -> str:
    return f"{(1 / found.factor - 1) * 100:.0f} %"


def _section(name: str, one: Mapping[str, Any]) -> list[str]:
    title, *about = (inspect.getdoc(import_module(f"benchmarks.{name}")) or name).split("\n")
    head = ("what", "Terrella", "others", "ratio", "bar", "result")
    lines = [f"## {title.rstrip('.:')}", *about, ""]
    if one.get("failed"):
        lines += [f"This benchmark failed: {one['failed']}", ""]
    rows: list[Row] = one["rows"]
    return [*lines, *_table(head, map(cells, rows))] if rows else lines


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.replace("|", r"\|").replace("<", "&lt;") for cell in cells) + " |"

    names = list(head)
    return [line(names), line("---" for _ in names), *map(line, rows)]
