"""Lines that ask by OGC API EDR: curl, Python, OWSLib."""

from __future__ import annotations

from shlex import quote as shell
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from terrella.errors import Unsupported
from terrella.site.connecting.writing import text, written

if TYPE_CHECKING:
    from terrella.site.connecting.views.meaning import Meant

MOST_ADDRESS = 4000
"""Characters of an address; longer questions are sent in the body."""
_FIELD, _NUMBERS, _TABLE = "NetCDF", "CoverageJSON", "CSV"
_SUFFIXES = {"netcdf": ".nc", "csv": ".csv", "covjson": ".covjson", "coveragejson": ".covjson", "geojson": ".geojson"}
_SUFFIXES |= {"geotiff": ".tif", "parquet": ".parquet"}


def question(view: Meant, form: str) -> dict[str, str]:
    """The parameters, in EDR's words."""
    return view.shape.edr | view.question.edr | {"f": form}


def address(view: Meant) -> str:
    """Where to ask, without parameters."""
    return f"{view.at.base}/ogc/collections/{quote(view.question.collection, safe='')}/{view.shape.query}"


def whole_address(view: Meant, form: str) -> str:
    """Where to ask, with parameters."""
    return f"{address(view)}?{urlencode(question(view, form), quote_via=quote, safe=':/,()')}"


def curl(view: Meant) -> str:
    """CSV of few places, a file of many."""
    check_size(view)
    form = view.question.form or (_FIELD if view.is_field else _TABLE)
    suffix = _SUFFIXES.get(form.casefold(), "")
    kept = f" -o {view.question.collection}{suffix}" if view.is_field or form.casefold() != "csv" else ""
    shown = f" -H {shell(f'Authorization: Bearer {view.at.needed}')}" if view.at.needed else ""
    whole = whole_address(view, form)
    if len(whole) <= MOST_ADDRESS:
        return f"curl -sSf{shown}{kept} {shell(whole)}\n"
    parts = "".join(
        f" \\\n  --data-urlencode {shell(f'{name}={value}')}" for name, value in question(view, form).items()
    )
    return f"curl -sSf{shown}{kept} {shell(address(view))}{parts}\n"


def python(view: Meant) -> str:
    """Numbers of CoverageJSON; of many cells, or of an outline, a dataset of NetCDF."""
    check_size(view)
    return _dataset(view) if view.question.shape.is_of_cells else _coverage(view)


def _asked(view: Meant, form: str) -> str:
    asked = question(view, form)
    is_long = len(whole_address(view, form)) > MOST_ADDRESS
    sent = (
        f"requests.post(address, data=asked{_shown(view)})"
        if is_long
        else f"requests.get(address, asked{_shown(view)})"
    )
    return f"""address = "{address(view)}"
asked = {written(asked)}
answer = {sent}
answer.raise_for_status()
"""


def _shown(view: Meant) -> str:
    return f', headers={{"Authorization": "Bearer {view.at.needed}"}}' if view.at.needed else ""


def _coverage(view: Meant) -> str:
    return f"""import requests

{_asked(view, _NUMBERS)}told = answer.json()
values = {{}}
for coverage in told.get("coverages", [told]):
    for name, found in coverage["ranges"].items():
        values.setdefault(name, []).extend(found["values"])
print(values)
"""


def _dataset(view: Meant) -> str:
    picked = f"values = dataset[{text(view.names[0])}]" if len(view.names) == 1 else "values = dataset"
    name = text(f"{view.question.collection}.nc")
    return f"""from pathlib import Path

import requests
import xarray as xr  # it needs netCDF4

{_asked(view, _FIELD)}Path({name}).write_bytes(answer.content)
dataset = xr.open_dataset({name})
{picked}
print(values)
"""


def owslib(view: Meant) -> str:
    """It knows coordinates, times and levels, and no other words."""
    check_size(view)
    known = {"parameter-name", "datetime", "z"}
    lacks = sorted(view.question.edr.keys() - known)
    if lacks:
        raise Unsupported(f"OWSLib has no word for {', '.join(lacks)}: it would ask for more than you look at.")
    shape = view.shape.edr
    if "region" in shape or "within" in shape:
        raise Unsupported("OWSLib asks for boxes, polygons, lines and places, not for regions by name or circles.")
    headers = f', headers={{"Authorization": "Bearer {view.at.needed}"}}' if view.at.needed else ""
    where = f"bbox=[{shape['bbox'].replace(',', ', ')}]" if "bbox" in shape else f"coords={text(shape['coords'])}"
    return f"""from owslib.ogcapi.edr import EnvironmentalDataRetrieval

edr = EnvironmentalDataRetrieval("{view.at.base}/ogc"{headers})
told = edr.query_data(
    {text(quote(view.question.collection, safe=""))},
    "{view.shape.query}",
    {where},{_owslib_words(view)}
)
values = {{}}
for coverage in told.get("coverages", [told]):
    for name, found in coverage["ranges"].items():
        values.setdefault(name, []).extend(found["values"])
print({{name: len(found) for name, found in values.items()}})
"""


def _owslib_words(view: Meant) -> str:
    asked = view.question.edr
    made = f"\n    parameter_names=[{', '.join(map(text, view.names))}]," if "parameter-name" in asked else ""
    return made + "".join(
        f"\n    {word}={text(asked[name])}," for name, word in (("datetime", "datetime_"), ("z", "z")) if name in asked
    )


def check_size(view: Meant) -> None:
    """Raises Unsupported for what the site will not answer at once."""
    if view.refused:
        raise Unsupported(view.refused)
