"""What the bands of a raster are: names, units, packing and classes, from what its tags and its file name say."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from terrella.model.scan import Packing

_BAND_IN_NAME = re.compile(r"(?:^|[-_.])((?:B|SR_B|ST_B)\d{1,2}A?|B8A|band_?\d{1,3})(?=$|[-_.])", re.IGNORECASE)
_COLOURS = ("red", "green", "blue", "alpha", "nir", "swir", "rededge", "coastal", "pan", "yellow", "hue", "cyan")
_NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")
_KEPT = (
    "long_name",
    "standard_name",
    "cell_methods",
    "comment",
    "ancillary_variables",
    "valid_range",
    "valid_min",
    "valid_max",
    "flag_meanings",
    "flag_values",
    "flag_masks",
)
_MARS_OF_BAND = ("param", "levelist", "step", "number")
_MARS_OF_FILE = (
    "class",
    "stream",
    "expver",
    "type",
    "levtype",
    "dataset",
    "activity",
    "experiment",
    "generation",
    "model",
    "realization",
    "resolution",
)


@dataclass(frozen=True, eq=False)
class Band:
    """One band. `facts` are what STAC 1.1 says of a band: name, data_type, nodata, unit, ..."""

    number: int
    name: str
    dtype: str
    packing: Packing
    attrs: dict[str, Any]
    facts: dict[str, Any]


def bands_of(dataset: Any, stem: str, tags: Mapping[str, str]) -> tuple[list[Band], list[str]]:
    """Bands in the order of the file, and notes on those that are left out. `tags` are the file's own."""
    names = _names(dataset, stem, tags)
    made, notes = [], []
    for number, name in zip(dataset.indexes, names, strict=True):
        kind = _dtype(dataset.dtypes[number - 1])
        if kind is None:
            notes.append(f"band {number} is left out: {dataset.dtypes[number - 1]} numbers are not read")
            continue
        made.append(_band(dataset, number, name, kind, tags))
    if any(
        "per_dataset" in _flags(dataset, number) and "alpha" not in _flags(dataset, number)
        for number in dataset.indexes
    ):
        notes.append("its mask band is not applied")
    return made, notes


def _flags(dataset: Any, number: int) -> set[str]:
    return {flag.name for flag in dataset.mask_flag_enums[number - 1]}


def _dtype(name: str) -> str | None:
    """As numpy writes it, little endian; None for complex and other numbers that no cube holds."""
    try:
        found = np.dtype(name)
    except TypeError:
        return None
    return found.newbyteorder("<").str if found.kind in "iuf" else None


def _band(dataset: Any, number: int, name: str, dtype: str, tags: Mapping[str, str]) -> Band:
    own = dataset.tags(number)
    shared = tags if dataset.count == 1 else {}
    attrs = _attrs(dataset, number, name, {**_netcdf_style(shared, name), **own}, tags)
    packing = _packing(dataset, number, tags)
    attrs |= _classes(dataset, number, tags)
    facts: dict[str, Any] = {"name": name, "data_type": np.dtype(dtype).name}
    nodata = dataset.nodatavals[number - 1]
    optional = {
        "description": attrs.get("long_name"),
        "nodata": _plain_number(nodata) if nodata is not None else None,
        "unit": attrs.get("units"),
        "raster:scale": packing.scale if packing.scale != 1 else None,
        "raster:offset": packing.offset if packing.offset != 0 else None,
        "eo:common_name": _colour(dataset, number),
    }
    return Band(number, name, dtype, packing, attrs, facts | {k: v for k, v in optional.items() if v is not None})


def _plain_number(value: float) -> float | str:
    """JSON has no NaN: STAC writes it as text."""
    return value if math.isfinite(value) else str(value)


def _netcdf_style(tags: Mapping[str, str], name: str) -> dict[str, str]:
    """Tags of the file that speak of its one band: plain ones, and `NAME#key` as GDAL makes of NetCDF."""
    prefix = f"{name}#"
    found = {key: value for key, value in tags.items() if "#" not in key}
    return found | {key.removeprefix(prefix): value for key, value in tags.items() if key.startswith(prefix)}


def _attrs(dataset: Any, number: int, name: str, own: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, Any]:
    attrs: dict[str, Any] = {key: _numbers(key, own[key]) for key in _KEPT if own.get(key)}
    described = dataset.descriptions[number - 1] or own.get("DESCRIPTION") or tags.get("Quantity", "")
    units = dataset.units[number - 1] or own.get("units") or own.get("unit") or tags.get("Quantity unit", "")
    if described and described != name:
        attrs.setdefault("long_name", described)
    if units:
        attrs["units"] = units
    if own.get("RepresentationType") == "THEMATIC":
        attrs["comment"] = attrs.get("comment", "Thematic: the numbers are codes of classes.")
    if "class" in tags and own.get("param"):
        attrs |= {f"mars:{key}": own[key] for key in _MARS_OF_BAND if own.get(key)}
        attrs |= {f"mars:{key}": tags[key] for key in _MARS_OF_FILE if tags.get(key)}
        if own.get("paramId", "").isdigit():
            attrs["grib:paramId"] = int(own["paramId"])
    return attrs


