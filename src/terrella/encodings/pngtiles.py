"""Coloured maps as PNG, transparent where there is nothing."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from terrella.encodings.palettes import COLOURS

MEDIA_TYPE = "image/png"
_LEVEL = 3
"""Of deflate: somebody is waiting."""


Colour = tuple[int, int, int]


def blank(shape: tuple[int, int], background: Colour | None = None) -> bytes:
    """Nothing anywhere."""
    return png(np.zeros(shape, dtype=np.uint16), np.zeros((COLOURS, 3), dtype=np.uint8), background)


def png(numbers: np.ndarray, colours: np.ndarray, background: Colour | None = None) -> bytes:
    """An image of colour numbers (rows, columns) from `palettes.colour_numbers`: 0 is transparent, 1 the first colour.

    Opaque with a `background`. One byte a pixel; four only where all colours and transparency stand in one image.
    """
    held = np.bincount(numbers.ravel(), minlength=COLOURS + 1)
    free = np.flatnonzero(held[1:] == 0)
    made = BytesIO()
    if held[0] and not free.size:
        table = np.zeros((COLOURS + 1, 4), dtype=np.uint8)
        table[1:, :3], table[1:, 3] = colours, 255
        if background is not None:
            table[0] = (*background, 255)
        Image.fromarray(table[numbers]).save(made, "PNG", compress_level=_LEVEL)
        return made.getvalue()
    shown = (numbers - 1).astype(np.uint8)
    more = {}
    if held[0]:
        shown[numbers == 0] = free[0]
        colours = colours.copy()
        colours[free[0]] = (0, 0, 0) if background is None else background
        if background is None:
            more["transparency"] = int(free[0])
    image = Image.fromarray(shown)
    image.putpalette(colours.tobytes())
    image.save(made, "PNG", compress_level=_LEVEL, **more)
    return made.getvalue()


def coloured(colours: np.ndarray, there: np.ndarray) -> bytes:
    """An image of red, green, blue (uint8: rows, columns, 3), transparent where it is not `there`."""
    made = BytesIO()
    image = colours if there.all() else np.dstack([colours, np.where(there, 255, 0).astype(np.uint8)])
    Image.fromarray(np.ascontiguousarray(image)).save(made, "PNG", compress_level=_LEVEL)
    return made.getvalue()
