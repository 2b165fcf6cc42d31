"""A real survey, Kansas City 2021-Q3, read with its questionnaire folder and nothing else."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from khaosat.domain.questionnaire import load_questionnaire
from khaosat.domain.survey import Survey
from khaosat.io.survey_files import read_survey
from khaosat.survey import mean, proportion, satisfaction_index
from tests.shared import shared

FOLDER = Path(__file__).resolve().parent.parent / "real" / "kcmo"


@cache
def kcmo() -> Survey:
    return read_survey(shared("data/kcmo/kcmo_2021q3.csv.gz"), questionnaire=FOLDER)


def test_every_item_of_the_codebook_is_a_question() -> None:
    import csv

    with shared("data/kcmo/codebook.csv").open(encoding="utf-8") as file:
        codebook = {row["item"]: row["text"] for row in csv.DictReader(file)}
    questionnaire = load_questionnaire(FOLDER)
    assert questionnaire.items("satisfaction") == list(codebook)
    labels = dict(zip(questionnaire.questions["name"], questionnaire.questions["label::en"], strict=True))
    assert all(labels[item].lower() == text for item, text in codebook.items())
    assert questionnaire.factors == ["q1", "q2", "q3", "q5", "q7", "q9", "q11", "q12", "q14", "q15", "q17"]


def test_overall_satisfaction_as_published() -> None:
    share = proportion(kcmo(), "q2_01", at=[4, 5]).rows.iloc[0]
    assert round(100 * share["estimate"], 4) == 46.6601
    assert (share["numerator"], share["denominator"]) == (475, 1018)
    assert share["n"] + share["n_missing"] == kcmo().n == 1033
    assert round(mean(kcmo(), "q2_01").rows.loc[0, "estimate"], 6) == 3.196464


def test_the_index_is_the_overall_question_and_factors_are_the_question_groups() -> None:
    rows = satisfaction_index(kcmo()).rows
    assert round(100 * rows.loc[0, "estimate"], 4) == 46.6601
    factor = rows[rows["id"] == "q2"].iloc[0]
    items = rows[(rows["level"] == "item") & rows["id"].str.startswith("q2_")]
    assert factor["estimate"] == pytest.approx(items["estimate"].mean())
    assert set(rows["level"]) == {"index", "factor", "item"}


def test_nothing_in_it_is_refused() -> None:
    assert set(kcmo().faults["severity"]) <= {"warning"}
