"""The OpenAPI description: FastAPI's, with the errors that we really answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from fastapi import FastAPI

MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.1"
_REFERENCE = {"schema": {"$ref": "#/components/schemas/Error"}}
_CONTENT = {"application/json": _REFERENCE, "application/problem+json": _REFERENCE}
DOCUMENTED_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "The request is wrong; the answer says what and what is allowed.", "content": _CONTENT},
    401: {"description": "The credentials are wrong, or some are needed.", "content": _CONTENT},
    404: {"description": "There is no such thing.", "content": _CONTENT},
    413: {"description": "It would pass if it were smaller.", "content": _CONTENT},
}
"""What any route may answer."""

_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["code", "description"],
    "properties": {
        "code": {"type": "string", "description": "Stable word for the kind of error."},
        "description": {"type": "string", "description": "What is wrong, what is allowed, what to do."},
        "parameter": {"type": "string", "description": "The parameter at fault."},
        "details": {"type": "object", "description": "The same for machines."},
        "request_id": {"type": "string", "description": "To find the request in the site's log."},
    },
}


_SCHEMES: dict[str, Any] = {
    "Bearer": {"type": "http", "scheme": "bearer", "description": "A key, or a token of the site's issuer."},
    "Basic": {"type": "http", "scheme": "basic", "description": "User name and password; or anything and a key."},
    "Key": {"type": "apiKey", "in": "header", "name": "PRIVATE-TOKEN", "description": "A key."},
}


def openapi_bytes(app: FastAPI) -> bytes:
    """The description as JSON, made once an app."""
    if not hasattr(app.state, "openapi_bytes"):
        made = _finished(app.openapi())
        is_open = app.state.site.settings.access.anonymous
        made["security"] = [*([{}] if is_open else []), *({name: []} for name in _SCHEMES)]
        app.state.openapi_bytes = orjson.dumps(made)
    found: bytes = app.state.openapi_bytes
    return found


def _finished(description: dict[str, Any]) -> dict[str, Any]:
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Error"] = _ERROR
    description["components"]["securitySchemes"] = _SCHEMES
    for path in description["paths"].values():
        for operation in path.values():
            answers = operation.get("responses", {})
            if "HTTPValidationError" in str(answers.get("422")):
                del answers["422"]  # what FastAPI finds wrong is answered as 400
    return description
