"""Rows of results, whatever module they are from: who took how long, was the bar met, and how all that is shown.

A row has `what`; numbers named `{who}_{measure}` (`terrella_per_s`, `pgstac_p99_ms`), without who where only we are
measured; `ratio`, above 1 where we are better; a bar: `bar` for the ratio, `bar_ms` for our 99th percentile, `bar_s`
for our seconds, `bar_most` for our count; or `not_measured`, which says why there is nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
OURS = "terrella"
_MEASURES = {
    "per_second": "{}/s",
    "per_s": "{}/s",
    "p50_ms": "median {} ms",
    "median_ms": "median {} ms",
    "p99_ms": "p99 {} ms",
    "s": "{} s",
    "count": "{}",
}
_NUMBER = re.compile(rf"(?:(?P<who>.+?)_)?(?P<measure>{'|'.join(_MEASURES)})")
_SHOWN = {"what", "ratio", "bar", "bar_ms", "bar_s", "bar_most", "not_measured"}


@dataclass(frozen=True)
class Verdict:
    """Whether a bar was met; `factor` is 1 on the bar, above it when better."""

    bar: str
    factor: float

    @property
    def met(self) -> bool:
        return self.factor >= 1

    @property
    def miss(self) -> str:
        """By how much it is missed: how much faster Terrella had to be."""
        return f"{(1 / self.factor - 1) * 100:.0f} %"

    def __str__(self) -> str:
        return "met" if self.met else f"MISSED by {self.miss}"


def verdict(row: Row) -> Verdict | None:
    """None where there is no bar, or nothing was measured."""
    if "bar" in row and "ratio" in row:
        return Verdict(f">= {row['bar']:g}x", row["ratio"] / row["bar"])
    if "bar_most" in row and f"{OURS}_count" in row:
        # one more of both: the bar may be nothing at all
        return Verdict(f"<= {row['bar_most']:g}", (row["bar_most"] + 1) / (row[f"{OURS}_count"] + 1))
    for bar, measure in (("bar_ms", "p99_ms"), ("bar_s", "s")):
        taken = row.get(f"{OURS}_{measure}", row.get(measure))
        if bar in row and taken is not None:
            unit = bar.removeprefix("bar_")
            said = "p99 " if unit == "ms" else ""
            return Verdict(f"{said}<= {row[bar]:g} {unit}", row[bar] / max(taken, 1e-9))
    return None


def measured(row: Row) -> dict[str, str]:
    """What each took, in words, ours first."""
    found: dict[str, list[str]] = {OURS: []}
    for name, value in row.items():
        match = _NUMBER.fullmatch(name)
        if match and name not in _SHOWN and value is not None:
            found.setdefault(match["who"] or OURS, []).append(_MEASURES[match["measure"]].format(_number(value)))
    return {who: ", ".join(parts) for who, parts in found.items()}


def notes(row: Row) -> str:
    """What else a row says."""
    rest = [name for name in row if name not in _SHOWN and not _NUMBER.fullmatch(name)]
    return "; ".join(f"{name.replace('_', ' ')} {row[name]}" for name in rest)


def cells(row: Row) -> tuple[str, str, str, str, str, str]:
    """What, ours, the others', ratio, bar, verdict with notes."""
    if "not_measured" in row:
        return row["what"], "", "", "", "", f"not measured: {row['not_measured']}"
    by = measured(row)
    judged = verdict(row)
    others = "; ".join(f"{who} {said}" for who, said in by.items() if who != OURS)
    ratio = f"{row['ratio']:g}x" if "ratio" in row else ""
    said = "; ".join(part for part in (str(judged or ""), notes(row)) if part)
    return row["what"], by[OURS], others, ratio, judged.bar if judged else "", said


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
