"""A notebook's parameters, read from its ``parameters`` cell and checked before the kernel starts.

Papermill injects unknown names with only a log line and takes any type; here both are refused.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from khaosat.errors import WorkspaceError
from khaosat.facts.language import say

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
        text = "a report notebook has one cell tagged 'parameters'; this one has {n}"
        raise WorkspaceError(say(text, n=len(cells)))
    found: dict[str, tuple[type, object]] = {}
    for line in ast.parse("".join(cells[0]["source"])).body:
        if not (
            isinstance(line, ast.AnnAssign)
            and isinstance(line.target, ast.Name)
            and isinstance(line.annotation, ast.Name)
            and line.annotation.id in _TYPES
            and line.value is not None
        ):
            text = "parameters cell: {line} is not of the form `name: type = value`"
            raise WorkspaceError(say(text, line=repr(ast.unparse(line))))
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
    faults = [
        say("{name} is not a parameter; known: {known}", name=repr(name), known=", ".join(known))
        for name in given
        if name not in known
    ]
    for name, value in given.items():
        if name in known and type(value) is not known[name][0]:
            wanted, got = known[name][0].__name__, type(value).__name__
            faults.append(
                say(
                    "{name} = {value} must be {wanted}, not {got}", name=name, value=repr(value), wanted=wanted, got=got
                )
            )
    if faults:
        raise WorkspaceError(say("notebook parameters: {faults}", faults="; ".join(faults)))
    return {name: given.get(name, default) for name, (_, default) in known.items()}
