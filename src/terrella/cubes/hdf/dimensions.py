"""Names of the dimensions of HDF5 datasets: scales, as NetCDF-4 attaches them.

Conventions: HDF5 Dimension Scale Specification; NetCDF-4 file format (Unidata).
"""

from __future__ import annotations

from typing import Any

import h5py

_ONLY_DIMENSION = b"This is a netCDF dimension but not a netCDF variable"
_HIDDEN = "_nc4_non_coord_"


def plain_name(path: str) -> str:
    """Last part of a path, without the mark of variables that share a dimension's name and are none of it."""
    return path.rsplit("/", 1)[-1].removeprefix(_HIDDEN)


class Dimensions:
    """Dimension names in one file. Sizes of scales are remembered: unlimited ones may be longer than their data."""

    def __init__(self) -> None:
        self._by_number: dict[int, str] = {}
        self.sizes: dict[str, int] = {}

    @property
    def are_netcdf(self) -> bool:
        """Whether the NetCDF library numbered them."""
        return bool(self._by_number)

    def note_scale(self, dataset: h5py.Dataset) -> bool:
        """Remembers a dimension scale. Returns whether it is a variable too."""
        if not h5py.h5ds.is_scale(dataset.id):
            return True
        name = plain_name(dataset.name)
        if h5py.h5a.exists(dataset.id, b"_Netcdf4Dimid"):
            self._by_number[int(dataset.attrs["_Netcdf4Dimid"])] = name
        if dataset.shape:
            self.sizes[name] = max(self.sizes.get(name, 0), int(dataset.shape[0]))
        label = h5py.h5ds.get_scale_name(dataset.id) or b""
        return not label.startswith(_ONLY_DIMENSION)

    def of(self, dataset: h5py.Dataset) -> list[str | None]:
        """Name of each dimension; None for one that has no scale."""
        if h5py.h5a.exists(dataset.id, b"_Netcdf4Coordinates"):
            numbers = [int(one) for one in dataset.attrs["_Netcdf4Coordinates"]]
            if len(numbers) == len(dataset.shape) and all(one in self._by_number for one in numbers):
                return [self._by_number[one] for one in numbers]
        if h5py.h5ds.is_scale(dataset.id):
            return [plain_name(dataset.name), *([None] * (len(dataset.shape) - 1))][: len(dataset.shape)]
        return [self._attached(dataset, place) for place in range(len(dataset.shape))]

    def _attached(self, dataset: h5py.Dataset, place: int) -> str | None:
        if h5py.h5ds.get_num_scales(dataset.id, place) < 1:
            return None
        found: list[bytes] = []

        def first(scale: Any) -> bool:
            found.append(h5py.h5i.get_name(scale) or b"")
            return True

        h5py.h5ds.iterate(dataset.id, place, first)
        return plain_name(found[0].decode("utf-8", "replace")) if found and found[0] else None
