"""How fast strangers may ask: a bucket of tokens for each address, in memory of one process."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from terrella.errors import QuotaExceeded

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "each address"
_ADDRESSES = 100_000
"""Addresses remembered; those longest silent are forgotten, and begin with a full bucket."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What an address may still ask for: `left` requests at once, and when the bucket of `burst` is full (seconds)."""

    burst: int
    left: int
    full: float


class Paces:
    """Safe for threads. `rate` in requests a second, 0 for any; `burst` requests may come at once after a pause."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = max(burst, 1)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, address: str) -> Pace | None:
        """One request; None where this address is not limited. Raises QuotaExceeded with when to ask again."""
        place = network_of(address) if self.rate else ""
        if not place:
            return None
        now = self._clock()
        with self._lock:
            tokens, at = self._buckets.pop(place, (float(self.burst), now))
            tokens = min(self.burst, tokens + (now - at) * self.rate)
            allowed = tokens >= 1
            self._buckets[place] = (tokens - allowed, now)
            if len(self._buckets) > _ADDRESSES:
                self._buckets.popitem(last=False)
        if not allowed:
            raise self._refusal(tokens)
        return Pace(self.burst, math.floor(tokens - 1), (self.burst - tokens + 1) / self.rate)

    def _refusal(self, tokens: float) -> QuotaExceeded:
        wait = max(1, math.ceil((1 - tokens) / self.rate))
        return QuotaExceeded(
            f"From one address come at most {self.rate:g} requests a second without an account, {self.burst} after a "
            f"pause: ask again in {wait} s, or send a key.",
            details={"retry_after": wait, "quota": NAME, "resource": "requests", "limit": self.burst, "left": 0},
        )


def network_of(address: str) -> str:
    """Whom an address stands for: itself, of IPv6 its /64; '' for this machine. What is no address is one stranger."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return "?"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return "" if found.is_loopback else str(int(found) >> 64)
        found = found.ipv4_mapped
    return "" if found.is_loopback else str(found)