def _numbers(key: str, text: str) -> Any:
    """`{0,1,2}` or `0, 255` as numbers where CF wants numbers."""
    if key not in {"valid_range", "valid_min", "valid_max", "flag_values", "flag_masks"}:
        return text
    found = [float(one) if "." in one else int(one) for one in _NUMBERS.findall(text)]
    return found[0] if key in {"valid_min", "valid_max"} and found else found


def _packing(dataset: Any, number: int, tags: Mapping[str, str]) -> Packing:
    """GDAL's scale, offset and nodata; else `Gain`, `Offset` and `Nodata` of weather radar composites."""
    scale, offset = float(dataset.scales[number - 1]), float(dataset.offsets[number - 1])
    nodata = dataset.nodatavals[number - 1]
    if dataset.count == 1 and (scale, offset, nodata) == (1.0, 0.0, None):
        scale = _float(tags.get("Gain"), scale)
        offset = _float(tags.get("Offset"), offset) if "Gain" in tags else offset
        nodata = _float(tags.get("Nodata"), math.nan) if "Nodata" in tags else None
    missing = () if nodata is None or math.isnan(nodata) else (float(nodata),)
    return Packing(scale, offset, missing)


def _float(text: str | None, default: float) -> float:
    try:
        return float(text) if text is not None and math.isfinite(float(text)) else default
    except ValueError:
        return default


def _classes(dataset: Any, number: int, tags: Mapping[str, str]) -> dict[str, Any]:
    """CF flags from a `legend` tag (`10  Tree cover` a line), with the colours of the colour table."""
    lines = re.findall(r"^\s*(\d+)\s*[:=]?\s+(\S.*?)\s*$", tags.get("legend", ""), flags=re.MULTILINE)
    colours = _colour_table(dataset, number)
    if not lines:
        return {"flag_values": sorted(colours), "flag_colors": _joined(colours, sorted(colours))} if colours else {}
    values = [int(value) for value, _ in lines]
    meanings = " ".join(re.sub(r"[^A-Za-z0-9_\-.+@]+", "_", text).strip("_").lower() for _, text in lines)
    flags = {"flag_values": values, "flag_meanings": meanings}
    return flags | ({"flag_colors": _joined(colours, values)} if colours else {})


def _joined(colours: dict[int, str], values: list[int]) -> str:
    return " ".join(colours.get(value, "#000000") for value in values)


def _colour_table(dataset: Any, number: int) -> dict[int, str]:
    """Colours that are not black, as #rrggbb."""
    try:
        table = dataset.colormap(number)
    except ValueError:
        return {}
    return {int(key): "#{:02x}{:02x}{:02x}".format(*rgba[:3]) for key, rgba in table.items() if any(rgba[:3])}


def _colour(dataset: Any, number: int) -> str | None:
    name = dataset.colorinterp[number - 1].name
    return name if name in _COLOURS else None


def _names(dataset: Any, stem: str, tags: Mapping[str, str]) -> list[str]:
    """One name a band, all distinct."""
    numbers = list(dataset.indexes)
    names = [_tagged_name(dataset, number) for number in numbers]
    colours = [_colour(dataset, number) for number in numbers]
    if len(numbers) == 1:
        names = [names[0] or _word(tags.get("Quantity", "")) or name_in(stem) or "band_1"]
    elif not any(names) and all(colours) and len(set(colours)) == len(colours):
        names = [str(colour) for colour in colours]
    made = [name or f"band_{number}" for name, number in zip(names, numbers, strict=True)]
    often = Counter(made)
    return [name if often[name] == 1 else f"{name}_{number}" for name, number in zip(made, numbers, strict=True)]


def _tagged_name(dataset: Any, number: int) -> str:
    own = dataset.tags(number)
    for key in ("NETCDF_VARNAME", "param", "name", "band_name", "BandName"):
        if re.fullmatch(r"\w{1,64}", own.get(key, "")) and not own[key].isdigit():
            return str(own[key])
    return _word(dataset.descriptions[number - 1] or own.get("DESCRIPTION") or "")


def _word(text: str) -> str:
    """A text as a name: `B04` and `red` stay, `Eight day snow cover` becomes `eight_day_snow_cover`."""
    if re.fullmatch(r"[A-Za-z]\w{0,31}", text, flags=re.ASCII):
        return text
    made = re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")[:64]
    return f"band_{made}" if made.isdigit() else made


def name_in(stem: str) -> str:
    """What a file name says that its one band is: `B04`, else the words at its end or at its start; '' if nothing.

    Times, tiles and versions have digits; a name of a quantity rarely has.
    """
    found = _BAND_IN_NAME.findall(stem)
    if found:
        return str(found[-1])
    words = [word for word in re.split(r"[-_. ]+", stem) if word]
    if not any(any(letter.isdigit() for letter in word) for word in words):
        return _word("_".join(words))
    return _word("_".join(_without_digits(reversed(words))[::-1])) or _word("_".join(_without_digits(words)))


def _without_digits(words: Any) -> list[str]:
    """Leading words that are letters alone; several in capitals are codes of places or producers, not a name."""
    taken: list[str] = []
    for word in words:
        if not word.isalpha():
            break
        taken.append(word)
    return [] if len(taken) > 1 and all(word.isupper() for word in taken) else taken
