"""The executed notebook as a record: the same run gives the same bytes; a failure says where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from khaosat.facts.language import say

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from papermill import PapermillExecutionError


def cleaned(node: NotebookNode) -> NotebookNode:
    """A copy without the clock times, machine paths and random ids that a run leaves."""
    import copy

    record = copy.deepcopy(node)
    record.metadata.pop("papermill", None)
    for position, cell in enumerate(record.cells):
        cell["id"] = f"cell-{position:03d}"
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
    return record


def prose(node: NotebookNode) -> NotebookNode:
    """A copy for the reader: guide cells (tag ``guide``) left out, markdown in the language in force.

    A notebook is written in Vietnamese; ``facts/locale/en/notebooks.po`` holds the English of each markdown cell.
    """
    import copy

    page = copy.deepcopy(node)
    page.cells = [cell for cell in page.cells if "guide" not in cell.metadata.get("tags", [])]
    for cell in page.cells:
        if cell.cell_type == "markdown":
            cell.source = say(cell.source)
    return page


def failure(error: PapermillExecutionError) -> str:
    """Which cell failed, and with what."""
    return say(
        "cell {cell} of the notebook failed: {error}: {message}. The last good report is untouched.",
        cell=error.exec_count,
        error=error.ename,
        message=error.evalue,
    )
