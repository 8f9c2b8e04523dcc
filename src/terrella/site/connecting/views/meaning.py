"""What a question means at a site: indices along axes, cells, whether it is too large. No value is read for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import orjson

from terrella.encodings.calendars import iso
from terrella.errors import Unsupported
from terrella.extraction.planning import prepare
from terrella.model.extraction import Region
from terrella.site.connecting.views.shapes import Shaped, shaped

if TYPE_CHECKING:
    from terrella.contracts.cubes import CubeIndex
    from terrella.extraction.gazetteer import Place
    from terrella.extraction.planning import Prepared
    from terrella.model.caller import Caller
    from terrella.model.extraction import Plan
    from terrella.model.scan import Axis
    from terrella.model.stac import Document
    from terrella.site.connecting.address import Address
    from terrella.site.connecting.views.asking import Question
    from terrella.site.site import Site

_HOUR_MS = 3_600_000


@dataclass(frozen=True, eq=False)
class Meant:
    """A question understood at a site. `index` has the axes as they are stored: runs and steps where `prepared` may

    have their valid times. `refused` says why the site will not answer it at once; '' where it will.
    """

    at: Address
    question: Question
    document: Document
    index: CubeIndex
    prepared: Prepared
    is_own: bool
    """Whether the collection has a cube of its own; otherwise its images made one for this question."""
    refused: str = ""
    region: Place | None = None
    """Of a region by name, what the site knows of it."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables, as the cube has them."""
        return tuple(one.name for one in self.prepared.variables)

    @cached_property
    def shape(self) -> Shaped:
        """To ask EDR for: of a map, the box around all cells."""
        own = self.question.shape
        if not self.question.is_map:
            return own
        extent = self.prepared.cube.grid.extent()
        return shaped({"bbox": [extent.west, extent.south, extent.east, extent.north]})

    @property
    def is_field(self) -> bool:
        """Whether the answer is of many cells."""
        return self.question.shape.is_of_cells and not self.is_reduced("space")

    def is_reduced(self, over: str) -> bool:
        return any(one.over == over for one in self.question.request.reduce)

    def axis(self, name: str) -> Axis:
        """One of the axes of the cube that is opened."""
        return next(one for one in self.prepared.cube.axes if one.name == name)

    def chosen(self, name: str) -> np.ndarray:
        """Indices along it, all where nothing was said."""
        found = self.prepared.axes.get(name)
        return np.arange(self.axis(name).values.size) if found is None else found

    @property
    def dims(self) -> tuple[str, ...]:
        """Axes of the variables, each once."""
        spatial = len(self.prepared.cube.grid.shape)
        return tuple(dict.fromkeys(dim for one in self.prepared.variables for dim in one.dims[:-spatial]))

    def texts(self, name: str) -> list[str]:
        """Chosen values of an axis, as requests write them."""
        axis = self.axis(name)
        return texts_of(axis, axis.values[self.chosen(name)])


def texts_of(axis: Axis, values: np.ndarray) -> list[str]:
    """Values of an axis as requests write them: times of ISO 8601, steps in hours."""
    if axis.kind in ("time", "reference_time"):
        return list(iso(values.astype(np.int64), axis.calendar))
    if axis.kind == "step":
        return [f"{value / _HOUR_MS:g}" for value in values.tolist()]
    return [repr(one).removesuffix(".0") if isinstance(one, float) else str(one) for one in values.tolist()]


def meant(site: Site, caller: Caller, at: Address, question: Question) -> Meant:
    """The question understood. Raises Invalid, NotFound as an extraction does."""
    document = orjson.loads(site.catalog.collection(caller, question.collection))
    request = question.request
    request = replace(request, shape=site.gazetteer.resolved(caller, request.shape))
    found = site.extractor.open(caller, request)
    cube = site.cubes.open(found.index, found.origin)
    prepared = prepare(cube, found.asked)
    refused = _refusal(site, site.extractor.plan(caller, request))
    index = found.index
    if found.stated is None:
        index = site.catalog.open(caller, question.collection)[0]
    asked = question.request.shape
    region = site.gazetteer.place(caller, asked.name) if isinstance(asked, Region) else None
    return Meant(at, question, document, index, prepared, found.stated is None, refused, region)


def _refusal(site: Site, plan: Plan) -> str:
    limits = site.extractor.limits
    for name in limits.excess(plan):
        words = {"values": "values", "bytes_read": "bytes to read", "cells": "cells"}[name]
        return (
            f"This is {getattr(plan, name):,} {words}, and at most {getattr(limits, name):,} are answered at once: "
            "take less, or leave it to a job."
        )
    return "" if plan.cells else "No cell lies in there: take a larger shape, or a point."


def own_only(view: Meant, client: str) -> None:
    """Raises Unsupported where images are made into a cube for each question."""
    if not view.is_own:
        raise Unsupported(
            f"{client} opens cubes, and this collection is of images: ask EDR, which puts them on a grid."
        )
