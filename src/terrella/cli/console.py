"""How the shell looks: tables, sparklines, JSON."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

_BARS = "▁▂▃▄▅▆▇█"


_PIPE_WIDTH = 200


def console(*, err: bool = False) -> Console:
    """The terminal; on a pipe wide enough that tables keep one line a row."""
    is_terminal = (sys.stderr if err else sys.stdout).isatty()
    return Console(stderr=err, highlight=False, width=None if is_terminal else _PIPE_WIDTH)


def table(*columns: str) -> Table:
    """No borders; the first column is a name and is never cut."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        made.add_column(name, overflow="fold", no_wrap=place == 0)
    return made


def print_json(value: Any) -> None:
    """Strict JSON: what is no number is null, times are RFC 3339 texts."""
    sys.stdout.write(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, str | int):  # a bool is an int
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _plain(_of_numpy(value)) if hasattr(value, "tolist") else str(value)


def _of_numpy(value: Any) -> Any:
    """Arrays and scalars as lists and numbers; times as texts, which their integers would not be."""
    import numpy as np

    return (
        np.datetime_as_string(value, unit="s", timezone="UTC").tolist() if value.dtype.kind == "M" else value.tolist()
    )


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
