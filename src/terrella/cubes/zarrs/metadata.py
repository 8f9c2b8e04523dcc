"""Metadata of Zarr hierarchies, versions 2 and 3, consolidated or not.

Specifications: Zarr v2 (zarr-specs, v2.0), Zarr v3 core and sharding_indexed v1; NCZarr for dimension names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from terrella.cubes.zarrs.keys import Keys
from terrella.errors import Unreadable

_MOST_NODES = 20_000


@dataclass(frozen=True, eq=False)
class Node:
    """A group or an array: its own metadata document (without attributes) and its attributes."""

    path: str
    is_array: bool
    document: dict[str, Any]
    attrs: dict[str, Any] = field(default_factory=dict)

    @property
    def parent(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def nodes(keys: Keys) -> list[Node]:
    """Every node of a hierarchy, the root first. Raises Unreadable where there is none."""
    return [node for node in _found(keys) if not {"..", ".", ""} & set(node.path.split("/")) or not node.path]


def _found(keys: Keys) -> list[Node]:
    root = _document(keys, "zarr.json")
    if root is not None:
        return _third(keys, root)
    consolidated = _document(keys, ".zmetadata")
    if consolidated is not None and isinstance(consolidated.get("metadata"), dict):
        return _second_consolidated(consolidated["metadata"])
    if _document(keys, ".zgroup") is not None or _document(keys, ".zarray") is not None:
        return _walked(keys, _second)
    raise Unreadable("There is no Zarr metadata here: neither zarr.json nor .zmetadata, .zgroup or .zarray.")


def _document(keys: Keys, key: str) -> dict[str, Any] | None:
    raw = keys.get(key)
    if raw is None:
        return None
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The Zarr metadata {key} is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise Unreadable(f"The Zarr metadata {key} is no JSON object.")
    return found


def _third(keys: Keys, root: dict[str, Any]) -> list[Node]:
    inline = root.get("consolidated_metadata")
    if isinstance(inline, dict) and isinstance(inline.get("metadata"), dict):
        first = _third_node("", root)
        return [first, *(_third_node(path, one) for path, one in sorted(inline["metadata"].items()))]
    return _walked(keys, _third_at)


def _third_at(keys: Keys, path: str) -> Node | None:
    found = _document(keys, f"{path}/zarr.json" if path else "zarr.json")
    return None if found is None else _third_node(path, found)


def _third_node(path: str, document: dict[str, Any]) -> Node:
    attrs = document.get("attributes") or {}
    kept = {key: value for key, value in document.items() if key not in {"attributes", "consolidated_metadata"}}
    return Node(path.strip("/"), document.get("node_type") == "array", kept, attrs if isinstance(attrs, dict) else {})


def _second(keys: Keys, path: str) -> Node | None:
    prefix = f"{path}/" if path else ""
    attrs = _document(keys, f"{prefix}.zattrs") or {}
    array = _document(keys, f"{prefix}.zarray")
    if array is not None:
        return Node(path, True, array, _with_nczarr(attrs, _document(keys, f"{prefix}.nczarray")))
    group = _document(keys, f"{prefix}.zgroup")
    return None if group is None else Node(path, False, group, attrs)


def _second_consolidated(metadata: dict[str, Any]) -> list[Node]:
    found: list[Node] = []
    for key, document in metadata.items():
        path, _, kind = key.rpartition("/")
        if kind not in {".zarray", ".zgroup"} or not isinstance(document, dict):
            continue
        attrs = metadata.get(f"{path}/.zattrs" if path else ".zattrs") or {}
        found.append(Node(path, kind == ".zarray", document, _with_nczarr(attrs, document.get("_NCZARR_ARRAY"))))
    if not any(node.path == "" for node in found):
        found.append(Node("", False, {"zarr_format": 2}, metadata.get(".zattrs") or {}))
    return sorted(found, key=lambda node: node.path)


def _with_nczarr(attrs: dict[str, Any], extra: dict[str, Any] | None) -> dict[str, Any]:
    """Attributes with the dimension names that the NetCDF library writes elsewhere."""
    extra = attrs.get("_nczarr_array") or attrs.get("_NCZARR_ARRAY") or extra
    references = (extra or {}).get("dimension_references") or (extra or {}).get("dimrefs")
    if "_ARRAY_DIMENSIONS" in attrs or not isinstance(references, list):
        return attrs
    return {**attrs, "_ARRAY_DIMENSIONS": [str(one).rsplit("/", 1)[-1] for one in references]}


def _walked(keys: Keys, node_at: Any) -> list[Node]:
    """Nodes found by listing folders. Arrays are not looked into: they hold chunks."""
    found: list[Node] = []
    todo = [""]
    while todo:
        path = todo.pop(0)
        node = node_at(keys, path)
        if node is None:
            continue
        found.append(node)
        if len(found) > _MOST_NODES:
            raise Unreadable(f"The store has more than {_MOST_NODES:,} groups and arrays.")
        if not node.is_array:
            todo += [f"{path}/{name}" if path else name for name in keys.folders(path)]
    return found
