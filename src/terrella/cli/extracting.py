"""`terrella extract`: values to a file, or to the eye."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terrella.cli.console import console, number, print_json, size, sparkline, table
from terrella.cli.numbers import numbers
from terrella.contracts.loading import load_all
from terrella.errors import Invalid, Unsupported
from terrella.model.extraction import Span
from terrella.model.stated import WORDS
from terrella.site import Site

if TYPE_CHECKING:
    import xarray as xr

    from terrella.contracts.encodings import Encoding
    from terrella.model.extraction import Extracted, Plan

_MOST_ROWS = 30


def extract(
    home: Path,
    collection: str,
    asked: dict[str, Any],
    output: Path | None,
    *,
    estimate: bool,
    as_job: bool,
    as_json: bool,
) -> None:
    encoding = _encoding(output) if output else None
    wanted = _wanted(asked)
    with Site.open(home) as site:
        if as_job:
            _submit(site, collection, wanted, output, encoding, as_json=as_json)
            return
        if estimate:
            plan = site.estimate(collection, **wanted)
            _print_plan(_with_encoding(plan, encoding), as_json=as_json)
            return
        answer = site.cut(collection, **wanted)
        if output and encoding:
            _write(answer, output, encoding)
        elif as_json:
            print_json(answer.dataset.to_dict(encoding=False, data="array") | {"receipt": asdict(answer.receipt)})
        else:
            _print(answer)


def _submit(
    site: Site,
    collection: str,
    wanted: dict[str, Any],
    output: Path | None,
    encoding: Encoding | None,
    *,
    as_json: bool,
) -> None:
    """Hand it to a worker: the file will be the job's output."""
    from terrella.model.caller import OPERATOR
    from terrella.site.tasks import EXTRACT, extract_inputs

    if output is None or encoding is None:
        raise Invalid("A job writes a file: say which with --output, like -o europe.nc.", parameter="output")
    inputs = extract_inputs(collection, encoding.name, name=output.name, **wanted)
    site.catalog.collection(OPERATOR, inputs["extraction"]["collection"])
    job = site.jobs.submit(OPERATOR, EXTRACT, inputs, title=f"{collection} to {output.name}", dialect="shell")
    if as_json:
        print_json({"job": job})
    else:
        console().print(f"Job {job}: follow it with terrella job wait {job}", markup=False)


