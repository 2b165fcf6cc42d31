"""A notebook run without a kernel: parameters, displayed blocks, which cell failed."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from khaosat.report.cells import CellFailed, run_cells
from khaosat.report.document import read_notebook

TEXT = "from khaosat.show.text import Text\nText(sentences=(f'{unit} {twice}',))"


def notebook(*codes):
    parameters = new_code_cell('unit: str = "A"\ntwice = unit * 2', metadata={"tags": ["parameters"]})
    return new_notebook(cells=[parameters, new_markdown_cell("# I. MỘT"), *map(new_code_cell, codes)])


def test_parameters_replace_the_defaults_after_their_cell_as_papermill_does():
    done = run_cells(notebook(TEXT), {"unit": "B"})
    heading, paragraph = read_notebook(done)
    assert heading["kind"] == "heading"
    assert paragraph["runs"][0]["text"] == "B AA"


def test_only_what_is_displayed_is_output_and_the_notebook_given_stays_as_it_was():
    given = notebook("x = 1", "x", TEXT)
    done = run_cells(given, {})
    assert [len(cell.outputs) for cell in done.cells if cell.cell_type == "code"] == [0, 0, 0, 1]
    assert not any(cell.get("outputs") for cell in given.cells)


@pytest.mark.parametrize(("code", "error"), [("1 / 0", "ZeroDivisionError"), ("a b", "SyntaxError")])
def test_a_failing_cell_is_named(code, error):
    with pytest.raises(CellFailed, match=f"4.*{error}"):
        run_cells(notebook("x = 1", code), {})
