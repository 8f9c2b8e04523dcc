"""Lists of numbers as people type them."""

from __future__ import annotations

from terrella.errors import Invalid

_EXAMPLES = {
    "point": "13.4,52.5",
    "bbox": "5,45,15,55",
    "circle": "13.4,52.5,50",
    "frame": "0,40,20,60,5,45,15,55",
    "width": "20",
    "height": "100",
}


_WORDS = ("{} numbers with commas between", "{} number")


def numbers(text: str, count: int, parameter: str) -> list[float]:
    """Exactly `count` numbers with commas between. Raises Invalid."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != count:
        raise Invalid(
            f"--{parameter} takes {_WORDS[count == 1].format(count)}, like {_EXAMPLES[parameter]}, not {text!r:.60}.",
            parameter=parameter,
        )
    return found
