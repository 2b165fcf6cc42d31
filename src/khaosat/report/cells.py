"""A report notebook run inside this process: many documents from one notebook, without a kernel for each.

The notebook is the same that papermill runs; its cells are plain Python (the lint sees to it), so a namespace and the
display of each cell's last expression are all that a kernel would add.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from khaosat.errors import KhaosatError
from khaosat.facts.language import say
from khaosat.report.parameters import Notebook
from khaosat.show.blocks import MIME

if TYPE_CHECKING:
    from nbformat import NotebookNode


class CellFailed(KhaosatError):
    """A cell failed; the message says which."""


def run_cells(notebook: Notebook, parameters: Mapping[str, object]) -> NotebookNode:
    """The notebook with the outputs of its code cells, run with these parameters.

    Raises
    ------
    CellFailed
        Naming the cell and its error.
    """
    import nbformat

    names: dict[str, Any] = {"__name__": "__main__"}
    done: NotebookNode = nbformat.from_dict({**notebook, "cells": [dict(cell) for cell in notebook["cells"]]})
    for position, cell in enumerate(done.cells, 1):
        cell.source = "".join(cell.source)
        if cell.cell_type != "code":
            continue
        try:
            shown = _run(cell.source, names)
        except Exception as error:
            text = say("cell {cell} of the notebook failed: {error}: {message}", cell=position,
                       error=type(error).__name__, message=error)  # fmt: skip
            raise CellFailed(text) from error
        if "parameters" in cell.metadata.get("tags", []):
            names.update(parameters)
        cell.outputs = [_output(shown)] if hasattr(shown, "blocks") else []
    return done


def _run(source: str, names: dict[str, Any]) -> object:
    """Run a cell; the value of its last expression."""
    body = ast.parse(source).body
    last = body[-1] if body else None
    shown = isinstance(last, ast.Expr)
    exec(compile(ast.Module(body=body[:-1] if shown else body, type_ignores=[]), "<cell>", "exec"), names)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)


def _output(shown: Any) -> NotebookNode:
    import nbformat

    output: NotebookNode = nbformat.v4.new_output("display_data", data={MIME: shown.blocks()})
    return output
