"""How the shell looks: tables, sparklines, JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

_BARS = "▁▂▃▄▅▆▇█"


def console(*, err: bool = False) -> Console:
    return Console(stderr=err, highlight=False, soft_wrap=not sys.stdout.isatty())


def table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False, header_style="bold")


def print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def number(value: float) -> str:
    """Six digits at most, thousands apart; a dash for missing."""
    if value != value:  # noqa: PLR0124 -- NaN
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(count) < 1000 or unit == "TB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return ""


def sparkline(values: np.ndarray, width: int = 60) -> str:
    """A line of bars; neighbours are averaged where there are more than `width`. Missing is a space."""
    import numpy as np

    parts = np.array_split(values.astype(float), min(width, values.size))
    means = [float(np.nanmean(part)) if np.isfinite(part).any() else float("nan") for part in parts]
    known = [mean for mean in means if mean == mean]  # noqa: PLR0124
    if not known:
        return " " * len(means)
    low, span = min(known), (max(known) - min(known)) or 1.0
    return "".join(" " if mean != mean else _BARS[min(7, int((mean - low) / span * 8))] for mean in means)  # noqa: PLR0124


def shortened(names: Iterable[str], most: int = 6) -> str:
    listed = list(names)
    return ", ".join(listed[:most]) + (f" +{len(listed) - most}" if len(listed) > most else "")
