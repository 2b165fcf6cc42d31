"""Every notebook runs from top to bottom on the sample workspace; a report notebook becomes a whole report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import papermill
import pytest

from khaosat.report import build
from khaosat.report.outputs import damage
from khaosat.workspace import Workspace
from scripts.lint_notebooks import find_notebooks
from tests.shared import ROOT

PERIODS = {"tre-han-thang": "2026-09"}
QUARTERLY = "bao-cao-quy"  # tests/report/test_sample_report.py walks it cell by cell


def is_report(path: Path) -> bool:
    """Reports say what they are about; research notebooks do not."""
    return "khaosat" in json.loads(path.read_text(encoding="utf-8"))["metadata"]


NOTEBOOKS = find_notebooks([ROOT / "notebooks"])
REPORTS = [path.stem for path in NOTEBOOKS if is_report(path) and path.stem != QUARTERLY]
RESEARCH = [path.stem for path in NOTEBOOKS if not is_report(path)]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    root = tmp_path_factory.mktemp("sample-city")
    shutil.copy(ROOT / "khaosat.toml", root)
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    shutil.copytree(ROOT / "data" / "sample", root / "data" / "sample")
    workspace = Workspace.find(root)
    workspace.ingest()
    return workspace


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_notebook_becomes_a_whole_report(workspace, name):
    outcome = build(workspace, PERIODS.get(name, "2026-Q3"), notebook=name)
    assert damage(outcome.folder) == []
    page = (outcome.folder / "bao-cao.html").read_text(encoding="utf-8")
    assert "<figure" in page or "<table" in page
    assert "Không có kết quả:" not in page
    assert "Không ước lượng được mô hình:" not in page


@pytest.mark.parametrize("name", RESEARCH)
def test_a_research_notebook_runs_to_its_end(workspace, name, tmp_path, monkeypatch):
    monkeypatch.setenv("KHAOSAT_WORKSPACE", str(workspace.root))
    done = tmp_path / f"{name}.ipynb"
    papermill.execute_notebook(str(ROOT / "notebooks" / f"{name}.ipynb"), str(done), cwd=str(workspace.root),
                               kernel_name="python3", language="python", progress_bar=False)  # fmt: skip
    outputs = [output for cell in nbformat.read(done, as_version=4).cells for output in cell.get("outputs", [])]
    assert any("text/html" in output.get("data", {}) for output in outputs)
    assert [output["text"] for output in outputs if output.get("name") == "stderr"] == []
