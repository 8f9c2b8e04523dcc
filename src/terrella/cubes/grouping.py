"""Which files belong together: parts become bundles, and a bundle becomes a collection.

Two parts belong together when they lie in one folder, fit one cube (`cube_key`), come from the same producer as their
own metadata say, and would not lie on top of each other. Rasters of one family that fit no common cube are scenes:
a collection of items without a cube. Everything here is a guess that the user sees before it is made true, and can
overrule with a collection of their own.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from terrella.contracts.cubes import Bundle, CubeIndex, Member
from terrella.cubes.assembling import assemble, cube_key
from terrella.errors import Unsupported
from terrella.model.ids import distinct, slug

if TYPE_CHECKING:
    from terrella.contracts.providers import Home
    from terrella.model.scan import FileScan, Part

_RASTERS = ("geotiff", "safe")
_MARS = ("mars:class", "mars:stream", "mars:expver", "mars:origin", "grib:centre")


@dataclass(eq=False)
class _Loose:
    """A part on its way into a bundle."""

    scan: FileScan
    part: Part
    number: int
    key: str = field(init=False)

    def __post_init__(self) -> None:
        self.key = cube_key(self.part)

    @property
    def folder(self) -> str:
        return self.scan.href.rstrip("/").rpartition("/")[0]

    @property
    def stem(self) -> str:
        return stem(self.scan.href)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(array.name for array in self.part.arrays))


def stem(href: str) -> str:
    """The name of a file without its folder and endings."""
    name = href.rstrip("/").rpartition("/")[2]
    return re.sub(
        r"(\.(nc4?|cdf|h5|hdf5?|he5|grib2?|grb2?|tiff?|jp2|zarr|zip|safe|icechunk|pp|json|geojson|shp|csv|parquet))+$",
        "",
        name,
        flags=re.IGNORECASE,
    )


def family(text: str) -> str:
    """A file name with its dates and numbers taken out: what is the same in all files of a series."""
    return re.sub(r"[-_.]{2,}", "_", re.sub(r"\d+", "", text)).strip("-_.").casefold()


def bundles(scans: Sequence[FileScan], homes: Mapping[str, Home], *, collection: str | None = None) -> list[Bundle]:
    """Group scanned files. With `collection`, all of them go into that one.

    `homes` are the collections that exist: files that belong to one of them join it, and keep the items they have.
    Raises Unsupported where `collection` is given and the files form several cubes that are no scenes.
    """
    loose = [_Loose(scan, part, number) for scan in scans for number, part in enumerate(scan.parts)]
    claimed = _claimed(loose, homes, collection)
    namer = _Namer(homes)
    made = [_bundle(group, namer, name) for name, group in claimed.items() if name is not None]
    made.extend(_bundle(group, namer, None) for group in _groups(claimed.get(None, [])))
    documents = [scan for scan in scans if scan.items or scan.collections]
    return made + ([_documents(documents, homes, collection)] if documents else [])


def forced_key(collection: str) -> str:
    """Key of a collection that a user put together."""
    return hashlib.sha256(f"\0{collection}".encode()).hexdigest()[:32]


def _claimed(loose: list[_Loose], homes: Mapping[str, Home], collection: str | None) -> dict[str | None, list[_Loose]]:
    """Files by the collection that a user put them in, now or before; under None those that are grouped for them.

    A file may be in both: it stays where it was when a user puts it into a collection of their own.
    """
    found: dict[str | None, list[_Loose]] = defaultdict(list)
    before: dict[str, list[str | None]] = defaultdict(list)
    for name, home in homes.items() if collection is None else ():
        for href in home.members if home.key else ():
            before[href].append(name if home.key == forced_key(name) else None)
    for one in loose:
        for name_or_none in dict.fromkeys(before.get(one.scan.href, [collection])):
            found[name_or_none].append(one)
    return found


class _Namer:
    """Gives each group the collection that it belongs to, or a new name."""

    def __init__(self, homes: Mapping[str, Home]) -> None:
        self._homes = homes
        self._taken: set[str] = set()
        self._of_key: dict[str, list[str]] = defaultdict(list)
        for name, home in homes.items():
            self._of_key[home.key].append(name)

    def name(self, group: list[_Loose], key: str, forced: str | None) -> str:
        name = forced or self._home(group, key) or self._new(group)
        self._taken.add(name)
        return name

    def item_of(self, collection: str) -> dict[str, str]:
        """Items that files have there already."""
        home = self._homes.get(collection)
        return {href: item for href, (item, _) in home.members.items()} if home else {}

    def _home(self, group: list[_Loose], key: str) -> str | None:
        """The collection with this key that has most of these files, else one whose files were all gone."""
        free = [name for name in self._of_key.get(key, ()) if name not in self._taken]
        shared = {name: sum(one.scan.href in self._homes[name].members for one in group) for name in free}
        if any(shared.values()):
            return max(shared, key=lambda name: shared[name])
        return next((name for name in free if not self._homes[name].members), None)

    def _new(self, group: list[_Loose]) -> str:
        """Names that are taken are told apart by the label of what they hold, else by a number."""
        taken = self._taken | set(self._homes)
        name = _name(group)
        label = slug(group[0].part.label) if group[0].part.label else ""
        if name in taken and label:
            name = f"{name}-{label}"
        return distinct(name, taken)


def _groups(loose: list[_Loose]) -> list[list[_Loose]]:
    found: dict[tuple[Any, ...], list[_Loose]] = defaultdict(list)
    for one in loose:
        found[(one.folder, one.key, _identity(one))].append(one)
    apart: list[list[_Loose]] = []
    for group in found.values():
        for same in _same_times(group):
            apart.extend(_without_overlap(same))
    return _scenes(apart)


def _identity(one: _Loose) -> tuple[str, ...]:
    """Who made it, by its own words."""
    if one.scan.format == "grib":
        attrs = one.part.arrays[0].attrs if one.part.arrays else {}
        return ("grib", *(str(attrs.get(key, "")) for key in _MARS))
    if one.scan.format in _RASTERS:
        return ("raster", family(one.stem))
    kind = "netcdf" if one.scan.format in ("hdf5", "netcdf3") else one.scan.format
    said = (str(one.scan.attrs.get(key, "")) for key in ("institution", "source", "title"))
    return (kind, *(family(text) for text in said))


def _same_times(group: list[_Loose]) -> list[list[_Loose]]:
    """Files with other variables join only where their axes are the same; with the same variables, always."""
    by_names: dict[tuple[str, ...], list[_Loose]] = defaultdict(list)
    for one in group:
        by_names[one.names].append(one)
    joined: dict[tuple[Any, ...], list[_Loose]] = defaultdict(list)
    for names, members in by_names.items():
        axes = _axes_of(members)
        own = set(names)
        target = next((key for key, inside in joined.items() if key[0] == axes and not own & _names(inside)), None)
        joined[target or (axes, names)].extend(members)
    return list(joined.values())


def _names(members: Iterable[_Loose]) -> set[str]:
    return {name for one in members for name in one.names}


def _axes_of(members: list[_Loose]) -> frozenset[tuple[str, Any]]:
    """The united values of the time-like axes."""
    values: dict[str, set[Any]] = defaultdict(set)
    for one in members:
        for axis in one.part.axes:
            if axis.kind in ("time", "reference_time", "step", "number"):
                values[axis.name].update(axis.values.tolist())
    return frozenset((name, frozenset(inner)) for name, inner in values.items())


def _without_overlap(group: list[_Loose]) -> list[list[_Loose]]:
    """Files that would lie on top of each other are told apart by the family of their names."""
    if not _overlaps(group):
        return [group]
    families: dict[str, list[_Loose]] = defaultdict(list)
    for one in group:
        families[family(one.stem)].append(one)
    if len(families) == 1:
        return [[one] for one in group] if all(not one.part.axes for one in group) else [group]
    return list(families.values())


def _overlaps(group: list[_Loose]) -> bool:
    seen: set[tuple[Any, ...]] = set()
    for one in group:
        place = tuple(sorted((axis.name, axis.values.tobytes()) for axis in one.part.axes))
        grid = repr(sorted(one.part.grid.items(), key=str))
        for array in one.part.arrays:
            key = (array.name, one.part.label, place, grid)
            if key in seen:
                return True
            seen.add(key)
    return False


def _scenes(groups: list[list[_Loose]]) -> list[list[_Loose]]:
    """Rasters of one family and folder with the same bands become one group, though their grids differ."""
    scenes: dict[tuple[Any, ...], list[list[_Loose]]] = defaultdict(list)
    other: list[list[_Loose]] = []
    for group in groups:
        first = group[0]
        if first.scan.format in _RASTERS:
            scenes[(first.folder, family(first.stem), first.part.label, first.names)].append(group)
        else:
            other.append(group)
    return other + [[one for group in same for one in group] for same in scenes.values()]


def _bundle(group: list[_Loose], namer: _Namer, forced: str | None) -> Bundle:
    group = sorted(group, key=lambda one: (one.scan.href, one.number))
    key = _key(group[0], forced)
    name = namer.name(group, key, forced)
    members = _members(group, namer.item_of(name))
    try:
        return Bundle(name, key, members, _assembled(group, members))
    except Unsupported as error:
        if forced and not all(one.scan.format in _RASTERS for one in group):
            raise Unsupported(
                f"These files form no single cube, so they cannot all go into {forced!r}. {error.message} "
                "Leave --collection out to see how they would be grouped.",
                parameter="collection",
            ) from error
        return Bundle(name, key, members, None, error.message)


def _assembled(group: list[_Loose], members: tuple[Member, ...]) -> CubeIndex:
    keys = {one.key for one in group}
    if len(keys) > 1:
        raise Unsupported(f"They lie on {len(keys)} different grids or calendars.")
    items = {member.scan.href: member.item for member in members}
    index = assemble((items[one.scan.href], one.part, one.scan.href, one.scan.format) for one in group)
    return _stamped(index, {member.scan.href: member.scan.modified for member in members})


def _stamped(index: CubeIndex, modified: Mapping[str, str]) -> CubeIndex:
    """Each piece with the state in which its file was scanned."""
    variables = tuple(
        replace(one, pieces=tuple(replace(piece, modified=modified[piece.href]) for piece in one.pieces))
        for one in index.variables
    )
    return replace(index, variables=variables)


def _members(group: list[_Loose], known: Mapping[str, str]) -> tuple[Member, ...]:
    """One member a file; item ids from file names, made distinct."""
    by_href: dict[str, list[_Loose]] = defaultdict(list)
    for one in group:
        by_href[one.scan.href].append(one)
    taken = set(known.values())
    made = []
    for href, parts in by_href.items():
        item = known.get(href) or distinct(slug(stem(href)), taken)
        taken.add(item)
        own = tuple(one.part for one in parts)
        made.append(Member(item, replace(parts[0].scan, parts=own, items=(), collections=())))
    return tuple(made)


def _name(group: list[_Loose]) -> str:
    """From the file's name, or from what the names of all files share, else from the folder."""
    stems = sorted({one.stem for one in group})
    if len(stems) == 1:
        return slug(stems[0])
    start = stems[0][: next((i for i, (a, b) in enumerate(zip(stems[0], stems[-1], strict=False)) if a != b), None)]
    shared = slug(re.sub(r"[\d_.T-]+$", "", start))
    common = slug(family(stems[0])) if len({family(one) for one in stems}) == 1 else ""
    for name in (shared, common):
        if len(name) >= 3 and name != "data":
            return name
    return slug(group[0].folder.rpartition("/")[2])


