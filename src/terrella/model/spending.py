"""What is used up: amounts of five resources, and what quotas leave of them."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from typing import Any

RESOURCES = ("requests", "bytes_read", "bytes_out", "compute_seconds", "storage")


@dataclass(frozen=True, slots=True)
class Amounts:
    """Requests, bytes read from storage, bytes of answers, seconds of reading and computing, bytes kept."""

    requests: int = 0
    bytes_read: int = 0
    bytes_out: int = 0
    compute_seconds: float = 0.0
    storage: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: Amounts) -> Amounts:
        return self + -other

    def __neg__(self) -> Amounts:
        return Amounts(*(-a for a in astuple(self)))


@dataclass(frozen=True, slots=True)
class Usage:
    """One quota that concerns somebody.

    `starts` and `resets` in seconds since 1970; `limits` by resource; `collections` empty for all.
    """

    quota: str
    per: str
    starts: int
    resets: int
    limits: dict[str, float]
    spent: dict[str, float]
    counted: str = "each"
    collections: tuple[str, ...] = ()

    def left(self, resource: str) -> float:
        """How much of a resource that the quota limits may still be used; never below nothing."""
        return max(0.0, self.limits[resource] - self.spent[resource])

    def as_json(self) -> dict[str, Any]:
        """For people and programs."""
        amounts = {
            name: {"limit": limit, "spent": round(self.spent[name], 3), "left": round(self.left(name), 3)}
            for name, limit in self.limits.items()
        }
        resets = datetime.fromtimestamp(self.resets, UTC).isoformat().replace("+00:00", "Z")
        made = {"quota": self.quota, "per": self.per, "counted": self.counted, "resets": resets, "amounts": amounts}
        return made | {"collections": list(self.collections)} if self.collections else made


assert tuple(one.name for one in fields(Amounts)) == RESOURCES
