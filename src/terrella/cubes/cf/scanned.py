"""A tree of variables as the scan of its file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from terrella.cubes.cf.attributes import kept_global
from terrella.cubes.cf.describing import parts, place_names
from terrella.cubes.cf.tree import LayoutOf, Notes, Tree
from terrella.model.scan import FileScan
from terrella.storage.files import FileState

_NAMELESS = "__xarray_dataarray_variable__"


@dataclass(frozen=True, slots=True)
class About:
    """The file itself."""

    href: str
    format: str
    media_type: str
    state: FileState
    checksum: str


def scanned(about: About, tree: Tree, layout: LayoutOf, notes: tuple[str, ...] = ()) -> FileScan:
    """What the file holds. Variables without a position are noted, never an error."""
    gathered = Notes()
    found = parts(_named(tree, about.href), layout, gathered)
    attrs = kept_global(tree.attrs)
    if names := place_names(tree):
        attrs["place_names"] = names
    return FileScan(
        href=about.href,
        format=about.format,
        media_type=about.media_type,
        size=about.state.size,
        modified=about.state.modified,
        checksum=about.checksum,
        parts=found,
        attrs=attrs,
        notes=(*notes, *gathered.lines()),
    )


def _named(tree: Tree, href: str) -> Tree:
    """Xarray writes arrays that have no name under one of its own: they get the name of their file."""
    if _NAMELESS not in tree.variables:
        return tree
    stem = PurePosixPath(href.rstrip("/")).name.split(".", 1)[0]
    name = stem if stem and stem not in tree.variables else "data"
    renamed = {
        name if key == _NAMELESS else key: replace(one, name=name) if key == _NAMELESS else one
        for key, one in tree.variables.items()
    }
    return Tree(renamed, tree.attrs, tree.name, tree.groups)