def _key(first: _Loose, forced: str | None) -> str:
    """The same for all files that may join this bundle, now or later."""
    if forced:
        return forced_key(forced)
    said = [first.folder, first.key, *_identity(first)]
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:32]


def _documents(scans: list[FileScan], homes: Mapping[str, Home], collection: str | None) -> Bundle:
    members = tuple(Member(slug(stem(scan.href)), _placed(scan, homes, collection)) for scan in scans)
    name = collection or (slug(stem(scans[0].href)) if len(scans) == 1 else slug(_folder_name(scans[0])))
    named = all(_is_regions(scan) for scan in scans)
    why = "They are named regions, to cut by." if named else "They are STAC documents."
    return Bundle(name, "", members, None, why)


def _is_regions(scan: FileScan) -> bool:
    return any("terrella:regions" in item["properties"] for item in scan.items)


def _placed(scan: FileScan, homes: Mapping[str, Home], collection: str | None) -> FileScan:
    """A file of named regions is a collection of its own, unless a user puts it, or has put it, into another."""
    if collection or not _is_regions(scan):
        return scan
    before = next((name for name, home in homes.items() if not home.key and scan.href in home.members), None)
    name = before or slug(stem(scan.href))
    return replace(scan, items=tuple(item | {"collection": name} for item in scan.items))


def _folder_name(scan: FileScan) -> str:
    return scan.href.rpartition("/")[0].rpartition("/")[2]
