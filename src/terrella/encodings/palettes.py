"""Palettes: 256 colours each, even to the eye and told apart by the colour-blind.

`viridis`, `cividis`, `magma`, `inferno` and `plasma` are the tables that Matplotlib gave to the public domain (CC0);
`grey` and `diverging` are computed here, even in lightness in the Oklab space (B. Ottosson, 2020).
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import numpy as np

from terrella.errors import Invalid, nearest_names

COLOURS = 256
_REVERSED = "_r"
_DIVERGING = ((0.35, 264.0, 0.13), (0.95, 264.0, 0.0), (0.95, 45.0, 0.0), (0.42, 45.0, 0.13))
"""Lightness, hue in degrees, chroma: dark blue, two whites, dark orange."""


@cache
def _stored() -> dict[str, str]:
    found: dict[str, str] = json.loads(files("terrella.encodings").joinpath("data/palettes.json").read_text())
    return found


@cache
def names() -> tuple[str, ...]:
    """Every palette; with `_r` behind its name each runs the other way."""
    return (*_stored(), "grey", "diverging")


@cache
def palette(name: str) -> np.ndarray:
    """The colours of a palette: uint8 of (256, 3), red, green, blue. Raises Invalid with the nearest names."""
    plain = name.removesuffix(_REVERSED)
    if plain not in names():
        known = [*names(), *(f"{one}{_REVERSED}" for one in names())]
        raise Invalid(f"There is no palette {name!r:.40}. {nearest_names(name[:40], known)}", parameter="palette")
    made = _made(plain)
    made = made[::-1].copy() if plain != name else made
    made.flags.writeable = False
    return made


def _made(name: str) -> np.ndarray:
    if name == "grey":
        return np.repeat(np.arange(COLOURS, dtype=np.uint8)[:, None], 3, axis=1)
    if name == "diverging":
        return _diverging()
    return np.frombuffer(bytes.fromhex(_stored()[name]), dtype=np.uint8).reshape(COLOURS, 3).copy()


def _diverging() -> np.ndarray:
    half = np.linspace(0.0, 1.0, COLOURS // 2)[:, None]
    blue, white, pale, orange = (np.array(one) for one in _DIVERGING)
    lch = np.concatenate([blue + (white - blue) * half, pale + (orange - pale) * half])
    angle = np.radians(lch[:, 1])
    return _rgb(np.stack([lch[:, 0], lch[:, 2] * np.cos(angle), lch[:, 2] * np.sin(angle)], axis=1))


_TO_LMS = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.291485548]]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.707614701],
    ]
)


def _rgb(oklab: np.ndarray) -> np.ndarray:
    """Red, green, blue of Oklab colours (Ottosson 2020; the curve of IEC 61966-2-1)."""
    linear = np.clip((oklab @ _TO_LMS.T) ** 3 @ _TO_RGB.T, 0.0, 1.0)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * curved).astype(np.uint8))


def colour_numbers(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Which colour of a palette each value has, from 1 to 256 (uint16); 0 where it is missing.

    The first colour stands at `low`, the last at `high` (above `low`), those between evenly; beyond, the end ones.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        made = (values.astype(np.float64) - low) / (high - low) * (COLOURS - 1)
    np.rint(made, out=made)
    np.clip(made, 0, COLOURS - 1, out=made)
    made += 1
    if values.dtype.kind == "f":
        made[np.isnan(values)] = 0
    return made.astype(np.uint16)
