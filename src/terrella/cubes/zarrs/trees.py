"""A Zarr hierarchy as a tree of variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from terrella.cubes.cf.dimensions import guessed
from terrella.cubes.cf.packing import packing
from terrella.cubes.cf.tree import Layout, LeftOut, Tree, Variable
from terrella.cubes.zarrs.arrays import ZarrArray
from terrella.cubes.zarrs.codecs import NotDecodable, dtype_of, fill_of
from terrella.cubes.zarrs.keys import Keys
from terrella.cubes.zarrs.library import LibraryArray
from terrella.cubes.zarrs.metadata import Node
from terrella.cubes.zarrs.source import ZarrSource
from terrella.model.scan import ArrayScan

OpenStore = Callable[[], Any]
"""Gives the store as the zarr library wants it; only asked for what we do not decode ourselves."""


def tree_of(nodes: list[Node], keys: Keys, store: OpenStore) -> Tree:
    """Groups with their variables. A store that is a single array has one variable, named `data`."""
    if len(nodes) == 1 and nodes[0].is_array:
        return Tree({"data": _variable(nodes[0], keys, store, "data", {}, _Phony())}, {})
    return _group("", nodes, keys, store)


def _group(path: str, nodes: list[Node], keys: Keys, store: OpenStore) -> Tree:
    own = next((node for node in nodes if node.path == path and not node.is_array), None)
    arrays = [node for node in nodes if node.is_array and node.parent == path]
    lines = _lines(arrays)
    phony = _Phony()
    made = [_variable(node, keys, store, node.name, lines, phony) for node in arrays]
    inner = sorted({node.path for node in nodes if not node.is_array and node.path and node.parent == path})
    groups = tuple(_group(one, nodes, keys, store) for one in inner)
    return Tree({one.name: one for one in made}, own.attrs if own else {}, path, groups)


class _Phony:
    """One name for each size of dimensions that have none."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def __call__(self, size: int) -> str:
        return self._names.setdefault(size, f"dim_{len(self._names)}")


def _lines(arrays: list[Node]) -> dict[int, list[str]]:
    """One-dimensional arrays without dimension names, by length."""
    found: dict[int, list[str]] = {}
    for node in arrays:
        shape = node.document.get("shape") or []
        if len(shape) == 1 and not _dims(node):
            found.setdefault(int(shape[0]), []).append(node.name)
    return found


def _dims(node: Node) -> list[str | None]:
    names = node.document.get("dimension_names") or node.attrs.get("_ARRAY_DIMENSIONS")
    shape = node.document.get("shape") or []
    if not isinstance(names, list) or len(names) != len(shape):
        return []
    return [str(name) if name else None for name in names]


def _variable(
    node: Node, keys: Keys, store: OpenStore, name: str, lines: dict[int, list[str]], phony: Callable[[int], str]
) -> Variable:
    shape = tuple(int(size) for size in node.document.get("shape") or ())
    dtype = dtype_of(node.document)
    dims = guessed(_dims(node) or [None] * len(shape), shape, lines, phony)
    attrs = {key: value for key, value in node.attrs.items() if key != "_ARRAY_DIMENSIONS"}
    unwritten = None
    if dtype is not None and node.document.get("zarr_format") == 2:
        fill = fill_of(node.document, dtype)  # means missing, as it does for xarray
        unwritten = None if fill is None else float(fill)

    def read() -> np.ndarray:
        return array_of(keys, node.path, node.document, store).whole()

    return Variable(name, dims, shape, dtype, attrs, read, node, unwritten)


def array_of(keys: Keys, path: str, document: dict[str, Any], store: OpenStore) -> ZarrArray | LibraryArray:
    """An array that decodes its chunks: ours, or the zarr library where there are codecs that we do not know."""
    try:
        return ZarrArray(keys, path, document)
    except NotDecodable:
        return LibraryArray(store, path, document)


def layout_in(keys: Keys, store: OpenStore, extra: dict[str, Any]) -> Callable[[Variable], Layout]:
    """Gives layouts of the store's variables; `extra` goes into their codecs."""

    def layout(variable: Variable) -> Layout:
        node: Node = variable.handle
        try:
            array = array_of(keys, node.path, node.document, store)
        except NotDecodable as reason:
            raise LeftOut(f"it is stored in a way that is not read ({reason})") from None
        codec = {"path": node.path, "zarr": node.document, **extra}
        if _fill_is_missing(array.fill, variable):
            codec["missing"] = True
        return Layout(array.chunks, codec)

    return layout


def _fill_is_missing(fill: Any, variable: Variable) -> bool:
    """Whether what was never written is missing: NaN always is, a number only where attributes say so."""
    if fill is None:
        return False
    return bool(np.isnan(fill)) if fill != fill else float(fill) in packing(variable).missing  # noqa: PLR0124


def source_in(array: ArrayScan, keys: Keys, store: OpenStore) -> ZarrSource:
    """Opens one array of a scanned store."""
    codec = array.codec
    opened = array_of(keys, codec["path"], codec["zarr"], store)
    return ZarrSource(opened, codec, array.dtype, fill_is_missing=bool(codec.get("missing")))
