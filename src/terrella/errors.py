"""The errors that Terrella raises, drawn by what whoever catches them would do.

TerrellaError
├── Invalid              the request is wrong: fix it and ask again
│   └── TooLarge         it would pass if it were smaller; says by how much
├── Unauthenticated      say who you are
├── Denied               you may not
├── NotFound             no such thing (also what a stranger hears of a hidden one)
├── Conflict             it exists already, or changed meanwhile
├── QuotaExceeded        wait, or ask for more
├── Unsupported          we know what you mean and cannot do it
├── Unreadable           a file is broken, empty, hostile or of a kind we do not read
├── ProviderUnavailable  another system did not answer
└── Internal             our fault

`kind` is part of the interface: it is never renamed. No class here names an HTTP status: `terrella.api.errors`
holds the one table from these classes to statuses.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


class TerrellaError(Exception):
    """The root; `parameter` names the input at fault, `details` is machine-readable and JSON-safe."""

    kind: ClassVar[str] = "internal"

    def __init__(self, message: str, *, parameter: str | None = None, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.parameter = parameter
        self.details = details or {}


class Invalid(TerrellaError):
    kind = "invalid"


class TooLarge(Invalid):
    kind = "too-large"


class Unauthenticated(TerrellaError):
    kind = "unauthenticated"


class Denied(TerrellaError):
    kind = "denied"


class NotFound(TerrellaError):
    kind = "not-found"


class Conflict(TerrellaError):
    kind = "conflict"


class QuotaExceeded(TerrellaError):
    kind = "quota-exceeded"


class Unsupported(TerrellaError):
    kind = "unsupported"


class Unreadable(TerrellaError):
    kind = "unreadable"


class ProviderUnavailable(TerrellaError):
    kind = "provider-unavailable"


class Internal(TerrellaError):
    kind = "internal"


def nearest_names(wrong: str, known: Iterable[str], *, most: int = 3) -> str:
    """End of an error text: which known names look like the wrong one, or what there is at all."""
    names = sorted(known)
    folded = {name.casefold(): name for name in names}
    close = [folded[match] for match in get_close_matches(wrong.casefold(), folded, n=most, cutoff=0.5)]
    if close:
        return "Did you mean " + " or ".join(repr(name) for name in close) + "?"
    if not names:
        return "There are none."
    shown = ", ".join(repr(name) for name in names[:10])
    return f"There are: {shown}{', ...' if len(names) > 10 else ''}."
