import pytest
from nbformat.v4 import new_code_cell, new_notebook

from khaosat.errors import WorkspaceError
from khaosat.report.parameters import checked


@pytest.fixture(autouse=True)
def _in_english(monkeypatch):
    monkeypatch.setenv("KHAOSAT_LANG", "en")


def notebook(source, *, tags=("parameters",), cells=1):
    return new_notebook(cells=[new_code_cell(source, metadata={"tags": list(tags)}) for _ in range(cells)])


def test_given_values_replace_defaults():
    node = notebook('period: str = "2026-Q3"\ntop: int = 10\nshare: float = 0.5')
    assert checked(node, {"top": 5}) == {"period": "2026-Q3", "top": 5, "share": 0.5}


def test_unknown_names_and_wrong_types_are_all_named():
    node = notebook("top: int = 10\nshare: float = 0.5")
    with pytest.raises(WorkspaceError) as error:
        checked(node, {"topp": 1, "share": "0,5", "top": True})
    for words in (
        "'topp' is not a parameter; known: top, share",
        "'0,5' must be float, not str",
        "top = True must be int",
    ):
        assert words in str(error.value)


@pytest.mark.parametrize("source", ["top = 10", "import os", "top: int = len('x')", "top: list = []"])
def test_a_parameters_cell_holds_typed_literals_only(source):
    with pytest.raises((WorkspaceError, ValueError)):
        checked(notebook(source), {})


@pytest.mark.parametrize("node", [notebook("x: int = 1", tags=()), notebook("x: int = 1", cells=2)])
def test_exactly_one_parameters_cell(node):
    with pytest.raises(WorkspaceError, match="one cell tagged"):
        checked(node, {})
