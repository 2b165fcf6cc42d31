"""Every code block of the documents runs: Python blocks of a page one after another, commands in a copied workspace."""

from __future__ import annotations

import gzip
import re
import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest

from khaosat.cli import main
from khaosat.workspace import Workspace
from tests.shared import ROOT

PAGES = [ROOT / "README.md", ROOT / "deploy/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NOT_CODE = {"text", "toml"}  # tests/test_guides.py reads the TOML
MAKE = {"report": [["ingest"], ["report", "2026-Q3"]], "test": [], "check": [], "lab": []}
"""What a target of make does with a workspace; the others do nothing to it."""

ENDS = {
    "khaosat check ho-so.csv --mapping dvcqg --questionnaire sipas_2023": 3,
    "khaosat check khao-sat.xlsx --output loi.csv": 0,
}
"""Ends of commands: the sample has faulty rows on purpose (3: data refused)."""


def blocks(page: Path) -> list[tuple[str, str]]:
    return FENCE.findall(page.read_text(encoding="utf-8"))


def pages_with(kind: str) -> list[Path]:
    return [page for page in PAGES if any(language == kind for language, _ in blocks(page))]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """The sample workspace, read in, and the files that the guides call one's own."""
    root = tmp_path_factory.mktemp("workspace")
    shutil.copy(ROOT / "khaosat.toml", root)
    for folder in ("notebooks", "data/sample"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns(".*"))
    Workspace.find(root).ingest()
    dossiers = root / "data/sample/dossiers/HoSo-2026-Q3.csv.gz"
    (root / "ho-so.csv").write_bytes(gzip.decompress(dossiers.read_bytes()))
    survey = pd.read_csv(root / "data/sample/survey/khao-sat-2026-Q3.csv.gz", dtype=str, keep_default_na=False)
    survey.to_excel(root / "khao-sat.xlsx", index=False)
    return root


@pytest.fixture
def here(place, monkeypatch) -> Path:
    monkeypatch.chdir(place)
    monkeypatch.setenv("KHAOSAT_WORKSPACE", str(place))
    return place


def test_every_block_says_what_it_is():
    kinds = {language for page in PAGES for language, _ in blocks(page)}
    assert kinds <= NOT_CODE | {"python", "bash"}
    unnamed = [name(page) for page in PAGES if re.search(r"(?:\A|\n\n)```\n", page.read_text(encoding="utf-8"))]
    assert unnamed == []


@pytest.mark.parametrize("page", pages_with("python"), ids=name)
def test_python_of_a_page_runs(page, here):
    names: dict[str, object] = {}
    for number, source in enumerate((source for language, source in blocks(page) if language == "python"), start=1):
        exec(compile(source, f"{name(page)}, block {number}", "exec"), names)
    assert "ks" in names


@pytest.mark.parametrize("page", pages_with("bash"), ids=name)
def test_commands_of_a_page_run(page, here):
    for line in (line for language, source in blocks(page) if language == "bash" for line in source.splitlines()):
        command = line.partition("#")[0].strip()
        if not command:
            continue
        program, *arguments = shlex.split(command)
        calls = MAKE[arguments[0]] if program == "make" else [arguments]
        assert program in ("make", "khaosat"), f"{name(page)}: {command} is not run here; mark the block as text"
        assert [main(call) for call in calls] == [ENDS.get(command, 0)] * len(calls), command
