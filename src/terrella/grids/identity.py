"""What all grids share: a size, and being equal when their JSON is."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

from terrella.grids.tables import grid_key


class Identity:
    """Equality and hash by `grid_key`. Subclasses are frozen dataclasses made with ``eq=False``."""

    @property
    def shape(self) -> tuple[int, ...]:
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def size(self) -> int:
        """Number of cells."""
        return math.prod(self.shape)

    @cached_property
    def key(self) -> str:
        """As `grid_key` of its JSON."""
        return grid_key(self.to_json())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and (self is other or self.key == other.key)

    def __hash__(self) -> int:
        return hash(self.key)
