"""The page of the documentation that holds the last full run."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from benchmarks.rows import Row, Verdict, cells, verdict

_INTRODUCTION = """# Performance

This page is written by `python -m benchmarks --write`; `make bench` measures and prints the same tables. Every number
is of one machine, the one below. On another all of them shift together, which is why comparisons are ratios: above 1
means that Terrella is that many times faster.

## How it is measured

- Others run on the same machine and the same data, in the same run, in rounds that alternate with Terrella's: load
  from outside is unfair to all alike. A server is one process with one worker, on loopback; clients share its cores.
- Others are set up as their documentation says, and where a setting made them faster here, with that setting.
- Answers are compared, not only timed: items and their order, numbers of values, messages found.
- Caches are warm. The first requests, those that import code and fill caches, are not counted.
- Where a bar is on times of answers, it is on the 99th percentile of what the client sees, not on the mean.
- Bars were set before anything was measured. What misses one stays here, and says by how much.

## What it means

- **Finding.** Terrella's catalogue is a file that the server reads in its own process; pgstac asks PostgreSQL through
  SQL functions, and has no partitions by time here, as it has none by default. What PostgreSQL can do and one SQLite
  file cannot, several machines that write to one catalogue, is not measured.
- **Cutting.** Most of the time of a point series goes into decompressing chunks of which one value per hour is wanted.
  Terrella decodes on several threads and keeps decoded chunks in a cache of bounded size; the result column also gives
  the ratio without that cache.
- **Adding.** On the whole road Terrella does more than the others: checksums, grids, extents, items to search for. Its
  scanning processes start anew in a fresh process, which is most of the time where there is only one small file.
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


def _bars(judged: list[tuple[str, Verdict]]) -> list[str]:
    missed = [(what, found) for what, found in judged if not found.met]
    lines = [f"{len(judged) - len(missed)} of {len(judged)} bars are met."]
    if missed:
        lines += ["Missed are:", "", *(f"- {what}: {found.bar} is missed by {found.miss}." for what, found in missed)]
    return lines


def _section(name: str, one: Mapping[str, Any]) -> list[str]:
    title, *about = (inspect.getdoc(import_module(f"benchmarks.{name}")) or name).split("\n")
    head = ("what", "Terrella", "others", "ratio", "bar", "result")
    lines = [f"## {title.rstrip('.:')}", *about, ""]
    if one.get("failed"):
        lines += [f"There are no numbers: {one['failed']}.", ""]
    rows: list[Row] = one["rows"]
    return [*lines, *_table(head, map(cells, rows))] if rows else lines


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.replace("|", r"\|").replace("<", "&lt;") for cell in cells) + " |"

    names = list(head)
    return [line(names), line("---" for _ in names), *map(line, rows)]
