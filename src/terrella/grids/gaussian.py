"""Reduced Gaussian grids: rows at the roots of a Legendre polynomial, with fewer points towards the poles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from terrella.errors import Invalid
from terrella.grids.identity import Identity
from terrella.grids.rows import RowCells, Rows
from terrella.grids.tables import Cells, Floats, frozen, pack, unpack
from terrella.model.space import EARTH_RADIUS_M

if TYPE_CHECKING:
    from collections.abc import Sequence


@lru_cache(maxsize=16)
def gaussian_latitudes(n: int) -> Floats:
    """The 2n latitudes of a Gaussian grid with n rows between pole and equator, north to south, in degrees.

    Their sines are the roots of the Legendre polynomial of degree 2n: Newton's iteration from
    cos(pi (i - 1/4) / (2n + 1/2)) (Press et al., Numerical Recipes, 4.5; Abramowitz and Stegun 22.16.6), the polynomial
    by Bonnet's recursion.
    """
    if n < 1:
        raise Invalid("A Gaussian grid has at least one row between pole and equator.", parameter="grid")
    degree = 2 * n
    root = np.cos(np.pi * (np.arange(1, n + 1) - 0.25) / (degree + 0.5))
    for _ in range(10):
        before, value = np.ones_like(root), root.copy()
        for k in range(2, degree + 1):
            before, value = value, ((2 * k - 1) * root * value - (k - 1) * before) / k
        step = value * (root**2 - 1) / (degree * (root * value - before))
        root -= step
        if np.abs(step).max() < 1e-15:
            break
    north = np.degrees(np.arcsin(root))
    latitudes: Floats = frozen(np.concatenate([north, -north[::-1]]))
    return latitudes


def octahedral_pl(n: int) -> Cells:
    """Points a row of the octahedral grid O`n`, north to south: 20, 24, ... and back (ECMWF Newsletter 146, 2016)."""
    half = 16 + 4 * np.arange(1, n + 1, dtype=np.int64)
    return np.concatenate([half, half[::-1]])


@dataclass(frozen=True, eq=False)
class ReducedGaussianGrid(RowCells, Identity):
    """Rows north to south, `pl[i]` points a row, each from longitude 0 eastward; the whole sphere.

    Raises Invalid where `pl` is not 2n positive whole numbers.
    """

    n: int
    pl: Sequence[int] | Cells
    kind: ClassVar[str] = "reduced_gaussian"
    dims: ClassVar[tuple[str, ...]] = ("cell",)
    crs: ClassVar[str] = "EPSG:4326"

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", int(self.n))
        object.__setattr__(self, "pl", frozen(self.pl, np.int64))
        if self.n < 1 or np.shape(self.pl) != (2 * self.n,) or np.min(self.pl) < 1:
            raise Invalid(f"A reduced Gaussian grid N{self.n} needs {2 * self.n} rows of 1 or more.", parameter="grid")

    @property
    def shape(self) -> tuple[int, ...]:
        return (int(np.sum(self.pl)),)

    @cached_property
    def rows(self) -> Rows:
        counts = np.asarray(self.pl, dtype=np.int64)
        return Rows(gaussian_latitudes(self.n), counts, np.zeros(counts.size))

    def _row_areas(self) -> Floats:
        """Bands reach half-way, in latitude, to the next row, the outer ones to the poles."""
        lats = self.rows.lats
        edges = np.sin(np.radians(np.concatenate([[90.0], (lats[1:] + lats[:-1]) / 2, [-90.0]])))
        return 2 * np.pi * EARTH_RADIUS_M**2 * -np.diff(edges) / self.rows.counts

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "n": self.n, "pl": pack(np.asarray(self.pl), "<i8")}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> ReducedGaussianGrid:
        return cls(document["n"], unpack(document["pl"]))
