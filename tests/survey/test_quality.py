from __future__ import annotations

import pandas as pd
import pytest

from khaosat.domain.questionnaire import load_questionnaire
from khaosat.domain.survey import Survey
from khaosat.survey import answer_quality
from tests.survey.surveys import questionnaire

SIPAS = load_questionnaire("sipas_2017")
ITEMS = SIPAS.items("satisfaction")


def shares(survey: Survey, check: str, **options: str) -> pd.DataFrame:
    rows = answer_quality(survey, **options).rows
    return rows[rows["check"] == check].reset_index(drop=True)


def sipas(**changes: object) -> Survey:
    frame = pd.DataFrame([[1 + (row + place) % 5 for place in range(len(ITEMS))] for row in range(4)], columns=ITEMS)
    return Survey(responses=frame.assign(interviewer=["A", "A", "B", "B"], **changes), questionnaire=SIPAS)


def test_item_checks_have_those_asked_as_base() -> None:
    frame = pd.DataFrame({"f1": [5, None, 9, 7, None], "complained": [1, 1, 1, 1, 2]})
    survey = Survey(responses=frame, questionnaire=questionnaire())
    for check in ("blank", "dont_know", "off_scale"):
        found = shares(survey, check).set_index("variable").loc["f1"]
        assert (found["numerator"], found["denominator"], found["estimate"]) == (1, 4, 0.25)


def test_straight_lines_need_enough_answers_and_blanks_do_not_break_them() -> None:
    survey = sipas()
    straight = survey.responses.copy()
    straight.loc[0, ITEMS] = 4
    straight.loc[1, ITEMS] = [4, None] * (len(ITEMS) // 2) + [4] * (len(ITEMS) % 2)
    straight[ITEMS[2:]] = straight[ITEMS[2:]].astype(float)
    straight.loc[2, ITEMS[9:]] = None
    found = shares(Survey(responses=straight, questionnaire=SIPAS), "straight_line").iloc[0]
    assert (found["numerator"], found["denominator"]) == (2, 3)


def test_copies_are_counted_by_interviewer() -> None:
    survey = sipas()
    copied = survey.responses.copy()
    copied.loc[3, ITEMS] = copied.loc[2, ITEMS]
    found = shares(Survey(responses=copied, questionnaire=SIPAS), "duplicate", by="interviewer")
    assert found["interviewer"].tolist() == ["A", "B"]
    assert found["numerator"].tolist() == [0, 2]


def test_a_straight_line_is_no_copy_and_without_items_there_are_no_lines() -> None:
    survey = sipas()
    straight = survey.responses.copy()
    straight.loc[[0, 1], ITEMS] = 4
    same = Survey(responses=straight, questionnaire=SIPAS)
    assert shares(same, "straight_line").loc[0, "numerator"] == 2
    assert shares(same, "duplicate").loc[0, "numerator"] == 0
    profile = Survey(responses=pd.DataFrame({"complained": [1, 2]}), questionnaire=questionnaire())
    assert shares(profile, "straight_line").empty


def test_it_speaks_of_checks_in_words_and_needs_a_questionnaire() -> None:
    table = answer_quality(sipas()).table()
    assert "Bỏ trống" in {row[0] for row in table.cells}
    with pytest.raises(ValueError, match="needs a survey with a questionnaire"):
        answer_quality(Survey(responses=pd.DataFrame({"a": [1]})))
