"""Lists of numbers as people type them."""

from __future__ import annotations

from terrella.errors import Invalid

_EXAMPLES = {"point": "13.4,52.5", "bbox": "5,45,15,55", "circle": "13.4,52.5,50"}


def numbers(text: str, count: int, parameter: str) -> list[float]:
    """Exactly `count` numbers with commas between. Raises Invalid."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != count:
        raise Invalid(
            f"--{parameter} takes {count} numbers with commas between, like {_EXAMPLES[parameter]}, not {text!r:.60}.",
            parameter=parameter,
        )
    return found
