"""What an extraction takes: reserved before a byte is read, settled at what was measured."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol, Self

from terrella.model.spending import Amounts

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

    from terrella.model.caller import Caller
    from terrella.model.extraction import Plan


class Measured(Protocol):
    """Where what was really used is noted."""

    measured: Amounts


class Spends(Protocol):
    """The site's account."""

    def spending(self, caller: Caller, estimate: Amounts, collection: str = "") -> AbstractContextManager[Measured]:
        """Work that is held on entry, settled on exit, released on failure. Raises QuotaExceeded."""
        ...

    def check(self, caller: Caller, wanted: Amounts, collection: str = "") -> object:
        """Raises QuotaExceeded where a quota leaves less than is wanted. Nothing is held."""
        ...


def price(plan: Plan) -> Amounts:
    """What a plan says that an extraction will take, whose answer is kept by nobody."""
    return Amounts(bytes_read=plan.bytes_read, compute_seconds=plan.seconds)


class Account:
    """One extraction's; without `spends` nothing is written down."""

    def __init__(self, spends: Spends | None, caller: Caller, collection: str) -> None:
        self._spends = spends
        self._caller = caller
        self._collection = collection
        self._stack = ExitStack()
        self._spent: Measured | None = None
        self._began = 0.0

    def __enter__(self) -> Self:
        self._stack.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def begin(self, plan: Plan) -> None:
        """Reserve what a plan says. Raises QuotaExceeded: before anything is read."""
        self._began = time.monotonic()
        if self._spends is not None and self._spent is None:
            self._spent = self._stack.enter_context(self._spends.spending(self._caller, price(plan), self._collection))

    def end(self, bytes_read: int) -> None:
        """What was read; the time is that since `begin`."""
        if self._spent is not None:
            self._spent.measured = Amounts(bytes_read=bytes_read, compute_seconds=time.monotonic() - self._began)
