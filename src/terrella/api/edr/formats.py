"""Which format an answer is written in: `f` decides, then the Accept header, then CoverageJSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from terrella.contracts.loading import load_all
from terrella.errors import Invalid, nearest_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terrella.contracts.encodings import Encoding

DEFAULT = "covjson"
_ALSO = {
    "application/json": "covjson",
    "application/vnd.cov+json": "covjson",
    "application/x-netcdf": "netcdf",
    "application/x-netcdf4": "netcdf",
    "application/x-parquet": "parquet",
    "application/parquet": "parquet",
    "image/tiff": "geotiff",
    "image/geotiff": "geotiff",
    "application/csv": "csv",
}
"""Other media types in use for the formats."""
_WORDS = {"json": "covjson", "nc": "netcdf", "netcdf4": "netcdf", "tif": "geotiff", "tiff": "geotiff", "cog": "geotiff"}


def known_formats() -> dict[str, Encoding]:
    """Every installed encoding by its name, CoverageJSON first."""
    found: dict[str, Encoding] = {name: made() for name, made in load_all("encodings").items()}
    return {name: found[name] for name in sorted(found, key=lambda name: (name != DEFAULT, name))}


def chosen(f: str | None, accept: str | None, known: Mapping[str, Encoding]) -> Encoding:
    """The encoding to write. Raises Invalid for an unknown `f`, HTTPException 406 where nothing accepted fits."""
    if f is not None:
        return _by_name(f, known)
    if not accept or accept == "*/*":
        return known[DEFAULT]
    types = _media_types(known)
    for wanted in _wanted(accept):
        if wanted in {"*/*", "application/*"}:
            return known[DEFAULT]
        if wanted in types:
            return known[types[wanted]]
        group = wanted.removesuffix("*")
        if wanted.endswith("/*") and (
            match := next((name for kind, name in types.items() if kind.startswith(group)), None)
        ):
            return known[match]
    offered = ", ".join(encoding.media_type for encoding in known.values())
    raise HTTPException(406, f"Accept names nothing that is written here. There are: {offered}; or choose with f=.")


def _by_name(text: str, known: Mapping[str, Encoding]) -> Encoding:
    folded = text.casefold()
    for name, encoding in known.items():
        if folded in {name, encoding.title.casefold(), encoding.media_type, encoding.media_type.split(";")[0]}:
            return encoding
    if (meant := _WORDS.get(folded) or _ALSO.get(folded)) in known and meant is not None:
        return known[meant]
    raise Invalid(f"There is no format {text[:40]!r}. {nearest_names('', known)}", parameter="f")


def _media_types(known: Mapping[str, Encoding]) -> dict[str, str]:
    own = {encoding.media_type.split(";")[0].strip(): name for name, encoding in known.items()}
    return own | {kind: name for kind, name in _ALSO.items() if name in known}


def _wanted(accept: str) -> list[str]:
    """Media types, most wanted first; those with q=0 left out. What cannot be read counts as q=1."""
    entries = []
    for place, entry in enumerate(accept[:2000].split(",")):
        kind, *options = (part.strip().casefold() for part in entry.split(";"))
        quality = 1.0
        for option in options:
            if option.startswith("q="):
                try:
                    quality = float(option[2:])
                except ValueError:
                    quality = 1.0
        if kind and quality > 0:
            entries.append((-quality, kind.count("*"), place, kind))
    return [kind for *_, kind in sorted(entries)]
