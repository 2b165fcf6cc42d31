"""A notebook's parameters, read from its ``parameters`` cell and checked before the kernel starts.

Papermill injects unknown names with only a log line and takes any type; here both are refused.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from khaosat.errors import WorkspaceError

Notebook = Mapping[str, Any]
"""A notebook as its JSON says, or as nbformat reads it (which takes a second to import)."""

_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}


def declared(notebook: Notebook) -> dict[str, tuple[type, object]]:
    """Name → (type, default) of the notebook's ``parameters`` cell.

    Raises
    ------
    WorkspaceError
        If there is not exactly one such cell, or it holds anything but ``name: type = literal`` lines.
    """
    cells = [c for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", [])]
    if len(cells) != 1:
        raise WorkspaceError(f"a report notebook has one cell tagged 'parameters'; this one has {len(cells)}")
    found: dict[str, tuple[type, object]] = {}
    for line in ast.parse("".join(cells[0]["source"])).body:
        if not (
            isinstance(line, ast.AnnAssign)
            and isinstance(line.target, ast.Name)
            and isinstance(line.annotation, ast.Name)
            and line.annotation.id in _TYPES
            and line.value is not None
        ):
            raise WorkspaceError(f"parameters cell: {ast.unparse(line)!r} is not of the form `name: type = value`")
        found[line.target.id] = (_TYPES[line.annotation.id], ast.literal_eval(line.value))
    return found


def checked(notebook: Notebook, given: Mapping[str, object]) -> dict[str, object]:
    """All parameters of a run: the given ones over the defaults.

    Raises
    ------
    WorkspaceError
        Naming every unknown name and every value of the wrong type.
    """
    known = declared(notebook)
    faults = [f"{name!r} is not a parameter; known: {', '.join(known)}" for name in given if name not in known]
    for name, value in given.items():
        if name in known and type(value) is not known[name][0]:
            faults.append(f"{name} = {value!r} must be {known[name][0].__name__}, not {type(value).__name__}")
    if faults:
        raise WorkspaceError("notebook parameters: " + "; ".join(faults))
    return {name: given.get(name, default) for name, (_, default) in known.items()}
