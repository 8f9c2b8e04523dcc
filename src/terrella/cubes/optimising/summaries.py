"""What must be known of all values of a variable before the first is written: their range."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Summary:
    """Of the values met so far; NaN is missing and does not count."""

    low: float = math.inf
    high: float = -math.inf
    is_finite: bool = True

    @property
    def is_empty(self) -> bool:
        return self.low > self.high

    def with_values(self, values: np.ndarray) -> Summary:
        """Of these values too."""
        if not values.size:
            return self
        # fmin and fmax pass over NaN without a copy
        low, high = float(np.fmin.reduce(values, axis=None)), float(np.fmax.reduce(values, axis=None))
        if math.isnan(low):
            return self
        is_finite = math.isfinite(low) and math.isfinite(high)
        return Summary(min(self.low, low), max(self.high, high), self.is_finite and is_finite)
