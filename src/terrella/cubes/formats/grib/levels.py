"""Vertical coordinates: ecCodes' typeOfLevel as an axis, or as something that a field just lies on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from terrella.model import parameters

if TYPE_CHECKING:
    from terrella.cubes.formats.grib.facts import Facts


@dataclass(frozen=True, slots=True)
class Vertical:
    """An axis that levels of a kind lie along.

    `factors` turn coded levels into `units`, for edition 1 (units of its code table 3) and 2 (SI units); None where
    levels are counted, not measured.
    """

    name: str
    units: str = "1"
    positive: str = ""
    standard_name: str = ""
    factors: tuple[float, float] | None = (1.0, 1.0)

    @property
    def attrs(self) -> dict[str, Any]:
        given = {"positive": self.positive, "standard_name": self.standard_name}
        return {key: value for key, value in given.items() if value}


def _pressure(edition1: float) -> Vertical:
    return Vertical("pressure", "hPa", "down", "air_pressure", (edition1, 0.01))


def _depth(edition1: float) -> Vertical:
    return Vertical("depth", "m", "down", "depth", (edition1, 1.0))


def _counted(name: str, standard_name: str = "") -> Vertical:
    return Vertical(name, "1", "down", standard_name, None)


_HEIGHT = Vertical("height", "m", "up", "height")
_ALTITUDE = Vertical("altitude", "m", "up", "altitude")
_MODEL = _counted("model_level", "model_level_number")
_ABOVE_GROUND = Vertical("pressure_above_ground", "Pa", "up", "", (100.0, 1.0))

KINDS: dict[str, Vertical] = {
    "isobaricInhPa": _pressure(1.0),
    "isobaricInPa": _pressure(0.01),
    "isobaricLayer": _pressure(10.0),
    "heightAboveGround": _HEIGHT,
    "heightAboveGroundLayer": _HEIGHT,
    "heightAboveSea": _ALTITUDE,
    "heightAboveSeaLayer": _ALTITUDE,
    "hybrid": _MODEL,
    "hybridLayer": _MODEL,
    "generalVertical": _MODEL,
    "generalVerticalLayer": _MODEL,
    "oceanModel": _MODEL,
    "oceanModelLayer": _MODEL,
    "depthBelowLand": _depth(0.01),
    "depthBelowLandLayer": _depth(0.01),
    "depthBelowSea": _depth(1.0),
    "depthBelowSeaLayer": _depth(1.0),
    "soil": _counted("soil_level"),
    "soilLayer": _counted("soil_level"),
    "snow": _counted("snow_level"),
    "snowLayer": _counted("snow_level"),
    "sigma": Vertical("sigma", "1", "down", "atmosphere_sigma_coordinate", (1e-4, 1.0)),
    "theta": Vertical("potential_temperature", "K", "up", "air_potential_temperature"),
    "potentialVorticity": Vertical("potential_vorticity", "K m2 kg-1 s-1", "up", "", (1e-9, 1.0)),
    "pressureFromGround": _ABOVE_GROUND,
    "pressureFromGroundLayer": _ABOVE_GROUND,
}

_FLAT = re.compile(
    "surface|meanSea|entire.*|tropopause|nominalTop|topOfAtmosphere|.*[cC]loud.*|adiabaticCondensation|maxWind|"
    "highestTropospheric|isothermZero|ice.*|seaIce.*|unknown|mostUnstableParcel|mixedLayerParcel|oceanSurface|atmML"
)
"""Kinds of level that are one place each in a column of air or water."""
_ON_LEVEL_1 = frozenset({22, 129, 152})
"""Fields of the surface (its geopotential, the logarithm of its pressure) that ECMWF archives as model level 1."""


def vertical(facts: Facts) -> Vertical | None:
    """The axis of a field's level; None where it has no place along one."""
    kind = facts.level_type
    if not kind or _FLAT.fullmatch(kind):
        return None
    if kind == "hybrid" and facts.coded_level == 1 and facts.param in _ON_LEVEL_1:
        return None
    known = KINDS.get(kind)
    if known is None:
        return Vertical(snake(kind)) if facts.coded_level else None
    if known is _HEIGHT and level_value(facts, known) in {0.0, _own_height(facts)}:
        return None  # the height is part of what the parameter is, like 2 m of '2t', or there is none
    return known


def level_value(facts: Facts, axis: Vertical) -> float:
    """Place along the axis, in its units; of a layer, its first surface."""
    if axis.factors is None or facts.edition == 1 or facts.top is None:
        return _in_units(facts.coded_level, facts, axis)
    return _in_units(facts.top, facts, axis)


def layer(facts: Facts, axis: Vertical) -> tuple[float, float] | None:
    """First and second surface of a layer in the units of its axis, None for a level."""
    if axis.factors is None or not facts.level_type.endswith("Layer"):
        return None
    if facts.top is None or facts.bottom is None or facts.top == facts.bottom:
        return None
    return _in_units(facts.top, facts, axis), _in_units(facts.bottom, facts, axis)


def fixed_height(facts: Facts) -> float | None:
    """Metres above ground of a field whose height is no axis: as coded, else as the parameter table knows it."""
    if facts.level_type == "heightAboveGround" and (coded := level_value(facts, _HEIGHT)):
        return coded
    return _own_height(facts)


def _in_units(value: float, facts: Facts, axis: Vertical) -> float:
    factor = axis.factors[facts.edition - 1] if axis.factors else 1.0
    # Twelve digits: 0.07 and not 0.07000000000000001, 2e-6 and not 0.
    return float(f"{value * factor:.12g}")


def _own_height(facts: Facts) -> float | None:
    parameter = parameters.by_id(facts.param)
    return parameter.height if parameter else None


def snake(name: str) -> str:
    """'isothermZero' as 'isotherm_zero'."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
