"""Build src/terrella/model/data/parameters.tsv.gz from ecCodes' definitions and scripts/parameters.toml.

Run it after an upgrade of ecCodes: `.venv/bin/python scripts/build_parameters.py`. Same input, same bytes.

ecCodes keeps a *concept* (paramId, shortName, name, units, cfName, cfVarName) a file: each value with the conditions
on coded keys under which it holds. Values of different concepts belong together where their conditions are equal.
In binary wheels these files are built into a library, and come out with the tool `codes_export_resource`.
"""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pyproj  # noqa: F401 -- before ecCodes: libproj clash

# isort: split
import eccodes

HERE = Path(__file__).parent
OUTPUT = HERE.parent / "src/terrella/model/data/parameters.tsv.gz"
COLUMNS = ("id", "short_name", "name", "units", "cf_standard_name", "cf_var_name", "height", "method", "aliases")
CONCEPTS = ("paramId", "shortName", "name", "units", "cfName", "cfVarName")
# The first folder to define an id wins. efkl numbers its own parameters from 1, over WMO's: only its own names count.
FIRST = ("grib2", "grib1", "grib2/localConcepts/ecmf", "grib1/localConcepts/ecmf")
LEFT_OUT = "grib1/localConcepts/efkl"
ENTRY = re.compile(r"^'(?P<value>.*)'\s*=\s*\{(?P<conditions>[^}]*)\}", re.MULTILINE)

Conditions = tuple[str, ...]
Folder = dict[str, list[tuple[str, Conditions]]]


def main() -> None:
    folders = read_folders()
    rows = identities(folders)
    add_cf(rows, folders)
    add_curated(rows, tomllib.loads((HERE / "parameters.toml").read_text()))
    lines = ["\t".join(COLUMNS)] + ["\t".join(row.get(key, "") for key in COLUMNS) for _, row in sorted(rows.items())]
    OUTPUT.parent.mkdir(exist_ok=True)
    packed = gzip.compress(("\n".join(lines) + "\n").encode(), compresslevel=9, mtime=0)
    OUTPUT.write_bytes(packed)
    sys.stdout.write(f"{len(rows)} parameters, {len(packed)} bytes, ecCodes {eccodes.codes_get_api_version()}\n")


def read_folders() -> dict[str, Folder]:
    """Concept files of each folder of definitions, the most general folders first."""
    found: dict[str, Folder] = {}
    for path, text in definition_files().items():
        folder, concept = path.rsplit("/", 1)
        found.setdefault(folder, {})[concept.removesuffix(".def")] = parse(text)
    found.pop(LEFT_OUT, None)
    order = {name: index for index, name in enumerate(FIRST)}
    return dict(sorted(found.items(), key=lambda item: (order.get(item[0], len(FIRST)), item[0])))


def parse(text: str) -> list[tuple[str, Conditions]]:
    return [(found["value"], conditions(found["conditions"])) for found in ENTRY.finditer(text)]


def conditions(text: str) -> Conditions:
    return tuple(sorted(" ".join(each.split()) for each in text.split(";") if each.strip()))


def definition_files() -> dict[str, str]:
    root = eccodes.codes_definition_path()
    if not root.startswith("/MEMFS"):
        folder = Path(root.split(":")[0])
        files = [file for concept in CONCEPTS for file in folder.glob(f"grib[12]/**/{concept}.def")]
        return {file.relative_to(folder).as_posix(): file.read_text() for file in sorted(files)}
    return exported_files()


def exported_files() -> dict[str, str]:
    import eccodeslib

    home = Path(eccodeslib.__file__).parent
    library = next(home.glob("lib*/libeccodes_memfs.*"))
    pattern = rb"/MEMFS/definitions/(grib[12]/(?:[\w.-]+/)*(?:" + "|".join(CONCEPTS).encode() + rb")\.def)"
    paths = sorted({found.decode() for found in re.findall(pattern, library.read_bytes())})
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "exported.def")
        texts = {}
        for path in paths:
            subprocess.run([home / "bin/codes_export_resource", "-d", path, target], check=True, capture_output=True)  # noqa: S603
            texts[path] = target.read_text()
    return texts


def identities(folders: dict[str, Folder]) -> dict[int, dict[str, str]]:
    rows: dict[int, dict[str, str]] = {}
    for folder in folders.values():
        of = {
            concept: {key: value for value, key in folder.get(concept, [])}
            for concept in ("shortName", "name", "units")
        }
        for identity, key in folder.get("paramId", []):
            short, name, units = (of[concept].get(key, "") for concept in ("shortName", "name", "units"))
            if short and int(identity) > 0 and short not in {"~", "unknown"}:
                row = {
                    "id": identity,
                    "short_name": short,
                    "name": " ".join(name.split("<")[0].split()),
                    "units": units,
                }
                rows.setdefault(int(identity), row)
    return rows


def add_cf(rows: dict[int, dict[str, str]], folders: dict[str, Folder]) -> None:
    """CF names: by conditions of the same folder, else of the edition's other general ones.

    Local folders are left out: some of them name one level or span of a general parameter.
    """
    for name in FIRST:
        folder, edition = folders[name], name.split("/")[0]
        near = [name] + [other for other in FIRST if other.startswith(edition)]
        for concept, column in (("cfName", "cf_standard_name"), ("cfVarName", "cf_var_name")):
            for value, key in folder.get(concept, []):
                for identity in ids_under(key, near, folders):
                    if identity in rows and value not in {"~", "unknown"}:
                        rows[identity].setdefault(column, value)


def ids_under(key: Conditions, names: list[str], folders: dict[str, Folder]) -> list[int]:
    for name in names:
        found = [int(identity) for identity, under in folders[name].get("paramId", []) if under == key]
        if found:
            return found
    return []


def add_curated(rows: dict[int, dict[str, str]], curated: dict[str, Any]) -> None:
    for group in curated.values():
        for identity, said in group.items():
            row = rows[int(identity)]
            if "cf" in said:
                row["cf_standard_name"] = said["cf"]
            row["height"] = f"{said['height']:g}" if "height" in said else ""
            row["method"] = said.get("method", "")
            row["aliases"] = " ".join(said.get("aliases", []))


if __name__ == "__main__":
    main()
