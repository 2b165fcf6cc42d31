"""Notebooks stay thin: the lint on every committed notebook, and the lint itself on a good and a bad one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.lint_notebooks import find_notebooks, lint, main
from tests.shared import ROOT


def cell(source, *, tags=(), outputs=(), count=None):
    return {
        "cell_type": "code",
        "metadata": {"tags": list(tags)},
        "source": source.splitlines(keepends=True),
        "outputs": list(outputs),
        "execution_count": count,
    }


def notebook(*cells, kernel="python3"):
    prose = {"cell_type": "markdown", "metadata": {}, "source": ["# for prose, def is a word\n"]}
    return {"cells": [prose, *cells], "metadata": {"kernelspec": {"name": kernel}}, "nbformat": 4, "nbformat_minor": 5}


NOTEBOOKS = find_notebooks([ROOT / "notebooks"])
PARAMETERS = cell('period = "2026-Q3"', tags=["parameters"])


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_committed_notebook_is_thin(path: Path):
    assert lint(json.loads(path.read_text(encoding="utf-8"))) == []


def test_good_notebook_has_no_fault():
    body = "import khaosat as ks\nfrom khaosat import mean\n\nlog = ks.read_dossiers('a.csv')\nks.on_time(log)"
    assert lint(notebook(PARAMETERS, cell(body))) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("import pandas as pd", "imports pandas"),
        ("from os import path", "imports os"),
        ("from . import helper", "imports ."),
        ("import khaosat, numpy.linalg", "imports numpy.linalg"),
        ("import khaosatnot", "imports khaosatnot"),
        ("def f():\n    return 1", "holds def"),
        ("async def f():\n    return 1", "holds def"),
        ("class A:\n    x = 1", "holds class"),
        ("for x in y:\n    print(x)", "holds a loop"),
        ("while x:\n    x = 0", "holds a loop"),
        ("[x for x in y]", "holds a loop"),
        ("try:\n    x\nexcept ValueError:\n    y", "holds try"),
        ("f = lambda: 1", "holds lambda"),
        ("if x:\n    import os", "imports os"),
        ("\n".join(f"x{i} = {i}" for i in range(9)), "9 lines, more than 8"),
        ("%pip install x", "is not plain Python: invalid syntax"),
    ],
)
def test_bad_cell_is_named(source, fault):
    assert lint(notebook(PARAMETERS, cell(source))) == [f"cell 3: {fault}"]


def test_every_fault_is_named_at_once():
    bad = notebook(cell("import os\nf = lambda: 1", outputs=[{"output_type": "stream"}], count=3), kernel="")
    assert lint(bad) == [
        "no kernelspec",
        "0 cells tagged 'parameters', not 1",
        "cell 2: has outputs or an execution count; clear them",
        "cell 2: imports os",
        "cell 2: holds lambda",
    ]


def test_eight_lines_and_blank_ones_pass():
    assert lint(notebook(PARAMETERS, cell("\n\n".join(f"x{i} = {i}" for i in range(8))))) == []


def test_main_tells_good_from_bad_and_from_nothing(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    (tmp_path / "good.ipynb").write_text(json.dumps(notebook(PARAMETERS)), encoding="utf-8")
    assert main([str(tmp_path)]) == 0
    (tmp_path / "bad.ipynb").write_text(json.dumps(notebook(PARAMETERS, cell("import os"))), encoding="utf-8")
    assert main([str(tmp_path)]) == 1
    assert "bad.ipynb: cell 3: imports os" in capsys.readouterr().out
