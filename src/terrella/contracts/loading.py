"""Finding plug-ins: entry points, loaded when first asked for. Built-ins come in by the same door as strangers."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from terrella.errors import Internal, Unsupported, nearest_names


@cache
def declared(group: str) -> dict[str, EntryPoint]:
    """Entry points of a group by name. Raises Internal when two distributions declare one name."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"terrella.{group}"):
        if point.name in found and found[point.name].value != point.value:
            raise Internal(
                f"Two plug-ins of terrella.{group} are called {point.name!r}: {found[point.name].value} and "
                f"{point.value}. Uninstall one of them."
            )
        found[point.name] = point
    return found


@cache
def load(group: str, name: str) -> Any:
    """The object behind an entry point. Raises Unsupported where it, or a library that it needs, is missing."""
    points = declared(group)
    if name not in points:
        raise Unsupported(f"No plug-in {name!r} in terrella.{group}. {nearest_names(name, points)}")
    try:
        return points[name].load()
    except ImportError as error:
        raise Unsupported(f"The plug-in {name!r} of terrella.{group} needs a library: {error}.") from error


def load_all(group: str) -> dict[str, Any]:
    """Every plug-in of a group, by name, in the order of their names."""
    return {name: load(group, name) for name in sorted(declared(group))}
