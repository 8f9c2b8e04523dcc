"""What an example takes of each axis, and how requests write that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.encodings.calendars import iso
from terrella.extraction.mars.matching import identities
from terrella.extraction.mars.placing import TO_PASCAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from terrella.model.scan import Axis
    from terrella.model.stac import Document

_MOST_TIMES = 3
_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an example takes of one axis: `values` as their axis has them, `texts` as requests write them."""

    axis: str
    kind: str
    values: tuple[Any, ...]
    texts: tuple[str, ...]


def chosen_of(axis: Axis) -> Chosen:
    """The first few times; of anything else the first value."""
    if axis.kind == "time":
        return told(axis, _first_times(axis.values))
    if axis.kind == "step":
        return told(axis, axis.values[:_MOST_TIMES])
    return told(axis, axis.values[:1])


def _first_times(values: np.ndarray) -> np.ndarray:
    """At most three, if their dates and their times of day, each listed, mean no more than these: else one."""
    some = values[:_MOST_TIMES]
    meant = np.isin(values // _DAY_MS, some // _DAY_MS) & np.isin(values % _DAY_MS, some % _DAY_MS)
    return some if int(meant.sum()) == some.size else values[:1]


def told(axis: Axis, values: np.ndarray) -> Chosen:
    """Some values of an axis, as requests write them."""
    if axis.kind in ("time", "reference_time"):
        texts = list(iso(values.astype(np.int64), axis.calendar))
    elif axis.kind == "step":
        texts = [f"{value / _HOUR_MS:g}" for value in values.tolist()]
    else:
        texts = [f"{value:.10g}" if isinstance(value, float) else str(value) for value in values.tolist()]
    if axis.kind == "vertical" and axis.units in TO_PASCAL:
        mars = [f"{float(value) * TO_PASCAL[axis.units] / 100:.10g}" for value in values.tolist()]
        return Chosen(axis.name, axis.kind, tuple(mars), tuple(texts))
    return Chosen(axis.name, axis.kind, tuple(values.tolist()), tuple(texts))


def words_of(chosen: Sequence[Chosen]) -> dict[str, Any]:
    """The axes as `Site.extract` takes them."""
    words: dict[str, Any] = {}
    for one in chosen:
        if one.kind == "time":
            words["time"] = one.texts[0] if len(one.texts) == 1 else f"{one.texts[0]}/{one.texts[-1]}"
        elif one.kind == "vertical":
            words["level"] = [float(text) for text in one.texts]
        elif one.kind == "step":
            words["step"] = [float(text) for text in one.texts]
        else:
            words[one.axis] = list(one.texts)
    return words


# --- MARS words -----------------------------------------------------------------------------------------------------


def mars_of(document: Document, variable: str, chosen: Sequence[Chosen]) -> dict[str, str]:
    """The example in MARS words: what the variable is known by, then its axes."""
    identity = next(one for one in identities(document) if one.variable == variable)
    made = {key: min(identity.words[key]) for key in ("class", "stream", "type", "levtype") if key in identity.words}
    made["param"] = str(document["cube:variables"][variable].get("mars:param") or variable)
    for one in chosen:
        if one.kind in ("time", "reference_time"):
            made |= _clock(one)
        elif one.kind == "step":
            made["step"] = "/".join(one.texts)
        elif one.kind == "vertical":
            made["levelist"] = "/".join(map(_plain, one.values))
        elif one.kind == "number":
            made["number"] = "/".join(one.texts)
        else:
            made[one.axis] = "/".join(one.texts)
    return made


def _plain(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _clock(one: Chosen) -> dict[str, str]:
    """Dates, and times of day where these are whole minutes."""
    dates = dict.fromkeys(text[:10].replace("-", "") for text in one.texts)
    made = {"date": "/".join(dates)}
    if all(value % _MINUTE_MS == 0 for value in one.values):
        made["time"] = "/".join(dict.fromkeys(text[11:16].replace(":", "") or "0000" for text in one.texts))
    return made
