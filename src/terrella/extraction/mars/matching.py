"""Which variables of a collection a MARS request means, by what its document says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid, nearest_names
from terrella.extraction.mars.values import Listed, Ranged, Wanted
from terrella.model.parameters import find

if TYPE_CHECKING:
    from terrella.extraction.mars.asking import MarsRequest
    from terrella.model.stac import Document

_LEVTYPES = {"isobaricInhPa": "pl", "isobaricInPa": "pl", "hybrid": "ml", "depthBelowLandLayer": "sol"}
_ALIASES = {"realisation": "realization"}


@dataclass(frozen=True, slots=True)
class Identity:
    """One variable of a collection: its name, and the MARS words that are known of it (one key may have several)."""

    collection: str
    variable: str
    words: Mapping[str, frozenset[str]]
    names: frozenset[str]
    """Every word for its parameter: ids, short names, its own name and standard name; in lower case."""
    dims: tuple[str, ...]


def identities(document: Document) -> list[Identity]:
    """The variables of a collection's cube, from `cube:variables` of its document."""
    found = []
    for name, about in document.get("cube:variables", {}).items():
        if about.get("type") == "data":
            dims = tuple(about.get("dimensions", ()))
            found.append(Identity(str(document["id"]), name, _words(about), _names(name, about), dims))
    return found


def _names(name: str, about: Mapping[str, Any]) -> frozenset[str]:
    said = [str(about[key]) for key in ("mars:param", "grib:shortName", "grib:paramId") if key in about]
    tabled = [one for text in said for one in find(text)]
    words = [name, *said, *(one.short_name for one in tabled), *(str(one.id) for one in tabled)]
    return frozenset(word.lower() for word in [*words, str(about.get("standard_name", ""))] if word)


def _words(about: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    words = {
        key.removeprefix("mars:"): frozenset(str(value).lower().split("/"))
        for key, value in about.items()
        if key.startswith("mars:") and key != "mars:param"
    }
    kind = about.get("grib:typeOfLevel")
    if "levtype" not in words and kind is not None:
        words["levtype"] = frozenset({_LEVTYPES.get(str(kind).split("/")[0], "sfc")})
    return words


def matched(request: MarsRequest, documents: Iterable[Document]) -> dict[str, tuple[str, ...]]:
    """Variables that are meant, by collection, in the order asked for.

    A key that nothing is known of excludes nothing, but of variables of one parameter those that say more win.
    Raises Invalid that names what there is.
    """
    known = [one for document in documents for one in identities(document)]
    if not known:
        raise Invalid("Nothing here answers such requests: there is no cube.", parameter="param")
    fitting = _fitting(request, known)
    chosen = _named(request.params, fitting) if request.params else fitting
    made: dict[str, list[str]] = {}
    for one in chosen:
        made.setdefault(one.collection, []).append(one.variable)
    return {collection: tuple(dict.fromkeys(names)) for collection, names in made.items()}


def _fitting(request: MarsRequest, known: list[Identity]) -> list[Identity]:
    """Those that no key excludes; of these, those of which the most keys are known."""
    left = known
    for key, wanted in request.what.items():
        name = _ALIASES.get(key, key)
        there = sorted({word for one in left for word in one.words.get(name, ())})
        fits = [one for one in left if _fits(one, name, wanted)]
        if there and all(name not in one.words for one in fits):
            raise Invalid(f"There is no {key}={_shown(wanted)} here. There are: {', '.join(there)}.", parameter=key)
        left = fits
    said = [len(request.what.keys() & one.words.keys()) for one in left]
    # without a parameter, everything that fits is meant; what knows none of the keys is no match where others do
    return [one for one, count in zip(left, said, strict=True) if count or not any(said)]


def _fits(one: Identity, key: str, wanted: Wanted) -> bool:
    words = one.words.get(key)
    if words is None or not isinstance(wanted, Listed):
        return True
    return bool(words & {value.lower() for value in wanted.values})


def _shown(wanted: Wanted) -> str:
    if isinstance(wanted, Listed):
        return "/".join(wanted.values)[:60]
    return f"{wanted.start}/to/{wanted.stop}" if isinstance(wanted, Ranged) else "ALL"


def _named(params: tuple[str, ...], fitting: list[Identity]) -> list[Identity]:
    found: list[Identity] = []
    for name in params:
        mine = [one for one in fitting if _is(one, name)]
        if not mine:
            names = sorted({one.variable for one in fitting})
            raise Invalid(f"There is no param {name!r:.60} here. {nearest_names(name[:60], names)}", parameter="param")
        found.extend(mine)
    return found


def _is(one: Identity, name: str) -> bool:
    """Whether a name or id, in any spelling that the parameter table knows, means this variable."""
    if name.strip().lower() in one.names:
        return True
    return any({known.short_name.lower(), str(known.id)} & one.names for known in find(name))
