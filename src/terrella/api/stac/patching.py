"""Changing a part of a document: JSON merge patch (RFC 7396) and JSON patch (RFC 6902)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from terrella.errors import Conflict, Invalid, nearest_names
from terrella.model.stac import Document

_OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")


Secret = Callable[[Any], bool]
"""Whether a value holds something that whoever sends the patch is not shown."""


def nothing_secret(_: Any) -> bool:
    return False


def patched(document: Document, patch: Document | list[Document], is_secret: Secret = nothing_secret) -> Document:
    """A changed copy: an object is a merge patch, a list a JSON patch. Raises Invalid, Conflict for a failed test.

    What `is_secret` says is neither tested nor copied to where it would be shown.
    """
    if isinstance(patch, dict):
        merged: Document = _merge(document, patch)
        return merged
    made: Any = deepcopy(document)
    for operation in patch:
        made = _apply(made, operation, is_secret)
    if not isinstance(made, dict):
        raise Invalid("The patch leaves no document.", parameter="patch")
    return made


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = _merge(made.get(name), value)
    return made


def _apply(document: Any, operation: Document, is_secret: Secret) -> Any:
    kind = operation.get("op")
    if kind not in _OPERATIONS:
        raise Invalid(f"There is no operation {kind!r:.40}. {nearest_names(str(kind), _OPERATIONS)}", parameter="patch")
    path = _steps(operation, "path")
    if kind in {"add", "replace", "test"} and "value" not in operation:
        raise Invalid(f"{kind} needs a value.", parameter="patch")
    if kind == "test":
        if _open(document, path, is_secret) != operation["value"]:
            raise Conflict(f"The value at {operation['path']!r:.80} is another one.", parameter="patch")
        return document
    value = operation.get("value")
    if kind in {"move", "copy"}:
        source = _steps(operation, "from")
        known = nothing_secret if _is_asset(source) and _is_asset(path) else is_secret
        value = deepcopy(_open(document, source, known))
        document = _removed(document, source) if kind == "move" else document
    if kind in {"remove", "replace"}:
        document = _removed(document, path)
    return document if kind == "remove" else _added(document, path, value)


def _steps(operation: Document, member: str) -> list[str]:
    pointer = operation.get(member)
    if not isinstance(pointer, str) or not pointer.startswith("/"):
        raise Invalid(f"{member} is a JSON pointer, as /properties/title, not {pointer!r:.60}.", parameter="patch")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/")]


def _is_asset(path: list[str]) -> bool:
    """Whether a path leads to a whole asset, whose file is shown as an address whatever the asset is called."""
    return len(path) == 2 and path[0] == "assets"


def _open(document: Any, path: list[str], is_secret: Secret) -> Any:
    value = _found(document, path)
    if is_secret(value):
        raise Invalid(
            f"What is at /{'/'.join(path):.80} names files of this server, which are neither tested nor copied.",
            parameter="patch",
        )
    return value


def _found(document: Any, path: list[str]) -> Any:
    for step in path:
        document = _inside(document, step, path)
    return document


def _inside(document: Any, step: str, path: list[str]) -> Any:
    if isinstance(document, dict) and step in document:
        return document[step]
    if isinstance(document, list) and step.isdigit() and int(step) < len(document):
        return document[int(step)]
    raise Invalid(f"There is nothing at /{'/'.join(path):.80}.", parameter="patch")


def _removed(document: Any, path: list[str]) -> Any:
    parent, last = _found(document, path[:-1]), path[-1]
    _inside(parent, last, path)
    del parent[int(last) if isinstance(parent, list) else last]
    return document


def _added(document: Any, path: list[str], value: Any) -> Any:
    parent, last = _found(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list) and (last == "-" or (last.isdigit() and int(last) <= len(parent))):
        parent.insert(len(parent) if last == "-" else int(last), value)
    else:
        raise Invalid(f"Nothing can be put at /{'/'.join(path):.80}.", parameter="patch")
    return document
