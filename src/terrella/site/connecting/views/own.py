"""Lines for the site's own machine: Python and the shell."""

from __future__ import annotations

from shlex import quote as shell
from typing import TYPE_CHECKING, Any

from terrella.errors import Unsupported
from terrella.model.extraction import Span
from terrella.model.stated import WORDS as GRID_WORDS
from terrella.site.connecting.views.edr import check_size
from terrella.site.connecting.views.shapes import Asked
from terrella.site.connecting.writing import literal, text

if TYPE_CHECKING:
    from terrella.site.connecting.views.meaning import Meant


def python(view: Meant) -> str:
    """What the site reads itself."""
    check_size(view)
    home = text(view.at.home) if view.at.home else 'os.environ.get("TERRELLA_HOME", "~/.terrella")'
    first = "" if view.at.home else "import os\n\n"
    words = view.question.shape.words | view.question.words
    said = _arguments({name: value for name, value in words.items() if name.isidentifier()})
    rest = {name: value for name, value in words.items() if not name.isidentifier()}
    said += f"\n        **{literal(rest)}," if rest else ""
    picked = f"[{text(view.names[0])}]" if len(view.names) == 1 else ""
    return f"""{first}import terrella  # on the machine of the site: its files are read directly

with terrella.Site.open({home}) as site:
    values = site.extract(
        {text(view.question.collection)},{said}
    ){picked}
    print(values)
"""


def _arguments(words: dict[str, Any]) -> str:
    return "".join(f"\n        {name}={_written(value)}," for name, value in words.items())


def _written(value: Any) -> str:
    if isinstance(value, Span):
        return f"({value.low!r}, {value.high!r})"
    return literal(value)


def extract(view: Meant) -> str:
    """`terrella extract`, into a file."""
    check_size(view)
    asked = view.question
    if asked.shape.kind == Asked.POINTS:
        raise Unsupported("The shell cuts one place at a time: use Python, or EDR.")
    words = [f"--variable={one}" for one in asked.words.get("variables", ())]
    words += [f"--{name}={value}" for name, value in asked.shape.options.items()]
    for name, option in (("datetime", "time"), ("z", "level"), ("cells", "cells")):
        words += [f"--{option}={asked.edr[name]}"] if name in asked.edr else []
    words += [f"--reduce={one}" for one in asked.request.reduce]
    words += [f"--{name}={asked.words[name]}" for name in GRID_WORDS if name in asked.words]
    words += [f"--select={name}={','.join(map(str, values))}" for name, values in _axes(view).items()]
    suffix = ".nc" if view.is_field else ".csv"
    words += ["-o", f"{asked.collection}{suffix}"]
    return f"terrella extract {shell(asked.collection)} {' '.join(map(shell, words))}\n"


def _axes(view: Meant) -> dict[str, Any]:
    known = {"variables", "time", "level", "reduce", "cells", *GRID_WORDS}
    return {name: value for name, value in view.question.words.items() if name not in known}
