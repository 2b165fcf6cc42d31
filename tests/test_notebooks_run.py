"""Every research notebook runs from top to bottom on the sample; every report notebook has a test that walks it."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import papermill
import pytest

from scripts.lint_notebooks import find_notebooks
from tests.report.test_report_set import PERIODS
from tests.shared import ROOT

QUARTERLY = "bao-cao-quy"  # tests/report/test_sample_report.py


def is_report(path: Path) -> bool:
    """Reports say what they are about; research notebooks do not."""
    return "khaosat" in json.loads(path.read_text(encoding="utf-8"))["metadata"]


NOTEBOOKS = find_notebooks([ROOT / "notebooks"])
RESEARCH = [path.stem for path in NOTEBOOKS if not is_report(path)]


def test_every_report_notebook_is_walked_cell_by_cell():
    assert {path.stem for path in NOTEBOOKS if is_report(path)} == {QUARTERLY, *PERIODS}


@pytest.mark.parametrize("name", RESEARCH)
def test_a_research_notebook_runs_to_its_end(sample_city, name, tmp_path, monkeypatch):
    monkeypatch.setenv("KHAOSAT_WORKSPACE", str(sample_city.root))
    done = tmp_path / f"{name}.ipynb"
    papermill.execute_notebook(str(ROOT / "notebooks" / f"{name}.ipynb"), str(done), cwd=str(sample_city.root),
                               kernel_name="python3", language="python", progress_bar=False)  # fmt: skip
    outputs = [output for cell in nbformat.read(done, as_version=4).cells for output in cell.get("outputs", [])]
    assert any("text/html" in output.get("data", {}) for output in outputs)
    assert [output["text"] for output in outputs if output.get("name") == "stderr"] == []
