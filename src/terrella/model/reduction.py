"""What is made of the values before they are answered: reductions over axes, and which cells a shape takes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from terrella.errors import Invalid, nearest_names

HOWS = ("mean", "sum", "min", "max", "std", "count", "median", "quantile", "exceedance")
"""Reducers. `std` is of the population; `exceedance` is the share of values beyond a threshold."""
PERIODS = (
    "hour",
    "day",
    "dekad",
    "month",
    "season",
    "year",
    "climatology-hour",
    "climatology-day",
    "climatology-dekad",
    "climatology-month",
    "climatology-season",
)
"""Of a time axis; a climatology puts the same part of all years (of all days, for hours) together."""
PARAMETER = "reduce"

Direction = Literal["above", "below"]
_FORM = "HOW:OVER or HOW:OVER:EVERY, like mean:space, max:time:month, quantile(0.9):number or exceedance(300):number"


@dataclass(frozen=True, slots=True)
class Reduce:
    """One reduction. Several are done one after the other, in their order. Raises Invalid where it means nothing."""

    over: str
    """'space', 'time', 'level', 'number', or an axis by its name."""
    how: str = "mean"
    every: str | None = None
    """One value for each of these periods of a time axis; None: one value in all."""
    amount: float | None = None
    """The quantile (0..1), or the threshold of an exceedance."""
    direction: Direction = "above"
    weights: Literal["area", "equal"] | None = None
    """Over space: by cell area or each cell alike; None means area, save for a sum, which adds values as they are."""
    skipna: bool = True
    """Whether missing values are left out; otherwise one of them makes the result missing."""

    def __post_init__(self) -> None:
        if self.how not in HOWS:
            raise Invalid(f"There is no reducer {self.how!r:.60}. There are: {', '.join(HOWS)}.", parameter=PARAMETER)
        if not self.over:
            raise Invalid(f"A reduction says over what: {_FORM}.", parameter=PARAMETER)
        if self.every is not None and self.every not in PERIODS:
            raise Invalid(
                f"There is no period {self.every!r:.60}. There are: {', '.join(PERIODS)}.", parameter=PARAMETER
            )
        if self.direction not in ("above", "below"):
            raise Invalid(f"An exceedance is above or below, not {self.direction!r:.60}.", parameter=PARAMETER)
        self._check_amount()
        self._check_weights()

    def _check_amount(self) -> None:
        if self.how == "quantile" and not (self.amount is not None and 0 <= self.amount <= 1):
            raise Invalid(f"A quantile lies in 0..1, like quantile(0.9), not {self.amount}.", parameter=PARAMETER)
        if self.how == "exceedance" and not (self.amount is not None and math.isfinite(self.amount)):
            raise Invalid("An exceedance needs a threshold, like exceedance(300).", parameter=PARAMETER)
        if self.how not in ("quantile", "exceedance") and self.amount is not None:
            raise Invalid(f"{self.how} takes no number: leave ({self.amount:g}) out.", parameter=PARAMETER)

    def _check_weights(self) -> None:
        if self.weights not in (None, "area", "equal"):
            raise Invalid(f"Weights are area or equal, not {self.weights!r:.60}.", parameter=PARAMETER)
        if self.weights == "area" and self.over != "space":
            raise Invalid(f"Only cells have an area: weights over {self.over!r:.60} mean nothing.", parameter=PARAMETER)
        if self.weights == "area" and self.how in ("min", "max", "count"):
            raise Invalid(f"Weights change nothing about a {self.how}: leave them out.", parameter=PARAMETER)
        if self.how == "count" and not self.skipna:
            raise Invalid("A count is of the values that are there: it cannot be strict.", parameter=PARAMETER)

    def __str__(self) -> str:
        """As `parse_reduce` reads it."""
        amount = "" if self.amount is None else f"({self.amount!r}{',below' if self.direction == 'below' else ''})"
        ends = [self.every, self.weights, None if self.skipna else "strict"]
        return ":".join([self.how + amount, self.over, *(end for end in ends if end)])


_PIECE = re.compile(r"(?P<how>[A-Za-z_]+)\s*(?:\((?P<inner>[^()]*)\))?")


def parse_reduce(text: str, *, parameter: str = PARAMETER) -> Reduce:
    """``HOW:OVER[:EVERY][:area|equal][:strict]``: such as `mean:space` or `exceedance(273.15,below):time`.

    Raises Invalid.
    """
    head, *rest = (part.strip() for part in text.strip().split(":"))
    found = _PIECE.fullmatch(head)
    if not found or not rest:
        raise Invalid(f"{text!r:.60} is no reduction: write {_FORM}.", parameter=parameter)
    every, weights, skipna = None, None, True
    for word in rest[1:]:
        if word in ("area", "equal"):
            weights = word
        elif word == "strict":
            skipna = False
        elif every is None:
            every = word
        else:
            raise Invalid(f"{text!r:.60} is no reduction: what is {word!r:.40}? Write {_FORM}.", parameter=parameter)
    amount, direction = _inner(found["inner"], text, parameter)
    return Reduce(rest[0], found["how"].casefold(), every, amount, direction, weights, skipna)  # type: ignore[arg-type]


def _inner(inner: str | None, text: str, parameter: str) -> tuple[float | None, str]:
    """The number in brackets, and 'above' or 'below' behind it."""
    if inner is None:
        return None, "above"
    number, _, direction = (part.strip() for part in inner.partition(","))
    try:
        return float(number), direction or "above"
    except ValueError:
        raise Invalid(f"{text!r:.60} has no number in its brackets.", parameter=parameter) from None


def parse_reductions(text: str, *, parameter: str = PARAMETER) -> tuple[Reduce, ...]:
    """Several of them, separated by commas outside of brackets. Raises Invalid."""
    return tuple(parse_reduce(part, parameter=parameter) for part in re.split(r",(?![^(]*\))", text))


POINT_CHOICES = ("nearest", "bilinear", "idw")
AREA_CHOICES = ("centre", "touched", "overlap")
MOST_NEIGHBOURS = 64


@dataclass(frozen=True, slots=True)
class CellChoice:
    """Which cells a shape takes; '' is the usual: nearest for places, centre for areas.

    Places: 'nearest'; 'bilinear' between the four centres around; 'idw', the `neighbours` nearest, weighted by inverse
    distance. Areas: 'centre'; 'touched', any overlap; 'overlap', any, weighted by the share of the cell inside.
    Raises Invalid.
    """

    how: str = ""
    neighbours: int = 4

    def __post_init__(self) -> None:
        known = (*POINT_CHOICES, *AREA_CHOICES)
        if self.how and self.how not in known:
            raise Invalid(
                f"There is no choice of cells {self.how!r:.60}. {nearest_names(self.how[:60], known)}",
                parameter="cells",
            )
        if not 1 <= self.neighbours <= MOST_NEIGHBOURS:
            raise Invalid(f"Neighbours are 1..{MOST_NEIGHBOURS}, not {self.neighbours}.", parameter="cells")


USUAL_CELLS = CellChoice()


def parse_cells(text: str, *, parameter: str = "cells") -> CellChoice:
    """`nearest`, `bilinear`, `idw`, `idw(8)`, `centre`, `touched`, `overlap`. Raises Invalid."""
    found = re.fullmatch(r"([A-Za-z]+)\s*(?:\(\s*(\d{1,4})\s*\))?", text.strip())
    if not found or (found[2] and found[1].casefold() != "idw"):
        allowed: Iterable[str] = (*POINT_CHOICES, "idw(8)", *AREA_CHOICES)
        raise Invalid(f"{text!r:.60} is no choice of cells. There are: {', '.join(allowed)}.", parameter=parameter)
    name = {"center": "centre"}.get(found[1].casefold(), found[1].casefold())
    return CellChoice(name, int(found[2] or 4))
