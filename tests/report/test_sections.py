"""Sections of the quarterly report where the data are thin: nobody is given away, nothing crashes."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pandas as pd
import pytest

from khaosat.domain.period import Period
from khaosat.domain.questionnaire import load_questionnaire
from khaosat.domain.survey import Survey
from khaosat.dossiers.frames import log_from_frames
from khaosat.report.headline import survey_sentences
from khaosat.report.index_section import satisfaction
from khaosat.report.lateness import punctuality
from khaosat.report.quarter import Quarter


def quarter(*, log=None, survey=None) -> Quarter:
    workspace = SimpleNamespace(
        log=lambda: log, waves=list, answers=lambda wave: survey, source="",
        survey=SimpleNamespace(index_rule=""), targets=SimpleNamespace(set="hcmc_2024"),
    )  # fmt: skip
    return Quarter(workspace=workspace, period=Period("2026-Q3"), wave="2026-Q3" if survey else "", by="field")


@pytest.fixture
def thin():
    questionnaire = load_questionnaire("sipas_2017")
    items = questionnaire.items("satisfaction")
    few = set(questionnaire.items("satisfaction", factor=questionnaire.factors[0]))
    answers = {item: [1] * 4 + [None] * 36 if item in few else [4, 3] * 20 for item in items}
    return quarter(survey=Survey(responses=pd.DataFrame(answers), questionnaire=questionnaire)), questionnaire


def test_a_factor_of_four_people_is_hidden_in_table_figure_and_words(thin):
    report, questionnaire = thin
    label = questionnaire.label(questionnaire.factors[0])
    table, told, figure, items = satisfaction(report).blocks()
    line = next(cells for cells in table["cells"] if cells[0] == label)
    assert set(line[1:]) == {"…"}
    assert "được ẩn" in table["notes"][-1]
    assert label not in told["runs"][0]["text"]
    assert label not in figure["title"] + figure["alt"] + " ".join(survey_sentences(report))
    assert not {questionnaire.label(item) for item in questionnaire.items(factor=questionnaire.factors[0])} & {
        cells[0] for cells in items["cells"]
    }


def test_open_dossiers_of_which_none_was_ever_closed_make_a_table_and_no_figure():
    frame = pd.DataFrame({"dossier_id": ["A"], "received_at": [dt.datetime(2026, 8, 3, 8)], "status": ["processing"]})
    log = log_from_frames({"dossiers": frame}, as_of=dt.datetime(2026, 9, 30, 23, 59, 59))
    assert [block["kind"] for block in punctuality(quarter(log=log)).blocks()] == ["table"]
