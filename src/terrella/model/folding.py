"""Text compared without its case or its accents, as CQL2's functions of these names do."""

from __future__ import annotations

import unicodedata
from typing import Any


def casei(text: Any) -> str | None:
    """Text without difference of case; None for what is no text."""
    return text.casefold() if isinstance(text, str) else None


def accenti(text: Any) -> str | None:
    """Text without accents; None for what is no text."""
    if not isinstance(text, str):
        return None
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(part for part in parts if not unicodedata.combining(part)))
