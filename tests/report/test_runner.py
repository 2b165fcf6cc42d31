"""A run from notebook to finished files, on a workspace of one table."""

import json
import shutil

import filelock
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from khaosat.errors import WorkspaceError
from khaosat.report.runner import FILES, MANIFEST, NOTEBOOK, ReportFailed, build
from khaosat.report.swap import FAILED
from khaosat.workspace import Workspace
from tests.test_workspace import CITY


@pytest.fixture(autouse=True)
def _in_english(monkeypatch):
    monkeypatch.setenv("KHAOSAT_LANG", "en")


TABLE = """import pandas as pd
from khaosat.show.table import Column, make_table
columns = [Column(name="unit"), Column(name="n", kind="int")]
make_table(pd.DataFrame({"unit": ["Xã Đông"], "n": [top]}), columns, title="T")
"""


def write_notebook(root, code):
    parameters = new_code_cell('period: str = "2026-Q3"\ntop: int = 10', metadata={"tags": ["parameters"]})
    node = new_notebook(
        cells=[parameters, new_markdown_cell("# I. TÓM TẮT"), new_code_cell(code)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    (root / "notebooks").mkdir(exist_ok=True)
    nbformat.write(node, root / "notebooks" / "nho.ipynb")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = tmp_path_factory.mktemp("city")
    (root / "khaosat.toml").write_text(CITY, encoding="utf-8")
    write_notebook(root, TABLE)
    workspace = Workspace.find(root)
    return workspace, build(workspace, "2026-Q3", notebook="nho", parameters={"top": 7}, allow_unfinished=True)


def run(workspace, **options):
    return build(workspace, "2026-Q3", notebook="nho", allow_unfinished=True, **{"parameters": {"top": 7}, **options})


def snapshot(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_run_leaves_every_format_and_a_manifest(built):
    _, outcome = built
    assert outcome.state == "built"
    assert set(snapshot(outcome.folder)) == {*FILES.values(), NOTEBOOK, MANIFEST}
    manifest = json.loads((outcome.folder / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["inputs"]["parameters"] == {"period": "2026-Q3", "top": 7}
    assert set(manifest["outputs"]) == {*FILES.values(), NOTEBOOK}
    assert "Xã Đông" in (outcome.folder / FILES["html"]).read_text(encoding="utf-8")
    assert outcome.folder.stat().st_mode & 0o055 == 0o055, "others may read the report"


def test_the_same_again_is_skipped_and_forced_gives_the_same_bytes(built):
    workspace, outcome = built
    before = snapshot(outcome.folder)
    assert run(workspace).state == "unchanged"
    assert run(workspace, force=True).state == "built"
    assert snapshot(outcome.folder) == before


def test_a_tampered_output_is_rebuilt(built):
    workspace, outcome = built
    before = snapshot(outcome.folder)
    (outcome.folder / FILES["html"]).write_text("tampered", encoding="utf-8")
    assert run(workspace).state == "built"
    assert snapshot(outcome.folder) == before


def test_a_failing_cell_leaves_the_last_good_report(built, tmp_path):
    workspace, outcome = built
    root = tmp_path / "city"
    shutil.copytree(workspace.root, root)
    write_notebook(root, "1 / 0")
    before = snapshot(root / "reports" / outcome.folder.name)
    with pytest.raises(ReportFailed, match="ZeroDivisionError"):
        run(Workspace.find(root))
    assert snapshot(root / "reports" / outcome.folder.name) == before
    kept = root / "reports" / FAILED / outcome.folder.name / NOTEBOOK
    assert "ZeroDivisionError" in kept.read_text(encoding="utf-8")
    assert not list((root / "reports").glob(".2026-Q3*.*.")), "no half-made folder is left"


def test_a_wrong_parameter_is_refused_before_the_kernel_starts(built, monkeypatch):
    workspace, _ = built
    monkeypatch.setattr("papermill.execute_notebook", lambda *_, **__: pytest.fail("the kernel was started"))
    with pytest.raises(WorkspaceError, match="'topp'"):
        run(workspace, parameters={"topp": 1})
    with pytest.raises(WorkspaceError, match="must be int"):
        run(workspace, parameters={"top": "7"})
    with pytest.raises(WorkspaceError, match="no notebook khong-co"):
        build(workspace, "2026-Q3", notebook="khong-co", allow_unfinished=True)


def test_two_runs_at_once_are_refused(built):
    workspace, outcome = built
    with (
        filelock.FileLock(workspace.reports / f".{outcome.folder.name}.lock"),
        pytest.raises(WorkspaceError, match="another run"),
    ):
        run(workspace, force=True)