def _wanted(asked: dict[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {"variables": asked["variables"], "time": asked["time"]}
    if asked["point"]:
        wanted["point"] = numbers(asked["point"], 2, "point")
    if asked["bbox"]:
        wanted["bbox"] = numbers(asked["bbox"], 4, "bbox")
    if asked["circle"]:
        lon, lat, kilometres = numbers(asked["circle"], 3, "circle")
        wanted["circle"] = (lon, lat, kilometres * 1000)
    if asked["frame"]:
        edges = numbers(asked["frame"], 8, "frame")
        wanted["frame"] = (edges[:4], edges[4:])
    if asked["polygon"]:
        wanted["polygon"] = _geometry(asked["polygon"], "polygon")
    wanted |= _line(asked["line"], asked["width"], asked["height"])
    wanted |= {name: asked[name] for name in ("region", "cell", "cells", "reduce", *WORDS) if asked[name]}
    if asked["level"]:
        wanted["level"] = _level(asked["level"])
    return wanted | dict(_axis(text) for text in asked["select"])


def _line(text: str | None, width: str | None, height: str | None) -> dict[str, Any]:
    """A trajectory, or with a width a corridor."""
    if text is None:
        if width is not None or height is not None:
            raise Invalid("--width and --height are those of a --line.", parameter="width")
        return {}
    way = _geometry(text, "line")
    if width is None:
        if height is not None:
            raise Invalid("--height needs --width: the corridor along the line.", parameter="height")
        return {"trajectory": way}
    sizes = [
        number for given, name in ((width, "width"), (height, "height")) if given for number in numbers(given, 1, name)
    ]
    return {"corridor": (way, sizes[0] * 1000, *sizes[1:])}


def _geometry(text: str, option: str) -> str:
    if text.lstrip().startswith("{") or "(" in text:
        return text
    try:
        return Path(text).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"--{option} takes a GeoJSON file, GeoJSON or WKT: {error}", parameter=option) from error


def _level(text: str) -> Any:
    try:
        if "/" in text:
            low, high = text.split("/")
            return Span(*(None if end in ("", "..") else float(end) for end in (low, high)))
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise Invalid(
            f"--level takes a value, several a,b,c or a range low/high, not {text!r:.60}.", parameter="level"
        ) from error


def _axis(text: str) -> tuple[str, list[Any]]:
    name, sign, values = text.partition("=")
    if not sign or not values:
        raise Invalid(f"--select takes NAME=VALUE[,VALUE...], like number=0,1, not {text!r:.60}.", parameter="select")
    return name, [_value(part) for part in values.split(",")]


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _encoding(output: Path) -> Encoding:
    known: dict[str, Encoding] = {one.suffix: one for made in load_all("encodings").values() for one in [made()]}
    if output.suffix not in known:
        raise Invalid(
            f"The ending of --output says the format; known are {', '.join(sorted(known))}.", parameter="output"
        )
    return known[output.suffix]


def _write(answer: Extracted, output: Path, encoding: Encoding) -> None:
    if (reason := encoding.accepts(answer)) is not None:
        raise Unsupported(f"{encoding.title} cannot hold this answer: {reason}")
    data = encoding.encode(answer)
    draft = output.with_name(output.name + ".part")
    try:
        draft.write_bytes(data)
        draft.replace(output)
    except OSError as error:
        raise Invalid(f"{output} cannot be written: {error.strerror}.", parameter="output") from error
    read = answer.receipt.bytes_read
    console().print(f"{output}: {size(len(data))}, {_values(answer)}; {size(read)} read.", markup=False)


def _values(answer: Extracted) -> str:
    count = answer.plan.values
    return f"{number(count)} value{'s' if count != 1 else ''}"


def _with_encoding(plan: Plan, encoding: Encoding | None) -> Plan:
    """With the memory that writing the file will take."""
    from dataclasses import replace

    from terrella.encodings.memory import memory

    return (
        plan if encoding is None else replace(plan, memory=plan.memory + memory(encoding.name, plan.cells, plan.values))
    )


def _print_plan(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(plan))
        return
    shown = table("estimate", "")
    shown.add_row("cells", number(plan.cells))
    shown.add_row("values", number(plan.values))
    shown.add_row("chunks to read", number(plan.chunks))
    shown.add_row("to read", size(plan.bytes_read))
    shown.add_row("answer", size(plan.bytes_out))
    shown.add_row("memory", size(plan.memory))
    shown.add_row("time", f"{plan.seconds:.2g} s")
    console().print(shown)


def _print(answer: Extracted) -> None:
    out = console()
    for name, variable in answer.dataset.data_vars.items():
        title = variable.attrs.get("long_name", name)
        out.print(f"{name}: {title} [{variable.attrs.get('units', '')}]", style="bold", markup=False)
        _print_variable(variable)
    out.print(f"{_values(answer)}, {size(answer.receipt.bytes_read)} read.", style="dim")


def _print_variable(variable: xr.DataArray) -> None:
    out = console()
    flat = variable.squeeze()
    if flat.ndim == 1 and flat.dims[0] in ("time", "step", "reference_time") and flat.size > 1:
        out.print(sparkline(flat.values))
        along = flat[flat.dims[0]].values
        out.print(f"{_moment(along[0])} to {_moment(along[-1])}, {flat.size} values")
    elif 1 < flat.size <= _MOST_ROWS and flat.ndim == 1:
        shown = table(str(flat.dims[0]), "value")
        labels = flat[flat.dims[0]].values if flat.dims[0] in flat.coords else range(flat.size)
        for label, value in zip(labels, flat.values, strict=True):
            shown.add_row(_moment(label), number(float(value)))
        out.print(shown)
    elif flat.size == 1:
        out.print(number(float(flat.values)))
        return
    finite = flat.where(flat.notnull())
    missing = int(flat.isnull().sum())
    out.print(
        f"min {number(float(finite.min()))}, mean {number(float(finite.mean()))}, max {number(float(finite.max()))}"
        + (f", {missing} missing" if missing else "")
        + f"   {' '.join(f'{dim}:{length}' for dim, length in variable.sizes.items())}"
    )


def _moment(value: Any) -> str:
    text = str(value)
    return text[:19] if "T" in text else text
