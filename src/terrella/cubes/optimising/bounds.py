"""The largest error that a user allows: '0.05' in the variable's units, '0.1%' of the range of its values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from terrella.errors import Invalid

PARAMETER = "max_error"


@dataclass(frozen=True, slots=True)
class ErrorBound:
    """`value` in the variable's units, or as a part of its range (0.001 for 0.1 %)."""

    value: float
    is_relative: bool = False

    def absolute(self, low: float, high: float) -> float:
        """In the variable's units, for values between `low` and `high`."""
        return self.value * (high - low) if self.is_relative else self.value

    def __str__(self) -> str:
        return f"{self.value * 100:g} % of the range" if self.is_relative else f"{self.value:g}"


def error_bound(text: str | float) -> ErrorBound:
    """From '0.05', 0.05 or '0.1%'. Raises Invalid for what is no positive, finite number, or for 100 % and more."""
    plain = str(text).strip()
    try:
        value = float(plain.removesuffix("%"))
    except ValueError:
        value = math.nan
    is_relative = plain.endswith("%")
    if not math.isfinite(value) or value <= 0 or (is_relative and value >= 100):
        raise Invalid(
            f"The largest error is a positive number, or a percentage of the range of values below 100 %, "
            f"like 0.05 or 0.1%, not {plain!r:.60}.",
            parameter=PARAMETER,
        )
    return ErrorBound(value / 100 if is_relative else value, is_relative)


def error_bounds(given: Iterable[str] | Mapping[str, str | float]) -> dict[str, ErrorBound]:
    """From texts like '2t=0.05' or '2t=0.1%', or a mapping of these. Raises Invalid."""
    if isinstance(given, Mapping):
        return {name: error_bound(value) for name, value in given.items()}
    found = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise Invalid(
                f"The largest error is given as VARIABLE=VALUE, like 2t=0.05 or 2t=0.1%, not {text!r:.60}.",
                parameter=PARAMETER,
            )
        found[name.strip()] = error_bound(value)
    return found
