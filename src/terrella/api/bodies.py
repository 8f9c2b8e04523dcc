"""Bodies of requests that dialects read themselves."""

from __future__ import annotations

from typing import Any

import orjson

from terrella.errors import Invalid


def json_object(body: bytes) -> dict[str, Any]:
    """A body that is a JSON object; an empty one is an empty object. Raises Invalid."""
    if not body.strip():
        return {}
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The body is no JSON: {error}.", parameter="body") from None
    if not isinstance(given, dict):
        raise Invalid("The body is a JSON object.", parameter="body")
    return given


def member(given: dict[str, Any], name: str, kind: type | tuple[type, ...], what: str) -> Any:
    """One member of it. Raises Invalid where it is missing or of another kind; `what` says what it is."""
    value = given.get(name)
    if not isinstance(value, kind):
        raise Invalid(f"{name}: {what} is needed, not {str(value)[:40]!r}.", parameter=name)
    return value
