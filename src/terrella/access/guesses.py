"""Wrong passwords, counted by user name: whoever goes on guessing has to wait. Counted in this process only."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from terrella.errors import QuotaExceeded

ALLOWED = 20
"""Wrong passwords for one name in one window."""
WINDOW = 600.0
"""Seconds."""
_NAMES = 10_000


class Guesses:
    """How often who was guessed wrong, since when (monotonic seconds); the names longest untouched are forgotten."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, name: str) -> None:
        """Raises QuotaExceeded for a name that was guessed wrong too often."""
        count, since = self._wrong.get(name, (0, 0.0))
        left = since + WINDOW - time.monotonic()
        if count >= ALLOWED and left > 0:
            raise QuotaExceeded(
                "Too many wrong passwords for this user name: wait some minutes. Keys work meanwhile.",
                details={"retry_after": int(left) + 1},
            )

    def note(self, name: str) -> None:
        """One more wrong one."""
        now = time.monotonic()
        with self._lock:
            count, since = self._wrong.pop(name, (0, now))
            self._wrong[name] = (1, now) if now - since > WINDOW else (count + 1, since)
            while len(self._wrong) > _NAMES:
                self._wrong.popitem(last=False)
