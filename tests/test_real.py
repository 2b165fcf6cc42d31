"""The whole pipeline on real public data: settings, a mapping and a questionnaire folder, and no code of its own."""

from __future__ import annotations

import json
import re
import shutil

import openpyxl
import pandas as pd
import pypdf
import pytest
from lxml import html as lxml_html

import khaosat as ks
from khaosat.facts.language import percent
from khaosat.report import build
from tests.shared import ROOT, shared

PERIOD = "2011-Q2"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    root = tmp_path_factory.mktemp("real") / "workspace"
    shutil.copytree(ROOT / "tests" / "real", root)
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    (root / "raw").mkdir()
    for source in ("data/permits/receipt.csv.gz", "data/kcmo/kcmo_2021q3.csv.gz"):
        shutil.copy(shared(source), root / "raw")
    return ks.Workspace.find(root)


@pytest.fixture(scope="module")
def ingested(workspace):
    return workspace.ingest()


@pytest.fixture(scope="module")
def report(workspace, ingested):
    return build(workspace, PERIOD).folder


def test_every_row_is_stored(ingested):
    dossiers, answers = ingested
    assert (dossiers.counts["dossiers_stored"], dossiers.counts["steps_stored"]) == (1434, 8577)
    assert dossiers.counts["quarantined"] == 0
    assert answers.counts["responses_stored"] == 1033


def test_late_dossiers_are_those_of_the_reference(workspace, ingested):
    row = ks.on_time(workspace.log()).rows.iloc[0]
    assert (row["numerator"], row["closed"], row["open_overdue"], row["open"]) == (377, 1329, 39, 105)


def test_late_rates_of_every_quarter_are_those_of_the_reference(workspace, ingested):
    log = workspace.log()
    names = {
        "closed": "A_late_of_closed",
        "gia_lai": "B_gialai",
        "due_base": "C_due_base",
        "cohort": "D_cohort_received",
    }
    for expected in json.loads(shared("reference/logs/receipt_late_rates.json").read_text()):
        start = pd.Timestamp(expected["period"][:10])
        rates = ks.late_rates(log, period=f"{start.year}-Q{start.quarter}")
        rows = rates.rows.set_index("definition")["estimate"]
        assert {name: round(rows[name], 4) for name in names} == {name: expected[key] for name, key in names.items()}


def test_survey_numbers_are_those_published_with_the_data(workspace, ingested):
    survey = workspace.answers("2021-Q3")
    satisfied = ks.proportion(survey, "q2_01", at=[4, 5]).rows.iloc[0]
    assert satisfied["estimate"] == pytest.approx(0.466601, abs=5e-7)
    assert (satisfied["n"], satisfied["n_missing"]) == (1018, 15), "9 don't know, 6 blank"
    assert ks.mean(survey, "q2_01").rows.iloc[0]["estimate"] == pytest.approx(3.196464, abs=5e-7)


def test_the_report_is_finished_and_says_the_same_numbers(workspace, report):
    late = ks.on_time(workspace.log(), period=PERIOD).rows.iloc[0]
    page = lxml_html.parse(str(report / "bao-cao.html")).getroot().find("body").text_content()
    assert percent(1 - late["estimate"], 2) in page
    assert f"{int(late['numerator'])} hồ sơ trễ hạn trên {int(late['denominator'])}" in page
    printed = "".join(p.extract_text() for p in pypdf.PdfReader(report / "bao-cao.pdf").pages)
    numbers = re.findall(r"\d[\d.,]*%", page)
    missing = {n for n in numbers if n not in re.sub(r"\s", "", printed)}
    assert len(numbers) > 100
    assert not missing
    sheet = openpyxl.load_workbook(report / "phu-luc.xlsx")
    raw = {cell.value for ws in sheet for line in ws.iter_rows() for cell in line if isinstance(cell.value, float)}
    assert any(abs(value - (1 - late["estimate"])) < 1e-12 for value in raw)


def test_the_committee_copy_names_nobody(report):
    text = (report / "bao-cao.html").read_text(encoding="utf-8") + (report / "so-tay.ipynb").read_text(encoding="utf-8")
    assert not re.findall(r"Resource\d+|case-\d+", text)


def test_a_period_without_data_says_so(workspace, ingested):
    folder = build(workspace, "2009-Q1").folder
    page = (folder / "bao-cao.html").read_text(encoding="utf-8")
    assert "Không có hồ sơ nào" in page
    assert not re.findall(r"\bnan\b", page, flags=re.IGNORECASE)


def test_an_unfinished_period_is_refused(workspace, ingested):
    with pytest.raises(ks.DataError, match="2012"):
        build(workspace, "2012-Q1")
