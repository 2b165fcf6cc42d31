"""How results are worded: percentage points, labels in notes, intervals of no width, columns that are not there."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from khaosat.domain.questionnaire import load_questionnaire
from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError
from khaosat.facts.language import language
from khaosat.results import Result
from khaosat.survey import compare, compare_index, glm, league_table, mean, proportion, satisfaction_index


def said(result: Result, text: str) -> bool:
    return any(text in note for note in result.notes)


def wave(shift: float, n: int = 60) -> Survey:
    q = load_questionnaire("sipas_2017")
    rng = np.random.default_rng(int(10 * shift))
    frame = pd.DataFrame({i: np.clip(np.round(rng.normal(3.5 + shift, 1, n)), 1, 5) for i in q.items("satisfaction")})
    return Survey(responses=frame.assign(ward=np.arange(n) % 2), questionnaire=q)


def test_differences_of_shares_are_written_in_percentage_points() -> None:
    item = wave(0.0).responses.columns[0]
    with language("en"):
        for result in (
            compare(wave(0.5), wave(0.0), item, at=[4, 5]), compare(wave(0.5), item, groups="ward", at=[4, 5])
        ):  # fmt: skip
            row, table = result.rows.iloc[0], result.table()
            assert abs(row["estimate"]) < 1
            place = [column.heading for column in table.columns].index("Difference (percentage points)")
            assert float(table.cells[0][place].replace("−", "-")) == pytest.approx(100 * row["estimate"], abs=0.051)
            assert "%" not in table.cells[0][place]
            ax = result.plot()
            assert ax.get_xlabel() == "Difference (percentage points)"
            dots = [line for line in ax.lines if line.get_marker() == "o"]
            assert dots[0].get_xdata()[0] == pytest.approx(100 * row["estimate"])
            plt.close(ax.figure)
        scores = compare(wave(0.5), wave(0.0), item)
        assert "Difference" in [column.heading for column in scores.table().columns]


def test_figures_of_the_index_leave_the_items_to_the_table() -> None:
    for result in (satisfaction_index(wave(0.5)), compare_index(wave(0.5), wave(0.0))):
        assert (result.rows["level"] == "item").sum() > 20
        ax = result.plot()
        assert len(ax.get_yticks()) == (result.rows["level"] != "item").sum()
        plt.close(ax.figure)


def test_notes_name_questions_and_answers_as_people_read_them() -> None:
    survey = wave(0.0)
    item = survey.questionnaire.items("satisfaction")[0]
    survey.responses.loc[3, item] = np.nan
    survey = Survey(responses=survey.responses, questionnaire=survey.questionnaire)
    label, best = survey.questionnaire.label(item), survey.questionnaire.choice_labels(item)[5]
    for result in (mean(survey, item), proportion(survey, item, at=[4, 5])):
        assert said(result, f"{label}: ")
        assert not said(result, f"{item}:")
    assert said(proportion(survey, item, at=[4, 5]), best)


def test_an_interval_of_no_width_is_told_unless_everybody_was_asked() -> None:
    frame = pd.DataFrame({"q": [4, 4, 4, 4, 5, 3], "g": list("AAAABB"), "N": 6})
    with language("en"):
        drawn = mean(Survey(responses=frame), "q", by="g")
        assert said(drawn, "1 lines have an interval of no width")
        whole = mean(Survey(responses=frame, design=Design(fpc="N")), "q", by="g")
        assert not said(whole, "no width")


def test_nothing_is_said_of_ranks_where_nothing_is_ranked() -> None:
    frame = pd.DataFrame({"unit": list("ABC") * 2, "q": [5, 4, 1, 4, 5, 2]})
    with language("en"):
        assert not said(league_table(Survey(responses=frame), "q", by="unit"), "Rank 1")
        assert said(league_table(Survey(responses=frame), "q", by="unit", min_n=2), "Rank 1")


def test_all_columns_that_are_not_there_are_named_at_once() -> None:
    survey = Survey(responses=pd.DataFrame({"q": [1.0, 2, 3, 5]}))
    for call in (
        lambda: glm(survey, "q ~ one + two"), lambda: mean(survey, ["one", "q", "two"]),
        lambda: proportion(survey, ["one", "two"]),
    ):  # fmt: skip
        with pytest.raises(DataError, match=r"(?s)one.*two"):
            call()
