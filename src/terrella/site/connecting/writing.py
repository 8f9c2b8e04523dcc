"""Values as they are written in Python."""

from __future__ import annotations

import json
from typing import Any


def text(value: str) -> str:
    """A literal; nothing in it can end it."""
    return json.dumps(value, ensure_ascii=False)


def literal(value: Any) -> str:
    return repr(value) if isinstance(value, tuple | float) else json.dumps(value, ensure_ascii=False)


def written(request: dict[str, Any]) -> str:
    """A request as a dictionary, one line a key."""
    rows = "".join(f"    {text(key)}: {json.dumps(value, ensure_ascii=False)},\n" for key, value in request.items())
    return f"{{\n{rows}}}"
