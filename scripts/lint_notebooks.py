"""What a notebook of this project may hold: calls of khaosat and prose, nothing worth a test of its own.

It imports only ``khaosat``, has one ``parameters`` cell and a kernelspec; code cells have at most eight lines, no
``def``, ``class``, loop, comprehension, ``try`` or lambda, and no outputs. Run: ``lint_notebooks.py [PATH …]``
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MAX_LINES = 8
BANNED: dict[type[ast.AST], str] = {
    ast.FunctionDef: "def",
    ast.AsyncFunctionDef: "def",
    ast.ClassDef: "class",
    ast.Lambda: "lambda",
    ast.For: "a loop",
    ast.AsyncFor: "a loop",
    ast.While: "a loop",
    ast.comprehension: "a loop",
    ast.Try: "try",
    ast.TryStar: "try",
}


def lint(notebook: dict[str, Any]) -> list[str]:
    """Every fault of a notebook, given as parsed JSON; ``cell N`` counts from 1 over all cells."""
    faults = [] if notebook.get("metadata", {}).get("kernelspec", {}).get("name") else ["no kernelspec"]
    cells = notebook.get("cells", [])
    parameters = sum("parameters" in cell["metadata"].get("tags", []) for cell in cells)
    if parameters != 1:
        faults.append(f"{parameters} cells tagged 'parameters', not 1")
    for number, cell in enumerate(cells, start=1):
        if cell["cell_type"] == "code":
            faults += [f"cell {number}: {fault}" for fault in lint_cell(cell)]
    return faults


def lint_cell(cell: dict[str, Any]) -> list[str]:
    """Every fault of one code cell."""
    source = "".join(cell["source"])
    faults = []
    if cell.get("outputs") or cell.get("execution_count") is not None:
        faults.append("has outputs or an execution count; clear them")
    lines = [line for line in source.splitlines() if line.strip()]
    if len(lines) > MAX_LINES:
        faults.append(f"{len(lines)} lines, more than {MAX_LINES}")
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return [*faults, f"is not plain Python: {error.msg}"]
    nodes = list(ast.walk(tree))
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)}
    faults += [f"imports {module}" for module in sorted(modules) if module.split(".")[0] != "khaosat"]
    faults += [f"holds {word}" for word in sorted({BANNED[type(node)] for node in nodes if type(node) in BANNED})]
    return faults


def find_notebooks(places: Iterable[str | Path]) -> list[Path]:
    """Notebooks among files and below folders; not JupyterLab's checkpoints."""
    found = [
        path for place in map(Path, places) for path in (sorted(place.rglob("*.ipynb")) if place.is_dir() else [place])
    ]
    return [path for path in found if ".ipynb_checkpoints" not in path.parts]


def main(places: list[str]) -> int:
    """Lint files and folders; print one line a fault; 1 if there is any, or if there is no notebook at all."""
    paths = [
        path for place in map(Path, places) for path in (sorted(place.rglob("*.ipynb")) if place.is_dir() else [place])
    ]
    paths = [path for path in paths if ".ipynb_checkpoints" not in path.parts]
    faults = [f"{path}: {fault}" for path in paths for fault in lint(json.loads(path.read_text(encoding="utf-8")))]
    print("\n".join(faults) or f"{len(paths)} notebooks, no fault")
    return int(bool(faults) or not paths)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["notebooks"]))
