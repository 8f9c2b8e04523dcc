"""Sizes of a Python tree, counted as the table of comparable codebases counts them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import median

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Sizes:
    lines: int
    files: dict[str, int]
    functions: dict[str, int]
    unannotated: list[str]
    two_way: list[tuple[str, str]]

    def row(self) -> str:
        """`lines | file median / max | function median / p95 / max | returns annotated | two-way pairs`."""
        lengths = sorted(self.functions.values())
        p95 = lengths[int(len(lengths) * 0.95)]
        annotated = 100 * (1 - len(self.unannotated) / len(lengths))
        return (
            f"| terrella | {self.lines / 1000:.1f}k | {median(self.files.values()):.0f} / {max(self.files.values())} "
            f"| {median(lengths):.0f} / {p95} / {lengths[-1]} | {annotated:.0f} % | {len(self.two_way)} |"
        )


def measure(package: Path) -> Sizes:
    files: dict[str, int] = {}
    functions: dict[str, int] = {}
    unannotated: list[str] = []
    imports: dict[str, set[str]] = {}
    for path in sorted(package.rglob("*.py")):
        text = path.read_text()
        name = str(path.relative_to(package))
        count = len(text.splitlines())
        if path.name != "__init__.py" or count > 20:
            files[name] = count
        tree = ast.parse(text)
        room = name.split("/", maxsplit=1)[0].removesuffix(".py")
        imports.setdefault(room, set()).update(_rooms(tree))
        for node in ast.walk(tree):
            if isinstance(node, Function):
                place = f"{name}:{node.lineno}:{node.name}"
                functions[place] = _length(node)
                if node.returns is None:
                    unannotated.append(place)
    pairs = [(a, b) for a, b in combinations(sorted(imports), 2) if b in imports[a] and a in imports[b]]
    return Sizes(sum(files.values()), files, functions, unannotated, pairs)


def _length(node: Function) -> int:
    """Lines from `def` to the end, the docstring left out."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def _rooms(tree: ast.Module) -> set[str]:
    """Rooms that a module imports at run time."""
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("terrella."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found.update(a.name.split(".")[1] for a in node.names if a.name.startswith("terrella."))
    return found
