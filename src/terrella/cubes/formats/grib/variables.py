"""Names, labels and attributes of arrays: GRIB/MARS identity in the words of the parameter table and of CF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from terrella.cubes.formats.grib.levels import fixed_height, snake, vertical
from terrella.model import parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from terrella.cubes.formats.grib.facts import Facts


class Key(NamedTuple):
    """What makes fields one variable."""

    name: str
    axis: str
    """Vertical axis, '' for fields without one."""
    place: str
    """Where fields without a vertical axis lie: 'surface', 'tropopause', 'isotherm_zero'."""
    step_type: str
    variant: str


def key_of(facts: Facts) -> Key:
    along = vertical(facts)
    place = "" if along else snake(facts.level_type)
    return Key(facts.short_name, along.name if along else "", place, facts.step_type, facts.variant)


_FORECASTS = frozenset({"fc", "cf", "pf", "em", "es", "ep", "cm", "cs", "fcmean", "fcmax", "fcmin", "fcstdev", "af"})
_MEMBERS = frozenset({"cf", "pf"})
_ENSEMBLES = frozenset({"enfo", "enda", "eefo", "efho", "waef", "ewda", "mmsf", "msmm", "seas", "wasf"})
_MONTHLY = frozenset({"moda", "mnth", "edmm", "edmo", "ewmm", "ewmo", "wamo", "wmfm", "msmm", "mofm"})

_METHODS = {
    "avg": "mean",
    "accum": "sum",
    "max": "maximum",
    "min": "minimum",
    "sd": "standard_deviation",
    "rms": "root_mean_square",
    "mode": "mode",
}


def is_forecast(facts: Facts) -> bool:
    """Whether reference time and step matter: for forecasts, step 0 of them too, so that files of one run join."""
    return facts.step != 0 or facts.mars.get("type", "") in _FORECASTS


def is_member(facts: Facts, number: int | None) -> bool:
    """Whether the field is one of an ensemble, be it alone in its file."""
    if number is None:
        return False
    return number > 0 or facts.mars.get("type") in _MEMBERS or facts.mars.get("stream") in _ENSEMBLES


def label(facts: Facts) -> str:
    """Keeps unlike things apart: 'od-oper-fc-pl', 'kwbc-fc-surface'. Control and perturbed members belong together."""
    mars = facts.mars
    kind = "pf" if mars.get("type") in _MEMBERS else mars.get("type", "")
    levels = _levels(facts)
    if "class" not in mars:
        return "-".join(filter(None, (facts.centre, kind, levels)))
    version = mars.get("expver", "")
    run = (mars.get(key, "") for key in ("stream", "activity", "experiment", "model", "realization", "resolution"))
    return "-".join(filter(None, (mars["class"], version if version != "0001" else "", *run, kind, levels)))


def _levels(facts: Facts) -> str:
    """MARS' levtype, told further apart where it holds levels of several kinds; pressure is one kind in Pa and hPa."""
    along = vertical(facts)
    levtype = facts.mars.get("levtype", "")
    if along is None:
        return levtype or snake(facts.level_type) or "sfc"
    if levtype in {"pl", "ml", "pt", "pv"}:
        return levtype
    return "-".join(filter(None, (levtype, along.name)))


_USUAL = frozenset({"", "surface", "instant", "height_above_ground", "mean_sea"})


def array_name(key: Key, others: Iterable[Key]) -> str:
    """The short name and the variant; of namesakes, all but the usual also say their place and statistics over time."""
    rivals = [other for other in others if (other.name, other.variant) == (key.name, key.variant)]
    places, statistics = ({getattr(rival, what) for rival in rivals} for what in ("place", "step_type"))
    words = [key.name, key.variant]
    words += [key.place] if len(places) > 1 and key.place not in _USUAL else []
    words += [key.step_type] if len(statistics) > 1 and key.step_type not in _USUAL else []
    return "_".join(filter(None, words))


def array_attrs(fields: Sequence[Facts]) -> dict[str, Any]:
    """CF attributes and, with prefixes, MARS and GRIB keys. Keys in which fields differ keep all values: 'cf/pf'."""
    facts = fields[0]
    parameter = parameters.by_id(facts.param)
    attrs: dict[str, Any] = {}
    if parameter:
        attrs |= {"long_name": parameter.name, "units": parameter.units, "standard_name": parameter.cf_standard_name}
    attrs["cell_methods"] = _cell_methods(facts)
    attrs = {key: value for key, value in attrs.items() if value}
    if vertical(facts) is None and (height := fixed_height(facts)):
        attrs["height"] = height
    for key in facts.mars:
        attrs[f"mars:{key}"] = "/".join(sorted({each.mars[key] for each in fields if key in each.mars}))
    attrs["mars:param"] = str(facts.param)
    attrs["grib:shortName"] = facts.short_name
    attrs["grib:typeOfLevel"] = "/".join(sorted({each.level_type for each in fields}))
    attrs["grib:gridType"] = facts.grid_type
    attrs["grib:centre"] = facts.centre
    attrs["grib:stepType"] = facts.step_type
    return {key: value for key, value in attrs.items() if value != ""}


def _cell_methods(facts: Facts) -> str:
    method = next((_METHODS[kind] for kind in _METHODS if facts.step_type.startswith(kind)), "")
    if not method and (facts.mars.get("stream") in _MONTHLY or facts.mars.get("type") == "fcmean"):
        method = "mean"
    parameter = parameters.by_id(facts.param)
    method = method or (parameter.method if parameter else "")
    return f"time: {method}" if method else ""
